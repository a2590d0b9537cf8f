/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/tftp.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "boot/tftp_parts.h"
#include "net/loop.h"

static_assert(TFTP_REQUEST_MAX <= UDP_RX_LEN, "a request must fit");

struct tftp *tftp_new(struct loop *loop, const struct boot_conf *conf, struct bootroot *root)
{
	struct tftp *t = xcalloc(1, sizeof(*t));

	t->loop = loop;
	t->conf = conf;
	t->root = root;
	t->key = hash_key_random();
	t->buffer = xalloc(TFTP_BUFFER_LEN);
	return t;
}

void tftp_set_conf(struct tftp *t, const struct boot_conf *conf, struct bootroot *root)
{
	t->conf = conf;
	t->root = root;
}

void tftp_free(struct tftp *t)
{
	if (!t)
		return;
	tftp_unlisten(t);
	while (t->oldest)
		tftp_session_end(t->oldest, "the server is stopping");
	table_fini(&t->clients);
	xfree(t->listeners);
	xfree(t->buffer);
	xfree(t);
}

struct tftp_counters tftp_counters(const struct tftp *t)
{
	struct tftp_counters c = t->counters;

	for (const struct tftp_session *s = t->oldest; s; s = s->next)
		c.retransmits += s->transfer.n_resent;
	return c;
}

/* ---- who has how many ---- */

/* What the table knows of one client address. */
struct client {
	uint32_t n;
	struct tftp_session *same_port;
	struct tftp_session *silent; /* for the longest time */
};

static struct client client_find(struct tftp *t, const struct ip_port *peer)
{
	struct table_node *n = table_find(&t->clients, tftp_client_hash(t, &peer->ip));
	struct client c = {0};

	for (; n; n = table_next(n)) {
		struct tftp_session *s = (struct tftp_session *)n;

		if (!ip_equal(&s->peer.ip, &peer->ip) || s->peer.scope_id != peer->scope_id)
			continue;
		c.n++;
		if (s->peer.port == peer->port)
			c.same_port = s;
		if (!c.silent || s->transfer.heard_us < c.silent->transfer.heard_us)
			c.silent = s;
	}
	return c;
}

/* A transfer that makes room for another: one that has been silent a while, or NULL. */
static bool is_evictable(const struct tftp_session *s)
{
	return s && clock_mono_us() - s->transfer.heard_us >= BOOT_EVICT_SILENT_MS * INT64_C(1000);
}

/* The table is full: requests that nobody ever answered (forged ones) go first, oldest first. */
static struct tftp_session *oldest_unproven(const struct tftp *t)
{
	for (struct tftp_session *s = t->oldest; s; s = s->next)
		if (!s->transfer.is_proven)
			return s;
	return NULL;
}

/* Makes room for one more transfer of a client. NULL, or why not. */
static const char *make_room(struct tftp *t, const struct client *c)
{
	uint32_t most = t->conf->max_transfers ? t->conf->max_transfers : BOOT_TRANSFERS_MAX;
	uint32_t each =
		t->conf->max_per_client ? t->conf->max_per_client : BOOT_TRANSFERS_PER_CLIENT;

	if (c->n >= each) {
		if (!is_evictable(c->silent))
			return "too many transfers of one client";
		tftp_session_end(c->silent, "another transfer took its place");
	}
	if (t->counters.active >= most) {
		struct tftp_session *s = oldest_unproven(t);

		if (!is_evictable(s))
			return "too many transfers";
		tftp_session_end(s, NULL);
	}
	return NULL;
}

/* ---- requests ---- */

/* Whether another ERROR may go out in this second: what is forged must not make us talk. */
static bool may_refuse(struct tftp *t, int64_t now_ms)
{
	if (now_ms / 1000 != t->refusal_second) {
		t->refusal_second = now_ms / 1000;
		t->n_refusals = 0;
	}
	return t->n_refusals++ < TFTP_REFUSALS_PER_S;
}

struct answer {
	enum tftp_code code;
	const char *text; /* NULL: no ERROR, the transfer says what it has to say */
};

static struct answer answer_file_error(int err)
{
	switch (err) {
	case ERR_ABSENT:
		return (struct answer){TFTP_NOT_FOUND, "no such file"};
	case ERR_DENIED:
		return (struct answer){TFTP_DENIED, "not allowed"};
	case ERR_LIMIT:
		return (struct answer){TFTP_UNDEFINED, "too many files are open"};
	default:
		return (struct answer){TFTP_UNDEFINED, "the file cannot be opened"};
	}
}

/* The same port asks again: its first request or our first packet was lost. When the client had
 * been answering, it started over, and the old transfer is of no use. */
static bool is_repeated(const struct client *c)
{
	struct tftp_session *s = c->same_port;

	if (!s || s->transfer.is_proven)
		return false;
	transfer_on_request_again(&s->transfer, clock_mono_us());
	tftp_session_run(s);
	return true;
}

static struct answer serve(struct tftp *t, const struct udp_from *from, const struct ip *bound,
	const struct tftp_request *req)
{
	struct ip_port peer = udp_peer(from);
	struct client c = client_find(t, &peer);
	struct tftp_session *s;
	struct bootfile *file;
	const char *why;
	int err;

	if (is_repeated(&c))
		return (struct answer){0};
	if (c.same_port) {
		tftp_session_end(c.same_port, NULL);
		c = client_find(t, &peer);
	}
	err = bootroot_get(t->root, req->name, req->name_len, &file);
	if (err)
		return answer_file_error(err);
	if ((why = make_room(t, &c))) {
		bootroot_put(t->root, file);
		return (struct answer){TFTP_UNDEFINED, why};
	}
	s = tftp_session_new(t, from, bound, req, file);
	if (!s) {
		bootroot_put(t->root, file);
		return (struct answer){TFTP_UNDEFINED, "no socket for the transfer"};
	}
	tftp_session_run(s);
	return (struct answer){0};
}

static struct answer judge(struct tftp *t, const struct udp_from *from, const struct ip *bound,
	const struct tftp_request *req)
{
	struct ip_port peer = udp_peer(from);

	if (!bootpolicy_allows(t->conf, &peer.ip))
		return (struct answer){TFTP_DENIED, "not allowed"};
	if (req->op == TFTP_WRQ)
		return (struct answer){TFTP_ILLEGAL, "this server only sends"};
	if (!req->octet)
		return (struct answer){TFTP_ILLEGAL, "only mode octet (binary) is served"};
	if (!t->root)
		return (struct answer){TFTP_NOT_FOUND, "no directory of boot files is set"};
	return serve(t, from, bound, req);
}

static void log_refusal(
	const struct udp_from *from, const struct tftp_request *req, const char *text)
{
	struct ip_port peer = udp_peer(from);
	char ip[IP_TEXT_LEN], name[128];

	ip_format(&peer.ip, ip);
	codec_escape(req->name, req->name_len, name, sizeof(name));
	log_limited(LOG_LEVEL_WARN, BOOT_REFUSED, "%s asked for %s: %s", ip, name, text);
}

/* One datagram at a listener. Returns the length of the ERROR to send, 0: none. */
static size_t on_request(struct tftp *t, const struct udp_rx *rx, const struct ip *bound,
	int64_t now_ms, uint8_t *out)
{
	struct tftp_request req;
	struct answer answer;

	if (rx->from->local.family == AF_INET6 && rx->from->local.bytes[0] == 0xff)
		return 0; /* RFC 1123 4.2.3.5: not to multicast */
	if (tftp_pkt_parse_request(rx->bytes, rx->len, &req) < 0) {
		t->counters.malformed++;
		return 0;
	}
	t->counters.requests++;
	answer = judge(t, rx->from, bound, &req);
	if (!answer.text)
		return 0;
	if (!may_refuse(t, now_ms)) {
		t->counters.dropped++;
		return 0;
	}
	t->counters.refused++;
	log_refusal(rx->from, &req, answer.text);
	return tftp_pkt_write_error(answer.code, answer.text, out, TFTP_OACK_MAX);
}

static void on_batch(void *arg, struct udp *u, struct udp_batch *b, int64_t now_ms)
{
	struct tftp *t = arg;
	struct ip bound = udp_bound(u).ip;

	for (size_t i = 0; i < b->n; i++)
		if (b->rx[i].len)
			b->tx_len[i] = (uint32_t)on_request(t, &b->rx[i], &bound, now_ms, b->tx[i]);
}

/* ---- listeners ---- */

int tftp_listen(struct tftp *t, struct udp *u)
{
	int err = udp_start(u, t->loop, on_batch, t);

	if (err)
		return err;
	t->listeners = xrealloc(t->listeners, (t->n_listeners + 1) * sizeof(struct udp *));
	t->listeners[t->n_listeners++] = u;
	return 0;
}

void tftp_unlisten(struct tftp *t)
{
	while (t->n_listeners)
		udp_close(t->listeners[--t->n_listeners]);
}
