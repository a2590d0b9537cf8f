/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One TFTP read transfer as a state machine: what a client says and how time passes comes in, what
 * to send next comes out. No socket, no file, no clock: the driver (boot/tftp) and the tests ask
 * transfer_next until it says WAIT.
 *
 * Blocks are counted from 1 in 64 bits; the 16 bits on the wire roll over to 0 by themselves. A
 * lost packet is resent after a few measured round trips, not after seconds. Duplicate ACKs never
 * cause duplicate data in lockstep (RFC 1123 4.2.3.1); with a window one may mean that the first
 * block of it was lost, and is believed once a round and only when it can be no echo of the past.
 * Until a client has answered, it gets TFTP_UNPROVEN_PACKETS packets at most, of one block each. */
#include <stdbool.h>
#include <stdint.h>

#include "boot/tftp_pkt.h"

enum transfer_state {
	TRANSFER_OFFERED, /* OACK sent or to be sent, waiting for ACK 0 */
	TRANSFER_RUNNING,
	TRANSFER_FINISHED, /* all acknowledged, or all but the last ACK, which nobody repeats */
	TRANSFER_FAILED,
};

struct transfer {
	enum transfer_state state;
	uint32_t blksize, window;
	uint64_t n_blocks; /* the last one is shorter than blksize, maybe empty */

	uint64_t acked; /* blocks the client has */
	uint64_t sent;	/* last block sent in this round */
	uint64_t high;	/* last block ever sent */
	bool oack_due;
	bool is_proven; /* the client has answered: nobody forged its address */
	uint32_t n_unproven;

	/* this round: from acked + 1 up to a window */
	uint32_t burst;		/* blocks sent without a pause */
	uint32_t last_through;	/* blocks of the round before that came through */
	int64_t round_start_us; /* its first block was sent */
	int64_t last_sent_us;	/* its last one so far */
	int64_t pause_until_us; /* between bursts, or after a full send buffer; 0: none */
	bool round_resent; /* holds blocks that were sent before: no measuring of round trips */
	bool last_round_resent; /* duplicate ACKs may be its echo */
	bool round_lost, last_round_lost;

	int64_t srtt_us, rttvar_us, min_rtt_us; /* srtt 0: not measured */
	int64_t rto_us, rto_max_us;
	int64_t resend_at_us; /* 0: nothing is outstanding */
	uint32_t n_timeouts;  /* in a row */
	int64_t heard_us;     /* last packet of the client, or the start */
	uint64_t n_resent;    /* blocks, for the counters */
};

struct transfer_conf {
	uint32_t blksize;
	uint32_t window;    /* blocks, 1: lockstep */
	uint32_t timeout_s; /* asked by option; 0: not */
	bool oack;	    /* options were granted */
	uint64_t file_len;
};

enum transfer_do {
	TRANSFER_WAIT, /* until wake_us, or a packet */
	TRANSFER_SEND_OACK,
	TRANSFER_SEND_DATA, /* blocks first .. first + n - 1; then say transfer_on_sent */
	TRANSFER_END,	    /* see state */
};

struct transfer_step {
	enum transfer_do what;
	uint64_t first;
	uint32_t n;
	int64_t wake_us;
};

/* All times: CLOCK_MONOTONIC in microseconds, never going back. */
void transfer_init(struct transfer *t, const struct transfer_conf *conf, int64_t now_us);
void transfer_on_reply(struct transfer *t, const struct tftp_reply *reply, int64_t now_us);
/* The request came again from the same port: our first packet may be lost. */
void transfer_on_request_again(struct transfer *t, int64_t now_us);
/* The client's port is closed (ICMP). */
void transfer_on_unreachable(struct transfer *t);
struct transfer_step transfer_next(struct transfer *t, int64_t now_us);
/* After SEND_DATA: n blocks left, fewer than told when the send buffer was full. */
void transfer_on_sent(struct transfer *t, uint32_t n, int64_t now_us);

/* Length of a block of a file: blksize, or less for the last. */
uint32_t transfer_block_len(const struct transfer *t, uint64_t block, uint64_t file_len);
