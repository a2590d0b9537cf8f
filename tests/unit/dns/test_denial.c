/* SPDX-License-Identifier: Apache-2.0 */
/* Random small zones, of which we know everything: what the whole chain proves must be exactly what
 * is true, and what any part of it proves must be true. */
#include "dns/denial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wbuf.h"
#include "dns/dname.h"
#include "dns/dns_const.h"

#define ZONE	  ((const uint8_t *)"\1z")
#define NODES_MAX 10
#define CHAIN_MAX 40
#define NAMES_MAX 200
#define SEEDS	  150 /* zones; ten thousand were asked once */
#define RECORD	  256 /* octets of an RRset with one NSEC or NSEC3 */

enum {
	HAS_A = 1,
	HAS_MX = 2,
	HAS_CNAME = 4,
	HAS_NS = 8,
	HAS_DS = 16,
	HAS_DNAME = 32,
	HAS_SOA = 64,
};

static const struct {
	unsigned bit;
	uint16_t type;
} TYPES[] = {
	{HAS_A, DNS_TYPE_A},
	{HAS_NS, DNS_TYPE_NS},
	{HAS_CNAME, DNS_TYPE_CNAME},
	{HAS_SOA, DNS_TYPE_SOA},
	{HAS_MX, DNS_TYPE_MX},
	{HAS_DNAME, DNS_TYPE_DNAME},
	{HAS_DS, DNS_TYPE_DS},
};
#define TYPES_COUNT (sizeof(TYPES) / sizeof(TYPES[0]))

struct node {
	uint8_t name[DNAME_MAX];
	unsigned has; /* 0: an empty non-terminal */
};

struct model {
	struct node node[NODES_MAX]; /* the apex first */
	size_t n;
	bool is_opt_out;
	bool omits_empty; /* names above left-out delegations alone have no record either */
	size_t n_chain;
	_Alignas(8) uint8_t mem[CHAIN_MAX][RECORD];
	struct nsec nsec[CHAIN_MAX];
	struct nsec3 nsec3[CHAIN_MAX];
};

static struct model model;
static struct crypto *crypto;
static uint64_t seed;

static int make_crypto(void **state)
{
	(void)state;
	crypto = crypto_new();
	return crypto ? 0 : -1;
}

static int free_crypto(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

static unsigned roll(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* ---- what there is ---- */

/* One to three labels of a, b and * below the zone. */
static void random_name(uint8_t out[DNAME_MAX])
{
	static const char LETTERS[] = "ab*";
	size_t n = 0;

	for (unsigned labels = 1 + roll(3); labels > 0; labels--) {
		out[n++] = 1;
		out[n++] = (uint8_t)LETTERS[roll(3)];
	}
	memcpy(out + n, ZONE, 3);
}

static const struct node *find_node(const uint8_t *name)
{
	for (size_t i = 0; i < model.n; i++) {
		if (dname_equal(model.node[i].name, name))
			return &model.node[i];
	}
	return NULL;
}

/* A delegation or a DNAME strictly above name. */
static bool is_occluded(const uint8_t *name)
{
	for (size_t i = 1; i < model.n; i++) {
		if ((model.node[i].has & (HAS_NS | HAS_DNAME)) &&
			!dname_equal(model.node[i].name, name) &&
			dname_is_under(name, model.node[i].name))
			return true;
	}
	return false;
}

/* Something strictly beneath name. */
static bool is_ent(const uint8_t *name)
{
	for (size_t i = 0; i < model.n; i++) {
		if (!dname_equal(model.node[i].name, name) &&
			dname_is_under(model.node[i].name, name))
			return true;
	}
	return false;
}

static bool exists(const uint8_t *name)
{
	return find_node(name) || is_ent(name);
}

static void make_zone(void)
{
	static const unsigned KINDS[] = {HAS_A, HAS_MX, HAS_A | HAS_MX, HAS_CNAME, HAS_NS,
		HAS_NS | HAS_DS, HAS_DNAME, HAS_DNAME | HAS_A};
	unsigned wanted = 1 + roll(NODES_MAX - 1);

	model.n = 1;
	memcpy(model.node[0].name, ZONE, 3);
	model.node[0].has = HAS_SOA | HAS_NS;
	while (wanted-- > 1) {
		struct node *node = &model.node[model.n];

		random_name(node->name);
		if (find_node(node->name))
			continue;
		/* RFC 4592 4: no delegations and DNAMEs at wildcards */
		node->has = KINDS[roll(dname_is_wildcard(node->name) ? 4 : 8)];
		model.n++;
	}
	/* what lies beneath a cut is not in the zone's chain */
	for (size_t i = 1; i < model.n;) {
		if (is_occluded(model.node[i].name))
			model.node[i] = model.node[--model.n];
		else
			i++;
	}
}

/* ---- what is true ---- */

enum truth {
	ANSWER, /* or a CNAME, or a referral */
	NODATA,
	NXDOMAIN,
	SILENT /* the zone has no say */
};

static enum truth at_node(const struct node *node, uint16_t type)
{
	if (!node)
		return NODATA; /* empty */
	if ((node->has & HAS_NS) && !(node->has & HAS_SOA) && type != DNS_TYPE_DS)
		return SILENT;
	if ((node->has & HAS_SOA) && type == DNS_TYPE_DS)
		return SILENT;
	if (node->has & HAS_CNAME)
		return ANSWER;
	for (size_t i = 0; i < TYPES_COUNT; i++) {
		if (TYPES[i].type == type)
			return node->has & TYPES[i].bit ? ANSWER : NODATA;
	}
	return NODATA;
}

static enum truth truth(const uint8_t *name, uint16_t type)
{
	uint8_t wildcard[DNAME_MAX] = {1, '*'};
	const uint8_t *encloser = name;

	if (is_occluded(name))
		return SILENT;
	if (exists(name))
		return at_node(find_node(name), type);
	while (!exists(encloser))
		encloser = dname_strip(encloser, 1);
	dname_copy(encloser, wildcard + 2);
	return exists(wildcard) ? at_node(find_node(wildcard), type) : NXDOMAIN;
}

static enum nsec_verdict true_no_ds(const uint8_t *name)
{
	const struct node *node = find_node(name);

	if (is_occluded(name) || (node && (node->has & HAS_SOA)))
		return NSEC_UNPROVEN;
	if (!node || !(node->has & HAS_NS))
		return NSEC_NO_CUT;
	return node->has & HAS_DS ? NSEC_UNPROVEN : NSEC_PROVEN;
}

/* ---- the chains ---- */

static void put_types(struct wbuf *w, unsigned has, bool is_nsec)
{
	uint8_t bits[6] = {0};

	for (size_t i = 0; i < TYPES_COUNT; i++) {
		if (has & TYPES[i].bit)
			bits[TYPES[i].type / 8] |= (uint8_t)(0x80 >> TYPES[i].type % 8);
	}
	if (is_nsec)
		bits[DNS_TYPE_NSEC / 8] |= 0x80 >> DNS_TYPE_NSEC % 8;
	wbuf_put(w, "\0\6", 2);
	wbuf_put(w, bits, sizeof(bits));
}

static struct rrset *put_record(size_t i, const uint8_t *owner, uint16_t type, const struct wbuf *w)
{
	struct rrset *rr = rrset_init(model.mem[i], RECORD, owner, type, DNS_CLASS_IN, 60);

	assert_false(w->bad);
	assert_int_equal(rrset_add(rr, RECORD, w->base, w->len), 0);
	return rr;
}

static int by_name(const void *a, const void *b)
{
	return dname_compare(((const struct node *)a)->name, ((const struct node *)b)->name);
}

static void make_nsec(void)
{
	struct node sorted[NODES_MAX];
	uint8_t rdata[RECORD];

	memcpy(sorted, model.node, sizeof(sorted));
	qsort(sorted, model.n, sizeof(*sorted), by_name);
	model.n_chain = model.n;
	for (size_t i = 0; i < model.n; i++) {
		const uint8_t *next = sorted[(i + 1) % model.n].name, *owner = sorted[i].name;
		struct wbuf w = wbuf_of(rdata, sizeof(rdata));
		struct rrset *rr;

		wbuf_put(&w, next, dname_len(next));
		put_types(&w, sorted[i].has, true);
		rr = put_record(i, owner, DNS_TYPE_NSEC, &w);
		assert_int_equal(nsec_parse(rr, ZONE,
					 (uint8_t)(dname_labels(owner) - dname_is_wildcard(owner)),
					 &model.nsec[i]),
			0);
	}
}

struct hashed {
	uint8_t hash[NSEC3_HASH_LEN];
	unsigned has;
};

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, NSEC3_HASH_LEN);
}

static void hash_into(struct hashed *list, size_t *n, const uint8_t *name, unsigned has)
{
	assert_int_equal(
		crypto_nsec3(crypto, NULL, name, dname_len(name), NULL, 0, 0, list[*n].hash), 0);
	for (size_t i = 0; i < *n; i++) {
		if (memcmp(list[i].hash, list[*n].hash, NSEC3_HASH_LEN) == 0)
			return; /* there already */
	}
	list[(*n)++].has = has;
}

/* Left out of the chain by opt-out. */
static bool is_left_out(const struct node *node)
{
	return model.is_opt_out && (node->has & (HAS_NS | HAS_DS | HAS_SOA)) == HAS_NS;
}

static void make_nsec3(void)
{
	struct hashed list[CHAIN_MAX];
	uint8_t rdata[RECORD];
	size_t n = 0;

	for (size_t i = 0; i < model.n; i++) {
		if (!is_left_out(&model.node[i]))
			hash_into(list, &n, model.node[i].name, model.node[i].has);
	}
	for (size_t i = 1; i < model.n; i++) {
		const uint8_t *p = model.node[i].name;

		for (p = dname_strip(p, 1); dname_labels(p) > 1; p = dname_strip(p, 1)) {
			if (!(model.omits_empty && is_left_out(&model.node[i])) && !find_node(p))
				hash_into(list, &n, p, 0);
		}
	}
	qsort(list, n, sizeof(*list), by_hash);
	model.n_chain = n;
	for (size_t i = 0; i < n; i++) {
		uint8_t owner[DNAME_MAX] = {NSEC3_TEXT_LEN};
		struct wbuf w = wbuf_of(rdata, sizeof(rdata));

		nsec3_format_hash(list[i].hash, (char *)owner + 1);
		memcpy(owner + 1 + NSEC3_TEXT_LEN, ZONE, 3);
		wbuf_u8(&w, 1);
		wbuf_u8(&w, model.is_opt_out);
		wbuf_put(&w, "\0\0\0\x14", 4);
		wbuf_put(&w, list[(i + 1) % n].hash, NSEC3_HASH_LEN);
		put_types(&w, list[i].has, false);
		assert_int_equal(nsec3_parse(put_record(i, owner, DNS_TYPE_NSEC3, &w), ZONE, 2,
					 &model.nsec3[i]),
			0);
	}
}

/* ---- asking ---- */

/* NSEC or NSEC3 records, all or some. */
struct asked {
	bool is_nsec3, is_whole;
	struct nsec nsec[CHAIN_MAX];
	struct nsec3_set set;
	struct nsec3 nsec3[CHAIN_MAX];
	size_t n;
};

static void choose(struct asked *a, bool is_nsec3, bool is_whole)
{
	*a = (struct asked){.is_nsec3 = is_nsec3, .is_whole = is_whole};
	for (size_t i = 0; i < model.n_chain; i++) {
		if (!is_whole && roll(2))
			continue;
		if (is_nsec3)
			a->nsec3[a->n] = model.nsec3[i];
		else
			a->nsec[a->n] = model.nsec[i];
		a->n++;
	}
	a->set = (struct nsec3_set){crypto, NULL, ZONE, a->nsec3, a->n};
}

/* got must be want when the whole chain is there, and must never be a claim that is false. Opt-out
 * may leave open what is not there. */
static void judge(const struct asked *a, enum nsec_verdict got, enum nsec_verdict want,
	bool may_be_open, const char *what)
{
	if (got == want || (!a->is_whole && got == NSEC_UNPROVEN))
		return;
	/* an encloser without a record: a wildcard above it seems to reach further than it does */
	if (model.omits_empty && got == NSEC_UNPROVEN)
		return;
	if (may_be_open && got == NSEC_INSECURE)
		return;
	fail_msg("%s: %s instead of %s (nsec3 %d, whole %d, opt-out %d)", what,
		nsec_verdict_text(got), nsec_verdict_text(want), a->is_nsec3, a->is_whole,
		model.is_opt_out);
}

/* Can an opt-out record cover name or an ancestor of it? Not when its own record is there. */
static bool may_be_open(const struct asked *a, const uint8_t *name)
{
	const struct node *node = find_node(name);

	if (!a->is_nsec3 || !model.is_opt_out)
		return false;
	if (node)
		return is_left_out(node);
	for (size_t i = 0; i < model.n; i++) {
		if (!(model.omits_empty && is_left_out(&model.node[i])) &&
			dname_is_under(model.node[i].name, name))
			return false; /* an empty name with a record of its own */
	}
	return true;
}

static void ask_types(const struct asked *a, const uint8_t *name)
{
	static const uint16_t ASK[] = {DNS_TYPE_A, DNS_TYPE_MX, DNS_TYPE_TXT, DNS_TYPE_CNAME,
		DNS_TYPE_NS, DNS_TYPE_DS, DNS_TYPE_DNAME};

	for (size_t i = 0; i < sizeof(ASK) / sizeof(ASK[0]); i++) {
		enum nsec_verdict want =
			truth(name, ASK[i]) == NODATA ? NSEC_PROVEN : NSEC_UNPROVEN;

		judge(a,
			a->is_nsec3 ? nsec3_nodata(&a->set, name, ASK[i])
				    : nsec_nodata(a->nsec, a->n, name, ASK[i]),
			want, may_be_open(a, name), "nodata");
	}
}

static void ask_wildcards(const struct asked *a, const uint8_t *name)
{
	for (unsigned labels = 1; labels < dname_labels(name); labels++) {
		const uint8_t *closer = dname_suffix(name, labels + 1);
		bool is_there = exists(closer) || is_occluded(closer);

		judge(a,
			a->is_nsec3 ? nsec3_wildcard(&a->set, name, labels)
				    : nsec_wildcard(a->nsec, a->n, name, labels),
			is_there ? NSEC_UNPROVEN : NSEC_PROVEN, may_be_open(a, closer), "wildcard");
	}
}

/* NSEC3 hashes say nothing about what lies above the closer name: beneath a cut its next closer
 * name may be covered. Signatures settle that: nobody can sign a wildcard there. */
static bool is_wildcard_question_fair(const struct asked *a, const uint8_t *name)
{
	return !a->is_nsec3 || !is_occluded(name);
}

static void ask(const struct asked *a, const uint8_t *name)
{
	enum nsec_verdict want = truth(name, DNS_TYPE_A) == NXDOMAIN ? NSEC_PROVEN : NSEC_UNPROVEN;

	judge(a, a->is_nsec3 ? nsec3_nxdomain(&a->set, name) : nsec_nxdomain(a->nsec, a->n, name),
		want, may_be_open(a, name), "nxdomain");
	judge(a, a->is_nsec3 ? nsec3_no_ds(&a->set, name) : nsec_no_ds(a->nsec, a->n, name),
		true_no_ds(name), may_be_open(a, name), "no DS");
	ask_types(a, name);
	if (is_wildcard_question_fair(a, name))
		ask_wildcards(a, name);
}

static void ask_everything(bool is_nsec3)
{
	static struct asked whole, part;
	uint8_t name[DNAME_MAX];

	choose(&whole, is_nsec3, true);
	choose(&part, is_nsec3, false);
	for (unsigned i = 0; i < 30; i++) {
		random_name(name);
		ask(&whole, name);
		ask(&part, name);
	}
	ask(&whole, ZONE);
	ask(&part, ZONE);
}

static void nsec_proves_what_is_true_and_nothing_else(void **state)
{
	(void)state;
	for (seed = 1; seed < SEEDS * 5; seed++) {
		uint64_t own = seed;

		model.is_opt_out = model.omits_empty = false;
		make_zone();
		make_nsec();
		ask_everything(false);
		seed = own;
	}
}

static void nsec3_proves_what_is_true_and_nothing_else(void **state)
{
	(void)state;
	for (seed = 1; seed < SEEDS; seed++) {
		uint64_t own = seed;

		model.is_opt_out = model.omits_empty = false;
		make_zone();
		make_nsec3();
		ask_everything(true);
		seed = own;
	}
}

static void opt_out_leaves_open_only_what_may_be_a_delegation(void **state)
{
	(void)state;
	for (seed = 1; seed < SEEDS; seed++) {
		uint64_t own = seed;

		model.is_opt_out = true;
		model.omits_empty = own % 2;
		make_zone();
		make_nsec3();
		ask_everything(true);
		seed = own;
	}
}

/* ---- the set itself ---- */

static const struct rrset *record(size_t i)
{
	return (const struct rrset *)model.mem[i];
}

static uint8_t labels_of(const struct rrset *rr)
{
	return (uint8_t)(dname_labels(rrset_owner(rr)) - dname_is_wildcard(rrset_owner(rr)));
}

static void both_kinds_answer_the_same(void **state)
{
	struct denial d;

	(void)state;
	for (unsigned pass = 0; pass < 2; pass++) {
		seed = 7;
		model.is_opt_out = model.omits_empty = false;
		model.n = 2;
		memcpy(model.node[1].name, "\1a\1z", 5);
		model.node[1].has = HAS_NS;
		if (pass)
			make_nsec3();
		else
			make_nsec();
		denial_init(&d, ZONE, crypto, NULL);
		for (size_t i = 0; i < model.n_chain; i++)
			assert_int_equal(denial_add(&d, record(i), labels_of(record(i))), 0);
		assert_int_equal(d.n_nsec, pass ? 0 : 2);
		assert_int_equal(d.n_nsec3, pass ? 2 : 0);
		assert_int_equal(denial_nxdomain(&d, (const uint8_t *)"\1b\1z"), NSEC_PROVEN);
		assert_int_equal(denial_nodata(&d, ZONE, DNS_TYPE_MX), NSEC_PROVEN);
		assert_int_equal(denial_nodata(&d, ZONE, DNS_TYPE_SOA), NSEC_UNPROVEN);
		assert_int_equal(denial_wildcard(&d, (const uint8_t *)"\1b\1z", 1), NSEC_PROVEN);
		assert_int_equal(denial_no_ds(&d, (const uint8_t *)"\1a\1z"), NSEC_PROVEN);
		assert_int_equal(denial_no_ds(&d, (const uint8_t *)"\1b\1z"), NSEC_NO_CUT);
	}
}

static void an_empty_set_proves_nothing(void **state)
{
	struct denial d;

	(void)state;
	denial_init(&d, ZONE, crypto, NULL);
	assert_int_equal(denial_nxdomain(&d, (const uint8_t *)"\1b\1z"), NSEC_UNPROVEN);
	assert_int_equal(denial_nodata(&d, ZONE, DNS_TYPE_MX), NSEC_UNPROVEN);
	assert_int_equal(denial_wildcard(&d, (const uint8_t *)"\1b\1z", 1), NSEC_UNPROVEN);
	assert_int_equal(denial_no_ds(&d, (const uint8_t *)"\1b\1z"), NSEC_UNPROVEN);
}

static void a_set_takes_eight_and_only_what_is_sound(void **state)
{
	struct denial d;

	(void)state;
	model.n = 1;
	make_nsec();
	denial_init(&d, ZONE, crypto, NULL);
	assert_int_equal(denial_add(&d, record(0), 0), ERR_MALFORMED);
	assert_int_equal(d.n_nsec, 0);
	for (unsigned i = 0; i < DENIAL_MAX; i++)
		assert_int_equal(denial_add(&d, record(0), 1), 0);
	assert_int_equal(denial_add(&d, record(0), 1), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nsec_proves_what_is_true_and_nothing_else),
		cmocka_unit_test(nsec3_proves_what_is_true_and_nothing_else),
		cmocka_unit_test(opt_out_leaves_open_only_what_may_be_a_delegation),
		cmocka_unit_test(both_kinds_answer_the_same),
		cmocka_unit_test(an_empty_set_proves_nothing),
		cmocka_unit_test(a_set_takes_eight_and_only_what_is_sound),
	};

	return cmocka_run_group_tests(tests, make_crypto, free_crypto);
}
