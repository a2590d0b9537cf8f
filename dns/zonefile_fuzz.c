/* SPDX-License-Identifier: Apache-2.0 */
/* A master file: whatever it holds, every record handed out is sound, and lines only rise. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dns/rrtype.h"
#include "dns/zonefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_rr(void *arg, unsigned line, const struct rrtext_rr *rr)
{
	unsigned *last = arg;
	char text[700];

	assert(line >= *last);
	*last = line;
	assert(dname_len(rr->owner) == rr->owner_len && rr->rdlen <= sizeof(rr->rdata));
	rrtext_format(
		rr->owner, rr->type, rr->class, rr->ttl, rr->rdata, rr->rdlen, text, sizeof(text));
	return 0;
}

/* The same through a file must say the same. */
static int from_file(const uint8_t *data, size_t size)
{
	struct zonefile_error error = {0};
	int fd = memfd_create("zonefile", 0), err;
	unsigned last = 0;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = zonefile_read(path, NULL, 60, on_rr, &last, &error);
	close(fd);
	assert(zonefile_read(path, NULL, 60, on_rr, &last, &error) == ERR_ABSENT);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zonefile_error error = {0};
	unsigned last = 0;
	int err = zonefile_parse((const char *)data, size, NULL, 60, on_rr, &last, &error);

	assert(err == 0 || error.why[0]);
	if (size % 4 == 0)
		assert(from_file(data, size) == err);
	return 0;
}
