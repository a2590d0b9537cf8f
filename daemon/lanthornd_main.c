/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon: command line, configuration (or the last good one), then the service. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/build.h"
#include "daemon/config.h"
#include "daemon/config_text.h"
#include "daemon/options.h"
#include "daemon/report.h"
#include "daemon/service.h"
#include "net/iface.h"
#include "store/statedb.h"
#include "zones/leasename.h"

#define MAIN_STATE_DIR "/var/lib/lanthorn"

/* 0 and *out; a file that was not named and is not there means the built-in configuration. */
static int main_load(const struct options *o, struct config **out, struct config_report *rep)
{
	int err;

	if (!o->is_config_given && access(o->config_path, F_OK) != 0) {
		*out = config_default();
		return 0;
	}
	err = config_load(o->config_path, out, rep);
	config_report_sort(rep);
	return err;
}

/* What the rooms make of the configuration: records, root hints, files. */
static int main_try_build(const struct config *c, struct config_report *rep)
{
	struct build_domains domains = {0};
	struct resolver_conf *resolver = NULL;
	struct leasename *names = leasename_new();
	struct build_dhcp *dhcp = NULL;
	struct iface_list *ifaces;
	struct build_host host;
	int err = iface_open(&ifaces);

	if (!err) {
		build_host_read(ifaces, &host);
		build_domains_add(&domains, c, rep);
		err = build_resolver(c, &host, &domains, names, 1, rep, &resolver);
		if (!err) {
			resolver_conf_free(resolver);
			err = build_dhcp(c, &host, &domains, rep, &dhcp);
		}
		build_dhcp_free(dhcp);
		build_domains_fini(&domains);
		build_host_fini(&host);
		iface_close(ifaces);
	}
	leasename_free(names);
	return err;
}

static int main_check(const struct options *o)
{
	struct config_report rep = {0};
	struct config *c = NULL;
	int err = main_load(o, &c, &rep);

	if (!err)
		err = main_try_build(c, &rep);
	config_report_print(&rep, stderr);
	if (!err && o->action == OPTIONS_DUMP_CONFIG)
		config_text_dump(c, stdout);
	else if (!err)
		printf("%s: good\n", c->n_source ? o->config_path : "built-in configuration");
	config_report_fini(&rep);
	if (!err)
		config_free(c);
	return err ? 1 : 0;
}

/* ---- the last good configuration ---- */

/* A file in error still tells most often where the state is: the value of its state-dir line. */
static char *main_find_state_dir(const char *config_path)
{
	size_t len = 0, n;
	char *text, *at, *dir;

	if (build_read_file(config_path, &text, &len) != 0)
		return xstrdup(MAIN_STATE_DIR);
	at = strncmp(text, "state-dir:", 10) == 0 ? text : strstr(text, "\nstate-dir:");
	if (!at) {
		xfree(text);
		return xstrdup(MAIN_STATE_DIR);
	}
	at = strchr(at, ':') + 1;
	at += strspn(at, " \t\"'");
	n = strcspn(at, " \t\r\n\"'#");
	dir = n && *at == '/' ? xstrndup(at, n) : xstrdup(MAIN_STATE_DIR);
	xfree(text);
	return dir;
}

static int main_load_last_good(const char *config_path, struct config **out)
{
	char *dir = main_find_state_dir(config_path);
	struct config_report rep = {0};
	struct store_report found;
	struct store *store;
	void *image;
	size_t len;
	int err = store_open_offline(dir, true, &store, &found);

	xfree(dir);
	if (err)
		return err;
	err = statedb_get(store, STATEDB_CONFIG, &image, &len);
	if (!err) {
		err = config_image_load(image, len, out, &rep);
		xfree(image);
	}
	config_report_fini(&rep);
	store_close(store);
	return err;
}

static int main_find_config(
	const struct options *o, struct config **out, bool *is_last_good, struct config_report *rep)
{
	int err = main_load(o, out, rep);

	*is_last_good = false;
	if (!err)
		return 0;
	if (main_load_last_good(o->config_path, out) != 0)
		return err;
	*is_last_good = true;
	return 0;
}

/* ---- run ---- */

static int main_run(const struct options *o)
{
	struct service *s = xcalloc(1, sizeof(*s));
	struct config_report rep = {0};
	struct config *c = NULL;
	bool is_last_good;
	int err = main_find_config(o, &c, &is_last_good, &rep);

	if (err) {
		config_report_print(&rep, stderr);
		fputs("lanthornd: no configuration to run with, and none was good before.\n",
			stderr);
		config_report_fini(&rep);
		xfree(s);
		return 1;
	}
	s->config_path = o->config_path;
	s->is_config_given = o->is_config_given;
	s->is_foreground = o->is_foreground;
	s->is_last_good = is_last_good;
	s->config = c;
	service_open_log(s);
	report_log(&rep);
	config_report_fini(&rep);
	if (is_last_good)
		log_error(DAEMON_LAST_GOOD,
			"%s has errors: running with the LAST GOOD configuration; mend the file "
			"and "
			"run `lanthorn reload`",
			o->config_path);
	signal(SIGPIPE, SIG_IGN);
	err = service_init(s);
	if (!err)
		service_run(s);
	service_fini(s);
	xfree(s);
	log_close();
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options o;

	options_read(argc, argv, &o);
	switch (o.action) {
	case OPTIONS_EXIT:
		return o.exit_code;
	case OPTIONS_DUMP_MAN:
		config_text_man(stdout);
		return 0;
	case OPTIONS_DUMP_SCHEMA:
		config_text_schema(stdout);
		return 0;
	case OPTIONS_CHECK:
	case OPTIONS_DUMP_CONFIG:
		return main_check(&o);
	case OPTIONS_RUN:
		break;
	}
	return main_run(&o);
}
