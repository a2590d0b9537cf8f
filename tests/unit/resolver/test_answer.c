/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wbuf.h"
#include "dns/dns_const.h"
#include "dns/msg_parse.h"
#include "dns/msg_write.h"

#define OURS 1232

/* A query for WwW.Example. A as a client may write it. */
static const uint8_t QUERY[] = {0xbe, 0xef, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'W', 'w', 'W', 7, 'E',
	'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1};

static struct answer_client client(uint16_t flags)
{
	return (struct answer_client){.query = QUERY,
		.question_len = sizeof(QUERY) - DNS_HEADER_LEN,
		.id = 0xbeef,
		.flags = flags,
		.udp_size = 512};
}

static struct answer_client edns_client(uint16_t flags, uint16_t udp_size, bool is_do)
{
	struct answer_client c = client(flags);

	c.has_edns = true;
	c.udp_size = udp_size;
	c.is_do = is_do;
	return c;
}

/* n records A with TTLs 100, 101, ... for www.example. */
static struct answer_blob blob(uint8_t *wire, size_t cap, unsigned n)
{
	struct question q = {.name = "\3www\7example", .name_len = 13, .type = 1, .class = 1};
	struct answer_blob b = {.ede = DNS_EDE_NONE, .wire = wire, .question_len = 17};
	struct msg_writer w;

	msg_write_begin(&w, wire, cap, 0, 0, &q);
	for (unsigned i = 0; i < n; i++) {
		uint8_t addr[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};

		assert_int_equal(msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, DNS_TYPE_A,
					 DNS_CLASS_IN, 100 + i, addr, 4),
			0);
	}
	b.len = (uint16_t)msg_write_end(&w);
	b.n_ttl = (uint8_t)w.n_ttl;
	memcpy(b.ttl_off, w.ttl_off, w.n_ttl * sizeof(uint16_t));
	b.ttl_s = 100;
	return b;
}

static struct msg read_back(const uint8_t *out, size_t len)
{
	struct msg m;

	assert_true(len > 0);
	assert_int_equal(msg_parse(out, len, &m), 0);
	assert_int_equal(m.len, len);
	return m;
}

static void a_reply_carries_the_clients_id_and_spelling(void **state)
{
	uint8_t wire[512], out[600];
	struct answer_blob b = blob(wire, sizeof(wire), 2);
	struct answer_client c = client(DNS_FLAG_RD);
	size_t len = answer_patch(&b, &c, 0, OURS, out, sizeof(out));
	struct msg m = read_back(out, len);

	(void)state;
	assert_int_equal(m.id, 0xbeef);
	assert_int_equal(m.flags, DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA);
	assert_memory_equal(out + 12, QUERY + 12, sizeof(QUERY) - 12);
	assert_int_equal(m.n_rr, 2);
	assert_int_equal(m.rr[0].ttl, 100);
	assert_int_equal(m.rr[1].ttl, 101);
	assert_false(m.edns.present);
	assert_int_equal(len, b.len);
}

static void ttls_age_but_never_below_one(void **state)
{
	uint8_t wire[512], out[600];
	struct answer_blob b = blob(wire, sizeof(wire), 2);
	struct answer_client c = client(0);
	struct msg m;

	(void)state;
	m = read_back(out, answer_patch(&b, &c, 30, OURS, out, sizeof(out)));
	assert_int_equal(m.rr[0].ttl, 70);
	assert_int_equal(m.rr[1].ttl, 71);
	m = read_back(out, answer_patch(&b, &c, 100, OURS, out, sizeof(out)));
	assert_int_equal(m.rr[0].ttl, 1);
	assert_int_equal(m.rr[1].ttl, 1);
	m = read_back(out, answer_patch(&b, &c, UINT32_MAX, OURS, out, sizeof(out)));
	assert_int_equal(m.rr[1].ttl, 1);
}

static void in_place_is_the_same(void **state)
{
	uint8_t wire[600], out[600];
	struct answer_blob b = blob(wire, sizeof(wire), 3);
	struct answer_client c = edns_client(DNS_FLAG_RD, 4096, true);
	size_t len = answer_patch(&b, &c, 7, OURS, out, sizeof(out));

	(void)state;
	assert_int_equal(answer_patch(&b, &c, 7, OURS, wire, sizeof(wire)), len);
	assert_memory_equal(wire, out, len);
}

static unsigned flags_for(uint8_t security, bool is_aa, uint16_t flags, bool is_do)
{
	uint8_t wire[600], out[600];
	struct answer_blob b = blob(wire, sizeof(wire), 1);
	struct answer_client c = client(flags);

	b.security = security;
	b.is_aa = is_aa;
	b.rcode = DNS_RCODE_NXDOMAIN;
	c.has_edns = c.is_do = is_do;
	return read_back(out, answer_patch(&b, &c, 0, OURS, out, sizeof(out))).flags;
}

static void flags_follow_query_and_verdict(void **state)
{
	const unsigned always = DNS_FLAG_QR | DNS_FLAG_RA | DNS_RCODE_NXDOMAIN;

	(void)state;
	assert_int_equal(flags_for(RRSET_UNCHECKED, false, 0, false), always);
	assert_int_equal(flags_for(RRSET_UNCHECKED, true, 0, false), always | DNS_FLAG_AA);
	assert_int_equal(flags_for(RRSET_UNCHECKED, false, DNS_FLAG_RD | DNS_FLAG_CD, false),
		always | DNS_FLAG_RD | DNS_FLAG_CD);
	/* AD: proven, and asked for */
	assert_int_equal(flags_for(RRSET_SECURE, false, 0, false), always);
	assert_int_equal(flags_for(RRSET_SECURE, false, 0, true), always | DNS_FLAG_AD);
	assert_int_equal(flags_for(RRSET_SECURE, false, DNS_FLAG_AD, false), always | DNS_FLAG_AD);
	for (uint8_t s = RRSET_UNCHECKED; s < RRSET_SECURE; s++)
		assert_int_equal(flags_for(s, false, DNS_FLAG_AD, true), always);
	/* the query's AA, TC, RA and Z mean nothing */
	assert_int_equal(flags_for(RRSET_UNCHECKED, false, 0x06c0, false), always);
}

static void edns_is_answered_only_to_those_who_speak_it(void **state)
{
	uint8_t wire[512], out[600];
	struct answer_blob b = blob(wire, sizeof(wire), 1);
	struct answer_client c = edns_client(0, 4096, true);
	struct msg m;

	(void)state;
	b.ede = DNS_EDE_STALE;
	c.cookie_len = 16;
	memset(c.cookie, 0x5a, 16);
	m = read_back(out, answer_patch(&b, &c, 0, OURS, out, sizeof(out)));
	assert_true(m.edns.present && m.edns.is_do);
	assert_int_equal(m.edns.udp_size, OURS);
	assert_int_equal(m.edns.version, 0);
	assert_int_equal(m.edns.ede, DNS_EDE_STALE);
	assert_int_equal(m.edns.cookie_len, 16);
	assert_memory_equal(m.edns.cookie, c.cookie, 16);
	assert_int_equal(m.counts[3], 1);
	c = client(0);
	m = read_back(out, answer_patch(&b, &c, 0, OURS, out, sizeof(out)));
	assert_false(m.edns.present);
	assert_int_equal(m.counts[3], 0);
}

static void the_limit_is_the_smaller_of_both(void **state)
{
	struct answer_client c = client(0);

	(void)state;
	assert_int_equal(answer_limit(&c, OURS), 512);
	c = edns_client(0, 1000, false);
	assert_int_equal(answer_limit(&c, OURS), 1000);
	c.udp_size = 4096;
	assert_int_equal(answer_limit(&c, OURS), OURS);
	assert_int_equal(answer_limit(&c, 100), 512);
	c.is_tcp = true;
	assert_int_equal(answer_limit(&c, OURS), 65535);
}

static void what_does_not_fit_is_cut_to_the_question(void **state)
{
	uint8_t wire[2000], out[4096];
	struct answer_blob b = blob(wire, sizeof(wire), 60); /* 989 octets */
	struct answer_client c = client(DNS_FLAG_RD);
	struct msg m;

	(void)state;
	b.is_aa = true;
	m = read_back(out, answer_patch(&b, &c, 0, OURS, out, sizeof(out)));
	assert_int_equal(
		m.flags, DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_TC | DNS_FLAG_RD | DNS_FLAG_RA);
	assert_int_equal(m.n_rr, 0);
	assert_int_equal(m.len, sizeof(QUERY));
	c = edns_client(0, (uint16_t)(b.len + 10), false);
	b.ede = DNS_EDE_STALE;
	m = read_back(out, answer_patch(&b, &c, 0, OURS, out, sizeof(out)));
	assert_true(m.flags & DNS_FLAG_TC && m.edns.present && m.edns.ede == DNS_EDE_STALE);
	assert_int_equal(m.n_rr, 0);
	/* the same over TCP is whole, and needs no wire to be cut */
	c.is_tcp = true;
	m = read_back(out, answer_patch(&b, &c, 0, OURS, out, sizeof(out)));
	assert_false(m.flags & DNS_FLAG_TC);
	assert_int_equal(m.n_rr, 60);
	c.is_tcp = false;
	b.wire = NULL;
	m = read_back(out, answer_patch(&b, &c, 0, OURS, out, sizeof(out)));
	assert_true(m.flags & DNS_FLAG_TC);
}

static void an_explanation_gives_way_before_the_answer(void **state)
{
	uint8_t wire[2000], out[4096];
	struct answer_blob b = blob(wire, sizeof(wire), 60);
	struct answer_client c = edns_client(0, (uint16_t)(b.len + 11), false);
	struct msg m;

	(void)state;
	b.ede = DNS_EDE_STALE;
	m = read_back(out, answer_patch(&b, &c, 0, OURS, out, sizeof(out)));
	assert_false(m.flags & DNS_FLAG_TC);
	assert_int_equal(m.n_rr, 60);
	assert_int_equal(m.edns.ede, DNS_EDE_NONE);
	assert_int_equal(m.len, c.udp_size);
}

static void errors_echo_the_question_and_opcode(void **state)
{
	uint8_t out[600];
	struct answer_client c = client(5 << 11 | DNS_FLAG_RD | DNS_FLAG_AA);
	struct msg m;

	(void)state;
	m = read_back(out, answer_error(&c, DNS_RCODE_NOTIMP, DNS_EDE_NONE, OURS, out, 600));
	assert_int_equal(m.opcode, 5);
	assert_int_equal(m.rcode, DNS_RCODE_NOTIMP);
	assert_int_equal(
		m.flags & (DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD), DNS_FLAG_QR | DNS_FLAG_RD);
	assert_int_equal(m.q.type, 1);
	c.question_len = 0;
	m = read_back(out, answer_error(&c, DNS_RCODE_FORMERR, DNS_EDE_NONE, OURS, out, 600));
	assert_int_equal(m.len, 12);
	assert_int_equal(m.counts[0], 0);
	c = edns_client(0, 4096, false);
	m = read_back(out, answer_error(&c, DNS_RCODE_BADVERS, DNS_EDE_NONE, OURS, out, 600));
	assert_int_equal(m.rcode, DNS_RCODE_BADVERS);
	m = read_back(out, answer_error(&c, DNS_RCODE_SERVFAIL, DNS_EDE_BOGUS, OURS, out, 600));
	assert_int_equal(m.rcode, DNS_RCODE_SERVFAIL);
	assert_int_equal(m.edns.ede, DNS_EDE_BOGUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_carries_the_clients_id_and_spelling),
		cmocka_unit_test(ttls_age_but_never_below_one),
		cmocka_unit_test(in_place_is_the_same),
		cmocka_unit_test(flags_follow_query_and_verdict),
		cmocka_unit_test(edns_is_answered_only_to_those_who_speak_it),
		cmocka_unit_test(the_limit_is_the_smaller_of_both),
		cmocka_unit_test(what_does_not_fit_is_cut_to_the_question),
		cmocka_unit_test(an_explanation_gives_way_before_the_answer),
		cmocka_unit_test(errors_echo_the_question_and_opcode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
