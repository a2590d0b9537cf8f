/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/msg_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct question question(const char *text, uint16_t type)
{
	struct question q = {.type = type, .class = DNS_CLASS_IN};
	size_t len;

	assert_int_equal(dname_read(text, q.name, &len), 0);
	q.name_len = (uint8_t)len;
	return q;
}

static const uint8_t *name(const char *text)
{
	static uint8_t store[4][DNAME_MAX];
	static unsigned i;
	size_t len;
	uint8_t *out = store[i++ % 4];

	assert_int_equal(dname_read(text, out, &len), 0);
	return out;
}

static void names_are_compressed_against_what_stands_before(void **state)
{
	static const uint8_t expect[] = "\x12\x34\x84\x00\0\1\0\1\0\0\0\0"
					"\4mail\7Example\3com\0\0\17\0\1"
					"\300\14\0\17\0\1\0\0\1\54\0\7\0\12\2mx\300\21";
	struct question q = question("mail.Example.com", DNS_TYPE_MX);
	uint8_t buf[512], rdata[64] = "\0\12\2mx\7example\3com";
	struct msg_writer w;
	size_t n;

	(void)state;
	msg_write_begin(&w, buf, sizeof(buf), 0x1234, DNS_FLAG_QR | DNS_FLAG_AA, &q);
	assert_int_equal(msg_write_rr(&w, DNS_SECTION_ANSWER, name("MAIL.example.com"), DNS_TYPE_MX,
				 1, 300, rdata, 18),
		0);
	n = msg_write_end(&w);
	assert_int_equal(n, sizeof(expect) - 1);
	assert_memory_equal(buf, expect, n);
	assert_int_equal(w.n_ttl, 1);
	assert_memory_equal(buf + w.ttl_off[0], "\0\0\1\54", 4);
}

static void rdata_of_newer_types_is_not_compressed(void **state)
{
	struct question q = question("x.example", DNS_TYPE_SRV);
	uint8_t buf[512], rdata[] = "\0\1\0\2\0\3\1x\7example";
	struct msg_writer w;
	size_t n;

	(void)state;
	msg_write_begin(&w, buf, sizeof(buf), 0, 0, &q);
	assert_int_equal(
		msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, DNS_TYPE_SRV, 1, 1, rdata, 17), 0);
	n = msg_write_end(&w);
	assert_memory_equal(buf + n - 17, rdata, 17);
}

static void what_does_not_fit_leaves_no_trace(void **state)
{
	struct question q = question("a.example", DNS_TYPE_TXT);
	uint8_t buf[512], mem[512], before[512];
	struct msg_writer w;
	struct rrset *rr = rrset_init(mem, sizeof(mem), name("b.other"), DNS_TYPE_TXT, 1, 5);

	(void)state;
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\3abc", 4), 0);
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"\3abd", 4), 0);
	for (size_t cap = 12 + 11 + 4; cap < 12 + 15 + 2 * 25; cap++) {
		size_t n;

		msg_write_begin(&w, buf, cap, 0, 0, &q);
		n = w.b.len;
		memcpy(before, buf, n);
		if (msg_write_rrset(&w, DNS_SECTION_ANSWER, rr, 5, true) == 0)
			continue;
		assert_int_equal(w.b.len, n);
		assert_memory_equal(buf, before, n);
		assert_int_equal(w.counts[1], 0);
		assert_int_equal(w.n_ttl, 0);
		/* what was taken back is not pointed to */
		w.b.cap = sizeof(buf);
		assert_int_equal(msg_write_rrset(&w, DNS_SECTION_ANSWER, rr, 5, true), 0);
		assert_memory_equal(buf + n, "\1b\5other\0\0\20", 11);
		assert_int_equal(w.counts[1], 2);
	}
}

static void a_buffer_below_a_question_fails_everything_after(void **state)
{
	struct question q = question("a.example", DNS_TYPE_A);
	struct edns_reply e = {.ede = DNS_EDE_NONE};
	struct msg_writer w;
	uint8_t buf[512];
	size_t len;

	(void)state;
	for (size_t cap = 0; cap < 12 + 15; cap++) {
		msg_write_begin(&w, buf, cap, 0, 0, &q);
		assert_true(w.b.bad);
		assert_int_equal(msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, 1, 1, 1,
					 (const uint8_t *)"abcd", 4),
			ERR_SPACE);
		assert_int_equal(msg_write_opt(&w, &e), ERR_SPACE);
		assert_int_equal(msg_write_query(buf, cap, 1, 0, &q, NULL, &len), ERR_SPACE);
	}
}

static void sigs_go_along_when_asked_for(void **state)
{
	struct question q = question("a", DNS_TYPE_A);
	uint8_t mem[512], buf[512], sig[20] = {0, 1};
	struct rrset *rr = rrset_init(mem, sizeof(mem), q.name, DNS_TYPE_A, 1, 5);
	struct msg_writer w;

	(void)state;
	assert_int_equal(rrset_add(rr, sizeof(mem), (const uint8_t *)"abcd", 4), 0);
	assert_int_equal(rrset_add_sig(rr, sizeof(mem), sig, sizeof(sig)), 0);
	msg_write_begin(&w, buf, sizeof(buf), 0, 0, &q);
	assert_int_equal(msg_write_rrset(&w, DNS_SECTION_ANSWER, rr, 5, false), 0);
	assert_int_equal(w.counts[1], 1);
	assert_int_equal(msg_write_rrset(&w, DNS_SECTION_ANSWER, rr, 5, true), 0);
	assert_int_equal(w.counts[1], 3);
}

static void opt_ends_the_message(void **state)
{
	struct question q = question("a", DNS_TYPE_A);
	struct edns_reply e = {.udp_size = 1232,
		.rcode = DNS_RCODE_BADVERS,
		.is_do = true,
		.cookie_len = 8,
		.cookie = (const uint8_t *)"abcdefgh",
		.ede = DNS_EDE_BLOCKED,
		.ede_text = "no"};
	struct msg_writer w;
	struct msg *m = malloc(sizeof(*m));
	uint8_t buf[512];
	size_t n;

	(void)state;
	msg_write_begin(&w, buf, sizeof(buf), 7, DNS_FLAG_QR, &q);
	assert_int_equal(msg_write_opt(&w, &e), 0);
	n = msg_write_end(&w);
	assert_int_equal(n, 12 + 7 + edns_write_len(&e));
	assert_int_equal(msg_parse(buf, n, m), 0);
	assert_int_equal(m->rcode, DNS_RCODE_BADVERS);
	assert_true(m->edns.is_do);
	assert_int_equal(m->edns.ede, DNS_EDE_BLOCKED);
	assert_memory_equal(m->edns.cookie, "abcdefgh", 8);
	free(m);
}

static void an_upstream_query_keeps_the_case_it_is_given(void **state)
{
	struct question q = question("wWw.ExAmPlE", DNS_TYPE_A);
	struct edns_reply e = {.udp_size = 1232, .is_do = true, .ede = DNS_EDE_NONE};
	struct msg_query back;
	uint8_t buf[512];
	size_t n;

	(void)state;
	assert_int_equal(msg_write_query(buf, sizeof(buf), 0xbeef, 0, &q, &e, &n), 0);
	assert_int_equal(msg_parse_query(buf, n, &back), 0);
	assert_int_equal(back.id, 0xbeef);
	assert_memory_equal(back.q.name, q.name, q.name_len);
	assert_true(back.edns.is_do);
	assert_int_equal(n, 12 + 17 + EDNS_PLAIN_LEN);
	assert_int_equal(msg_write_query(buf, sizeof(buf), 0xbeef, 0, &q, NULL, &n), 0);
	assert_int_equal(n, 12 + 17);
}

/* B12: many records, names of many labels, none alike: correct, and its work is bounded. */
static void a_crowd_of_names_is_written_and_read_back(void **state)
{
	struct question q = question("x", DNS_TYPE_NS);
	uint8_t *buf = malloc(65535), rdata[DNAME_MAX], owner[DNAME_MAX], back[DNAME_MAX];
	struct msg_writer w;
	struct msg *m = malloc(sizeof(*m));
	unsigned n_rr = 0;
	size_t n, len;

	(void)state;
	msg_write_begin(&w, buf, 65535, 0, DNS_FLAG_QR, &q);
	for (;; n_rr++) {
		char text[DNAME_TEXT_MAX] = "";

		for (unsigned i = 0; i < 60; i++)
			strcat(text, (n_rr + i) % 7 ? "ab." : "c.");
		sprintf(text + strlen(text), "%u.x", n_rr % 300);
		assert_int_equal(dname_read(text, owner, &len), 0);
		memcpy(rdata, owner, len);
		if (msg_write_rr(&w, DNS_SECTION_ANSWER, owner, DNS_TYPE_NS, 1, 9, rdata, len) != 0)
			break;
	}
	n = msg_write_end(&w);
	assert_true(n_rr > 100);
	assert_int_equal(msg_parse(buf, n, m), 0);
	assert_int_equal(m->n_rr, n_rr);
	for (unsigned i = 0; i < n_rr; i++) {
		struct rbuf b = rbuf_of(buf, n);
		char text[DNAME_TEXT_MAX] = "";

		for (unsigned k = 0; k < 60; k++)
			strcat(text, (i + k) % 7 ? "ab." : "c.");
		sprintf(text + strlen(text), "%u.x", i % 300);
		assert_int_equal(dname_read(text, owner, &len), 0);
		b.pos = m->rr[i].owner;
		assert_int_equal(dname_parse(&b, back, &len), 0);
		assert_true(dname_equal(owner, back));
		b.pos = m->rr[i].rdata;
		assert_int_equal(dname_parse(&b, back, &len), 0);
		assert_true(dname_equal(owner, back));
	}
	assert_true(w.steps <= MSG_WRITE_STEPS_MAX + 127u * (1 + MSG_WRITE_NAMES_MAX));
	assert_true(w.n_names <= MSG_WRITE_NAMES_MAX);
	free(buf);
	free(m);
}

static void names_past_the_reach_of_a_pointer_are_written_whole(void **state)
{
	struct question q = question("x", DNS_TYPE_TXT);
	uint8_t *buf = malloc(65535), *blob = calloc(1, 20000);
	struct msg_writer w;
	size_t n;

	(void)state;
	msg_write_begin(&w, buf, 65535, 0, 0, &q);
	assert_int_equal(msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, 65280, 1, 1, blob, 20000), 0);
	for (int i = 0; i < 2; i++) {
		n = w.b.len;
		assert_int_equal(msg_write_rr(&w, DNS_SECTION_ANSWER, name("far.away"), 65280, 1, 1,
					 blob, 0),
			0);
		assert_int_equal(w.b.len - n, 10 + 10);
	}
	free(buf);
	free(blob);
}

static void ttl_offsets_past_their_table_are_told(void **state)
{
	struct question q = question("x", DNS_TYPE_A);
	uint8_t *buf = malloc(65535);
	struct msg_writer w;

	(void)state;
	msg_write_begin(&w, buf, 65535, 0, 0, &q);
	for (unsigned i = 0; i <= MSG_WRITE_TTL_MAX; i++) {
		assert_false(w.ttl_overflow);
		assert_int_equal(
			msg_write_rr(&w, DNS_SECTION_ANSWER, q.name, 65280, 1, 1, NULL, 0), 0);
	}
	assert_true(w.ttl_overflow);
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_compressed_against_what_stands_before),
		cmocka_unit_test(rdata_of_newer_types_is_not_compressed),
		cmocka_unit_test(what_does_not_fit_leaves_no_trace),
		cmocka_unit_test(a_buffer_below_a_question_fails_everything_after),
		cmocka_unit_test(sigs_go_along_when_asked_for),
		cmocka_unit_test(opt_ends_the_message),
		cmocka_unit_test(an_upstream_query_keeps_the_case_it_is_given),
		cmocka_unit_test(a_crowd_of_names_is_written_and_read_back),
		cmocka_unit_test(names_past_the_reach_of_a_pointer_are_written_whole),
		cmocka_unit_test(ttl_offsets_past_their_table_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
