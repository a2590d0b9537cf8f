/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine against a client in the same thread and a network of arrays: packets are lost,
 * doubled and delayed by a seeded coin, time jumps to the next event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "boot/boot_limits.h"
#include "boot/transfer.h"

#define MS INT64_C(1000)
#define S  INT64_C(1000000)

enum { QUEUE = 8192 };

struct packet {
	int64_t at_us;
	uint64_t order;
	enum { TO_CLIENT_DATA, TO_CLIENT_OACK, TO_SERVER } kind;
	uint16_t number;
	uint64_t block; /* what the 16 bits stand for, to check the client */
	uint32_t len;
};

/* A client as they are: lockstep or RFC 7440; its own timer is slow. */
struct client {
	uint32_t blksize, window;
	uint64_t have; /* blocks */
	uint32_t in_window;
	int64_t timer_us, timeout_us;
	bool done, started, gap_told;
	uint64_t bytes, n_received;
};

struct sim {
	struct transfer t;
	struct client c;
	struct packet queue[QUEUE];
	size_t n;
	struct rand_source *r;
	uint64_t file_len;
	uint32_t loss_permille, dup_permille;
	bool dup_every_ack;
	int64_t delay_us, jitter_us, dup_delay_us, now_us;
	int64_t last_at[2]; /* a LAN keeps packets in order, each way */
	uint64_t n_queued;
	bool reorder;
	uint64_t n_data, n_oack;
	uint32_t drop_burst_over; /* the client's ring holds this many packets; 0: no end */
	int64_t ring_free_us;
	uint32_t in_ring;
	bool client_dead;
};

static void enqueue(struct sim *s, struct packet p, int64_t extra_us)
{
	p.at_us = s->now_us + s->delay_us + extra_us +
		  (s->jitter_us ? (int64_t)rand_below(s->r, (uint32_t)s->jitter_us) : 0);
	if (!extra_us && !s->reorder) {
		int64_t *last = &s->last_at[p.kind == TO_SERVER];

		p.at_us = p.at_us < *last ? *last : p.at_us;
		*last = p.at_us;
	}
	p.order = s->n_queued++;
	assert_true(s->n < QUEUE);
	s->queue[s->n++] = p;
}

static void transmit(struct sim *s, struct packet p)
{
	if (rand_below(s->r, 1000) < s->loss_permille)
		return;
	enqueue(s, p, 0);
	if ((p.kind == TO_SERVER && s->dup_every_ack) || rand_below(s->r, 1000) < s->dup_permille)
		enqueue(s, p, s->dup_delay_us);
}

static void client_ack(struct sim *s)
{
	s->c.timer_us = s->now_us + s->c.timeout_us;
	s->c.in_window = 0;
	transmit(s, (struct packet){.kind = TO_SERVER, .number = (uint16_t)s->c.have});
}

static void client_data(struct sim *s, const struct packet *p)
{
	struct client *c = &s->c;

	c->n_received++;
	c->started = true;
	if (p->number == (uint16_t)(c->have + 1)) {
		assert_int_equal(
			p->block, c->have + 1); /* 65,536 blocks apart would be taken too */
		c->have++;
		c->bytes += p->len;
		c->in_window++;
		c->gap_told = false;
		c->done = p->len < c->blksize;
		if (c->done || c->in_window >= c->window)
			client_ack(s);
		else
			c->timer_us = s->now_us + c->timeout_us;
	} else if (p->number == (uint16_t)c->have) {
		client_ack(s); /* the newest again: our ACK may be lost */
	} else if (c->window > 1 && !c->gap_told && (uint16_t)(p->number - c->have) < 1000) {
		c->gap_told = true; /* RFC 7440: tell the last block in order, once a gap */
		client_ack(s);
	}
}

static bool ring_drops(struct sim *s)
{
	if (!s->drop_burst_over)
		return false;
	if (s->now_us >= s->ring_free_us) {
		s->in_ring = 0;
		s->ring_free_us = s->now_us + 2 * MS;
	}
	return ++s->in_ring > s->drop_burst_over;
}

static void client_receive(struct sim *s, const struct packet *p)
{
	if (s->client_dead || (p->kind == TO_CLIENT_DATA && ring_drops(s)))
		return;
	if (p->kind == TO_CLIENT_DATA && !(s->c.done && s->c.window > 1)) {
		client_data(s, p);
	} else if (p->kind == TO_CLIENT_OACK && !s->c.have) {
		s->c.started = true;
		client_ack(s);
	}
}

static void server_run(struct sim *s)
{
	for (;;) {
		struct transfer_step step = transfer_next(&s->t, s->now_us);

		if (step.what == TRANSFER_SEND_OACK) {
			s->n_oack++;
			transmit(s, (struct packet){.kind = TO_CLIENT_OACK});
			continue;
		}
		if (step.what != TRANSFER_SEND_DATA)
			return;
		assert_true(step.n >= 1 && step.n <= s->t.window);
		assert_true(step.first + step.n - 1 <= s->t.n_blocks);
		for (uint32_t i = 0; i < step.n; i++) {
			uint64_t b = step.first + i;

			s->n_data++;
			transmit(s, (struct packet){.kind = TO_CLIENT_DATA,
					    .number = (uint16_t)b,
					    .block = b,
					    .len = transfer_block_len(&s->t, b, s->file_len)});
		}
		transfer_on_sent(&s->t, step.n, s->now_us);
	}
}

static size_t earliest(const struct sim *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->n; i++)
		if (s->queue[i].at_us < s->queue[best].at_us ||
			(s->queue[i].at_us == s->queue[best].at_us &&
				s->queue[i].order < s->queue[best].order))
			best = i;
	return best;
}

/* The server's timers are those of the wheel: up to a tick late. */
static int64_t server_wake(struct sim *s)
{
	struct transfer_step step = transfer_next(&s->t, s->now_us);

	assert_true(step.what == TRANSFER_WAIT || step.what == TRANSFER_END);
	if (step.what == TRANSFER_END)
		return INT64_MAX;
	assert_true(step.wake_us > 0);
	return (step.wake_us + 8 * MS - 1) / (8 * MS) * (8 * MS);
}

static void sim_init(struct sim *s, uint64_t seed, uint64_t len, uint32_t blksize, uint32_t window)
{
	rand_free(s->r); /* all are static: NULL, or of the run before */
	memset(s, 0, sizeof(*s));
	s->r = rand_new_seeded(seed);
	s->file_len = len;
	s->delay_us = 100;
	s->c = (struct client){.blksize = blksize, .window = window, .timeout_us = S};
	s->now_us = 1000 * S;
	s->c.timer_us = s->now_us + S;
	transfer_init(&s->t,
		&(struct transfer_conf){.blksize = blksize,
			.window = window,
			.oack = blksize != 512 || window != 1,
			.file_len = len},
		s->now_us);
}

/* Runs to the end of the transfer on the server's side; returns how long it took. */
static int64_t sim_run(struct sim *s)
{
	int64_t start = s->now_us, done_us = 0;

	server_run(s);
	while (s->t.state < TRANSFER_FINISHED) {
		int64_t wake = server_wake(s);
		size_t next = s->n ? earliest(s) : 0;
		int64_t packet_at = s->n ? s->queue[next].at_us : INT64_MAX;
		int64_t client_at =
			s->client_dead || (s->c.done && !s->n) ? INT64_MAX : s->c.timer_us;

		if (packet_at <= wake && packet_at <= client_at) {
			struct packet p = s->queue[next];

			s->queue[next] = s->queue[--s->n];
			s->now_us = p.at_us > s->now_us ? p.at_us : s->now_us;
			if (p.kind == TO_SERVER)
				transfer_on_reply(
					&s->t, &(struct tftp_reply){TFTP_ACK, p.number}, s->now_us);
			else
				client_receive(s, &p);
		} else if (client_at < wake) {
			s->now_us = client_at;
			s->c.timer_us = s->now_us + s->c.timeout_us;
			if (s->c.started)
				client_ack(s);
			else
				transfer_on_request_again(&s->t, s->now_us);
		} else {
			assert_true(wake < INT64_MAX);
			s->now_us = wake > s->now_us ? wake : s->now_us;
		}
		server_run(s);
		if (s->c.done && !done_us)
			done_us = s->now_us;
		assert_true(s->now_us - start < 400 * S);
	}
	rand_free(s->r);
	s->r = NULL;
	return (done_us ? done_us : s->now_us) - start;
}

static void a_file_arrives_whole(void **state)
{
	static const uint64_t LENGTHS[] = {0, 1, 511, 512, 513, 1024, 5000, 65536 * 512};
	static struct sim s;

	(void)state;
	for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
		sim_init(&s, 1, LENGTHS[i], 512, 1);
		sim_run(&s);
		assert_int_equal(s.t.state, TRANSFER_FINISHED);
		assert_true(s.c.done);
		assert_int_equal(s.c.bytes, LENGTHS[i]);
		assert_int_equal(s.n_data, LENGTHS[i] / 512 + 1);
		assert_int_equal(s.n_oack, 0);
	}
}

static void the_block_number_rolls_over(void **state)
{
	static const uint32_t WINDOWS[] = {1, 16, 64};
	static struct sim s;

	(void)state;
	for (int i = 0; i < 3; i++) {
		sim_init(&s, 2, 100000000, 512, WINDOWS[i]); /* 195,313 blocks */
		s.loss_permille = i == 1 ? 2 : 0;
		sim_run(&s);
		assert_int_equal(s.t.state, TRANSFER_FINISHED);
		assert_int_equal(s.c.bytes, 100000000);
	}
}

static void nothing_is_sent_twice_without_loss(void **state)
{
	static struct sim s;

	(void)state;
	for (uint32_t window = 1; window <= 64; window *= 4) {
		sim_init(&s, 3, 2000000, 1428, window);
		s.delay_us = 5 * MS;
		sim_run(&s);
		assert_int_equal(s.n_data, 2000000 / 1428 + 1);
		assert_int_equal(s.t.n_resent, 0);
		assert_int_equal(s.n_oack, window == 0 ? 0 : 1);
	}
}

/* RFC 1123 4.2.3.1: each doubled ACK must not double all blocks from there on. */
static void doubled_and_delayed_acks_do_not_double_data(void **state)
{
	static const int64_t DELAYS[] = {0, 50, 150, 300, 1000, 5000};
	static struct sim s;

	(void)state;
	for (size_t i = 0; i < sizeof(DELAYS) / sizeof(DELAYS[0]); i++)
		for (uint32_t window = 1; window <= 16; window += 15) {
			sim_init(&s, 4, 1000000, 1428, window);
			s.dup_every_ack = true;
			s.dup_delay_us = DELAYS[i];
			sim_run(&s);
			assert_true(s.c.done);
			if (window == 1 || DELAYS[i] < 150) /* within a round trip: no news */
				assert_int_equal(s.n_data, 1000000 / 1428 + 1);
			else /* an echo that comes late looks like a loss; believed every other
				round at most */
				assert_true(s.n_data <= (1000000 / 1428 + 1) * 8 / 5);
		}
}

struct times {
	int64_t median_us, worst_us, n_over_1s;
};

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static struct times times_at(uint32_t permille, uint32_t blksize, uint32_t window)
{
	enum { RUNS = 101 };
	static struct sim s;
	int64_t took[RUNS];
	struct times out = {0};

	for (int i = 0; i < RUNS; i++) {
		sim_init(&s, (uint64_t)i + 1, 1000000, blksize, window);
		s.loss_permille = permille;
		s.jitter_us = 100;
		took[i] = sim_run(&s);
		if (s.t.state == TRANSFER_FAILED) {
			/* six packets in a row were lost before the client was known to be there */
			assert_false(s.t.is_proven);
			assert_true(permille >= 100);
			continue;
		}
		assert_true(s.c.done);
		assert_int_equal(s.c.bytes, 1000000);
		out.n_over_1s += took[i] > S;
	}
	qsort(took, RUNS, sizeof(took[0]), by_value);
	out.median_us = took[RUNS / 2];
	out.worst_us = took[RUNS - 1];
	printf("1 MB, %4.1f %% lost each way, blksize %u, window %2u: median %4lld ms, worst of "
	       "%d: %lld ms\n",
		permille / 10.0, blksize, window, (long long)out.median_us / 1000, RUNS,
		(long long)out.worst_us / 1000);
	return out;
}

static void loss_costs_tens_of_milliseconds(void **state)
{
	(void)state;
	for (uint32_t window = 1; window <= 64; window *= 4) {
		struct times t = times_at(10, 1428, window);

		assert_true(t.median_us < 800 * MS);
		assert_true(t.n_over_1s <= 2);
		assert_true(times_at(50, 1428, window).median_us < 5 * S);
	}
	assert_true(times_at(10, 512, 1).median_us < 2 * S);
	assert_true(times_at(100, 1428, 16).median_us < 10 * S);
	assert_true(times_at(300, 1428, 1).worst_us < 300 * S);
}

/* A ROM that can hold a handful of packets: smaller bursts get through where windows do not. */
static void a_small_receive_ring_slows_but_does_not_stop(void **state)
{
	static struct sim s;

	(void)state;
	sim_init(&s, 7, 1000000, 1428, 64);
	s.drop_burst_over = 12;
	int64_t took = sim_run(&s);
	assert_true(s.c.done);
	assert_true(took < 8 * S);
	assert_true(s.n_data < 4 * (1000000 / 1428));
}

static void a_forged_request_makes_few_small_packets(void **state)
{
	static struct sim s;

	(void)state;
	for (uint32_t window = 1; window <= 64; window += 63) {
		sim_init(&s, 8, 1000000, window == 1 ? 512 : 1428, window);
		s.client_dead = true;
		int64_t took = sim_run(&s);
		assert_int_equal(s.t.state, TRANSFER_FAILED);
		assert_true(s.n_data + s.n_oack <= TFTP_UNPROVEN_PACKETS);
		assert_int_equal(window == 1 ? s.n_oack : s.n_data, 0);
		assert_true(took < 30 * S);
	}
}

static void a_silent_client_is_given_up_after_two_minutes(void **state)
{
	static struct sim s;

	(void)state;
	sim_init(&s, 9, 1000000, 1428, 16);
	server_run(&s);
	transfer_on_reply(&s.t, &(struct tftp_reply){TFTP_ACK, 0}, s.now_us + MS);
	s.client_dead = true;
	int64_t took = sim_run(&s);
	assert_int_equal(s.t.state, TRANSFER_FAILED);
	assert_true(took >= 119 * S && took < 130 * S);
	assert_true(s.n_data < 40 * 16);
}

static void a_lost_last_ack_ends_well_and_soon(void **state)
{
	static struct sim s;
	int64_t start;

	(void)state;
	sim_init(&s, 10, 100, 512, 1);
	server_run(&s);
	assert_int_equal(s.n_data, 1);
	/* the client proves itself with block 1 of 2 */
	sim_init(&s, 10, 600, 512, 1);
	server_run(&s);
	transfer_on_reply(&s.t, &(struct tftp_reply){TFTP_ACK, 1}, s.now_us + 100);
	server_run(&s);
	start = s.now_us;
	s.client_dead = true;
	s.n = 0;
	sim_run(&s);
	assert_int_equal(s.t.state, TRANSFER_FINISHED);
	assert_true(s.now_us - start < 30 * S);
	/* or its port is closed by then */
	sim_init(&s, 10, 600, 512, 1);
	server_run(&s);
	transfer_on_reply(&s.t, &(struct tftp_reply){TFTP_ACK, 1}, s.now_us + 100);
	transfer_on_unreachable(&s.t);
	assert_int_equal(s.t.state, TRANSFER_FAILED); /* block 2 was not even sent */
	sim_init(&s, 10, 600, 512, 1);
	server_run(&s);
	transfer_on_reply(&s.t, &(struct tftp_reply){TFTP_ACK, 1}, s.now_us + 100);
	server_run(&s);
	transfer_on_unreachable(&s.t);
	assert_int_equal(s.t.state, TRANSFER_FINISHED);
	rand_free(s.r);
	s.r = NULL;
}

static void acks_of_another_time_change_nothing(void **state)
{
	static struct sim s;

	(void)state;
	sim_init(&s, 11, 1000000, 1428, 16);
	server_run(&s);
	for (uint32_t n = 1; n <= 65535; n += 7) /* before ACK 0 */
		transfer_on_reply(&s.t, &(struct tftp_reply){TFTP_ACK, (uint16_t)n}, s.now_us);
	assert_int_equal(s.t.state, TRANSFER_OFFERED);
	assert_false(s.t.is_proven);
	transfer_on_reply(&s.t, &(struct tftp_reply){TFTP_ACK, 0}, s.now_us + 100);
	server_run(&s);
	assert_int_equal(s.n_data, 16);
	for (uint32_t n = 17; n <= 65535; n++)
		transfer_on_reply(
			&s.t, &(struct tftp_reply){TFTP_ACK, (uint16_t)n}, s.now_us + 200);
	server_run(&s);
	assert_int_equal(s.t.acked, 0);
	assert_int_equal(s.n_data, 16);
	transfer_on_reply(&s.t, &(struct tftp_reply){TFTP_ERROR, 8}, s.now_us);
	assert_int_equal(s.t.state, TRANSFER_FAILED);
	transfer_on_reply(&s.t, &(struct tftp_reply){TFTP_ACK, 16}, s.now_us);
	assert_int_equal(s.t.state, TRANSFER_FAILED);
	assert_int_equal(transfer_next(&s.t, s.now_us).what, TRANSFER_END);
	rand_free(s.r);
	s.r = NULL;
}

static void a_full_send_buffer_is_waited_for(void **state)
{
	struct transfer t;
	struct transfer_step step;

	(void)state;
	transfer_init(&t,
		&(struct transfer_conf){
			.blksize = 1428, .window = 16, .oack = true, .file_len = 1000000},
		S);
	assert_int_equal(transfer_next(&t, S).what, TRANSFER_SEND_OACK);
	transfer_on_reply(&t, &(struct tftp_reply){TFTP_ACK, 0}, S + 100);
	step = transfer_next(&t, S + 100);
	assert_int_equal(step.n, 16);
	transfer_on_sent(&t, 5, S + 100);
	step = transfer_next(&t, S + 100);
	assert_int_equal(step.what, TRANSFER_WAIT);
	assert_true(step.wake_us <= S + 100 + 10 * MS);
	step = transfer_next(&t, step.wake_us);
	assert_int_equal(step.what, TRANSFER_SEND_DATA);
	assert_int_equal(step.first, 6);
	assert_int_equal(step.n, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_arrives_whole),
		cmocka_unit_test(the_block_number_rolls_over),
		cmocka_unit_test(nothing_is_sent_twice_without_loss),
		cmocka_unit_test(doubled_and_delayed_acks_do_not_double_data),
		cmocka_unit_test(loss_costs_tens_of_milliseconds),
		cmocka_unit_test(a_small_receive_ring_slows_but_does_not_stop),
		cmocka_unit_test(a_forged_request_makes_few_small_packets),
		cmocka_unit_test(a_silent_client_is_given_up_after_two_minutes),
		cmocka_unit_test(a_lost_last_ack_ends_well_and_soon),
		cmocka_unit_test(acks_of_another_time_change_nothing),
		cmocka_unit_test(a_full_send_buffer_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
