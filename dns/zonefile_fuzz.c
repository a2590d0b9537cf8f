/* SPDX-License-Identifier: Apache-2.0 */
/* A master file: whatever it holds, every record handed out is sound, and lines only rise. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zonefile_error error = {0};
	unsigned last = 0;

	if (zonefile_parse((const char *)data, size, NULL, 60, on_rr, &last, &error) != 0)
		assert(error.why[0]);
	return 0;
}
