/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/rand.h"

struct hash_key hash_key_random(void)
{
	struct rand_source *r = rand_new();
	struct hash_key key = {.k0 = rand_u64(r), .k1 = rand_u64(r)};

	rand_free(r);
	return key;
}
