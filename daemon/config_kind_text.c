/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds that are names, paths and other text. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "daemon/config_kind.h"
#include "daemon/config_limits.h"

static void keep(struct config_value *v, const char *text, void *out)
{
	*(const char **)out = config_store_text(v->store, text, strlen(text));
}

int config_read_text(struct config_value *v, void *out)
{
	size_t max = v->row->max ? (size_t)v->row->max : CONFIG_TEXT_MAX;

	if (!v->text[0] && v->row->blank) {
		*(const char **)out = NULL;
		return 0;
	}
	if (!v->text[0])
		return config_complain(v, "the text is empty");
	if (strlen(v->text) > max)
		return config_complain(v, "the text is longer than %zu bytes", max);
	keep(v, v->text, out);
	return 0;
}

int config_read_path(struct config_value *v, void *out)
{
	char quote[CONFIG_QUOTE_LEN];
	const char *folder = v->folder;
	size_t len = strlen(v->text), folder_len;
	char *path;

	for (const char *const *w = v->row->words; w && *w; w++) {
		if (strcasecmp(v->text, *w) == 0) {
			keep(v, *w, out);
			return 0;
		}
	}
	if (!len)
		return ERR_MALFORMED;
	/* `to: stdout` means no file of that name beside the configuration. */
	if (v->row->words && !strchr(v->text, '/'))
		return config_complain(v, "%s is neither stderr nor syslog nor a path with a /",
			config_quote(v->text, quote));
	if (len > CONFIG_TEXT_MAX)
		return config_complain(v, "the path is longer than %d bytes", CONFIG_TEXT_MAX);
	if (strstr(v->text, "://"))
		return config_complain(v, "%s is a URL; a file on this machine is expected",
			config_quote(v->text, quote));
	if (v->text[0] == '/' || !folder || !folder[0]) {
		keep(v, v->text, out);
		return 0;
	}
	folder_len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
	path = config_store_alloc(v->store, 1, folder_len + 1 + len + 1);
	memcpy(path, folder, folder_len);
	path[folder_len] = '/';
	memcpy(path + folder_len + 1, v->text, len + 1);
	*(const char **)out = path;
	return 0;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

static int complain_char(struct config_value *v, char c)
{
	char quote[CONFIG_QUOTE_LEN];

	config_quote(v->text, quote);
	if ((unsigned char)c >= 0x80)
		return config_complain(v, "%s has letters beyond a-z; write its xn-- form", quote);
	if (c == ' ')
		return config_complain(v, "%s has a space in it", quote);
	return config_complain(
		v, "%s has a '%c' in it; letters, digits, - and _ are allowed", quote, c);
}

int config_name_read(struct config_value *v, bool stars, char *buf)
{
	const char *p = v->text;
	char quote[CONFIG_QUOTE_LEN];
	size_t n = 0, label = 0;

	if (strcmp(p, ".") == 0) {
		memcpy(buf, ".", 2);
		return 0;
	}
	if (stars && p[0] == '*' && p[1] == '.' && p[2]) {
		memcpy(buf, "*.", n = 2);
		p += 2;
	}
	for (; *p; p++) {
		if (*p == '*')
			return config_complain(v,
				"%s: a * may only stand for the whole first label%s",
				config_quote(v->text, quote), stars ? "" : " of a record");
		if (*p != '.' && !is_name_char(*p))
			return complain_char(v, *p);
		if (*p == '.' && label == 0)
			return config_complain(v, "%s has an empty label between dots",
				config_quote(v->text, quote));
		label = *p == '.' ? 0 : label + 1;
		if (label > CONFIG_LABEL_MAX)
			return config_complain(v, "%s has a label longer than %d characters",
				config_quote(v->text, quote), CONFIG_LABEL_MAX);
		if (n > CONFIG_NAME_MAX)
			return config_complain(v, "%s is longer than %d characters",
				config_quote(v->text, quote), CONFIG_NAME_MAX);
		buf[n++] = (char)tolower((unsigned char)*p);
	}
	if (n && buf[n - 1] == '.')
		n--;
	if (n > CONFIG_NAME_MAX)
		return config_complain(v, "%s is longer than %d characters",
			config_quote(v->text, quote), CONFIG_NAME_MAX);
	buf[n] = '\0';
	return n ? 0 : ERR_MALFORMED;
}

int config_read_domain(struct config_value *v, void *out)
{
	char name[CONFIG_NAME_MAX + 2];
	int err = config_name_read(v, false, name);

	if (err == 0)
		keep(v, name, out);
	return err;
}

int config_read_owner(struct config_value *v, void *out)
{
	char name[CONFIG_NAME_MAX + 2];
	int err = config_name_read(v, true, name);

	if (err == 0)
		keep(v, name, out);
	return err;
}

int config_read_host(struct config_value *v, void *out)
{
	char name[CONFIG_NAME_MAX + 2], quote[CONFIG_QUOTE_LEN];
	int err = config_name_read(v, false, name);

	if (err < 0)
		return err;
	if (strchr(name, '.'))
		return config_complain(v,
			"%s: a host name is one label; the domain comes from the lan",
			config_quote(v->text, quote));
	if (name[0] == '-' || name[strlen(name) - 1] == '-')
		return config_complain(v, "%s: a host name neither begins nor ends with -",
			config_quote(v->text, quote));
	keep(v, name, out);
	return 0;
}

int config_read_label(struct config_value *v, void *out)
{
	size_t len = strlen(v->text);

	for (const char *p = v->text; *p; p++)
		if (!is_name_char(*p) && *p != '.' && *p != ':')
			return complain_char(v, *p);
	if (len == 0 || len > CONFIG_LABEL_MAX)
		return config_complain(v, "a name has 1 to %d characters", CONFIG_LABEL_MAX);
	keep(v, v->text, out);
	return 0;
}

int config_read_iface(struct config_value *v, void *out)
{
	char quote[CONFIG_QUOTE_LEN];

	if (strlen(v->text) > CONFIG_IFNAME_MAX)
		return config_complain(v,
			"%s is longer than the %d characters of an interface name",
			config_quote(v->text, quote), CONFIG_IFNAME_MAX);
	if (!v->text[0] || strpbrk(v->text, "/ :") || strcmp(v->text, ".") == 0 ||
		strcmp(v->text, "..") == 0)
		return ERR_MALFORMED;
	keep(v, v->text, out);
	return 0;
}

int config_read_ptr(struct config_value *v, void *out)
{
	struct config_ptr ptr = {.target = NULL};
	int err = 0;

	if (!config_bool_read(v->text, &ptr.from_addresses))
		err = config_read_domain(v, &ptr.target);
	if (err == 0)
		*(struct config_ptr *)out = ptr;
	return err;
}

void config_write_ptr(const struct config_row *row, const void *in, FILE *out)
{
	const struct config_ptr *ptr = in;

	(void)row;
	/* The dot keeps a target called "no" apart from the word. */
	if (ptr->target)
		fprintf(out, "%s%s", ptr->target, strchr(ptr->target, '.') ? "" : ".");
	else
		fputs(ptr->from_addresses ? "yes" : "no", out);
}

/* "TYPE data". The data is judged where records are made; here a forgotten type is found. */
int config_read_rr(struct config_value *v, void *out)
{
	size_t type =
		strspn(v->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
	char *text;

	if (!type || !isalpha((unsigned char)v->text[0]) || v->text[type] != ' ' ||
		v->text[type + strspn(v->text + type, " ")] == '\0')
		return ERR_MALFORMED;
	if (strlen(v->text) > CONFIG_TEXT_MAX)
		return config_complain(v, "the text is longer than %d bytes", CONFIG_TEXT_MAX);
	text = config_store_text(v->store, v->text, strlen(v->text));
	for (size_t i = 0; i < type; i++)
		text[i] = (char)toupper((unsigned char)text[i]);
	*(const char **)out = text;
	return 0;
}
