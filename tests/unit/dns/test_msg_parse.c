/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/msg_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wbuf.h"

/* ---- a message under construction, byte by byte ---- */
struct draft {
	struct wbuf b;
	uint8_t *buf;
};

static struct draft begin(uint16_t flags, unsigned qd, unsigned an, unsigned ns, unsigned ar)
{
	struct draft d;

	d.buf = malloc(70000);
	d.b = wbuf_of(d.buf, 70000);
	wbuf_u16(&d.b, 0x1234);
	wbuf_u16(&d.b, flags);
	wbuf_u16(&d.b, qd);
	wbuf_u16(&d.b, an);
	wbuf_u16(&d.b, ns);
	wbuf_u16(&d.b, ar);
	return d;
}

static void name(struct draft *d, const char *text)
{
	uint8_t wire[DNAME_MAX];
	size_t len;

	assert_int_equal(dname_read(text, wire, &len), 0);
	wbuf_put(&d->b, wire, len);
}

static void question(struct draft *d, const char *text, uint16_t type)
{
	name(d, text);
	wbuf_u16(&d->b, type);
	wbuf_u16(&d->b, DNS_CLASS_IN);
}

static void record(struct draft *d, const char *owner, uint16_t type, uint32_t ttl,
	const void *rdata, size_t len)
{
	name(d, owner);
	wbuf_u16(&d->b, type);
	wbuf_u16(&d->b, DNS_CLASS_IN);
	wbuf_u32(&d->b, ttl);
	wbuf_u16(&d->b, (unsigned)len);
	wbuf_put(&d->b, rdata, len);
}

static void opt(struct draft *d, unsigned size, uint32_t ttl, const void *options, size_t len)
{
	wbuf_u8(&d->b, 0);
	wbuf_u16(&d->b, DNS_TYPE_OPT);
	wbuf_u16(&d->b, size);
	wbuf_u32(&d->b, ttl);
	wbuf_u16(&d->b, (unsigned)len);
	wbuf_put(&d->b, options, len);
}

static void drop(struct draft *d)
{
	free(d->buf);
}

/* Parses an exact copy, so that ASan sees a read past the end. */
static int as_query(const struct draft *d, size_t len, struct msg_query *out)
{
	uint8_t *exact = malloc(len ? len : 1);
	int err;

	memcpy(exact, d->buf, len);
	err = msg_parse_query(exact, len, out);
	free(exact);
	return err;
}

static void query_is_read_whole(void **state)
{
	struct draft d = begin(DNS_FLAG_RD | DNS_FLAG_CD, 1, 0, 0, 1);
	struct msg_query q;

	(void)state;
	question(&d, "WwW.example.com", DNS_TYPE_AAAA);
	opt(&d, 1232, 0x8000, "\0\12\0\10abcdefgh\0\13\0\0", 16);
	assert_int_equal(as_query(&d, d.b.len, &q), 0);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.flags, DNS_FLAG_RD | DNS_FLAG_CD);
	assert_int_equal(q.opcode, DNS_OPCODE_QUERY);
	assert_true(q.has_question);
	assert_int_equal(q.question_len, 17 + 4);
	assert_int_equal(q.q.name_len, 17);
	assert_memory_equal(q.q.name, "\3WwW\7example\3com", 17);
	assert_int_equal(q.q.type, DNS_TYPE_AAAA);
	assert_int_equal(q.q.class, DNS_CLASS_IN);
	assert_true(q.edns.present && q.edns.is_do && q.edns.has_keepalive);
	assert_int_equal(q.edns.udp_size, 1232);
	assert_int_equal(q.edns.cookie_len, 8);
	assert_memory_equal(q.edns.cookie, "abcdefgh", 8);
	drop(&d);
}

static void query_without_edns_has_512(void **state)
{
	struct draft d = begin(DNS_FLAG_RD, 1, 0, 0, 0);
	struct msg_query q;

	(void)state;
	question(&d, ".", DNS_TYPE_NS);
	wbuf_put(&d.b, "junk", 4);
	assert_int_equal(as_query(&d, d.b.len, &q), 0);
	assert_false(q.edns.present);
	assert_int_equal(q.edns.udp_size, 512);
	assert_int_equal(q.edns.ede, DNS_EDE_NONE);
	drop(&d);
}

/* B12, B13: every cut of a sound query is told apart: drop below a header, FORMERR above. */
static void every_cut_of_a_query_is_an_error(void **state)
{
	struct draft d = begin(DNS_FLAG_RD, 1, 0, 0, 1);
	struct msg_query q;

	(void)state;
	question(&d, "www.example.com", DNS_TYPE_A);
	opt(&d, 1232, 0, "\0\12\0\10abcdefgh", 12);
	for (size_t len = 0; len < d.b.len; len++) {
		int err = as_query(&d, len, &q);

		assert_int_equal(err, len < 12 ? ERR_TRUNC : ERR_MALFORMED);
		if (len >= 12 + 21)
			assert_true(q.has_question);
	}
	drop(&d);
}

static void answers_are_dropped_by_the_query_parser(void **state)
{
	struct draft d = begin(DNS_FLAG_QR, 1, 0, 0, 0);
	struct msg_query q;

	(void)state;
	question(&d, "a", DNS_TYPE_A);
	assert_int_equal(as_query(&d, d.b.len, &q), ERR_TRUNC);
	drop(&d);
}

static void a_query_asks_exactly_one_question(void **state)
{
	struct msg_query q;

	(void)state;
	for (unsigned n = 0; n < 4; n++) {
		struct draft d = begin(0, n, 0, 0, 0);

		for (unsigned i = 0; i < n; i++)
			question(&d, "a", DNS_TYPE_A);
		assert_int_equal(as_query(&d, d.b.len, &q), n == 1 ? 0 : ERR_MALFORMED);
		assert_int_equal(q.has_question, n == 1);
		drop(&d);
	}
}

static void pointer_in_the_question_is_malformed(void **state)
{
	static const char *const names[] = {"\300\14", "\300\0", "\1a\300\14", "\377\377"};
	static const size_t lens[] = {2, 2, 4, 2};
	struct msg_query q;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct draft d = begin(0, 1, 0, 0, 0);

		wbuf_put(&d.b, names[i], lens[i]);
		wbuf_u32(&d.b, 0x10001);
		assert_int_equal(as_query(&d, d.b.len, &q), ERR_MALFORMED);
		assert_false(q.has_question);
		drop(&d);
	}
}

static void one_opt_of_the_root_in_the_additional_section(void **state)
{
	struct msg_query q;
	struct draft d = begin(0, 1, 0, 0, 2);

	(void)state;
	question(&d, "a", DNS_TYPE_A);
	opt(&d, 4096, 0, NULL, 0);
	opt(&d, 4096, 0, NULL, 0);
	assert_int_equal(as_query(&d, d.b.len, &q), ERR_MALFORMED);
	drop(&d);

	d = begin(0, 1, 1, 0, 0);
	question(&d, "a", DNS_TYPE_A);
	opt(&d, 4096, 0, NULL, 0);
	assert_int_equal(as_query(&d, d.b.len, &q), ERR_MALFORMED);
	drop(&d);

	d = begin(0, 1, 0, 0, 1);
	question(&d, "a", DNS_TYPE_A);
	record(&d, "x", DNS_TYPE_OPT, 0, NULL, 0);
	assert_int_equal(as_query(&d, d.b.len, &q), ERR_MALFORMED);
	drop(&d);

	/* others are stepped over */
	d = begin(0, 1, 1, 1, 3);
	question(&d, "a", DNS_TYPE_A);
	for (int i = 0; i < 4; i++)
		record(&d, "x.y", DNS_TYPE_TSIG, 0, "abc", 3);
	opt(&d, 100, 0x01000000, NULL, 0);
	assert_int_equal(as_query(&d, d.b.len, &q), 0);
	assert_true(q.edns.present);
	assert_int_equal(q.edns.udp_size, 512);
	drop(&d);
}

static void other_opcodes_are_told_with_their_question(void **state)
{
	struct draft d = begin(DNS_OPCODE_UPDATE << 11, 1, 7, 0, 0);
	struct msg_query q;

	(void)state;
	question(&d, "home.arpa", DNS_TYPE_SOA);
	assert_int_equal(as_query(&d, d.b.len, &q), 0);
	assert_int_equal(q.opcode, DNS_OPCODE_UPDATE);
	assert_true(q.has_question);
	assert_int_equal(as_query(&d, 13, &q), 0);
	assert_false(q.has_question);
	drop(&d);
}

/* ---- replies ---- */
struct reply {
	struct msg m;
	struct arena_pool *pool;
	struct arena *arena;
	struct rrset *sets[64];
	size_t n;
};

static struct reply *reply_new(size_t cap)
{
	struct reply *r = malloc(sizeof(*r));

	r->pool = arena_pool_new(4096, 4);
	r->arena = arena_new(r->pool, cap);
	r->n = 0;
	return r;
}

static void reply_free(struct reply *r)
{
	arena_free(r->arena);
	arena_pool_free(r->pool);
	free(r);
}

static int sets(struct reply *r, enum dns_section section, size_t max)
{
	return msg_parse_rrsets(&r->m, section, r->arena, r->sets, max, &r->n);
}

static void reply_is_indexed_by_section(void **state)
{
	struct draft d = begin(DNS_FLAG_QR | DNS_FLAG_AA | 3, 1, 1, 1, 2);
	struct reply *r = reply_new(1 << 20);

	(void)state;
	question(&d, "a.example", DNS_TYPE_A);
	record(&d, "a.example", DNS_TYPE_A, 300, "\1\2\3\4", 4);
	record(&d, "example", DNS_TYPE_NS, 0x80000001, "\2ns\300\16", 5);
	record(&d, "ns.example", DNS_TYPE_A, 60, "\1\2\3\5", 4);
	opt(&d, 1232, 0x01008000, NULL, 0);
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
	assert_int_equal(r->m.n_rr, 3);
	assert_int_equal(r->m.rcode, 16 + 3);
	assert_int_equal(r->m.rr[0].section, DNS_SECTION_ANSWER);
	assert_int_equal(r->m.rr[1].section, DNS_SECTION_AUTHORITY);
	assert_int_equal(r->m.rr[1].ttl, 0); /* RFC 2181 8 */
	assert_int_equal(r->m.rr[2].section, DNS_SECTION_ADDITIONAL);
	assert_true(r->m.edns.present && r->m.edns.is_do);
	assert_int_equal(sets(r, DNS_SECTION_AUTHORITY, 64), 0);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->sets[0]->type, DNS_TYPE_NS);
	drop(&d);
	reply_free(r);
}

static void every_cut_of_a_reply_is_an_error_unless_it_says_so(void **state)
{
	struct draft d = begin(DNS_FLAG_QR, 1, 1, 0, 1);
	struct reply *r = reply_new(1 << 20);

	(void)state;
	question(&d, "a", DNS_TYPE_A);
	record(&d, "a", DNS_TYPE_A, 1, "\1\2\3\4", 4);
	opt(&d, 1232, 0, NULL, 0);
	for (size_t len = 0; len < d.b.len; len++) {
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, d.buf, len);
		assert_true(msg_parse(exact, len, &r->m) < 0);
		if (len >= 12 + 7) {
			exact[2] |= 2; /* TC */
			assert_int_equal(msg_parse(exact, len, &r->m), 0);
			assert_int_equal(r->m.n_rr, len >= 12 + 7 + 17);
		}
		free(exact);
	}
	drop(&d);
	reply_free(r);
}

static void rrsets_gather_records_and_their_signatures(void **state)
{
	static const uint8_t sig_a[] = "\0\1\10\2\0\0\1\54....####\1\2\7example\0SIG";
	static const uint8_t sig_mx[] = "\0\17\10\2\0\0\1\54....####\1\2\7example\0SIG";
	struct draft d = begin(DNS_FLAG_QR, 1, 7, 0, 0);
	struct reply *r = reply_new(1 << 20);
	struct rrset_iter it;

	(void)state;
	question(&d, "a.example", DNS_TYPE_A);
	record(&d, "a.example", DNS_TYPE_RRSIG, 300, sig_a, sizeof(sig_a) - 1);
	record(&d, "a.example", DNS_TYPE_A, 300, "\1\1\1\1", 4);
	record(&d, "A.EXAMPLE", DNS_TYPE_A, 200, "\1\1\1\2", 4);
	record(&d, "a.example", DNS_TYPE_A, 400, "\1\1\1\1", 4); /* twice: dropped */
	record(&d, "a.example", DNS_TYPE_RRSIG, 300, sig_mx, sizeof(sig_mx) - 1);
	record(&d, "a.example", DNS_TYPE_AAAA, 300, "0123456789abcdef", 16);
	record(&d, "b.example", DNS_TYPE_A, 300, "\1\1\1\1", 4);
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
	assert_int_equal(sets(r, DNS_SECTION_ANSWER, 64), 0);
	assert_int_equal(r->n, 4);
	assert_int_equal(r->sets[0]->type, DNS_TYPE_A);
	assert_int_equal(r->sets[0]->n_rr, 2);
	assert_int_equal(r->sets[0]->n_sig, 1);
	assert_int_equal(r->sets[0]->ttl, 200);
	assert_true(rrset_is_sound(r->sets[0], r->sets[0]->size));
	it = rrset_begin(r->sets[0]);
	assert_true(rrset_next(&it) && rrset_next(&it) && rrset_next(&it));
	assert_true(it.is_sig);
	assert_int_equal(it.len, sizeof(sig_a) - 1);
	assert_int_equal(rrset_sig_covers(it.rdata), DNS_TYPE_A);
	assert_false(rrset_next(&it));
	assert_int_equal(r->sets[1]->type, DNS_TYPE_RRSIG); /* covers an MX that is not there */
	assert_int_equal(r->sets[2]->type, DNS_TYPE_AAAA);
	assert_int_equal(r->sets[3]->type, DNS_TYPE_A);
	assert_int_equal(sets(r, DNS_SECTION_ANSWER, 3), ERR_LIMIT);
	drop(&d);
	reply_free(r);
}

static void lone_signatures_of_one_owner_are_one_rrset(void **state)
{
	uint8_t sig[] = "\0\1\10\2\0\0\1\54....####\1\2\7example\0SIG";
	struct draft d = begin(DNS_FLAG_QR, 0, 3, 0, 0);
	struct reply *r = reply_new(1 << 20);

	(void)state;
	for (uint8_t covers = 1; covers < 4; covers++) {
		sig[1] = covers;
		record(&d, "example", DNS_TYPE_RRSIG, 300, sig, sizeof(sig) - 1);
	}
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
	assert_int_equal(sets(r, DNS_SECTION_ANSWER, 64), 0);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->sets[0]->n_rr, 3);
	assert_int_equal(r->sets[0]->n_sig, 0);
	drop(&d);
	reply_free(r);
}

static void names_in_rdata_are_expanded(void **state)
{
	struct draft d = begin(DNS_FLAG_QR, 1, 1, 0, 0);
	struct reply *r = reply_new(1 << 20);
	struct rrset_iter it;

	(void)state;
	question(&d, "example", DNS_TYPE_MX);
	record(&d, "example", DNS_TYPE_MX, 300, "\0\12\4mail\300\14", 9);
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
	assert_int_equal(sets(r, DNS_SECTION_ANSWER, 64), 0);
	it = rrset_begin(r->sets[0]);
	assert_true(rrset_next(&it));
	assert_int_equal(it.len, 16);
	assert_memory_equal(it.rdata, "\0\12\4mail\7example", 16);
	drop(&d);
	reply_free(r);
}

static void rdata_that_breaks_its_type_is_malformed(void **state)
{
	static const struct {
		uint16_t type;
		const char *rdata;
		size_t len;
	} bad[] = {
		{DNS_TYPE_A, "\1\2\3", 3},
		{DNS_TYPE_A, "\1\2\3\4\5", 5},
		{DNS_TYPE_A, "", 0},
		{DNS_TYPE_AAAA, "\1\2\3\4", 4},
		{DNS_TYPE_NS, "\300\377", 2},
		{DNS_TYPE_NS, "\1a", 2},    /* runs over the rdata's end */
		{DNS_TYPE_NS, "\1a\0x", 4}, /* does not fill it */
		{DNS_TYPE_MX, "\0", 1},
		{DNS_TYPE_SOA, "\0\0abcd", 6},
		{DNS_TYPE_TXT, "\5ab", 3},
		{DNS_TYPE_TXT, "", 0},
		{DNS_TYPE_RRSIG, "\0", 1},
		{DNS_TYPE_RRSIG, "\0\1\10\2\0\0\1\54....####\1\2\300\14S", 21},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct draft d = begin(DNS_FLAG_QR, 0, 2, 0, 0);
		struct reply *r = reply_new(1 << 20);

		record(&d, "x", bad[i].type, 1, bad[i].rdata, bad[i].len);
		record(&d, "y", DNS_TYPE_A, 1, "\0\0\0\0", 4); /* octets to run into */
		assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
		assert_int_equal(sets(r, DNS_SECTION_ANSWER, 64), ERR_MALFORMED);
		drop(&d);
		reply_free(r);
	}
}

static void limits_of_a_message_and_of_a_set_hold(void **state)
{
	struct draft d = begin(DNS_FLAG_QR, 0, MSG_RR_MAX + 1, 0, 0);
	struct reply *r = reply_new(1 << 20);
	uint8_t a[4] = {10, 0, 0, 0};

	(void)state;
	for (unsigned i = 0; i <= MSG_RR_MAX; i++)
		record(&d, ".", DNS_TYPE_A, 1, a, 4);
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), ERR_LIMIT);
	wbuf_set16(d.buf + 6, MSG_RR_MAX);
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
	/* all equal: one record */
	assert_int_equal(sets(r, DNS_SECTION_ANSWER, 64), 0);
	assert_int_equal(r->sets[0]->n_rr, 1);
	drop(&d);

	for (unsigned n = RRSET_RR_MAX; n <= RRSET_RR_MAX + 1; n++) {
		d = begin(DNS_FLAG_QR, 0, n, 0, 0);
		for (unsigned i = 0; i < n; i++) {
			a[3] = (uint8_t)i;
			record(&d, ".", DNS_TYPE_A, 1, a, 4);
		}
		assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
		assert_int_equal(sets(r, DNS_SECTION_ANSWER, 64), n > RRSET_RR_MAX ? ERR_LIMIT : 0);
		drop(&d);
	}
	reply_free(r);
}

static void an_arena_that_is_used_up_is_a_limit(void **state)
{
	struct draft d = begin(DNS_FLAG_QR, 0, 1, 0, 0);
	struct reply *r = reply_new(16);

	(void)state;
	record(&d, "example", DNS_TYPE_A, 1, "\1\2\3\4", 4);
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
	assert_int_equal(sets(r, DNS_SECTION_ANSWER, 64), ERR_LIMIT);
	drop(&d);
	reply_free(r);
}

static void a_reply_with_two_questions_or_a_bad_owner_is_malformed(void **state)
{
	struct draft d = begin(DNS_FLAG_QR, 2, 0, 0, 0);
	struct reply *r = reply_new(1 << 20);

	(void)state;
	question(&d, "a", DNS_TYPE_A);
	question(&d, "b", DNS_TYPE_A);
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), ERR_MALFORMED);
	drop(&d);

	/* an owner that points at itself is found when it is expanded */
	d = begin(DNS_FLAG_QR, 0, 1, 0, 0);
	wbuf_put(&d.b, "\300\14\0\1\0\1\0\0\0\0\0\4abcd", 16);
	assert_int_equal(msg_parse(d.buf, d.b.len, &r->m), 0);
	assert_int_equal(sets(r, DNS_SECTION_ANSWER, 64), ERR_MALFORMED);
	drop(&d);
	reply_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_is_read_whole),
		cmocka_unit_test(query_without_edns_has_512),
		cmocka_unit_test(every_cut_of_a_query_is_an_error),
		cmocka_unit_test(answers_are_dropped_by_the_query_parser),
		cmocka_unit_test(a_query_asks_exactly_one_question),
		cmocka_unit_test(pointer_in_the_question_is_malformed),
		cmocka_unit_test(one_opt_of_the_root_in_the_additional_section),
		cmocka_unit_test(other_opcodes_are_told_with_their_question),
		cmocka_unit_test(reply_is_indexed_by_section),
		cmocka_unit_test(every_cut_of_a_reply_is_an_error_unless_it_says_so),
		cmocka_unit_test(rrsets_gather_records_and_their_signatures),
		cmocka_unit_test(lone_signatures_of_one_owner_are_one_rrset),
		cmocka_unit_test(names_in_rdata_are_expanded),
		cmocka_unit_test(rdata_that_breaks_its_type_is_malformed),
		cmocka_unit_test(limits_of_a_message_and_of_a_set_hold),
		cmocka_unit_test(an_arena_that_is_used_up_is_a_limit),
		cmocka_unit_test(a_reply_with_two_questions_or_a_bad_owner_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
