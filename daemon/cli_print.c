/* SPDX-License-Identifier: Apache-2.0 */
/* What people see on a terminal. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "daemon/cli.h"

static const char *cli_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static void cli_print_expiry(const json_t *lease)
{
	const json_t *v = json_object_get(lease, "expires");
	char text[32] = "never";
	time_t t;
	struct tm tm;

	if (json_is_integer(v)) {
		t = (time_t)json_integer_value(v);
		localtime_r(&t, &tm);
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	}
	printf("  %s\n", text);
}

void cli_print_leases(const json_t *result)
{
	const json_t *lease;
	size_t i;

	if (!json_array_size(result)) {
		puts("no leases");
		return;
	}
	printf("%-39s %-17s %-24s %-9s  %s\n", "ADDRESS", "MAC", "HOSTNAME", "STATE", "EXPIRES");
	json_array_foreach(result, i, lease)
	{
		printf("%-39s %-17s %-24s %-9s", cli_text(lease, "address"), cli_text(lease, "mac"),
			cli_text(lease, "hostname"), cli_text(lease, "state"));
		cli_print_expiry(lease);
	}
}

static void cli_print_value(const char *key, const json_t *value, int depth)
{
	const json_t *v;
	const char *k;
	size_t i;

	printf("%*s%s:", depth * 2, "", key);
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		putchar('\n');
		json_object_foreach((json_t *)value, k, v) cli_print_value(k, v, depth + 1);
		break;
	case JSON_ARRAY:
		json_array_foreach(value, i, v)
		{
			if (json_is_string(v))
				printf(" %s", json_string_value(v));
			else {
				char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

				printf("\n%*s%s", depth * 2 + 2, "", text ? text : "");
				xfree(text);
			}
		}
		putchar('\n');
		break;
	case JSON_STRING:
		printf(" %s\n", json_string_value(value));
		break;
	case JSON_INTEGER:
		printf(" %lld\n", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		printf(" %.3f\n", json_real_value(value));
		break;
	default:
		printf(" %s\n", json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "-");
		break;
	}
}

void cli_print_status(const json_t *result)
{
	const json_t *v;
	const char *k;

	json_object_foreach((json_t *)result, k, v) cli_print_value(k, v, 0);
}

void cli_print_text(const json_t *result)
{
	const char *s = json_string_value(result);

	if (s)
		fputs(s, stdout);
	if (s && *s && s[strlen(s) - 1] != '\n')
		putchar('\n');
}

void cli_print_report(const json_t *result)
{
	const json_t *line;
	size_t i;

	json_array_foreach(result, i, line)
		puts(json_string_value(line) ? json_string_value(line) : "");
}
