/* SPDX-License-Identifier: Apache-2.0 */
/* Any text is read without a crash, and what is called good has the shape the header promises. */
#include <stdlib.h>
#include <string.h>

#include "daemon/devices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_device(void *arg, const struct devices_line *d)
{
	(void)arg;
	if (!d->name[0] || strlen(d->name) > 63 || d->n_tags > DEVICES_TAGS_MAX ||
		d->id_len > DEVICES_ID_MAX)
		abort();
}

static void on_bad(void *arg, unsigned line, const char *why)
{
	(void)arg;
	if (!line || !why[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	devices_parse((const char *)data, size, on_device, on_bad, NULL);
	return 0;
}
