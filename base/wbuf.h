/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A write cursor over memory that somebody else owns. Sticky: a write that does
 * not fit writes nothing and marks `bad`; check once at the end. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wbuf {
	uint8_t *base;
	size_t cap;
	size_t len;
	bool bad;
};

static inline struct wbuf wbuf_of(void *base, size_t cap)
{
	return (struct wbuf){.base = (uint8_t *)base, .cap = cap};
}

/* Room for n bytes to fill in later; NULL (and bad) when there is none. */
static inline uint8_t *wbuf_reserve(struct wbuf *b, size_t n)
{
	uint8_t *p;

	if (b->bad || b->cap - b->len < n) {
		b->bad = true;
		return NULL;
	}
	p = b->base + b->len;
	b->len += n;
	return p;
}

static inline void wbuf_put(struct wbuf *b, const void *data, size_t n)
{
	uint8_t *p = wbuf_reserve(b, n);

	if (p && n)
		memcpy(p, data, n);
}

static inline void wbuf_u8(struct wbuf *b, unsigned v)
{
	uint8_t *p = wbuf_reserve(b, 1);

	if (p)
		p[0] = (uint8_t)v;
}

static inline void wbuf_set16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void wbuf_set32(uint8_t *p, uint32_t v)
{
	wbuf_set16(p, v >> 16);
	wbuf_set16(p + 2, v & 0xffff);
}

static inline void wbuf_u16(struct wbuf *b, unsigned v)
{
	uint8_t *p = wbuf_reserve(b, 2);

	if (p)
		wbuf_set16(p, v);
}

static inline void wbuf_u32(struct wbuf *b, uint32_t v)
{
	uint8_t *p = wbuf_reserve(b, 4);

	if (p)
		wbuf_set32(p, v);
}

static inline void wbuf_u64(struct wbuf *b, uint64_t v)
{
	wbuf_u32(b, (uint32_t)(v >> 32));
	wbuf_u32(b, (uint32_t)v);
}
