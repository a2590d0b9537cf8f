/* SPDX-License-Identifier: Apache-2.0 */
/* An OPT from behind its type: what is read and written again reads the same. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "dns/edns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf b = rbuf_of(data, size);
	uint8_t wire[512];
	struct wbuf w = wbuf_of(wire, sizeof(wire));
	struct edns_reply r;
	struct edns a, again;

	if (edns_parse(&b, &a) != 0)
		return 0;
	assert(a.present && a.udp_size >= 512 && b.pos <= size);
	assert(a.cookie_len == 0 || a.cookie_len == 8 ||
		(a.cookie_len >= 16 && a.cookie_len <= 40));
	r = (struct edns_reply){.udp_size = a.udp_size,
		.rcode = (uint16_t)(a.ext_rcode << 4),
		.is_do = a.is_do,
		.version = a.version,
		.cookie_len = a.cookie_len,
		.cookie = a.cookie,
		.ede = a.ede};
	edns_write(&w, &r);
	assert(!w.bad && w.len == edns_write_len(&r));
	b = rbuf_of(wire, w.len);
	rbuf_skip(&b, 3);
	assert(edns_parse(&b, &again) == 0);
	assert(again.is_do == a.is_do && again.version == a.version && again.ede == a.ede);
	assert(again.ext_rcode == a.ext_rcode && again.cookie_len == a.cookie_len);
	assert(memcmp(again.cookie, a.cookie, a.cookie_len) == 0);
	return 0;
}
