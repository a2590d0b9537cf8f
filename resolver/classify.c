/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/classify.h"

#include "dns/dns_const.h"
#include "resolver/resolver_limits.h"

enum { CLASSIFY_RCODE_NOTAUTH = 9 };

const char *classify_name(enum classify_kind kind)
{
	static const char *const NAMES[CLASSIFY_KINDS] = {
		[CLASSIFY_READ] = "readable",
		[CLASSIFY_TRUNCATED] = "truncated",
		[CLASSIFY_NO_EDNS] = "no EDNS",
		[CLASSIFY_COOKIE] = "wants its cookie",
		[CLASSIFY_SERVFAIL] = "server failure",
		[CLASSIFY_REFUSED] = "refused",
		[CLASSIFY_BROKEN] = "broken",
		[CLASSIFY_LAME] = "lame",
		[CLASSIFY_RECURSIVE] = "not authoritative",
		[CLASSIFY_EMPTY] = "empty",
		[CLASSIFY_ANSWER] = "answer",
		[CLASSIFY_CHAIN] = "alias",
		[CLASSIFY_NODATA] = "no data",
		[CLASSIFY_NXDOMAIN] = "no such name",
		[CLASSIFY_REFERRAL] = "referral",
		[CLASSIFY_TOO_LONG] = "name too long",
	};

	return NAMES[kind];
}

enum classify_kind classify_header(const struct msg *m, bool had_edns, bool is_tcp)
{
	if (m->flags & DNS_FLAG_TC)
		return is_tcp ? CLASSIFY_BROKEN : CLASSIFY_TRUNCATED;
	switch (m->rcode) {
	case DNS_RCODE_NOERROR:
	case DNS_RCODE_NXDOMAIN:
		return CLASSIFY_READ;
	case DNS_RCODE_YXDOMAIN:
		return m->counts[1 + DNS_SECTION_ANSWER] ? CLASSIFY_READ : CLASSIFY_BROKEN;
	case DNS_RCODE_FORMERR:
	case DNS_RCODE_NOTIMP:
	case DNS_RCODE_BADVERS:
		return had_edns ? CLASSIFY_NO_EDNS : CLASSIFY_BROKEN;
	case DNS_RCODE_BADCOOKIE:
		return had_edns && m->edns.cookie_len > 8 ? CLASSIFY_COOKIE : CLASSIFY_BROKEN;
	case DNS_RCODE_SERVFAIL:
		return CLASSIFY_SERVFAIL;
	case DNS_RCODE_REFUSED:
	case CLASSIFY_RCODE_NOTAUTH:
		return CLASSIFY_REFUSED;
	default:
		return CLASSIFY_BROKEN;
	}
}

/* An authority that offers recursion and does not claim the answer took it from a cache. */
static bool classify_is_cached(const struct msg *m, bool may_recurse)
{
	return !may_recurse && !(m->flags & DNS_FLAG_AA) && m->flags & DNS_FLAG_RA;
}

/* The chain's end is not in the answer section. Did this server deny it, or stop there? It speaks
 * for the end when its SOA holds it. */
static enum classify_kind classify_chain(const struct msg *m, const struct scrub_out *s)
{
	if (!s->soa)
		return CLASSIFY_CHAIN;
	return m->rcode == DNS_RCODE_NXDOMAIN ? CLASSIFY_NXDOMAIN : CLASSIFY_NODATA;
}

/* NOERROR without answer or SOA. */
static enum classify_kind classify_nothing(
	const struct msg *m, const struct scrub_out *s, bool may_recurse)
{
	if (s->ns && !may_recurse)
		return CLASSIFY_REFERRAL;
	/* A denial by its proof alone; the validator will say what that is worth. */
	if (s->n_proof > 0)
		return CLASSIFY_NODATA;
	/* NS records that are no cut below here: an upward referral, or one from a forwarder. With
	 * AA it is NODATA of an older fashion (RFC 2308 2.2, type 2). */
	if (m->counts[1 + DNS_SECTION_AUTHORITY] > 0)
		return m->flags & DNS_FLAG_AA ? CLASSIFY_NODATA : CLASSIFY_LAME;
	return CLASSIFY_EMPTY;
}

enum classify_kind classify_content(
	const struct msg *m, const struct scrub_out *s, bool may_recurse)
{
	if (s->is_too_long)
		return CLASSIFY_TOO_LONG;
	if (m->rcode == DNS_RCODE_YXDOMAIN)
		return CLASSIFY_BROKEN;
	/* A referral may come from anybody; an answer or a denial must be the server's own. */
	if (classify_is_cached(m, may_recurse) && (s->n_answer > 0 || s->soa || !s->ns))
		return CLASSIFY_RECURSIVE;
	if (s->n_answer > 0)
		return s->has_answer ? CLASSIFY_ANSWER : classify_chain(m, s);
	if (m->rcode == DNS_RCODE_NXDOMAIN)
		return CLASSIFY_NXDOMAIN;
	return s->soa ? CLASSIFY_NODATA : classify_nothing(m, s, may_recurse);
}
