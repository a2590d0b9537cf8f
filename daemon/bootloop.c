/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bootloop.h"

#include <pthread.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/xalloc.h"
#include "boot/bootroot.h"
#include "net/loop.h"
#include "net/udp.h"

#define BOOTLOOP_PORT 69

struct bootloop {
	struct loop *loop;
	pthread_t thread;
	bool is_started;
	bool is_bound;
	struct tftp *tftp;
	struct boot_conf *conf;
	struct bootroot *root;
	struct loop_hook hook;
	pthread_mutex_t lock; /* around counters only */
	struct tftp_counters counters;
};

static void bootloop_on_turn(void *arg)
{
	struct bootloop *b = arg;
	struct tftp_counters now = tftp_counters(b->tftp);

	pthread_mutex_lock(&b->lock);
	b->counters = now;
	pthread_mutex_unlock(&b->lock);
}

struct bootloop *bootloop_new(void)
{
	struct bootloop *b = xcalloc(1, sizeof(*b));

	b->loop = loop_new();
	if (!b->loop) {
		xfree(b);
		return NULL;
	}
	pthread_mutex_init(&b->lock, NULL);
	b->conf = xcalloc(1, sizeof(*b->conf)); /* nobody may fetch until told otherwise */
	b->tftp = tftp_new(b->loop, b->conf, NULL);
	b->hook = (struct loop_hook){.fn = bootloop_on_turn, .arg = b};
	loop_on_turn_end(b->loop, &b->hook);
	return b;
}

void bootloop_free(struct bootloop *b)
{
	if (!b)
		return;
	tftp_free(b->tftp);
	loop_hook_del(&b->hook);
	loop_free(b->loop);
	bootroot_close(b->root);
	xfree(b->conf);
	pthread_mutex_destroy(&b->lock);
	xfree(b);
}

static void *bootloop_main(void *arg)
{
	struct bootloop *b = arg;

	pthread_setname_np(pthread_self(), "boot");
	loop_run(b->loop);
	return NULL;
}

int bootloop_start(struct bootloop *b)
{
	if (pthread_create(&b->thread, NULL, bootloop_main, b) != 0)
		return ERR_LIMIT;
	b->is_started = true;
	return 0;
}

void bootloop_stop(struct bootloop *b)
{
	loop_stop(b->loop);
}

void bootloop_join(struct bootloop *b)
{
	if (b->is_started)
		pthread_join(b->thread, NULL);
	b->is_started = false;
}

/* ---- sockets ---- */

static int bootloop_open_socket(uint8_t family, struct udp **out)
{
	const struct udp_conf conf = {.bind = {.ip = {.family = family}, .port = BOOTLOOP_PORT}};

	return udp_open(&conf, out);
}

struct bootloop_message {
	struct bootloop *b;
	struct udp *udp;
	struct boot_conf *conf;
	struct bootroot *root;
};

static void bootloop_on_listen(void *arg)
{
	struct bootloop_message *m = arg;

	if (tftp_listen(m->b->tftp, m->udp) != 0)
		udp_close(m->udp);
	xfree(m);
}

static void bootloop_listen(struct bootloop *b, struct udp *udp)
{
	struct bootloop_message *m = xcalloc(1, sizeof(*m));

	*m = (struct bootloop_message){.b = b, .udp = udp};
	loop_post(b->loop, bootloop_on_listen, m);
}

int bootloop_bind(struct bootloop *b)
{
	struct udp *v4, *v6;
	int err = bootloop_open_socket(AF_INET, &v4);

	if (err)
		return err;
	bootloop_listen(b, v4);
	if (bootloop_open_socket(AF_INET6, &v6) == 0)
		bootloop_listen(b, v6);
	b->is_bound = true;
	return 0;
}

bool bootloop_is_bound(const struct bootloop *b)
{
	return b->is_bound;
}

/* ---- what is served ---- */

static void bootloop_on_set(void *arg)
{
	struct bootloop_message *m = arg;
	struct bootloop *b = m->b;

	tftp_set_conf(b->tftp, m->conf, m->root);
	bootroot_close(b->root);
	xfree(b->conf);
	b->conf = m->conf;
	b->root = m->root;
	xfree(m);
}

int bootloop_set(struct bootloop *b, struct boot_conf *conf)
{
	struct bootloop_message *m;
	struct bootroot *root = NULL;
	int err = conf->root ? bootroot_open(conf->root, &root) : 0;

	if (err) {
		xfree(conf);
		return err;
	}
	m = xcalloc(1, sizeof(*m));
	*m = (struct bootloop_message){.b = b, .conf = conf, .root = root};
	loop_post(b->loop, bootloop_on_set, m);
	return 0;
}

struct tftp_counters bootloop_counters(struct bootloop *b)
{
	struct tftp_counters copy;

	pthread_mutex_lock(&b->lock);
	copy = b->counters;
	pthread_mutex_unlock(&b->lock);
	return copy;
}
