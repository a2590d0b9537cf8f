/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lockdown.h"

#include <libgen.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/service.h"

static void lockdown_path(const char **list, size_t *n, const char *path)
{
	if (path && *n < PRIVS_MAX_PATHS)
		list[(*n)++] = path;
}

/* The folder of a file, so that an editor's new file in it is readable too. xfree the result. */
static char *lockdown_folder(const char *path)
{
	char *copy = xstrdup(path), *folder = xstrdup(dirname(copy));

	xfree(copy);
	return folder;
}

void lockdown_apply(struct service *s)
{
	const struct config *c = s->config;
	struct privs_conf conf = {.user = c->user, .sandbox = c->sandbox};
	char *folders[PRIVS_MAX_PATHS];
	size_t n = 0;

	folders[n++] = lockdown_folder(s->config_path);
	for (size_t i = 0; i < c->n_hosts && n < PRIVS_MAX_PATHS / 2; i++)
		folders[n++] = lockdown_folder(c->hosts[i]);
	for (size_t i = 0; i < c->n_devices && n < PRIVS_MAX_PATHS - 8; i++)
		folders[n++] = lockdown_folder(c->devices[i]);
	for (size_t i = 0; i < c->n_source && n < PRIVS_MAX_PATHS - 4; i++)
		folders[n++] = lockdown_folder(c->source[i].path);
	for (size_t i = 0; i < n; i++)
		lockdown_path(conf.read_paths, &conf.n_read_paths, folders[i]);
	lockdown_path(conf.read_paths, &conf.n_read_paths, c->dns.root_hints);
	for (size_t i = 0; i < c->dns.n_trust_anchors; i++)
		lockdown_path(conf.read_paths, &conf.n_read_paths, c->dns.trust_anchors[i]);
	lockdown_path(conf.read_paths, &conf.n_read_paths, c->boot.root);
	lockdown_path(conf.write_paths, &conf.n_write_paths, c->state_dir);
	if (c->log.to && c->log.to[0] == '/') {
		folders[n++] = lockdown_folder(c->log.to); /* a rotated log is made anew there */
		lockdown_path(conf.write_paths, &conf.n_write_paths, folders[n - 1]);
	}
	if (privs_lock_down(&conf, &s->privs) != 0)
		log_warn(DAEMON_SANDBOX, "not all privileges could be given up: %s%s%s",
			s->privs.user_error, s->privs.landlock_error, s->privs.filter_error);
	for (size_t i = 0; i < n; i++)
		xfree(folders[i]);
}
