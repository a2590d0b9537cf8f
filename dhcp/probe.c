/* SPDX-License-Identifier: Apache-2.0 */
/* All waits are of one length, so a list in the order of their start is in the order of their end;
 * the question's repeat needs a look at the young ones only. With at most DHCP_PROBES_MAX of them a
 * walk over all is cheap enough for the rest. */
#include "dhcp/probe.h"

#include <string.h>

#include "base/xalloc.h"

struct probe {
	struct probe *next, *prev;
	int64_t start_ms;
	uint32_t addr, ifindex;
	uint8_t mac[6], other[6];
	bool is_asked_again, is_conflict;
	uint8_t extra[PROBE_EXTRA_MAX];
	size_t len;
	uint8_t pkt[DHCP_PACKET_MAX];
};

struct probe_table {
	struct probe *first, *last;
	size_t n;
};

struct probe_table *probe_new(void)
{
	return xcalloc(1, sizeof(struct probe_table));
}

static void probe_del(struct probe_table *t, struct probe *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		t->first = p->next;
	if (p->next)
		p->next->prev = p->prev;
	else
		t->last = p->prev;
	t->n--;
	xfree(p);
}

void probe_free(struct probe_table *t)
{
	while (t && t->first)
		probe_del(t, t->first);
	xfree(t);
}

static struct probe *probe_get(const struct probe_table *t, uint32_t addr)
{
	struct probe *p = t->first;

	while (p && p->addr != addr)
		p = p->next;
	return p;
}

int probe_start(struct probe_table *t, uint32_t addr, uint32_t ifindex, const uint8_t mac[6],
	int64_t now_ms)
{
	struct probe *p;

	if (t->n >= DHCP_PROBES_MAX)
		return ERR_LIMIT;
	p = xalloc(sizeof(*p));
	*p = (struct probe){.start_ms = now_ms, .addr = addr, .ifindex = ifindex, .prev = t->last};
	memcpy(p->mac, mac, sizeof(p->mac));
	if (t->last)
		t->last->next = p;
	else
		t->first = p;
	t->last = p;
	t->n++;
	return 0;
}

void probe_keep(struct probe_table *t, uint32_t addr, const uint8_t *pkt, size_t len,
	const void *extra, size_t extra_len)
{
	struct probe *p = probe_get(t, addr);

	if (!p || len > sizeof(p->pkt) || extra_len > sizeof(p->extra))
		return;
	memcpy(p->pkt, pkt, len);
	p->len = len;
	memcpy(p->extra, extra, extra_len);
}

void probe_cancel(struct probe_table *t, uint32_t addr)
{
	struct probe *p = probe_get(t, addr);

	if (p)
		probe_del(t, p);
}

void probe_on_arp(struct probe_table *t, uint32_t ifindex, uint32_t ip, const uint8_t mac[6])
{
	struct probe *p = probe_get(t, ip);

	if (!p || p->ifindex != ifindex || memcmp(p->mac, mac, sizeof(p->mac)) == 0)
		return;
	p->is_conflict = true;
	memcpy(p->other, mac, sizeof(p->other));
}

static enum probe_event probe_due(const struct probe *p, int64_t now_ms)
{
	if (p->is_conflict)
		return PROBE_CONFLICT;
	if (now_ms >= p->start_ms + DHCP_PROBE_MS)
		return PROBE_CLEAR;
	if (!p->is_asked_again && now_ms >= p->start_ms + DHCP_PROBE_AGAIN_MS)
		return PROBE_ASK;
	return PROBE_NONE;
}

void probe_next(struct probe_table *t, int64_t now_ms, struct probe_result *out)
{
	out->event = PROBE_NONE;
	for (struct probe *p = t->first; p; p = p->next) {
		out->event = probe_due(p, now_ms);
		if (out->event == PROBE_NONE)
			continue;
		out->addr = p->addr;
		out->ifindex = p->ifindex;
		if (out->event == PROBE_ASK) {
			p->is_asked_again = true;
			return;
		}
		memcpy(out->mac, p->other, sizeof(out->mac));
		memcpy(out->extra, p->extra, sizeof(out->extra));
		memcpy(out->pkt, p->pkt, p->len);
		out->len = p->len;
		probe_del(t, p);
		return;
	}
}

int64_t probe_next_ms(const struct probe_table *t)
{
	int64_t next = INT64_MAX;

	for (const struct probe *p = t->first; p; p = p->next) {
		int64_t due =
			p->start_ms + (p->is_asked_again ? DHCP_PROBE_MS : DHCP_PROBE_AGAIN_MS);

		if (p->is_conflict)
			due = p->start_ms;
		if (due < next)
			next = due;
	}
	return next;
}

size_t probe_count(const struct probe_table *t)
{
	return t->n;
}
