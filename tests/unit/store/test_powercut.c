/* SPDX-License-Identifier: Apache-2.0 */
/* A power cut at every point of a run of commits. All writes to the data file are recorded; for
 * each crash point the file is rebuilt as the disk may hold it: everything before the last sync,
 * and of what came after any part, in sectors of 512 bytes (lost, reordered, torn). Every such
 * state must be sound and hold exactly what was acknowledged, or that and the one transaction under
 * way. */
#include "unit/store/storetest.h"

#include "unit/store/diskfault.h"

#include <sys/mman.h>

#include "base/crc32c.h"
#include "base/rand.h"
#include "store/pagefile.h"
#include "store/statedb.h"
#include "store/store_limits.h"

enum { SECTOR = 512, N_COMMITS = 40 };

struct run {
	uint32_t digest[N_COMMITS + 1]; /* of the content after commit i */
	size_t acked_at[N_COMMITS + 1]; /* recorded ops when commit i had returned */
	uint8_t *base;			/* the file before the first */
	size_t base_len;
};

static void digest_add(const struct pagefile_item *item, void *arg)
{
	uint32_t *crc = arg;

	*crc = crc32c_update(*crc, item->table, item->table_len);
	*crc = crc32c_update(*crc, item->key, item->key_len);
	*crc = crc32c_update(*crc, item->data, item->len);
}

static int digest_of(int fd, uint32_t *out)
{
	struct pagefile_visitor visitor = {.on_item = digest_add, .arg = out};
	struct pagefile_verdict v;

	*out = 0;
	return pagefile_check(fd, &visitor, &v);
}

/* One transaction: some leases put, some deleted, or a state value. */
static void commit_something(struct store *s, struct rand_source *r, uint32_t g)
{
	enum { MOST = 60 };
	struct lease_record records[MOST];
	struct lease_change changes[MOST];
	uint32_t n = rand_below(r, 3) ? 1 : 1 + rand_below(r, MOST - 1);
	uint32_t step = 1 + rand_below(r, 5), first = rand_below(r, 300);
	uint8_t value[3000];

	if (rand_below(r, 8) == 0) {
		memset(value, (int)g, sizeof(value));
		assert_int_equal(
			statedb_put(s, STATEDB_ANCHORS, value, 1 + rand_below(r, 2999)), 0);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		records[i] = lease_of(first + i * step, g);
		changes[i] = (struct lease_change){
			.op = i && rand_below(r, 4) == 0 ? LEASE_DEL : LEASE_PUT,
			.record = &records[i]};
	}
	assert_int_equal(leasedb_commit(s, changes, n), 0);
}

static void record_run(const char *dir, struct run *run, uint64_t seed)
{
	struct rand_source *r = rand_new_seeded(seed);
	struct store *s = store_open_ok(dir, NULL);
	char path[400];
	int fd;

	(void)snprintf(path, sizeof(path), "%s", path_of(dir, "data.mdb"));
	assert_int_equal(put_leases(s, 0, 200, 0), 0);
	fd = open(path, O_RDONLY);
	run->base = file_read(path, &run->base_len);
	assert_int_equal(digest_of(fd, &run->digest[0]), 0);
	run->acked_at[0] = 0;
	disk_watch(path);
	disk.recording = true;
	for (uint32_t i = 1; i <= N_COMMITS; i++) {
		commit_something(s, r, i);
		run->acked_at[i] = disk.n_ops;
		assert_int_equal(digest_of(fd, &run->digest[i]), 0);
	}
	disk.recording = false;
	assert_int_equal(store_health(s).n_commits, N_COMMITS + 1);
	assert_true(store_health(s).used_len < run->base_len);
	run->base_len = store_health(s).used_len; /* no need to copy the rest each time */
	close(fd);
	store_close(s);
	rand_free(r);
}

/* Parts of one write, sector by sector, each on the disk or not. */
static void apply_torn(
	uint8_t *image, const struct disk_op *op, struct rand_source *r, unsigned keep)
{
	for (size_t done = 0; done < op->len;) {
		size_t n = SECTOR - (op->at + done) % SECTOR;

		if (n > op->len - done)
			n = op->len - done;
		if (rand_below(r, 100) < keep)
			memcpy(image + op->at + done, op->data + done, n);
		done += n;
	}
}

static void apply(uint8_t *image, const struct disk_op *op)
{
	memcpy(image + op->at, op->data, op->len);
}

/* The file as it may look when the power goes with `point` operations done and the next under way.
 * Done and durable: what was synced, and meta writes, which are O_DSYNC. */
static void build_state(const struct run *run, uint8_t *image, size_t point, struct rand_source *r)
{
	static const unsigned KEEP[] = {0, 50, 90, 100};
	unsigned keep = KEEP[rand_below(r, 4)];
	size_t synced = 0;

	memcpy(image, run->base, run->base_len);
	for (size_t i = 0; i < point; i++)
		if (disk.ops[i].call == DISK_SYNC)
			synced = i;
	for (size_t i = 0; i <= point && i < disk.n_ops; i++) {
		const struct disk_op *op = &disk.ops[i];

		if (op->call == DISK_SYNC)
			continue;
		if (i < synced || (op->call == DISK_META_WRITE && i < point))
			apply(image, op);
		else
			apply_torn(image, op, r, keep);
	}
}

static void check_with_lmdb(const char *dir, const uint8_t *image, size_t len)
{
	struct store_report report;
	struct lease_count c;
	struct store *s;

	file_write(path_of(dir, "data.mdb"), image, len);
	s = store_open_ok(dir, &report);
	assert_int_equal(report.found, STORE_CLEAN);
	c = count_leases(s);
	assert_int_equal(c.bad + c.wrong, 0);
	assert_true(c.good > 0);
	assert_int_equal(put_lease(s, 1, 77), 0);
	assert_int_equal(get_lease(s, 1), 77);
	store_close(s);
}

static void every_state_after_a_power_cut_holds_what_was_acknowledged(void **state)
{
	const char *env = getenv("LANTHORN_STATES"); /* how many in all */
	size_t want = env ? (size_t)atol(env) : 2500, n_states = 0;
	struct rand_source *r = rand_new_seeded(5);

	for (uint64_t seed = 1; n_states < want; seed++) {
		struct run run;
		uint8_t *image;
		uint32_t digest;
		int fd = memfd_create("state", 0);

		record_run(*state, &run, seed);
		image = malloc(run.base_len);
		for (size_t acked = 0, point = 0; point <= disk.n_ops; point++) {
			while (acked < N_COMMITS && run.acked_at[acked + 1] <= point)
				acked++;
			for (int variant = 0; variant < 4; variant++, n_states++) {
				build_state(&run, image, point, r);
				assert_int_equal(syscall(SYS_pwrite64, fd, image, run.base_len, 0),
					(ssize_t)run.base_len);
				assert_int_equal(digest_of(fd, &digest), 0);
				if (digest != run.digest[acked] &&
					(acked == N_COMMITS || digest != run.digest[acked + 1]))
					fail_msg("seed %d point %zu: acknowledged data is lost",
						(int)seed, point);
				if (n_states % 40 == 0)
					check_with_lmdb(*state, image, run.base_len);
			}
		}
		close(fd);
		free(image);
		free(run.base);
		disk_forget();
		unlink(path_of(*state, "data.mdb"));
	}
	printf("%zu states\n", n_states);
	rand_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_state_after_a_power_cut_holds_what_was_acknowledged, scratch_setup,
			scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
