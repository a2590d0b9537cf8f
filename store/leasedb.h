/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Leases on disk: one table keyed by address, so that neighbours share pages. Everything else
 * (by client, by name, by time) is an index that dhcp/ builds in memory at start.
 *
 * A record carries a version, the number of the commit that wrote it and a CRC-32C over key and
 * bytes: a flipped bit is found, never served. Called by the commit thread (through the committer)
 * and at start; never by a packet. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

struct store;

#define LEASE_FOREVER INT64_C(0xffffffff) /* expires_s of a lease that never does */

enum lease_state {
	LEASE_BOUND = 1,
	LEASE_RELEASED, /* given back; kept so that the client gets the address again */
	LEASE_EXPIRED,	/* as RELEASED, by time */
	LEASE_DECLINED, /* somebody else uses the address; expires_s ends the quarantine */
};

/* A lease of either family as it is kept. Plain value, no pointers. */
struct lease_record {
	struct ip ip;
	uint8_t prefix_len; /* 32 or 128 for an address, less for a delegated prefix */
	enum lease_state state;
	uint8_t hw_type; /* ARP hardware type; 0 with hw_len 0: not known */
	uint8_t hw_len;	 /* <= 16 */
	uint8_t hw[16];
	uint8_t id_len; /* client identifier (v4, option 61 with its type byte) or DUID (v6) */
	uint8_t id[255];
	uint32_t iaid;	   /* v6 */
	char hostname[64]; /* label granted in the local zone; "" none. NUL-terminated */
	uint8_t asked_len; /* name the client asked for: raw bytes, escape before printing */
	uint8_t asked[255];
	char lan[16];	     /* lan of the configuration that gave it; NUL-terminated */
	int64_t start_s;     /* Unix time of the first grant of this binding */
	int64_t expires_s;   /* Unix time, or LEASE_FOREVER */
	int64_t last_seen_s; /* Unix time of the last message from the client */
};

enum lease_op {
	LEASE_PUT,
	LEASE_DEL, /* absent already: no error */
};

struct lease_change {
	enum lease_op op;
	const struct lease_record *record; /* borrowed during the call; DEL: ip and prefix_len */
};

/* All n changes or none, on disk when it returns 0, with one fsync up to STORE_TXN_RECORDS; more
 * are split into several transactions in order (then an error can leave the first ones done).
 * The writer's thread. ERR_FULL, ERR_IO (the next call may work again), ERR_MALFORMED: a field is
 * out of its range (our bug; nothing written). */
MUST_CHECK int leasedb_commit(struct store *s, const struct lease_change *changes, size_t n);

/* Calls on_lease for each lease in the order of addresses, IPv4 first, inside one read
 * transaction; the record is borrowed for the call. on_bad (may be NULL) hears of a record that is
 * damaged: it is skipped, and moved to the table `damaged` by the next store_open. A callback's
 * non-zero value ends the walk and is returned. ERR_IO. */
typedef int (*leasedb_lease_fn)(const struct lease_record *record, void *arg);
typedef void (*leasedb_bad_fn)(const void *key, size_t key_len, void *arg);
MUST_CHECK int leasedb_each(
	struct store *s, leasedb_lease_fn on_lease, leasedb_bad_fn on_bad, void *arg);

/* One lease. ERR_ABSENT, ERR_CORRUPT, ERR_IO. For tests and the command line. */
MUST_CHECK int leasedb_get(
	struct store *s, const struct ip *ip, uint8_t prefix_len, struct lease_record *out);

/* The bytes of a record and of its key, both pure. write: *out_len of cap bytes are used;
 * LEASEDB_BYTES_MAX is enough. parse reads both and checks every range. */
#define LEASEDB_KEY_MAX	  18
#define LEASEDB_BYTES_MAX 700
MUST_CHECK int leasedb_write_key(
	const struct ip *ip, uint8_t prefix_len, uint8_t out[LEASEDB_KEY_MAX], size_t *out_len);
MUST_CHECK int leasedb_write(
	const struct lease_record *record, void *out, size_t cap, size_t *out_len);
MUST_CHECK int leasedb_parse(
	const void *key, size_t key_len, const void *data, size_t len, struct lease_record *out);
