/* SPDX-License-Identifier: Apache-2.0 */
/* Clients: joining, waiting, being too many; expired data; prefetch; looking back. */
#include "base/trace.h"
#include "dns/dname.h"
#include "dns/msg_write.h"
#include "unit/resolver/fake_test.h"

static const char *client(char buf[32], int i)
{
	snprintf(buf, 32, "10.0.%d.%d", i / 250, i % 250 + 1);
	return buf;
}

TEST(identical_live_questions_cost_one)
{
	struct fake_net *n = small_world();
	struct fake_answer *all[90];
	char from[32];

	fake_ask(n, "alias.example.com", "A");
	fake_run(n, 400 * 1000);
	fake_log_clear(n);
	for (int i = 0; i < 90; i++)
		all[i] = fake_ask_from(n, client(from, i),
			i % 2 ? "www.example.com" : "WWW.Example.COM", "A", i % 3 ? 0 : FAKE_DO);
	fake_run(n, 1000);
	for (int i = 0; i < 90; i++)
		assert_has(all[i], "203.0.113.1");
	assert_int_equal(1, n->n_sent);
	assert_int_equal(89, fake_stat(n, STATS_JOINED));
	/* Each in the case it was asked in. */
	assert_memory_equal("\3WWW\7Example\3COM", all[0]->wire + 12, 17);
	assert_memory_equal("\3www\7example\3com", all[1]->wire + 12, 17);
	fake_free(n);
}

TEST(questions_that_differ_in_type_or_cd_do_not_join)
{
	struct fake_net *n = small_world();
	struct fake_answer *a, *b, *c;

	fake_ask(n, "alias.example.com", "TXT");
	fake_log_clear(n);
	a = fake_ask_from(n, "10.0.0.1", "www.example.com", "A", 0);
	b = fake_ask_from(n, "10.0.0.2", "www.example.com", "AAAA", 0);
	c = fake_ask_from(n, "10.0.0.3", "www.example.com", "A", FAKE_CD);
	fake_run(n, 1000);
	assert_true(a->is_there && b->is_there && c->is_there);
	assert_int_equal(3, n->n_sent);
	fake_free(n);
}

TEST(a_hundred_clients_wait_for_one_name_and_no_more)
{
	struct fake_net *n = small_world();
	struct fake_answer *last = NULL;
	char from[32];

	for (int i = 0; i <= RESOLVER_WAITERS_PER_QUERY; i++)
		last = fake_ask_from(n, client(from, i), "www.example.com", "A", 0);
	fake_run(n, 3000);
	assert_int_equal(RESOLVER_WAITERS_PER_QUERY, n->n_answers);
	assert_false(last->is_there);
	assert_int_equal(1, fake_stat(n, STATS_LIMIT_WAITERS));
	fake_free(n);
}

TEST(one_client_has_a_thousand_questions_waiting_and_no_more)
{
	struct fake_net *n = small_world();
	char name[64];

	fake_ask(n, "www.example.com", "A");
	fake_server(n, AUTH)->rtt_ms = 300;
	n->n_answers = 0;
	for (int i = 0; i < RESOLVER_WAITERS_PER_CLIENT + 50; i++) {
		snprintf(name, sizeof(name), "n%d.wild.example.com", i);
		fake_ask_from(n, "10.0.0.1", name, "TXT", 0);
	}
	assert_int_equal(50, fake_stat(n, STATS_LIMIT_CLIENT));
	fake_ask_from(n, "10.0.0.2", "other.wild.example.com", "TXT", 0);
	fake_run(n, 5000);
	assert_int_equal(RESOLVER_WAITERS_PER_CLIENT + 1, n->n_answers);
	/* And has room again. */
	assert_rcode(fake_ask(n, "z.wild.example.com", "TXT"), 0);
	assert_int_equal(0, resolver_live(n->r));
	fake_free(n);
}

TEST(a_client_that_repeats_itself_is_answered_once)
{
	struct fake_net *n = small_world();
	uint16_t id;

	fake_server(n, AUTH)->rtt_ms = 300;
	fake_ask_from(n, "10.0.0.1", "www.example.com", "A", FAKE_UDP);
	id = n->next_id;
	fake_run(n, 100);
	n->next_id = (uint16_t)(id - 1);
	fake_ask_from(n, "10.0.0.1", "www.example.com", "A", FAKE_UDP);
	fake_run(n, 3000);
	assert_int_equal(1, n->n_answers);
	assert_int_equal(1, fake_stat(n, STATS_REPEATED));
	fake_free(n);
}

TEST(udp_clients_get_nothing_after_two_seconds_others_do)
{
	struct fake_net *n = small_world();
	struct fake_answer *udp, *tcp;

	for (struct fake_server *s = n->servers; s; s = s->next)
		s->rtt_ms = 800;
	udp = fake_ask_from(n, "10.0.0.1", "www.example.com", "A", FAKE_UDP);
	tcp = fake_ask_from(n, "10.0.0.2", "www.example.com", "A", FAKE_TCP);
	fake_run(n, 7500);
	assert_false(udp->is_there);
	assert_has(tcp, "203.0.113.1");
	assert_int_equal(1, fake_stat(n, STATS_LATE));
	/* But it finds the answer when it asks again. */
	fake_log_clear(n);
	udp = fake_ask_from(n, "10.0.0.1", "www.example.com", "A", FAKE_UDP);
	fake_run(n, 10);
	assert_has(udp, "203.0.113.1");
	assert_int_equal(0, n->n_sent);
	fake_free(n);
}

/* ---- all slots taken (B6) ---- */

static void recreate(struct fake_net *n, size_t max_queries)
{
	resolver_free(n->r);
	n->env.max_queries = max_queries;
	n->r = resolver_new(&n->env);
}

TEST(when_all_slots_are_taken_the_old_make_room_for_the_new)
{
	struct fake_net *n = small_world();
	struct fake_answer *young, *late;
	char name[64], from[32];

	recreate(n, 64);
	fake_ask(n, "www.example.com", "A");
	fake_zone(n, "192.0.2.200", "slow.test.", "* TXT \"x\"\n");
	fake_server(n, AUTH)->faults = FAKE_DEAD;
	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "n%d.wild.example.com", i);
		fake_ask_from(n, client(from, i), name, "TXT", 0);
	}
	young = fake_ask_from(n, "10.1.0.1", "www.other.org", "A", 0);
	assert_true(young->is_there);
	assert_rcode(young, DNS_RCODE_SERVFAIL);
	assert_int_equal(1, fake_stat(n, STATS_LIMIT_QUERIES));
	fake_run(n, RESOLVER_JOSTLE_MS + 1);
	late = fake_ask_from(n, "10.1.0.2", "www.other.org", "A", 0);
	fake_run(n, 1000);
	assert_has(late, "203.0.113.99");
	assert_in_range(fake_stat(n, STATS_JOSTLED), 1, 3);
	/* Not all: half of the slots keep what they have. */
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "m%d.wild.example.com", i);
		fake_ask_from(n, client(from, i + 100), name, "TXT", 0);
		fake_run(n, 10);
	}
	assert_in_range(resolver_live(n->r), 32, 64);
	fake_run(n, 20000);
	assert_int_equal(0, resolver_live(n->r));
	fake_free(n);
}

TEST(a_refusal_for_want_of_a_slot_is_not_remembered)
{
	struct fake_net *n = small_world();
	struct fake_answer *a;

	recreate(n, 1);
	fake_ask_from(n, "10.0.0.1", "www.example.com", "A", 0);
	a = fake_ask_from(n, "10.0.0.2", "www.other.org", "A", 0);
	assert_rcode(a, DNS_RCODE_SERVFAIL);
	fake_run(n, 1000);
	assert_has(fake_ask(n, "www.other.org", "A"), "203.0.113.99");
	fake_free(n);
}

TEST(when_sockets_are_short_questions_wait_their_turn)
{
	struct fake_net *n = small_world();
	char name[64], from[32];

	fake_ask(n, "www.example.com", "A");
	fake_ask(n, "wild.example.com", "A");
	/* One at a time; the last waits for more turns than it may send packets. */
	fake_server(n, AUTH)->rtt_ms = 150;
	n->most_open = 1;
	n->n_answers = 0;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "n%d.wild.example.com", i);
		fake_ask_from(n, client(from, i), name, "TXT", 0);
	}
	fake_run(n, 7500);
	assert_int_equal(40, n->n_answers);
	assert_int_equal(0, fake_stat(n, STATS_FAILURES));
	n->most_open = 0;
	fake_free(n);
}

/* ---- expired data (RFC 8767) ---- */

static struct fake_net *stale_world(void)
{
	struct fake_net *n = small_world();

	n->conf->serve_stale_s = 86400;
	fake_ask(n, "alias.example.com", "A");
	fake_run(n, 4000 * 1000);
	return n;
}

TEST(expired_data_is_served_when_nobody_answers)
{
	struct fake_net *n = stale_world();
	const struct fake_answer *a;

	fake_server(n, AUTH)->faults = FAKE_DEAD;
	a = fake_ask(n, "alias.example.com", "A");
	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_has(a, "alias.example.com. 30 in cname www.example.com.");
	assert_has(a, "www.example.com. 30 in a 203.0.113.1");
	assert_int_equal(DNS_EDE_STALE, a->ede);
	assert_in_range(a->took_ms, RESOLVER_STALE_WAIT_MS, RESOLVER_STALE_WAIT_MS + 20);
	fake_run(n, 10000);
	assert_int_equal(0, resolver_live(n->r));
	fake_free(n);
}

TEST(expired_data_is_served_at_once_when_the_servers_refuse)
{
	struct fake_net *n = stale_world();
	const struct fake_answer *a;

	fake_server(n, AUTH)->faults = FAKE_REFUSED;
	a = fake_ask(n, "alias.example.com", "A");
	assert_rcode(a, DNS_RCODE_NOERROR);
	assert_int_equal(DNS_EDE_STALE, a->ede);
	assert_in_range(a->took_ms, 0, 500);
	fake_free(n);
}

TEST(the_truth_is_preferred_to_expired_data)
{
	struct fake_net *n = stale_world();
	const struct fake_answer *a;

	fake_zone_clear(fake_server(n, AUTH));
	fake_zone(n, AUTH, "example.com.", "alias A 203.0.113.200\n");
	a = fake_ask(n, "alias.example.com", "A");
	assert_has(a, "203.0.113.200");
	assert_int_equal(DNS_EDE_NONE, a->ede);
	fake_free(n);
}

TEST(a_slow_truth_still_reaches_the_cache)
{
	struct fake_net *n = stale_world();
	const struct fake_answer *a;

	fake_zone_clear(fake_server(n, AUTH));
	fake_zone(n, AUTH, "example.com.", "alias A 203.0.113.200\n");
	fake_server(n, AUTH)->rtt_ms = 1900;
	a = fake_ask(n, "alias.example.com", "A");
	assert_int_equal(DNS_EDE_STALE, a->ede);
	fake_run(n, 3000);
	assert_string_equal("203.0.113.200", fake_cached(n, "alias.example.com", "A"));
	fake_free(n);
}

TEST(neither_bogus_data_nor_glue_is_served_expired)
{
	for (int is_glue = 0; is_glue < 2; is_glue++) {
		struct fake_net *n = small_world();
		uint8_t mem[256];
		struct rrset *rr = rrset_init(mem, sizeof(mem),
			(const uint8_t *)"\3old\7example\3com", DNS_TYPE_A, 1, 10);

		n->conf->serve_stale_s = 3600;
		assert_int_equal(0, rrset_add(rr, sizeof(mem), (uint8_t[]){192, 0, 2, 1}, 4));
		rr->rank = is_glue ? RRSET_RANK_ADDITIONAL : RRSET_RANK_ANSWER_AA;
		rr->security = is_glue ? RRSET_UNCHECKED : RRSET_BOGUS;
		assert_true(cache_rrset_put(n->env.rrsets, rr, n->now_ms));
		fake_run(n, 20000);
		fake_server(n, ROOT)->faults = FAKE_REFUSED;
		assert_rcode(fake_ask(n, "old.example.com", "A"), DNS_RCODE_SERVFAIL);
		fake_free(n);
	}
}

TEST(data_expired_too_long_is_not_served)
{
	struct fake_net *n = stale_world();

	fake_run(n, 86400 * INT64_C(1000));
	fake_server(n, AUTH)->faults = FAKE_DEAD;
	assert_rcode(fake_ask(n, "alias.example.com", "A"), DNS_RCODE_SERVFAIL);
	fake_free(n);
}

/* ---- the wire cache ---- */

static enum cache_result in_wire_cache(
	struct fake_net *n, const char *name, bool is_do, struct answer_blob *blob)
{
	static uint8_t mem[65535];
	uint8_t wire[DNAME_MAX];
	size_t len;
	uint32_t age;
	struct cache_question q = {.name = wire, .type = DNS_TYPE_A, .class = 1, .is_do = is_do};

	assert_int_equal(0, dname_read(name, wire, &len));
	q.name_len = (uint8_t)len;
	q.hash = cache_hash(n->env.cache, &q);
	return cache_find(n->env.cache, &q, 1, n->now_ms, mem, sizeof(mem), blob, &age);
}

TEST(answers_reach_the_wire_cache_for_the_kind_of_client_that_asked)
{
	struct fake_net *n = small_world();
	struct answer_blob blob;

	fake_ask(n, "www.example.com", "A");
	assert_int_equal(CACHE_HIT, in_wire_cache(n, "www.example.com", false, &blob));
	assert_int_equal(300, blob.ttl_s);
	assert_int_equal(2, blob.n_ttl);
	assert_int_equal(RRSET_INSECURE, blob.security);
	assert_int_equal(CACHE_MISS, in_wire_cache(n, "www.example.com", true, &blob));
	fake_free(n);
}

TEST(failures_reach_the_wire_cache_for_five_seconds)
{
	struct fake_net *n = small_world();
	struct answer_blob blob;

	fake_server(n, AUTH)->faults = FAKE_REFUSED;
	fake_ask(n, "www.example.com", "A");
	assert_int_equal(CACHE_HIT, in_wire_cache(n, "www.example.com", false, &blob));
	assert_int_equal(DNS_RCODE_SERVFAIL, blob.rcode);
	assert_int_equal(RESOLVER_FAILURE_MIN_S, blob.ttl_s);
	fake_run(n, 5500);
	assert_int_equal(CACHE_MISS, in_wire_cache(n, "www.example.com", false, &blob));
	fake_free(n);
}

TEST(a_prefetch_asks_anew_and_answers_nobody)
{
	struct fake_net *n = small_world();
	struct answer_blob blob;

	fake_ask(n, "www.example.com", "A");
	fake_run(n, 290 * 1000);
	fake_zone_clear(fake_server(n, AUTH));
	fake_zone(n, AUTH, "example.com.", "www 300 A 203.0.113.77\n");
	fake_log_clear(n);
	n->n_answers = 0;
	fake_ask_from(n, "10.0.0.1", "www.example.com", "A", FAKE_PREFETCH);
	fake_run(n, 1000);
	assert_int_equal(1, n->n_sent);
	assert_int_equal(0, n->n_answers);
	assert_int_equal(CACHE_HIT, in_wire_cache(n, "www.example.com", false, &blob));
	assert_in_range(blob.ttl_s, 290, 300);
	assert_string_equal("203.0.113.77", fake_cached(n, "www.example.com", "A"));
	fake_free(n);
}

/* ---- loops through a forwarder (field note 30) ---- */

TEST(a_question_that_comes_back_from_the_forwarder_is_refused)
{
	struct fake_net *n = small_world();
	struct fake_answer *client_answer, *echo;

	fake_forward(n, "corp.", false, "10.0.0.53");
	fake_server(n, "10.0.0.53")->faults = FAKE_DEAD;
	client_answer = fake_ask_from(n, "192.168.1.7", "www.corp", "A", 0);
	fake_run(n, 5);
	echo = fake_ask_from(n, "10.0.0.53", "www.corp", "A", 0);
	assert_rcode(echo, DNS_RCODE_SERVFAIL);
	assert_int_equal(1, fake_stat(n, STATS_LOOPS));
	fake_run(n, 8000);
	assert_true(client_answer->is_there);
	fake_free(n);
}

/* ---- sub-questions and clients ---- */

TEST(a_client_that_joins_a_sub_question_brings_its_own_time)
{
	struct fake_net *n = small_world();
	struct fake_answer *first, *second;

	/* ns.other.org is slow to find; somebody asks for it himself later. */
	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "example NS ns.other.org.\n");
	fake_zone(n, TLD, "org.", "other NS ns.other\nns.other A 192.0.2.99\n");
	fake_server(n, "192.0.2.99")->faults = FAKE_DEAD;
	first = fake_ask_from(n, "10.0.0.1", "www.example.com", "A", 0);
	fake_run(n, 5500);
	second = fake_ask_from(n, "10.0.0.2", "ns.other.org", "A", 0);
	fake_run(n, 2500);
	assert_rcode(first, DNS_RCODE_SERVFAIL);
	assert_false(second->is_there);
	fake_server(n, "192.0.2.99")->faults = 0;
	fake_run(n, 6000);
	assert_has(second, "192.0.2.99");
	assert_int_equal(0, resolver_live(n->r));
	fake_free(n);
}

TEST(children_nobody_waits_for_are_dropped)
{
	struct fake_net *n = small_world();

	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "example NS ns.other.org.\n");
	fake_zone(n, TLD, "org.", "other NS ns.other\nns.other A 192.0.2.99\n");
	fake_server(n, "192.0.2.99")->faults = FAKE_DEAD;
	fake_ask_from(n, "10.0.0.1", "www.example.com", "A", 0);
	fake_run(n, 200);
	assert_int_equal(2, resolver_live(n->r));
	fake_run(n, 10000);
	assert_int_equal(0, resolver_live(n->r));
	assert_int_equal(0, n->n_open);
	fake_free(n);
}

TEST(the_children_of_a_jostled_question_go_with_it)
{
	struct fake_net *n = small_world();

	recreate(n, 3);
	fake_zone_clear(fake_server(n, TLD));
	fake_zone(n, TLD, "com.", "example NS ns.third.org.\n");
	fake_zone(n, TLD, "org.",
		"other NS ns.other\nns.other A 192.0.2.99\n"
		"third NS a.third\na.third A 192.0.2.98\n");
	fake_server(n, "192.0.2.98")->faults = FAKE_DEAD;
	fake_server(n, "192.0.2.99")->faults = FAKE_DEAD;
	fake_ask_from(n, "10.0.0.1", "www.other.org", "A", 0);
	fake_ask_from(n, "10.0.0.2", "www.example.com", "A", 0);
	fake_run(n, 300);
	assert_int_equal(1, fake_seen(n, "192.0.2.98", "ns.third.org.", "A"));
	assert_int_equal(3, resolver_live(n->r));
	fake_ask_from(n, "10.0.0.3", "x.other.org", "A", 0);
	assert_int_equal(1, fake_stat(n, STATS_JOSTLED));
	assert_int_equal(2, resolver_live(n->r));
	fake_run(n, 20000);
	fake_free(n);
}

TEST(a_resolver_can_be_freed_in_the_middle_of_its_work)
{
	struct fake_net *n = small_world();
	char name[64], from[32];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%d.wild.example.com", i);
		fake_ask_from(n, client(from, i), name, "TXT", 0);
	}
	fake_run(n, 30);
	assert_int_not_equal(0, resolver_live(n->r));
	fake_free(n);
}

/* ---- explain ---- */

TEST(a_traced_question_tells_its_way)
{
	struct fake_net *n = small_world();
	struct trace *t = trace_new(8192);
	struct client c = {.kind = CLIENT_CALL, .trace = t};
	struct question q = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	struct answer_client shape = {.udp_size = 1232};
	struct msg_query msg;
	uint8_t query[300];
	size_t len;

	assert_int_equal(0, dname_read("out.example.com", q.name, &len));
	q.name_len = (uint8_t)len;
	assert_int_equal(0, msg_write_query(query, sizeof(query), 1, 0, &q, NULL, &len));
	assert_int_equal(0, msg_parse_query(query, len, &msg));
	shape.query = query;
	shape.question_len = msg.question_len;
	rcu_enter();
	query_start(n->r, &(struct query_ask){.msg = &msg, .shape = &shape, .client = &c});
	rcu_leave();
	fake_run(n, 2000);
	assert_non_null(strstr(trace_text(t), "root hints"));
	assert_non_null(strstr(trace_text(t), "ask " AUTH ":53: out.example.com. A"));
	assert_non_null(strstr(trace_text(t), "referral to example.com.: 1 name server"));
	assert_non_null(strstr(trace_text(t), "alias to www.other.org."));
	assert_int_equal(0, resolver_live(n->r));
	trace_free(t);
	fake_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identical_live_questions_cost_one),
		cmocka_unit_test(questions_that_differ_in_type_or_cd_do_not_join),
		cmocka_unit_test(a_hundred_clients_wait_for_one_name_and_no_more),
		cmocka_unit_test(one_client_has_a_thousand_questions_waiting_and_no_more),
		cmocka_unit_test(a_client_that_repeats_itself_is_answered_once),
		cmocka_unit_test(udp_clients_get_nothing_after_two_seconds_others_do),
		cmocka_unit_test(when_all_slots_are_taken_the_old_make_room_for_the_new),
		cmocka_unit_test(a_refusal_for_want_of_a_slot_is_not_remembered),
		cmocka_unit_test(when_sockets_are_short_questions_wait_their_turn),
		cmocka_unit_test(expired_data_is_served_when_nobody_answers),
		cmocka_unit_test(expired_data_is_served_at_once_when_the_servers_refuse),
		cmocka_unit_test(the_truth_is_preferred_to_expired_data),
		cmocka_unit_test(a_slow_truth_still_reaches_the_cache),
		cmocka_unit_test(neither_bogus_data_nor_glue_is_served_expired),
		cmocka_unit_test(data_expired_too_long_is_not_served),
		cmocka_unit_test(answers_reach_the_wire_cache_for_the_kind_of_client_that_asked),
		cmocka_unit_test(failures_reach_the_wire_cache_for_five_seconds),
		cmocka_unit_test(a_prefetch_asks_anew_and_answers_nobody),
		cmocka_unit_test(a_question_that_comes_back_from_the_forwarder_is_refused),
		cmocka_unit_test(a_client_that_joins_a_sub_question_brings_its_own_time),
		cmocka_unit_test(children_nobody_waits_for_are_dropped),
		cmocka_unit_test(the_children_of_a_jostled_question_go_with_it),
		cmocka_unit_test(a_resolver_can_be_freed_in_the_middle_of_its_work),
		cmocka_unit_test(a_traced_question_tells_its_way),
	};

	return RUN_TESTS(tests);
}
