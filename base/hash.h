/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SipHash-1-3, keyed once at start: the only hash for keys that strangers choose.
 * Here in full, so that the packet path can inline it; eight bytes a step, never
 * a byte past the input. Pure, any thread. */
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_key {
	uint64_t k0, k1;
};

struct hash_state {
	uint64_t v0, v1, v2, v3;
};

/* Random key from the kernel. */
struct hash_key hash_key_random(void);

static inline uint64_t hash_rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void hash_round(struct hash_state *s)
{
	s->v0 += s->v1;
	s->v1 = hash_rotate(s->v1, 13) ^ s->v0;
	s->v0 = hash_rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = hash_rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = hash_rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = hash_rotate(s->v1, 17) ^ s->v2;
	s->v2 = hash_rotate(s->v2, 32);
}

static inline void hash_word(struct hash_state *s, uint64_t word)
{
	s->v3 ^= word;
	hash_round(s);
	s->v0 ^= word;
}

/* The last 0-7 bytes, little end first. With eight bytes or more before the end one load does it.
 */
static inline uint64_t hash_tail(const uint8_t *data, size_t len)
{
	size_t rest = len & 7;
	uint64_t word = 0;

	if (rest == 0)
		return 0;
	if (len >= 8) {
		memcpy(&word, data + len - 8, 8);
		return le64toh(word) >> (64 - 8 * rest);
	}
	for (size_t i = 0; i < rest; i++)
		word |= (uint64_t)data[i] << (8 * i);
	return word;
}

/* 64 bits of hash over len bytes of data. data may be NULL when len is 0. */
static inline uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;
	struct hash_state s = {
		.v0 = key->k0 ^ 0x736f6d6570736575u,
		.v1 = key->k1 ^ 0x646f72616e646f6du,
		.v2 = key->k0 ^ 0x6c7967656e657261u,
		.v3 = key->k1 ^ 0x7465646279746573u,
	};

	for (size_t at = 0; at + 8 <= len; at += 8) {
		uint64_t word;

		memcpy(&word, p + at, 8);
		hash_word(&s, le64toh(word));
	}
	hash_word(&s, (uint64_t)len << 56 | hash_tail(p, len));
	s.v2 ^= 0xff;
	hash_round(&s);
	hash_round(&s);
	hash_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
