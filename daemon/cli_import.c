/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs `import`: another server's leases into the store (through the daemon where one runs),
 * and a dnsmasq.conf into a lanthorn.yaml on standard output. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/xalloc.h"
#include "daemon/cli.h"
#include "daemon/config_report.h"
#include "daemon/import_dnsmasq.h"
#include "daemon/import_dnsmasq_leases.h"
#include "store/leasedb.h"
#include "store/store.h"

#define CLI_IMPORT_PIECE 100 /* leases of one request: well below CONTROL_REQUEST_MAX */

/* The first label when it is a host name, lower case; "" otherwise: the lease counts without it. */
static void cli_label(const char *name, char out[64])
{
	size_t n = 0;

	out[0] = '\0';
	while (name && name[n] && name[n] != '.') {
		if (n == 63 || (!isalnum((unsigned char)name[n]) && name[n] != '-'))
			return;
		n++;
	}
	if (!n || name[0] == '-' || name[n - 1] == '-')
		return;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	out[n] = '\0';
}

static struct lease_record cli_record(const struct import_lease *l, int64_t now_s)
{
	struct lease_record r = {.ip = l->ip,
		.prefix_len = 32,
		.state = LEASE_BOUND,
		.hw_type = l->hw_type,
		.hw_len = l->hw_len,
		.id_len = (uint8_t)l->client_id_len,
		.start_s = now_s,
		.expires_s = l->expires_s ? l->expires_s : LEASE_FOREVER,
		.last_seen_s = now_s};

	memcpy(r.hw, l->hw, sizeof(r.hw));
	if (l->client_id_len)
		memcpy(r.id, l->client_id, l->client_id_len);
	cli_label(l->hostname, r.hostname);
	return r;
}

/* ---- without a daemon ---- */

static int cli_store_leases(const struct cli *c, const struct import_leases *leases)
{
	struct lease_record *records = xcalloc(leases->n + 1, sizeof(*records));
	struct lease_change *changes = xcalloc(leases->n + 1, sizeof(*changes));
	size_t n = 0, n_known = 0;
	struct lease_record known;
	struct store *store;
	int exit_code = cli_open_store(c, false, &store), err = 0;

	for (size_t i = 0; exit_code == CLI_OK && i < leases->n; i++) {
		if (leasedb_get(store, &leases->list[i].ip, 32, &known) == 0) {
			n_known++;
			continue;
		}
		records[n] = cli_record(&leases->list[i], clock_wall_s());
		changes[n] = (struct lease_change){.op = LEASE_PUT, .record = &records[n]};
		n++;
	}
	if (exit_code == CLI_OK) {
		err = leasedb_commit(store, changes, n);
		store_close(store);
		if (err)
			fprintf(stderr, "lanthorn: the leases could not be stored: %s\n",
				err_text(err));
		else
			printf("%zu leases taken in, %zu left alone because the address is known\n",
				n, n_known);
	}
	xfree(records);
	xfree(changes);
	return err ? CLI_NO : exit_code;
}

/* ---- through the daemon ---- */

static json_t *cli_lease_request(const struct import_lease *l)
{
	char text[3 * 255 + 1], label[64];
	json_t *o = json_object();

	cli_label(l->hostname, label);
	json_object_set_new(o, "address", json_string(ip_format(&l->ip, text)));
	if (l->hw_len == 6)
		json_object_set_new(
			o, "mac", json_string(codec_hex(l->hw, 6, ':', text, sizeof(text))));
	if (l->client_id_len)
		json_object_set_new(o, "client_id",
			json_string(
				codec_hex(l->client_id, l->client_id_len, 0, text, sizeof(text))));
	if (label[0])
		json_object_set_new(o, "hostname", json_string(label));
	json_object_set_new(o, "expires",
		json_integer(l->expires_s ? l->expires_s : (json_int_t)LEASE_FOREVER));
	return o;
}

static int cli_send_leases(const struct cli *c, const struct import_leases *leases)
{
	struct cli piece = *c;
	int exit_code = CLI_OK;

	for (size_t at = 0; at < leases->n && exit_code == CLI_OK; at += CLI_IMPORT_PIECE) {
		json_t *list = json_array();

		for (size_t i = at; i < leases->n && i < at + CLI_IMPORT_PIECE; i++)
			json_array_append_new(list, cli_lease_request(&leases->list[i]));
		piece.leases = list;
		piece.n_args = 0;
		exit_code = cli_run(&piece, "import-leases", cli_print_text);
		json_decref(list);
	}
	return exit_code;
}

int cli_import_leases(const struct cli *c, const char *path)
{
	struct config_report rep = {0};
	struct import_leases leases;
	json_t *reply;
	int exit_code, err = import_leases_load(path, &leases, &rep);

	config_report_print(&rep, stderr);
	if (err) {
		exit_code = CLI_NO;
	} else if (cli_ask(c, "status", &reply, true) == CLI_OK) {
		json_decref(reply);
		exit_code = cli_send_leases(c, &leases);
	} else {
		exit_code = cli_store_leases(c, &leases);
	}
	if (leases.n_v6)
		printf("%zu DHCPv6 leases were left out: not built yet\n", leases.n_v6);
	if (exit_code == CLI_OK && rep.n_errors)
		exit_code = CLI_NO; /* some lines could not be read */
	import_leases_fini(&leases);
	config_report_fini(&rep);
	return exit_code;
}

int cli_import_dnsmasq(const struct cli *c, const char *path)
{
	struct import_result result;
	int err = import_dnsmasq_load(path, &result);

	(void)c;
	if (err) {
		fprintf(stderr, "lanthorn: %s cannot be read: %s\n", path, err_text(err));
		return CLI_NO;
	}
	fputs(result.yaml, stdout);
	import_result_print(&result, path, 0, stderr);
	import_result_fini(&result);
	return CLI_OK;
}
