/* SPDX-License-Identifier: Apache-2.0 */
/* Staged ACKs to the disk and back: batches, failures, a queue that is full. */
#include "dhcp/commit.h"

#include "fake_lan.h"
#include "store/store_limits.h"

struct piece {
	committer_done_fn on_done;
	void *arg;
	size_t n;
};

struct desk {
	struct fake_lan lan; /* first */
	struct commit *c;
	struct piece pieces[64];
	size_t n_pieces;
	int submit_err;
	unsigned n_sent;
};

static int submit(void *arg, const struct lease_change *changes, size_t n,
	committer_done_fn on_done, void *done_arg)
{
	struct desk *d = arg;

	assert_true(n >= 1 && n <= STORE_TXN_RECORDS);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(AF_INET, changes[i].record->ip.family);
	if (d->submit_err)
		return d->submit_err;
	d->pieces[d->n_pieces++] = (struct piece){on_done, done_arg, n};
	return 0;
}

static void on_send(void *arg, const struct server4_reply *reply)
{
	struct desk *d = arg;
	struct pkt4 p;

	assert_int_equal(0, pkt4_parse(&p, reply->bytes, reply->len));
	assert_int_equal(DHCP_ACK, p.type);
	assert_int_equal(LEASE_BOUND, fake_state(&d->lan, p.yiaddr)); /* bound before sent */
	d->n_sent++;
}

static struct server4_now now(void *arg)
{
	return ((struct desk *)arg)->lan.now;
}

static int setup(void **state)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	fake_conf(&d->lan);
	d->lan.lans[0].prefix_len = 16;
	d->lan.pool = (struct dhcp_range){IP4(10, 77, 16, 0), IP4(10, 77, 255, 0)};
	fake_start(&d->lan);
	d->c = commit_new(&(struct commit_opts){.server = d->lan.s,
		.submit = submit,
		.submit_arg = d,
		.send = on_send,
		.send_arg = d,
		.now = now,
		.now_arg = d});
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	commit_free(d->c);
	return fake_teardown(state);
}

static void ask(struct desk *d, unsigned n)
{
	struct fake_client c = fake_client(n);
	struct fake_pkt p;

	fake_discover(&d->lan, &c);
	p = fake_selecting(&c, fake_yiaddr(&d->lan));
	assert_int_equal(SERVER4_STAGE, fake_offer_in(&d->lan, &c, &p, 0));
	commit_add(d->c, d->lan.out.stage);
}

static void one_turn_is_one_piece(void **state)
{
	struct desk *d = *state;

	for (unsigned i = 0; i < 32; i++)
		ask(d, i);
	assert_int_equal(0, d->n_pieces);
	commit_flush(d->c);
	commit_flush(d->c); /* nothing more */
	assert_int_equal(1, d->n_pieces);
	assert_int_equal(32, d->pieces[0].n);
	assert_int_equal(32, commit_pending(d->c));
	assert_int_equal(0, d->n_sent);
	d->pieces[0].on_done(d->pieces[0].arg, 0);
	assert_int_equal(32, d->n_sent);
	assert_int_equal(0, commit_pending(d->c));
}

static void a_large_turn_is_split(void **state)
{
	struct desk *d = *state;

	for (unsigned i = 0; i < 450; i++)
		ask(d, i);
	commit_flush(d->c);
	assert_int_equal(3, d->n_pieces);
	for (size_t i = 0; i < 3; i++)
		d->pieces[i].on_done(d->pieces[i].arg, 0);
	assert_int_equal(450, d->n_sent);
}

static void the_next_piece_gathers_while_one_is_written(void **state)
{
	struct desk *d = *state;

	ask(d, 1);
	commit_flush(d->c);
	ask(d, 2);
	commit_flush(d->c);
	d->pieces[0].on_done(d->pieces[0].arg, 0);
	assert_int_equal(1, d->n_sent);
	d->pieces[1].on_done(d->pieces[1].arg, 0);
	assert_int_equal(2, d->n_sent);
}

static void a_failed_piece_sends_nothing_and_the_next_works(void **state)
{
	struct desk *d = *state;

	ask(d, 1);
	ask(d, 2);
	commit_flush(d->c);
	d->pieces[0].on_done(d->pieces[0].arg, ERR_FULL);
	assert_int_equal(0, d->n_sent);
	assert_int_equal(2, fake_counters(&d->lan).commit_failed);
	ask(d, 1);
	commit_flush(d->c);
	d->pieces[1].on_done(d->pieces[1].arg, 0);
	assert_int_equal(1, d->n_sent);
}

static void a_full_queue_is_a_failure_not_a_leak(void **state)
{
	struct desk *d = *state;

	d->submit_err = ERR_LIMIT;
	ask(d, 1);
	commit_flush(d->c);
	assert_int_equal(0, commit_pending(d->c));
	assert_int_equal(0, server4_stats(d->lan.s).n_staged);
	d->submit_err = 0;
	ask(d, 1);
	commit_flush(d->c);
	d->pieces[0].on_done(d->pieces[0].arg, 0);
	assert_int_equal(1, d->n_sent);
}

static void what_was_not_handed_over_is_given_up(void **state)
{
	struct desk *d = *state;

	ask(d, 1);
	commit_free(d->c);
	d->c = NULL;
	assert_int_equal(0, d->n_sent);
	assert_int_equal(0, server4_stats(d->lan.s).n_staged);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_turn_is_one_piece),
		TEST(a_large_turn_is_split),
		TEST(the_next_piece_gathers_while_one_is_written),
		TEST(a_failed_piece_sends_nothing_and_the_next_works),
		TEST(a_full_queue_is_a_failure_not_a_leak),
		TEST(what_was_not_handed_over_is_given_up),
	};

	return FAKE_RUN(tests);
}
