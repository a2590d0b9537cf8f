/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, and those that are words and numbers. Addresses stand in
 * config_kind_net.c, names and other text in config_kind_text.c. */
#include "daemon/config_kind.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "daemon/config_limits.h"

int config_complain(struct config_value *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(v->complaint, sizeof(v->complaint), fmt, args);
	va_end(args);
	return ERR_MALFORMED;
}

const char *config_quote(const char *text, char *buf)
{
	size_t len = strlen(text), cut = len;

	if (len > CONFIG_QUOTE_MAX) {
		cut = CONFIG_QUOTE_MAX;
		while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
			cut--;
	}
	snprintf(buf, CONFIG_QUOTE_LEN, "\"%.*s%s\"", (int)cut, text, cut < len ? "..." : "");
	return buf;
}

int config_number_read(const char *text, const char *end, uint64_t *out)
{
	uint64_t n = 0;

	if (text == end)
		return ERR_MALFORMED;
	for (; text < end; text++) {
		if (!isdigit((unsigned char)*text))
			return ERR_MALFORMED;
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return ERR_RANGE;
	}
	*out = n;
	return 0;
}

bool config_bool_read(const char *text, bool *out)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "n", "y"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	}
	return false;
}

bool config_is_off(const char *text)
{
	bool on = true;

	return strcasecmp(text, "none") == 0 || (config_bool_read(text, &on) && !on);
}

static int read_bool(struct config_value *v, void *out)
{
	bool yes;

	if (!config_bool_read(v->text, &yes))
		return ERR_MALFORMED;
	*(bool *)out = yes;
	return 0;
}

static void write_bool(const struct config_row *row, const void *in, FILE *out)
{
	(void)row;
	fputs(*(const bool *)in ? "yes" : "no", out);
}

static bool word_is(const char *word, const char *text)
{
	bool yes;

	if (strcasecmp(word, text) == 0)
		return true;
	return config_bool_read(text, &yes) && strcmp(word, yes ? "yes" : "no") == 0;
}

static int read_word(struct config_value *v, void *out)
{
	const char *const *words = v->row->words;
	const char *near;
	char list[160], quote[CONFIG_QUOTE_LEN];
	size_t len = 0;

	for (unsigned i = 0; words[i]; i++) {
		if (word_is(words[i], v->text)) {
			*(unsigned *)out = i;
			return 0;
		}
		len += (size_t)snprintf(
			list + len, sizeof(list) - len, "%s%s", i ? ", " : "", words[i]);
	}
	near = config_near_word(words, v->text);
	if (near)
		return config_complain(v, "%s is not one of %s; did you mean %s?",
			config_quote(v->text, quote), list, near);
	return config_complain(v, "%s is not one of %s", config_quote(v->text, quote), list);
}

static void write_word(const struct config_row *row, const void *in, FILE *out)
{
	fputs(row->words[*(const unsigned *)in], out);
}

/* Numbers with units: "12h", "1h30m", "128M". */
struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit SECONDS[] = {
	{"w", 604800}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}, {NULL, 0}};
static const struct unit BYTES[] = {
	{"G", (uint64_t)1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {NULL, 0}};

static const struct unit *unit_find(const struct unit *units, char letter)
{
	for (; units->name; units++)
		if (tolower((unsigned char)units->name[0]) == tolower((unsigned char)letter))
			return units;
	return NULL;
}

/* many: several parts may follow one another; a part without a unit stands alone. */
static int unit_read(const char *text, const struct unit *units, bool many, uint64_t *out)
{
	uint64_t total = 0, n = 0;
	int err;

	do {
		const char *end = text + strspn(text, "0123456789");
		const struct unit *unit;

		err = config_number_read(text, end, &n);
		if (err < 0)
			return err;
		if (!*end && total == 0) {
			*out = n;
			return 0;
		}
		unit = unit_find(units, *end);
		if (!unit)
			return ERR_MALFORMED;
		if (__builtin_mul_overflow(n, unit->factor, &n) ||
			__builtin_add_overflow(total, n, &total))
			return ERR_RANGE;
		text = end + 1;
	} while (many && *text);
	*out = total;
	return *text ? ERR_MALFORMED : 0;
}

enum { UNIT_TEXT_LEN = 24 };

/* A bound or a value in the way people write it. buf: UNIT_TEXT_LEN. */
static const char *unit_format(uint64_t n, const struct unit *units, char *buf)
{
	while (units->name && (n == 0 || n % units->factor != 0))
		units++;
	if (units->name)
		snprintf(buf, UNIT_TEXT_LEN, "%" PRIu64 "%s", n / units->factor, units->name);
	else
		snprintf(buf, UNIT_TEXT_LEN, "%" PRIu64, n);
	return buf;
}

void config_duration_write(uint32_t seconds, FILE *out)
{
	char buf[UNIT_TEXT_LEN];

	fputs(unit_format(seconds, SECONDS, buf), out);
}

static int complain_range(struct config_value *v, const struct unit *units)
{
	char quote[CONFIG_QUOTE_LEN], min[UNIT_TEXT_LEN], max[UNIT_TEXT_LEN];

	return config_complain(v, "%s is out of range: %s to %s", config_quote(v->text, quote),
		unit_format(v->row->min, units, min), unit_format(v->row->max, units, max));
}

static int read_ranged(struct config_value *v, const struct unit *units, bool many, uint64_t *out)
{
	uint64_t n = 0;
	int err;

	if (v->row->off && config_is_off(v->text)) {
		*out = 0;
		return 0;
	}
	err = unit_read(v->text, units, many, &n);
	if (err == ERR_MALFORMED)
		return err;
	if (v->row->off && n == 0 && err == 0) {
		*out = 0;
		return 0;
	}
	if (err < 0 || n < v->row->min || n > v->row->max)
		return complain_range(v, units);
	*out = n;
	return 0;
}

static int read_int(struct config_value *v, void *out)
{
	static const struct unit none[] = {{NULL, 0}};
	uint64_t n;
	int err = read_ranged(v, none, false, &n);

	if (err == 0)
		*(uint32_t *)out = (uint32_t)n;
	return err;
}

static void write_int(const struct config_row *row, const void *in, FILE *out)
{
	uint32_t n = *(const uint32_t *)in;

	if (n == 0 && row->off)
		fputs("off", out);
	else
		fprintf(out, "%" PRIu32, n);
}

static int read_size(struct config_value *v, void *out)
{
	uint64_t n;
	int err = read_ranged(v, BYTES, false, &n);

	if (err == 0)
		*(uint64_t *)out = n;
	return err;
}

static void write_size(const struct config_row *row, const void *in, FILE *out)
{
	char buf[UNIT_TEXT_LEN];

	(void)row;
	fputs(unit_format(*(const uint64_t *)in, BYTES, buf), out);
}

static int read_duration(struct config_value *v, void *out)
{
	uint64_t n;
	int err;

	if (v->row->forever && strcasecmp(v->text, "infinite") == 0) {
		*(uint32_t *)out = CONFIG_INFINITE;
		return 0;
	}
	err = read_ranged(v, SECONDS, true, &n);
	if (err == 0)
		*(uint32_t *)out = (uint32_t)n;
	return err;
}

static void write_duration(const struct config_row *row, const void *in, FILE *out)
{
	uint32_t n = *(const uint32_t *)in;

	if (n == CONFIG_INFINITE && row->forever)
		fputs("infinite", out);
	else
		config_duration_write(n, out);
}

static void write_text(const struct config_row *row, const void *in, FILE *out)
{
	const char *text = *(const char *const *)in;

	(void)row;
	fputs(text ? text : "", out);
}

#define PATTERN(regex) "{ \"type\": \"string\", \"pattern\": \"" regex "\" }"
#define TEXT_SCHEMA    "{ \"type\": \"string\", \"minLength\": 1 }"
/* An editor's YAML 1.2 takes yes for a string, one of 1.1 for true. */
#define BOOL_SCHEMA                                                                                \
	"{ \"enum\": [ true, false, \"yes\", \"no\", \"on\", \"off\", \"true\", \"false\" ] }"
#define SIZE_SCHEMA                                                                                \
	"{ \"anyOf\": [ { \"type\": \"integer\", \"minimum\": 0 }, " PATTERN(                      \
		"^[0-9]+[KMGkmg]?$") " ] }"
#define V4 "([0-9]{1,3}\\\\.){3}[0-9]{1,3}"
#define V6 "[0-9a-fA-F:.]*:[0-9a-fA-F:.]*"

static const struct config_kind_info KINDS[CONFIG_KIND_COUNT] = {
	[CONFIG_BOOL] = {"yes or no", "yes | no", BOOL_SCHEMA, sizeof(bool), read_bool, write_bool},
	[CONFIG_INT] = {"a whole number", "number", NULL, sizeof(uint32_t), read_int, write_int},
	[CONFIG_SIZE] = {"a size such as 64M (K, M, G; a bare number is bytes)", "size",
		SIZE_SCHEMA, sizeof(uint64_t), read_size, write_size},
	[CONFIG_DURATION] = {"a duration such as 12h (s, m, h, d, w; a bare number is seconds)",
		"duration", NULL, sizeof(uint32_t), read_duration, write_duration},
	[CONFIG_WORD] = {"a word", "word", NULL, sizeof(unsigned), read_word, write_word},
	[CONFIG_TEXT] = {"text", "text", NULL, sizeof(char *), config_read_text, write_text},
	[CONFIG_PATH] = {"a file path", "path", TEXT_SCHEMA, sizeof(char *), config_read_path,
		write_text},
	[CONFIG_DOMAIN] = {"a domain name such as home.arpa", "name", TEXT_SCHEMA, sizeof(char *),
		config_read_domain, write_text},
	[CONFIG_OWNER] = {"a domain name", "name", TEXT_SCHEMA, sizeof(char *), config_read_owner,
		write_text},
	[CONFIG_HOST] = {"a host name", "name", TEXT_SCHEMA, sizeof(char *), config_read_host,
		write_text},
	[CONFIG_LABEL] = {"a name of letters, digits, dots, - and _", "name", TEXT_SCHEMA,
		sizeof(char *), config_read_label, write_text},
	[CONFIG_IFACE] = {"the name of a network interface such as eth0", "interface", TEXT_SCHEMA,
		sizeof(char *), config_read_iface, write_text},
	[CONFIG_IP] = {"an address such as 192.168.1.1 or fd00::1", "address",
		PATTERN("^(" V4 "|" V6 ")$"), sizeof(struct ip), config_read_ip, config_write_ip},
	[CONFIG_IP4] = {"an IPv4 address such as 192.168.1.1", "address", PATTERN("^" V4 "$"),
		sizeof(struct ip), config_read_ip4, config_write_ip},
	[CONFIG_IP6] = {"an IPv6 address such as fd00::1", "address", PATTERN("^" V6 "$"),
		sizeof(struct ip), config_read_ip6, config_write_ip},
	[CONFIG_IP_PORT] =
		{"an address with or without a port, such as 10.0.0.53, \"10.0.0.53:5353\" or "
		 "\"[::1]:53\"",
			"address",
			PATTERN("^(" V4 "(:[0-9]+)?|" V6 "|\\\\[" V6 "\\\\](:[0-9]+)?)$"),
			sizeof(struct ip_port), config_read_ip_port, config_write_ip_port},
	[CONFIG_PREFIX] = {"an address or a network such as 192.168.1.0/24", "network",
		PATTERN("^(" V4 "|" V6 ")(/[0-9]+)?$"), sizeof(struct ip_prefix),
		config_read_prefix, config_write_prefix},
	[CONFIG_PREFIX4] = {"a network such as 192.168.1.0/24", "network",
		PATTERN("^" V4 "/[0-9]+$"), sizeof(struct ip_prefix), config_read_prefix4,
		config_write_prefix},
	[CONFIG_PREFIX6] = {"an IPv6 network such as fd00:1::/64", "network",
		PATTERN("^" V6 "/[0-9]+$"), sizeof(struct ip_prefix), config_read_prefix6,
		config_write_prefix},
	[CONFIG_RANGE4] = {"two addresses such as 192.168.1.100-192.168.1.199", "first-last",
		PATTERN("^" V4 "( *- *" V4 ")?$"), sizeof(struct ip_range), config_read_range4,
		config_write_range},
	[CONFIG_RANGE6] = {"two addresses such as fd00::1000-fd00::1fff", "first-last",
		PATTERN("^" V6 "( *- *" V6 ")?$"), sizeof(struct ip_range), config_read_range6,
		config_write_range},
	[CONFIG_PD] = {"a prefix and the length of the parts, such as \"fd00:1::/48 to 64\"",
		"network to length", PATTERN("^" V6 "/[0-9]+ +to +/?[0-9]+$"),
		sizeof(struct config_pd), config_read_pd, config_write_pd},
	[CONFIG_MAC] = {"a hardware address such as 00:11:22:33:44:55", "mac",
		PATTERN("^[0-9a-fA-F]{1,2}([:-][0-9a-fA-F]{1,2}){5}$"), sizeof(struct config_mac),
		config_read_mac, config_write_mac},
	[CONFIG_MAC_PREFIX] = {"the beginning of a hardware address such as 00:11:22", "mac",
		PATTERN("^[0-9a-fA-F]{1,2}([:-]([0-9a-fA-F]{1,2}|[*])){0,5}$"),
		sizeof(struct config_mac_prefix), config_read_mac_prefix, config_write_mac_prefix},
	[CONFIG_BYTES] = {"bytes such as 01:00:11:22, or text", "id", TEXT_SCHEMA,
		sizeof(struct config_bytes), config_read_bytes, config_write_bytes},
	[CONFIG_ARCH] = {"a number from 0 to 65535 or a word", "arch", NULL, sizeof(uint32_t),
		config_read_arch, config_write_arch},
	[CONFIG_PTR] = {"yes, no or a domain name", "yes | no | name", NULL,
		sizeof(struct config_ptr), config_read_ptr, config_write_ptr},
	[CONFIG_RR] = {"a type and its data such as \"SSHFP 4 2 123456\"", "type data", TEXT_SCHEMA,
		sizeof(char *), config_read_rr, write_text},
	[CONFIG_OPTIONS] = {"options as NAME: VALUE", "options", NULL, sizeof(void *), NULL, NULL},
	[CONFIG_SECTION] = {"keys and values", "...", NULL, 0, NULL, NULL},
	[CONFIG_MAP] = {"entries as NAME: { ... }", "...", NULL, sizeof(void *), NULL, NULL},
};

const struct config_kind_info *config_kind_get(enum config_kind kind)
{
	return &KINDS[kind];
}

int config_kind_read(enum config_kind kind, struct config_value *v, void *out)
{
	char quote[CONFIG_QUOTE_LEN];
	int err;

	v->complaint[0] = '\0';
	err = KINDS[kind].read(v, out);
	if (err < 0 && !v->complaint[0])
		config_complain(v, "expected %s, found %s", KINDS[kind].expected,
			config_quote(v->text, quote));
	return err < 0 ? ERR_MALFORMED : 0;
}

bool config_kind_is_unset(const struct config_row *row, const void *in)
{
	switch (row->kind) {
	case CONFIG_INT:
		return *(const uint32_t *)in == 0 && row->min > 0 && !row->off;
	case CONFIG_DURATION:
		return *(const uint32_t *)in == 0 && row->min > 0 && !row->off;
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_DOMAIN:
	case CONFIG_OWNER:
	case CONFIG_HOST:
	case CONFIG_LABEL:
	case CONFIG_IFACE:
	case CONFIG_RR:
		return *(const char *const *)in == NULL;
	case CONFIG_IP:
	case CONFIG_IP4:
	case CONFIG_IP6:
		return ((const struct ip *)in)->family == 0;
	case CONFIG_IP_PORT:
		return ((const struct ip_port *)in)->ip.family == 0;
	case CONFIG_PREFIX:
	case CONFIG_PREFIX4:
	case CONFIG_PREFIX6:
		return ((const struct ip_prefix *)in)->ip.family == 0;
	case CONFIG_BYTES:
		return ((const struct config_bytes *)in)->len == 0;
	default:
		return false;
	}
}

char *config_kind_text(const struct config_row *row, const void *in)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return xstrdup("");
	KINDS[row->kind].write(row, in, f);
	fclose(f);
	return text;
}
