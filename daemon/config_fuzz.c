/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: no crash; and what loads, dumps to a text that loads to the same dump. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/config_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *dump(const struct config *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	config_text_dump(c, f);
	fclose(f);
	return text;
}

static void check_again(const struct config *c)
{
	struct config_report rep = {.n = 0};
	struct config_changes changes = {.n = 0};
	struct config *again = NULL;
	char *first = dump(c), *second;

	if (config_load_text("/dump.yaml", first, strlen(first), &again, &rep) < 0) {
		fputs(first, stderr);
		config_report_print(&rep, stderr);
		abort();
	}
	second = dump(again);
	if (strcmp(first, second) != 0) {
		fprintf(stderr, "%s\n-- then --\n%s\n", first, second);
		abort();
	}
	config_diff(c, again, &changes);
	if (changes.n) {
		config_changes_print(&changes, stderr);
		abort();
	}
	config_changes_fini(&changes);
	config_report_fini(&rep);
	config_free(again);
	xfree(first);
	xfree(second);
}

/* An image of it means the same; an include was resolved once and is not read again. */
static void check_image(const struct config *c)
{
	struct config_report rep = {.n = 0};
	struct config *again = NULL;
	uint8_t *image;
	size_t len;

	config_image_write(c, &image, &len);
	if (config_image_load(image, len, &again, &rep) < 0)
		abort();
	config_free(again);
	config_report_fini(&rep);
	xfree(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_report rep = {.n = 0};
	struct config *c = NULL;

	/* Nothing on the disk: an include of a device would hang. */
	if (memmem(data, size, "include", 7))
		return 0;
	if (config_load_text("/t.yaml", (const char *)data, size, &c, &rep) == 0) {
		check_again(c);
		check_image(c);
	}
	config_free(c);
	config_report_fini(&rep);
	return 0;
}
