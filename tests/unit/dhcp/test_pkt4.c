/* SPDX-License-Identifier: Apache-2.0 */
/* pkt4_parse and pkt4_write: form, order, room. */
#include "dhcp/pkt4_write.h"

#include "fake_lan.h"

struct written {
	uint8_t bytes[DHCP_PACKET_MAX];
	size_t len;
	unsigned n_cut;
	struct pkt4 back;
};

static void write_back(struct pkt4_reply *r, struct written *w)
{
	assert_int_equal(0, pkt4_write(r, w->bytes, sizeof(w->bytes), &w->len, &w->n_cut));
	assert_true(w->len >= DHCP_PACKET_MIN);
	assert_int_equal(0, pkt4_parse(&w->back, w->bytes, w->len));
}

static void a_short_or_foreign_message_is_refused(void **state)
{
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	struct pkt4 out;

	(void)state;
	assert_int_equal(0, pkt4_parse(&out, p.bytes, p.len));
	for (size_t len = 0; len < DHCP_HEADER_LEN; len++)
		assert_int_equal(ERR_TRUNC, pkt4_parse(&out, p.bytes, len));
	p.bytes[2] = 17;
	assert_int_equal(ERR_MALFORMED, pkt4_parse(&out, p.bytes, p.len));
	p.bytes[2] = 255;
	assert_int_equal(ERR_MALFORMED, pkt4_parse(&out, p.bytes, p.len));
	p.bytes[2] = 16;
	assert_int_equal(0, pkt4_parse(&out, p.bytes, p.len));
	p.bytes[236] = 0;
	assert_int_equal(ERR_MALFORMED, pkt4_parse(&out, p.bytes, p.len));
}

static void two_message_types_are_refused(void **state)
{
	struct fake_client c = fake_client(1);
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	struct pkt4 out;

	(void)state;
	fake_opt(&p, DHCP_OPT_TYPE, "\3", 1);
	assert_int_equal(ERR_MALFORMED, pkt4_parse(&out, p.bytes, p.len));
}

static void fields_are_read_where_they_are(void **state)
{
	struct fake_client c = fake_client(0x010203);
	struct fake_pkt p = fake_begin(&c, DHCP_REQUEST);
	struct pkt4 out;

	(void)state;
	fake_ciaddr(&p, IP4(1, 2, 3, 4));
	assert_int_equal(0, pkt4_parse(&out, p.bytes, p.len));
	assert_int_equal(c.xid, out.xid);
	assert_int_equal(IP4(1, 2, 3, 4), out.ciaddr);
	assert_int_equal(DHCP_REQUEST, out.type);
	assert_memory_equal(c.mac, out.chaddr, 6);
}

static void option_57_bounds_the_reply(void **state)
{
	(void)state;
	assert_int_equal(548, pkt4_max_len(0));
	assert_int_equal(548, pkt4_max_len(1));
	assert_int_equal(548, pkt4_max_len(576));
	assert_int_equal(1172, pkt4_max_len(1200));
	assert_int_equal(1472, pkt4_max_len(1500));
	assert_int_equal(1472, pkt4_max_len(65535));
}

/* Numbers of the options in the order they were written. */
static size_t order(const struct written *w, uint8_t out[64])
{
	size_t n = 0;

	for (size_t at = DHCP_HEADER_LEN; w->bytes[at] != DHCP_OPT_END && n < 64;
		at += 2u + w->bytes[at + 1])
		out[n++] = w->bytes[at];
	return n;
}

static void the_clients_list_orders_and_chooses(void **state)
{
	static const uint8_t asked[] = {15, 3, 15, 200, 6, 53};
	static const uint8_t want[] = {53, 54, 51, 43, 15, 3, 6};
	struct pkt4_reply r;
	struct written w;
	uint8_t got[64];

	(void)state;
	pkt4_reply_init(&r);
	r.type = DHCP_ACK;
	r.asked = asked;
	r.n_asked = sizeof(asked);
	pkt4_put_u32(&r, DHCP_OPT_DNS, PKT4_IF_ASKED, 1);
	pkt4_put_u32(&r, DHCP_OPT_ROUTER, PKT4_IF_ASKED, 2);
	pkt4_put_text(&r, DHCP_OPT_DOMAIN, PKT4_IF_ASKED, "lab.test");
	pkt4_put_text(&r, DHCP_OPT_HOSTNAME, PKT4_ONLY_IF_LISTED, "not asked for");
	pkt4_put_u32(&r, DHCP_OPT_NTP, PKT4_IF_ASKED, 3);
	pkt4_put_text(&r, DHCP_OPT_VENDOR, PKT4_ALWAYS, "forced");
	pkt4_put_u32(&r, DHCP_OPT_LEASE, PKT4_ALWAYS, 4);
	pkt4_put_u32(&r, DHCP_OPT_SERVER_ID, PKT4_ALWAYS, 5);
	write_back(&r, &w);
	assert_int_equal(sizeof(want), order(&w, got));
	assert_memory_equal(want, got, sizeof(want));
}

static void without_a_list_everything_usual_is_sent(void **state)
{
	struct pkt4_reply r;
	struct written w;

	(void)state;
	pkt4_reply_init(&r);
	r.type = DHCP_ACK;
	pkt4_put_u32(&r, DHCP_OPT_DNS, PKT4_IF_ASKED, 1);
	pkt4_put_text(&r, DHCP_OPT_HOSTNAME, PKT4_ONLY_IF_LISTED, "x");
	write_back(&r, &w);
	assert_true(opt4_has(&w.back.opts, DHCP_OPT_DNS));
	assert_false(opt4_has(&w.back.opts, DHCP_OPT_HOSTNAME));
}

static void a_later_option_replaces_and_a_ban_stays(void **state)
{
	struct pkt4_reply r;
	struct written w;
	uint32_t v;

	(void)state;
	pkt4_reply_init(&r);
	r.type = DHCP_ACK;
	pkt4_put_u32(&r, DHCP_OPT_DNS, PKT4_ALWAYS, 1);
	pkt4_put_u32(&r, DHCP_OPT_DNS, PKT4_ONLY_IF_LISTED, 2); /* stays ALWAYS */
	pkt4_put_u32(&r, DHCP_OPT_ROUTER, PKT4_ALWAYS, 3);
	pkt4_ban(&r, DHCP_OPT_ROUTER);
	pkt4_put_u32(&r, DHCP_OPT_ROUTER, PKT4_ALWAYS, 4);
	pkt4_put_u8(&r, DHCP_OPT_TYPE, PKT4_ALWAYS, 9); /* not theirs to say */
	pkt4_put_u8(&r, DHCP_OPT_OVERLOAD, PKT4_ALWAYS, 3);
	write_back(&r, &w);
	assert_true(opt4_u32(&w.back.opts, DHCP_OPT_DNS, &v));
	assert_int_equal(2, v);
	assert_false(opt4_has(&w.back.opts, DHCP_OPT_ROUTER));
	assert_int_equal(DHCP_ACK, w.back.type);
	assert_false(opt4_has(&w.back.opts, DHCP_OPT_OVERLOAD));
}

static void long_options_are_written_in_parts(void **state)
{
	static const size_t lens[] = {254, 255, 256, 510, 511, 1000};
	uint8_t data[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct pkt4_reply r;
		struct written w;
		size_t len;

		pkt4_reply_init(&r);
		r.type = DHCP_ACK;
		r.max_len = DHCP_PACKET_MAX;
		pkt4_put(&r, DHCP_OPT_ROUTES, PKT4_ALWAYS, data, lens[i]);
		write_back(&r, &w);
		assert_memory_equal(data, opt4_get(&w.back.opts, DHCP_OPT_ROUTES, &len), lens[i]);
		assert_int_equal(lens[i], len);
	}
}

/* Five options of 60 bytes and a long 82 do not fit into 308 bytes of options. */
static void crowd(struct pkt4_reply *r)
{
	static const uint8_t text[60] = {'t'};
	static const uint8_t relay[40] = {1, 38, 'c'};

	pkt4_reply_init(r);
	r->type = DHCP_ACK;
	for (uint8_t code = 200; code < 208; code++)
		pkt4_put(r, code, PKT4_ALWAYS, text, sizeof(text));
	r->relay = relay;
	r->relay_len = sizeof(relay);
}

static void what_does_not_fit_goes_into_file_and_sname(void **state)
{
	struct pkt4_reply r;
	struct written w;
	size_t len;

	(void)state;
	crowd(&r);
	write_back(&r, &w);
	assert_true(w.len <= DHCP_PACKET_DEFAULT);
	assert_true(w.back.opts.file_taken);
	assert_true(w.back.opts.sname_taken);
	for (uint8_t code = 200; code < 207; code++) /* 4, 2 and 1 of them */
		assert_true(opt4_has(&w.back.opts, code));
	assert_false(opt4_has(&w.back.opts, 207));
	assert_int_equal(1, w.n_cut);
	assert_non_null(opt4_get(&w.back.opts, DHCP_OPT_RELAY, &len));
	assert_int_equal(40, len);
}

static void a_boot_file_keeps_its_field(void **state)
{
	struct pkt4_reply r;
	struct written w;

	(void)state;
	crowd(&r);
	r.file = "pxelinux.0";
	write_back(&r, &w);
	assert_false(w.back.opts.file_taken);
	assert_true(w.back.opts.sname_taken);
	assert_string_equal("pxelinux.0", (const char *)w.bytes + DHCP_FILE_AT);
	assert_int_equal(3, w.n_cut);
}

static void option_82_is_never_cut(void **state)
{
	struct pkt4_reply r;
	struct written w;
	uint8_t relay[700] = {0};
	size_t len;

	(void)state;
	crowd(&r);
	r.relay = relay;
	r.relay_len = 255;
	write_back(&r, &w);
	assert_non_null(opt4_get(&w.back.opts, DHCP_OPT_RELAY, &len));
	assert_int_equal(255, len);
	r.relay_len = sizeof(relay);
	assert_int_equal(ERR_SPACE, pkt4_write(&r, w.bytes, sizeof(w.bytes), &w.len, &w.n_cut));
}

static void short_messages_are_padded(void **state)
{
	struct pkt4_reply r;
	struct written w;

	(void)state;
	memset(w.bytes, 0xee, sizeof(w.bytes));
	pkt4_reply_init(&r);
	r.type = DHCP_NAK;
	write_back(&r, &w);
	assert_int_equal(DHCP_PACKET_MIN, w.len);
	assert_int_equal(DHCP_OPT_END, w.bytes[DHCP_HEADER_LEN + 3]);
	for (size_t i = DHCP_HEADER_LEN + 4; i < w.len; i++)
		assert_int_equal(0, w.bytes[i]);
}

static void too_many_options_and_too_much_scratch_do_no_harm(void **state)
{
	struct pkt4_reply r;
	struct written w;
	uint8_t big[DHCP_OPTION_MAX + 1] = {0};

	(void)state;
	pkt4_reply_init(&r);
	r.type = DHCP_ACK;
	pkt4_put(&r, 100, PKT4_ALWAYS, big, sizeof(big));
	assert_false(pkt4_is_put(&r, 100));
	for (unsigned code = 1; code < 255; code++)
		pkt4_put_copy(&r, (uint8_t)code, PKT4_ALWAYS, big, 30);
	write_back(&r, &w);
	assert_true(r.n_options <= DHCP_REPLY_OPTIONS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_or_foreign_message_is_refused),
		cmocka_unit_test(two_message_types_are_refused),
		cmocka_unit_test(fields_are_read_where_they_are),
		cmocka_unit_test(option_57_bounds_the_reply),
		cmocka_unit_test(the_clients_list_orders_and_chooses),
		cmocka_unit_test(without_a_list_everything_usual_is_sent),
		cmocka_unit_test(a_later_option_replaces_and_a_ban_stays),
		cmocka_unit_test(long_options_are_written_in_parts),
		cmocka_unit_test(what_does_not_fit_goes_into_file_and_sname),
		cmocka_unit_test(a_boot_file_keeps_its_field),
		cmocka_unit_test(option_82_is_never_cut),
		cmocka_unit_test(short_messages_are_padded),
		cmocka_unit_test(too_many_options_and_too_much_scratch_do_no_harm),
	};

	return FAKE_RUN(tests);
}
