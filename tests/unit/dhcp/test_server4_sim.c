/* SPDX-License-Identifier: Apache-2.0 */
/* A LAN of clients, relays and squatters on a network that loses, repeats and reorders, over a disk
 * that is slow and fails, with power cuts, clock jumps and reloads; all from one seed.
 * What must hold at every instant:
 *   - an ACK leaves only when the disk has that lease for that client, at least as long;
 *   - no two clients hold one address;
 *   - after a power cut every lease that a client holds is there;
 *   - a name in the lease zone belongs to a bound lease of that name;
 *   - an address that a stranger uses is not handed out;
 * and when the faults end everybody gets a lease, and nothing is left over.
 * SIM_SEEDS=n SIM_FIRST=k run more; a failure names its seed. */
#include "base/rand.h"
#include "dhcp/commit.h"
#include "fake_lan.h"

enum {
	CLIENTS = 150,
	FAR = 50, /* of these behind the relay */
	SQUATTERS = 4,
	LEASE_S = 120,
	NET_DELAY_MS = 400,
	REST_MS = 1500, /* a client waits longer than any packet before it changes its mind */
	RUN_MS = 900000,
	CALM_MS = 400000,
	EVENTS_MAX = 65536,
	PENDING_MAX = 8192,
};

enum client_state { IDLE, SELECTING, REQUESTING, BOUND, RENEWING };

struct client {
	struct fake_client c;
	bool is_far;
	enum client_state state;
	uint32_t addr, asked;
	int64_t sent_ms, until_ms; /* its own belief */
	unsigned stamp;		   /* timers of an earlier state are void */
	char name[16];
};

enum event_kind { TO_SERVER, TO_CLIENT, CLIENT_TIMER, COMMIT_DONE, ARP, SERVER_TIMER };

struct event {
	int64_t at_ms;
	uint64_t order;
	enum event_kind kind;
	unsigned client, stamp;
	uint32_t ip;
	struct server4_arrival in;
	uint8_t *bytes;
	size_t len;
};

struct pending {
	struct server4_stage *stage;
	int64_t done_ms;
};

struct sim {
	struct fake_lan lan;
	struct rand_source *r;
	struct client clients[CLIENTS];
	uint32_t squatters[SQUATTERS];
	struct event *heap;
	size_t n_events;
	uint64_t order;
	struct pending *pending; /* at the disk, first come first done */
	size_t n_pending;
	int64_t disk_free_ms;
	bool is_calm, is_disk_broken;
	int64_t wall_base_ms; /* wall clock minus monotonic */
	int64_t stepped_ms;   /* last step of it */
	unsigned generation;  /* of the server */
	unsigned n_acks, n_naks, n_cuts, n_steps;
	uint64_t seed;
};

#define HOLD(s, cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			print_error("seed %llu, t %lld ms\n", (unsigned long long)(s)->seed,       \
				(long long)(s)->lan.now.mono_ms);                                  \
			assert_true(cond);                                                         \
		}                                                                                  \
	} while (0)

static bool chance(struct sim *s, unsigned permille)
{
	return rand_below(s->r, 1000) < permille;
}

/* ---- events ---- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(struct sim *s, struct event e)
{
	size_t i = s->n_events++;

	assert_true(s->n_events < EVENTS_MAX);
	e.order = s->order++;
	while (i && before(&e, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = e;
}

static struct event pop(struct sim *s)
{
	struct event top = s->heap[0], e = s->heap[--s->n_events];
	size_t i = 0;

	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= s->n_events)
			break;
		if (c + 1 < s->n_events && before(&s->heap[c + 1], &s->heap[c]))
			c++;
		if (!before(&s->heap[c], &e))
			break;
		s->heap[i] = s->heap[c];
		i = c;
	}
	s->heap[i] = e;
	return top;
}

static void set_now(struct sim *s, int64_t mono_ms)
{
	s->lan.now.mono_ms = mono_ms;
	s->lan.now.wall_s = (mono_ms + s->wall_base_ms) / 1000;
}

/* ---- the network ---- */

static void carry(struct sim *s, struct event e)
{
	unsigned loss = s->is_calm ? 0 : 80, copies = chance(s, s->is_calm ? 0 : 50) ? 2 : 1;

	while (copies--) {
		struct event copy = e;

		if (chance(s, loss))
			continue;
		copy.at_ms = s->lan.now.mono_ms + 1 +
			     rand_below(s->r, s->is_calm       ? 5
					      : chance(s, 900) ? 10
							       : NET_DELAY_MS);
		copy.bytes = xmemdup(e.bytes, e.len);
		push(s, copy);
	}
}

static void to_server(struct sim *s, unsigned i, struct fake_pkt *p, bool is_unicast)
{
	struct client *c = &s->clients[i];
	struct event e = {.kind = TO_SERVER, .client = i, .bytes = p->bytes};

	p->bytes[p->len++] = DHCP_OPT_END;
	e.len = p->len;
	if (c->is_far && !is_unicast)
		fake_set32(p->bytes + 24, FAKE_FAR_GW);
	e.in = (struct server4_arrival){.ifindex = FAKE_IF,
		.local = FAKE_SERVER,
		.peer = is_unicast  ? c->addr
			: c->is_far ? FAKE_FAR_GW
				    : 0,
		.peer_port = 68,
		.is_broadcast = !is_unicast && !c->is_far};
	carry(s, e);
}

static void to_client(struct sim *s, const struct server4_reply *r)
{
	struct event e = {.kind = TO_CLIENT, .len = r->len};
	struct pkt4 p;
	uint8_t bytes[DHCP_PACKET_MAX];

	memcpy(bytes, r->bytes, r->len);
	e.bytes = bytes;
	assert_int_equal(0, pkt4_parse(&p, bytes, r->len));
	e.client = CLIENTS;
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (memcmp(s->clients[i].c.mac, p.chaddr, 6) == 0)
			e.client = i;
	}
	HOLD(s, e.client < CLIENTS);
	carry(s, e);
}

/* ---- the disk ---- */

static void commit(struct sim *s, struct server4_stage *st)
{
	int64_t takes = 1 + rand_below(s->r, s->is_calm ? 3 : chance(s, 20) ? 4000 : 30);
	int64_t start = s->disk_free_ms > s->lan.now.mono_ms ? s->disk_free_ms : s->lan.now.mono_ms;

	HOLD(s, s->n_pending < PENDING_MAX);
	s->disk_free_ms = start + takes;
	s->pending[s->n_pending++] = (struct pending){st, s->disk_free_ms};
	push(s, (struct event){
			.kind = COMMIT_DONE, .at_ms = s->disk_free_ms, .stamp = s->generation});
}

/* What an ACK promises must stand on the disk. */
static void check_ack(struct sim *s, const struct server4_reply *r)
{
	struct lease_record *rec;
	struct pkt4 p;
	uint32_t lease_s;

	assert_int_equal(0, pkt4_parse(&p, r->bytes, r->len));
	if (p.type == DHCP_NAK)
		s->n_naks++;
	if (p.type != DHCP_ACK)
		return;
	s->n_acks++;
	rec = fake_stored(&s->lan, p.yiaddr);
	HOLD(s, rec && rec->state == LEASE_BOUND);
	HOLD(s, memcmp(rec->hw, p.chaddr, 6) == 0);
	HOLD(s, opt4_u32(&p.opts, DHCP_OPT_LEASE, &lease_s));
	if (s->lan.now.mono_ms - s->stepped_ms > 60000)
		HOLD(s, rec->expires_s + 3 >= s->lan.now.wall_s + lease_s);
	for (unsigned i = 0; i < SQUATTERS; i++)
		HOLD(s, p.yiaddr != s->squatters[i]);
}

static void obey(struct sim *s, enum server4_verdict v)
{
	struct fake_lan *f = &s->lan;

	if (v == SERVER4_SEND) {
		check_ack(s, &f->out);
		to_client(s, &f->out);
	} else if (v == SERVER4_STAGE) {
		commit(s, f->out.stage);
	} else if (v == SERVER4_HOLD) {
		for (unsigned i = 0; i < SQUATTERS; i++) {
			if (f->out.ip == s->squatters[i])
				push(s, (struct event){.kind = ARP,
						.at_ms = f->now.mono_ms + 1 + rand_below(s->r, 20),
						.ip = f->out.ip});
		}
	}
}

static void on_commit_done(struct sim *s)
{
	struct pending p = s->pending[0];
	bool is_bad = s->is_disk_broken || (!s->is_calm && chance(s, 10));

	memmove(s->pending, s->pending + 1, --s->n_pending * sizeof(*s->pending));
	if (!is_bad)
		fake_write(&s->lan, p.stage);
	obey(s, server4_committed(s->lan.s, p.stage, is_bad ? ERR_IO : 0, s->lan.now, &s->lan.out));
}

/* ---- clients ---- */

static void timer(struct sim *s, unsigned i, int64_t in_ms)
{
	push(s, (struct event){.kind = CLIENT_TIMER,
			.client = i,
			.stamp = ++s->clients[i].stamp,
			.at_ms = s->lan.now.mono_ms + in_ms});
}

static void enter(struct sim *s, unsigned i, enum client_state state, int64_t in_ms)
{
	s->clients[i].state = state;
	timer(s, i, in_ms);
}

static void check_unique(struct sim *s, unsigned i)
{
	const struct client *c = &s->clients[i];

	for (unsigned k = 0; k < CLIENTS; k++) {
		const struct client *o = &s->clients[k];

		HOLD(s, k == i || o->addr != c->addr || o->until_ms < s->lan.now.mono_ms);
	}
}

static void forget(struct client *c)
{
	c->addr = 0;
	c->until_ms = 0;
}

static void discover(struct sim *s, unsigned i)
{
	struct client *c = &s->clients[i];
	struct fake_pkt p;

	c->c.xid = rand_u32(s->r);
	p = fake_begin(&c->c, DHCP_DISCOVER);
	if (chance(s, 200))
		fake_opt(&p, DHCP_OPT_RAPID_COMMIT, "", 0);
	c->sent_ms = s->lan.now.mono_ms;
	to_server(s, i, &p, false);
	enter(s, i, SELECTING, 3000 + rand_below(s->r, 2000));
}

static void request(struct sim *s, unsigned i, bool is_reboot)
{
	struct client *c = &s->clients[i];
	struct fake_pkt p = fake_begin(&c->c, DHCP_REQUEST);

	fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, c->asked);
	if (!is_reboot)
		fake_opt_ip(&p, DHCP_OPT_SERVER_ID, FAKE_SERVER);
	c->sent_ms = s->lan.now.mono_ms;
	to_server(s, i, &p, false);
	enter(s, i, REQUESTING, 3000 + rand_below(s->r, 1000));
}

static void renew(struct sim *s, unsigned i)
{
	struct client *c = &s->clients[i];
	struct fake_pkt p;

	c->c.xid = rand_u32(s->r);
	p = fake_begin(&c->c, DHCP_REQUEST);
	fake_ciaddr(&p, c->addr);
	c->sent_ms = s->lan.now.mono_ms;
	to_server(s, i, &p, chance(s, 600));
	enter(s, i, RENEWING, 8000);
}

static void leave(struct sim *s, unsigned i)
{
	struct client *c = &s->clients[i];
	bool is_decline = chance(s, 30);
	struct fake_pkt p = fake_begin(&c->c, is_decline ? DHCP_DECLINE : DHCP_RELEASE);

	fake_opt_ip(&p, DHCP_OPT_SERVER_ID, FAKE_SERVER);
	if (is_decline)
		fake_opt_ip(&p, DHCP_OPT_REQUESTED_IP, c->addr);
	else
		fake_ciaddr(&p, c->addr);
	to_server(s, i, &p, !is_decline);
	forget(c);
	enter(s, i, IDLE, REST_MS + rand_below(s->r, 20000));
}

static void on_bound(struct sim *s, unsigned i)
{
	struct client *c = &s->clients[i];
	unsigned what = rand_below(s->r, 100);

	if (s->is_calm)
		what = 50;
	if (what < 10) { /* goes away */
		leave(s, i);
	} else if (what < 20) { /* reboots and remembers */
		c->asked = c->addr;
		forget(c);
		c->c.xid = rand_u32(s->r);
		request(s, i, true);
	} else if (what < 25) { /* reboots and forgets */
		forget(c);
		enter(s, i, IDLE, REST_MS);
	} else if (what < 28) { /* is switched off */
		forget(c);
		enter(s, i, IDLE, 200000);
	} else {
		renew(s, i);
	}
}

static void on_client_timer(struct sim *s, unsigned i)
{
	struct client *c = &s->clients[i];
	int64_t now = s->lan.now.mono_ms;

	switch (c->state) {
	case IDLE:
		discover(s, i);
		break;
	case SELECTING:
	case REQUESTING:
		enter(s, i, IDLE, REST_MS);
		break;
	case BOUND:
		on_bound(s, i);
		break;
	case RENEWING:
		if (c->until_ms > now) {
			renew(s, i);
		} else {
			forget(c);
			enter(s, i, IDLE, REST_MS);
		}
		break;
	}
}

static void on_ack(struct sim *s, unsigned i, const struct pkt4 *p)
{
	struct client *c = &s->clients[i];
	uint32_t lease_s;

	assert_true(opt4_u32(&p->opts, DHCP_OPT_LEASE, &lease_s));
	HOLD(s, lease_s <= LEASE_S);
	c->addr = p->yiaddr;
	c->until_ms = c->sent_ms + (int64_t)lease_s * 1000;
	check_unique(s, i);
	enter(s, i, BOUND, (int64_t)lease_s * 500);
}

static void on_client_packet(struct sim *s, const struct event *e)
{
	struct client *c = &s->clients[e->client];
	struct pkt4 p;

	assert_int_equal(0, pkt4_parse(&p, e->bytes, e->len));
	if (p.xid != c->c.xid)
		return;
	if (p.type == DHCP_OFFER && c->state == SELECTING) {
		c->asked = p.yiaddr;
		request(s, e->client, false);
	} else if (p.type == DHCP_ACK &&
		   (c->state == REQUESTING || c->state == RENEWING ||
			   (c->state == SELECTING && opt4_has(&p.opts, DHCP_OPT_RAPID_COMMIT)))) {
		on_ack(s, e->client, &p);
	} else if (p.type == DHCP_NAK && (c->state == REQUESTING || c->state == RENEWING)) {
		forget(c);
		enter(s, e->client, IDLE, REST_MS);
	}
}

/* ---- faults ---- */

/* Power cut: some of what was at the disk is on it, without anybody having heard. */
static void cut_power(struct sim *s)
{
	size_t n = s->n_pending ? rand_below(s->r, (uint32_t)s->n_pending + 1) : 0;

	for (size_t i = 0; i < n && !s->is_disk_broken; i++)
		fake_write(&s->lan, s->pending[i].stage);
	s->n_pending = 0;
	s->generation++;
	s->n_cuts++;
	set_now(s, s->lan.now.mono_ms + rand_below(s->r, 3000));
	fake_restart(&s->lan);
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct client *c = &s->clients[i];
		struct lease_record rec;

		if (!c->addr || c->until_ms <= s->lan.now.mono_ms)
			continue;
		HOLD(s, server4_lease(s->lan.s, c->addr, s->lan.now, &rec) == 0);
		HOLD(s, rec.state == LEASE_BOUND && memcmp(rec.hw, c->c.mac, 6) == 0);
	}
}

/* Names in the zone are those of bound leases, which the disk knows by that name. */
static int check_name(const struct lease_record *rec, void *arg)
{
	struct sim *s = arg;
	const char *name = fake_name_of(&s->lan, ip_to4(&rec->ip));

	if (name[0]) {
		struct lease_record *stored = fake_stored(&s->lan, ip_to4(&rec->ip));

		HOLD(s, rec->state == LEASE_BOUND);
		HOLD(s, strcmp(name, rec->hostname) == 0);
		HOLD(s, stored != NULL);
	}
	return 0;
}

static void fault(struct sim *s)
{
	unsigned what = rand_below(s->r, 1000);
	bool is_settled = s->lan.now.mono_ms - s->stepped_ms > 60000;

	server4_each(s->lan.s, s->lan.now, check_name, s);
	if (what < 30 && is_settled) {
		cut_power(s);
	} else if (what < 50 && is_settled && !s->is_disk_broken) {
		static const int64_t steps[] = {-315360000, -3600, 3600, 86400, 315360000};

		s->wall_base_ms += steps[rand_below(s->r, 5)] * 1000;
		s->stepped_ms = s->lan.now.mono_ms;
		s->n_steps++;
		set_now(s, s->lan.now.mono_ms);
	} else if (what < 70) {
		s->is_disk_broken = is_settled && !s->is_disk_broken;
	} else if (what < 100) {
		s->lan.pool.last = FAKE_POOL_LO + 60 + rand_below(s->r, 60);
		server4_configure(s->lan.s, &s->lan.conf, s->lan.now);
	}
}

/* ---- a run ---- */

static void on_event(struct sim *s, struct event *e)
{
	struct fake_lan *f = &s->lan;

	switch (e->kind) {
	case TO_SERVER:
		e->in.arrived_ms = f->now.mono_ms;
		obey(s, server4_answer(f->s, e->bytes, e->len, &e->in, f->now, &f->out));
		break;
	case TO_CLIENT:
		on_client_packet(s, e);
		break;
	case CLIENT_TIMER:
		if (e->stamp == s->clients[e->client].stamp)
			on_client_timer(s, e->client);
		break;
	case COMMIT_DONE:
		if (e->stamp == s->generation)
			on_commit_done(s);
		break;
	case ARP:
		server4_on_arp(f->s, FAKE_IF, e->ip, (const uint8_t *)"\2squat");
		break;
	case SERVER_TIMER:
		break;
	}
	xfree(e->bytes);
}

static void on_server_timer(struct sim *s)
{
	enum server4_verdict v;

	while ((v = server4_on_timer(s->lan.s, s->lan.now, &s->lan.out)) != SERVER4_IDLE)
		obey(s, v);
}

static void run_until(struct sim *s, int64_t end_ms)
{
	int64_t fault_ms = s->lan.now.mono_ms + 1000;

	while (s->lan.now.mono_ms < end_ms) {
		int64_t next = server4_next_ms(s->lan.s, s->lan.now);

		if (next <= s->lan.now.mono_ms)
			next = s->lan.now.mono_ms + 1;
		if (s->n_events && s->heap[0].at_ms < next)
			next = s->heap[0].at_ms;
		if (next > s->lan.now.mono_ms)
			set_now(s, next);
		while (s->n_events && s->heap[0].at_ms <= s->lan.now.mono_ms) {
			struct event e = pop(s);

			on_event(s, &e);
		}
		on_server_timer(s);
		if (!s->is_calm && s->lan.now.mono_ms >= fault_ms) {
			fault(s);
			fault_ms = s->lan.now.mono_ms + 1000;
		}
	}
}

static struct sim *sim_new(uint64_t seed)
{
	struct sim *s = xcalloc(1, sizeof(*s));

	s->seed = seed;
	s->r = rand_new_seeded(seed);
	s->heap = xcalloc(EVENTS_MAX, sizeof(*s->heap));
	s->pending = xcalloc(PENDING_MAX, sizeof(*s->pending));
	fake_conf(&s->lan);
	s->lan.pool.last = FAKE_POOL_LO + 119;
	s->lan.far_pool.last = IP4(10, 78, 0, 50 + FAR + 10);
	for (unsigned i = 0; i < 2; i++) {
		s->lan.lans[i].lease_s = LEASE_S;
		s->lan.lans[i].max_lease_s = LEASE_S;
		s->lan.lans[i].probe = true;
	}
	s->wall_base_ms = s->lan.now.wall_s * 1000 - s->lan.now.mono_ms;
	s->stepped_ms = s->lan.now.mono_ms - 100000;
	fake_start(&s->lan);
	for (unsigned i = 0; i < SQUATTERS; i++)
		s->squatters[i] = FAKE_POOL_LO + 7 * i + rand_below(s->r, 7);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &s->clients[i];

		c->c = fake_client(i);
		c->is_far = i < FAR;
		if (chance(s, 700)) {
			snprintf(c->name, sizeof(c->name), "host%u", rand_below(s->r, 100));
			c->c.name = c->name;
		}
		enter(s, i, IDLE, rand_below(s->r, 30000));
	}
	return s;
}

static void sim_free(struct sim *s)
{
	while (s->n_events) {
		struct event e = pop(s);

		xfree(e.bytes);
	}
	fake_stop(&s->lan);
	rand_free(s->r);
	xfree(s->heap);
	xfree(s->pending);
	xfree(s);
}

static void check_end(struct sim *s)
{
	struct server4_stats st = server4_stats(s->lan.s);
	unsigned n_bound = 0;

	for (unsigned i = 0; i < CLIENTS; i++)
		n_bound += s->clients[i].until_ms > s->lan.now.mono_ms;
	HOLD(s, n_bound == CLIENTS);
	HOLD(s, st.n_staged <= 4 && st.n_probing == 0);
	HOLD(s, st.n_offers <= 4);
	server4_each(s->lan.s, s->lan.now, check_name, s);
}

static void run_seed(uint64_t seed)
{
	struct sim *s = sim_new(seed);

	run_until(s, s->lan.now.mono_ms + RUN_MS);
	s->is_calm = true;
	s->is_disk_broken = false;
	s->lan.pool.last = FAKE_POOL_LO + 119;
	server4_configure(s->lan.s, &s->lan.conf, s->lan.now);
	run_until(s, s->lan.now.mono_ms + CALM_MS);
	check_end(s);
	HOLD(s, s->n_acks > 500 && s->n_naks > 0);
	if (getenv("SIM_TALK"))
		print_message("seed %llu: %u acks, %u naks, %u cuts, %u steps\n",
			(unsigned long long)seed, s->n_acks, s->n_naks, s->n_cuts, s->n_steps);
	sim_free(s);
}

static void promises_hold_under_every_seed(void **state)
{
	const char *n = getenv("SIM_SEEDS"), *first = getenv("SIM_FIRST");
	uint64_t from = first ? strtoull(first, NULL, 10) : 1;
	uint64_t count = n ? strtoull(n, NULL, 10) : 5;

	(void)state;
	for (uint64_t seed = from; seed < from + count; seed++)
		run_seed(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promises_hold_under_every_seed),
	};

	return FAKE_RUN(tests);
}
