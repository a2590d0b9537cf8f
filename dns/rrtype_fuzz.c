/* SPDX-License-Identifier: Apache-2.0 */
/* Rdata of any type from anywhere in a message: what is expanded is stable, its canonical form
 * too, and its text never runs over. Octets 0-1: type, 2: where the rdata begins. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "dns/dname.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(uint16_t type, const uint8_t *rdata, size_t len)
{
	static uint8_t again[70000], lower[70000];
	struct rbuf b = rbuf_of(rdata, len);
	struct wbuf w = wbuf_of(again, sizeof(again));
	size_t pos = 0, name_pos, n = 0;
	char text[600];

	/* once expanded it stays as it is: no pointer is left */
	if (len <= UINT16_MAX) {
		assert(rrtype_expand_rdata(&b, type, (uint16_t)len, &w) == 0);
		assert(w.len == len && memcmp(again, rdata, len) == 0);
	}
	while (rrtype_next_name(type, rdata, len, &pos, &name_pos)) {
		assert(name_pos < pos && pos <= len);
		assert(dname_len(rdata + name_pos) == pos - name_pos);
		assert(++n <= 2);
	}
	memcpy(lower, rdata, len);
	rrtype_lower_rdata(type, lower, len);
	memcpy(again, lower, len);
	rrtype_lower_rdata(type, again, len);
	assert(memcmp(again, lower, len) == 0);
	assert(rrtype_rdata_equal(type, rdata, lower, len));
	if (len) {
		lower[len - 1] ^= 1;
		assert(!rrtype_rdata_equal(type, rdata, lower, len));
	}
	rrtext_format_rdata(type, rdata, len, text, sizeof(text));
	assert(strlen(text) < sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[70000];
	struct rbuf b = rbuf_of(data, size);
	struct wbuf w = wbuf_of(out, sizeof(out));
	uint16_t type, back;
	char name[16];

	if (size < 3 || size > 66000)
		return 0;
	type = (uint16_t)(data[0] << 8 | data[1]);
	assert(rrtype_read(rrtype_name(type, name), &back) == 0 && back == type);
	assert(*rcode_name(type, name) && rrtype_n_integers(type) <= 4);
	assert(!(rrtype_is_meta(type) && rrtype_n_integers(type)));
	assert(rrtype_read((const char[]){'t', 'Y', 'p', 'E', (char)data[2], 0}, &back) != 0 ||
		back < 10);
	b.pos = 3 + data[2] < size ? 3 + (size_t)data[2] : size;
	if (rbuf_left(&b) > UINT16_MAX)
		return 0;
	if (rrtype_expand_rdata(&b, type, (uint16_t)rbuf_left(&b), &w) == 0)
		check(type, out, w.len);
	else
		assert(w.len == 0);
	/* and what was never checked must not hurt either */
	memcpy(out, data, size);
	rrtype_lower_rdata(type, out, size);
	return 0;
}
