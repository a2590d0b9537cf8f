/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of a lease: first byte: length of the key, then key, then data. What can be read
 * must be written and read again as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/leasedb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[LEASEDB_KEY_MAX], bytes[LEASEDB_BYTES_MAX];
	struct lease_record a, b;
	size_t key_len, len;

	if (!size || data[0] > size - 1)
		return 0;
	if (leasedb_parse(data + 1, data[0], data + 1 + data[0], size - 1 - data[0], &a) < 0)
		return 0;
	if (leasedb_write_key(&a.ip, a.prefix_len, key, &key_len) < 0 ||
		leasedb_write(&a, bytes, sizeof(bytes), &len) < 0 ||
		leasedb_parse(key, key_len, bytes, len, &b) < 0 || key_len != data[0] ||
		memcmp(key, data + 1, key_len) != 0 || strcmp(a.hostname, b.hostname) != 0 ||
		memcmp(a.id, b.id, sizeof(a.id)) != 0 || a.expires_s != b.expires_s ||
		a.state != b.state)
		abort();
	return 0;
}
