/* SPDX-License-Identifier: Apache-2.0 */
/* Two buffers: submitters fill one under the lock while the thread writes the other to disk without
 * it. A buffer is a row of jobs and the bytes they want written, already in their stored form, so
 * that nothing of the submitter's is referenced later. The thread cuts the row into transactions of
 * at most STORE_TXN_RECORDS records, never through a job; each transaction has one post, which
 * carries the verdict to all its jobs. */
#include "store/committer.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "store/statedb.h"
#include "store/store_limits.h"
#include "store/txn.h"

/* Quarter octaves of microseconds up to 2^26 (67 s). */
#define COMMITTER_OCTAVES 26
#define COMMITTER_BUCKETS (COMMITTER_OCTAVES * 4)

/* A state value waiting counts as one record in the queue, but a few are plenty. */
#define COMMITTER_STATES_MAX 16

struct committer_record {
	enum lease_op op;
	uint8_t key[LEASEDB_KEY_MAX];
	uint8_t key_len;
	uint16_t len;
	size_t at; /* offset of the data in bytes */
};

struct committer_job {
	size_t n_records;
	char *state_name; /* a statedb_put, else NULL */
	void *state;
	size_t state_len;
	committer_done_fn on_done;
	void *arg;
	int err;
};

struct committer_buffer {
	struct committer_job *jobs;
	struct committer_record *records;
	uint8_t *bytes;
	size_t n_jobs, jobs_cap, n_records, records_cap, len, cap, n_states;
};

struct committer {
	struct store *s;
	committer_post_fn post;
	void *post_arg;
	pthread_t thread;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t wake;
	struct committer_buffer *front; /* the one that is filled */
	bool stopping;
	uint32_t in_flight; /* records the thread has taken and not finished */
	struct committer_stats stats;
	uint32_t histogram[COMMITTER_BUCKETS];

	struct committer_buffer buffers[2];
};

/* The verdict on the jobs of one transaction, on its way to the submitter's thread. */
struct committer_news {
	size_t n;
	struct {
		committer_done_fn on_done;
		void *arg;
		int err;
	} done[];
};

/* ---- buffers ---- */

static void *grown(void *p, size_t *cap, size_t need, size_t each)
{
	if (need <= *cap)
		return p;
	*cap = need > 2 * *cap ? need : 2 * *cap;
	return xrealloc(p, *cap * each);
}

static struct committer_job *buffer_add_job(
	struct committer_buffer *b, committer_done_fn on_done, void *arg)
{
	b->jobs = grown(b->jobs, &b->jobs_cap, b->n_jobs + 1, sizeof(*b->jobs));
	b->jobs[b->n_jobs] = (struct committer_job){.on_done = on_done, .arg = arg};
	return &b->jobs[b->n_jobs++];
}

/* Puts one change in its stored form; nothing is kept of it when it fails. */
static int buffer_add_record(struct committer_buffer *b, const struct lease_change *c)
{
	uint8_t data[LEASEDB_BYTES_MAX];
	struct committer_record r = {.op = c->op, .at = b->len};
	size_t key_len, len = 0;
	int err;

	err = leasedb_write_key(&c->record->ip, c->record->prefix_len, r.key, &key_len);
	if (!err && c->op == LEASE_PUT)
		err = leasedb_write(c->record, data, sizeof(data), &len);
	if (err)
		return err;
	r.key_len = (uint8_t)key_len;
	r.len = (uint16_t)len;
	b->records = grown(b->records, &b->records_cap, b->n_records + 1, sizeof(*b->records));
	b->records[b->n_records++] = r;
	if (len) {
		b->bytes = grown(b->bytes, &b->cap, b->len + len, 1);
		memcpy(b->bytes + b->len, data, len);
		b->len += len;
	}
	return 0;
}

static void buffer_clear(struct committer_buffer *b)
{
	for (size_t i = 0; i < b->n_jobs; i++) {
		xfree(b->jobs[i].state_name);
		xfree(b->jobs[i].state);
	}
	b->n_jobs = b->n_records = b->len = b->n_states = 0;
}

static void buffer_fini(struct committer_buffer *b)
{
	buffer_clear(b);
	xfree(b->jobs);
	xfree(b->records);
	xfree(b->bytes);
}

/* ---- statistics ---- */

static unsigned bucket_of(uint32_t us)
{
	unsigned octave, quarter;

	if (us < 4)
		return us;
	octave = 31 - (unsigned)__builtin_clz(us);
	quarter = us >> (octave - 2) & 3;
	return octave >= COMMITTER_OCTAVES ? COMMITTER_BUCKETS - 1 : octave * 4 + quarter;
}

/* Upper end of a bucket. */
static uint32_t bucket_us(unsigned bucket)
{
	unsigned octave = bucket / 4, quarter = bucket % 4;

	if (octave < 2)
		return bucket;
	return ((4u + quarter + 1) << (octave - 2)) - 1;
}

static uint32_t percentile(const uint32_t *histogram, uint64_t n, unsigned percent)
{
	uint64_t rank = (n * percent + 99) / 100, seen = 0;

	for (unsigned i = 0; i < COMMITTER_BUCKETS; i++) {
		seen += histogram[i];
		if (seen >= rank && seen)
			return bucket_us(i);
	}
	return 0;
}

static void count(struct committer *c, size_t n_records, int err, int64_t took_us)
{
	uint32_t us = took_us < 0 ? 0 : took_us > UINT32_MAX ? UINT32_MAX : (uint32_t)took_us;

	pthread_mutex_lock(&c->lock);
	if (err) {
		c->stats.n_failures++;
	} else {
		c->stats.n_commits++;
		c->stats.n_records += n_records;
		c->histogram[bucket_of(us)]++;
		if (us > c->stats.max_us)
			c->stats.max_us = us;
		if (n_records > c->stats.max_batch)
			c->stats.max_batch = (uint32_t)n_records;
	}
	c->in_flight -= (uint32_t)n_records;
	pthread_mutex_unlock(&c->lock);
}

struct committer_stats committer_stats(const struct committer *c)
{
	struct committer *w = (struct committer *)c; /* only for the lock */
	struct committer_stats stats;

	pthread_mutex_lock(&w->lock);
	stats = c->stats;
	stats.queued = (uint32_t)c->front->n_records + c->in_flight;
	stats.p50_us = percentile(c->histogram, stats.n_commits, 50);
	stats.p99_us = percentile(c->histogram, stats.n_commits, 99);
	pthread_mutex_unlock(&w->lock);
	return stats;
}

/* ---- the thread ---- */

static void news_tell(void *arg)
{
	struct committer_news *news = arg;

	for (size_t i = 0; i < news->n; i++)
		if (news->done[i].on_done)
			news->done[i].on_done(news->done[i].arg, news->done[i].err);
	xfree(news);
}

static void news_post(struct committer *c, const struct committer_job *jobs, size_t n, int err)
{
	struct committer_news *news = xalloc(sizeof(*news) + n * sizeof(news->done[0]));

	news->n = n;
	for (size_t i = 0; i < n; i++) {
		news->done[i].on_done = jobs[i].on_done;
		news->done[i].arg = jobs[i].arg;
		news->done[i].err = err;
	}
	c->post(c->post_arg, news_tell, news);
}

/* Jobs from `first` on that fit in one transaction; a state job goes alone. */
static size_t slice(const struct committer_buffer *b, size_t first, size_t *out_records)
{
	size_t n = 0, records = 0;

	if (b->jobs[first].state_name) {
		*out_records = 1;
		return 1;
	}
	for (size_t i = first; i < b->n_jobs && !b->jobs[i].state_name; i++, n++) {
		if (n && records + b->jobs[i].n_records > STORE_TXN_RECORDS)
			break;
		records += b->jobs[i].n_records;
	}
	*out_records = records;
	return n;
}

static int commit_records(struct committer *c, const struct committer_buffer *b,
	const struct committer_record *records, size_t n)
{
	struct txn *t = txn_begin(c->s);

	for (size_t i = 0; i < n; i++) {
		const struct committer_record *r = &records[i];

		if (r->op == LEASE_DEL)
			txn_del(t, TXN_LEASE, r->key, r->key_len);
		else
			txn_put(t, TXN_LEASE, r->key, r->key_len, b->bytes + r->at, r->len);
	}
	return txn_commit(t);
}

static void commit_buffer(struct committer *c, const struct committer_buffer *b)
{
	size_t record = 0;

	for (size_t job = 0; job < b->n_jobs;) {
		const struct committer_job *j = &b->jobs[job];
		int64_t start_us = clock_mono_us();
		size_t n_records, n = slice(b, job, &n_records);
		int err;

		if (j->state_name) {
			err = statedb_put(c->s, j->state_name, j->state, j->state_len);
		} else {
			err = commit_records(c, b, b->records + record, n_records);
			record += n_records;
		}
		count(c, n_records, err, clock_mono_us() - start_us);
		news_post(c, j, n, err);
		job += n;
	}
}

static void *committer_run(void *arg)
{
	struct committer *c = arg;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		struct committer_buffer *back = c->front;

		if (!back->n_jobs) {
			if (c->stopping)
				break;
			pthread_cond_wait(&c->wake, &c->lock);
			continue;
		}
		c->front = back == &c->buffers[0] ? &c->buffers[1] : &c->buffers[0];
		c->in_flight = (uint32_t)(back->n_records + back->n_states);
		pthread_mutex_unlock(&c->lock);
		commit_buffer(c, back);
		buffer_clear(back);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

int committer_start(struct store *s, committer_post_fn post, void *post_arg, struct committer **out)
{
	struct committer *c = xcalloc(1, sizeof(*c));
	int rc;

	c->s = s;
	c->post = post;
	c->post_arg = post_arg;
	c->front = &c->buffers[0];
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	rc = pthread_create(&c->thread, NULL, committer_run, c);
	if (rc) {
		pthread_mutex_destroy(&c->lock);
		pthread_cond_destroy(&c->wake);
		xfree(c);
		return err_from_errno(rc);
	}
	(void)pthread_setname_np(c->thread, "commit");
	*out = c;
	return 0;
}

void committer_stop(struct committer *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	buffer_fini(&c->buffers[0]);
	buffer_fini(&c->buffers[1]);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	xfree(c);
}

/* ---- submitting ---- */

static int queue_refuses(struct committer *c, size_t n)
{
	if (c->stopping)
		return ERR_CLOSED;
	if (c->front->n_records + c->in_flight + n > COMMITTER_QUEUE_MAX) {
		c->stats.n_refused += n;
		return ERR_LIMIT;
	}
	return 0;
}

static int submit_locked(struct committer *c, const struct lease_change *changes, size_t n,
	committer_done_fn on_done, void *arg)
{
	struct committer_buffer *b = c->front;
	size_t n_before = b->n_records, len_before = b->len;
	int err = queue_refuses(c, n);

	for (size_t i = 0; i < n && !err; i++)
		err = buffer_add_record(b, &changes[i]);
	if (err) {
		b->n_records = n_before;
		b->len = len_before;
		return err;
	}
	buffer_add_job(b, on_done, arg)->n_records = n;
	pthread_cond_signal(&c->wake);
	return 0;
}

int committer_submit(struct committer *c, const struct lease_change *changes, size_t n,
	committer_done_fn on_done, void *arg)
{
	int err;

	if (n > STORE_TXN_RECORDS)
		return ERR_RANGE;
	pthread_mutex_lock(&c->lock);
	err = submit_locked(c, changes, n, on_done, arg);
	pthread_mutex_unlock(&c->lock);
	return err;
}

int committer_put_state(struct committer *c, const char *name, const void *data, size_t len,
	committer_done_fn on_done, void *arg)
{
	struct committer_job *job;
	int err;

	if (len > STATEDB_VALUE_MAX || !*name ||
		strnlen(name, STATEDB_NAME_MAX + 1) > STATEDB_NAME_MAX)
		return len > STATEDB_VALUE_MAX ? ERR_LIMIT : ERR_MALFORMED;
	pthread_mutex_lock(&c->lock);
	err = queue_refuses(c, 1);
	if (!err && c->front->n_states == COMMITTER_STATES_MAX)
		err = ERR_LIMIT;
	if (!err) {
		job = buffer_add_job(c->front, on_done, arg);
		job->state_name = xstrdup(name);
		job->state = xmemdup(data, len);
		job->state_len = len;
		c->front->n_states++;
		pthread_cond_signal(&c->wake);
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}
