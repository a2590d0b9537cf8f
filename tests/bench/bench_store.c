/* SPDX-License-Identifier: Apache-2.0 */
/* How many leases a second become durable, by batch size and order of addresses, through the calls
 * that the daemon uses. Not a test; builds with: cc -O2 -I. tests/bench/bench_store.c, store and
 * base.
 *
 *     bench_store DIR [seconds a row]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rand.h"
#include "store/committer.h"
#include "store/snapshot.h"
#include "store/store.h"

#define N_LEASES 200000

static struct lease_record record_of(uint32_t n)
{
	struct lease_record r = {.ip = ip_from4(0x0a000000u + n),
		.prefix_len = 32,
		.state = LEASE_BOUND,
		.hw_type = 1,
		.hw_len = 6,
		.id_len = 7,
		.start_s = 1700000000,
		.expires_s = 1700043200,
		.last_seen_s = 1700000000};

	memcpy(r.hw + 2, &n, 4);
	memcpy(r.id + 3, &n, 4);
	(void)snprintf(r.hostname, sizeof(r.hostname), "client-%u", n);
	memcpy(r.asked, r.hostname, strlen(r.hostname));
	r.asked_len = (uint8_t)strlen(r.hostname);
	strcpy(r.lan, "br0");
	return r;
}

static void bench_commit(struct store *s, unsigned batch, bool random, int seconds)
{
	struct rand_source *r = rand_new_seeded(1);
	struct lease_record *records = calloc(batch, sizeof(*records));
	struct lease_change *changes = calloc(batch, sizeof(*changes));
	int64_t start = clock_mono_us(), took;
	uint64_t n = 0;
	uint32_t next = 0;

	do {
		for (unsigned i = 0; i < batch; i++, next++) {
			records[i] = record_of(random ? rand_below(r, N_LEASES) : next % N_LEASES);
			changes[i] = (struct lease_change){LEASE_PUT, &records[i]};
		}
		if (leasedb_commit(s, changes, batch))
			abort();
		n += batch;
		took = clock_mono_us() - start;
	} while (took < (int64_t)seconds * 1000000);
	printf("%-10s batch %4u: %8.0f leases/s, %6.0f us a commit\n",
		random ? "random" : "in order", batch, (double)n * 1e6 / (double)took,
		(double)took * batch / (double)n);
	free(records);
	free(changes);
	rand_free(r);
}

struct closed_loop {
	pthread_mutex_t lock;
	pthread_cond_t more;
	uint64_t n_done;
};

static void post_now(void *arg, void (*fn)(void *), void *fn_arg)
{
	(void)arg;
	fn(fn_arg);
}

static void on_done(void *arg, int err)
{
	struct closed_loop *l = arg;

	if (err)
		abort();
	pthread_mutex_lock(&l->lock);
	l->n_done++;
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
}

/* `waiting` leases are always under way, as with that many clients. */
static void bench_committer(struct store *s, unsigned waiting, int seconds)
{
	struct closed_loop l = {
		.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};
	int64_t start = clock_mono_us(), took;
	struct committer *c;
	uint64_t n = 0;

	if (committer_start(s, post_now, NULL, &c))
		abort();
	do {
		struct lease_record r = record_of((uint32_t)(n % N_LEASES));
		struct lease_change change = {LEASE_PUT, &r};

		pthread_mutex_lock(&l.lock);
		while (n - l.n_done >= waiting)
			pthread_cond_wait(&l.more, &l.lock);
		pthread_mutex_unlock(&l.lock);
		if (committer_submit(c, &change, 1, on_done, &l))
			abort();
		n++;
		took = clock_mono_us() - start;
	} while (took < (int64_t)seconds * 1000000);
	struct committer_stats stats = committer_stats(c);
	committer_stop(c);
	printf("committer, %4u waiting: %8.0f leases/s, %5.1f a commit, p50 %u us, p99 %u us\n",
		waiting, (double)n * 1e6 / (double)took,
		(double)stats.n_records / (double)stats.n_commits, stats.p50_us, stats.p99_us);
}

static int count(const struct lease_record *r, void *arg)
{
	(void)r;
	++*(size_t *)arg;
	return 0;
}

int main(int argc, char **argv)
{
	static const unsigned BATCHES[] = {1, 16, 64, 200};
	const struct store_opts opts = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	int seconds = argc > 2 ? atoi(argv[2]) : 2;
	struct store_report report;
	struct store *s;
	size_t n = 0;
	int64_t t;

	if (argc < 2 || store_open(argv[1], &opts, &s, &report))
		return 2;
	for (uint32_t i = 0; i < N_LEASES; i += 200) {
		struct lease_record records[200];
		struct lease_change changes[200];

		for (uint32_t k = 0; k < 200; k++) {
			records[k] = record_of(i + k);
			changes[k] = (struct lease_change){LEASE_PUT, &records[k]};
		}
		if (leasedb_commit(s, changes, 200))
			return 1;
	}
	printf("%u leases in the store, %.1f MB\n", N_LEASES,
		(double)store_health(s).used_len / 1e6);
	for (int random = 0; random < 2; random++)
		for (size_t i = 0; i < 4; i++)
			bench_commit(s, BATCHES[i], random, seconds);
	for (unsigned waiting = 1; waiting <= 1024; waiting *= 8)
		bench_committer(s, waiting, seconds);
	t = clock_mono_us();
	if (snapshot_write(s, &n))
		return 1;
	printf("snapshot of %zu: %.0f ms\n", n, (double)(clock_mono_us() - t) / 1e3);
	store_close(s);
	t = clock_mono_us();
	if (store_open(argv[1], &opts, &s, &report))
		return 1;
	printf("open with full check: %.0f ms (%zu records)\n", (double)(clock_mono_us() - t) / 1e3,
		report.n_records);
	t = clock_mono_us();
	n = 0;
	if (leasedb_each(s, count, NULL, &n))
		return 1;
	printf("load of %zu: %.0f ms\n", n, (double)(clock_mono_us() - t) / 1e3);
	store_close(s);
	return 0;
}
