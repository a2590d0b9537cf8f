/* SPDX-License-Identifier: Apache-2.0 */
/* A name from anywhere in a message: what is read is valid, and text, hash and order agree. */
#undef NDEBUG /* a fuzz target without its checks finds nothing */
#include <assert.h>
#include <string.h>

#include "base/ip.h"
#include "dns/dname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *name, size_t len)
{
	static const struct hash_key key = {1, 2};
	uint8_t back[DNAME_MAX], lower[DNAME_MAX];
	char text[DNAME_TEXT_MAX];
	size_t back_len;
	struct ip ip;
	struct rbuf b = rbuf_of(name, len);

	assert(len >= 1 && len <= DNAME_MAX && dname_len(name) == len);
	assert(dname_labels(name) <= DNAME_LABELS_MAX);
	assert(dname_parse_plain(&b, back, &back_len) == 0 && back_len == len);
	assert(dname_read(dname_format(name, text), back, &back_len) == 0);
	assert(back_len == len && memcmp(back, name, len) == 0);
	assert(dname_copy_lower(name, lower) == len && dname_equal(name, lower));
	assert(dname_compare(name, lower) == 0 && dname_is_under(name, lower));
	assert(dname_common(name, lower) == dname_labels(name));
	assert(dname_hash(&key, name, len) == hash_bytes(&key, lower, len));
	assert(dname_equal(dname_suffix(name, dname_labels(name)), name));
	assert(dname_join(name, len - 1, dname_strip(name, 200), back, &back_len) == 0);
	assert(back_len == len && memcmp(back, name, len) == 0);
	assert(dname_join(name, len - 1, name, back, &back_len) ==
		(2 * len - 1 > DNAME_MAX ? ERR_SPACE : 0));
	assert(dname_is_wildcard(name) == (len > 2 && name[0] == 1 && name[1] == '*'));
	if (dname_to_ip(name, &ip))
		assert(dname_from_ip(&ip, back) == len && dname_equal(back, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t name[DNAME_MAX], plain[DNAME_MAX];
	char text[1200];
	size_t len, plain_len, text_len;
	struct rbuf b = rbuf_of(data, size), skip;

	if (size < 1)
		return 0;
	/* the first octet says where the name begins */
	b.pos = data[0] < size ? data[0] : 0;
	skip = b;
	if (dname_parse(&b, name, &len) == 0) {
		check(name, len);
		assert(dname_skip(&skip) == 0 && skip.pos == b.pos);
	} else {
		assert(b.bad);
		(void)!dname_skip(&skip);
	}
	b = rbuf_of(data, size);
	if (dname_parse_plain(&b, plain, &plain_len) == 0) {
		check(plain, plain_len);
		assert(b.pos == plain_len);
	}
	text_len = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
	memcpy(text, data, text_len);
	text[text_len] = '\0';
	if (dname_read(text, name, &len) == 0)
		check(name, len);
	return 0;
}
