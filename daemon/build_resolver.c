/* SPDX-License-Identifier: Apache-2.0 */
/* Config to resolver_conf: access list, forward zones, root hints, switches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "daemon/build.h"
#include "dns/root_anchors.h"
#include "dns/root_hints.h"
#include "dns/rrtext.h"
#include "dns/zonefile.h"
#include "net/iface.h"
#include "resolver/acl.h"

#define BUILD_ARENA_MAX (64u << 20) /* names and addresses of one snapshot, zones apart */

struct build {
	const struct config *c;
	const struct build_host *host;
	struct config_report *rep;
	struct arena_pool *pool;
	struct arena *arena;
	struct resolver_conf *out;
	bool has_failed;
};

static void *build_take(struct build *b, size_t len)
{
	void *p = arena_zalloc(b->arena, len ? len : 1);

	if (!p)
		abort(); /* the config is bounded; BUILD_ARENA_MAX holds it many times */
	return p;
}

static const uint8_t *build_name(struct build *b, const char *text)
{
	uint8_t name[DNAME_MAX];
	size_t len;

	if (dname_read(text, name, &len) != 0)
		return NULL;
	return memcpy(build_take(b, len), name, len);
}

/* ---- access list and switches ---- */

/* The network that an address of ours is in: its host bits off. */
static struct ip_prefix build_network_of(const struct iface_addr *a)
{
	struct ip_prefix p = {.ip = a->ip, .len = a->prefix_len};
	size_t n = ip_len(&p.ip);

	for (size_t i = 0; i < n; i++) {
		unsigned keep = a->prefix_len > i * 8 ? a->prefix_len - (unsigned)i * 8 : 0;

		if (keep < 8)
			p.ip.bytes[i] &= (uint8_t)(0xff00 >> keep);
	}
	return p;
}

/* Loopback, connected networks, every lan. */
static size_t build_default_acl(struct build *b, struct ip_prefix *list)
{
	size_t n = 0;

	list[n++] = (struct ip_prefix){.ip = ip_from4(0x7f000000), .len = 8};
	list[n++] = (struct ip_prefix){.ip = ip_from6((const uint8_t[16]){[15] = 1}), .len = 128};
	for (size_t i = 0; i < b->host->n_ifaces; i++)
		for (size_t k = 0; k < b->host->ifaces[i].n_addrs; k++)
			list[n++] = build_network_of(&b->host->ifaces[i].addrs[k]);
	for (size_t i = 0; i < b->c->n_lan; i++) {
		if (b->c->lan[i].subnet.ip.family)
			list[n++] = b->c->lan[i].subnet;
		if (b->c->lan[i].prefix.ip.family)
			list[n++] = b->c->lan[i].prefix;
	}
	return n;
}

static void build_acl(struct build *b)
{
	const struct config_dns *d = &b->c->dns;
	size_t cap = b->host->n_ifaces * IFACE_MAX_ADDR + 2 * b->c->n_lan + 2;
	struct ip_prefix *list;

	if (d->n_allow) {
		b->out->acl = acl_new(d->allow, d->n_allow);
		return;
	}
	list = xalloc(cap * sizeof(*list));
	b->out->acl = acl_new(list, build_default_acl(b, list));
	xfree(list);
}

static void build_switches(struct resolver_conf *o, const struct config_dns *d)
{
	o->validate = d->validate;
	o->qname_minimisation = d->qname_minimisation;
	o->case_randomisation = d->case_randomisation;
	o->prefetch = d->prefetch;
	o->minimal_responses = d->minimal_responses;
	o->cookies = d->cookies;
	o->rebind_protection = d->rebind_protection;
	o->prime = d->prime;
	o->harden_glue = d->harden_glue;
	o->query_localhost = d->query_localhost;
	o->ipv4 = d->ipv4;
	o->ipv6 = d->ipv6;
	o->min_ttl_s = d->min_ttl_s;
	o->max_ttl_s = d->max_ttl_s;
	o->max_negative_ttl_s = d->max_negative_ttl_s;
	o->serve_stale_s = d->serve_stale_s;
	o->edns_size = (uint16_t)d->edns_size;
	o->log_queries = d->log_queries;
}

/* ---- forward and stub zones ---- */

static void build_forwards(struct build *b)
{
	const struct config *c = b->c;
	struct resolver_forward *f = build_take(b, (c->n_forward + c->n_stub) * sizeof(*f));
	size_t n = 0;

	for (size_t i = 0; i < c->n_forward; i++)
		f[n++] = (struct resolver_forward){.zone = build_name(b, c->forward[i].name),
			.validate = c->forward[i].validate,
			.n_to = c->forward[i].n_to,
			.to = c->forward[i].to};
	for (size_t i = 0; i < c->n_stub; i++)
		f[n++] = (struct resolver_forward){.zone = build_name(b, c->stub[i].name),
			.is_stub = true,
			.validate = true,
			.n_to = c->stub[i].n_to,
			.to = c->stub[i].to};
	/* The config outlives no snapshot: copy the addresses. */
	for (size_t i = 0; i < n; i++)
		f[i].to = memcpy(build_take(b, f[i].n_to * sizeof(*f[i].to)), f[i].to,
			f[i].n_to * sizeof(*f[i].to));
	b->out->forwards = f;
	b->out->n_forwards = n;
	resolver_conf_sort(b->out);
}

/* Do we answer there, as far as the configuration tells? */
static bool build_listens_on(const struct config *c, const struct iface *f, const struct ip *ip)
{
	static const uint8_t any[16];

	for (size_t i = 0; i < c->dns.n_listen; i++) {
		const struct ip_port *at = &c->dns.listen[i];

		if (at->port == DNS_PORT && at->ip.family == ip->family &&
			(ip_equal(&at->ip, ip) || memcmp(at->ip.bytes, any, sizeof(any)) == 0))
			return true;
	}
	for (size_t i = 0; i < c->n_lan && !c->dns.n_listen; i++)
		if (strcmp(c->lan[i].interface, f->name) == 0)
			return true;
	return false;
}

/* Where we answer ourselves is no server to ask. Other addresses of the host may have one. */
static void build_own(struct build *b)
{
	struct ip *own = build_take(b, b->host->n_ifaces * IFACE_MAX_ADDR * sizeof(*own));
	size_t n = 0;

	for (size_t i = 0; i < b->host->n_ifaces; i++) {
		const struct iface *f = &b->host->ifaces[i];

		for (size_t k = 0; k < f->n_addrs; k++)
			if (build_listens_on(b->c, f, &f->addrs[k].ip))
				own[n++] = f->addrs[k].ip;
	}
	b->out->own = own;
	b->out->n_own = n;
}

static void build_rebind_allow(struct build *b)
{
	const struct config_dns *d = &b->c->dns;
	const uint8_t **names = build_take(b, d->n_rebind_allow * sizeof(*names));

	for (size_t i = 0; i < d->n_rebind_allow; i++)
		names[i] = build_name(b, d->rebind_allow[i]);
	b->out->rebind_allow = names;
	b->out->n_rebind_allow = d->n_rebind_allow;
}

/* ---- root hints ---- */

#define BUILD_HINTS_MAX	   64	/* RRsets: NS and two for each server */
#define BUILD_HINT_SET_LEN 4096 /* one RRset of hints */

static struct rrset *build_hint_set(struct build *b, const uint8_t *owner, uint16_t type)
{
	struct resolver_conf *o = b->out;
	struct rrset *rr;

	for (size_t i = 0; i < o->n_hints; i++)
		if (o->hints[i]->type == type && dname_equal(rrset_owner(o->hints[i]), owner))
			return (struct rrset *)o->hints[i];
	if (o->n_hints == BUILD_HINTS_MAX)
		return NULL;
	rr = rrset_init(build_take(b, BUILD_HINT_SET_LEN), BUILD_HINT_SET_LEN, owner, type,
		DNS_CLASS_IN, ROOT_HINTS_TTL);
	rr->rank = RRSET_RANK_LOCAL;
	rr->security = RRSET_INSECURE;
	o->hints[o->n_hints++] = rr;
	return rr;
}

static int build_hint(
	struct build *b, const uint8_t *owner, uint16_t type, const uint8_t *rdata, size_t len)
{
	struct rrset *rr = build_hint_set(b, owner, type);

	return rr ? rrset_add(rr, BUILD_HINT_SET_LEN, rdata, len) : ERR_LIMIT;
}

static int build_on_hint(void *arg, unsigned line, const struct rrtext_rr *rr)
{
	(void)line;
	if (rr->type != DNS_TYPE_NS && rr->type != DNS_TYPE_A && rr->type != DNS_TYPE_AAAA)
		return 0;
	return build_hint(arg, rr->owner, rr->type, rr->rdata, rr->rdlen);
}

static void build_built_in_hints(struct build *b)
{
	static const uint8_t root[] = {0};

	for (size_t i = 0; i < ROOT_HINTS_COUNT; i++) {
		struct root_hint h = root_hints_get(i);
		int err = build_hint(b, root, DNS_TYPE_NS, h.name, dname_len(h.name));

		err |= build_hint(b, h.name, DNS_TYPE_A, h.ip4.bytes, 4);
		err |= build_hint(b, h.name, DNS_TYPE_AAAA, h.ip6.bytes, 16);
		if (err)
			abort(); /* a fixed table that fits */
	}
}

static void build_hints(struct build *b)
{
	const struct config_dns *d = &b->c->dns;
	struct zonefile_error e = {0};
	int err;

	b->out->hints = build_take(b, BUILD_HINTS_MAX * sizeof(*b->out->hints));
	if (!d->root_hints) {
		build_built_in_hints(b);
		return;
	}
	err = zonefile_read(d->root_hints, NULL, ROOT_HINTS_TTL, build_on_hint, b, &e);
	if (!err && b->out->n_hints)
		return;
	config_report_add(b->rep, CONFIG_ERROR, config_where(b->c, &d->root_hints),
		"root hints %s, line %u: %s", d->root_hints, e.line,
		err ? (e.why[0] ? e.why : err_text(err)) : "no NS record in it");
	b->has_failed = true;
}

/* ---- trust anchors ---- */

#define BUILD_ANCHORS_MAX    64	  /* RRsets: DS and DNSKEY for each name */
#define BUILD_ANCHOR_SET_LEN 8192 /* one RRset of anchors */
#define BUILD_ANCHOR_TTL     86400

static int build_anchor(
	struct build *b, const uint8_t *owner, uint16_t type, const uint8_t *rdata, size_t len)
{
	struct resolver_conf *o = b->out;
	struct rrset *rr = NULL;

	for (size_t i = 0; i < o->n_anchors && !rr; i++)
		if (o->anchors[i]->type == type && dname_equal(rrset_owner(o->anchors[i]), owner))
			rr = (struct rrset *)o->anchors[i];
	if (!rr && o->n_anchors == BUILD_ANCHORS_MAX)
		return ERR_LIMIT;
	if (!rr) {
		rr = rrset_init(build_take(b, BUILD_ANCHOR_SET_LEN), BUILD_ANCHOR_SET_LEN, owner,
			type, DNS_CLASS_IN, BUILD_ANCHOR_TTL);
		rr->rank = RRSET_RANK_LOCAL;
		rr->security = RRSET_SECURE;
		o->anchors[o->n_anchors++] = rr;
	}
	return rrset_add(rr, BUILD_ANCHOR_SET_LEN, rdata, len);
}

static int build_on_anchor(void *arg, unsigned line, const struct rrtext_rr *rr)
{
	(void)line;
	if (rr->type != DNS_TYPE_DS && rr->type != DNS_TYPE_DNSKEY)
		return 0;
	return build_anchor(arg, rr->owner, rr->type, rr->rdata, rr->rdlen);
}

static void build_anchor_file(struct build *b, const char *path, const void *where)
{
	struct zonefile_error e = {0};
	size_t before = b->out->n_anchors;
	int err = zonefile_read(path, NULL, BUILD_ANCHOR_TTL, build_on_anchor, b, &e);

	if (!err && b->out->n_anchors > before)
		return;
	if (!err && before > 0)
		return; /* it says what another file has said */
	config_report_add(b->rep, CONFIG_ERROR, config_where(b->c, where),
		"trust anchors %s, line %u: %s", path, e.line,
		err ? (e.why[0] ? e.why : err_text(err)) : "no DS or DNSKEY record in it");
	b->has_failed = true;
}

static void build_anchors(struct build *b)
{
	const struct config_dns *d = &b->c->dns;
	static const uint8_t root[] = {0};
	const uint8_t **negative = build_take(b, d->n_negative_trust_anchors * sizeof(*negative));

	b->out->anchors = build_take(b, BUILD_ANCHORS_MAX * sizeof(*b->out->anchors));
	for (size_t i = 0; i < d->n_trust_anchors; i++)
		build_anchor_file(b, d->trust_anchors[i], &d->trust_anchors);
	for (size_t i = 0; d->n_trust_anchors == 0 && i < ROOT_ANCHORS_COUNT; i++) {
		if (build_anchor(b, root, DNS_TYPE_DS, root_anchors_ds(i), ROOT_ANCHORS_LEN) != 0)
			abort(); /* a fixed table that fits */
	}
	for (size_t i = 0; i < d->n_negative_trust_anchors; i++)
		negative[i] = build_name(b, d->negative_trust_anchors[i]);
	b->out->negative = negative;
	b->out->n_negative = d->n_negative_trust_anchors;
	b->out->signature_skew_s = d->signature_skew_s;
}

static void build_free_owned(void *owned)
{
	struct build *b = owned;

	arena_free(b->arena);
	arena_pool_free(b->pool);
	xfree(b);
}

int build_resolver(const struct config *c, const struct build_host *h,
	const struct build_domains *domains, struct leasename *leases, uint32_t generation,
	struct config_report *rep, struct resolver_conf **out)
{
	struct build *b = xcalloc(1, sizeof(*b));

	*b = (struct build){.c = c, .host = h, .rep = rep};
	b->pool = arena_pool_new(65536, 0);
	b->arena = arena_new(b->pool, BUILD_ARENA_MAX);
	b->out = xcalloc(1, sizeof(*b->out));
	b->out->generation = generation;
	b->out->owned = b;
	b->out->free_owned = build_free_owned;
	build_switches(b->out, &c->dns);
	build_acl(b);
	build_forwards(b);
	build_own(b);
	build_rebind_allow(b);
	build_hints(b);
	build_anchors(b);
	if (build_zones(c, h, domains, leases, rep, &b->out->zones) != 0 || b->has_failed) {
		resolver_conf_free(b->out);
		return ERR_MALFORMED;
	}
	*out = b->out;
	return 0;
}
