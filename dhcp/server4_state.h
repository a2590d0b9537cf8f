/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of the DHCPv4 server, for the server4*.c files only: its tables, one packet's context,
 * one staged change, and who does what with them. */
#include "base/table.h"
#include "dhcp/client4.h"
#include "dhcp/ddname.h"
#include "dhcp/dhcp_const.h"
#include "dhcp/lease.h"
#include "dhcp/offer.h"
#include "dhcp/pick.h"
#include "dhcp/pkt4_parse.h"
#include "dhcp/pkt4_write.h"
#include "dhcp/probe.h"
#include "dhcp/pxe.h"
#include "dhcp/reserve.h"
#include "dhcp/server4.h"

/* Classes one client may be in; further ones are not looked at. */
#define SERVER4_CLASSES_MAX 8

enum { SERVER4_DECLINERS = DHCP_DECLINERS_MAX };

/* A record that could not be written is tried again so much later. */
enum { SERVER4_RETRY_MS = 10000 };

struct server4_decliner {
	uint64_t client; /* hash */
	int64_t since_ms;
	unsigned n;
};

/* A boot file for one machine, once. */
struct server4_once {
	uint8_t mac[DHCP_MAC_LEN];
	int64_t due_ms;
	char file[DHCP_BOOT_FILE_MAX + 1]; /* "": the place is free */
};

/* Whose pool a pool of dhcp/pick is. */
struct server4_pool {
	const struct dhcp_lan *lan;
	const struct dhcp_class *class; /* NULL: everybody's */
};

struct server4 {
	struct server4_opts opts;
	const struct dhcp_conf *conf;
	struct lease_table *leases;
	struct offer_table *offers;
	struct pick *pick;
	struct server4_pool *pools; /* by number of dhcp/pick */
	struct reserve *reserve;
	struct probe_table *probes;
	struct probe_result *probed; /* memory for probe_next */
	struct table claims;	     /* names of staged ACKs */
	struct server4_stage *stages, *free_stages;
	size_t n_staged, n_free_stages;
	int64_t offset_ms; /* wall clock minus monotonic clock */
	bool is_offset_set, is_loaded;
	size_t restate_at; /* walk over all leases, while is_restating */
	bool is_restating;
	int64_t restate_due_ms; /* start one then; 0: none */
	int64_t sweep_ms;	/* next look at what ends by time */
	struct server4_decliner decliners[SERVER4_DECLINERS];
	struct server4_once once[DHCP_BOOT_ONCE_MAX];
	struct dhcp_counters counters;
};

enum server4_kind {
	SERVER4_ACK,
	SERVER4_FREE,	 /* RELEASE or DECLINE: in force in memory already */
	SERVER4_RESTATE, /* a record written anew, nothing else changes */
};

/* One change on its way to the disk, with the reply that waits for it. */
struct server4_stage {
	struct table_node claim; /* in server4.claims when label is not "" */
	struct server4_stage *next, *prev;
	enum server4_kind kind;
	struct lease_record rec, old; /* old: the client's earlier lease, given up with it */
	struct lease_change changes[2];
	size_t n_changes;
	uint32_t addr;
	int64_t due_ms, arrived_ms;
	uint32_t xid;
	uint64_t owner; /* of the name */
	unsigned domain;
	bool is_new; /* not a renewal: the name moves here from the client's other leases */
	bool boots;  /* the reply carries a boot file */
	struct server4_reply reply;
};

/* One packet being answered; on the stack. Pointers live as long as the packet or the snapshot. */
struct server4_ctx {
	struct server4 *s;
	const struct pkt4 *req;
	const struct server4_arrival *in;
	const uint8_t *pkt;
	size_t len;
	struct server4_now now;
	struct server4_reply *out;
	struct client4 client;
	const struct dhcp_lan *lan;
	const struct dhcp_device *device;
	const struct dhcp_class *classes[SERVER4_CLASSES_MAX];
	size_t n_classes;
	bool is_relayed;
	const uint8_t *relay; /* option 82 of a relay we trust; NULL none */
	size_t relay_len;
	uint64_t circuit;   /* hash of its circuit; 0 none */
	uint32_t server_id; /* ours to this client */
	uint32_t local;	    /* our address it reached */
};

/* server4_lan.c: which lan, by relay, link selection, ciaddr or interface. False: dropped and
 * counted. */
bool server4_find_lan(struct server4_ctx *c);
bool server4_is_ours(const struct server4_ctx *c, uint32_t server_id);
/* The lan of addr among those that share c->lan's wire; NULL. */
const struct dhcp_lan *server4_lan_on_wire(const struct server4_ctx *c, uint32_t addr);
/* Device and classes by c->lan; moves to the lan of the wire that knows the device. */
void server4_identify(struct server4_ctx *c);
/* Go on in another lan of the same wire. */
void server4_move(struct server4_ctx *c, const struct dhcp_lan *lan);
bool server4_is_ignored(const struct server4_ctx *c);

/* server4_address.c */
/* What may be offered, in order of preference; moves c to the address's lan. False: none left. */
bool server4_choose(struct server4_ctx *c, uint32_t *out);
/* Config lets this client have addr in c->lan. */
bool server4_may_have(const struct server4_ctx *c, uint32_t addr);
/* ...and nobody stands in the way. is_ours: we have offered it, so an ended lease of another does
 * not count. */
bool server4_can_have(const struct server4_ctx *c, uint32_t addr, bool is_ours);
struct lease *server4_own_lease(const struct server4_ctx *c, uint32_t addr);
struct offer *server4_own_offer(const struct server4_ctx *c);
/* Promise addr to the client; NULL: no room (counted). */
struct offer *server4_hold(struct server4_ctx *c, uint32_t addr);
void server4_unhold(struct server4 *s, struct offer *o);
/* Nobody may have addr for that long; in memory only unless a record is staged too. */
void server4_quarantine(struct server4 *s, uint32_t addr, int64_t seconds, struct server4_now now);

/* server4_request.c */
enum server4_verdict server4_discover(struct server4_ctx *c);
enum server4_verdict server4_request(struct server4_ctx *c);
/* server4_end.c */
enum server4_verdict server4_release(struct server4_ctx *c);
enum server4_verdict server4_decline(struct server4_ctx *c);
enum server4_verdict server4_inform(struct server4_ctx *c);

/* server4_boot.c: the boot file of this request into the reply; url: see pxe_put. */
void server4_put_boot(const struct server4_ctx *c, struct pkt4_reply *r, char url[PXE_URL_MAX]);
/* The machine has been given its boot file. */
void server4_boot_done(struct server4 *s, const uint8_t mac[DHCP_MAC_LEN]);

/* server4_reply.c: fill c->out. */
enum server4_verdict server4_send_offer(struct server4_ctx *c, uint32_t addr);
enum server4_verdict server4_send_nak(struct server4_ctx *c, const char *why);
enum server4_verdict server4_send_inform(struct server4_ctx *c);
/* The ACK of an address into r; label: the name granted, "" none. False: it cannot be written. */
bool server4_write_ack(struct server4_ctx *c, uint32_t addr, uint32_t lease_s, const char *label,
	struct server4_reply *r);
/* What the client may have: asked for, within bounds. */
uint32_t server4_lease_s(const struct server4_ctx *c);

/* server4_stage.c */
/* Stage an ACK for addr, or send it at once when it repeats one. */
enum server4_verdict server4_grant(struct server4_ctx *c, uint32_t addr, bool is_new);
/* Stage a record of a lease as it is now in memory. NULL: no room. */
struct server4_stage *server4_stage_lease(
	struct server4 *s, struct lease *l, enum server4_kind kind, struct server4_now now);

/* server4_name.c */
uint64_t server4_owner(
	const struct server4 *s, const struct dhcp_device *d, const struct client4 *c);
/* The label the client gets for addr, "" for none; old: its lease there, whose name stays when the
 * client names none. */
void server4_name(
	struct server4_ctx *c, uint32_t addr, const struct lease *old, char out[DDNAME_LEN]);
void server4_publish(struct server4 *s, struct lease *l, unsigned domain, uint64_t owner);
void server4_unpublish(struct server4 *s, struct lease *l);
/* By what the snapshot says of the lease's address and client. */
void server4_publish_known(struct server4 *s, struct lease *l);

/* server4_configure.c: pools, devices and names by another snapshot. */
void server4_build_pools(struct server4 *s);

/* server4_time.c */
void server4_watch_clock(struct server4 *s, struct server4_now now);
/* The lease was just written: if the clock stepped since it was staged, write it once more. */
void server4_note_stored(struct server4 *s, const struct lease *l, struct server4_now now);

/* server4.c */
const struct dhcp_lan *server4_lan_of(const struct server4 *s, uint32_t addr);
enum server4_verdict server4_drop(uint64_t *counter); /* counts it */
enum server4_verdict server4_answer_parsed(struct server4_ctx *c);
