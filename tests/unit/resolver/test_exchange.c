/* SPDX-License-Identifier: Apache-2.0 */
/* What may and may not be taken for an answer, and what wrong packets lead to. */
#include "base/rand.h"
#include "dns/dname.h"
#include "dns/msg_write.h"
#include "resolver/failures.h"
#include "unit/resolver/fake_test.h"

/* ---- bad packets before the truth (A11, TuDoor) ---- */

enum { BAD_PACKETS = 14 };

/* The server's own true bytes, to be spoiled. */
static size_t true_reply(struct fake_ask *ask, uint8_t *out, size_t cap)
{
	struct msg_writer w;

	msg_write_begin(&w, out, cap, ask->q.id, DNS_FLAG_QR | DNS_FLAG_AA, &ask->q.q);
	(void)!msg_write_rr(&w, DNS_SECTION_ANSWER, ask->q.q.name, DNS_TYPE_A, DNS_CLASS_IN, 60,
		(const uint8_t[]){6, 6, 6, 6}, 4);
	return msg_write_end(&w);
}

static bool spoil(struct fake_ask *ask, void *arg)
{
	int kind = *(const int *)arg;
	uint8_t b[600];
	size_t len = true_reply(ask, b, sizeof(b));
	size_t question = DNS_HEADER_LEN + (size_t)ask->q.question_len;

	if (ask->is_tcp) {
		fake_reply_truth(ask, 0);
		return true;
	}
	switch (kind) {
	case 0: /* a query */
		b[2] &= 0x7f;
		break;
	case 1: /* a header and nothing else, though it claims a question */
		len = DNS_HEADER_LEN;
		break;
	case 2: /* another name */
		b[13] ^= 0x01;
		break;
	case 3: /* another type */
		b[question - 3] = DNS_TYPE_TXT;
		break;
	case 4: /* another class */
		b[question - 1] = DNS_CLASS_CH;
		break;
	case 5: /* more records claimed than there are */
		b[7] = 200;
		break;
	case 6: /* two questions claimed */
		b[5] = 2;
		break;
	case 7: /* FORMERR without a question */
		b[3] = DNS_RCODE_FORMERR;
		b[5] = b[7] = 0;
		len = DNS_HEADER_LEN;
		break;
	case 8: /* SERVFAIL without a question */
		b[3] = DNS_RCODE_SERVFAIL;
		b[5] = b[7] = 0;
		len = DNS_HEADER_LEN;
		break;
	case 9: /* cut in the middle of a record */
		len -= 3;
		break;
	case 10: /* a pointer into the void */
		b[question] = 0xff;
		b[question + 1] = 0xff;
		break;
	case 11: /* NOTIFY */
		b[2] |= DNS_OPCODE_NOTIFY << 3;
		break;
	case 12: /* garbage with our ID */
		memset(b + 2, 0xa5, len - 2);
		break;
	case 13: /* REFUSED without a question, and rubbish behind it */
		b[3] = DNS_RCODE_REFUSED;
		b[5] = b[7] = 0;
		break;
	}
	fake_reply(ask, b, len, 1);
	fake_reply_truth(ask, 20);
	return true;
}

TEST(bad_packets_do_not_end_the_wait)
{
	for (int kind = 0; kind < BAD_PACKETS; kind++) {
		struct fake_net *n = small_world();
		const struct fake_answer *a;

		fake_server(n, AUTH)->hook = spoil;
		fake_server(n, AUTH)->hook_arg = &kind;
		a = fake_ask(n, "www.example.com", "A");
		if (a->rcode != 0 || !strstr(a->text, "203.0.113.1") || a->took_ms > 90)
			fail_msg("kind %d: rcode %d after %d ms", kind, a->rcode, (int)a->took_ms);
		assert_null(strstr(a->text, "6.6.6.6"));
		fake_free(n);
	}
}

static bool flood(struct fake_ask *ask, void *arg)
{
	uint8_t b[600];
	size_t len = true_reply(ask, b, sizeof(b));

	(void)arg;
	if (ask->is_tcp) {
		fake_reply_truth(ask, 0);
		return true;
	}
	b[13] ^= 0x01;
	for (int i = 0; i < 100; i++)
		fake_reply(ask, b, len, 1);
	return true;
}

TEST(many_bad_packets_move_the_question_to_tcp)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->hook = flood;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, fake_server(n, AUTH)->n_tcp);
	assert_int_equal(RESOLVER_BAD_REPLIES, fake_stat(n, STATS_BAD_REPLIES));
	fake_free(n);
}

/* ---- guessing (A2) ---- */

static bool guess(struct fake_ask *ask, void *arg)
{
	uint8_t b[600];
	size_t len = true_reply(ask, b, sizeof(b));

	(void)arg;
	b[0] ^= 0x40;
	if (!ask->is_tcp)
		fake_reply(ask, b, len, 1);
	fake_reply_truth(ask, 0);
	return true;
}

TEST(one_wrong_id_moves_the_question_to_tcp)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->hook = guess;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, fake_server(n, AUTH)->n_tcp);
	assert_int_equal(1, fake_stat(n, STATS_WRONG_ID));
	assert_string_equal("203.0.113.1 203.0.113.2", fake_cached(n, "www.example.com", "A"));
	fake_free(n);
}

TEST(a_flood_of_wrong_ids_moves_a_bounded_number_to_tcp)
{
	struct fake_net *n = small_world();
	char name[64];

	fake_ask(n, "www.example.com", "A");
	fake_server(n, AUTH)->hook = guess;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%d.wild.example.com", i);
		fake_ask_from(n, "10.0.0.1", name, "TXT", 0);
	}
	fake_run(n, 900);
	assert_in_range(fake_stat(n, STATS_SPOOF_TCP), 1, 2 * RESOLVER_SPOOF_TCP_RATE);
	fake_free(n);
}

static bool all_ids(struct fake_ask *ask, void *arg)
{
	uint8_t b[600];
	size_t len = true_reply(ask, b, sizeof(b));

	(void)arg;
	if (!ask->is_tcp) {
		for (unsigned id = 0; id < 65536; id += 16) {
			if (id == ask->q.id)
				continue;
			b[0] = (uint8_t)(id >> 8);
			b[1] = (uint8_t)id;
			fake_reply(ask, b, len, 1);
		}
	}
	fake_reply_truth(ask, 0);
	return true;
}

TEST(thousands_of_wrong_ids_are_never_taken)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a;

	fake_server(n, AUTH)->hook = all_ids;
	a = fake_ask(n, "www.example.com", "A");
	assert_has(a, "203.0.113.1");
	assert_null(strstr(a->text, "6.6.6.6"));
	fake_free(n);
}

TEST(wrong_ids_do_not_silence_a_server_without_tcp)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->faults = FAKE_NO_TCP;
	fake_server(n, AUTH)->hook = guess;
	/* Every question is spoiled, so this one fails; but it ends, in a few packets. */
	fake_ask(n, "www.example.com", "A");
	assert_in_range(n->n_sent, 3, 20);
	fake_free(n);
}

/* ---- IDs and case (A1, A12) ---- */

static uint16_t seen_ids[4000];
static unsigned n_seen_ids, n_upper;

static bool collect(struct fake_ask *ask, void *arg)
{
	(void)arg;
	if (n_seen_ids < 4000)
		seen_ids[n_seen_ids++] = ask->q.id;
	for (unsigned i = 0; i < ask->q.q.name_len; i++)
		n_upper += ask->q.q.name[i] >= 'A' && ask->q.q.name[i] <= 'Z';
	return false;
}

TEST(ids_use_all_sixteen_bits)
{
	struct fake_net *n = small_world();
	unsigned high[16] = {0}, bits[16] = {0};
	char name[64];

	n_seen_ids = n_upper = 0;
	fake_server(n, AUTH)->hook = collect;
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%d.wild.example.com", i);
		fake_ask(n, name, "TXT");
	}
	for (unsigned i = 0; i < n_seen_ids; i++) {
		high[seen_ids[i] >> 12]++;
		for (unsigned k = 0; k < 16; k++)
			bits[k] += seen_ids[i] >> k & 1;
	}
	assert_true(n_seen_ids >= 2000);
	for (unsigned k = 0; k < 16; k++) {
		assert_in_range(bits[k] * 100 / n_seen_ids, 44, 56);
		assert_in_range(high[k] * 1600 / n_seen_ids, 60, 140);
	}
	/* Half of the letters: "n.wild.example.com" has 15. */
	assert_in_range(n_upper * 100 / (n_seen_ids * 15), 40, 60);
	fake_free(n);
}

TEST(without_case_randomisation_names_go_out_as_they_are)
{
	struct fake_net *n = small_world();

	n_seen_ids = n_upper = 0;
	n->conf->case_randomisation = false;
	fake_server(n, AUTH)->hook = collect;
	assert_has(fake_ask(n, "WWW.example.com", "A"), "203.0.113.1");
	assert_int_equal(0, n_upper);
	fake_free(n);
}

TEST(a_server_that_folds_case_is_found_out_over_tcp_and_remembered)
{
	struct fake_net *n = small_world();
	unsigned before;

	fake_server(n, AUTH)->faults = FAKE_FOLDS_CASE;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, fake_server(n, AUTH)->n_tcp);
	before = n->n_sent;
	assert_has(fake_ask(n, "alias.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, n->n_sent - before);
	fake_free(n);
}

TEST(a_server_that_folds_case_and_knows_no_tcp_is_asked_without)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->faults = FAKE_FOLDS_CASE | FAKE_NO_TCP;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_in_range(n->n_sent, 4, 6);
	fake_free(n);
}

static bool forge_case(struct fake_ask *ask, void *arg)
{
	uint8_t b[600];
	size_t len = true_reply(ask, b, sizeof(b));

	(void)arg;
	/* A forger who got ID and port right, but not the case. */
	if (!ask->is_tcp) {
		for (unsigned i = 0; i < ask->q.q.name_len; i++)
			b[12 + i] = ask->q.q.name[i];
		b[13] ^= 0x20;
		fake_reply(ask, b, len, 1);
	}
	fake_reply_truth(ask, 0);
	return true;
}

TEST(a_forgery_in_the_wrong_case_is_not_taken_nor_held_against_the_server)
{
	struct fake_net *n = small_world();
	struct servers_info info;
	const struct fake_answer *a;

	fake_server(n, AUTH)->hook = forge_case;
	a = fake_ask(n, "www.example.com", "A");
	assert_has(a, "203.0.113.1");
	assert_null(strstr(a->text, "6.6.6.6"));
	servers_get(n->env.servers, &fake_server(n, AUTH)->at, n->now_ms, &info);
	assert_int_equal(0, info.traits & SERVERS_NO_CASE);
	fake_free(n);
}

/* ---- cookies ---- */

static uint8_t cookie_seen[40];
static unsigned cookie_seen_len;

static bool look_at_cookie(struct fake_ask *ask, void *arg)
{
	(void)arg;
	cookie_seen_len = ask->q.edns.cookie_len;
	memcpy(cookie_seen, ask->q.edns.cookie, sizeof(cookie_seen));
	return false;
}

TEST(a_server_cookie_is_learned_and_sent_back)
{
	struct fake_net *n = small_world();
	unsigned before;

	fake_server(n, AUTH)->faults = FAKE_COOKIES;
	fake_server(n, AUTH)->hook = look_at_cookie;
	assert_has(fake_ask(n, "www.example.com", "A"), "203.0.113.1");
	assert_int_equal(2, fake_server(n, AUTH)->n_udp); /* BADCOOKIE, then with it */
	before = n->n_sent;
	assert_has(fake_ask(n, "alias.example.com", "A"), "203.0.113.1");
	assert_int_equal(1, n->n_sent - before);
	assert_int_equal(16, cookie_seen_len);
	fake_free(n);
}

TEST(cookies_differ_between_servers_and_can_be_turned_off)
{
	struct fake_net *n = small_world();
	uint8_t first[8];

	fake_server(n, AUTH)->hook = look_at_cookie;
	fake_server(n, "192.0.2.99")->hook = look_at_cookie;
	fake_ask(n, "www.example.com", "A");
	assert_int_equal(8, cookie_seen_len);
	memcpy(first, cookie_seen, 8);
	fake_ask(n, "www.other.org", "A");
	assert_memory_not_equal(first, cookie_seen, 8);
	n->conf->cookies = false;
	fake_ask(n, "alias.example.com", "A");
	assert_int_equal(0, cookie_seen_len);
	fake_free(n);
}

static bool wrong_cookie(struct fake_ask *ask, void *arg)
{
	uint8_t b[600];
	struct msg_writer w;
	struct edns_reply e = {
		.udp_size = 1232,
		.ede = DNS_EDE_NONE,
		.cookie_len = 16,
		.cookie = (const uint8_t *)"0123456789abcdef",
	};

	(void)arg;
	msg_write_begin(&w, b, sizeof(b), ask->q.id, DNS_FLAG_QR | DNS_FLAG_AA, &ask->q.q);
	(void)!msg_write_rr(&w, DNS_SECTION_ANSWER, ask->q.q.name, DNS_TYPE_A, DNS_CLASS_IN, 60,
		(const uint8_t[]){6, 6, 6, 6}, 4);
	(void)!msg_write_opt(&w, &e);
	fake_reply(ask, b, msg_write_end(&w), 1);
	fake_reply_truth(ask, 0);
	return true;
}

TEST(a_reply_with_a_foreign_cookie_is_dropped)
{
	struct fake_net *n = small_world();
	const struct fake_answer *a;

	fake_server(n, AUTH)->hook = wrong_cookie;
	a = fake_ask(n, "www.example.com", "A");
	assert_has(a, "203.0.113.1");
	assert_null(strstr(a->text, "6.6.6.6"));
	fake_free(n);
}

/* ---- what goes out ---- */

static struct edns seen_edns;
static uint16_t seen_flags;

static bool look_at_edns(struct fake_ask *ask, void *arg)
{
	(void)arg;
	seen_edns = ask->q.edns;
	seen_flags = ask->q.flags;
	return false;
}

TEST(questions_carry_do_and_our_size_and_no_rd)
{
	struct fake_net *n = small_world();

	fake_server(n, AUTH)->hook = look_at_edns;
	fake_ask(n, "www.example.com", "A");
	assert_true(seen_edns.present && seen_edns.is_do);
	assert_int_equal(1232, seen_edns.udp_size);
	assert_int_equal(0, seen_flags);
	fake_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_packets_do_not_end_the_wait),
		cmocka_unit_test(many_bad_packets_move_the_question_to_tcp),
		cmocka_unit_test(one_wrong_id_moves_the_question_to_tcp),
		cmocka_unit_test(a_flood_of_wrong_ids_moves_a_bounded_number_to_tcp),
		cmocka_unit_test(thousands_of_wrong_ids_are_never_taken),
		cmocka_unit_test(wrong_ids_do_not_silence_a_server_without_tcp),
		cmocka_unit_test(ids_use_all_sixteen_bits),
		cmocka_unit_test(without_case_randomisation_names_go_out_as_they_are),
		cmocka_unit_test(a_server_that_folds_case_is_found_out_over_tcp_and_remembered),
		cmocka_unit_test(a_server_that_folds_case_and_knows_no_tcp_is_asked_without),
		cmocka_unit_test(
			a_forgery_in_the_wrong_case_is_not_taken_nor_held_against_the_server),
		cmocka_unit_test(a_server_cookie_is_learned_and_sent_back),
		cmocka_unit_test(cookies_differ_between_servers_and_can_be_turned_off),
		cmocka_unit_test(a_reply_with_a_foreign_cookie_is_dropped),
		cmocka_unit_test(questions_carry_do_and_our_size_and_no_rd),
	};

	return RUN_TESTS(tests);
}
