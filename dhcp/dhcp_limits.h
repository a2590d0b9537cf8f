/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Ceilings of the room dhcp, each with its reason. */

/* Largest datagram read or written: an Ethernet frame less the IP and UDP headers. */
#define DHCP_PACKET_MAX 1472
/* RFC 2131 2: what every client takes when it names no option 57, less the headers. */
#define DHCP_PACKET_DEFAULT 548
/* RFC 1542 2.1: BOOTP relays and old clients drop anything shorter. */
#define DHCP_PACKET_MIN 300

/* Relays in a row; more is a loop. */
#define DHCP_HOPS_MAX 32

/* All parts of one option put together (RFC 3396). */
#define DHCP_OPTION_MAX 1024

/* An offer lives in memory this long: the client has asked two or three times by then. */
#define DHCP_OFFER_MS 30000
/* Under starvation an offer older than this may go to another: honest clients answer at once. */
#define DHCP_OFFER_MIN_MS 2000
/* Offers in memory at a time (about 300 B each): a flood of new MACs costs 20 MB, no more. */
#define DHCP_OFFERS_MAX 65536
/* Offers that wait behind one circuit of a relay (option 82.1): one port cannot take them all. */
#define DHCP_OFFERS_PER_CIRCUIT 64

/* Leases of both kinds, live and remembered; 200 B each. */
#define DHCP_LEASES_MAX 1000000

/* ACKs that wait for the disk (2 KiB each): at 5,000 a second a disk may take 800 ms. */
#define DHCP_STAGED_MAX 4096

/* A reply older than this is not sent: the client has asked again. */
#define DHCP_REPLY_MS 2000

/* A declined address rests for a day, a device's own for ten minutes (it has no other); the oldest
 * one is taken back early when a pool has nothing else. */
#define DHCP_QUARANTINE_S	 86400
#define DHCP_QUARANTINE_DEVICE_S 600
/* ...but not sooner than this, or one address in use would be asked about without pause. */
#define DHCP_QUARANTINE_MIN_MS 10000
/* DECLINEs of one client in an hour that are believed. */
#define DHCP_DECLINES_PER_HOUR 3
/* Clients whose DECLINEs are counted; the oldest count makes room. */
#define DHCP_DECLINERS_MAX 1024

/* How long an OFFER of an address nobody is known to use waits for an ARP answer, and when the
 * question is repeated within that time. Sleeping wireless stations wake every 100-300 ms. */
#define DHCP_PROBE_MS	    300
#define DHCP_PROBE_AGAIN_MS 120
/* Questions waiting at a time; past it an OFFER goes out unprobed. */
#define DHCP_PROBES_MAX 256
/* An address found in use rests this long (memory only; then it is asked about again). */
#define DHCP_CONFLICT_S 600

/* Retransmission of a REQUEST just acknowledged: answered without writing again. */
#define DHCP_REPEAT_MS 10000

/* Clock steps larger than this make us state all ends of leases anew. */
#define DHCP_CLOCK_STEP_S 30
/* Leases restated, and ended ones swept, in one turn of the loop. */
#define DHCP_SWEEP_BATCH 128

/* Machines that wait for a boot file given once, how long, and its longest name or URL. */
#define DHCP_BOOT_ONCE_MAX 64
#define DHCP_BOOT_ONCE_S   86400
#define DHCP_BOOT_FILE_MAX 255

/* Options the server may put into one reply. */
#define DHCP_REPLY_OPTIONS_MAX 96
