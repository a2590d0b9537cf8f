/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a YAML scalar that any reader takes back as the same text. */
#include <string.h>
#include <strings.h>

#include "daemon/config_kind.h"

/* Also inside [ ] and { }. What another reader may take for no text (no, null, 1.5) is left to
 * those who write numbers and yes themselves. */
static bool is_plain(const char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_/.-";
	bool yes;

	return text[0] && text[0] != '-' && !text[strspn(text, letters)] &&
	       strcasecmp(text, "null") != 0 && !config_bool_read(text, &yes);
}

/* One UTF-8 sequence of a text known to be UTF-8. */
static unsigned next_char(const unsigned char *p, size_t *len)
{
	unsigned c = p[0];

	*len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (*len == 1)
		return c;
	c &= 0x7fu >> *len;
	for (size_t i = 1; i < *len; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*len = i;
			break;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	return c;
}

void config_yaml_write(const char *text, FILE *out)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len;

	if (is_plain(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *p; p += len) {
		unsigned c = next_char(p, &len);

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (int)c);
		else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			fprintf(out, "\\x%02x", c);
		else if (c == 0x2028 || c == 0x2029 || c == 0xfeff)
			fprintf(out, "\\u%04x", c);
		else
			fwrite(p, 1, len, out);
	}
	fputc('"', out);
}
