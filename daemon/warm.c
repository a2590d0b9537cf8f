/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/warm.h"

#include <string.h>

#include "base/xalloc.h"
#include "resolver/cache_rrset.h"
#include "store/image.h"
#include "store/store.h"

#define WARM_NAME  "cache"
#define WARM_MAGIC UINT64_C(0x4c616e7443616301) /* the last byte is the version */

/* In the byte order of the machine: an image never leaves it. */
struct warm_head {
	uint64_t magic;
	int64_t wall_s; /* when it was written */
};

struct warm_saving {
	struct image_writer *w;
	size_t n;
};

static void warm_on_rrset(void *arg, const struct rrset *rr, uint32_t ttl_left_s)
{
	struct warm_saving *s = arg;
	struct rrset head = *rr;

	head.ttl = ttl_left_s;
	image_add(s->w, &head, offsetof(struct rrset, data));
	image_add(s->w, rr->data, rr->size - offsetof(struct rrset, data));
	s->n++;
}

int warm_save(struct store *s, struct cache_rrset *c, int64_t now_ms, int64_t wall_s, size_t *out_n)
{
	const struct warm_head head = {.magic = WARM_MAGIC, .wall_s = wall_s};
	struct warm_saving saving = {0};
	int err = image_begin(s, WARM_NAME, &saving.w);

	if (err)
		return err;
	image_add(saving.w, &head, sizeof(head));
	cache_rrset_each(c, now_ms, warm_on_rrset, &saving);
	err = image_finish(saving.w);
	if (!err)
		*out_n = saving.n;
	return err;
}

/* ---- loading ---- */

/* Chunks end where they like; what is left of an RRset waits here for the next. */
struct warm_loading {
	struct cache_rrset *cache;
	int64_t now_ms, wall_s;
	int64_t age_s; /* -1: the head has not been read */
	size_t n;
	size_t len;
	uint8_t *buf; /* RRSET_SIZE_MAX + 1 and some, aligned */
};

static int warm_read_head(struct warm_loading *l)
{
	struct warm_head head;

	memcpy(&head, l->buf, sizeof(head));
	if (head.magic != WARM_MAGIC)
		return ERR_VERSION;
	if (head.wall_s > l->wall_s)
		return ERR_RANGE; /* nobody knows how old it is */
	l->age_s = l->wall_s - head.wall_s;
	return 0;
}

/* One RRset at the front of the buffer, whole and sound? Then into the cache. */
static int warm_take(struct warm_loading *l, size_t size)
{
	struct rrset *rr = (struct rrset *)l->buf;

	if (!rrset_is_sound(rr, size))
		return ERR_CORRUPT;
	if (rr->ttl <= l->age_s)
		return 0;
	rr->ttl -= (uint32_t)l->age_s;
	rr->security = RRSET_UNCHECKED; /* the anchors may be others now */
	if (cache_rrset_put(l->cache, rr, l->now_ms))
		l->n++;
	return 0;
}

/* Bytes the next item needs to be whole; ERR_CORRUPT for what cannot be. */
static int warm_need(const struct warm_loading *l, size_t *out)
{
	uint32_t size;

	if (l->age_s < 0) {
		*out = sizeof(struct warm_head);
		return 0;
	}
	if (l->len < sizeof(size)) {
		*out = sizeof(size);
		return 0;
	}
	memcpy(&size, l->buf, sizeof(size));
	if (size < offsetof(struct rrset, data) || size > RRSET_SIZE_MAX)
		return ERR_CORRUPT;
	*out = size;
	return 0;
}

static int warm_on_chunk(const void *chunk, size_t len, void *arg)
{
	struct warm_loading *l = arg;
	const uint8_t *at = chunk;

	for (;;) {
		size_t need, n;
		int err = warm_need(l, &need);

		if (err)
			return err;
		if (l->len < need) {
			n = need - l->len < len ? need - l->len : len;
			if (n == 0)
				return 0;
			memcpy(l->buf + l->len, at, n);
			l->len += n;
			at += n;
			len -= n;
			continue;
		}
		err = l->age_s < 0 ? warm_read_head(l) : warm_take(l, need);
		if (err)
			return err;
		l->len = 0;
	}
}

int warm_load(struct store *s, struct cache_rrset *c, int64_t now_ms, int64_t wall_s, size_t *out_n)
{
	struct warm_loading l = {.cache = c, .now_ms = now_ms, .wall_s = wall_s, .age_s = -1};
	int err;

	l.buf = xalloc(RRSET_SIZE_MAX + 1);
	err = image_each(s, WARM_NAME, warm_on_chunk, &l);
	xfree(l.buf);
	*out_n = l.n;
	return err;
}
