/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/rbuf.h"
#include "base/wbuf.h"

#define RECORD_HEAD 10
#define RECORD_TAIL 4

static const char *const RECORD_NAMES[] = {
	[RECORD_META] = "meta",
	[RECORD_LEASE] = "lease",
	[RECORD_STATE] = "state",
	[RECORD_DAMAGED] = "damaged",
};

static uint32_t record_crc(const void *body, size_t len, const void *key, size_t key_len)
{
	uint8_t tail[2];
	uint32_t crc = crc32c(body, len);

	crc = crc32c_update(crc, key, key_len);
	wbuf_set16(tail, (unsigned)key_len & 0xffff);
	return crc32c_update(crc, tail, sizeof(tail));
}

void record_write(enum record_table table, uint64_t stamp, const void *key, size_t key_len,
	const void *payload, size_t len, void *out)
{
	struct wbuf b = wbuf_of(out, len + RECORD_OVERHEAD);

	wbuf_u8(&b, RECORD_FORMAT);
	wbuf_u8(&b, table);
	wbuf_u64(&b, stamp);
	wbuf_put(&b, payload, len);
	wbuf_u32(&b, record_crc(out, RECORD_HEAD + len, key, key_len));
}

bool record_parse(const struct record_raw *raw, struct record *out)
{
	struct rbuf b = rbuf_of(raw->value, raw->value_len);
	size_t payload_len;
	uint8_t format, table;
	uint64_t stamp;
	const uint8_t *payload;
	uint32_t crc;

	if (raw->value_len < RECORD_OVERHEAD)
		return false;
	payload_len = raw->value_len - RECORD_OVERHEAD;
	format = rbuf_u8(&b);
	table = rbuf_u8(&b);
	stamp = rbuf_u64(&b);
	payload = rbuf_take(&b, payload_len);
	crc = rbuf_u32(&b);
	if (b.bad || format != RECORD_FORMAT || table != raw->table)
		return false;
	if (crc != record_crc(raw->value, RECORD_HEAD + payload_len, raw->key, raw->key_len))
		return false;
	*out = (struct record){.stamp = stamp, .payload = payload, .payload_len = payload_len};
	return true;
}

enum record_table record_claimed_table(const void *value, size_t len)
{
	const uint8_t *p = value;

	if (len < RECORD_OVERHEAD || p[0] != RECORD_FORMAT || p[1] < 1 || p[1] > RECORD_N_TABLES)
		return 0;
	return p[1];
}

const char *record_table_name(enum record_table table)
{
	return RECORD_NAMES[table];
}

enum record_table record_table_find(const void *name, size_t len)
{
	for (unsigned i = 1; i <= RECORD_N_TABLES; i++)
		if (strlen(RECORD_NAMES[i]) == len && !memcmp(RECORD_NAMES[i], name, len))
			return i;
	return 0;
}
