/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The kinds of single values a key may take: how each is read from text, written back, described
 * in an error, in the man page and in the JSON Schema. Pure. Not for use outside config*.c. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "daemon/config_schema.h"
#include "daemon/config_store.h"

enum { CONFIG_COMPLAINT_MAX = 320 };

/* One scalar on its way from the file into a field. */
struct config_value {
	const char *text; /* NUL-terminated, no control characters inside */
	const struct config_row *row;
	struct config_store *store; /* for what the field points to */
	const char *folder;	    /* where relative paths start; ends without a slash */
	char complaint[CONFIG_COMPLAINT_MAX];
};

typedef int config_kind_read_fn(struct config_value *v, void *out);
typedef void config_kind_write_fn(const struct config_row *row, const void *in, FILE *out);

struct config_kind_info {
	const char *expected; /* "an IPv4 address such as 192.168.1.1" */
	const char *arg;      /* for the man page: "address" */
	const char *schema;   /* JSON Schema of one value; NULL: made from the row */
	size_t size;
	config_kind_read_fn *read;   /* NULL: not a scalar */
	config_kind_write_fn *write; /* plain text, not yet quoted for YAML */
};

const struct config_kind_info *config_kind_get(enum config_kind kind);
/* Fills out, or returns ERR_MALFORMED with v->complaint saying why. */
MUST_CHECK int config_kind_read(enum config_kind kind, struct config_value *v, void *out);
/* True where the value is the zero of its type and the row gives zero no meaning: then the key
 * was not given, or might as well not have been. */
bool config_kind_is_unset(const struct config_row *row, const void *in);
/* The value as text, malloced (xfree). */
char *config_kind_text(const struct config_row *row, const void *in);

/* Sets the complaint; returns ERR_MALFORMED for `return config_complain(...)`. */
int config_complain(struct config_value *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* text in double quotes, cut to what a message has room for. buf: CONFIG_QUOTE_LEN. */
enum { CONFIG_QUOTE_LEN = 72 };
const char *config_quote(const char *text, char *buf);

/* A scalar as YAML: plain where that is safe anywhere, else in double quotes. */
void config_yaml_write(const char *text, FILE *out);

/* Decimal digits only, all of text up to end; ERR_RANGE past 64 bits. */
MUST_CHECK int config_number_read(const char *text, const char *end, uint64_t *out);
bool config_bool_read(const char *text, bool *out); /* false: not one of the words */
bool config_is_off(const char *text);		    /* off, no, false, none */
void config_duration_write(uint32_t seconds, FILE *out);
/* Letters, digits, - and _ in labels of 1..63, 253 in all. Writes lower case without the trailing
 * dot to buf (CONFIG_NAME_MAX + 2). stars: may begin with "*.". */
MUST_CHECK int config_name_read(struct config_value *v, bool stars, char *buf);
/* 00:11, 00-11, single digits allowed; bytes read, 0 when it is not that. */
size_t config_hex_read(const char *text, uint8_t *out, size_t cap);

config_kind_read_fn config_read_ip, config_read_ip4, config_read_ip6, config_read_ip_port;
config_kind_read_fn config_read_prefix, config_read_prefix4, config_read_prefix6;
config_kind_read_fn config_read_range4, config_read_range6, config_read_pd;
config_kind_read_fn config_read_mac, config_read_mac_prefix, config_read_bytes, config_read_arch;
config_kind_read_fn config_read_text, config_read_path, config_read_domain, config_read_owner;
config_kind_read_fn config_read_host, config_read_label, config_read_iface, config_read_ptr;
config_kind_read_fn config_read_rr;
config_kind_write_fn config_write_ip, config_write_ip_port, config_write_prefix;
config_kind_write_fn config_write_range, config_write_pd, config_write_mac;
config_kind_write_fn config_write_mac_prefix, config_write_bytes, config_write_arch;
config_kind_write_fn config_write_ptr;
