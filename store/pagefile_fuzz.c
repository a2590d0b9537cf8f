/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a data file: neither the check nor the carving may read out of bounds, loop or
 * crash. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/check.h"
#include "store/pagefile.h"

static void on_item(const struct pagefile_item *item, void *arg)
{
	size_t *sum = arg;

	for (size_t i = 0; i < item->key_len; i++)
		*sum += item->key[i];
	for (size_t i = 0; i < item->len; i++)
		*sum += item->data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t sum = 0;
	struct pagefile_visitor visitor = {.on_item = on_item, .arg = &sum};
	struct check check;
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (check_file(fd, &check) != 0 && !check.text[0])
		abort();
	check_fini(&check);
	pagefile_carve(fd, &visitor);
	close(fd);
	return 0;
}
