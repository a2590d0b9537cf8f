/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch.h"

#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "net/loop.h"

#define WATCH_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE)

struct watch_file {
	int wd;	    /* of its folder */
	char *name; /* within the folder */
};

struct watch {
	int fd;
	struct loop *loop;
	struct loop_watch *ready;
	struct loop_timer *settle;
	void (*on_change)(void *arg);
	void *arg;
	size_t n;
	struct watch_file files[WATCH_FILES_MAX];
};

static void watch_on_settled(void *arg)
{
	struct watch *w = arg;

	w->on_change(w->arg);
}

static bool watch_is_ours(const struct watch *w, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW)
		return true; /* something was missed */
	for (size_t i = 0; i < w->n && e->len; i++)
		if (w->files[i].wd == e->wd && strcmp(w->files[i].name, e->name) == 0)
			return true;
	return false;
}

static void watch_on_ready(void *arg, unsigned events, int err)
{
	alignas(struct inotify_event) char buf[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	struct watch *w = arg;
	bool is_ours = false;
	ssize_t n;

	(void)events;
	(void)err;
	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(buf + at);

			is_ours = is_ours || watch_is_ours(w, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	if (is_ours)
		loop_timer_start(w->settle, WATCH_SETTLE_MS, 0);
}

struct watch *watch_new(struct loop *l, void (*on_change)(void *arg), void *arg)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct watch *w;

	if (fd < 0)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->fd = fd;
	w->loop = l;
	w->on_change = on_change;
	w->arg = arg;
	w->settle = loop_timer_new(l, watch_on_settled, w);
	w->ready = loop_watch_new(l, fd, watch_on_ready, w);
	if (!w->ready) {
		watch_free(w);
		return NULL;
	}
	loop_watch_set(w->ready, LOOP_READ);
	return w;
}

static void watch_forget(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		/* Fails for a folder shared with an earlier file: it has gone already. */
		inotify_rm_watch(w->fd, w->files[i].wd);
		xfree(w->files[i].name);
	}
	w->n = 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	watch_forget(w);
	loop_watch_free(w->ready);
	loop_timer_free(w->settle);
	close(w->fd);
	xfree(w);
}

static void watch_add(struct watch *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int wd;

	if (!slash || w->n == WATCH_FILES_MAX)
		return;
	folder = slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	wd = inotify_add_watch(w->fd, folder, WATCH_EVENTS);
	if (wd < 0)
		log_warn(DAEMON_WATCH_FAILED,
			"%s cannot be watched: changes in it are seen at `lanthorn reload`", path);
	else
		w->files[w->n++] = (struct watch_file){.wd = wd, .name = xstrdup(slash + 1)};
	xfree(folder);
}

void watch_set(struct watch *w, const struct config *c)
{
	if (!w)
		return;
	watch_forget(w);
	for (size_t i = 0; i < c->n_hosts; i++)
		watch_add(w, c->hosts[i]);
	for (size_t i = 0; i < c->n_devices; i++)
		watch_add(w, c->devices[i]);
}
