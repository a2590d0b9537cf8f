/* SPDX-License-Identifier: Apache-2.0 */
/* Random worlds: zones that refer and alias to each other at random, servers with random faults,
 * lost packets, and packets of noise, many clients at once. Whatever happens: every question is
 * answered in its time, none costs more than its budget, and nothing is left over. A failing world
 * is named by its seed (FAKE_SEED runs that one alone). */
#include "base/rand.h"
#include "dns/dname.h"
#include "unit/resolver/fake_test.h"

enum { WORLDS = 60, ZONES = 12, QUESTIONS = 40 };

static struct rand_source *dice;

static unsigned throw(unsigned n)
{
	return rand_below(dice, n);
}

static const unsigned FAULTS[] = {0, 0, 0, 0, 0, 0, FAKE_DEAD, FAKE_NO_EDNS, FAKE_NO_EDNS_BARE,
	FAKE_DROPS_EDNS, FAKE_SERVFAIL, FAKE_REFUSED, FAKE_UPWARD, FAKE_TCP_ONLY, FAKE_NO_TCP,
	FAKE_TCP_ONLY | FAKE_TCP_CLOSES, FAKE_FOLDS_CASE, FAKE_FOLDS_CASE | FAKE_NO_TCP,
	FAKE_DENIES_ENTS, FAKE_REFUSES_PARTS, FAKE_RECURSIVE, FAKE_UNREACHABLE, FAKE_ICMP,
	FAKE_COOKIES, FAKE_NO_SOA, FAKE_FORMERR_PARTS};

/* Sometimes noise instead of, or before, what the server says. */
static bool noise(struct fake_ask *ask, void *arg)
{
	uint8_t b[512];
	size_t len;
	unsigned kind = throw(40);

	(void)arg;
	if (kind > 8)
		return false;
	len = ask->len < sizeof(b) ? ask->len : sizeof(b);
	memcpy(b, ask->bytes, len);
	b[2] |= 0x80;
	for (unsigned i = throw(4); i > 0; i--)
		b[throw((unsigned)len)] ^= (uint8_t)(1u << throw(8));
	if (throw(3) == 0) {
		b[7] = (uint8_t) throw(256);
		b[9] = (uint8_t) throw(256);
	}
	if (throw(3) == 0 && len < 400) {
		rand_bytes(dice, b + len, 100);
		len += 100;
	}
	if (len < 12)
		return false;
	fake_reply(ask, b, throw(4) ? len : 12 + throw((unsigned)len - 11), (int) throw(50));
	return kind > 6;
}

static void line(char *text, size_t cap, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, cap - len, format, args);
	va_end(args);
}

static void random_zone(struct fake_net *n, int z, char *com, size_t cap)
{
	char apex[32], at[32], text[4000] = "";
	unsigned n_ns = 1 + throw(4);

	snprintf(apex, sizeof(apex), "z%d.com.", z);
	for (unsigned i = 0; i < n_ns; i++) {
		bool is_own = throw(3) > 0;
		int other = is_own ? z : (int) throw(ZONES);

		snprintf(at, sizeof(at), "192.0.%d.%u", z, i + 1);
		line(com, cap, "z%d NS n%u.z%d\n", z, i, other);
		if (is_own && throw(5))
			line(com, cap, "n%u.z%d A %s\n", i, z, at);
		if (throw(4) == 0)
			line(com, cap, "n%u.z%d AAAA 2001:db8:%d::%u\n", i, z, z, i);
	}
	for (unsigned i = 0; i < 5; i++)
		line(text, sizeof(text), "n%u A 192.0.%d.%u\n", i, z, i + 1);
	for (int i = 0; i < 6; i++) {
		if (throw(2))
			line(text, sizeof(text), "w%d A 203.0.113.%d\n", i, i);
		else
			line(text, sizeof(text), "w%d CNAME w%u.z%u.com.\n", i, throw(6),
				throw(ZONES));
	}
	line(text, sizeof(text), "d DNAME d.z%u.com.\n", throw(ZONES));
	line(text, sizeof(text), "a.b.c.e TXT \"x\"\ns NS n0.z%u.com.\n", throw(ZONES));
	for (unsigned i = 0; i < 5; i++) {
		struct fake_server *s;

		snprintf(at, sizeof(at), "192.0.%d.%u", z, i + 1);
		s = fake_zone(n, at, apex, text);
		s->faults = FAULTS[throw(sizeof(FAULTS) / sizeof(FAULTS[0]))];
		s->rtt_ms = (int) throw(throw(5) ? 50 : 1500);
		s->loss_percent = throw(3) ? 0 : (int) throw(40);
		s->hook = noise;
	}
}

static struct fake_net *random_world(uint64_t seed)
{
	struct fake_net *n = fake_new(seed);
	static char com[32000];

	com[0] = '\0';
	fake_root(n, ROOT, "com. NS a.com.\na.com. A " TLD "\n");
	for (int z = 0; z < ZONES; z++)
		random_zone(n, z, com, sizeof(com));
	fake_zone(n, TLD, "com.", com);
	n->conf->serve_stale_s = throw(2) ? 0 : 3600;
	n->conf->qname_minimisation = throw(4) > 0;
	n->conf->harden_glue = throw(2);
	n->conf->rebind_protection = throw(2);
	n->conf->prime = throw(2);
	n->most_open = throw(3) ? 0 : 1 + throw(20);
	return n;
}

static void live_in(uint64_t seed)
{
	static const char *const NAMES[] = {"w0.", "w1.", "w2.", "w3.", "w4.", "w5.", "x.d.", "d.",
		"a.b.c.e.", "q.s.", "", "nope."};
	static const char *const TYPES[] = {"A", "A", "A", "AAAA", "TXT", "NS", "ANY", "DS"};
	struct fake_net *n = random_world(seed);
	struct fake_answer *all[QUESTIONS];
	unsigned n_asked = 0;

	for (int i = 0; i < QUESTIONS; i++) {
		char name[64], from[32];

		snprintf(name, sizeof(name), "%sz%u.com", NAMES[throw(12)], throw(ZONES));
		snprintf(from, sizeof(from), "10.0.0.%u", 1 + throw(9));
		all[i] = fake_ask_from(n, from, name, TYPES[throw(8)],
			(throw(2) ? FAKE_DO : 0) | (throw(5) ? 0 : FAKE_CD));
		n_asked++;
		if (throw(2))
			fake_run(n, throw(2) ? throw(30) : throw(8000));
	}
	fake_run(n, 2 * RESOLVER_WALL_MS + 5000);
	for (int i = 0; i < QUESTIONS; i++) {
		if (!all[i]->is_there)
			fail_msg("seed %d: question %d is not answered", (int)seed, i);
		if (all[i]->took_ms > RESOLVER_WALL_MS + 100)
			fail_msg("seed %d: question %d took %d ms", (int)seed, i,
				(int)all[i]->took_ms);
	}
	if (n->n_sent > n_asked * RESOLVER_SENDS_MAX)
		fail_msg("seed %d: %u packets", (int)seed, n->n_sent);
	if (resolver_live(n->r) != 0 || n->n_open != 0)
		fail_msg("seed %d: %zu questions, %u asks left", (int)seed, resolver_live(n->r),
			n->n_open);
	fake_free(n);
}

TEST(random_worlds_are_survived)
{
	const char *one = getenv("FAKE_SEED"), *many = getenv("FAKE_WORLDS");
	uint64_t n_worlds = many ? strtoul(many, NULL, 10) : WORLDS;

	for (uint64_t seed = one ? strtoul(one, NULL, 10) : 1; seed <= n_worlds || one; seed++) {
		dice = rand_new_seeded(seed * 7919);
		live_in(seed);
		rand_free(dice);
		if (one)
			return;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_worlds_are_survived),
	};

	return RUN_TESTS(tests);
}
