/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/nsec3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wbuf.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "unit/dns/fake_zone.h"

#define RECORDS_MAX 64

/* The zone of RFC 5155 A: every record of its chain, parsed. */
struct chain {
	struct fake_zone *zone;
	struct nsec3 rr[RECORDS_MAX];
	size_t n;
};

static struct chain plain, opt_out;
static struct crypto *crypto;

static void open_chain(struct chain *c, const char *file)
{
	struct rrset *rr;

	c->zone = fake_zone_open(file);
	c->n = 0;
	for (size_t i = 0; (rr = fake_zone_at(c->zone, i)); i++) {
		if (rr->type != DNS_TYPE_NSEC3)
			continue;
		assert_int_equal(nsec3_parse(rr, fake_name("example"), 2, &c->rr[c->n]), 0);
		c->n++;
	}
	assert_true(c->n > 5);
}

static int open_all(void **state)
{
	(void)state;
	crypto = crypto_new();
	open_chain(&plain, "nsec3.zone");
	open_chain(&opt_out, "optout.zone");
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	fake_zone_close(plain.zone);
	fake_zone_close(opt_out.zone);
	crypto_free(crypto);
	return 0;
}

/* A set of records: "=name" the one that matches name, "~name" the one that covers it. */
struct picked {
	struct nsec3 rr[RECORDS_MAX];
	struct nsec3_set set;
};

static struct nsec3_set *pick(struct picked *p, const struct chain *c, const char *what)
{
	char word[300];
	size_t n = 0;
	int len;

	for (; sscanf(what, "%290s%n", word, &len) == 1; what += len) {
		uint8_t hash[NSEC3_HASH_LEN];
		size_t i = 0;

		strcat(word, strcmp(word + 1, "@") == 0 ? "" : ".example");
		assert_int_equal(nsec3_hash(crypto, NULL, &c->rr[0],
					 fake_name(word[1] == '@' ? "example" : word + 1), hash),
			0);
		while (i < c->n && !(word[0] == '=' ? memcmp(c->rr[i].owner, hash, 20) == 0
						    : nsec3_covers(&c->rr[i], hash)))
			i++;
		if (i == c->n)
			fail_msg("nothing for %s", word);
		p->rr[n++] = c->rr[i];
	}
	p->set = (struct nsec3_set){crypto, NULL, (const uint8_t *)"\7example", p->rr, n};
	return &p->set;
}

static struct nsec3_set *all(struct picked *p, const struct chain *c)
{
	memcpy(p->rr, c->rr, sizeof(p->rr));
	p->set = (struct nsec3_set){crypto, NULL, (const uint8_t *)"\7example", p->rr, c->n};
	return &p->set;
}

static enum nsec_verdict nxdomain(const struct chain *c, const char *name, const char *what)
{
	struct picked p;

	return nsec3_nxdomain(what ? pick(&p, c, what) : all(&p, c), fake_name(name));
}

static enum nsec_verdict nodata(
	const struct chain *c, const char *name, uint16_t type, const char *what)
{
	struct picked p;

	return nsec3_nodata(what ? pick(&p, c, what) : all(&p, c), fake_name(name), type);
}

static enum nsec_verdict wildcard(
	const struct chain *c, const char *name, unsigned labels, const char *what)
{
	struct picked p;

	return nsec3_wildcard(what ? pick(&p, c, what) : all(&p, c), fake_name(name), labels);
}

static enum nsec_verdict no_ds(const struct chain *c, const char *name, const char *what)
{
	struct picked p;

	return nsec3_no_ds(what ? pick(&p, c, what) : all(&p, c), fake_name(name));
}

/* ---- hashes ---- */

static void hashes_are_those_of_rfc_5155(void **state)
{
	static const char *const KNOWN[][2] = {
		{"example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
		{"a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
		{"ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"},
		{"ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
		{"ns2.example", "q04jkcevqvmu85r014c7dkba38o0ji5r"},
		{"w.example", "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
		{"*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
		{"x.w.example", "b4um86eghhds6nea196smvmlo4ors995"},
		{"y.w.example", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"},
		{"x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"},
		{"xx.example", "t644ebqk9bibcna874givr6joj62mlhv"},
		{"X.Y.W.EXAMPLE", "2vptu5timamqttgl4luu9kg21e0aor3s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		uint8_t hash[NSEC3_HASH_LEN], back[NSEC3_HASH_LEN];
		char text[NSEC3_TEXT_LEN + 1] = "";

		assert_int_equal(
			nsec3_hash(crypto, NULL, &plain.rr[0], fake_name(KNOWN[i][0]), hash), 0);
		nsec3_format_hash(hash, text);
		assert_string_equal(text, KNOWN[i][1]);
		for (char *s = text; i % 2 && *s; s++)
			*s = (char)(*s >= 'a' ? *s - 32 : *s);
		assert_int_equal(nsec3_read_hash(text, back), 0);
		assert_memory_equal(back, hash, sizeof(hash));
	}
}

static void letters_beyond_v_are_no_base32hex(void **state)
{
	char text[NSEC3_TEXT_LEN + 1] = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom";
	uint8_t hash[NSEC3_HASH_LEN];

	(void)state;
	for (int c = 0; c < 256; c++) {
		bool is_good =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'v') || (c >= 'A' && c <= 'V');

		text[31] = (char)c;
		assert_int_equal(nsec3_read_hash(text, hash), is_good ? 0 : ERR_MALFORMED);
	}
}

/* ---- RFC 5155 appendix B ---- */

static void a_name_error_needs_encloser_next_closer_and_wildcard(void **state)
{
	const char *name = "a.c.x.w.example";

	(void)state;
	assert_int_equal(nxdomain(&plain, name, "=x.w ~c.x.w ~*.x.w"), NSEC_PROVEN);
	assert_int_equal(nxdomain(&plain, "A.C.x.w.EXAMPLE", "=x.w ~c.x.w ~*.x.w"), NSEC_PROVEN);
	assert_int_equal(nxdomain(&plain, name, "=x.w ~c.x.w"), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, name, "=x.w ~*.x.w"), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, name, "~c.x.w ~*.x.w"), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, name, ""), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, name, NULL), NSEC_PROVEN);
	/* RFC 5155 9.2: with opt-out it is no secret that there may be a delegation */
	assert_int_equal(nxdomain(&opt_out, name, "=x.w ~c.x.w ~*.x.w"), NSEC_INSECURE);
	assert_int_equal(nxdomain(&opt_out, name, "=x.w ~c.x.w"), NSEC_UNPROVEN);
}

static void a_name_that_is_there_is_no_name_error(void **state)
{
	(void)state;
	assert_int_equal(nxdomain(&plain, "ai.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, "example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, "y.w.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, "a.z.w.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&opt_out, "a.z.w.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, "other", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, ".", NULL), NSEC_UNPROVEN);
}

static void no_data_is_said_by_the_name_s_own_record(void **state)
{
	(void)state;
	assert_int_equal(nodata(&opt_out, "ns1.example", DNS_TYPE_MX, "=ns1"), NSEC_PROVEN);
	assert_int_equal(nodata(&plain, "ns1.example", DNS_TYPE_A, "=ns1"), NSEC_UNPROVEN);
	assert_int_equal(nodata(&opt_out, "y.w.example", DNS_TYPE_A, "=y.w"), NSEC_PROVEN);
	assert_int_equal(nodata(&plain, "y.w.example", DNS_TYPE_ANY, "=y.w"), NSEC_PROVEN);
	assert_int_equal(nodata(&plain, "alias.example", DNS_TYPE_MX, "=alias"), NSEC_UNPROVEN);
	assert_int_equal(nodata(&plain, "a.example", DNS_TYPE_A, NULL), NSEC_UNPROVEN); /* a cut */
	assert_int_equal(nodata(&plain, "a.example", DNS_TYPE_DS, NULL), NSEC_UNPROVEN);
	assert_int_equal(nodata(&plain, "c.example", DNS_TYPE_DS, "=c"), NSEC_PROVEN);
	/* B.6: the child's own record knows nothing of DS */
	assert_int_equal(nodata(&plain, "example", DNS_TYPE_DS, "=@"), NSEC_UNPROVEN);
	assert_int_equal(nodata(&plain, "ml.example", DNS_TYPE_A, NULL), NSEC_UNPROVEN);
}

static void an_unsigned_delegation_is_proven_or_opted_out(void **state)
{
	(void)state;
	assert_int_equal(no_ds(&plain, "c.example", "=c"), NSEC_PROVEN);
	assert_int_equal(no_ds(&plain, "a.example", "=a"), NSEC_UNPROVEN);
	assert_int_equal(no_ds(&plain, "ns1.example", "=ns1"), NSEC_NO_CUT);
	assert_int_equal(no_ds(&plain, "ml.example", "=@ ~ml"), NSEC_NO_CUT);
	assert_int_equal(no_ds(&plain, "example", "=@"), NSEC_UNPROVEN);
	/* B.3 */
	assert_int_equal(no_ds(&opt_out, "c.example", "=@ ~c"), NSEC_INSECURE);
	assert_int_equal(no_ds(&opt_out, "c.example", "~c"), NSEC_UNPROVEN);
	assert_int_equal(no_ds(&opt_out, "c.example", "=@"), NSEC_UNPROVEN);
	assert_int_equal(nodata(&opt_out, "c.example", DNS_TYPE_DS, "=@ ~c"), NSEC_INSECURE);
	assert_int_equal(no_ds(&opt_out, "a.example", NULL), NSEC_UNPROVEN);
}

static void a_wildcard_s_answer_needs_the_next_closer_name_denied(void **state)
{
	(void)state;
	/* B.4 */
	assert_int_equal(wildcard(&plain, "a.z.w.example", 2, "~z.w"), NSEC_PROVEN);
	assert_int_equal(wildcard(&opt_out, "a.z.w.example", 2, "~z.w"), NSEC_INSECURE);
	assert_int_equal(wildcard(&plain, "a.z.w.example", 2, "=w"), NSEC_UNPROVEN);
	assert_int_equal(wildcard(&plain, "a.y.w.example", 2, NULL), NSEC_UNPROVEN);
	assert_int_equal(wildcard(&plain, "a.z.w.example", 0, NULL), NSEC_UNPROVEN);
	assert_int_equal(wildcard(&plain, "a.z.w.example", 4, NULL), NSEC_UNPROVEN);
	assert_int_equal(wildcard(&plain, "a.z.w.example", 255, NULL), NSEC_UNPROVEN);
	assert_int_equal(wildcard(&plain, "a.z.w.other", 2, NULL), NSEC_UNPROVEN);
}

static void a_wildcard_above_the_zone_is_not_denied_by_it(void **state)
{
	struct picked p;

	/* one record that covers every hash but its own */
	(void)state;
	all(&p, &plain);
	p.set.n = 1;
	p.rr[0].next = p.rr[0].owner;
	p.set.zone = fake_name("sub.example");
	assert_int_equal(nsec3_wildcard(&p.set, fake_name("a.sub.example"), 2), NSEC_PROVEN);
	assert_int_equal(nsec3_wildcard(&p.set, fake_name("a.sub.example"), 1), NSEC_UNPROVEN);
	assert_int_equal(nsec3_wildcard(&p.set, fake_name("a.sub.example"), 0), NSEC_UNPROVEN);
}

static void no_data_of_a_wildcard_needs_all_three(void **state)
{
	(void)state;
	/* B.5 */
	assert_int_equal(
		nodata(&plain, "a.z.w.example", DNS_TYPE_AAAA, "=w ~z.w =*.w"), NSEC_PROVEN);
	assert_int_equal(
		nodata(&opt_out, "a.z.w.example", DNS_TYPE_AAAA, "=w ~z.w =*.w"), NSEC_INSECURE);
	assert_int_equal(
		nodata(&plain, "a.z.w.example", DNS_TYPE_MX, "=w ~z.w =*.w"), NSEC_UNPROVEN);
	assert_int_equal(
		nodata(&opt_out, "a.z.w.example", DNS_TYPE_MX, "=w ~z.w =*.w"), NSEC_UNPROVEN);
	assert_int_equal(nodata(&plain, "a.z.w.example", DNS_TYPE_AAAA, "=w =*.w"), NSEC_UNPROVEN);
	assert_int_equal(nodata(&plain, "a.z.w.example", DNS_TYPE_AAAA, "=w ~z.w"), NSEC_UNPROVEN);
	assert_int_equal(
		nodata(&plain, "a.z.w.example", DNS_TYPE_AAAA, "~z.w =*.w"), NSEC_UNPROVEN);
	assert_int_equal(nodata(&plain, "q.cw.example", DNS_TYPE_MX, NULL), NSEC_UNPROVEN);
}

static void nothing_is_said_beneath_a_cut_or_a_dname(void **state)
{
	(void)state;
	assert_int_equal(nxdomain(&plain, "www.a.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, "www.c.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&opt_out, "www.a.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nodata(&plain, "www.a.example", DNS_TYPE_A, NULL), NSEC_UNPROVEN);
	assert_int_equal(no_ds(&plain, "www.a.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(&plain, "q.tree.example", NULL), NSEC_UNPROVEN);
	assert_int_equal(nodata(&plain, "q.tree.example", DNS_TYPE_A, NULL), NSEC_UNPROVEN);
}

/* ---- work ---- */

static int take(void *arg, enum crypto_cost cost)
{
	unsigned *left = arg;

	assert_int_equal(cost, CRYPTO_COST_HASH);
	if (*left == 0)
		return ERR_LIMIT;
	(*left)--;
	return 0;
}

static enum nsec_verdict ask(const struct nsec3_set *set, unsigned question, const uint8_t *name)
{
	switch (question) {
	case 0:
		return nsec3_nxdomain(set, name);
	case 1:
		return nsec3_nodata(set, name, DNS_TYPE_A);
	case 2:
		return nsec3_nodata(set, name, DNS_TYPE_DS);
	case 3:
		return nsec3_wildcard(set, name, 1);
	default:
		return nsec3_no_ds(set, name);
	}
}

/* B8 */
static void too_many_iterations_are_insecure_without_a_hash(void **state)
{
	static const uint16_t ITERATIONS[] = {51, 150, 65535};
	struct picked p;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (unsigned q = 0; q < 5; q++) {
			uint64_t before = crypto_counts(crypto).hashes;

			all(&p, &plain);
			for (size_t k = 0; k < p.set.n; k++)
				p.rr[k].iterations = ITERATIONS[i];
			assert_int_equal(
				ask(&p.set, q, fake_name("a.c.x.w.example")), NSEC_INSECURE);
			assert_int_equal(crypto_counts(crypto).hashes, before);
			/* not for names of other zones */
			assert_int_equal(ask(&p.set, q, fake_name("other")), NSEC_UNPROVEN);
		}
	}
	all(&p, &plain);
	for (size_t k = 0; k < p.set.n; k++)
		p.rr[k].iterations = NSEC3_ITERATIONS_MAX;
	assert_int_equal(ask(&p.set, 0, fake_name("a.c.x.w.example")), NSEC_UNPROVEN);
}

/* Without a hash it is still known what a record can be. */
static void too_many_iterations_do_not_make_anything_go(void **state)
{
	uint8_t near[NSEC3_HASH_LEN], next[2][NSEC3_HASH_LEN];
	struct picked p;

	(void)state;
	/* the apex alone, with next to nothing covered: no delegation, no name is denied by it */
	pick(&p, &plain, "=@");
	p.rr[0].iterations = 123;
	memcpy(near, p.rr[0].owner, sizeof(near));
	near[12]++;
	p.rr[0].next = near;
	assert_int_equal(nsec3_no_ds(&p.set, fake_name("a.example")), NSEC_UNPROVEN);
	assert_int_equal(nsec3_nxdomain(&p.set, fake_name("ml.example")), NSEC_UNPROVEN);
	assert_int_equal(nsec3_nodata(&p.set, fake_name("ai.example"), DNS_TYPE_A), NSEC_UNPROVEN);
	assert_int_equal(nsec3_nodata(&p.set, fake_name("example"), DNS_TYPE_A), NSEC_INSECURE);
	assert_int_equal(nsec3_nodata(&p.set, fake_name("example"), DNS_TYPE_NS), NSEC_UNPROVEN);
	/* with all that lies behind it, or with another one beside it, it may */
	near[7]++;
	assert_int_equal(nsec3_no_ds(&p.set, fake_name("a.example")), NSEC_INSECURE);
	p.rr[0].next = p.rr[0].owner;
	assert_int_equal(nsec3_nxdomain(&p.set, fake_name("ml.example")), NSEC_INSECURE);
	pick(&p, &plain, "=@ =a");
	p.rr[0].iterations = p.rr[1].iterations = 123;
	assert_int_equal(nsec3_nxdomain(&p.set, fake_name("ml.example")), NSEC_INSECURE);
	for (unsigned i = 0; i < 2; i++) {
		memcpy(next[i], p.rr[i].owner, sizeof(near));
		next[i][12]++;
		p.rr[i].next = next[i];
	}
	assert_int_equal(nsec3_nxdomain(&p.set, fake_name("ml.example")), NSEC_INSECURE);
	/* neither lacks an address, but a wildcard may stand where they deny */
	pick(&p, &plain, "=@ =ns1");
	p.rr[0].iterations = p.rr[1].iterations = 123;
	assert_int_equal(nsec3_nodata(&p.set, fake_name("ml.example"), DNS_TYPE_A), NSEC_INSECURE);
	/* a signed delegation alone */
	pick(&p, &plain, "=a");
	p.rr[0].iterations = 123;
	assert_int_equal(nsec3_no_ds(&p.set, fake_name("a.example")), NSEC_UNPROVEN);
	assert_int_equal(nsec3_nodata(&p.set, fake_name("a.example"), DNS_TYPE_A), NSEC_UNPROVEN);
	/* one without DS, and a name that is no delegation */
	pick(&p, &plain, "=c");
	p.rr[0].iterations = 123;
	assert_int_equal(nsec3_no_ds(&p.set, fake_name("c.example")), NSEC_INSECURE);
	pick(&p, &plain, "=tree");
	p.rr[0].iterations = 123;
	assert_int_equal(nsec3_nxdomain(&p.set, fake_name("q.tree.example")), NSEC_UNPROVEN);
}

/* Old records of a chain with many iterations must not make the new one insecure. */
static void records_of_two_chains_prove_nothing(void **state)
{
	struct picked p;

	(void)state;
	for (unsigned q = 0; q < 5; q++) {
		all(&p, &plain);
		p.rr[3].iterations = 65535;
		assert_int_equal(ask(&p.set, q, fake_name("a.c.x.w.example")), NSEC_UNPROVEN);
		all(&p, &plain);
		p.rr[0].iterations = 65535;
		assert_int_equal(ask(&p.set, q, fake_name("a.c.x.w.example")), NSEC_UNPROVEN);
		all(&p, &plain);
		p.rr[3].salt_len = 3;
		assert_int_equal(ask(&p.set, q, fake_name("a.c.x.w.example")), NSEC_UNPROVEN);
		all(&p, &plain);
		p.rr[3].salt = (const uint8_t *)"\xaa\xbb\xcc\xde";
		assert_int_equal(ask(&p.set, q, fake_name("a.c.x.w.example")), NSEC_UNPROVEN);
	}
}

static void a_name_of_120_labels_costs_one_hash_each(void **state)
{
	unsigned left = 600;
	const struct crypto_meter meter = {take, &left};
	struct picked p;
	char name[300] = "";

	(void)state;
	for (unsigned i = 0; i < 119; i++)
		strcat(name, "x.");
	strcat(name, "example");
	all(&p, &plain);
	p.set.meter = &meter;
	assert_int_equal(nsec3_nxdomain(&p.set, fake_name(name)), NSEC_PROVEN);
	assert_int_equal(600 - left, 121); /* 120 names and a wildcard */
	/* one less than it needs */
	left = 120;
	assert_int_equal(nsec3_nxdomain(&p.set, fake_name(name)), NSEC_LIMIT);
	left = 119;
	assert_int_equal(nsec3_nodata(&p.set, fake_name(name), DNS_TYPE_A), NSEC_LIMIT);
	left = 0;
	for (unsigned q = 0; q < 5; q++)
		assert_int_equal(ask(&p.set, q, fake_name(name)), NSEC_LIMIT);
}

/* ---- records that must not be believed ---- */

static int parse(const char *line, const char *zone, uint8_t labels)
{
	struct fake_zone *z = fake_zone_parse(line);
	struct nsec3 n;
	int err = nsec3_parse(fake_zone_at(z, 0), fake_name(zone), labels, &n);

	fake_zone_close(z);
	return err;
}

#define HASH "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
#define NEXT "2t7b4g4vsa5smi47k61mv5bv1a22bojr"

/* D3 */
static void the_owner_must_be_a_hash_directly_below_the_signer(void **state)
{
	(void)state;
	assert_int_equal(parse(HASH ".example. NSEC3 1 0 0 - " NEXT " A", "example", 2), 0);
	assert_int_equal(parse(HASH ".example. NSEC3 1 0 0 - " NEXT " A", "Example", 2), 0);
	/* a child's record for the parent, a parent's for the child, another zone's */
	assert_int_equal(
		parse(HASH ".sub.example. NSEC3 1 0 0 - " NEXT " A", "example", 3), ERR_MALFORMED);
	assert_int_equal(
		parse(HASH ".example. NSEC3 1 0 0 - " NEXT " A", "sub.example", 2), ERR_MALFORMED);
	assert_int_equal(
		parse(HASH ".other. NSEC3 1 0 0 - " NEXT " A", "example", 2), ERR_MALFORMED);
	/* no hash */
	assert_int_equal(
		parse("www.example. NSEC3 1 0 0 - " NEXT " A", "example", 2), ERR_MALFORMED);
	assert_int_equal(parse("zp9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3 1 0 0 - " NEXT " A",
				 "example", 2),
		ERR_MALFORMED);
	assert_int_equal(
		parse(HASH "0.example. NSEC3 1 0 0 - " NEXT " A", "example", 2), ERR_MALFORMED);
	assert_int_equal(parse("0p9mhaveqvm6t7vbl5lop2u3t2rp3to.example. NSEC3 1 0 0 - " NEXT " A",
				 "example", 2),
		ERR_MALFORMED);
	assert_int_equal(
		parse("x" HASH ".example. NSEC3 1 0 0 - " NEXT " A", "example", 2), ERR_MALFORMED);
	assert_int_equal(parse("example. NSEC3 1 0 0 - " NEXT " A", "example", 1), ERR_MALFORMED);
	assert_int_equal(parse(". NSEC3 1 0 0 - " NEXT " A", ".", 0), ERR_MALFORMED);
	assert_int_equal(parse(HASH ". NSEC3 1 0 0 - " NEXT " A", ".", 1), 0);
}

static void what_a_wildcard_was_expanded_to_denies_nothing(void **state)
{
	(void)state;
	assert_int_equal(
		parse(HASH ".example. NSEC3 1 0 0 - " NEXT " A", "example", 1), ERR_MALFORMED);
	assert_int_equal(
		parse(HASH ".example. NSEC3 1 0 0 - " NEXT " A", "example", 3), ERR_MALFORMED);
}

static void unknown_hashes_and_flags_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(
		parse(HASH ".example. NSEC3 2 0 0 - " NEXT " A", "example", 2), ERR_UNSUPPORTED);
	assert_int_equal(
		parse(HASH ".example. NSEC3 0 0 0 - " NEXT " A", "example", 2), ERR_UNSUPPORTED);
	assert_int_equal(
		parse(HASH ".example. NSEC3 1 2 0 - " NEXT " A", "example", 2), ERR_UNSUPPORTED);
	assert_int_equal(
		parse(HASH ".example. NSEC3 1 129 0 - " NEXT " A", "example", 2), ERR_UNSUPPORTED);
	assert_int_equal(parse(HASH ".example. NSEC3 1 1 0 - " NEXT " A", "example", 2), 0);
}

static void another_hash_length_and_other_types_are_malformed(void **state)
{
	(void)state;
	assert_int_equal(parse(HASH ".example. NSEC3 1 0 0 - 2t7b4g4vsa5smi47 A", "example", 2),
		ERR_MALFORMED);
	assert_int_equal(parse(HASH ".example. NSEC3 1 0 0 - " NEXT " A\n" HASH
				    ".example. NSEC3 1 0 0 - " NEXT " MX",
				 "example", 2),
		ERR_MALFORMED);
	assert_int_equal(parse(HASH ".example. A 192.0.2.1", "example", 2), ERR_MALFORMED);
}

static void cut_rdata_is_malformed(void **state)
{
	static const uint8_t RDATA[] = "\1\0\0\3\2\xaa\xbb\x14"
				       "12345678901234567890\0\1\x40";
	_Alignas(8) uint8_t mem[512];
	uint8_t owner[DNAME_MAX] = {32};

	(void)state;
	memcpy(owner + 1, HASH, 32);
	memcpy(owner + 33, "\7example", 9);
	for (size_t len = 0; len < sizeof(RDATA); len++) {
		struct rrset *rr =
			rrset_init(mem, sizeof(mem), owner, DNS_TYPE_NSEC3, DNS_CLASS_IN, 60);
		struct nsec3 n;

		assert_int_equal(rrset_add(rr, sizeof(mem), RDATA, len), 0);
		assert_int_equal(
			nsec3_parse(rr, fake_name("example"), 2, &n), len < 28 ? ERR_MALFORMED : 0);
		if (len >= 28)
			assert_int_equal(n.types.len, len - 28);
	}
}

/* ---- order ---- */

static void the_last_record_covers_both_ends_and_the_only_one_everything(void **state)
{
	uint8_t next[NSEC3_HASH_LEN] = {0x20}, hash[NSEC3_HASH_LEN] = {0};
	struct nsec3 n = {.owner = {0x10}, .next = next};

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		hash[0] = (uint8_t)i;
		next[0] = 0x20;
		assert_int_equal(nsec3_covers(&n, hash), i > 0x10 && i < 0x20);
		next[0] = 0x08;
		assert_int_equal(nsec3_covers(&n, hash), i > 0x10 || i < 0x08);
		next[0] = 0x10;
		assert_int_equal(nsec3_covers(&n, hash), i != 0x10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_those_of_rfc_5155),
		cmocka_unit_test(letters_beyond_v_are_no_base32hex),
		cmocka_unit_test(a_name_error_needs_encloser_next_closer_and_wildcard),
		cmocka_unit_test(a_name_that_is_there_is_no_name_error),
		cmocka_unit_test(no_data_is_said_by_the_name_s_own_record),
		cmocka_unit_test(an_unsigned_delegation_is_proven_or_opted_out),
		cmocka_unit_test(a_wildcard_s_answer_needs_the_next_closer_name_denied),
		cmocka_unit_test(a_wildcard_above_the_zone_is_not_denied_by_it),
		cmocka_unit_test(no_data_of_a_wildcard_needs_all_three),
		cmocka_unit_test(nothing_is_said_beneath_a_cut_or_a_dname),
		cmocka_unit_test(too_many_iterations_are_insecure_without_a_hash),
		cmocka_unit_test(too_many_iterations_do_not_make_anything_go),
		cmocka_unit_test(records_of_two_chains_prove_nothing),
		cmocka_unit_test(a_name_of_120_labels_costs_one_hash_each),
		cmocka_unit_test(the_owner_must_be_a_hash_directly_below_the_signer),
		cmocka_unit_test(what_a_wildcard_was_expanded_to_denies_nothing),
		cmocka_unit_test(unknown_hashes_and_flags_are_ignored),
		cmocka_unit_test(another_hash_length_and_other_types_are_malformed),
		cmocka_unit_test(cut_rdata_is_malformed),
		cmocka_unit_test(the_last_record_covers_both_ends_and_the_only_one_everything),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
