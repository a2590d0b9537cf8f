/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/nsec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/rrsig.h"
#include "dns/rrtype.h"
#include "unit/dns/fake_zone.h"

#define NAMES_MAX 16

static struct fake_zone *zone;
static const uint8_t *apex;

static int open_zone(void **state)
{
	(void)state;
	zone = fake_zone_open("nsec.zone");
	apex = (const uint8_t *)"\7example";
	return 0;
}

static int close_zone(void **state)
{
	(void)state;
	fake_zone_close(zone);
	return 0;
}

static uint8_t signed_labels(const struct rrset *rr)
{
	struct rrset_iter it = rrset_begin(rr);
	struct rrsig sig;

	while (rrset_next(&it)) {
		if (it.is_sig) {
			assert_int_equal(rrsig_parse(it.rdata, it.len, &sig), 0);
			return sig.labels;
		}
	}
	return (uint8_t)(dname_labels(rrset_owner(rr)) - dname_is_wildcard(rrset_owner(rr)));
}

/* The NSEC records at these owners, separated by spaces; below example. */
static size_t pick(struct nsec *set, const char *owners)
{
	char name[300];
	size_t n = 0;
	int len;

	for (; sscanf(owners, "%290s%n", name, &len) == 1; owners += len) {
		struct rrset *rr;

		if (strcmp(name, "@") == 0)
			strcpy(name, "example");
		else
			strcat(name, ".example");
		rr = fake_zone_get(zone, name, "NSEC");
		assert_int_equal(nsec_parse(rr, apex, signed_labels(rr), &set[n]), 0);
		n++;
	}
	return n;
}

static enum nsec_verdict nxdomain(const char *name, const char *owners)
{
	struct nsec set[NAMES_MAX];

	return nsec_nxdomain(set, pick(set, owners), fake_name(name));
}

static enum nsec_verdict nodata(const char *name, uint16_t type, const char *owners)
{
	struct nsec set[NAMES_MAX];

	return nsec_nodata(set, pick(set, owners), fake_name(name), type);
}

static enum nsec_verdict wildcard(const char *name, unsigned labels, const char *owners)
{
	struct nsec set[NAMES_MAX];

	return nsec_wildcard(set, pick(set, owners), fake_name(name), labels);
}

static enum nsec_verdict no_ds(const char *name, const char *owners)
{
	struct nsec set[NAMES_MAX];

	return nsec_no_ds(set, pick(set, owners), fake_name(name));
}

#define ALL "@ a ai alias b *.cw host.*.e ns1 ns2 tree *.w x.w x.y.w xx"

/* ---- RFC 4035 appendix B ---- */

static void a_name_error_needs_the_name_and_the_wildcard_denied(void **state)
{
	(void)state;
	assert_int_equal(nxdomain("ml.example", "host.*.e @"), NSEC_PROVEN);
	assert_int_equal(nxdomain("ML.eXample", "host.*.e @"), NSEC_PROVEN);
	assert_int_equal(nxdomain("ml.example", "host.*.e"), NSEC_UNPROVEN);
	assert_int_equal(nxdomain("ml.example", "@"), NSEC_UNPROVEN);
	assert_int_equal(nxdomain("ml.example", "b ns1 @"), NSEC_UNPROVEN);
	assert_int_equal(nxdomain("ml.example", ""), NSEC_UNPROVEN);
	/* the last of the chain */
	assert_int_equal(nxdomain("zz.example", "xx @"), NSEC_PROVEN);
	/* one record can deny both */
	assert_int_equal(nxdomain("q.ns1.example", "ns1"), NSEC_PROVEN);
}

static void a_name_that_is_there_is_no_name_error(void **state)
{
	(void)state;
	assert_int_equal(nxdomain("ai.example", ALL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain("example", ALL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain("y.w.example", ALL), NSEC_UNPROVEN);	 /* empty */
	assert_int_equal(nxdomain("a.z.w.example", ALL), NSEC_UNPROVEN); /* a wildcard's */
	assert_int_equal(nxdomain("q.e.example", ALL), NSEC_UNPROVEN);	 /* an empty wildcard's */
	assert_int_equal(nxdomain("other", ALL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain(".", ALL), NSEC_UNPROVEN);
}

static void no_data_is_said_by_the_name_s_own_record(void **state)
{
	(void)state;
	assert_int_equal(nodata("ns1.example", DNS_TYPE_MX, "ns1"), NSEC_PROVEN);
	assert_int_equal(nodata("ns1.example", DNS_TYPE_A, "ns1"), NSEC_UNPROVEN);
	assert_int_equal(nodata("ns1.example", DNS_TYPE_MX, "ns2 @"), NSEC_UNPROVEN);
	assert_int_equal(nodata("example", DNS_TYPE_A, "@"), NSEC_PROVEN);
	assert_int_equal(nodata("example", DNS_TYPE_SOA, "@"), NSEC_UNPROVEN);
	assert_int_equal(nodata("tree.example", DNS_TYPE_MX, "tree"), NSEC_PROVEN);
}

static void a_cname_leaves_no_data_unproven(void **state)
{
	(void)state;
	assert_int_equal(nodata("alias.example", DNS_TYPE_MX, "alias"), NSEC_UNPROVEN);
	assert_int_equal(nodata("alias.example", DNS_TYPE_CNAME, "alias"), NSEC_UNPROVEN);
	assert_int_equal(nodata("q.cw.example", DNS_TYPE_MX, ALL), NSEC_UNPROVEN);
	assert_int_equal(nodata("*.cw.example", DNS_TYPE_MX, ALL), NSEC_UNPROVEN);
}

static void an_empty_name_is_seen_by_what_lies_beneath(void **state)
{
	(void)state;
	assert_int_equal(nodata("y.w.example", DNS_TYPE_A, "x.w"), NSEC_PROVEN);
	assert_int_equal(nodata("w.example", DNS_TYPE_A, "tree"), NSEC_PROVEN);
	assert_int_equal(nodata("e.example", DNS_TYPE_A, "*.cw"), NSEC_PROVEN);
	assert_int_equal(nodata("y.w.example", DNS_TYPE_A, "x.y.w"), NSEC_UNPROVEN);
}

static void a_wildcard_s_answer_needs_the_next_closer_name_denied(void **state)
{
	(void)state;
	assert_int_equal(wildcard("a.z.w.example", 2, "x.y.w"), NSEC_PROVEN);
	assert_int_equal(wildcard("z.w.example", 2, "x.y.w"), NSEC_PROVEN);
	assert_int_equal(wildcard("a.z.w.example", 2, ""), NSEC_UNPROVEN);
	assert_int_equal(wildcard("a.z.w.example", 2, "xx x.w"), NSEC_UNPROVEN);
	/* a closer name is there, so the wildcard does not reach: x.w, and the empty y.w */
	assert_int_equal(wildcard("a.x.w.example", 2, ALL), NSEC_UNPROVEN);
	assert_int_equal(wildcard("a.y.w.example", 2, ALL), NSEC_UNPROVEN);
	/* not beneath a cut or a DNAME */
	assert_int_equal(wildcard("q.b.example", 2, ALL), NSEC_UNPROVEN);
	assert_int_equal(wildcard("q.tree.example", 2, ALL), NSEC_UNPROVEN);
	/* no labels are left to be denied */
	assert_int_equal(wildcard("w.example", 2, ALL), NSEC_UNPROVEN);
	assert_int_equal(wildcard("w.example", 200, ALL), NSEC_UNPROVEN);
}

static void no_data_of_a_wildcard_needs_both(void **state)
{
	(void)state;
	assert_int_equal(nodata("a.z.w.example", DNS_TYPE_AAAA, "x.y.w *.w"), NSEC_PROVEN);
	assert_int_equal(nodata("a.z.w.example", DNS_TYPE_MX, "x.y.w *.w"), NSEC_UNPROVEN);
	assert_int_equal(nodata("a.z.w.example", DNS_TYPE_AAAA, "x.y.w"), NSEC_UNPROVEN);
	assert_int_equal(nodata("a.z.w.example", DNS_TYPE_AAAA, "*.w"), NSEC_UNPROVEN);
	/* asked by its own name */
	assert_int_equal(nodata("*.w.example", DNS_TYPE_AAAA, "*.w"), NSEC_PROVEN);
	/* a wildcard that is empty */
	assert_int_equal(nodata("q.e.example", DNS_TYPE_A, "host.*.e *.cw"), NSEC_PROVEN);
	/* the wildcard of another name */
	assert_int_equal(nodata("a.z.example", DNS_TYPE_AAAA, ALL), NSEC_UNPROVEN);
}

/* ---- cuts ---- */

static void an_unsigned_delegation_is_proven_by_the_parent_alone(void **state)
{
	(void)state;
	assert_int_equal(no_ds("b.example", "b"), NSEC_PROVEN);
	assert_int_equal(no_ds("a.example", "a"), NSEC_UNPROVEN); /* it has one */
	assert_int_equal(no_ds("b.example", "a"), NSEC_UNPROVEN);
	assert_int_equal(no_ds("example", "@"), NSEC_UNPROVEN); /* RFC 4035 B.8: the child's own */
	assert_int_equal(nodata("b.example", DNS_TYPE_DS, "b"), NSEC_PROVEN);
	assert_int_equal(nodata("example", DNS_TYPE_DS, "@"), NSEC_UNPROVEN);
}

static void what_is_no_delegation_is_told(void **state)
{
	(void)state;
	assert_int_equal(no_ds("ai.example", "ai"), NSEC_NO_CUT);
	assert_int_equal(no_ds("alias.example", "alias"), NSEC_NO_CUT);
	assert_int_equal(no_ds("y.w.example", "x.w"), NSEC_NO_CUT);
	assert_int_equal(no_ds("ml.example", "host.*.e"), NSEC_NO_CUT);
	assert_int_equal(no_ds("q.b.example", "b"), NSEC_UNPROVEN);
	/* the last record of the zone ends the zone, not the world */
	assert_int_equal(no_ds("zz", "xx"), NSEC_UNPROVEN);
	assert_int_equal(nodata("zz", DNS_TYPE_A, ALL), NSEC_UNPROVEN);
}

/* RFC 6840 4.1, 4.3 */
static void the_parent_says_nothing_about_names_at_or_beneath_a_cut(void **state)
{
	(void)state;
	assert_int_equal(nodata("b.example", DNS_TYPE_A, ALL), NSEC_UNPROVEN);
	assert_int_equal(nodata("b.example", DNS_TYPE_NS, ALL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain("www.b.example", ALL), NSEC_UNPROVEN);
	assert_int_equal(nodata("www.b.example", DNS_TYPE_A, ALL), NSEC_UNPROVEN);
	assert_int_equal(nodata("www.b.example", DNS_TYPE_DS, ALL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain("www.a.example", ALL), NSEC_UNPROVEN);
	assert_int_equal(nxdomain("q.tree.example", ALL), NSEC_UNPROVEN);
	assert_int_equal(nodata("q.tree.example", DNS_TYPE_A, ALL), NSEC_UNPROVEN);
}

/* ---- records that must not be believed ---- */

static int parse(const char *line, const char *of_zone, int labels, struct nsec *out)
{
	struct fake_zone *z = fake_zone_parse(line);
	struct rrset *rr = fake_zone_at(z, 0);
	int err = nsec_parse(
		rr, fake_name(of_zone), labels < 0 ? signed_labels(rr) : (uint8_t)labels, out);

	fake_zone_close(z); /* out->owner is gone; these tests look at err alone */
	return err;
}

/* D2 */
static void a_next_owner_outside_the_zone_is_refused(void **state)
{
	struct nsec n;

	(void)state;
	assert_int_equal(
		parse("a.evil.example. NSEC b.evil.example. A", "evil.example", -1, &n), 0);
	assert_int_equal(
		parse("a.evil.example. NSEC zzz. A", "evil.example", -1, &n), ERR_MALFORMED);
	assert_int_equal(
		parse("a.evil.example. NSEC b.example. A", "evil.example", -1, &n), ERR_MALFORMED);
	assert_int_equal(
		parse("a.evil.example. NSEC example. A", "evil.example", -1, &n), ERR_MALFORMED);
	assert_int_equal(
		parse("a.example. NSEC b.evil.example. A", "evil.example", -1, &n), ERR_MALFORMED);
}

static void a_chain_that_runs_backwards_is_refused(void **state)
{
	struct nsec n;

	(void)state;
	assert_int_equal(parse("b.example. NSEC a.example. A", "example", -1, &n), ERR_MALFORMED);
	assert_int_equal(parse("b.example. NSEC b.example. A", "example", -1, &n), ERR_MALFORMED);
	assert_int_equal(parse("b.example. NSEC B.Example. A", "example", -1, &n), ERR_MALFORMED);
	assert_int_equal(parse("b.example. NSEC Example. A", "example", -1, &n), 0);
	assert_int_equal(parse("example. NSEC example. SOA NS", "example", -1, &n), 0);
}

/* CVE-2017-15105 */
static void what_a_wildcard_was_expanded_to_denies_nothing(void **state)
{
	struct nsec n;

	(void)state;
	assert_int_equal(parse("a.b.example. NSEC c.example. A", "example", 3, &n), 0);
	assert_int_equal(parse("a.b.example. NSEC c.example. A", "example", 2, &n), ERR_MALFORMED);
	assert_int_equal(parse("a.b.example. NSEC c.example. A", "example", 1, &n), ERR_MALFORMED);
	assert_int_equal(parse("*.b.example. NSEC c.example. A", "example", 2, &n), 0);
	assert_int_equal(parse("*.b.example. NSEC c.example. A", "example", 1, &n), ERR_MALFORMED);
}

static void two_records_at_one_name_are_refused(void **state)
{
	struct nsec n;

	(void)state;
	assert_int_equal(parse("a.example. NSEC c.example. A\na.example. NSEC d.example. A",
				 "example", -1, &n),
		ERR_MALFORMED);
	assert_int_equal(parse("a.example. A 192.0.2.1", "example", -1, &n), ERR_MALFORMED);
}

/* ---- other kinds of honest records ---- */

static enum nsec_verdict ask_one(const char *line, const char *of_zone, const char *name,
	uint16_t type) /* 0: does it exist? */
{
	struct fake_zone *z = fake_zone_parse(line);
	struct nsec set[NAMES_MAX];
	enum nsec_verdict v;
	struct rrset *rr;
	size_t n = 0;

	for (; (rr = fake_zone_at(z, n)); n++)
		assert_int_equal(nsec_parse(rr, fake_name(of_zone), signed_labels(rr), &set[n]), 0);
	v = type ? nsec_nodata(set, n, fake_name(name), type)
		 : nsec_nxdomain(set, n, fake_name(name));
	fake_zone_close(z);
	return v;
}

static void minimally_covering_records_prove_as_well(void **state)
{
	/* RFC 4470 3 */
	static const char LIES[] = "\\).example. NSEC +.example. NSEC RRSIG\n"
				   "exampld~.example. NSEC example!.example. NSEC RRSIG\n";

	(void)state;
	assert_int_equal(ask_one(LIES, "example", "example.example", 0), NSEC_PROVEN);
	assert_int_equal(ask_one(LIES, "example", "examplf.example", 0), NSEC_UNPROVEN);
}

/* RFC 9824: one record at the name itself says that nothing is there. */
static void compact_answers_are_no_data(void **state)
{
	static const char LIE[] = "q.example. NSEC \\000.q.example. RRSIG NSEC TYPE128\n";

	(void)state;
	assert_int_equal(ask_one(LIE, "example", "q.example", DNS_TYPE_A), NSEC_PROVEN);
	assert_int_equal(ask_one(LIE, "example", "q.example", DNS_TYPE_DS), NSEC_PROVEN);
	assert_int_equal(ask_one(LIE, "example", "q.example", DNS_TYPE_ANY), NSEC_PROVEN);
	assert_int_equal(ask_one(LIE, "example", "q.example", 0), NSEC_UNPROVEN);
	assert_int_equal(ask_one(LIE, "example", "r.example", DNS_TYPE_A), NSEC_UNPROVEN);
}

static void any_is_absent_only_where_nothing_is(void **state)
{
	(void)state;
	assert_int_equal(nodata("ai.example", DNS_TYPE_ANY, "ai"), NSEC_UNPROVEN);
	assert_int_equal(nodata("y.w.example", DNS_TYPE_ANY, "x.w"), NSEC_PROVEN);
}

static void the_root_denies_too(void **state)
{
	static const char ROOT[] = ". NSEC aaa. NS SOA RRSIG NSEC DNSKEY\n"
				   "zw. NSEC . NS DS RRSIG NSEC\n";

	(void)state;
	assert_int_equal(ask_one(ROOT, ".", "zzz", 0), NSEC_PROVEN);
	assert_int_equal(ask_one(ROOT, ".", "a.b.zzz", 0), NSEC_PROVEN);
	assert_int_equal(ask_one(ROOT, ".", "a.zw", 0), NSEC_UNPROVEN);
	assert_int_equal(ask_one(ROOT, ".", ".", DNS_TYPE_DS), NSEC_PROVEN);
	assert_int_equal(ask_one(ROOT, ".", ".", DNS_TYPE_A), NSEC_PROVEN);
	assert_int_equal(ask_one(ROOT, ".", ".", DNS_TYPE_NS), NSEC_UNPROVEN);
}

/* ---- bitmaps ---- */

static void bitmaps_are_read_to_the_bit(void **state)
{
	/* windows 0 (A, MX), 1 (CAA) and 255 (65535) */
	static const uint8_t BITS[] =
		"\x00\x02\x40\x01\x01\x01\x40\xff\x20"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1";
	const struct nsec_types t = {BITS, sizeof(BITS) - 1};

	(void)state;
	for (uint32_t type = 0; type < 65536; type++) {
		bool want = type == DNS_TYPE_A || type == DNS_TYPE_MX || type == DNS_TYPE_CAA ||
			    type == 65535;

		assert_int_equal(nsec_types_has(&t, (uint16_t)type), want);
	}
	/* cut anywhere: no read past the end, and nothing that was not there */
	for (uint16_t len = 0; len < t.len; len++) {
		uint8_t *exact = malloc(len ? len : 1);
		struct nsec_types cut = {exact, len};

		memcpy(exact, BITS, len);
		assert_false(nsec_types_has(&cut, 65535));
		assert_int_equal(nsec_types_has(&cut, DNS_TYPE_A), len >= 4);
		free(exact);
	}
}

static void each_verdict_has_its_word(void **state)
{
	(void)state;
	for (int v = NSEC_UNPROVEN; v <= NSEC_LIMIT; v++)
		assert_true(strlen(nsec_verdict_text((enum nsec_verdict)v)) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_error_needs_the_name_and_the_wildcard_denied),
		cmocka_unit_test(a_name_that_is_there_is_no_name_error),
		cmocka_unit_test(no_data_is_said_by_the_name_s_own_record),
		cmocka_unit_test(a_cname_leaves_no_data_unproven),
		cmocka_unit_test(an_empty_name_is_seen_by_what_lies_beneath),
		cmocka_unit_test(a_wildcard_s_answer_needs_the_next_closer_name_denied),
		cmocka_unit_test(no_data_of_a_wildcard_needs_both),
		cmocka_unit_test(an_unsigned_delegation_is_proven_by_the_parent_alone),
		cmocka_unit_test(what_is_no_delegation_is_told),
		cmocka_unit_test(the_parent_says_nothing_about_names_at_or_beneath_a_cut),
		cmocka_unit_test(a_next_owner_outside_the_zone_is_refused),
		cmocka_unit_test(a_chain_that_runs_backwards_is_refused),
		cmocka_unit_test(what_a_wildcard_was_expanded_to_denies_nothing),
		cmocka_unit_test(two_records_at_one_name_are_refused),
		cmocka_unit_test(minimally_covering_records_prove_as_well),
		cmocka_unit_test(compact_answers_are_no_data),
		cmocka_unit_test(any_is_absent_only_where_nothing_is),
		cmocka_unit_test(the_root_denies_too),
		cmocka_unit_test(bitmaps_are_read_to_the_bit),
		cmocka_unit_test(each_verdict_has_its_word),
	};

	return cmocka_run_group_tests(tests, open_zone, close_zone);
}
