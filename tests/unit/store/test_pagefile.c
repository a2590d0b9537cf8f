/* SPDX-License-Identifier: Apache-2.0 */
/* The check against LMDB itself: it must agree with every file that LMDB writes, and find every
 * flipped bit that would change what is read, now or after further commits. */
#include "unit/store/storetest.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "base/crc32c.h"
#include "base/rand.h"
#include "store/check.h"
#include "store/page.h"
#include "store/pagefile.h"
#include "store/statedb.h"

enum { N_LEASES = 220, PAGE = 4096 };

struct content {
	size_t n_items;
	uint32_t crc;
};

static void content_add(const struct pagefile_item *item, void *arg)
{
	struct content *c = arg;

	c->n_items++;
	c->crc = crc32c_update(c->crc, item->table, item->table_len);
	c->crc = crc32c_update(c->crc, item->key, item->key_len);
	c->crc = crc32c_update(c->crc, item->data, item->len);
}

static int content_of(int fd, struct content *out, struct pagefile_verdict *v)
{
	struct pagefile_visitor visitor = {.on_item = content_add, .arg = out};

	*out = (struct content){0};
	return pagefile_check(fd, &visitor, v);
}

/* The start's own judgement, without changing anything. */
static bool file_is_clean(int fd)
{
	struct check c;
	bool clean = check_file(fd, &c) == 0 && c.n_bad == 0;

	check_fini(&c);
	return clean;
}

/* A store after a life of commits: renewals, deletions, long values. */
static void make_store(const char *dir, uint64_t seed, int n_commits)
{
	struct rand_source *r = rand_new_seeded(seed);
	struct store *s = store_open_ok(dir, NULL);
	static uint8_t big[90000];

	assert_int_equal(put_leases(s, 0, N_LEASES, 1), 0);
	for (int i = 0; i < n_commits; i++) {
		uint32_t n = rand_below(r, N_LEASES);
		struct lease_record rec = lease_of(n + N_LEASES, 1);
		struct lease_change del = {.op = LEASE_DEL, .record = &rec};

		switch (rand_below(r, 5)) {
		case 0:
			assert_int_equal(put_lease(s, n + N_LEASES, 1), 0);
			break;
		case 1:
			assert_int_equal(leasedb_commit(s, &del, 1), 0);
			break;
		case 2:
			memset(big, i, sizeof(big));
			assert_int_equal(
				statedb_put(s, "config", big, rand_below(r, sizeof(big))), 0);
			break;
		default:
			assert_int_equal(put_lease(s, n, 1), 0);
		}
	}
	store_close(s);
	rand_free(r);
}

static void every_file_that_lmdb_writes_is_found_sound(void **state)
{
	struct rand_source *r = rand_new_seeded(1);
	struct pagefile_verdict v;
	struct content c;
	char path[400];
	int fd;

	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	struct store *s = store_open_ok(*state, NULL);
	fd = open(path, O_RDONLY);
	for (int i = 0; i < 250; i++) {
		uint32_t first = rand_below(r, 3000), count = 1 + rand_below(r, 60);

		if (rand_below(r, 4)) {
			assert_int_equal(put_leases(s, first, count, rand_below(r, 100)), 0);
		} else {
			for (uint32_t k = 0; k < count; k++) {
				struct lease_record rec = lease_of(first + k, 1);
				struct lease_change del = {.op = LEASE_DEL, .record = &rec};

				assert_int_equal(leasedb_commit(s, &del, 1), 0);
			}
		}
		int err = content_of(fd, &c, &v);
		if (err)
			fprintf(stderr, "%d: %s page %llu\n", i, v.what,
				(unsigned long long)v.page);
		assert_int_equal(err, 0);
		assert_int_equal(c.n_items, count_leases(s).good + 1);
	}
	close(fd);
	store_close(s);
	rand_free(r);
}

static int memory_file(const uint8_t *p, size_t len)
{
	int fd = memfd_create("flip", 0);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), (ssize_t)len);
	return fd;
}

/* Only what the file needs, so that the sweep does not spend its time in free space. */
static uint8_t *used_part(const char *path, size_t *out_len)
{
	struct pagefile_visitor none = {0};
	struct pagefile_verdict v;
	uint8_t *p = file_read(path, out_len);
	int fd = memory_file(p, *out_len);

	assert_int_equal(pagefile_check(fd, &none, &v), 0);
	assert_true(v.used_len <= *out_len);
	*out_len = (size_t)v.used_len;
	close(fd);
	return p;
}

static void a_flipped_bit_is_found_or_changes_nothing(void **state)
{
	struct rand_source *r = rand_new_seeded(2);
	struct pagefile_verdict v;
	struct content good, c;
	size_t len, n_found = 0, n_harmless = 0;
	/* LANTHORN_FLIPS=8: every bit of every byte (minutes). Else one bit of each byte of the
	 * headers and of every 31st elsewhere. */
	const char *env = getenv("LANTHORN_FLIPS");
	int bits = env ? atoi(env) : 1;

	make_store(*state, 2, 60);
	uint8_t *p = used_part(path_of(*state, "data.mdb"), &len);
	int fd = memory_file(p, len);
	assert_int_equal(content_of(fd, &good, &v), 0);
	for (size_t i = 0; i < len; i++) {
		if (!env && i % PAGE > 128 && i % 31)
			continue;
		for (int k = 0; k < bits; k++) {
			uint8_t bit = (uint8_t)(1u << (bits == 8 ? (unsigned)k : rand_below(r, 8)));
			uint8_t flipped = p[i] ^ bit;

			assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
			if (!file_is_clean(fd)) {
				n_found++;
			} else {
				n_harmless++;
				assert_int_equal(content_of(fd, &c, &v), 0);
				if (c.n_items != good.n_items || c.crc != good.crc)
					fail_msg("byte %zu of page %zu, bit %02x: not found",
						i % PAGE, i / PAGE, bit);
			}
		}
		assert_int_equal(pwrite(fd, &p[i], 1, (off_t)i), 1);
	}
	printf("%zu flips found, %zu in places that nobody reads\n", n_found, n_harmless);
	assert_true(n_found > 1000);
	close(fd);
	free(p);
	rand_free(r);
}

/* A flip that the check lets pass must not hurt LMDB later either. */
static void a_flip_that_passes_is_harmless_for_further_commits(void **state)
{
	struct rand_source *r = rand_new_seeded(3);
	char path[400];
	size_t len, n_tried = 0;

	make_store(*state, 3, 40);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	uint8_t *p = used_part(path, &len);
	for (int i = 0; i < 4000 && n_tried < 45; i++) {
		size_t at = rand_below(r, (uint32_t)len);
		uint8_t bit = (uint8_t)(1u << rand_below(r, 8));
		struct store_report report;
		int fd;

		if (i % 3 == 0) /* headers are few and matter most */
			at = at / PAGE * PAGE + rand_below(r, 160);
		p[at] ^= bit;
		file_write(path, p, len);
		p[at] ^= bit;
		fd = open(path, O_RDONLY);
		if (!file_is_clean(fd)) {
			close(fd);
			continue;
		}
		n_tried++;
		struct store *s = store_open_ok(*state, &report);
		assert_int_equal(report.found, STORE_CLEAN);
		for (int k = 0; k < 12; k++)
			assert_int_equal(put_leases(s, rand_below(r, N_LEASES), 12, 1), 0);
		assert_int_equal(count_leases(s).wrong + count_leases(s).bad, 0);
		for (uint32_t n = 0; n < N_LEASES; n++)
			assert_int_equal(get_lease(s, n), 1);
		store_close(s);
		assert_true(file_is_clean(fd));
		close(fd);
	}
	assert_true(n_tried > 40);
	free(p);
	rand_free(r);
}

/* Every number in the file that may be a page's, set to another: a page in use twice or in the free
 * list reads well until it is overwritten. */
static void a_wrong_page_number_is_found_or_harmless(void **state)
{
	struct rand_source *r = rand_new_seeded(7);
	size_t len, n_found = 0, n_passed = 0;
	char path[400];

	make_store(*state, 7, 40);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	uint8_t *p = used_part(path, &len);
	int fd = memory_file(p, len);
	for (size_t at = 0; at + 8 <= len; at += 2) {
		uint64_t was, number;

		memcpy(&was, p + at, 8);
		if (was < 2 || was >= len / PAGE)
			continue;
		number = 2 + rand_below(r, (uint32_t)(len / PAGE) - 2);
		assert_int_equal(pwrite(fd, &number, 8, (off_t)at), 8);
		if (number == was || !file_is_clean(fd)) {
			n_found += number != was;
		} else if (n_passed++ % 24 == 0) {
			struct store_report report;

			memcpy(p + at, &number, 8);
			file_write(path, p, len);
			memcpy(p + at, &was, 8);
			struct store *s = store_open_ok(*state, &report);
			for (int k = 0; k < 10; k++)
				assert_int_equal(put_leases(s, rand_below(r, N_LEASES), 12, 1), 0);
			for (uint32_t n = 0; n < N_LEASES; n++)
				assert_int_equal(get_lease(s, n), 1);
			store_close(s);
		}
		assert_int_equal(pwrite(fd, &was, 8, (off_t)at), 8);
	}
	printf("%zu found, %zu passed\n", n_found, n_passed);
	assert_true(n_found > 50);
	close(fd);
	free(p);
	rand_free(r);
}

static struct page_head head_of(const uint8_t *page)
{
	struct page_head head;

	memcpy(&head, page, sizeof(head));
	return head;
}

static void a_page_in_use_is_never_free_too(void **state)
{
	struct page_meta m[2], *newest;
	struct pagefile_verdict v;
	struct content c;
	size_t len, n_tried = 0;

	make_store(*state, 8, 60);
	uint8_t *p = used_part(path_of(*state, "data.mdb"), &len);
	memcpy(&m[0], p + sizeof(struct page_head), sizeof(m[0]));
	memcpy(&m[1], p + PAGE + sizeof(struct page_head), sizeof(m[1]));
	newest = &m[m[1].txn > m[0].txn];
	assert_int_equal(newest->free_tree.depth, 1);
	uint8_t *page = p + newest->free_tree.root * PAGE;
	struct page_head head = head_of(page);
	for (size_t i = 0; i < page_n_nodes(&head); i++) {
		struct page_node node;
		size_t number, used = newest->main_tree.root;
		int fd;

		assert_true(page_node(page, PAGE, i, true, &node));
		memcpy(&number, node.data + 8, 8); /* the largest of this entry */
		if (number >= used)
			continue;
		memcpy((uint8_t *)node.data + 8, &used, 8);
		fd = memory_file(p, len);
		memcpy((uint8_t *)node.data + 8, &number, 8);
		assert_int_equal(content_of(fd, &c, &v), ERR_CORRUPT);
		assert_string_equal(v.what, "a page is in use twice");
		close(fd);
		n_tried++;
	}
	assert_true(n_tried > 0);
	free(p);
}

/* LMDB would put the next entry over the lowest one, or leave a hole that it later moves. */
static void the_bounds_of_a_page_must_be_exact(void **state)
{
	size_t len, n_tried = 0;

	make_store(*state, 9, 40);
	uint8_t *p = used_part(path_of(*state, "data.mdb"), &len);
	int fd = memory_file(p, len);
	for (size_t i = 2; i < len / PAGE; i++) {
		off_t at = (off_t)(i * PAGE);
		struct page_head good = head_of(p + at), bad = good;

		if (good.number != i || !(good.flags & (PAGE_LEAF | PAGE_BRANCH)))
			continue;
		bad.flags = 0;
		assert_int_equal(pwrite(fd, &bad, sizeof(bad), at), sizeof(bad));
		if (!file_is_clean(fd)) { /* it is in use */
			n_tried++;
			for (int by = -8; by <= 8; by += 2) {
				bad = good;
				bad.upper = (uint16_t)(bad.upper + by);
				assert_int_equal(pwrite(fd, &bad, sizeof(bad), at), sizeof(bad));
				assert_int_equal(file_is_clean(fd), by == 0);
			}
		}
		assert_int_equal(pwrite(fd, &good, sizeof(good), at), sizeof(good));
	}
	assert_true(n_tried > 5);
	assert_true(file_is_clean(fd));
	close(fd);
	free(p);
}

static void a_file_cut_anywhere_is_found_before_it_is_mapped(void **state)
{
	char path[400];
	size_t len, step;

	make_store(*state, 4, 40);
	(void)snprintf(path, sizeof(path), "%s", path_of(*state, "data.mdb"));
	uint8_t *p = used_part(path, &len);
	step = len / 40;
	for (size_t cut = 0; cut < len; cut += cut < 9000 ? 3000 : step) {
		struct store_report report;

		file_write(path, p, cut);
		struct store *s = store_open_ok(*state, &report); /* a SIGBUS would end the test */
		struct lease_count c = count_leases(s);

		assert_int_equal(c.wrong + c.bad, 0);
		if (report.found == STORE_CLEAN) /* only free pages were cut off */
			for (uint32_t n = 0; n < N_LEASES; n++)
				assert_int_equal(get_lease(s, n), 1);
		else
			assert_true(report.found == STORE_RECOVERED || report.found == STORE_LOST);
		store_close(s);
		if (report.aside[0])
			unlink(report.aside);
	}
	free(p);
}

static void a_zeroed_page_is_found(void **state)
{
	struct pagefile_verdict v;
	struct content good, c;
	static const uint8_t zero[PAGE];
	size_t len;

	make_store(*state, 5, 40);
	uint8_t *p = used_part(path_of(*state, "data.mdb"), &len);
	int fd = memory_file(p, len);
	assert_int_equal(content_of(fd, &good, &v), 0);
	for (size_t page = 0; page < len / PAGE; page++) {
		assert_int_equal(pwrite(fd, zero, PAGE, (off_t)(page * PAGE)), PAGE);
		if (file_is_clean(fd)) {
			assert_int_equal(content_of(fd, &c, &v), 0);
			assert_int_equal(c.crc, good.crc);
		}
		assert_int_equal(pwrite(fd, p + page * PAGE, PAGE, (off_t)(page * PAGE)), PAGE);
	}
	close(fd);
	free(p);
}

/* One bit less in the number of the last transaction would choose the state before it. */
static void an_older_state_is_not_taken_for_the_newest(void **state)
{
	struct pagefile_verdict v;
	struct content good, c;
	size_t len;

	make_store(*state, 6, 30);
	uint8_t *p = used_part(path_of(*state, "data.mdb"), &len);
	int fd = memory_file(p, len);
	assert_int_equal(content_of(fd, &good, &v), 0);
	for (size_t meta = 0; meta < 2; meta++)
		for (unsigned bit = 0; bit < 64; bit++) {
			off_t at = (off_t)(meta * PAGE + 16 + 128); /* the last field */
			uint64_t txn;

			assert_int_equal(pread(fd, &txn, 8, at), 8);
			assert_true(txn <= v.txn && txn + 1 >= v.txn);
			txn ^= UINT64_C(1) << bit;
			assert_int_equal(pwrite(fd, &txn, 8, at), 8);
			if (!content_of(fd, &c, &(struct pagefile_verdict){0}))
				assert_int_equal(c.crc, good.crc);
			txn ^= UINT64_C(1) << bit;
			assert_int_equal(pwrite(fd, &txn, 8, at), 8);
		}
	close(fd);
	free(p);
}

static void carving_finds_every_record(void **state)
{
	struct content c = {0};
	struct pagefile_visitor visitor = {.on_item = content_add, .arg = &c};
	struct store *s = store_open_ok(*state, NULL);
	int fd;

	assert_int_equal(put_leases(s, 0, N_LEASES, 1), 0);
	store_close(s);
	fd = open(path_of(*state, "data.mdb"), O_RDONLY);
	pagefile_carve(fd, &visitor);
	assert_true(c.n_items >= N_LEASES);
	close(fd);
}

int main(void)
{
#define SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		SCRATCH(every_file_that_lmdb_writes_is_found_sound),
		SCRATCH(a_flipped_bit_is_found_or_changes_nothing),
		SCRATCH(a_flip_that_passes_is_harmless_for_further_commits),
		SCRATCH(a_wrong_page_number_is_found_or_harmless),
		SCRATCH(a_page_in_use_is_never_free_too),
		SCRATCH(the_bounds_of_a_page_must_be_exact),
		SCRATCH(a_file_cut_anywhere_is_found_before_it_is_mapped),
		SCRATCH(a_zeroed_page_is_found),
		SCRATCH(an_older_state_is_not_taken_for_the_newest),
		SCRATCH(carving_finds_every_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
