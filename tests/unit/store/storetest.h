/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests of store/ share: a scratch directory, and leases made from a number. */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "store/leasedb.h"
#include "store/store.h"

#define SCRATCH_MAP ((size_t)64 << 20)

static inline void scratch_remove(const char *dir)
{
	DIR *d = opendir(dir);
	char path[600];

	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path) < 0)
			scratch_remove(path);
	}
	closedir(d);
	(void)rmdir(dir);
}

static inline int scratch_setup(void **state)
{
#ifdef SCRATCH_ON_DISK /* where the time of an fsync is part of the test */
	const bool in_memory = false;
#else
	const bool in_memory = access("/dev/shm", W_OK) == 0;
#endif
	char *dir =
		strdup(in_memory ? "/dev/shm/lanthorn-store-XXXXXX" : "/tmp/lanthorn-store-XXXXXX");

	*state = mkdtemp(dir);
	return *state ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
	scratch_remove(*state);
	free(*state);
	return 0;
}

static inline struct store *store_open_ok(const char *dir, struct store_report *report)
{
	const struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1, .map_len = SCRATCH_MAP};
	struct store_report own;
	struct store *s = NULL;
	int err = store_open(dir, &opts, &s, report ? report : &own);

	if (err)
		fprintf(stderr, "open: %s: %s\n", err_text(err), report ? report->text : own.text);
	assert_int_equal(err, 0);
	return s;
}

/* Lease n of generation g: every field follows from the two. */
static inline struct lease_record lease_of(uint32_t n, uint32_t g)
{
	struct lease_record r = {.ip = ip_from4(0x0a000000u + n),
		.prefix_len = 32,
		.state = LEASE_BOUND,
		.hw_type = 1,
		.hw_len = 6,
		.hw = {2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
		.id_len = 7,
		.iaid = n * 7 + g,
		.start_s = 1700000000 + (int64_t)g,
		.expires_s = 1700043200 + (int64_t)g,
		.last_seen_s = 1700000000 + (int64_t)g};

	r.id[0] = 1;
	memcpy(r.id + 1, r.hw, 6);
	(void)snprintf(r.hostname, sizeof(r.hostname), "host-%u-%u", n, g);
	r.asked_len = (uint8_t)(1 + (n + g) % 100);
	memset(r.asked, (int)('a' + g % 26), r.asked_len);
	strcpy(r.lan, "br0");
	return r;
}

static inline int lease_generation(const struct lease_record *r)
{
	uint32_t n = ip_to4(&r->ip) - 0x0a000000u;
	uint32_t g = (uint32_t)(r->start_s - 1700000000);
	struct lease_record want = lease_of(n, g);

	return memcmp(&want, r, sizeof(want)) == 0 ? (int)g : -1;
}

static inline int put_lease(struct store *s, uint32_t n, uint32_t g)
{
	struct lease_record r = lease_of(n, g);
	struct lease_change c = {.op = LEASE_PUT, .record = &r};

	return leasedb_commit(s, &c, 1);
}

/* Leases first.. of a count in one call. */
static inline int put_leases(struct store *s, uint32_t first, uint32_t count, uint32_t g)
{
	struct lease_record *r = calloc(count, sizeof(*r));
	struct lease_change *c = calloc(count, sizeof(*c));
	int err;

	for (uint32_t i = 0; i < count; i++) {
		r[i] = lease_of(first + i, g);
		c[i] = (struct lease_change){.op = LEASE_PUT, .record = &r[i]};
	}
	err = leasedb_commit(s, c, count);
	free(c);
	free(r);
	return err;
}

/* Generation of lease n; -1 absent, -2 anything wrong with it. */
static inline int get_lease(struct store *s, uint32_t n)
{
	struct ip ip = ip_from4(0x0a000000u + n);
	struct lease_record r;
	int err = leasedb_get(s, &ip, 32, &r);

	if (err)
		return err == ERR_ABSENT ? -1 : -2;
	return lease_generation(&r) < 0 ? -2 : lease_generation(&r);
}

struct lease_count {
	size_t good, wrong, bad;
};

static inline int count_lease(const struct lease_record *r, void *arg)
{
	struct lease_count *c = arg;

	if (lease_generation(r) < 0)
		c->wrong++;
	else
		c->good++;
	return 0;
}

static inline void count_bad(const void *key, size_t len, void *arg)
{
	(void)key;
	(void)len;
	((struct lease_count *)arg)->bad++;
}

static inline struct lease_count count_leases(struct store *s)
{
	struct lease_count c = {0};

	assert_int_equal(leasedb_each(s, count_lease, count_bad, &c), 0);
	return c;
}

/* A whole file in memory; the caller frees. */
static inline uint8_t *file_read(const char *path, size_t *out_len)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	uint8_t *p;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	*out_len = (size_t)st.st_size;
	return p;
}

static inline void file_write(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static inline const char *path_of(const char *dir, const char *name)
{
	static char path[600];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}
