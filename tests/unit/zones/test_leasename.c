/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/leasename.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rcu.h"

static struct ip addr(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_read(text, &ip), 0);
	return ip;
}

static int put(struct leasename *n, const char *label, const char *ip, uint64_t owner)
{
	struct ip a = addr(ip);

	return leasename_put(n, 0, label, &a, owner, 1000);
}

static void del(struct leasename *n, const char *ip)
{
	struct ip a = addr(ip);

	leasename_del(n, &a);
}

/* "ip ip", or "-" */
static const char *find(struct leasename *n, unsigned domain, const char *label)
{
	static char text[512];
	struct leasename_hit hit;
	bool found;

	rcu_enter();
	found = leasename_find(n, domain, (const uint8_t *)label, strlen(label), &hit);
	rcu_leave();
	if (!found)
		return "-";
	text[0] = '\0';
	for (unsigned i = 0; i < hit.n_addrs; i++) {
		char buf[IP_TEXT_LEN];

		strcat(text, i ? " " : "");
		strcat(text, ip_format(&hit.addrs[i], buf));
	}
	return text;
}

static const char *find_ip(struct leasename *n, const char *ip)
{
	static char label[64];
	struct ip a = addr(ip);
	unsigned domain;
	int64_t expires;
	bool found;

	rcu_enter();
	found = leasename_find_ip(n, &a, label, &domain, &expires);
	rcu_leave();
	return found ? label : "-";
}

static void names_and_addresses_lead_to_each_other(void **state)
{
	struct leasename *n = leasename_new();

	(void)state;
	assert_int_equal(put(n, "LapTop", "192.168.1.100", 1), 0);
	assert_int_equal(put(n, "laptop", "fd77::100", 1), 0);
	assert_string_equal(find(n, 0, "laptop"), "192.168.1.100 fd77::100");
	assert_string_equal(find(n, 0, "LAPTOP"), "192.168.1.100 fd77::100");
	assert_string_equal(find(n, 1, "laptop"), "-");
	assert_string_equal(find(n, 0, "lap"), "-");
	assert_string_equal(find_ip(n, "192.168.1.100"), "laptop");
	assert_string_equal(find_ip(n, "fd77::100"), "laptop");
	assert_string_equal(find_ip(n, "fd77::101"), "-");
	assert_int_equal(leasename_count(n), 2);
	leasename_free(n);
}

static void name_and_ptr_vanish_together(void **state)
{
	struct leasename *n = leasename_new();

	(void)state;
	assert_int_equal(put(n, "a", "10.0.0.1", 1), 0);
	assert_int_equal(put(n, "a", "10.0.0.2", 1), 0);
	del(n, "10.0.0.1");
	assert_string_equal(find(n, 0, "a"), "10.0.0.2");
	assert_string_equal(find_ip(n, "10.0.0.1"), "-");
	assert_string_equal(find_ip(n, "10.0.0.2"), "a");
	del(n, "10.0.0.2");
	del(n, "10.0.0.2"); /* twice is no harm */
	assert_string_equal(find(n, 0, "a"), "-");
	assert_int_equal(leasename_count(n), 0);
	leasename_free(n);
}

static void the_first_holder_keeps_a_name(void **state)
{
	struct leasename *n = leasename_new();
	struct ip ip = addr("10.0.0.3");
	uint64_t owner = 0;

	(void)state;
	assert_int_equal(put(n, "nas", "10.0.0.1", 1), 0);
	assert_int_equal(put(n, "NAS", "10.0.0.2", 2), ERR_EXISTS);
	assert_string_equal(find(n, 0, "nas"), "10.0.0.1");
	assert_string_equal(find_ip(n, "10.0.0.2"), "-");
	assert_int_equal(leasename_owner(n, 0, "Nas", &owner), 0);
	assert_int_equal(owner, 1);
	assert_int_equal(leasename_owner(n, 0, "other", &owner), ERR_ABSENT);
	/* another domain is another name */
	assert_int_equal(leasename_put(n, 1, "nas", &ip, 2, 1000), 0);
	assert_string_equal(find(n, 1, "nas"), "10.0.0.3");
	/* free again once it is gone */
	del(n, "10.0.0.1");
	assert_int_equal(put(n, "nas", "10.0.0.2", 2), 0);
	leasename_free(n);
}

static void a_renewal_moves_the_end_and_nothing_else(void **state)
{
	struct leasename *n = leasename_new();
	struct ip ip = addr("10.0.0.1");
	struct leasename_hit hit;

	(void)state;
	assert_int_equal(put(n, "a", "10.0.0.1", 1), 0);
	assert_int_equal(leasename_put(n, 0, "a", &ip, 1, 5000), 0);
	rcu_enter();
	assert_true(leasename_find(n, 0, (const uint8_t *)"a", 1, &hit));
	rcu_leave();
	assert_int_equal(hit.n_addrs, 1);
	assert_int_equal(hit.expires[0], 5000);
	assert_int_equal(leasename_count(n), 1);
	leasename_free(n);
}

static void an_address_has_one_name(void **state)
{
	struct leasename *n = leasename_new();

	(void)state;
	assert_int_equal(put(n, "old", "10.0.0.1", 1), 0);
	assert_int_equal(put(n, "old", "10.0.0.2", 1), 0);
	assert_int_equal(put(n, "new", "10.0.0.1", 1), 0);
	assert_string_equal(find(n, 0, "old"), "10.0.0.2");
	assert_string_equal(find(n, 0, "new"), "10.0.0.1");
	assert_string_equal(find_ip(n, "10.0.0.1"), "new");
	assert_int_equal(put(n, "newer", "10.0.0.1", 9), 0);
	assert_string_equal(find(n, 0, "new"), "-");
	assert_int_equal(leasename_count(n), 2);
	leasename_free(n);
}

static void bad_labels_and_too_many_addresses_are_refused(void **state)
{
	struct leasename *n = leasename_new();
	char label[70], ip[20];

	(void)state;
	memset(label, 'a', 64);
	label[64] = '\0';
	assert_int_equal(put(n, label, "10.0.0.1", 1), ERR_RANGE);
	assert_int_equal(put(n, "", "10.0.0.1", 1), ERR_RANGE);
	label[63] = '\0';
	assert_int_equal(put(n, label, "10.0.0.1", 1), 0);
	assert_string_equal(find(n, 0, label), "10.0.0.1");
	assert_string_equal(find(n, 0, ""), "-");
	for (unsigned i = 0; i < LEASENAME_ADDRS; i++) {
		snprintf(ip, sizeof(ip), "10.0.1.%u", i);
		assert_int_equal(put(n, "many", ip, 1), 0);
	}
	assert_int_equal(put(n, "many", "10.0.2.1", 1), ERR_LIMIT);
	assert_string_equal(find_ip(n, "10.0.2.1"), "-");
	leasename_free(n);
}

/* ---- readers while the one writer writes ---- */

#define READERS 3
#define ROUNDS	4000

struct race {
	struct leasename *n;
	_Atomic bool stop;
	_Atomic unsigned broken;
};

static void *read_on(void *arg)
{
	struct race *r = arg;
	struct ip ip = addr("10.0.0.1");

	rcu_thread_register();
	while (!r->stop) {
		struct leasename_hit hit;
		char label[64];
		unsigned domain;
		int64_t expires;

		rcu_enter();
		/* steady always holds its address; each entry is whole */
		if (!leasename_find(r->n, 0, (const uint8_t *)"steady", 6, &hit) ||
			hit.n_addrs < 1 || hit.n_addrs > 2 || hit.expires[0] < 1000)
			r->broken++;
		if (leasename_find_ip(r->n, &ip, label, &domain, &expires) &&
			(strncmp(label, "mover", 5) != 0 || domain != 0))
			r->broken++;
		rcu_leave();
	}
	rcu_thread_unregister();
	return NULL;
}

static void readers_see_whole_entries_at_any_instant(void **state)
{
	struct race r = {.n = leasename_new()};
	pthread_t t[READERS];

	(void)state;
	assert_int_equal(put(r.n, "steady", "10.0.0.9", 7), 0);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, read_on, &r), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct ip ip = addr("10.0.0.9");

		assert_int_equal(put(r.n, i % 2 ? "mover1" : "mover2", "10.0.0.1", i % 2), 0);
		assert_int_equal(leasename_put(r.n, 0, "steady", &ip, 7, 1000 + i), 0);
		assert_int_equal(put(r.n, "steady", "fd77::9", 7), 0);
		del(r.n, "fd77::9");
		if (i % 3 == 0)
			del(r.n, "10.0.0.1");
	}
	r.stop = true;
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(r.broken, 0);
	leasename_free(r.n);
}

static int set_up(void **state)
{
	(void)state;
	rcu_thread_register();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rcu_barrier_all();
	rcu_thread_unregister();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_addresses_lead_to_each_other),
		cmocka_unit_test(name_and_ptr_vanish_together),
		cmocka_unit_test(the_first_holder_keeps_a_name),
		cmocka_unit_test(a_renewal_moves_the_end_and_nothing_else),
		cmocka_unit_test(an_address_has_one_name),
		cmocka_unit_test(bad_labels_and_too_many_addresses_are_refused),
		cmocka_unit_test(readers_see_whole_entries_at_any_instant),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
