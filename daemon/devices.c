/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/devices.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/codec.h"

#define DEVICES_WORD_MAX 256

/* The next word of a line into out; false at its end or at a comment. A word too long is cut, which
 * no reader below accepts. */
static bool devices_word(const char **at, const char *end, char out[DEVICES_WORD_MAX])
{
	size_t n = 0;

	while (*at < end && isspace((unsigned char)**at))
		++*at;
	if (*at == end || **at == '#')
		return false;
	for (; *at < end && !isspace((unsigned char)**at); ++*at)
		if (n < DEVICES_WORD_MAX - 1)
			out[n++] = **at;
	out[n] = '\0';
	return true;
}

/* A host label: letters, digits and inner hyphens (RFC 1123 2.1). */
static bool devices_read_name(const char *word, char out[64])
{
	size_t n = strlen(word);

	if (n == 0 || n > 63 || word[0] == '-' || word[n - 1] == '-')
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && !isalnum((unsigned char)word[i]) && word[i] != '-')
			return false;
		out[i] = (char)tolower((unsigned char)word[i]);
	}
	return true;
}

/* "id:" before hex, or hex that is no MAC address. */
static const char *devices_read_id(const char *word, struct devices_line *d)
{
	if (strncmp(word, "id:", 3) == 0) {
		if (codec_unhex(word + 3, d->id, sizeof(d->id), &d->id_len) != 0 || !d->id_len)
			return "the client identifier behind id: is not hexadecimal";
		return NULL;
	}
	if (codec_mac_read(word, d->mac) == 0)
		return NULL;
	if (codec_unhex(word, d->id, sizeof(d->id), &d->id_len) == 0 && d->id_len)
		return NULL;
	return "the first word is neither a MAC address nor a client identifier in hexadecimal";
}

/* NULL when good or empty (then *is_empty). */
static const char *devices_read_line(
	const char *at, const char *end, struct devices_line *d, bool *is_empty)
{
	char word[DEVICES_WORD_MAX];
	const char *why;

	*is_empty = !devices_word(&at, end, word);
	if (*is_empty)
		return NULL;
	why = devices_read_id(word, d);
	if (why)
		return why;
	if (!devices_word(&at, end, word))
		return "an address and a name are missing";
	if (strcmp(word, "-") != 0 && ip_read(word, &d->ip) != 0)
		return "the second word is not an address (or - for one from the pool)";
	if (!devices_word(&at, end, word))
		return "a name is missing";
	if (!devices_read_name(word, d->name))
		return "the name is not a host name: letters, digits, hyphens, at most 63";
	while (devices_word(&at, end, word)) {
		if (d->n_tags == DEVICES_TAGS_MAX || strlen(word) >= sizeof(d->tags[0]))
			return "too many tags, or one of more than 31 characters";
		strncpy(d->tags[d->n_tags++], word, sizeof(d->tags[0]));
	}
	return NULL;
}

void devices_parse(const char *text, size_t len,
	void (*on_device)(void *arg, const struct devices_line *d),
	void (*on_bad)(void *arg, unsigned line, const char *why), void *arg)
{
	const char *at = text, *end = text + len;
	size_t n = 0;

	for (unsigned line = 1; at < end; line++) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		struct devices_line d = {0};
		const char *why;
		bool is_empty;

		if (!eol)
			eol = end;
		why = devices_read_line(at, eol, &d, &is_empty);
		if (!why && !is_empty && n++ == DEVICES_MAX) {
			on_bad(arg, line, "too many devices; the rest of the file is left out");
			return;
		}
		if (why)
			on_bad(arg, line, why);
		else if (!is_empty)
			on_device(arg, &d);
		at = eol < end ? eol + 1 : end;
	}
}
