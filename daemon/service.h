/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The service: the main thread, and everything that is one of its kind in the process. It owns the
 * configuration, the store, the tables the workers share, the workers themselves, and the loop on
 * which leases, control, interfaces and reloads live. Other parts of daemon/ get a pointer to it
 * and run on its thread unless they say otherwise. */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "daemon/build.h"
#include "daemon/config.h"
#include "daemon/listen.h"
#include "daemon/notify.h"
#include "daemon/worker.h"
#include "net/privs.h"
#include "store/store.h"

struct bootloop;
struct committer;
struct control;
struct dhcp_io;
struct iface_list;
struct loop;
struct loop_timer;
struct reload;
struct watch;

struct service {
	const char *config_path;
	bool is_config_given;
	bool is_foreground; /* -f: the log goes to stderr whatever the configuration says */
	bool is_last_good;  /* running on the kept configuration because the file is in error */
	struct config *config;
	struct loop *loop;
	struct notify notify;
	struct loop_timer *tick;   /* once a second */
	struct loop_timer *settle; /* interfaces have changed; more may follow at once */
	int64_t started_s;

	struct store *store;
	struct store_report found; /* what opening the store found */
	struct committer *committer;
	int64_t snapshot_due_s;
	bool is_snapshot_running;

	struct iface_list *ifaces;
	struct build_domains domains;
	struct leasename *names;
	void *resolver_conf; /* RCU: struct resolver_conf */
	uint32_t generation;

	struct cache *cache;
	struct cache_rrset *rrsets;
	struct servers *servers;
	unsigned n_workers;
	struct worker *workers[WORKER_MAX];
	struct listen listen;

	struct dhcp_io *dhcp;
	struct bootloop *boot;
	struct control *control;
	struct reload *reload;
	struct watch *watch;
	struct privs_report privs;
	bool is_stopping;
};

/* Everything up to the first packet, in order: store, snapshots, sockets, privileges, threads,
 * leases, port 67. Logs what is wrong. The first fields, config among them, are set by main.
 * Negative: nothing runs, call service_fini. */
MUST_CHECK int service_init(struct service *s);
/* Runs until SIGTERM or SIGINT; flushes and ends everything. */
void service_run(struct service *s);
void service_fini(struct service *s);

/* As log.to and log.level say; stderr when that cannot be opened. */
void service_open_log(const struct service *s);
/* Something about the interfaces changed, or is to be looked at again: sockets, access list, lans.
 */
void service_rebind(struct service *s);
/* Begin the end. From a signal or control. */
void service_stop(struct service *s);
