/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/hosts.h"

#include <string.h>

#include "dns/dname.h"

static void report(const struct hosts_reader *to, unsigned line, const char *why)
{
	if (to->on_bad)
		to->on_bad(to->arg, line, why);
}

/* Letters, digits, hyphen, underscore and dots: what can stand in a URL. Anything else is a slip
 * (a comma, a second address, a pasted quote), not a name. */
static bool is_host_text(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	       strlen(s);
}

static bool read_name(
	const struct hosts_reader *to, struct hosts_name *entry, const char *text, bool is_first)
{
	uint8_t wire[DNAME_MAX];
	size_t len;

	if (!is_host_text(text)) {
		report(to, entry->line, "a name holds a character that no host name has");
		return false;
	}
	if (dname_read(text, wire, &len) != 0 || len == 1) {
		report(to, entry->line, "a name is too long or has an empty part");
		return false;
	}
	entry->name = wire;
	entry->is_bare = strchr(text, '.') == NULL;
	entry->is_canonical = is_first;
	to->on_name(to->arg, entry);
	entry->name = NULL;
	return true;
}

/* One line, NUL-terminated, without its end. */
static void read_line(const struct hosts_reader *to, unsigned line, char *text)
{
	static const char blanks[] = " \t\r\v\f";
	struct hosts_name entry = {.line = line};
	char *rest = NULL, *word;
	bool is_first = true, has_name = false;

	text[strcspn(text, "#")] = '\0';
	word = strtok_r(text, blanks, &rest);
	if (!word)
		return;
	if (ip_read(word, &entry.ip) != 0) {
		report(to, line, "it does not begin with an address");
		return;
	}
	while ((word = strtok_r(NULL, blanks, &rest))) {
		has_name = true;
		if (read_name(to, &entry, word, is_first))
			is_first = false;
	}
	if (!has_name)
		report(to, line, "no name follows the address");
}

void hosts_read(const char *text, size_t len, const struct hosts_reader *to)
{
	char copy[HOSTS_LINE_MAX + 1];
	size_t at = 0;

	/* A byte order mark is what editors on Windows leave behind. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	for (unsigned line = 1; at < len; line++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - (text + at)) : len - at;

		if (n > HOSTS_LINE_MAX) {
			report(to, line, "the line is too long");
		} else if (memchr(text + at, '\0', n)) {
			report(to, line, "the line holds a NUL octet");
		} else {
			memcpy(copy, text + at, n);
			copy[n] = '\0';
			read_line(to, line, copy);
		}
		at += n + 1;
	}
}
