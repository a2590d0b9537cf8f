/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the DHCPv4 server counts: one X-macro row each with the help text for metrics. Written by
 * the service thread only; read by it on request of the control thread. */
#include <stdint.h>

#define DHCP_COUNTER_LIST(X)                                                                       \
	X(discover, "DISCOVER messages received")                                                  \
	X(request, "REQUEST messages received")                                                    \
	X(decline, "DECLINE messages received")                                                    \
	X(release, "RELEASE messages received")                                                    \
	X(inform, "INFORM messages received")                                                      \
	X(offer, "OFFER messages sent")                                                            \
	X(ack, "ACK messages sent")                                                                \
	X(nak, "NAK messages sent")                                                                \
	X(repeat, "repeated REQUESTs answered without a write")                                    \
	X(drop_malformed, "dropped: broken header or options")                                     \
	X(drop_bootp, "dropped: plain BOOTP without a DHCP message type")                          \
	X(drop_type, "dropped: not a message for servers")                                         \
	X(drop_hops, "dropped: too many relays")                                                   \
	X(drop_relay, "dropped: relay is not ours")                                                \
	X(drop_lan, "dropped: no lan on that interface")                                           \
	X(drop_ignored, "dropped: the client's class says ignore")                                 \
	X(drop_other_server, "dropped: the client chose another server")                           \
	X(drop_unknown, "dropped: unknown client and we are not authoritative")                    \
	X(drop_not_holder, "dropped: RELEASE or DECLINE by one who does not hold the address")     \
	X(drop_decline_limit, "dropped: more DECLINEs than one client may send")                   \
	X(drop_pending, "dropped: the same request already waits for disk or probe")               \
	X(drop_incomplete, "dropped: a field the message needs is missing")                        \
	X(drop_no_address, "dropped: the pool has no address left")                                \
	X(drop_late, "replies not sent because they were older than two seconds")                  \
	X(drop_busy, "dropped: too many ACKs wait for the disk")                                   \
	X(drop_circuit, "dropped: too many offers behind one relay circuit")                       \
	X(commit_failed, "ACKs not sent because the commit failed")                                \
	X(options_cut, "options left out of a reply for lack of room")                             \
	X(conflict, "addresses found in use by a probe")                                           \
	X(probe, "address probes started")                                                         \
	X(probe_skipped, "offers sent unprobed because too many probes ran")                       \
	X(expired, "leases ended by time")                                                         \
	X(reused, "addresses taken over from the longest ended lease")                             \
	X(offer_revoked, "unanswered offers taken back for another client")                        \
	X(decline_reclaimed, "declined addresses taken back because a pool was empty")             \
	X(name_refused, "names refused because another holds them or they are reserved")           \
	X(clock_step, "steps of the wall clock noticed")

struct dhcp_counters {
#define DHCP_COUNTER_FIELD(name, help) uint64_t name;
	DHCP_COUNTER_LIST(DHCP_COUNTER_FIELD)
#undef DHCP_COUNTER_FIELD
};
