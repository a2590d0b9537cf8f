/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reload.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rcu.h"
#include "base/xalloc.h"
#include "daemon/bootloop.h"
#include "daemon/dhcp_io.h"
#include "daemon/report.h"
#include "daemon/service.h"
#include "daemon/watch.h"
#include "net/loop.h"
#include "resolver/cache.h"
#include "store/committer.h"
#include "store/statedb.h"

#define RELOAD_WAITERS_MAX 16 /* callers of `lanthorn reload` that wait at a time */

struct reload_waiter {
	reload_done_fn on_done;
	void *arg;
};

struct reload {
	struct service *service;
	bool is_running;
	bool is_config_due, is_refresh_due;
	size_t n_waiters; /* of the run that comes next */
	struct reload_waiter waiters[RELOAD_WAITERS_MAX];
};

/* One run. Made on the service thread, worked on by a pool thread, ended on the service thread. */
struct reload_run {
	struct reload *reload;
	bool reads_file;
	char *path;
	struct config *config; /* refresh: the service's; else the new one */
	struct build_host host;
	struct build_domains domains;
	uint32_t generation;
	int err;
	struct config_report report;
	struct resolver_conf *resolver;
	struct build_dhcp *dhcp;
	size_t n_waiters;
	struct reload_waiter waiters[RELOAD_WAITERS_MAX];
};

static void reload_next(struct reload *r);

struct reload *reload_new(struct service *s)
{
	struct reload *r = xcalloc(1, sizeof(*r));

	r->service = s;
	return r;
}

void reload_free(struct reload *r)
{
	xfree(r);
}

/* ---- on the pool ---- */

static void reload_read(struct reload_run *run)
{
	struct config *c;

	/* No file, and none was asked for: the built-in configuration goes on. */
	if (!run->reload->service->is_config_given && access(run->path, F_OK) != 0) {
		run->config = config_default();
		return;
	}
	run->err = config_load(run->path, &c, &run->report);
	if (!run->err)
		run->config = c;
}

/* The domains were copied when the run began; those of a configuration read since join here. The
 * names are the service's or new ones, which reload_swap takes over. */
static void reload_work(void *arg)
{
	struct reload_run *run = arg;
	struct service *s = run->reload->service;

	if (run->reads_file)
		reload_read(run);
	if (run->err)
		return;
	build_domains_add(&run->domains, run->config, &run->report);
	run->err = build_resolver(run->config, &run->host, &run->domains, s->names, run->generation,
		&run->report, &run->resolver);
	if (!run->err)
		run->err = build_dhcp(
			run->config, &run->host, &run->domains, &run->report, &run->dhcp);
}

/* ---- back on the service thread ---- */

static void reload_free_conf(void *conf)
{
	resolver_conf_free(conf);
}

static void reload_publish(struct service *s, struct resolver_conf *next)
{
	struct resolver_conf *old = s->resolver_conf;

	rcu_publish(&s->resolver_conf, next);
	if (old)
		rcu_free_later(&old->later, reload_free_conf, old);
}

static void reload_keep_good(struct service *s)
{
	uint8_t *image;
	size_t len;

	config_image_write(s->config, &image, &len);
	if (committer_put_state(s->committer, STATEDB_CONFIG, image, len, NULL, NULL) != 0)
		log_warn(DAEMON_STATE_FAILED,
			"the configuration could not be kept as the last good one");
	xfree(image);
}

static void reload_boot(struct service *s, struct config_report *rep)
{
	int err = bootloop_set(s->boot, build_boot(s->config));

	if (err) {
		log_error(DAEMON_BOOT_ROOT, "boot.root %s cannot be opened: %s",
			s->config->boot.root, err_text(err));
		config_report_add(rep, CONFIG_WARNING,
			config_where(s->config, &s->config->boot.root),
			"boot.root %s cannot be opened (%s): if it exists, the sandbox knows only "
			"the folders of the start; restart",
			s->config->boot.root, err_text(err));
	}
	if (s->config->boot.root && !bootloop_is_bound(s->boot)) {
		err = bootloop_bind(s->boot);
		if (err)
			log_error(DAEMON_BOOT_BIND, "TFTP cannot be served on port 69: %s",
				err_text(err));
	}
}

static void reload_dhcp(struct service *s, struct build_dhcp *next)
{
	bool is_wanted = next->conf.n_lans > 0;
	int err;

	dhcp_io_configure(s->dhcp, next);
	if (!is_wanted)
		dhcp_io_unbind(s->dhcp);
	if (!is_wanted || dhcp_io_is_bound(s->dhcp))
		return;
	err = dhcp_io_bind(s->dhcp);
	if (err)
		log_error(DAEMON_DHCP_BIND, "DHCP cannot be served on port 67: %s", err_text(err));
}

/* Verdicts in the cache were reached by the anchors of before. */
static bool reload_is_trust(const struct config_change *c)
{
	return strncmp(c->path, "dns.trust-anchors", 17) == 0 ||
	       strncmp(c->path, "dns.negative-trust-anchors", 26) == 0 ||
	       strcmp(c->path, "dns.validate") == 0;
}

static void reload_doubt_cache(struct service *s, const struct config_changes *changes)
{
	bool is_trust = changes->n_left_out > 0;

	for (size_t i = 0; i < changes->n && !is_trust; i++)
		is_trust = reload_is_trust(&changes->list[i]);
	if (!is_trust)
		return;
	cache_rrset_flush(s->rrsets, NULL, true);
	cache_flush(s->cache, NULL, true);
}

static void reload_swap(struct reload_run *run, struct config_changes *changes)
{
	struct service *s = run->reload->service;

	/* Names that the run added are new; those before them are the service's own pointers. */
	s->domains = run->domains;
	if (run->reads_file) {
		struct config *old = s->config;

		config_diff(old, run->config, changes);
		s->config = run->config;
		s->is_last_good = false;
		config_free(old);
	}
	reload_publish(s, run->resolver);
	reload_doubt_cache(s, changes);
	reload_dhcp(s, run->dhcp);
	if (run->reads_file) {
		reload_boot(s, &run->report);
		service_open_log(s);
		reload_keep_good(s);
		watch_set(s->watch, s->config);
	}
	(void)!listen_apply(&s->listen, s->config, s->ifaces); /* it has logged */
}

static void reload_drop(struct reload_run *run)
{
	struct service *s = run->reload->service;

	for (size_t i = s->domains.n; i < run->domains.n; i++)
		xfree(run->domains.names[i]);
	if (run->resolver)
		resolver_conf_free(run->resolver);
	build_dhcp_free(run->dhcp);
	if (run->reads_file)
		config_free(run->config);
}

static void reload_tell(struct reload_run *run, const struct config_changes *changes)
{
	const struct reload_result result = {.err = run->err,
		.report = &run->report,
		.changes = run->reads_file && !run->err ? changes : NULL};

	for (size_t i = 0; i < run->n_waiters; i++)
		if (run->waiters[i].on_done)
			run->waiters[i].on_done(run->waiters[i].arg, &result);
}

static void reload_done(void *arg, int err)
{
	struct reload_run *run = arg;
	struct config_changes changes = {0};
	struct reload *r = run->reload;

	if (err && !run->err)
		run->err = err;
	report_log(&run->report);
	if (run->err) {
		log_error(DAEMON_RELOAD_FAILED,
			"the configuration has errors; the one before goes on serving");
		reload_drop(run);
	} else {
		reload_swap(run, &changes);
		if (run->reads_file)
			log_info(DAEMON_RELOADED,
				"configuration taken in, %zu keys changed, %zu need a restart",
				changes.n + changes.n_left_out, changes.n_restart);
		else
			log_info(DAEMON_REFRESHED,
				"hosts, devices or interfaces changed and were taken in");
	}
	if (err != ERR_CLOSED) /* else the loop has ended, and those who wait went with it */
		reload_tell(run, &changes);
	if (run->reads_file)
		notify_send(&r->service->notify, "READY=1");
	config_changes_fini(&changes);
	config_report_fini(&run->report);
	build_host_fini(&run->host);
	xfree(run->path);
	xfree(run);
	r->is_running = false;
	if (err != ERR_CLOSED)
		reload_next(r);
}

static void reload_next(struct reload *r)
{
	struct service *s = r->service;
	struct reload_run *run;

	if (r->is_running || s->is_stopping || !(r->is_config_due || r->is_refresh_due))
		return;
	run = xcalloc(1, sizeof(*run));
	run->reload = r;
	run->reads_file = r->is_config_due;
	run->path = xstrdup(s->config_path);
	run->config = run->reads_file ? NULL : s->config;
	build_host_read(s->ifaces, &run->host);
	run->domains = s->domains;
	run->generation = ++s->generation;
	memcpy(run->waiters, r->waiters, sizeof(run->waiters));
	run->n_waiters = r->n_waiters;
	r->n_waiters = 0;
	r->is_config_due = r->is_refresh_due = false;
	r->is_running = true;
	if (run->reads_file)
		notify_send(&s->notify, "RELOADING=1");
	if (loop_job(s->loop, reload_work, reload_done, run) != 0)
		reload_done(run, ERR_LIMIT);
}

void reload_config(struct reload *r, reload_done_fn on_done, void *arg)
{
	const struct reload_result busy = {.err = ERR_BUSY, .report = &(struct config_report){0}};

	if (on_done && r->n_waiters == RELOAD_WAITERS_MAX) {
		on_done(arg, &busy);
		return;
	}
	if (on_done)
		r->waiters[r->n_waiters++] = (struct reload_waiter){on_done, arg};
	r->is_config_due = true;
	reload_next(r);
}

void reload_refresh(struct reload *r)
{
	r->is_refresh_due = true;
	reload_next(r);
}
