/* SPDX-License-Identifier: Apache-2.0 */
#include "store/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/rbuf.h"
#include "base/xalloc.h"
#include "store/pagefile.h"
#include "store/store_inside.h"

struct check_run {
	struct check *out;
	unsigned tables; /* a bit for each of ours that is there */
	unsigned n_foreign;
	bool bad_meta;
};

bool check_parse_schema(const struct record *rec, uint32_t *out_schema, uint64_t *out_base)
{
	struct rbuf b = rbuf_of(rec->payload, rec->payload_len);
	uint32_t schema = rbuf_u32(&b);
	uint64_t base = rbuf_u64(&b);

	if (b.bad)
		return false;
	*out_schema = schema;
	*out_base = base;
	return true;
}

static void check_on_table(const char *name, size_t len, void *arg)
{
	struct check_run *run = arg;
	enum record_table table = record_table_find(name, len);

	if (table)
		run->tables |= 1u << table;
	else
		run->n_foreign++;
}

static void check_keep_bad(struct check *c, const struct record_raw *raw)
{
	struct check_bad *bad;

	if (c->n_bad == CHECK_BAD_MAX)
		return;
	c->bad = xrealloc(c->bad, (c->n_bad + 1) * sizeof(*c->bad));
	bad = &c->bad[c->n_bad++];
	*bad = (struct check_bad){
		.table = raw->table, .key_len = raw->key_len, .value_len = raw->value_len};
	bad->bytes = xalloc(raw->key_len + raw->value_len);
	memcpy(bad->bytes, raw->key, raw->key_len);
	memcpy(bad->bytes + raw->key_len, raw->value, raw->value_len);
}

static void check_on_item(const struct pagefile_item *item, void *arg)
{
	struct check_run *run = arg;
	struct record_raw raw = {.table = record_table_find(item->table, item->table_len),
		.key = item->key,
		.key_len = item->key_len,
		.value = item->data,
		.value_len = item->len};
	struct record rec;

	if (!raw.table)
		return;
	if (record_parse(&raw, &rec)) {
		run->out->n_good++;
		if (raw.table == RECORD_META)
			run->bad_meta |=
				!check_parse_schema(&rec, &run->out->schema, &run->out->stamp_base);
	} else if (raw.table == RECORD_META) {
		run->bad_meta = true;
	} else {
		check_keep_bad(run->out, &raw);
	}
}

static int check_say(struct check *c, int err, const char *text)
{
	(void)snprintf(c->text, sizeof(c->text), "%s", text);
	return err;
}

static int check_conclude(const struct check_run *run, const struct pagefile_verdict *v)
{
	const unsigned all = (2u << RECORD_N_TABLES) - 2;
	struct check *c = run->out;

	if (c->schema > STORE_SCHEMA)
		return check_say(c, ERR_VERSION, "it was written by a newer version");
	if (!run->tables && !run->n_foreign && !v->txn)
		return check_say(c, ERR_CORRUPT, "it was never written to");
	if (!run->tables)
		return check_say(c, ERR_VERSION, "it is an LMDB file, but not one of ours");
	if (run->tables != all || run->n_foreign)
		return check_say(c, ERR_CORRUPT, "a table is missing or misnamed");
	if (run->bad_meta || !c->schema)
		return check_say(c, ERR_CORRUPT, "the record of the schema is damaged");
	if (c->n_bad == CHECK_BAD_MAX)
		return check_say(c, ERR_CORRUPT, "too many records are damaged");
	return 0;
}

int check_file(int fd, struct check *out)
{
	struct check_run run = {.out = out};
	struct pagefile_visitor visitor = {
		.on_table = check_on_table, .on_item = check_on_item, .arg = &run};
	struct pagefile_verdict v;
	int err;

	*out = (struct check){0};
	err = pagefile_check(fd, &visitor, &v);
	out->used_len = v.used_len;
	if (err == ERR_VERSION)
		return check_say(out, err, "it was written by another version of LMDB");
	if (out->schema > STORE_SCHEMA)
		return check_say(out, ERR_VERSION, "it was written by a newer version");
	if (err) {
		(void)snprintf(out->text, sizeof(out->text), "%s (page %" PRIu64 ")",
			v.what ? v.what : err_text(err), v.page);
		return err;
	}
	return check_conclude(&run, &v);
}

void check_fini(struct check *c)
{
	for (size_t i = 0; i < c->n_bad; i++)
		xfree(c->bad[i].bytes);
	xfree(c->bad);
	*c = (struct check){0};
}
