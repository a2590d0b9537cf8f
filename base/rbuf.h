/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A read cursor over bytes that somebody else owns. Sticky: a read past the end
 * yields 0, leaves the cursor where it was and marks `bad`, so a parser reads all
 * its fields and checks once. Every wire byte in the house comes through here. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rbuf {
	const uint8_t *base;
	size_t len;
	size_t pos;
	bool bad;
};

static inline struct rbuf rbuf_of(const void *base, size_t len)
{
	return (struct rbuf){.base = (const uint8_t *)base, .len = len};
}

static inline size_t rbuf_left(const struct rbuf *b)
{
	return b->bad ? 0 : b->len - b->pos;
}

/* Borrow the next n bytes; NULL (and bad) when fewer are left. */
static inline const uint8_t *rbuf_take(struct rbuf *b, size_t n)
{
	const uint8_t *p;

	if (b->bad || b->len - b->pos < n) {
		b->bad = true;
		return NULL;
	}
	p = b->base + b->pos;
	b->pos += n;
	return p;
}

static inline void rbuf_skip(struct rbuf *b, size_t n)
{
	(void)rbuf_take(b, n);
}

static inline uint8_t rbuf_u8(struct rbuf *b)
{
	const uint8_t *p = rbuf_take(b, 1);

	return p ? p[0] : 0;
}

static inline uint16_t rbuf_u16(struct rbuf *b)
{
	const uint8_t *p = rbuf_take(b, 2);

	return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t rbuf_u32(struct rbuf *b)
{
	const uint8_t *p = rbuf_take(b, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t rbuf_u64(struct rbuf *b)
{
	uint64_t hi = rbuf_u32(b);
	uint64_t lo = rbuf_u32(b);

	return hi << 32 | lo;
}

/* Copy n bytes to out; zeroes it when fewer are left. */
static inline void rbuf_copy(struct rbuf *b, void *out, size_t n)
{
	const uint8_t *p = rbuf_take(b, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

/* A cursor over the next n bytes; this one moves past them. bad goes along. */
static inline struct rbuf rbuf_sub(struct rbuf *b, size_t n)
{
	const uint8_t *p = rbuf_take(b, n);

	return (struct rbuf){.base = p, .len = p ? n : 0, .bad = p == NULL};
}
