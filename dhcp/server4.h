/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The DHCPv4 server as a function: bytes in, verdict out. Owns the leases, the offers and the
 * choice of addresses and names; knows no socket, no clock and no disk. The service thread calls
 * it with what its sockets received and does what the verdict says. Everything here is for one
 * thread.
 *
 * Promise 1 of the house stands here: an ACK is staged, the daemon (dhcp/commit) writes its changes
 * to the store, server4_committed binds the lease, publishes the name, and only then hands out the
 * reply. Offers never reach the disk (a flood of strangers costs memory only, and that is
 * bounded). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "dhcp/dhcp_conf.h"
#include "dhcp/dhcp_counters.h"
#include "dhcp/dhcp_limits.h"
#include "store/leasedb.h"

struct server4;
struct server4_stage;
struct leasename;

struct server4_now {
	int64_t mono_ms; /* never steps; best CLOCK_BOOTTIME, so that leases age while suspended */
	int64_t wall_s;	 /* Unix time; may step */
};

/* How a packet came. Addresses are host order. */
struct server4_arrival {
	uint32_t ifindex;
	uint32_t local; /* the address it was sent to; for a broadcast ours on that interface */
	uint32_t peer;	/* source */
	uint16_t peer_port;
	bool is_broadcast;
	int64_t arrived_ms; /* monotonic; 0: now */
};

enum server4_verdict {
	SERVER4_DROP,  /* nothing to do; counted */
	SERVER4_SEND,  /* send out->bytes the way out->path says */
	SERVER4_STAGE, /* hand out->stage to dhcp/commit */
	SERVER4_HOLD,  /* send an ARP probe for out->ip on out->ifindex (RFC 5227: sender 0.0.0.0);
			  what is heard comes back by server4_on_arp, the rest by timer */
	SERVER4_IDLE,  /* on_timer only: nothing more is due */
};

enum server4_path {
	SERVER4_TO_IP,	      /* UDP from source:67 to ip:port */
	SERVER4_TO_BROADCAST, /* UDP to 255.255.255.255:68 on ifindex */
	SERVER4_TO_LINK,      /* a frame to mac, IP ip:68, on ifindex: it cannot answer ARP yet */
};

struct server4_reply {
	enum server4_path path;
	uint32_t ifindex;
	uint32_t source; /* our address */
	uint32_t ip;
	uint16_t port;
	uint8_t mac[DHCP_MAC_LEN];
	struct server4_stage *stage;
	size_t len;
	uint8_t bytes[DHCP_PACKET_MAX];
};

struct server4_opts {
	struct hash_key key;	 /* hash_key_random(); fixed in tests */
	struct leasename *names; /* outlives the server; NULL: no names */
	/* Whether config or a hosts file owns the label in that lease zone, for another address
	 * than except_addr (zones_owns_label). NULL: nothing is owned. */
	bool (*is_name_owned)(void *arg, unsigned domain, const char *label, uint32_t except_addr);
	void *arg;
};

/* conf is borrowed until the next server4_configure or server4_free. */
struct server4 *server4_new(
	const struct server4_opts *opts, const struct dhcp_conf *conf, struct server4_now now);
void server4_free(struct server4 *s); /* NULL allowed; no stage may be out */

/* At start: every IPv4 record of the store (leasedb_each), then once server4_loaded, which settles
 * ends by the clock and publishes the names. ERR_LIMIT past DHCP_LEASES_MAX; ERR_RANGE: no lease of
 * ours (IPv6, prefix), or times beyond all clocks. */
MUST_CHECK int server4_load(
	struct server4 *s, const struct lease_record *record, struct server4_now now);
void server4_loaded(struct server4 *s, struct server4_now now);

/* Another snapshot: leases, offers and waiting ACKs stay; pools are counted anew; names that config
 * now owns go. O(leases). */
void server4_configure(struct server4 *s, const struct dhcp_conf *conf, struct server4_now now);

/* One datagram that came to port 67. O(1). Never keeps pkt. */
enum server4_verdict server4_answer(struct server4 *s, const uint8_t *pkt, size_t len,
	const struct server4_arrival *in, struct server4_now now, struct server4_reply *out);

/* What the store must take in one piece; borrowed until server4_committed. */
const struct lease_change *server4_changes(const struct server4_stage *stage, size_t *out_n);
/* The commit of a stage ended (err 0: it is on disk). Binds, publishes, and returns SERVER4_SEND
 * with the ACK in out, or SERVER4_DROP. The stage is gone afterwards. */
enum server4_verdict server4_committed(struct server4 *s, struct server4_stage *stage, int err,
	struct server4_now now, struct server4_reply *out);

/* An ARP packet on ifindex said that mac uses ip (a reply, or a request from there). */
void server4_on_arp(
	struct server4 *s, uint32_t ifindex, uint32_t ip, const uint8_t mac[DHCP_MAC_LEN]);
/* Call when server4_next_ms has passed, again and again until SERVER4_IDLE. */
enum server4_verdict server4_on_timer(
	struct server4 *s, struct server4_now now, struct server4_reply *out);
/* Monotonic time of the next call; at most a second away. */
int64_t server4_next_ms(const struct server4 *s, struct server4_now now);

/* The next network boot of the machine with that MAC gets this file (below the boot root, or a URL)
 * instead of its usual one, whatever its firmware. Forgotten when an ACK has carried it, after
 * DHCP_BOOT_ONCE_S, or with file NULL. Copied; in memory only. ERR_RANGE: file is empty or over
 * DHCP_BOOT_FILE_MAX; ERR_LIMIT: DHCP_BOOT_ONCE_MAX machines wait. */
MUST_CHECK int server4_boot_once(struct server4 *s, const uint8_t mac[DHCP_MAC_LEN],
	const char *file, struct server4_now now);

/* For leases, devices, metrics and why. Times of a record are Unix times by the clock of now. */
typedef int (*server4_lease_fn)(const struct lease_record *record, void *arg);
/* Every lease in no order; fn's non-zero value ends the walk and is returned. */
int server4_each(struct server4 *s, struct server4_now now, server4_lease_fn fn, void *arg);
/* ERR_ABSENT: nothing is known of that address. */
MUST_CHECK int server4_lease(
	struct server4 *s, uint32_t ip, struct server4_now now, struct lease_record *out);

struct server4_lan_stats {
	const char *name; /* life: the snapshot */
	uint64_t n_pool;  /* addresses of the pools that can be handed out at all */
	uint64_t n_free;  /* never handed out */
	uint64_t n_ended; /* can be taken over */
	uint64_t n_declined;
};
/* i < number of lans. */
struct server4_lan_stats server4_lan_stats(const struct server4 *s, size_t i);
struct server4_stats {
	struct dhcp_counters counters;
	uint64_t n_bound, n_ended, n_declined, n_offers, n_staged, n_probing;
};
struct server4_stats server4_stats(const struct server4 *s);
