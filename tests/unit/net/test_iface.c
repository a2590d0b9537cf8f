/* SPDX-License-Identifier: Apache-2.0 */
/* In a network namespace of its own, which takes root and iproute2; skipped otherwise. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/iface.h"
#include "net/loop.h"

struct watch {
	struct loop *loop;
	struct iface_list *list;
	unsigned changes;
};

static void watch_on_change(void *arg)
{
	struct watch *w = arg;

	w->changes++;
}

static void watch_open(struct watch *w)
{
	*w = (struct watch){.loop = loop_new()};
	assert_int_equal(0, iface_open(&w->list));
	assert_int_equal(0, iface_start(w->list, w->loop, watch_on_change, w));
}

static void watch_close(struct watch *w)
{
	iface_close(w->list);
	loop_free(w->loop);
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

/* Turns until the condition holds; a second is what the threat table allows (J4). */
#define AWAIT(w, what)                                                                             \
	do {                                                                                       \
		int64_t deadline_ms = clock_mono_ms() + 1000;                                      \
		while (!(what) && clock_mono_ms() < deadline_ms)                                   \
			loop_turn((w)->loop, false);                                               \
		assert_true(what);                                                                 \
	} while (0)

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(0, ip_read(text, &ip));
	return ip;
}

static bool owns(const struct watch *w, const char *text)
{
	struct ip ip = ip_of(text);

	return iface_owns(w->list, &ip);
}

static const struct iface *named(const struct watch *w, const char *name)
{
	return iface_by_name(w->list, name);
}

static void what_is_there_at_the_start_is_listed(void **state)
{
	struct watch w;
	const struct iface *i;

	(void)state;
	run("ip link add la type veth peer name lb && ip link set la mtu 1400 "
	    "address 02:00:00:00:00:0a && ip addr add 192.0.2.1/24 dev la && "
	    "ip addr add 2001:db8::1/64 dev la nodad && ip link set la up && ip link set lb up");
	watch_open(&w);
	i = named(&w, "la");
	assert_non_null(i);
	assert_true(i == iface_by_index(w.list, i->index));
	assert_int_equal(1400, i->mtu);
	assert_true(i->has_mac && i->mac[0] == 2 && i->mac[5] == 10);
	AWAIT(&w, named(&w, "la")->up); /* the kernel takes a moment to notice the carrier */
	assert_false(i->loopback);
	assert_true(named(&w, "lo")->loopback && !named(&w, "lo")->has_mac);
	assert_true(owns(&w, "192.0.2.1") && owns(&w, "2001:db8::1") && owns(&w, "127.1.2.3"));
	assert_false(owns(&w, "192.0.2.2"));
	assert_null(named(&w, "lx"));
	assert_null(iface_by_index(w.list, 9999));
	assert_null(iface_at(w.list, iface_count(w.list)));
	for (size_t k = 1; k < iface_count(w.list); k++)
		assert_true(iface_at(w.list, k - 1)->index < iface_at(w.list, k)->index);
	watch_close(&w);
	run("ip link del la");
}

static void links_and_addresses_come_and_go(void **state)
{
	struct watch w;

	(void)state;
	watch_open(&w);
	run("ip link add la type veth peer name lb");
	AWAIT(&w, named(&w, "la") && named(&w, "lb"));
	assert_false(named(&w, "la")->up);
	run("ip link set la up && ip link set lb up");
	AWAIT(&w, named(&w, "la")->up);
	run("ip addr add 192.0.2.1/24 dev la && ip addr add 192.0.2.129/25 dev lb");
	AWAIT(&w, owns(&w, "192.0.2.1") && owns(&w, "192.0.2.129"));
	run("ip addr add 2001:db8::5/64 dev la");
	AWAIT(&w, owns(&w, "2001:db8::5"));
	run("ip link set lb down");
	AWAIT(&w, !named(&w, "la")->up); /* no carrier */
	run("ip addr del 192.0.2.1/24 dev la && ip link set la name lc");
	AWAIT(&w, !owns(&w, "192.0.2.1") && named(&w, "lc") && !named(&w, "la"));
	assert_true(w.changes > 0);
	assert_int_equal(w.changes, iface_generation(w.list));
	run("ip link del lc");
	AWAIT(&w, !named(&w, "lc") && !named(&w, "lb") && !owns(&w, "192.0.2.129"));
	watch_close(&w);
}

static void the_longest_prefix_tells_the_way(void **state)
{
	struct watch w;
	struct ip near, far, away = ip_of("198.51.100.1");

	(void)state;
	run("ip link add la type veth peer name lb && ip addr add 10.0.0.1/8 dev la && "
	    "ip addr add 10.1.0.1/16 dev lb");
	watch_open(&w);
	near = ip_of("10.1.2.3");
	far = ip_of("10.2.2.3");
	assert_string_equal("lb", iface_toward(w.list, &near)->name);
	assert_string_equal("la", iface_toward(w.list, &far)->name);
	assert_null(iface_toward(w.list, &away));
	watch_close(&w);
	run("ip link del la");
}

/* A bridge announces with RTM_DELLINK that a port has left it. */
static void a_port_that_leaves_its_bridge_is_not_gone(void **state)
{
	struct watch w;

	(void)state;
	run("ip link add name lbr type bridge && ip link add la type veth peer name lb && "
	    "ip link set la master lbr && ip addr add 192.0.2.4/24 dev la");
	watch_open(&w);
	assert_non_null(named(&w, "la"));
	run("ip link set la nomaster && ip link set la mtu 1300");
	AWAIT(&w, named(&w, "la") && named(&w, "la")->mtu == 1300);
	assert_true(owns(&w, "192.0.2.4")); /* it was never forgotten */
	watch_close(&w);
	run("ip link del la && ip link del lbr");
}

static void lost_events_are_made_up_for(void **state)
{
	enum { FLAPS = 4000 };
	char path[] = "/tmp/iface-test-XXXXXX", command[128];
	int fd = mkstemp(path);
	struct watch w;
	FILE *f = fdopen(fd, "w");

	(void)state;
	for (int i = 0; i < FLAPS; i++)
		fprintf(f, "addr add 192.0.2.9/24 dev la\naddr del 192.0.2.9/24 dev la\n");
	fprintf(f, "addr add 192.0.2.77/24 dev la\nlink set la mtu 1234\n");
	fclose(f);
	run("ip link add la type veth peer name lb");
	watch_open(&w);
	snprintf(command, sizeof(command), "ip -batch %s", path);
	run(command);
	AWAIT(&w, owns(&w, "192.0.2.77") && named(&w, "la")->mtu == 1234);
	assert_false(owns(&w, "192.0.2.9"));
	assert_true(iface_relists(w.list) > 0);
	watch_close(&w);
	unlink(path);
	run("ip link del la");
}

static void more_addresses_than_are_kept_do_no_harm(void **state)
{
	struct watch w;
	char command[128];

	(void)state;
	run("ip link add la type veth peer name lb");
	for (int i = 0; i < IFACE_MAX_ADDR + 8; i++) {
		snprintf(command, sizeof(command), "ip addr add 10.9.%d.1/24 dev la", i);
		run(command);
	}
	watch_open(&w);
	assert_int_equal(IFACE_MAX_ADDR, named(&w, "la")->n_addrs);
	run("ip addr flush dev la");
	AWAIT(&w, named(&w, "la")->n_addrs == 0);
	watch_close(&w);
	run("ip link del la");
	iface_close(NULL);
}

static int fresh_namespace(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET) == 0 && system("ip link set lo up") == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_there_at_the_start_is_listed, fresh_namespace),
		cmocka_unit_test_setup(links_and_addresses_come_and_go, fresh_namespace),
		cmocka_unit_test_setup(the_longest_prefix_tells_the_way, fresh_namespace),
		cmocka_unit_test_setup(a_port_that_leaves_its_bridge_is_not_gone, fresh_namespace),
		cmocka_unit_test_setup(lost_events_are_made_up_for, fresh_namespace),
		cmocka_unit_test_setup(more_addresses_than_are_kept_do_no_harm, fresh_namespace),
	};

	if (unshare(CLONE_NEWNET) < 0 || system("ip link set lo up 2>/dev/null") != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
