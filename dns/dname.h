/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Domain names in uncompressed wire form: length octets and labels, ended by the root
 * label. A valid name is 1..255 octets with labels of at most 63 (RFC 1035 3.1); all functions but
 * the readers take valid names, so read once at the border. Comparison ignores ASCII case
 * (RFC 4343). Pure; no allocation. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/rbuf.h"

#define DNAME_MAX	 255
#define DNAME_LABEL_MAX	 63
#define DNAME_LABELS_MAX 127
#define DNAME_POINTERS_MAX                                                                         \
	40 /* followed per name: nested pointers number at most the labels of the names they       \
	      shorten, and the longest of practice, an IPv6 address's, has 34 */
#define DNAME_TEXT_MAX 1020 /* longest escaped text with its NUL */

/* Read a name, following compression pointers, from a message; b->base must be the start of the
 * message. Each pointer must point strictly before the start of the part it ends (RFC 1035 4.1.4;
 * no loops by construction), DNAME_POINTERS_MAX at most. out holds DNAME_MAX; *out_len is its
 * length. Moves b behind the name's own octets. Marks b bad and returns ERR_TRUNC or ERR_MALFORMED
 * otherwise. */
MUST_CHECK int dname_parse(struct rbuf *b, uint8_t *out, size_t *out_len);
/* The same, but a pointer is an error. */
MUST_CHECK int dname_parse_plain(struct rbuf *b, uint8_t *out, size_t *out_len);
/* Move behind a name without expanding it. Does not check what a pointer points to. */
MUST_CHECK int dname_skip(struct rbuf *b);

/* Text (master file form, \DDD and \X escapes, with or without the last dot) to wire. ".", "" is an
 * error.*/
MUST_CHECK int dname_read(const char *text, uint8_t out[DNAME_MAX], size_t *out_len);
/* Absolute text, with the last dot. buf holds DNAME_TEXT_MAX. Returns buf. */
char *dname_format(const uint8_t *name, char *buf);

size_t dname_len(const uint8_t *name);	    /* octets with the root label */
unsigned dname_labels(const uint8_t *name); /* without the root label */
bool dname_equal(const uint8_t *a, const uint8_t *b);
/* True when name is zone or below it. */
bool dname_is_under(const uint8_t *name, const uint8_t *zone);
/* Number of labels both share, counted from the root. */
unsigned dname_common(const uint8_t *a, const uint8_t *b);
/* Canonical order of RFC 4034 6.1: <0, 0, >0. */
int dname_compare(const uint8_t *a, const uint8_t *b);
/* Borrowed pointer into name, n labels further (n <= labels). */
const uint8_t *dname_strip(const uint8_t *name, unsigned n);
/* The ancestor with n labels (n <= labels). */
const uint8_t *dname_suffix(const uint8_t *name, unsigned n);
/* ASCII lower case in place / into out; label octets are < 64 and so never change. */
void dname_lower(uint8_t *name, size_t len);
size_t dname_copy_lower(const uint8_t *name, uint8_t *out);
size_t dname_copy(const uint8_t *name, uint8_t *out);
/* prefix labels (a name whose root is dropped) + suffix. out may be either. ERR_SPACE past 255. */
MUST_CHECK int dname_join(const uint8_t *prefix, size_t prefix_len_without_root,
	const uint8_t *suffix, uint8_t *out, size_t *out_len);
/* Case-insensitive keyed hash of a whole name of len octets. */
uint64_t dname_hash(const struct hash_key *key, const uint8_t *name, size_t len);
bool dname_is_wildcard(const uint8_t *name); /* first label is "*" */

struct ip;
/* in-addr.arpa / ip6.arpa name of an address, and back (exact host names only). */
size_t dname_from_ip(const struct ip *ip, uint8_t out[DNAME_MAX]);
bool dname_to_ip(const uint8_t *name, struct ip *out);
