/* SPDX-License-Identifier: Apache-2.0 */
#include "store/leasedb.h"

#include <string.h>

#include "base/rbuf.h"
#include "base/wbuf.h"
#include "store/store_limits.h"
#include "store/txn.h"

#define LEASEDB_VERSION 1
#define HW_MAX		16

/* Key: 4 or 6 | address | prefix length. IPv4 comes first, neighbours are neighbours. */
int leasedb_write_key(
	const struct ip *ip, uint8_t prefix_len, uint8_t out[LEASEDB_KEY_MAX], size_t *out_len)
{
	struct wbuf b = wbuf_of(out, LEASEDB_KEY_MAX);

	if (!ip_len(ip) || prefix_len > 8 * ip_len(ip))
		return ERR_MALFORMED;
	wbuf_u8(&b, ip->family == AF_INET ? 4 : 6);
	wbuf_put(&b, ip->bytes, ip_len(ip));
	wbuf_u8(&b, prefix_len);
	*out_len = b.len;
	return 0;
}

static int leasedb_parse_key(const void *key, size_t key_len, struct lease_record *out)
{
	struct rbuf b = rbuf_of(key, key_len);
	uint8_t family = rbuf_u8(&b);

	out->ip = (struct ip){.family = family == 4 ? AF_INET : AF_INET6};
	rbuf_copy(&b, out->ip.bytes, ip_len(&out->ip));
	out->prefix_len = rbuf_u8(&b);
	if (b.bad || b.pos != key_len || (family != 4 && family != 6) ||
		out->prefix_len > 8 * ip_len(&out->ip))
		return ERR_MALFORMED;
	return 0;
}

/* A string with its length before it. */
static void put_bytes(struct wbuf *b, const void *data, size_t len)
{
	wbuf_u8(b, (unsigned)len);
	wbuf_put(b, data, len);
}

static uint8_t take_bytes(struct rbuf *b, void *out, size_t cap)
{
	uint8_t len = rbuf_u8(b);

	if (len > cap) {
		b->bad = true;
		return 0;
	}
	rbuf_copy(b, out, len);
	return len;
}

static bool state_is_valid(unsigned state)
{
	return state >= LEASE_BOUND && state <= LEASE_DECLINED;
}

/* version u8 | state u8 | hardware type u8 | iaid u32 | start, expires, last seen u64 each | then
 * with a length byte each: hardware address, client id, hostname, name asked for, lan. */
int leasedb_write(const struct lease_record *r, void *out, size_t cap, size_t *out_len)
{
	struct wbuf b = wbuf_of(out, cap);
	size_t hostname_len = strnlen(r->hostname, sizeof(r->hostname));
	size_t lan_len = strnlen(r->lan, sizeof(r->lan));

	if (!state_is_valid(r->state) || r->hw_len > HW_MAX ||
		hostname_len == sizeof(r->hostname) || lan_len == sizeof(r->lan))
		return ERR_MALFORMED;
	wbuf_u8(&b, LEASEDB_VERSION);
	wbuf_u8(&b, r->state);
	wbuf_u8(&b, r->hw_type);
	wbuf_u32(&b, r->iaid);
	wbuf_u64(&b, (uint64_t)r->start_s);
	wbuf_u64(&b, (uint64_t)r->expires_s);
	wbuf_u64(&b, (uint64_t)r->last_seen_s);
	put_bytes(&b, r->hw, r->hw_len);
	put_bytes(&b, r->id, r->id_len);
	put_bytes(&b, r->hostname, hostname_len);
	put_bytes(&b, r->asked, r->asked_len);
	put_bytes(&b, r->lan, lan_len);
	if (b.bad)
		return ERR_SPACE;
	*out_len = b.len;
	return 0;
}

int leasedb_parse(
	const void *key, size_t key_len, const void *data, size_t len, struct lease_record *out)
{
	struct rbuf b = rbuf_of(data, len);
	struct lease_record r = {0};
	uint8_t version = rbuf_u8(&b);
	uint8_t state = rbuf_u8(&b);
	int err = leasedb_parse_key(key, key_len, &r);

	if (err)
		return err;
	r.hw_type = rbuf_u8(&b);
	r.iaid = rbuf_u32(&b);
	r.start_s = (int64_t)rbuf_u64(&b);
	r.expires_s = (int64_t)rbuf_u64(&b);
	r.last_seen_s = (int64_t)rbuf_u64(&b);
	r.hw_len = take_bytes(&b, r.hw, HW_MAX);
	r.id_len = take_bytes(&b, r.id, sizeof(r.id));
	(void)take_bytes(&b, r.hostname, sizeof(r.hostname) - 1);
	r.asked_len = take_bytes(&b, r.asked, sizeof(r.asked));
	(void)take_bytes(&b, r.lan, sizeof(r.lan) - 1);
	if (b.bad)
		return ERR_TRUNC;
	/* bytes after the last field are a later version's, within the same schema */
	if (version < LEASEDB_VERSION || !state_is_valid(state))
		return ERR_MALFORMED;
	r.state = state;
	*out = r;
	return 0;
}

static int leasedb_change(struct txn *t, const struct lease_change *c)
{
	uint8_t key[LEASEDB_KEY_MAX], data[LEASEDB_BYTES_MAX];
	size_t key_len, len;
	int err = leasedb_write_key(&c->record->ip, c->record->prefix_len, key, &key_len);

	if (err)
		return err;
	if (c->op == LEASE_DEL) {
		txn_del(t, TXN_LEASE, key, key_len);
		return 0;
	}
	if ((err = leasedb_write(c->record, data, sizeof(data), &len)) < 0)
		return err;
	txn_put(t, TXN_LEASE, key, key_len, data, len);
	return 0;
}

int leasedb_commit(struct store *s, const struct lease_change *changes, size_t n)
{
	for (size_t done = 0; done < n;) {
		size_t end = n - done > STORE_TXN_RECORDS ? done + STORE_TXN_RECORDS : n;
		struct txn *t = txn_begin(s);
		int err = 0;

		while (done < end && !err)
			err = leasedb_change(t, &changes[done++]);
		if (err) {
			txn_abort(t);
			return err;
		}
		if ((err = txn_commit(t)) < 0)
			return err;
	}
	return 0;
}

struct leasedb_walk {
	leasedb_lease_fn on_lease;
	leasedb_bad_fn on_bad;
	void *arg;
};

static int leasedb_on_item(const struct txn_item *item, void *arg)
{
	const struct leasedb_walk *w = arg;
	struct lease_record record;

	if (item->bad ||
		leasedb_parse(item->key, item->key_len, item->data, item->len, &record) < 0) {
		if (w->on_bad)
			w->on_bad(item->key, item->key_len, w->arg);
		return 0;
	}
	return w->on_lease(&record, w->arg);
}

int leasedb_each(struct store *s, leasedb_lease_fn on_lease, leasedb_bad_fn on_bad, void *arg)
{
	struct leasedb_walk w = {.on_lease = on_lease, .on_bad = on_bad, .arg = arg};
	struct txn *t;
	int err = txn_read(s, &t);

	if (err)
		return err;
	err = txn_each(t, TXN_LEASE, NULL, 0, leasedb_on_item, &w);
	txn_abort(t);
	return err;
}

int leasedb_get(struct store *s, const struct ip *ip, uint8_t prefix_len, struct lease_record *out)
{
	uint8_t key[LEASEDB_KEY_MAX];
	const void *data;
	size_t key_len, len;
	struct txn *t;
	int err = leasedb_write_key(ip, prefix_len, key, &key_len);

	if (err)
		return err;
	if ((err = txn_read(s, &t)) < 0)
		return err;
	err = txn_get(t, TXN_LEASE, key, key_len, &data, &len);
	if (!err && leasedb_parse(key, key_len, data, len, out) < 0)
		err = ERR_CORRUPT;
	txn_abort(t);
	return err;
}
