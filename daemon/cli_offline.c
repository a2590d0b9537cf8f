/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that read files and the store itself, without a daemon. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/cli.h"
#include "daemon/config.h"
#include "daemon/lease_json.h"
#include "store/leasedb.h"
#include "store/store.h"

/* ---- the store at rest ---- */

int cli_open_store(const struct cli *c, bool read_only, struct store **out)
{
	struct store_report found;
	int err = store_open_offline(c->state_dir, read_only, out, &found);

	if (!err) {
		if (found.text[0])
			fprintf(stderr, "lanthorn: %s\n", found.text);
		return CLI_OK;
	}
	if (err == ERR_BUSY) {
		fprintf(stderr, "lanthorn: a daemon holds %s but does not answer (%s)\n",
			c->state_dir, found.text);
		return CLI_UNREACHABLE;
	}
	fprintf(stderr, "lanthorn: the store in %s cannot be opened: %s\n", c->state_dir,
		err == ERR_ABSENT ? "there is none; is this the state-dir? Try --state-dir"
		: found.text[0]	  ? found.text
				  : err_text(err));
	return CLI_NO;
}

struct cli_leases {
	json_t *list;
	bool all;
	int64_t now_s;
};

static int cli_on_lease(const struct lease_record *r, void *arg)
{
	struct cli_leases *l = arg;
	struct lease_record copy = *r;

	if (copy.state == LEASE_BOUND && copy.expires_s != LEASE_FOREVER &&
		copy.expires_s <= l->now_s)
		copy.state = LEASE_EXPIRED;
	if (l->all || copy.state == LEASE_BOUND)
		json_array_append_new(l->list, lease_json(&copy));
	return 0;
}

int cli_leases_offline(const struct cli *c)
{
	struct cli_leases l = {.all = c->all, .now_s = clock_wall_s()};
	struct store *store;
	int exit_code = cli_open_store(c, true, &store), err;

	if (exit_code != CLI_OK)
		return exit_code;
	l.list = json_array();
	err = leasedb_each(store, cli_on_lease, NULL, &l);
	store_close(store);
	if (err)
		fprintf(stderr, "lanthorn: the store cannot be read: %s\n", err_text(err));
	else
		cli_show(c, l.list, cli_print_leases);
	json_decref(l.list);
	return err ? CLI_NO : CLI_OK;
}

int cli_check(const struct cli *c, const char *path)
{
	struct config_report rep = {0};
	struct config *config = NULL;
	int err = config_load(path, &config, &rep);

	(void)c;
	config_report_sort(&rep);
	config_report_print(&rep, stderr);
	config_report_fini(&rep);
	if (err)
		return CLI_NO;
	printf("%s: good\n", path);
	config_free(config);
	return CLI_OK;
}
