/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/xalloc.h"

enum { RAND_BUFFER_LEN = 4096 };

struct rand_source {
	size_t at; /* bytes before it are used and wiped */
	bool is_seeded;
	uint64_t state; /* seeded only */
	uint8_t buffer[RAND_BUFFER_LEN];
};

/* The splitmix64 step: fine for tests, predictable, never used for a real packet. */
static uint64_t rand_seeded_next(struct rand_source *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void rand_refill(struct rand_source *r)
{
	size_t got = 0;

	r->at = 0;
	if (r->is_seeded) {
		for (size_t i = 0; i < RAND_BUFFER_LEN; i += 8) {
			uint64_t word = rand_seeded_next(r);

			memcpy(r->buffer + i, &word, 8);
		}
		return;
	}
	while (got < RAND_BUFFER_LEN) {
		ssize_t n = getrandom(r->buffer + got, RAND_BUFFER_LEN - got, 0);

		if (n > 0)
			got += (size_t)n;
		else if (errno != EINTR)
			abort(); /* going on with guessable numbers would be worse */
	}
}

static struct rand_source *rand_make(void)
{
	struct rand_source *r = xcalloc(1, sizeof(*r));

	r->at = RAND_BUFFER_LEN;
	return r;
}

struct rand_source *rand_new(void)
{
	return rand_make();
}

struct rand_source *rand_new_seeded(uint64_t seed)
{
	struct rand_source *r = rand_make();

	r->is_seeded = true;
	r->state = seed;
	return r;
}

void rand_free(struct rand_source *r)
{
	if (!r)
		return;
	explicit_bzero(r, sizeof(*r));
	xfree(r);
}

void rand_bytes(struct rand_source *r, void *out, size_t len)
{
	uint8_t *to = out;

	while (len > 0) {
		size_t n = RAND_BUFFER_LEN - r->at;

		if (n == 0) {
			rand_refill(r);
			continue;
		}
		n = n < len ? n : len;
		memcpy(to, r->buffer + r->at, n);
		explicit_bzero(r->buffer + r->at, n);
		r->at += n;
		to += n;
		len -= n;
	}
}

uint16_t rand_u16(struct rand_source *r)
{
	uint16_t v;

	rand_bytes(r, &v, sizeof(v));
	return v;
}

uint32_t rand_u32(struct rand_source *r)
{
	uint32_t v;

	rand_bytes(r, &v, sizeof(v));
	return v;
}

uint64_t rand_u64(struct rand_source *r)
{
	uint64_t v;

	rand_bytes(r, &v, sizeof(v));
	return v;
}

/* The high half of random * n is uniform once the low half is not among the 2^32 mod n
 * values that would come up once too often. */
uint32_t rand_below(struct rand_source *r, uint32_t n)
{
	uint64_t product;

	assert(n > 0);
	product = (uint64_t)rand_u32(r) * n;
	if ((uint32_t)product < n) {
		uint32_t floor = (uint32_t)-n % n;

		while ((uint32_t)product < floor)
			product = (uint64_t)rand_u32(r) * n;
	}
	return (uint32_t)(product >> 32);
}
