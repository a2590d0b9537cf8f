/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a hosts file, and a snapshot made of it: names are valid, and what was read resolves.
 */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "dns/dname.h"
#include "zones/hosts.h"
#include "zones/zones.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct last {
	unsigned line;
	struct zones *z;
};

static void on_bad(void *arg, unsigned line, const char *why)
{
	struct last *l = arg;

	assert(line >= l->line && *why);
	l->line = line;
}

static void on_name(void *arg, const struct hosts_name *n)
{
	_Alignas(16) static uint8_t mem[ZONES_BLOCK_LEN];
	struct question q = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	static const uint8_t home[] = "\4home\4arpa";
	static const uint8_t loopback4[4] = {127, 0, 0, 1};
	struct ip client = {.family = AF_INET};
	struct zones_answer answer;
	struct last *l = arg;
	size_t len;

	assert(n->line >= l->line && (n->ip.family == AF_INET || n->ip.family == AF_INET6));
	l->line = n->line;
	len = dname_copy(n->name, q.name);
	/* in full: the same label with a dot behind it would be another name */
	if (n->is_bare && dname_join(n->name, len - 1, home, q.name, &len) != 0)
		return;
	q.name_len = (uint8_t)len;
	if (n->ip.family == AF_INET6)
		q.type = DNS_TYPE_AAAA;
	memcpy(client.bytes, loopback4, 4);
	if (l->z && q.name_len < 200) {
		assert(zones_decide(l->z, &q, &client, 0, mem, sizeof(mem), NULL, &answer) ==
			ZONES_ANSWER);
		assert(answer.rcode == DNS_RCODE_NOERROR && answer.n_answer == 1);
	}
}

/* Any question at all: a sound answer. */
static void ask(const struct zones *z, const struct question *q)
{
	_Alignas(16) static uint8_t mem[ZONES_BLOCK_LEN];
	static const struct ip client = {.family = AF_INET, .bytes = {192, 168, 1, 1}};
	struct zones_answer a;
	enum zones_verdict v = zones_decide(z, q, &client, 0, mem, sizeof(mem), NULL, &a);

	assert(v == ZONES_RESOLVE || v == ZONES_ANSWER || v == ZONES_CNAME);
	if (v == ZONES_RESOLVE)
		return;
	assert(a.source && a.n_answer <= ZONES_ANSWER_MAX && a.n_authority <= 1);
	assert(a.n_answer || a.n_authority || a.rcode == DNS_RCODE_SERVFAIL);
	for (unsigned i = 0; i < a.n_answer; i++)
		assert(rrset_is_sound(a.answer[i], a.answer[i]->size));
	for (unsigned i = 0; i < a.n_authority; i++) {
		assert(rrset_is_sound(a.authority[i], a.authority[i]->size));
		assert(dname_is_under(q->name, rrset_owner(a.authority[i])));
	}
}

static void ask_all(const struct zones *z, const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_PTR, DNS_TYPE_ANY, DNS_TYPE_SOA,
		DNS_TYPE_NS, DNS_TYPE_DS, DNS_TYPE_CNAME};
	struct question q = {.class = DNS_CLASS_IN};
	struct rbuf b = rbuf_of(data, size);
	size_t len;

	if (dname_parse_plain(&b, q.name, &len) != 0)
		return;
	q.name_len = (uint8_t)len;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		q.type = types[i];
		ask(z, &q);
	}
	(void)zones_is_local(z, q.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zones_conf conf = {.domain = "home.arpa", .special_zones = true};
	struct zones_builder *b = zones_builder_new(&conf);
	struct last last = {0};
	struct hosts_reader to = {.on_name = on_name, .on_bad = on_bad, .arg = &last};

	if (zones_builder_hosts(b, "x", (const char *)data, size, on_bad, &last) != 0)
		return 0;
	last = (struct last){.z = zones_builder_finish(b)};
	hosts_read((const char *)data, size, &to);
	ask_all(last.z, data, size);
	zones_free(last.z);
	return 0;
}
