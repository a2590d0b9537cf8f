/* SPDX-License-Identifier: Apache-2.0 */
/* A round is the blocks after the last acknowledged one, up to a window. It ends by progress (an
 * ACK for any of its blocks: the next round begins behind that) or is begun anew by a timeout. An
 * ACK inside a round says that the block after it was lost (RFC 7440 4).
 *
 * Two lossy rounds in a row mean that bursts overflow something (the receive ring of a ROM holds a
 * handful of packets): from then on a round is sent in bursts of what came through, a little more
 * with each clean round. The window itself must stay as granted, or the client would wait for the
 * rest of it. */
#include "boot/transfer.h"

#include "boot/boot_limits.h"

#define MS 1000

static int64_t clamp(int64_t v, int64_t least, int64_t most)
{
	return v < least ? least : v > most ? most : v;
}

void transfer_init(struct transfer *t, const struct transfer_conf *conf, int64_t now_us)
{
	*t = (struct transfer){
		.state = conf->oack ? TRANSFER_OFFERED : TRANSFER_RUNNING,
		.blksize = conf->blksize,
		.window = conf->window,
		.burst = conf->window,
		.n_blocks = conf->file_len / conf->blksize + 1,
		.oack_due = conf->oack,
		.rto_us = TFTP_RTO_FIRST_MS * MS,
		.rto_max_us = TFTP_RTO_MAX_MS * MS,
		.heard_us = now_us,
	};
	if (conf->timeout_s && conf->timeout_s * INT64_C(1000000) < t->rto_max_us)
		t->rto_max_us = conf->timeout_s * INT64_C(1000000);
}

uint32_t transfer_block_len(const struct transfer *t, uint64_t block, uint64_t file_len)
{
	return block < t->n_blocks ? t->blksize : (uint32_t)(file_len % t->blksize);
}

static uint64_t round_end(const struct transfer *t)
{
	uint64_t end = t->acked + t->window;

	return end < t->n_blocks ? end : t->n_blocks;
}

/* RFC 6298, with a floor of our own. */
static void measure(struct transfer *t, int64_t rtt_us)
{
	int64_t off = rtt_us - t->srtt_us;

	rtt_us = rtt_us < 1 ? 1 : rtt_us;
	if (!t->srtt_us) {
		t->srtt_us = rtt_us;
		t->rttvar_us = rtt_us / 2;
		t->min_rtt_us = rtt_us;
	} else {
		t->rttvar_us += ((off < 0 ? -off : off) - t->rttvar_us) / 4;
		t->srtt_us += off / 8;
	}
	if (t->srtt_us < 1)
		t->srtt_us = 1;
	if (rtt_us < t->min_rtt_us)
		t->min_rtt_us = rtt_us;
}

static void reset_rto(struct transfer *t)
{
	int64_t rto = t->srtt_us ? t->srtt_us + 4 * t->rttvar_us : TFTP_RTO_FIRST_MS * MS;

	t->rto_us = clamp(rto, TFTP_RTO_MIN_MS * MS, t->rto_max_us);
	t->n_timeouts = 0;
}

/* `through`: blocks of the round that arrived before the first loss. */
static void adjust_burst(struct transfer *t, uint32_t through)
{
	uint32_t least = TFTP_BURST_MIN < t->window ? TFTP_BURST_MIN : t->window;

	if (!t->round_lost) {
		t->burst += t->burst / 8 + 1;
		if (t->burst > t->window)
			t->burst = t->window;
	} else if (t->last_round_lost) {
		uint32_t most = through > t->last_through ? through : t->last_through;

		if (most < t->burst)
			t->burst = most > least ? most : least;
	}
}

/* Progress up to block b: the next round. */
static void round_begin(struct transfer *t, uint64_t b, int64_t now_us)
{
	if (b < t->sent)
		t->round_lost = true;
	if (!t->round_resent && b == t->sent)
		measure(t, now_us - t->last_sent_us);
	adjust_burst(t, (uint32_t)(b - t->acked));
	t->last_through = (uint32_t)(b - t->acked);
	t->last_round_resent = t->round_resent;
	t->last_round_lost = t->round_lost;
	t->acked = t->sent = b;
	t->round_resent = b < t->high;
	t->round_lost = false;
	t->pause_until_us = 0;
	t->resend_at_us = 0;
	reset_rto(t);
	if (b == t->n_blocks)
		t->state = TRANSFER_FINISHED;
}

/* The same blocks again. */
static void round_again(struct transfer *t)
{
	t->sent = t->acked;
	t->round_resent = t->round_lost = true;
	t->pause_until_us = 0;
	t->resend_at_us = 0;
}

/* An ACK for what we know the client has: an echo, or news that the first block of the window was
 * lost. News cannot be here before a round trip has passed, and is believed once. */
static void on_duplicate(struct transfer *t, int64_t now_us)
{
	if (t->window == 1 || t->sent == t->acked || t->round_resent || t->last_round_resent)
		return;
	if (!t->srtt_us || now_us - t->round_start_us < t->min_rtt_us * 3 / 4)
		return;
	round_again(t);
}

static void on_ack(struct transfer *t, uint16_t number, int64_t now_us)
{
	uint64_t b = t->acked + (uint16_t)(number - (uint16_t)t->acked);

	if (t->state == TRANSFER_OFFERED) {
		if (number || t->oack_due)
			return;
		t->state = TRANSFER_RUNNING;
		if (!t->round_resent)
			measure(t, now_us - t->round_start_us);
		t->round_resent = false;
		t->resend_at_us = 0;
		reset_rto(t);
	} else if (b > t->high) {
		return; /* from another time */
	} else if (b == t->acked) {
		t->heard_us = now_us;
		on_duplicate(t, now_us);
		return;
	} else {
		round_begin(t, b, now_us);
	}
	t->is_proven = true;
	t->heard_us = now_us;
}

void transfer_on_reply(struct transfer *t, const struct tftp_reply *reply, int64_t now_us)
{
	if (t->state >= TRANSFER_FINISHED)
		return;
	if (reply->op == TFTP_ERROR)
		t->state = TRANSFER_FAILED;
	else
		on_ack(t, reply->number, now_us);
}

static bool waits_for_last_ack(const struct transfer *t)
{
	return t->state == TRANSFER_RUNNING && t->is_proven && t->sent == t->n_blocks;
}

void transfer_on_unreachable(struct transfer *t)
{
	if (t->state < TRANSFER_FINISHED)
		t->state = waits_for_last_ack(t) ? TRANSFER_FINISHED : TRANSFER_FAILED;
}

void transfer_on_request_again(struct transfer *t, int64_t now_us)
{
	/* at once, but not for each of a flood */
	if (!t->is_proven && t->resend_at_us && now_us - t->round_start_us > TFTP_RTO_MIN_MS * MS)
		t->resend_at_us = now_us;
}

/* After the first timeout in lockstep, wait longer than the timers of quick clients: some take no
 * notice of a block they have, but start their own timer anew with each, and resend their ACK only
 * when we are quiet. With a window one more try is made at once: a window has more to lose. */
static void back_off(struct transfer *t)
{
	int64_t least = 0;

	if (t->window > 1 && t->n_timeouts == 1)
		return;
	if (t->window == 1)
		least = TFTP_RTO_SECOND_MS * MS;
	t->rto_us = clamp(t->rto_us * 2, least, t->rto_max_us);
}

/* The timer that waits for an answer has run out. */
static void on_timeout(struct transfer *t, int64_t now_us)
{
	bool last = waits_for_last_ack(t);

	t->n_timeouts++;
	if (last && t->n_timeouts >= TFTP_LAST_TRIES) {
		t->state = TRANSFER_FINISHED;
		return;
	}
	if (now_us - t->heard_us >= TFTP_SILENCE_MS * (int64_t)MS ||
		(!t->is_proven && t->n_unproven >= TFTP_UNPROVEN_PACKETS)) {
		t->state = TRANSFER_FAILED;
		return;
	}
	back_off(t);
	if (t->state == TRANSFER_OFFERED) {
		t->oack_due = true;
		t->round_resent = true;
		t->resend_at_us = 0;
	} else {
		round_again(t);
	}
}

/* Something is on its way: from now on wait for an answer. */
static void arm(struct transfer *t, int64_t now_us)
{
	t->resend_at_us = now_us + t->rto_us;
	if (!t->is_proven)
		t->n_unproven++;
}

static struct transfer_step step_send(struct transfer *t)
{
	uint64_t end = round_end(t);
	uint32_t n = (uint32_t)(end - t->sent);

	return (struct transfer_step){
		.what = TRANSFER_SEND_DATA, .first = t->sent + 1, .n = n < t->burst ? n : t->burst};
}

struct transfer_step transfer_next(struct transfer *t, int64_t now_us)
{
	int64_t wake;

	if (t->resend_at_us && now_us >= t->resend_at_us && t->state < TRANSFER_FINISHED)
		on_timeout(t, now_us);
	if (t->state >= TRANSFER_FINISHED)
		return (struct transfer_step){.what = TRANSFER_END};
	if (t->oack_due) {
		t->oack_due = false;
		t->round_start_us = now_us;
		arm(t, now_us);
		return (struct transfer_step){.what = TRANSFER_SEND_OACK};
	}
	if (t->state == TRANSFER_RUNNING && t->sent < round_end(t) && now_us >= t->pause_until_us &&
		(t->is_proven || !t->resend_at_us))
		return step_send(t);
	wake = t->resend_at_us;
	if (t->sent < round_end(t) && t->pause_until_us > now_us &&
		(!wake || t->pause_until_us < wake))
		wake = t->pause_until_us;
	return (struct transfer_step){.what = TRANSFER_WAIT, .wake_us = wake};
}

void transfer_on_sent(struct transfer *t, uint32_t n, int64_t now_us)
{
	if (n && t->sent == t->acked)
		t->round_start_us = now_us;
	t->last_sent_us = now_us;
	for (uint32_t i = 0; i < n; i++)
		t->n_resent += ++t->sent <= t->high;
	if (t->sent > t->high)
		t->high = t->sent;
	arm(t, now_us);
	t->pause_until_us = t->sent < round_end(t) ? now_us + TFTP_BURST_PAUSE_MS * (int64_t)MS : 0;
}
