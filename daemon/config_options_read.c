/* SPDX-License-Identifier: Apache-2.0 */
/* Options from text to wire bytes. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"
#include "base/wbuf.h"
#include "daemon/config_kind.h"
#include "daemon/config_limits.h"
#include "daemon/config_options.h"
#include "daemon/config_read.h"

/* One item into bytes. Each returns 0, or ERR_MALFORMED with a complaint. */

static int put_number(struct config_value *v, const char *text, struct wbuf *out, size_t width)
{
	uint64_t n, max = ((uint64_t)1 << (8 * width)) - 1;
	char quote[CONFIG_QUOTE_LEN];

	if (config_number_read(text, text + strlen(text), &n) < 0 || n > max)
		return config_complain(v, "expected a number from 0 to %" PRIu64 ", found %s", max,
			config_quote(text, quote));
	for (size_t i = width; i--;)
		wbuf_u8(out, (unsigned)(n >> (8 * i)) & 0xff);
	return 0;
}

static int put_signed(struct config_value *v, const char *text, struct wbuf *out)
{
	bool minus = text[0] == '-';
	const char *digits = text + (minus || text[0] == '+');
	char quote[CONFIG_QUOTE_LEN];
	uint64_t n;

	if (config_number_read(digits, digits + strlen(digits), &n) < 0 ||
		n > (uint64_t)INT32_MAX + minus)
		return config_complain(
			v, "expected a number of seconds, found %s", config_quote(text, quote));
	wbuf_u32(out, (uint32_t)(minus ? 0 - n : n));
	return 0;
}

static int put_ip(struct config_value *v, const char *text, struct wbuf *out)
{
	char quote[CONFIG_QUOTE_LEN];
	struct ip ip;

	if (ip_read(text, &ip) < 0 || ip.family != AF_INET)
		return config_complain(v, "expected an IPv4 address such as 192.168.1.1, found %s",
			config_quote(text, quote));
	wbuf_put(out, ip.bytes, 4);
	return 0;
}

static int put_flag(struct config_value *v, const char *text, struct wbuf *out)
{
	char quote[CONFIG_QUOTE_LEN];
	bool yes;

	if (strcmp(text, "0") == 0 || strcmp(text, "1") == 0)
		yes = text[0] == '1';
	else if (!config_bool_read(text, &yes))
		return config_complain(
			v, "expected yes or no, found %s", config_quote(text, quote));
	wbuf_u8(out, yes);
	return 0;
}

static int put_hex(struct config_value *v, const char *text, struct wbuf *out)
{
	uint8_t bytes[CONFIG_OPTION_MAX];
	char quote[CONFIG_QUOTE_LEN];
	size_t n;

	if (codec_unhex(text, bytes, sizeof(bytes), &n) < 0)
		return config_complain(v, "expected pairs of hex digits as in hex:0102ff, found %s",
			config_quote(text, quote));
	wbuf_put(out, bytes, n);
	return 0;
}

/* RFC 3397 as labels, not compressed: every client understands that. */
static int put_domain(struct config_value *v, const char *text, struct wbuf *out)
{
	char name[CONFIG_NAME_MAX + 2];
	struct config_value part = *v;
	int err;

	part.text = text;
	err = config_name_read(&part, false, name);
	if (err < 0)
		return config_complain(
			v, "%s", part.complaint[0] ? part.complaint : "expected a domain name");
	for (const char *p = name; *p && strcmp(name, ".") != 0;) {
		size_t len = strcspn(p, ".");

		wbuf_u8(out, (unsigned)len);
		wbuf_put(out, p, len);
		p += len + (p[len] == '.');
	}
	wbuf_u8(out, 0);
	return 0;
}

/* The two words of "A B", "A,B" or "A via B". */
static bool split_pair(const char *text, char *a, char *b)
{
	size_t len = strcspn(text, " ,");

	if (len == 0 || len >= IP_TEXT_LEN)
		return false;
	memcpy(a, text, len);
	a[len] = '\0';
	text += len;
	text += strspn(text, " ,");
	if (strncasecmp(text, "via ", 4) == 0)
		text += 4 + strspn(text + 4, " ");
	len = strcspn(text, " ,");
	if (len == 0 || len >= IP_TEXT_LEN || text[len + strspn(text + len, " ")])
		return false;
	memcpy(b, text, len);
	b[len] = '\0';
	return true;
}

/* RFC 3442: the length and as many bytes of the network as it has. */
static int put_route(struct config_value *v, const char *text, struct wbuf *out)
{
	char net[IP_TEXT_LEN], router[IP_TEXT_LEN], quote[CONFIG_QUOTE_LEN];
	struct config_value part = *v;
	struct ip_prefix prefix;

	if (!split_pair(text, net, router))
		return config_complain(v,
			"expected a route such as \"10.0.0.0/8 via 192.168.1.1\", found %s",
			config_quote(text, quote));
	part.text = strcasecmp(net, "default") == 0 ? "0.0.0.0/0" : net;
	part.complaint[0] = '\0';
	if (config_read_prefix4(&part, &prefix) < 0)
		return config_complain(v, "%s is not a network such as 10.0.0.0/8%s%s",
			config_quote(net, quote), part.complaint[0] ? ": " : "", part.complaint);
	wbuf_u8(out, prefix.len);
	wbuf_put(out, prefix.ip.bytes, (prefix.len + 7u) / 8);
	return put_ip(v, router, out);
}

static int put_pair(struct config_value *v, const char *text, struct wbuf *out)
{
	char a[IP_TEXT_LEN], b[IP_TEXT_LEN], quote[CONFIG_QUOTE_LEN];
	int err;

	if (!split_pair(text, a, b))
		return config_complain(v,
			"expected two addresses such as \"10.0.0.1 192.168.1.1\", found %s",
			config_quote(text, quote));
	err = put_ip(v, a, out);
	return err < 0 ? err : put_ip(v, b, out);
}

static int put_typed(struct config_value *v, unsigned type, const char *text, struct wbuf *out)
{
	switch (type) {
	case CONFIG_OPTION_IPS:
	case CONFIG_OPTION_IP:
		return put_ip(v, text, out);
	case CONFIG_OPTION_U8:
		return put_number(v, text, out, 1);
	case CONFIG_OPTION_U16:
	case CONFIG_OPTION_U16S:
		return put_number(v, text, out, 2);
	case CONFIG_OPTION_U32:
		return put_number(v, text, out, 4);
	case CONFIG_OPTION_S32:
		return put_signed(v, text, out);
	case CONFIG_OPTION_FLAG:
		return put_flag(v, text, out);
	case CONFIG_OPTION_PAIRS:
		return put_pair(v, text, out);
	case CONFIG_OPTION_DOMAINS:
		return put_domain(v, text, out);
	case CONFIG_OPTION_ROUTES:
		return put_route(v, text, out);
	case CONFIG_OPTION_HEX:
		return put_hex(v, text, out);
	default:
		wbuf_put(out, text, strlen(text));
		return 0;
	}
}

/* A type said by hand ("u8:7") goes before the table's; an unknown option needs one unless its
 * text cannot be mistaken. *out_type is what the item turned out to be. */
static int put_item(struct config_value *v, uint8_t code, const char *text, struct wbuf *out,
	unsigned *out_type)
{
	const struct config_option_row *row = config_options_row(code);
	char quote[CONFIG_QUOTE_LEN];
	struct ip ip;

	for (unsigned t = 0; t < CONFIG_OPTION_TYPES; t++) {
		const char *prefix = config_options_type_prefix(t);
		size_t len = prefix ? strlen(prefix) : 0;

		if (len && strncasecmp(text, prefix, len) == 0) {
			*out_type = t == CONFIG_OPTION_TEXT ? CONFIG_OPTION_HEX
							    : t; /* pieces of text may be joined */
			return put_typed(v, t, text + len + strspn(text + len, " "), out);
		}
	}
	if (row) {
		*out_type = row->type;
		if (row->type == CONFIG_OPTION_HEX)
			return config_complain(v,
				"its bytes are written hex:0102ff, or text:abc; found %s",
				config_quote(text, quote));
		return put_typed(v, row->type, text, out);
	}
	*out_type = ip_read(text, &ip) == 0 ? CONFIG_OPTION_IPS : CONFIG_OPTION_TEXT;
	if (text[strspn(text, "0123456789")] == '\0')
		return config_complain(v,
			"option %u is not known here; say how many bytes %s has: "
			"u8:%s, u16:%s or u32:%s",
			code, config_quote(text, quote), text, text, text);
	return put_typed(v, *out_type, text, out);
}

static bool is_single(unsigned type)
{
	return type == CONFIG_OPTION_IP || type == CONFIG_OPTION_U8 || type == CONFIG_OPTION_U16 ||
	       type == CONFIG_OPTION_U32 || type == CONFIG_OPTION_S32 ||
	       type == CONFIG_OPTION_FLAG || type == CONFIG_OPTION_TEXT;
}

struct option_place {
	struct config_reader *r;
	const struct config_row *row;	/* of the key "option" */
	const struct config_path *path; /* ends with the option's name */
	struct config_option *option;
};

static void complain(struct option_place *p, const struct config_node *n, const char *text)
{
	char path[CONFIG_PATH_LEN];

	config_read_error(p->r, n, "%s: %s", config_path_format(p->path, path), text);
}

static void read_items(struct option_place *p, const struct config_node *value)
{
	struct config_value v = {.row = p->row, .store = p->r->store};
	uint8_t bytes[CONFIG_OPTION_MAX];
	struct wbuf out = wbuf_of(bytes, sizeof(bytes));
	bool many = value->kind == CONFIG_NODE_LIST;
	unsigned type = CONFIG_OPTION_HEX;

	for (size_t i = 0; i < (many ? value->n : 1); i++) {
		const struct config_node *item = many ? value->item[i] : value;

		if (item->kind != CONFIG_NODE_SCALAR) {
			complain(p, item, "expected a value (or [] to never send it)");
			return;
		}
		if (put_item(&v, p->option->code, item->text, &out, &type) < 0) {
			complain(p, item, v.complaint);
			return;
		}
		if (i > 0 && is_single(type)) {
			complain(p, item, "it takes one value");
			return;
		}
	}
	if (out.bad) {
		complain(p, value, "it is longer than 1020 bytes");
		return;
	}
	p->option->len = out.len;
	p->option->data = config_store_copy(p->r->store, bytes, out.len);
}

/* { value: ..., force: yes } */
static void read_forced(struct option_place *p, const struct config_node *map)
{
	const struct config_node *value = NULL;

	for (size_t i = 0; i < map->n; i++) {
		const struct config_pair *pair = &map->pair[i];

		if (strcmp(pair->key->text, "value") == 0)
			value = pair->value;
		else if (strcmp(pair->key->text, "force") != 0)
			complain(p, pair->key, "only \"value\" and \"force\" are known here");
		else if (pair->value->kind != CONFIG_NODE_SCALAR ||
			 !config_bool_read(pair->value->text, &p->option->force))
			complain(p, pair->value, "force is yes or no");
	}
	if (value)
		read_items(p, value);
	else
		complain(p, map, "\"value\" is missing");
}

/* False when there is no such option, or it is not one to set. */
static bool read_code(struct option_place *p, const struct config_node *key)
{
	const char *near, *why;
	char path[CONFIG_PATH_LEN], quote[CONFIG_QUOTE_LEN];

	p->option->code = config_options_code(key->text);
	if (p->option->code == 0) {
		near = config_options_near(key->text);
		config_read_error(p->r, key, "%s: no DHCP option is called %s%s%s%s",
			config_path_format(p->path->up, path), config_quote(key->text, quote),
			near ? "; did you mean \"" : "; a number from 1 to 254 will do",
			near ? near : "", near ? "\"?" : "");
		return false;
	}
	why = config_options_reserved(p->option->code);
	if (why)
		config_read_error(p->r, key, "%s: option %u cannot be set: %s",
			config_path_format(p->path, path), p->option->code, why);
	return !why;
}

static bool is_repeated(
	struct option_place *p, const struct config_option *first, const struct config_node *key)
{
	for (const struct config_option *o = first; o < p->option; o++) {
		if (o->code == p->option->code) {
			char path[CONFIG_PATH_LEN];

			config_read_error(p->r, key, "%s: option %u is given twice",
				config_path_format(p->path, path), o->code);
			return true;
		}
	}
	return false;
}

void config_options_read(struct config_reader *r, const struct config_row *row,
	const struct config_node *map, void *base, const struct config_path *path)
{
	struct config_option *list;
	char text[CONFIG_PATH_LEN];
	size_t n = 0;

	if (map->kind == CONFIG_NODE_NONE)
		return;
	if (map->kind != CONFIG_NODE_MAP || map->also) {
		config_read_error(r, map, "%s: expected options as NAME: VALUE",
			config_path_format(path, text));
		return;
	}
	if (map->n > UINT8_MAX) {
		config_read_error(
			r, map, "%s: there are only 254 options", config_path_format(path, text));
		return;
	}
	list = config_store_alloc(r->store, map->n, sizeof(*list));
	for (size_t i = 0; i < map->n; i++) {
		const struct config_pair *pair = &map->pair[i];
		struct config_path inner = {.up = path, .name = pair->key->text};
		struct option_place p = {r, row, &inner, &list[n]};

		if (!read_code(&p, pair->key) || is_repeated(&p, list, pair->key)) {
			list[n] = (struct config_option){.code = 0};
			continue;
		}
		if (pair->value->kind == CONFIG_NODE_MAP)
			read_forced(&p, pair->value);
		else
			read_items(&p, pair->value);
		config_store_place(
			r->store, &list[n], pair->key->file, pair->key->line, pair->key->column);
		n++;
	}
	*(struct config_option **)((char *)base + row->offset) = list;
	*(size_t *)((char *)base + row->count_offset) = n;
}
