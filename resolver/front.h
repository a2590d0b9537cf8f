/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The front door: bytes in, verdict out. The hit path of the house runs through front_answer and
 * allocates nothing, takes no lock and calls nothing back. Staged for batches, each step for all
 * packets before the next: front_stage judges, parses, hashes and fetches the index lines;
 * front_reach fetches the entry's lines; front_answer answers. TCP and calls use front_one, which
 * does all three. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/answer.h"
#include "resolver/resolver.h"

enum front_verdict {
	FRONT_SEND, /* out holds the reply, *out_len its length */
	FRONT_DROP, /* no reply (access list, garbage, rate) */
	FRONT_LATER /* a query was started; the answer leaves through resolver_env.send */
};

/* A packet between the stages; one per batch slot, reused. wire is borrowed until the answer. */
struct front_slot {
	const uint8_t *wire;
	size_t len;
	uint8_t step;	/* enum front_step of front.c */
	uint16_t rcode; /* of an error */
	uint64_t hash;
	struct answer_client shape;
	struct msg_query msg;
};

/* Inside an RCU read section, the same as the answer. */
void front_stage(struct resolver *r, struct front_slot *s, const uint8_t *wire, size_t len,
	const struct client *c);
void front_reach(struct resolver *r, const struct front_slot *s);
/* Inside an RCU read section. cap >= 4096 for UDP, 65535 for TCP. */
enum front_verdict front_answer(struct resolver *r, struct front_slot *s, const struct client *c,
	uint8_t *out, size_t cap, size_t *out_len);
enum front_verdict front_one(struct resolver *r, const uint8_t *wire, size_t len,
	const struct client *c, uint8_t *out, size_t cap, size_t *out_len);
