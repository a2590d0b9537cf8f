/* SPDX-License-Identifier: Apache-2.0 */
/* A message: parse -> RRsets -> write -> parse must agree; as a client's query, too. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "dns/msg_parse.h"
#include "dns/msg_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SETS_MAX MSG_RR_MAX

struct sets {
	struct rrset *rr[3][SETS_MAX];
	size_t n[3];
};

static int all_sets(const struct msg *m, struct arena *a, struct sets *out)
{
	for (int s = 0; s < 3; s++) {
		int err = msg_parse_rrsets(
			m, (enum dns_section)s, a, out->rr[s], SETS_MAX, &out->n[s]);

		if (err != 0)
			return err;
		for (size_t i = 0; i < out->n[s]; i++)
			assert(rrset_is_sound(out->rr[s][i], out->rr[s][i]->size));
	}
	return 0;
}

static const struct rrset *find_equal(const struct sets *in, int s, const struct rrset *rr)
{
	for (size_t i = 0; i < in->n[s]; i++) {
		if (rrset_equal(in->rr[s][i], rr))
			return in->rr[s][i];
	}
	return NULL;
}

/* Writes m's RRsets; 0 when all of them fit. */
static size_t write_all(const struct msg *m, const struct sets *sets, uint8_t *buf, size_t cap)
{
	struct msg_writer w;

	msg_write_begin(&w, buf, cap, m->id, m->flags, m->q.name_len ? &m->q : NULL);
	for (int s = 0; s < 3; s++) {
		for (size_t i = 0; i < sets->n[s]; i++) {
			const struct rrset *rr = sets->rr[s][i];
			size_t before = w.b.len;

			if (msg_write_rrset(&w, (enum dns_section)s, rr, rr->ttl, true) != 0) {
				assert(w.b.len == before);
				return 0;
			}
		}
	}
	return msg_write_end(&w);
}

static void as_query(const uint8_t *data, size_t size)
{
	struct msg_query q, again;
	uint8_t wire[512];
	size_t len;

	if (msg_parse_query(data, size, &q) != 0 || !q.has_question)
		return;
	assert(q.question_len == q.q.name_len + 4u && dname_len(q.q.name) == q.q.name_len);
	assert(memcmp(data + 12, q.q.name, q.q.name_len) == 0);
	if (q.opcode != DNS_OPCODE_QUERY)
		return;
	assert(msg_write_query(wire, sizeof(wire), q.id, q.flags, &q.q, NULL, &len) == 0);
	assert(msg_parse_query(wire, len, &again) == 0);
	assert(again.q.type == q.q.type && dname_equal(again.q.name, q.q.name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct msg m, back;
	static struct sets one, two;
	static uint8_t wire[65535], small[512];
	struct arena_pool *pool;
	struct arena *a;
	size_t len;

	as_query(data, size);
	if (msg_parse(data, size, &m) != 0)
		return 0;
	pool = arena_pool_new(65536, 4);
	a = arena_new(pool, 64 << 20);
	if (all_sets(&m, a, &one) == 0) {
		(void)write_all(&m, &one, small, sizeof(small));
		len = write_all(&m, &one, wire, sizeof(wire));
		if (len && !(m.flags & DNS_FLAG_TC)) {
			assert(msg_parse(wire, len, &back) == 0);
			assert(back.id == m.id && back.flags == m.flags);
			assert(back.q.name_len == m.q.name_len && back.q.type == m.q.type);
			assert(all_sets(&back, a, &two) == 0);
			for (int s = 0; s < 3; s++) {
				assert(one.n[s] == two.n[s]);
				for (size_t i = 0; i < one.n[s]; i++)
					assert(find_equal(&two, s, one.rr[s][i]));
			}
		}
	}
	arena_free(a);
	arena_pool_free(pool);
	return 0;
}
