/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean": the distance between what was written and what we know. Optimal string
 * alignment, three rows of the classical table. The start of a word is just near enough. */
#include "daemon/config_schema.h"

#include <ctype.h>
#include <string.h>

enum { NEAR_WORD_MAX = 63, NEAR_START_MIN = 4 };

static int near_fold(char c)
{
	return c == '_' || c == ' ' ? '-' : tolower((unsigned char)c);
}

static unsigned near_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* "warning" and "warn", "cache" and "cache-size". */
static bool near_is_start(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && near_fold(a[n]) == near_fold(b[n]))
		n++;
	return n >= NEAR_START_MIN && (!a[n] || !b[n]);
}

unsigned config_near_limit(const char *word)
{
	size_t len = strlen(word);

	return len <= 2 ? 0 : len <= 4 ? 1 : len <= 8 ? 2 : 3;
}

unsigned config_near(const char *a, const char *b, unsigned limit)
{
	unsigned rows[3][NEAR_WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > NEAR_WORD_MAX || b_len > NEAR_WORD_MAX)
		return limit + 1;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			bool same = near_fold(a[i - 1]) == near_fold(b[j - 1]);
			unsigned d = last[j - 1] + (same ? 0 : 1);

			d = near_min(d, near_min(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && near_fold(a[i - 1]) == near_fold(b[j - 2]) &&
				near_fold(a[i - 2]) == near_fold(b[j - 1]))
				d = near_min(d, before[j - 2] + 1);
			now[j] = d;
		}
	}
	if (rows[a_len % 3][b_len] > limit && near_is_start(a, b))
		return limit;
	return near_min(rows[a_len % 3][b_len], limit + 1);
}

const char *config_near_word(const char *const *words, const char *text)
{
	const char *best = NULL;
	unsigned limit = config_near_limit(text);

	for (; *words; words++) {
		unsigned d = config_near(text, *words, limit);

		if (d > limit)
			continue;
		best = *words;
		if (d == 0)
			break;
		limit = d - 1;
	}
	return best;
}
