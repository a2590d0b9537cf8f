/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of struct zones, for zones.c (answers) and zones_build.c (builds) alone. Immutable
 * once zones_builder_finish has returned it; dies by zones_free after its last reader (life:
 * config). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zones/leasename.h"
#include "zones/localzone.h"
#include "zones/zones.h"

#define ZONES_CHAIN_MAX 8 /* CNAMEs followed within our own data; more is a loop or a mistake */

/* Seconds a negative answer may be kept: a device that comes up must be found at once. */
#define ZONES_NEGATIVE_TTL_S 5
/* Those of special names never change but with the configuration. */
#define ZONES_SPECIAL_TTL_S 300
/* Most a lease's name may be kept; less when the lease is short. */
#define ZONES_LEASE_TTL_S 60

enum zone_kind {
	ZONE_LEASE,   /* domain, lan.X.domain: static names and those of leases */
	ZONE_REVERSE, /* reverse names of a lan */
	ZONE_EMPTY,   /* special, with SOA and NS */
	ZONE_ABSENT,  /* special, does not exist */
	ZONE_FORWARD  /* not ours: a forward or stub zone */
};

struct zone {
	enum zone_kind kind;
	bool is_forwarded; /* of ours and yet forwarded: what we do not know is asked there */
	uint8_t name[DNAME_MAX];
	uint8_t name_len;
	uint8_t labels;
};

struct zones {
	struct localzone *data;	    /* for everybody; zones begin at its nodes */
	struct localzone *loopback; /* hosts lines of 127.0.0.0/8 and ::1, for ourselves only */
	struct zone *zones;
	size_t n_zones, zones_cap;
	/* lease zones by index of domain: zone index + 1, 0 for none */
	uint32_t *domains;
	size_t n_domains;
	struct leasename *leases; /* outlives us; NULL in tests */
	bool has_special;
	uint8_t server[DNAME_MAX]; /* our own name: MNAME and NS of our zones */
	char server_label[DNAME_LABEL_MAX + 1];
	uint8_t hostmaster[DNAME_MAX]; /* RNAME */
};
