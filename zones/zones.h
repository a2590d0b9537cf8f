/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Everything we answer ourselves, in one documented order (DESIGN "Local name"):
 * config records > hosts > leases > (allow, block: later) > special zones > resolve.
 * A struct zones is an immutable snapshot built by a pool job from config and hosts files and
 * swapped by RCU; lease names are reached through the leasename map that outlives snapshots.
 * zones_decide is pure, allocates from the given memory only, and may run on any worker inside an
 * RCU read section. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/ip.h"
#include "base/trace.h"
#include "dns/msg_parse.h"
#include "dns/rrset.h"

struct zones;
struct zones_builder;
struct leasename; /* zones/leasename.h */

enum zones_verdict {
	ZONES_RESOLVE = 0, /* not ours: ask the resolver */
	ZONES_ANSWER,	   /* the answer is complete in out */
	ZONES_CNAME, /* answer[] holds CNAMEs; go on resolving out->target and append (a local CNAME
			to outside) */
	ZONES_DROP,  /* no answer at all */
	ZONES_REFUSE
};

#define ZONES_ANSWER_MAX 16   /* RRsets of one local answer, chain of CNAMEs included */
#define ZONES_BLOCK_LEN	 8192 /* memory one local answer may need */

struct zones_answer {
	uint16_t rcode;
	bool is_aa;
	uint8_t n_answer, n_authority;
	const struct rrset *answer[ZONES_ANSWER_MAX]; /* borrowed: snapshot (life: config) or mem */
	const struct rrset *authority[2];	      /* our SOA for negative answers */
	const uint8_t *target;			      /* ZONES_CNAME; borrowed likewise */
	int ede;
	const char *source; /* static text: "record", "device", "hosts", "lease", "zone", "special";
			       NULL when not ours (for why) */
};

/* q: class IN (CH version.bind etc is front's). client: who asks (127.x hosts entries are served to
 * loopback clients only). wall_s: for lease expiry. mem/cap: ZONES_BLOCK_LEN bytes (life: query or
 * turn) for RRsets made on the fly. */
enum zones_verdict zones_decide(const struct zones *z, const struct question *q,
	const struct ip *client, int64_t wall_s, uint8_t *mem, size_t cap, struct trace *trace,
	struct zones_answer *out);

/* True when a negative or positive answer from above must not shadow this name (D8): the name lies
 * in a zone of ours. Cheap; used by aggressive NSEC and the cache. */
bool zones_is_local(const struct zones *z, const uint8_t *name);

/* ---- building (one thread, off the loops) ---- */
struct zones_conf {
	const char *domain;	  /* "home.arpa": the lease zone; NULL none */
	bool special_zones;	  /* RFC 6303, 6761, 6762, 7686, 8375, 9476, resolver.arpa ...,
				     and single labels that are no host of ours stay here */
	struct leasename *leases; /* may be NULL in tests */
	const struct ip_prefix *lan_prefixes; /* every lan's subnet: their reverse zones are ours */
	size_t n_lan_prefixes;
	const char *const *lan_domains; /* further lease zones (lan.NAME.domain) */
	size_t n_lan_domains;
	const char *const
		*forwarded; /* names of forward and stub zones: a forward/stub for a special-use or
			       reverse zone takes it over from the built-in special zones */
	size_t n_forwarded;
	const char *server_name; /* host name we answer for ourselves as MNAME; may be NULL:
				    "lanthorn" */
	uint32_t local_ttl_s;	 /* TTL of hosts and records without one: 60..300 */
};
/* conf and what it points to are needed during the call only, but for leases. NULL when a name in
 * it is not a valid name (the configuration has checked them). */
struct zones_builder *zones_builder_new(const struct zones_conf *conf);
/* One RR of a `record` entry: name may be "*.x". type/rdata already in wire form (rrtext does the
 * text). ttl 0: local_ttl_s. ERR_EXISTS: a CNAME beside other data. ERR_MALFORMED, ERR_RANGE: a
 * bad name. ERR_LIMIT: too many records of one type at the name. Bare names get the domain:
 * "nas", "*", "*.apps". */
MUST_CHECK int zones_builder_record(struct zones_builder *b, const char *name, uint16_t type,
	uint32_t ttl, const uint8_t *rdata, size_t len);
/* record.NAME.a/aaaa also give a PTR when add_ptr and no other PTR stands there. Errors as above.
 * source: static text, "record" or "device". Addresses of 127.0.0.0/8 are served to everybody: the
 * operator wrote them into our own configuration. */
MUST_CHECK int zones_builder_address(struct zones_builder *b, const char *name, const struct ip *ip,
	uint32_t ttl, bool add_ptr, const char *source);
/* Fixed devices resolve at once, held by anybody or not (field note 13): source "device". They rank
 * with config. */
/* The whole text of a hosts file: "IP name [alias...]"; bad lines go to on_bad(arg, line_no, text)
 * and are skipped. */
MUST_CHECK int zones_builder_hosts(struct zones_builder *b, const char *path, const char *text,
	size_t len, void (*on_bad)(void *arg, unsigned line, const char *why), void *arg);
/* The finished snapshot; frees the builder. */
struct zones *zones_builder_finish(struct zones_builder *b);
void zones_free(struct zones *z);
/* Names that config or hosts own: a lease may not take them (first label under the lease zone,
 * lower-case). */
bool zones_owns_label(const struct zones *z, const char *label, const struct ip *except_for);
size_t zones_count(const struct zones *z); /* owner names held */
