/* SPDX-License-Identifier: Apache-2.0 */
/* A line is "EXPIRY MAC IP NAME CLIENT-ID", "*" where there is none. A MAC that is not Ethernet
 * begins with its type: "20-80:00:...". The line "duid ..." opens the DHCPv6 half, whose lines
 * have an IAID for the MAC. */
#include "daemon/import_dnsmasq_leases.h"

#include <string.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "daemon/config_kind.h"
#include "daemon/import_file.h"

enum {
	LEASE_FIELDS = 5,
	LEASE_CLIENT_ID_MAX = 255, /* one option */
	LEASE_NAME_MAX = 255,
	LEASE_LINE_MAX = 2048, /* all fields at their longest */
	LEASE_CHUNK = 65536,
};

struct import_memory {
	struct arena_pool *pool;
	struct arena *arena;
};

/* One line being read. */
struct line {
	char *field[LEASE_FIELDS];
	size_t n;
	struct config_where where;
};

static void *keep(struct import_leases *l, const void *data, size_t len)
{
	char *copy = arena_alloc(l->memory->arena, len + 1);

	memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

static struct import_lease *add_lease(struct import_leases *l, const struct import_lease *lease)
{
	if ((l->n & (l->n - 1)) == 0)
		l->list = xrealloc(l->list, (l->n ? l->n * 2 : 1) * sizeof(*l->list));
	l->list[l->n] = *lease;
	return &l->list[l->n++];
}

/* Splits in place. The count is that of all fields, also past those kept. */
static void split(char *text, struct line *out)
{
	for (char *save, *p = strtok_r(text, " \t\r", &save); p;
		p = strtok_r(NULL, " \t\r", &save)) {
		if (out->n < LEASE_FIELDS)
			out->field[out->n] = p;
		out->n++;
	}
}

static bool read_hw(const char *text, struct import_lease *out)
{
	const char *dash = strchr(text, '-');
	uint8_t type[2];

	out->hw_type = 1;
	if (strcmp(text, "*") == 0)
		return true;
	if (dash && dash - text == 2) {
		char hex[3] = {text[0], text[1], '\0'};

		if (config_hex_read(hex, type, sizeof(type)) != 1)
			return false;
		out->hw_type = type[0];
		text = dash + 1;
	}
	out->hw_len = (uint8_t)config_hex_read(text, out->hw, sizeof(out->hw));
	return out->hw_len > 0;
}

/* What is wrong with the line, or NULL. */
static const char *read_lease(struct import_leases *l, const struct line *line)
{
	struct import_lease lease = {.line = line->where.line};
	const char *expiry = line->field[0], *name, *id;
	uint8_t client_id[LEASE_CLIENT_ID_MAX];
	uint64_t expires;

	if (line->n < 4 || line->n > LEASE_FIELDS)
		return "expected \"EXPIRY MAC ADDRESS NAME CLIENT-ID\"";
	if (config_number_read(expiry, expiry + strlen(expiry), &expires) < 0 ||
		expires > INT64_MAX)
		return "the time of expiry is not a number";
	lease.expires_s = (int64_t)expires;
	if (ip_read(line->field[2], &lease.ip) < 0)
		return "the address is none";
	if (lease.ip.family == AF_INET6) {
		l->n_v6++;
		return NULL;
	}
	if (!read_hw(line->field[1], &lease))
		return "the hardware address is none";
	name = line->field[3];
	if (strlen(name) > LEASE_NAME_MAX)
		return "the host name is longer than 255 bytes";
	id = line->n == LEASE_FIELDS ? line->field[4] : "*";
	if (strcmp(id, "*") != 0) {
		lease.client_id_len = config_hex_read(id, client_id, sizeof(client_id));
		if (!lease.client_id_len)
			return "the client-id is not bytes as 01:00:11";
	}
	if (!lease.hw_len && !lease.client_id_len)
		return "neither a hardware address nor a client-id tells whose it is";
	if (lease.client_id_len)
		lease.client_id = keep(l, client_id, lease.client_id_len);
	if (strcmp(name, "*") != 0)
		lease.hostname = keep(l, name, strlen(name));
	add_lease(l, &lease);
	return NULL;
}

static void read_line(
	struct import_leases *l, char *text, struct config_where where, struct config_report *rep)
{
	struct line line = {.where = where};
	const char *wrong;

	split(text, &line);
	if (line.n == 0)
		return;
	if (line.n == 2 && strcmp(line.field[0], "duid") == 0)
		return;
	wrong = read_lease(l, &line);
	if (wrong)
		config_report_add(rep, CONFIG_ERROR, where, "%s; this lease is left out", wrong);
}

int import_leases_read(const char *name, const char *text, size_t len, struct import_leases *out,
	struct config_report *rep)
{
	struct config_where where = {.file = name, .line = 0, .column = 1};
	char line[LEASE_LINE_MAX];

	*out = (struct import_leases){.memory = xcalloc(1, sizeof(*out->memory))};
	out->memory->pool = arena_pool_new(LEASE_CHUNK, 0);
	out->memory->arena = arena_new(out->memory->pool, SIZE_MAX); /* no more than the file has */
	if (len > IMPORT_LEASES_FILE_MAX) {
		config_report_add(rep, CONFIG_ERROR, (struct config_where){.file = name},
			"the file is too large for a lease file");
		return ERR_LIMIT;
	}
	for (const char *p = text, *end = text + len, *next; p < end; p = next) {
		size_t n;

		next = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)((next ? next : end) - p);
		next = next ? next + 1 : end;
		where.line++;
		if (out->n == IMPORT_LEASES_MAX) {
			config_report_add(rep, CONFIG_ERROR, where, "too many leases");
			return ERR_LIMIT;
		}
		if (n >= sizeof(line) || memchr(p, '\0', n)) {
			config_report_add(rep, CONFIG_ERROR, where,
				"this is no line of a lease file; it is left out");
			continue;
		}
		memcpy(line, p, n);
		line[n] = '\0';
		read_line(out, line, where, rep);
	}
	if (out->n_v6)
		config_report_add(rep, CONFIG_WARNING, (struct config_where){.file = name},
			"%zu DHCPv6 leases are left out: their clients ask again", out->n_v6);
	return 0;
}

int import_leases_load(const char *path, struct import_leases *out, struct config_report *rep)
{
	char *text;
	size_t len;
	int err = import_file_read(path, IMPORT_LEASES_FILE_MAX, &text, &len);

	*out = (struct import_leases){.list = NULL};
	if (err < 0) {
		config_report_add(rep, CONFIG_ERROR, (struct config_where){.file = path},
			"cannot be read: %s", err_text(err));
		return err;
	}
	err = import_leases_read(path, text, len, out, rep);
	xfree(text);
	return err;
}

void import_leases_fini(struct import_leases *leases)
{
	xfree(leases->list);
	if (leases->memory) {
		arena_free(leases->memory->arena);
		arena_pool_free(leases->memory->pool);
		xfree(leases->memory);
	}
	*leases = (struct import_leases){.list = NULL};
}
