/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A tree of domain names kept as one hash table: every name and all of its ancestors have an
 * entry, so a name is looked up from the root leftwards and the first label that is missing ends
 * the search: nothing below it exists either. A question that has nothing to do with us costs one
 * or two probes however many names there are. Ids are dense from 0 (the root), so that callers keep
 * what they know of a name in arrays of their own. Built by one thread, then read by all. Names
 * come from the operator's files, so the hash need not resist chosen keys; it is keyed all the
 * same. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "dns/dname.h"

#define SUFFIXSET_ROOT 0u
#define SUFFIXSET_NONE UINT32_MAX
#define SUFFIXSET_MAX                                                                              \
	8000000u /* names with ancestors; about 300 MB: larger lists are for block                 \
		  */

struct suffixset;

struct suffixset *suffixset_new(const struct hash_key *key);
void suffixset_free(struct suffixset *s); /* NULL allowed */

/* Puts name (valid wire form, any case) and its ancestors in. ERR_LIMIT past SUFFIXSET_MAX. */
MUST_CHECK int suffixset_add(struct suffixset *s, const uint8_t *name, uint32_t *out_id);
/* Ids now given: all are smaller. */
size_t suffixset_count(const struct suffixset *s);

/* Walks name from the root. ids[0] is the root, ids[i] the ancestor of i labels. Returns how many
 * labels matched: ids[0..that] are set. O(matched labels + 1). */
unsigned suffixset_find(
	const struct suffixset *s, const uint8_t *name, uint32_t ids[DNAME_LABELS_MAX + 1]);
/* The id of exactly this name, or SUFFIXSET_NONE. */
uint32_t suffixset_get(const struct suffixset *s, const uint8_t *name);
