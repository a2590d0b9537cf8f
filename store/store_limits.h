/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Ceilings of the room store, each with its reason. */

/* The map is address space, not disk: ten times what 1,000,000 leases need. 32-bit machines have
 * less of it. */
#define STORE_MAP_LEN (sizeof(void *) == 8 ? (size_t)1 << 30 : (size_t)256 << 20)

/* Disk taken in advance, and in steps of this size as the file grows: renewals go on when the disk
 * is full, and fdatasync need not journal a new file length (20,000 leases fit in the first). */
#define STORE_PREALLOC_LEN ((size_t)4 << 20)

/* Records of one transaction: with 4 KiB pages copied on write, 200 random puts stay under 1 MB of
 * dirty pages, far from LMDB's spilling of pages (ITS#9564). */
#define STORE_TXN_RECORDS 200

/* Failed commits in a row after which the store is called degraded. */
#define STORE_DEGRADED_AFTER 3

/* Largest payload of a record in a table: with its envelope it fits in one transaction's budget. */
#define STORE_RECORD_MAX ((size_t)256 << 10)

/* LMDB's own bound for keys is 511. */
#define STORE_KEY_MAX 128

/* Snapshots kept; the oldest goes when a new one is complete. */
#define SNAPSHOT_KEEP 3

/* statedb: largest value (the last good configuration with all its files is the largest user). */
#define STATEDB_VALUE_MAX ((size_t)16 << 20)

/* image: largest cache image; larger ones are refused, the daemon then starts cold. */
#define IMAGE_MAX ((size_t)2 << 30)

/* Lease changes waiting for the commit thread. At 5,000 a second this is two seconds of work; an
 * ACK older than that is of no use to its client, so more are refused (the client asks again). */
#define COMMITTER_QUEUE_MAX 8192

/* statedb: bytes of one record of a long value; eight of them make a transaction. */
#define STATEDB_CHUNK	   ((size_t)64 << 10)
#define STATEDB_TXN_CHUNKS 8

/* image: bytes that share a CRC. */
#define IMAGE_CHUNK ((size_t)256 << 10)
