/* SPDX-License-Identifier: Apache-2.0 */
/* The order of judgement: who asks, is it a query at all, can it be understood, do we serve such
 * questions. What passes is looked up in the wire cache; only what is not there, or was judged
 * under an older configuration, reaches our own zones (whose names never enter the cache) and then
 * the resolver. */
#include "resolver/front.h"

#include <string.h>

#include "base/log.h"
#include "base/rcu.h"
#include "dns/dns_const.h"
#include "dns/msg_write.h"
#include "dns/rrtype.h"
#include "resolver/acl.h"
#include "resolver/cache.h"
#include "resolver/query.h"
#include "resolver/resolver_conf.h"
#include "resolver/stats.h"
#include "zones/zones.h"

#define TYPE_NXNAME 128	 /* RFC 9824 3.4: only ever in NSEC bitmaps */
#define ANY_TTL_S   3600 /* of the record that stands for ANY */

/* What front_stage found. */
enum front_step {
	STEP_DROP,  /* no answer */
	STEP_ERROR, /* answer s->rcode */
	STEP_ASK,   /* look it up; hash is set */
	STEP_ANY    /* our zones, else RFC 8482; never in the cache */
};

static const struct resolver_conf *conf_of(const struct resolver *r)
{
	return rcu_get(r->env.conf);
}

static bool is_allowed(const struct resolver_conf *conf, const struct client *c)
{
	if (c->kind == CLIENT_CALL)
		return true;
	/* Nobody listens on port 0; a reply there fails in the kernel and holds up its batch. */
	if (c->peer.port == 0)
		return false;
	return acl_allows(conf->acl, &c->peer.ip);
}

static void count_client(struct stats *stats, const struct client *c)
{
	static const enum stats_counter KIND[] = {
		[CLIENT_UDP] = STATS_UDP, [CLIENT_TCP] = STATS_TCP, [CLIENT_CALL] = STATS_CALLS};

	stats_add(stats, KIND[c->kind]);
}

/* The reply's shape; the cookie is not answered yet. */
static void shape(struct front_slot *s, const struct client *c)
{
	s->shape.query = s->wire;
	s->shape.question_len = s->msg.question_len;
	s->shape.id = s->msg.id;
	s->shape.flags = s->msg.flags;
	s->shape.is_tcp = c->kind != CLIENT_UDP;
	s->shape.has_edns = s->msg.edns.present;
	s->shape.is_do = s->msg.edns.is_do;
	s->shape.udp_size = s->msg.edns.udp_size;
	s->shape.cookie_len = 0;
}

static enum front_step refuse(struct front_slot *s, uint16_t rcode)
{
	s->rcode = rcode;
	return STEP_ERROR;
}

/* Types from 128 to 255, and OPT: questions about the protocol, not about names. */
static enum front_step judge_meta(struct front_slot *s)
{
	switch (s->msg.q.type) {
	case DNS_TYPE_ANY:
		return STEP_ANY;
	case DNS_TYPE_AXFR:
	case DNS_TYPE_IXFR:
		return refuse(s, DNS_RCODE_REFUSED);
	case 0: /* reserved, RFC 6895 3.1 */
	case TYPE_NXNAME:
		return refuse(s, DNS_RCODE_FORMERR);
	default: /* OPT, TSIG, TKEY, MAILA, MAILB and whatever comes */
		return refuse(s, DNS_RCODE_NOTIMP);
	}
}

static enum front_step judge(struct front_slot *s, int parse_err)
{
	const struct msg_query *m = &s->msg;

	if (parse_err != 0)
		return refuse(s, DNS_RCODE_FORMERR);
	if (m->opcode != DNS_OPCODE_QUERY)
		return refuse(s, DNS_RCODE_NOTIMP);
	if (m->edns.version > 0)
		return refuse(s, DNS_RCODE_BADVERS);
	if (m->edns.cookie_malformed) /* RFC 7873 5.2.2 */
		return refuse(s, DNS_RCODE_FORMERR);
	/* CH names such as version.bind tell an attacker what to look up, and a user nothing that
	 * `lanthorn status` does not. */
	if (m->q.class != DNS_CLASS_IN)
		return refuse(s, DNS_RCODE_REFUSED);
	if (m->q.type == 0 || rrtype_is_meta(m->q.type))
		return judge_meta(s);
	return STEP_ASK;
}

static struct cache_question question_of(const struct front_slot *s)
{
	return (struct cache_question){
		.name = s->msg.q.name,
		.name_len = s->msg.q.name_len,
		.is_do = s->msg.edns.is_do,
		.is_cd = s->msg.flags & DNS_FLAG_CD,
		.type = s->msg.q.type,
		.class = s->msg.q.class,
		.hash = s->hash,
	};
}

void front_stage(struct resolver *r, struct front_slot *s, const uint8_t *wire, size_t len,
	const struct client *c)
{
	struct cache_question q;
	int err;

	s->wire = wire;
	s->len = len;
	s->step = STEP_DROP;
	if (!is_allowed(conf_of(r), c)) {
		stats_add(r->env.stats, STATS_DENIED);
		return;
	}
	err = msg_parse_query(wire, len, &s->msg);
	if (err == ERR_TRUNC) {
		stats_add(r->env.stats, STATS_GARBAGE);
		return;
	}
	count_client(r->env.stats, c);
	shape(s, c);
	s->step = (uint8_t)judge(s, err);
	if (s->step != STEP_ASK)
		return;
	q = question_of(s);
	s->hash = cache_hash(r->env.cache, &q);
	cache_prefetch(r->env.cache, s->hash);
}

void front_reach(struct resolver *r, const struct front_slot *s)
{
	if (s->step == STEP_ASK)
		cache_reach(r->env.cache, s->hash);
}

/* ---- answers ---- */

/* What an answer needs to know while it is made. */
struct reply {
	struct resolver *r;
	const struct resolver_conf *conf;
	const struct front_slot *s;
	const struct client *c;
	uint8_t *out;
	size_t cap;
	size_t *out_len;
};

static enum front_verdict send_error(const struct reply *y, uint16_t rcode, int ede)
{
	*y->out_len = answer_error(&y->s->shape, rcode, ede, y->conf->edns_size, y->out, y->cap);
	return FRONT_SEND;
}

static enum front_verdict send_blob(
	const struct reply *y, const struct answer_blob *blob, uint32_t age_s)
{
	*y->out_len = answer_patch(blob, &y->s->shape, age_s, y->conf->edns_size, y->out, y->cap);
	if (y->out[2] & DNS_FLAG_TC >> 8)
		stats_add(y->r->env.stats, STATS_TRUNCATED);
	return FRONT_SEND;
}

static enum front_verdict send_step_error(const struct reply *y)
{
	struct stats *stats = y->r->env.stats;

	switch (y->s->rcode) {
	case DNS_RCODE_FORMERR:
		stats_add(stats, STATS_FORMERR);
		break;
	case DNS_RCODE_NOTIMP:
		stats_add(stats, STATS_NOTIMP);
		break;
	case DNS_RCODE_BADVERS:
		stats_add(stats, STATS_BADVERS);
		break;
	default:
		stats_add(stats, STATS_REFUSED);
		break;
	}
	return send_error(y, y->s->rcode, DNS_EDE_NONE);
}

/* Starts a message in the reply buffer, no larger than this client takes. */
static void local_begin(const struct reply *y, struct msg_writer *w)
{
	size_t limit = answer_limit(&y->s->shape, y->conf->edns_size);

	msg_write_begin(w, y->out, limit < y->cap ? limit : y->cap, 0, 0, &y->s->msg.q);
}

static enum front_verdict local_end(
	const struct reply *y, struct msg_writer *w, int err, uint16_t rcode, bool is_aa, int ede)
{
	struct answer_blob blob = {
		.len = (uint16_t)msg_write_end(w),
		.rcode = rcode,
		.question_len = y->s->msg.question_len,
		.is_aa = is_aa,
		.ede = (int16_t)ede,
		.wire = y->out,
	};

	if (err == 0)
		return send_blob(y, &blob, 0);
	stats_add(y->r->env.stats, STATS_TRUNCATED);
	*y->out_len =
		answer_cut(&y->s->shape, rcode, is_aa, ede, y->conf->edns_size, y->out, y->cap);
	return FRONT_SEND;
}

static enum front_verdict send_local(const struct reply *y, const struct zones_answer *a)
{
	struct msg_writer w;
	int err = 0;

	stats_add(y->r->env.stats, STATS_LOCAL);
	local_begin(y, &w);
	for (unsigned i = 0; i < a->n_answer && err == 0; i++)
		err = msg_write_rrset(
			&w, DNS_SECTION_ANSWER, a->answer[i], a->answer[i]->ttl, false);
	for (unsigned i = 0; i < a->n_authority && err == 0; i++)
		err = msg_write_rrset(
			&w, DNS_SECTION_AUTHORITY, a->authority[i], a->authority[i]->ttl, false);
	return local_end(y, &w, err, a->rcode, a->is_aa, a->ede);
}

/* RFC 8482 4.2: one HINFO for all there may be. In a laboratory without minimal responses ANY is
 * asked for instead, like any other type. */
static enum front_verdict send_any(const struct reply *y)
{
	static const uint8_t HINFO[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
	struct msg_writer w;
	int err;

	stats_add(y->r->env.stats, STATS_ANY);
	local_begin(y, &w);
	err = msg_write_rr(&w, DNS_SECTION_ANSWER, y->s->msg.q.name, DNS_TYPE_HINFO, DNS_CLASS_IN,
		ANY_TTL_S, HINFO, sizeof(HINFO));
	return local_end(y, &w, err, DNS_RCODE_NOERROR, false, DNS_EDE_NONE);
}

/* ---- beyond the cache ---- */

static enum front_verdict ask(const struct reply *y, const struct zones_answer *cname)
{
	struct query_ask ask = {.msg = &y->s->msg, .shape = &y->s->shape, .client = y->c};

	if (cname) {
		ask.prefix = cname->answer;
		ask.n_prefix = cname->n_answer;
		ask.target = cname->target;
	}
	stats_add(y->r->env.stats, STATS_MISSES);
	query_start(y->r, &ask);
	return FRONT_LATER;
}

/* Without RD only what is at hand is given: the cache and our own zones. Clients on the access list
 * may see what is cached (`dig +norecurse` is how people look), so this gives nothing away; but
 * to go and ask is what they did not ask for. */
static enum front_verdict refuse_norecurse(const struct reply *y)
{
	stats_add(y->r->env.stats, STATS_NORECURSE);
	return send_error(y, DNS_RCODE_REFUSED, DNS_EDE_NONE);
}

/* Our own zones' word on the question. ZONES_RESOLVE: none. */
static enum front_verdict local_or_ask(
	const struct reply *y, enum zones_verdict verdict, const struct zones_answer *a)
{
	bool is_recursive = y->s->msg.flags & DNS_FLAG_RD;

	switch (verdict) {
	case ZONES_ANSWER:
		return send_local(y, a);
	case ZONES_CNAME:
		return is_recursive ? ask(y, a) : send_local(y, a);
	case ZONES_DROP:
		stats_add(y->r->env.stats, STATS_LOCAL_DROP);
		return FRONT_DROP;
	case ZONES_REFUSE:
		stats_add(y->r->env.stats, STATS_REFUSED);
		return send_error(y, DNS_RCODE_REFUSED, a->ede);
	case ZONES_RESOLVE:
		break;
	}
	if (y->s->step == STEP_ANY && y->conf->minimal_responses)
		return send_any(y);
	return is_recursive ? ask(y, NULL) : refuse_norecurse(y);
}

/* Not in the cache, or there under an older judgement: then blob is what it says. */
static __attribute__((noinline)) enum front_verdict decide(
	const struct reply *y, const struct answer_blob *blob, uint32_t age_s)
{
	_Alignas(16) uint8_t mem[ZONES_BLOCK_LEN];
	struct zones_answer a = {.ede = DNS_EDE_NONE};
	enum zones_verdict verdict = ZONES_RESOLVE;
	struct cache_question q;

	if (y->conf->zones)
		verdict = zones_decide(y->conf->zones, &y->s->msg.q, &y->c->peer.ip,
			y->r->env.wall_s(y->r->env.clock_arg), mem, sizeof(mem), y->c->trace, &a);
	/* A failure of before may be over now that the network or the configuration changed. */
	if (blob == NULL || verdict != ZONES_RESOLVE || blob->rcode == DNS_RCODE_SERVFAIL ||
		blob->ede == DNS_EDE_STALE)
		return local_or_ask(y, verdict, &a);
	q = question_of(y->s);
	cache_restamp(y->r->env.cache, &q, y->conf->generation);
	stats_add(y->r->env.stats, STATS_REJUDGED);
	return send_blob(y, blob, age_s);
}

/* The answer stays good while a fresh one is fetched for those who come after it has expired. */
static __attribute__((noinline)) void refresh(const struct reply *y)
{
	struct client nobody = {.kind = CLIENT_CALL};
	struct query_ask ask = {
		.msg = &y->s->msg, .shape = &y->s->shape, .client = &nobody, .is_prefetch = true};

	if (!y->conf->prefetch)
		return;
	stats_add(y->r->env.stats, STATS_PREFETCH);
	query_start(y->r, &ask);
}

static __attribute__((noinline)) void log_query(const struct reply *y)
{
	char name[DNAME_TEXT_MAX], type[16], peer[IP_TEXT_LEN];

	if (!y->s->msg.has_question)
		return;
	log_info(RESOLVER_QUERY, "%s asks %s %s", ip_format(&y->c->peer.ip, peer),
		dname_format(y->s->msg.q.name, name), rrtype_name(y->s->msg.q.type, type));
}

enum front_verdict front_answer(struct resolver *r, struct front_slot *s, const struct client *c,
	uint8_t *out, size_t cap, size_t *out_len)
{
	struct reply y = {r, conf_of(r), s, c, out, cap, out_len};
	struct answer_blob blob;
	struct cache_question q;
	uint32_t age_s;
	size_t limit;

	if (s->step == STEP_DROP)
		return FRONT_DROP;
	if (y.conf->log_queries)
		log_query(&y);
	if (s->step == STEP_ERROR)
		return send_step_error(&y);
	if (s->step == STEP_ANY)
		return decide(&y, NULL, 0);
	limit = answer_limit(&s->shape, y.conf->edns_size);
	q = question_of(s);
	switch (cache_find(r->env.cache, &q, y.conf->generation, resolver_now_ms(r), out,
		limit < cap ? limit : cap, &blob, &age_s)) {
	case CACHE_MISS:
		return decide(&y, NULL, 0);
	case CACHE_OLD_POLICY:
		return decide(&y, &blob, age_s);
	case CACHE_HIT_REFRESH:
		refresh(&y);
		break;
	case CACHE_HIT:
		break;
	}
	stats_add(r->env.stats, STATS_HITS);
	return send_blob(&y, &blob, age_s);
}

enum front_verdict front_one(struct resolver *r, const uint8_t *wire, size_t len,
	const struct client *c, uint8_t *out, size_t cap, size_t *out_len)
{
	struct front_slot s;

	front_stage(r, &s, wire, len, c);
	return front_answer(r, &s, c, out, cap, out_len);
}
