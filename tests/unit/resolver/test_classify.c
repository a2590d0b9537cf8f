/* SPDX-License-Identifier: Apache-2.0 */
/* Each kind of reply, from its header and from what scrubbing left of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dns/dns_const.h"
#include "resolver/classify.h"

#define TEST(name) static void name(void **state __attribute__((unused)))

static struct msg m;
static struct scrub_out s;
static struct rrset rr;

static void fresh(uint16_t flags)
{
	memset(&m, 0, sizeof(m));
	memset(&s, 0, sizeof(s));
	m.flags = flags;
	m.rcode = flags & 15;
}

static enum classify_kind header(uint16_t flags, bool had_edns, bool is_tcp)
{
	fresh(flags);
	return classify_header(&m, had_edns, is_tcp);
}

TEST(the_header_alone_tells_what_is_not_worth_reading)
{
	assert_int_equal(CLASSIFY_READ, header(DNS_RCODE_NOERROR, true, false));
	assert_int_equal(CLASSIFY_READ, header(DNS_RCODE_NXDOMAIN, true, false));
	assert_int_equal(CLASSIFY_TRUNCATED, header(DNS_FLAG_TC, true, false));
	assert_int_equal(CLASSIFY_TRUNCATED, header(DNS_FLAG_TC | DNS_RCODE_SERVFAIL, true, false));
	assert_int_equal(CLASSIFY_BROKEN, header(DNS_FLAG_TC, true, true));
	assert_int_equal(CLASSIFY_NO_EDNS, header(DNS_RCODE_FORMERR, true, false));
	assert_int_equal(CLASSIFY_BROKEN, header(DNS_RCODE_FORMERR, false, false));
	assert_int_equal(CLASSIFY_NO_EDNS, header(DNS_RCODE_NOTIMP, true, false));
	assert_int_equal(CLASSIFY_SERVFAIL, header(DNS_RCODE_SERVFAIL, true, false));
	assert_int_equal(CLASSIFY_REFUSED, header(DNS_RCODE_REFUSED, true, false));
	assert_int_equal(CLASSIFY_REFUSED, header(9, true, false));
	assert_int_equal(CLASSIFY_BROKEN, header(15, true, false));
	fresh(0);
	m.rcode = DNS_RCODE_BADVERS;
	assert_int_equal(CLASSIFY_NO_EDNS, classify_header(&m, true, false));
	m.rcode = DNS_RCODE_BADCOOKIE;
	assert_int_equal(CLASSIFY_BROKEN, classify_header(&m, true, false));
	m.edns.cookie_len = 16;
	assert_int_equal(CLASSIFY_COOKIE, classify_header(&m, true, false));
}

TEST(yxdomain_needs_something_to_show)
{
	fresh(DNS_RCODE_YXDOMAIN);
	assert_int_equal(CLASSIFY_BROKEN, classify_header(&m, true, false));
	m.counts[1] = 1;
	assert_int_equal(CLASSIFY_READ, classify_header(&m, true, false));
	assert_int_equal(CLASSIFY_BROKEN, classify_content(&m, &s, false));
	s.is_too_long = true;
	assert_int_equal(CLASSIFY_TOO_LONG, classify_content(&m, &s, false));
}

TEST(answers_and_chains)
{
	fresh(DNS_FLAG_AA);
	s.n_answer = 1;
	s.has_answer = true;
	assert_int_equal(CLASSIFY_ANSWER, classify_content(&m, &s, false));
	s.has_answer = false;
	assert_int_equal(CLASSIFY_CHAIN, classify_content(&m, &s, false));
	s.soa = &rr;
	assert_int_equal(CLASSIFY_NODATA, classify_content(&m, &s, false));
	m.rcode = DNS_RCODE_NXDOMAIN;
	assert_int_equal(CLASSIFY_NXDOMAIN, classify_content(&m, &s, false));
	s.soa = NULL;
	assert_int_equal(CLASSIFY_CHAIN, classify_content(&m, &s, false));
}

TEST(denials)
{
	fresh(DNS_FLAG_AA | DNS_RCODE_NXDOMAIN);
	assert_int_equal(CLASSIFY_NXDOMAIN, classify_content(&m, &s, false));
	fresh(DNS_FLAG_AA);
	s.soa = &rr;
	m.counts[2] = 1;
	assert_int_equal(CLASSIFY_NODATA, classify_content(&m, &s, false));
	/* NS of the zone itself and AA, RFC 2308 2.2. */
	s.soa = NULL;
	assert_int_equal(CLASSIFY_NODATA, classify_content(&m, &s, false));
	m.counts[2] = 0;
	assert_int_equal(CLASSIFY_EMPTY, classify_content(&m, &s, false));
}

TEST(referrals_and_lame_ones)
{
	fresh(0);
	m.counts[2] = 1;
	s.ns = &rr;
	assert_int_equal(CLASSIFY_REFERRAL, classify_content(&m, &s, false));
	/* A forwarder has no business referring. */
	assert_int_equal(CLASSIFY_LAME, classify_content(&m, &s, true));
	s.ns = NULL;
	assert_int_equal(CLASSIFY_LAME, classify_content(&m, &s, false));
	/* Referrals may come from servers that recurse as well. */
	m.flags = DNS_FLAG_RA;
	s.ns = &rr;
	assert_int_equal(CLASSIFY_REFERRAL, classify_content(&m, &s, false));
}

TEST(what_comes_out_of_a_cache_is_not_authority)
{
	fresh(DNS_FLAG_RA);
	s.n_answer = 1;
	s.has_answer = true;
	assert_int_equal(CLASSIFY_RECURSIVE, classify_content(&m, &s, false));
	assert_int_equal(CLASSIFY_ANSWER, classify_content(&m, &s, true));
	fresh(DNS_FLAG_RA | DNS_RCODE_NXDOMAIN);
	assert_int_equal(CLASSIFY_RECURSIVE, classify_content(&m, &s, false));
	assert_int_equal(CLASSIFY_NXDOMAIN, classify_content(&m, &s, true));
	/* Authority that also recurses is authority. */
	fresh(DNS_FLAG_RA | DNS_FLAG_AA | DNS_RCODE_NXDOMAIN);
	assert_int_equal(CLASSIFY_NXDOMAIN, classify_content(&m, &s, false));
}

TEST(every_kind_has_a_name)
{
	for (int i = 0; i < CLASSIFY_KINDS; i++)
		assert_non_null(classify_name((enum classify_kind)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_alone_tells_what_is_not_worth_reading),
		cmocka_unit_test(yxdomain_needs_something_to_show),
		cmocka_unit_test(answers_and_chains),
		cmocka_unit_test(denials),
		cmocka_unit_test(referrals_and_lame_ones),
		cmocka_unit_test(what_comes_out_of_a_cache_is_not_authority),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
