/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/service.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rcu.h"
#include "base/xalloc.h"
#include "daemon/bootloop.h"
#include "daemon/control.h"
#include "daemon/dhcp_io.h"
#include "daemon/lockdown.h"
#include "daemon/porthold.h"
#include "daemon/reload.h"
#include "daemon/report.h"
#include "daemon/warm.h"
#include "daemon/watch.h"
#include "net/iface.h"
#include "net/loop.h"
#include "net/udp.h"
#include "resolver/cache.h"
#include "resolver/servers.h"
#include "store/committer.h"
#include "store/snapshot.h"
#include "store/statedb.h"
#include "zones/leasename.h"

#define SERVICE_FILES		 65536 /* descriptors wished for: sockets upstream and TCP clients */
#define SERVICE_SETTLE_MS	 100   /* changes of interfaces come in groups: taken in together */
#define SERVICE_SNAPSHOT_FIRST_S 600   /* the first spare copy; a clean stop makes one too */
#define SERVICE_SNAPSHOT_S	 (6 * 3600) /* a spare copy of the leases four times a day */
#define SERVICE_TICK_MS		 1000
#define SERVICE_DRAIN_MS	 2000 /* ACKs on their way to the disk at shutdown get this long */
#define SERVICE_WORKERS		 4    /* by itself no more than this: a LAN's DNS needs no more */

void service_open_log(const struct service *s)
{
	const struct config_log *log = &s->config->log;
	const char *to = log->to ? log->to : "syslog";

	if (s->is_foreground)
		to = "stderr";
	if (log_open(to, (enum log_level)log->level) == 0)
		return;
	(void)!log_open("stderr", (enum log_level)log->level);
	log_warn(DAEMON_LOG_FAILED, "the log %s cannot be opened: stderr is used", to);
}

/* ---- store ---- */

static void service_log_store(const struct store_report *r, const char *dir)
{
	switch (r->found) {
	case STORE_NEW:
		log_info(DAEMON_STORE_NEW, "a new store was made in %s", dir);
		break;
	case STORE_CLEAN:
		break;
	case STORE_PATCHED:
	case STORE_RECOVERED:
		log_warn(DAEMON_STORE_DAMAGED, "%s", r->text);
		break;
	case STORE_LOST:
		log_error(DAEMON_STORE_DAMAGED, "%s", r->text);
		break;
	}
}

static int service_open_store(struct service *s)
{
	struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	int err;

	if (strcmp(s->config->user, "none") != 0 &&
		privs_find_user(s->config->user, &opts.uid, &opts.gid) != 0)
		log_warn(DAEMON_NO_USER,
			"there is no user %s: lanthornd keeps the caller's identity (user: none "
			"says so without this warning)",
			s->config->user);
	err = store_open(s->config->state_dir, &opts, &s->store, &s->found);
	if (err == ERR_BUSY)
		log_error(DAEMON_STATE_BUSY, "%s is in use by another lanthornd: %s",
			s->config->state_dir, s->found.text);
	else if (err)
		log_error(DAEMON_STATE_FAILED, "the state dir %s cannot be used: %s (%s)",
			s->config->state_dir, s->found.text, err_text(err));
	else
		service_log_store(&s->found, s->config->state_dir);
	return err;
}

/* With the file in error the configuration kept in the store is used, if there is one. */
static void service_keep_config(struct service *s)
{
	uint8_t *image;
	size_t len;

	if (s->is_last_good || !s->config->n_source)
		return;
	config_image_write(s->config, &image, &len);
	if (statedb_put(s->store, STATEDB_CONFIG, image, len) != 0)
		log_warn(DAEMON_STATE_FAILED,
			"the configuration could not be kept as the last good one");
	xfree(image);
}

/* ---- what the configuration means here ---- */

static bool service_owns_name(void *arg, unsigned domain, const char *label, uint32_t except_addr)
{
	struct service *s = arg;
	const struct resolver_conf *conf = rcu_get(&s->resolver_conf);
	const struct ip except = ip_from4(except_addr);

	(void)domain;
	return zones_owns_label(conf->zones, label, except_addr ? &except : NULL);
}

static int service_build(struct service *s)
{
	struct config_report rep = {0};
	struct resolver_conf *resolver = NULL;
	struct build_dhcp *dhcp = NULL;
	struct build_host host;
	int err;

	build_host_read(s->ifaces, &host);
	build_domains_add(&s->domains, s->config, &rep);
	err = build_resolver(
		s->config, &host, &s->domains, s->names, ++s->generation, &rep, &resolver);
	if (!err)
		err = build_dhcp(s->config, &host, &s->domains, &rep, &dhcp);
	report_log(&rep);
	config_report_fini(&rep);
	build_host_fini(&host);
	if (err) {
		if (resolver)
			resolver_conf_free(resolver);
		return err;
	}
	rcu_publish(&s->resolver_conf, resolver);
	s->dhcp = dhcp_io_new(&(struct dhcp_io_opts){.loop = s->loop,
				      .committer = &s->committer,
				      .ifaces = s->ifaces,
				      .names = s->names,
				      .is_name_owned = service_owns_name,
				      .arg = s},
		dhcp);
	return 0;
}

/* ---- workers ---- */

static unsigned service_count_workers(const struct config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->dns.workers)
		return c->dns.workers < WORKER_MAX ? c->dns.workers : WORKER_MAX;
	if (cores < 1)
		cores = 1;
	return cores < SERVICE_WORKERS ? (unsigned)cores : SERVICE_WORKERS;
}

/* A quarter of the memory holds answers ready to send, the rest the RRsets behind them. */
static int service_make_workers(struct service *s)
{
	const struct config_dns *d = &s->config->dns;
	struct worker_shared shared = {0};

	s->cache = cache_new(d->cache_size / 2);
	s->rrsets = cache_rrset_new(d->cache_size / 2);
	s->servers = servers_new(0);
	s->n_workers = service_count_workers(s->config);
	shared = (struct worker_shared){.cache = s->cache,
		.rrsets = s->rrsets,
		.servers = s->servers,
		.resolver_conf = &s->resolver_conf,
		.n_workers = s->n_workers};
	for (size_t i = 0; i < d->n_outgoing && i < UPSTREAM_MAX_SOURCES; i++)
		shared.outgoing[shared.n_outgoing++] = d->outgoing[i];
	for (unsigned i = 0; i < s->n_workers; i++) {
		s->workers[i] = worker_new(&shared, i);
		if (!s->workers[i]) {
			log_error(DAEMON_NO_THREAD,
				"worker %u could not be made: no event loop, or an OpenSSL without "
				"SHA-256, RSA and P-256",
				i);
			return ERR_LIMIT;
		}
	}
	listen_init(&s->listen, s->workers, s->n_workers);
	return 0;
}

/* Port 67 is bound at the very end; here it is only tried, while we may still see who holds it. */
static int service_prepare_dhcp(struct service *s)
{
	const struct udp_conf conf = {.bind = {.ip = ip_from4(0), .port = 67}};
	struct udp *probe;
	char why[512];
	int err = dhcp_io_open_raw(s->dhcp);

	if (err) {
		log_error(DAEMON_DHCP_BIND, "no raw socket for DHCP: %s%s", err_text(err),
			err == ERR_DENIED ? "; run as root, or with CAP_NET_RAW" : "");
		return err;
	}
	err = udp_open(&conf, &probe);
	if (err)
		log_error(DAEMON_DHCP_BIND, "DHCP cannot be served on port 67: %s",
			err == ERR_BUSY ? porthold_text(&conf.bind, false, why, sizeof(why))
					: err_text(err));
	else
		udp_close(probe);
	return err;
}

static int service_bind(struct service *s)
{
	struct ip_port tftp = {.port = 69};
	char why[512];
	int err = listen_apply(&s->listen, s->config, s->ifaces);

	if (err)
		return err;
	if (s->config->boot.root) {
		err = bootloop_bind(s->boot);
		if (err)
			log_error(DAEMON_BOOT_BIND, "TFTP cannot be served on port 69: %s",
				err == ERR_BUSY ? porthold_text(&tftp, false, why, sizeof(why))
						: err_text(err));
		err = bootloop_set(s->boot, build_boot(s->config));
		if (err)
			log_error(DAEMON_BOOT_ROOT, "boot.root %s cannot be opened: %s",
				s->config->boot.root, err_text(err));
	}
	return dhcp_io_conf(s->dhcp)->n_lans ? service_prepare_dhcp(s) : 0;
}

/* ---- events ---- */

static void service_on_iface(void *arg)
{
	struct service *s = arg;

	loop_timer_start(s->settle, SERVICE_SETTLE_MS, 0);
}

static void service_on_settled(void *arg)
{
	service_rebind(arg);
}

static void service_on_files(void *arg)
{
	struct service *s = arg;

	reload_refresh(s->reload);
}

static void service_on_signal(void *arg, int signum)
{
	struct service *s = arg;

	if (signum == SIGHUP)
		reload_config(s->reload, NULL, NULL);
	else if (signum == SIGUSR1)
		(void)!log_reopen();
	else
		service_stop(s);
}

void service_rebind(struct service *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		worker_network_changed(s->workers[i]);
	reload_refresh(s->reload);
}

static void service_save_cache(struct service *s)
{
	size_t n;
	int err = warm_save(s->store, s->rrsets, clock_mono_ms(), clock_wall_s(), &n);

	if (err)
		log_warn(DAEMON_CACHE_IMAGE, "the cache could not be saved: %s", err_text(err));
	else
		log_info(DAEMON_CACHE_IMAGE, "%zu RRsets of the cache saved", n);
}

static void service_load_cache(struct service *s)
{
	size_t n;
	int err = warm_load(s->store, s->rrsets, clock_mono_ms(), clock_wall_s(), &n);

	if (err && err != ERR_ABSENT)
		log_info(DAEMON_CACHE_IMAGE, "the saved cache ends early (%s)", err_text(err));
	if (!err || n)
		log_info(DAEMON_CACHE_IMAGE, "%zu RRsets of the saved cache are still good", n);
}

static void service_write_snapshot(struct service *s)
{
	size_t n;
	int err = snapshot_write(s->store, &n);

	if (err)
		log_warn(DAEMON_SNAPSHOT, "a spare copy of the leases could not be written: %s%s",
			err_text(err), err == ERR_CORRUPT ? "; a restart mends the store" : "");
}

/* On the pool. */
static void service_snapshot(void *arg)
{
	struct service *s = arg;

	service_save_cache(s);
	service_write_snapshot(s);
}

static void service_snapshot_done(void *arg, int err)
{
	struct service *s = arg;

	(void)err;
	s->is_snapshot_running = false;
}

static void service_on_tick(void *arg)
{
	struct service *s = arg;
	int64_t now_s = clock_boot_s();

	if (s->notify.watchdog_ms)
		notify_send(&s->notify, "WATCHDOG=1");
	if (s->listen.is_retry_due)
		(void)!listen_apply(&s->listen, s->config, s->ifaces); /* it has logged */
	if (now_s >= s->snapshot_due_s && !s->is_snapshot_running) {
		s->snapshot_due_s = now_s + SERVICE_SNAPSHOT_S;
		s->is_snapshot_running =
			loop_job(s->loop, service_snapshot, service_snapshot_done, s) == 0;
	}
}

/* ---- life ---- */

static void service_post(void *arg, void (*fn)(void *fn_arg), void *fn_arg)
{
	loop_post(arg, fn, fn_arg);
}

static int service_make(struct service *s)
{
	s->loop = loop_new();
	if (!s->loop || iface_open(&s->ifaces) != 0) {
		log_error(DAEMON_NO_THREAD, "the kernel gives no event loop or no netlink");
		return ERR_IO;
	}
	loop_set_guard(s->loop, rcu_enter, rcu_leave);
	s->names = leasename_new();
	s->boot = bootloop_new();
	s->reload = reload_new(s);
	return s->boot ? 0 : ERR_IO;
}

/* The first threads of the process; the committer before those who need it. */
static int service_start_threads(struct service *s)
{
	int err = committer_start(s->store, service_post, s->loop, &s->committer);

	for (unsigned i = 0; i < s->n_workers && !err; i++)
		err = worker_start(s->workers[i]);
	if (!err)
		err = bootloop_start(s->boot);
	if (err)
		log_error(DAEMON_NO_THREAD, "a thread could not be started: %s", err_text(err));
	return err;
}

static int service_load_leases(struct service *s)
{
	size_t n, n_bad;
	int err = dhcp_io_load(s->dhcp, s->store, &n, &n_bad);

	if (err) {
		log_error(DAEMON_STATE_FAILED, "the leases could not be read: %s", err_text(err));
		return err;
	}
	log_info(DAEMON_LEASES_LOADED, "%zu leases read, %zu left out as damaged", n, n_bad);
	return 0;
}

/* Port 67 is the last to open: whoever gets an answer there gets names and boot files too. */
static int service_open_doors(struct service *s)
{
	int err;

	s->settle = loop_timer_new(s->loop, service_on_settled, s);
	s->watch = watch_new(s->loop, service_on_files, s);
	watch_set(s->watch, s->config);
	err = iface_start(s->ifaces, s->loop, service_on_iface, s);
	if (err)
		log_warn(DAEMON_NO_NETLINK, "interfaces cannot be followed: %s", err_text(err));
	if (!dhcp_io_conf(s->dhcp)->n_lans)
		return 0;
	err = dhcp_io_bind(s->dhcp);
	if (err)
		log_error(DAEMON_DHCP_BIND, "DHCP cannot be served on port 67: %s", err_text(err));
	return err;
}

/* Everything that needs the privileges of the start, with one thread. */
static int service_prepare(struct service *s)
{
	int err = service_open_store(s);

	if (!err)
		err = service_make(s);
	if (err)
		return err;
	service_keep_config(s);
	err = service_make_workers(s);
	if (!err)
		err = service_build(s);
	if (!err)
		err = control_open(s, &s->control);
	if (!err)
		err = service_bind(s);
	return err;
}

int service_init(struct service *s)
{
	int err;

	s->started_s = clock_boot_s();
	s->snapshot_due_s = s->started_s + SERVICE_SNAPSHOT_FIRST_S;
	rcu_thread_register();
	notify_open(&s->notify);
	privs_raise_files(SERVICE_FILES);
	rcu_enter();
	err = service_prepare(s);
	if (!err) {
		lockdown_apply(s);
		err = service_load_leases(s);
		service_load_cache(s);
	}
	rcu_leave();
	if (!err)
		err = service_start_threads(s);
	if (!err)
		err = service_open_doors(s);
	return err;
}

static int service_signals(struct service *s)
{
	static const int list[] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT};
	int err = 0;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]) && !err; i++)
		err = loop_signal(s->loop, list[i], service_on_signal, s);
	return err;
}

void service_run(struct service *s)
{
	if (service_signals(s) != 0)
		log_warn(DAEMON_NO_THREAD, "signals cannot be handled");
	s->tick = loop_timer_new(s->loop, service_on_tick, s);
	loop_timer_start(s->tick, SERVICE_TICK_MS, SERVICE_TICK_MS);
	log_info(DAEMON_START, "lanthornd " LANTHORN_VERSION " serves: %zu DNS addresses, %zu lans",
		listen_open_count(&s->listen), dhcp_io_conf(s->dhcp)->n_lans);
	notify_send(&s->notify, "READY=1");
	loop_run(s->loop);
}

void service_stop(struct service *s)
{
	if (s->is_stopping)
		return;
	s->is_stopping = true;
	log_info(DAEMON_STOP, "stopping");
	notify_send(&s->notify, "STOPPING=1");
	loop_stop(s->loop);
}

/* ACKs that are on their way to the disk still go out, for as long as SERVICE_DRAIN_MS. */
static void service_drain(struct service *s)
{
	int64_t until_ms = clock_mono_ms() + SERVICE_DRAIN_MS;

	dhcp_io_unbind(s->dhcp);
	while (dhcp_io_pending(s->dhcp) && clock_mono_ms() < until_ms)
		loop_turn(s->loop, true);
}

static void service_stop_threads(struct service *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (s->workers[i])
			worker_stop(s->workers[i]);
	if (s->boot)
		bootloop_stop(s->boot);
	if (s->dhcp && s->committer)
		service_drain(s);
	for (unsigned i = 0; i < s->n_workers; i++)
		if (s->workers[i])
			worker_join(s->workers[i]);
	if (s->boot)
		bootloop_join(s->boot);
	committer_stop(s->committer);
	if (s->committer)
		loop_turn(s->loop, false); /* its last posts */
}

void service_fini(struct service *s)
{
	service_stop_threads(s);
	control_free(s->control);
	watch_free(s->watch);
	if (s->tick)
		loop_timer_stop(s->tick);
	dhcp_io_free(s->dhcp);
	iface_close(s->ifaces);
	loop_timer_free(s->tick);
	loop_timer_free(s->settle);
	loop_free(s->loop); /* ends a reload under way */
	reload_free(s->reload);
	for (unsigned i = 0; i < s->n_workers; i++)
		worker_free(s->workers[i]);
	bootloop_free(s->boot);
	rcu_barrier_all();
	if (s->tick) { /* it did serve */
		service_save_cache(s);
		service_write_snapshot(s);
	}
	if (s->resolver_conf)
		resolver_conf_free(s->resolver_conf);
	leasename_free(s->names);
	cache_free(s->cache);
	cache_rrset_free(s->rrsets);
	servers_free(s->servers);
	build_domains_fini(&s->domains);
	store_close(s->store);
	config_free(s->config);
	notify_close(&s->notify);
	rcu_thread_unregister();
}
