/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Names that are never asked for upstream, because nobody out there can know them (IANA's
 * registries of special-use names and of locally-served zones): private reverse space, localhost,
 * invalid, test, local, onion, home.arpa and so on. Static data; zones_builder puts it beneath all
 * else, and our own domain or a forward zone takes any of it over. */
#include <stddef.h>
#include <stdint.h>

enum special_kind {
	SPECIAL_EMPTY, /* an empty zone: SOA and NS at its top, nothing below (RFC 6303) */
	SPECIAL_ABSENT /* does not exist, the top neither */
};

struct special {
	const char *name; /* text without the last dot */
	enum special_kind kind;
};

/* The i-th, or a name of NULL past the last. */
struct special special_get(size_t i);

/* What stands in them: localhost, its reverse names, ipv4only.arpa. */
struct special_record {
	const char *name;
	uint16_t type;
	const char *text; /* address, or name for PTR */
};
struct special_record special_record_get(size_t i);
