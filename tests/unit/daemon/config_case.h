/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A configuration in a test: load text, compare everything that was said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/config_text.h"

/* All messages, a line each; malloced. */
static inline char *case_messages(const struct config_report *rep)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	config_report_print(rep, f);
	fclose(f);
	return text;
}

/* Loads it; NULL when it has errors. *out_messages is malloced. */
static inline struct config *case_load(const char *yaml, char **out_messages)
{
	struct config_report rep = {.n = 0};
	struct config *c = NULL;
	int err = config_load_text("/etc/t.yaml", yaml, strlen(yaml), &c, &rep);

	assert_int_equal(err, rep.n_errors ? ERR_MALFORMED : 0);
	*out_messages = case_messages(&rep);
	config_report_fini(&rep);
	return err ? NULL : c;
}

/* It must load without a word. */
static inline struct config *case_good(const char *yaml)
{
	char *said;
	struct config *c = case_load(yaml, &said);

	assert_string_equal(said, "");
	assert_non_null(c);
	free(said);
	return c;
}

/* It must say exactly this; "/etc/t.yaml:" is written ":" for short. */
static inline void case_says(const char *yaml, const char *expected)
{
	char *said, *shorter;
	struct config *c = case_load(yaml, &said);
	size_t n = 0;

	shorter = calloc(1, strlen(said) + 1);
	for (const char *p = said; *p;) {
		if (strncmp(p, "/etc/t.yaml:", 12) == 0)
			p += 11;
		else
			shorter[n++] = *p++;
	}
	assert_string_equal(shorter, expected);
	free(shorter);
	free(said);
	config_free(c);
}

static inline char *case_dump(const struct config *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	config_text_dump(c, f);
	fclose(f);
	return text;
}

static inline const char *case_ip(const struct ip *ip)
{
	static char buf[IP_TEXT_LEN];

	return ip_format(ip, buf);
}
