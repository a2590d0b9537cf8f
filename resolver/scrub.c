/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/scrub.h"

#include <string.h>

#include "dns/dname.h"
#include "resolver/resolver_conf.h"
#include "resolver/resolver_limits.h"

/* RRsets of one section looked at. A server that sends more owners than this beside an answer is
 * padding; what matters stands first or is found by its name among these. */
#define SCRUB_SETS_MAX 64

struct scrub_section {
	size_t n;
	struct rrset *sets[SCRUB_SETS_MAX];
};

/* May this server speak for that owner? */
static bool scrub_is_ours(const struct scrub_in *in, const uint8_t *owner)
{
	if (!dname_is_under(owner, in->zone))
		return false;
	return in->conf->n_forwards == 0 || resolver_conf_forward(in->conf, owner) == in->governor;
}

static int scrub_section(
	const struct scrub_in *in, enum dns_section section, struct scrub_section *out)
{
	size_t n = 0;
	int err;

	out->n = 0;
	if (in->m->counts[1 + section] == 0)
		return 0;
	err = msg_parse_rrsets(in->m, section, in->arena, out->sets, SCRUB_SETS_MAX, &n);
	if (err != 0)
		return err;
	for (size_t i = 0; i < n; i++) {
		struct rrset *rr = out->sets[i];

		if (rr->class == DNS_CLASS_IN && scrub_is_ours(in, rrset_owner(rr)))
			out->sets[out->n++] = rr;
	}
	return 0;
}

static struct rrset *scrub_get(const struct scrub_section *s, const uint8_t *owner, uint16_t type)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->sets[i]->type == type && dname_equal(rrset_owner(s->sets[i]), owner))
			return s->sets[i];
	}
	return NULL;
}

/* The DNAME nearest above name. */
static struct rrset *scrub_dname(const struct scrub_section *s, const uint8_t *name)
{
	struct rrset *best = NULL;

	for (size_t i = 0; i < s->n; i++) {
		struct rrset *rr = s->sets[i];

		if (rr->type != DNS_TYPE_DNAME || !dname_is_under(name, rrset_owner(rr)) ||
			dname_equal(name, rrset_owner(rr)))
			continue;
		if (!best || rr->owner_len > best->owner_len)
			best = rr;
	}
	return best;
}

static bool scrub_add(struct scrub_out *out, struct rrset *rr)
{
	if (out->n_answer >= SCRUB_ANSWER_MAX)
		return false;
	out->answer[out->n_answer++] = rr;
	return true;
}

/* First rdata, the one name it is, in the arena and in lower case. NULL when the arena is full. */
static const uint8_t *scrub_target(const struct scrub_in *in, const struct rrset *rr)
{
	struct rrset_iter it = rrset_begin(rr);
	uint8_t *copy;

	if (!rrset_next(&it) || it.is_sig)
		return NULL;
	copy = arena_alloc(in->arena, it.len);
	if (copy)
		dname_copy_lower(it.rdata, copy);
	return copy;
}

int scrub_make_alias(
	struct arena *a, const struct rrset *dname, const uint8_t *name, struct rrset **out)
{
	struct rrset_iter it = rrset_begin(dname);
	size_t prefix_len = dname_len(name) - dname->owner_len, len;
	size_t cap = sizeof(struct rrset) + 2 * DNAME_MAX + 16;
	uint8_t joined[DNAME_MAX];
	struct rrset *cname;

	if (!rrset_next(&it) || it.is_sig || dname_join(name, prefix_len, it.rdata, joined, &len))
		return ERR_LIMIT;
	cname = arena_alloc(a, cap);
	if (!cname)
		return ERR_SPACE;
	cname = rrset_init(cname, cap, name, DNS_TYPE_CNAME, DNS_CLASS_IN, dname->ttl);
	if (!cname || rrset_add(cname, cap, joined, len) != 0)
		return ERR_SPACE;
	*out = cname;
	return 0;
}

/* The server's own CNAME, if it sent one, is not signed and says nothing else. */
static int scrub_apply_dname(const struct scrub_in *in, const struct rrset *dname,
	const uint8_t *name, struct scrub_out *out)
{
	struct rrset *cname;
	int err = scrub_make_alias(in->arena, dname, name, &cname);

	if (err == ERR_LIMIT) {
		out->is_too_long = true;
		return 0;
	}
	if (err != 0)
		return err;
	if (!scrub_add(out, cname))
		return ERR_LIMIT;
	out->target = scrub_target(in, cname);
	return out->target ? 0 : ERR_SPACE;
}

/* Everything at name, for ANY. */
static void scrub_any(const struct scrub_section *s, const uint8_t *name, struct scrub_out *out)
{
	for (size_t i = 0; i < s->n; i++) {
		if (dname_equal(rrset_owner(s->sets[i]), name) && scrub_add(out, s->sets[i]))
			out->has_answer = true;
	}
}

static bool scrub_was_target(const struct scrub_out *out, const uint8_t *name)
{
	for (unsigned i = 0; i < out->n_answer; i++) {
		if (out->answer[i]->type == DNS_TYPE_CNAME &&
			dname_equal(rrset_owner(out->answer[i]), name))
			return true;
	}
	return false;
}

/* One step along the chain. Returns 1 when there was one, 0 at its end, or an error. */
static int scrub_step(
	const struct scrub_in *in, const struct scrub_section *s, struct scrub_out *out)
{
	struct rrset *rr, *dname;
	int err;

	if (in->type == DNS_TYPE_ANY)
		scrub_any(s, out->target, out);
	else if ((rr = scrub_get(s, out->target, in->type)))
		out->has_answer = scrub_add(out, rr);
	if (out->has_answer)
		return 0;
	dname = scrub_dname(s, out->target);
	rr = scrub_get(s, out->target, DNS_TYPE_CNAME);
	if (!dname && !rr)
		return 0;
	if (!scrub_add(out, dname ? dname : rr))
		return ERR_LIMIT;
	if (dname) {
		err = scrub_apply_dname(in, dname, out->target, out);
		if (err != 0 || out->is_too_long)
			return err;
	} else {
		out->target = scrub_target(in, rr);
		if (!out->target)
			return ERR_SPACE;
	}
	out->n_chain++;
	out->is_loop = scrub_was_target(out, out->target);
	return out->is_loop ? 0 : 1;
}

static int scrub_answer(const struct scrub_in *in, struct scrub_out *out)
{
	struct scrub_section s;
	int err = scrub_section(in, DNS_SECTION_ANSWER, &s);

	if (err != 0)
		return err;
	while (s.n > 0 && out->n_chain <= RESOLVER_CHAIN_MAX) {
		err = scrub_step(in, &s, out);
		if (err <= 0)
			return err;
		/* What lies outside, or may be forged, is asked for by itself. */
		if (!in->is_tcp || !scrub_is_ours(in, out->target))
			return 0;
	}
	return 0;
}

static bool scrub_is_below(const uint8_t *name, const uint8_t *zone)
{
	return dname_is_under(name, zone) && !dname_equal(name, zone);
}

/* May the server speak for the end of the chain? It may lie in a forward zone, which this server
 * does not know; it is believed no further than the chain; and where we stopped in the middle its
 * words are not about our target. */
static bool scrub_has_end(const struct scrub_in *in, const struct scrub_out *out)
{
	if (out->n_chain == 0)
		return true;
	return in->is_tcp && !out->is_loop && out->n_chain < RESOLVER_CHAIN_MAX &&
	       scrub_is_ours(in, out->target);
}

static void scrub_take_authority(const struct scrub_in *in, struct rrset *rr, struct scrub_out *out)
{
	const uint8_t *owner = rrset_owner(rr);

	switch (rr->type) {
	case DNS_TYPE_SOA:
		if (!out->soa && dname_is_under(out->target, owner) && scrub_has_end(in, out))
			out->soa = rr;
		break;
	case DNS_TYPE_NS:
		/* Of two cuts the deeper one; there should be only one. */
		if (scrub_is_below(owner, in->zone) && dname_is_under(out->target, owner) &&
			(!out->ns || rr->owner_len > out->ns->owner_len))
			out->ns = rr;
		break;
	case DNS_TYPE_NSEC:
	case DNS_TYPE_NSEC3:
		if (out->n_proof < SCRUB_PROOF_MAX)
			out->proof[out->n_proof++] = rr;
		break;
	default:
		break;
	}
}

static bool scrub_has_type(const struct msg *m, enum dns_section section, uint16_t type)
{
	for (unsigned i = 0; i < m->n_rr; i++) {
		if (m->rr[i].section == section && m->rr[i].type == type)
			return true;
	}
	return false;
}

static int scrub_authority(const struct scrub_in *in, struct scrub_out *out)
{
	struct scrub_section s;
	int err = scrub_section(in, DNS_SECTION_AUTHORITY, &s);

	if (err != 0)
		return err;
	for (size_t i = 0; i < s.n; i++)
		scrub_take_authority(in, s.sets[i], out);
	if (out->ns)
		out->ds = scrub_get(&s, rrset_owner(out->ns), DNS_TYPE_DS);
	return 0;
}

static bool scrub_is_server(const struct rrset *ns, const uint8_t *name)
{
	struct rrset_iter it = rrset_begin(ns);

	while (rrset_next(&it) && !it.is_sig) {
		if (dname_equal(it.rdata, name))
			return true;
	}
	return false;
}

/* Addresses of the servers that ns names, in bailiwick of who gives them (or anywhere when glue is
 * not to be hardened). Trouble here costs the glue, not the reply. */
static void scrub_glue(const struct scrub_in *in, const struct rrset *ns, struct scrub_out *out)
{
	struct rrset *sets[SCRUB_SETS_MAX];
	size_t n = 0;

	if (in->m->counts[1 + DNS_SECTION_ADDITIONAL] == 0 ||
		msg_parse_rrsets(
			in->m, DNS_SECTION_ADDITIONAL, in->arena, sets, SCRUB_SETS_MAX, &n) != 0)
		return;
	for (size_t i = 0; i < n && out->n_glue < SCRUB_GLUE_MAX; i++) {
		struct rrset *rr = sets[i];

		if ((rr->type != DNS_TYPE_A && rr->type != DNS_TYPE_AAAA) ||
			rr->class != DNS_CLASS_IN || !scrub_is_server(ns, rrset_owner(rr)))
			continue;
		if (scrub_is_ours(in, rrset_owner(rr)) || !in->conf->harden_glue)
			out->glue[out->n_glue++] = rr;
	}
}

int scrub_reply(const struct scrub_in *in, struct scrub_out *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	out->target = in->name;
	err = scrub_answer(in, out);
	if (err != 0)
		return err;
	/* Beside a plain answer nothing else is needed but the proof of a wildcard. */
	if (out->has_answer && !in->is_priming &&
		!scrub_has_type(in->m, DNS_SECTION_AUTHORITY, DNS_TYPE_NSEC) &&
		!scrub_has_type(in->m, DNS_SECTION_AUTHORITY, DNS_TYPE_NSEC3))
		return 0;
	err = scrub_authority(in, out);
	if (err != 0)
		return err;
	if (out->has_answer && in->is_priming)
		scrub_glue(in, out->answer[out->n_answer - 1], out);
	else if (out->ns && !out->has_answer)
		scrub_glue(in, out->ns, out);
	return 0;
}
