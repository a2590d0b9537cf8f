/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp-option. */
#include <stdio.h>
#include <string.h>

#include "daemon/config_kind.h"
#include "daemon/config_limits.h"
#include "daemon/config_options.h"
#include "daemon/import_dnsmasq_parts.h"

/* A value for an option outside the table, as dnsmasq guesses it. */
static const char *guess_type(const char *text, char *buf, size_t cap)
{
	struct ip ip;
	uint64_t number;
	uint8_t bytes[CONFIG_ID_MAX];

	if (ip_read(text, &ip) == 0 && ip.family == AF_INET)
		return text;
	if (config_number_read(text, text + strlen(text), &number) == 0)
		snprintf(buf, cap, "%s:%s",
			number > UINT16_MAX  ? "u32"
			: number > UINT8_MAX ? "u16"
					     : "u8",
			text);
	else if (strchr(text, ':') && config_hex_read(text, bytes, sizeof(bytes)))
		snprintf(buf, cap, "hex:%s", text);
	else
		snprintf(buf, cap, "text:%s", text);
	return buf;
}

/* Lists of these types are written as lists; of the others the commas belong to the text. */
static bool takes_list(const struct config_option_row *row)
{
	return !row || row->type == CONFIG_OPTION_IPS || row->type == CONFIG_OPTION_U16S ||
	       row->type == CONFIG_OPTION_DOMAINS || row->type == CONFIG_OPTION_HEX;
}

static void set_option_at(
	struct import *im, struct import_node *where, uint8_t code, char **values, size_t n)
{
	const struct config_option_row *row = config_options_row(code);
	struct import_node *options = import_map(im->doc, where, "option");
	char number[4], text[1100];
	const char *key = config_options_name(code, number);
	size_t len = 0;

	if (n == 0) {
		import_add(im->doc, options, key, NULL);
		return;
	}
	if (row && (row->type == CONFIG_OPTION_ROUTES || row->type == CONFIG_OPTION_PAIRS)) {
		for (size_t i = 0; i + 1 < n; i += 2) {
			snprintf(text, sizeof(text), "%s %s%s", values[i],
				row->type == CONFIG_OPTION_ROUTES ? "via " : "", values[i + 1]);
			import_add(im->doc, options, key, text);
		}
		return;
	}
	for (size_t i = 0; i < n && takes_list(row); i++)
		import_add(im->doc, options, key,
			row && row->type != CONFIG_OPTION_HEX
				? values[i]
				: guess_type(values[i], text, sizeof(text)));
	if (takes_list(row))
		return;
	for (size_t i = 0; i < n && len < sizeof(text); i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s", i ? "," : "", values[i]);
	import_set(im->doc, options, key, text);
}

/* router becomes the key of a lan that it is in. */
static void set_option(
	struct import *im, struct import_lan *lan, uint8_t code, char **values, size_t n)
{
	struct ip ip;

	/* Without one none is announced here. */
	if (code == 3 && n == 0) {
		lan->no_router = true;
		return;
	}
	if (code == 3 && n == 1 && ip_read(values[0], &ip) == 0) {
		if (ip_prefix_has(&lan->subnet, &ip))
			import_set(im->doc, lan->node, "router", values[0]);
		return;
	}
	if (code == 51) {
		if (n == 1)
			import_set(im->doc, lan->node, "lease", values[0]);
		return;
	}
	set_option_at(im, lan->node, code, values, n);
}

/* 0.0.0.0 is "this machine" to dnsmasq. */
static bool has_self(char **values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(values[i], "0.0.0.0") == 0)
			return true;
	return false;
}

static void apply_option(
	struct import *im, const struct import_scope *s, uint8_t code, char **values, size_t n)
{
	const char *why = code == 51 ? NULL : config_options_reserved(code);

	if (why) {
		import_note(im, IMPORT_CANNOT, "option %u: %s", code, why);
		return;
	}
	if (has_self(values, n) && code != 121 && code != 249) {
		if (code != 6)
			import_note(im, IMPORT_CANNOT, "put our own address for 0.0.0.0 there");
		return;
	}
	if (s->class) {
		set_option_at(im, import_need_class(im, s->class), code, values, n);
		return;
	}
	for (size_t i = 0; i < im->n_lan; i++)
		if (!s->lan || s->lan == &im->lan[i])
			set_option(im, &im->lan[i], code, values, n);
	if (!im->n_lan)
		import_note(im, IMPORT_CANNOT, "there is no dhcp-range");
}

void import_read_option(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts), i;
	struct import_scope s;
	const char *name;
	uint8_t code;

	i = import_take_tags(im, parts, n, &s);
	if (s.too_many || i == n)
		return;
	name = parts[i++];
	if (s.firmware && (strcmp(name, "60") == 0 || strcmp(name, "option:vendor-class") == 0)) {
		import_note(im, IMPORT_KEPT, "network boot sends it by itself");
		return;
	}
	if (s.firmware || strchr(name, ':') != strrchr(name, ':') ||
		(strchr(name, ':') && strncmp(name, "option:", 7) != 0)) {
		import_note(im, IMPORT_CANNOT, "%s", name);
		return;
	}
	if (strncmp(name, "option:", 7) == 0)
		name += 7;
	/* 33 by this name there, 121 here. */
	code = strcmp(name, "static-route") == 0 ? 33
	       : strcmp(name, "lease-time") == 0 ? 51
						 : config_options_code(name);
	if (!code) {
		import_note(im, IMPORT_CANNOT, "option \"%s\" is not known here", name);
		return;
	}
	apply_option(im, &s, code, parts + i, n - i);
}

void import_read_option_force(struct import *im, char *value)
{
	import_read_option(im, value);
	if (!im->noted)
		import_note(im, IMPORT_CHANGED, "to force it write { value: ..., force: yes }");
}
