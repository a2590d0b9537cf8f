/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rand.h"
#include "net/port.h"

static void ports_are_uniform_over_all_that_are_free_to_use(void **state)
{
	enum { DRAWS = 400000, BINS = 64 };
	static uint16_t seen[65536];
	unsigned bins[BINS] = {0}, distinct = 0;
	double chi2 = 0, expected = DRAWS / (double)BINS;
	struct rand_source *rand = rand_new();

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		uint16_t port = port_random(rand);

		assert_true(port >= 1024 && port != 5353 && port != 1900 && port != 51820);
		distinct += seen[port]++ == 0;
		bins[(port - 1024u) * BINS / 64512]++;
	}
	assert_true(seen[1024] && seen[65535] && seen[5352] && seen[5354]);
	assert_true(distinct > 60000);
	for (int i = 0; i < BINS; i++)
		chi2 += (bins[i] - expected) * (bins[i] - expected) / expected;
	/* 63 degrees of freedom: p = 0.00001 at 125; the reserved ports add less than 1. */
	assert_true(chi2 < 130);
	rand_free(rand);
}

static void a_bound_socket_has_an_unprivileged_port_of_the_address_given(void **state)
{
	struct rand_source *rand = rand_new();
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	uint64_t in_use = 0;
	struct ip local;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	assert_int_equal(0, ip_read("127.0.0.9", &local));
	assert_int_equal(0, port_bind(fd, &local, rand, &in_use));
	assert_int_equal(0, getsockname(fd, (struct sockaddr *)&a, &len));
	assert_int_equal(0x7f000009, ntohl(a.sin_addr.s_addr));
	assert_true(ntohs(a.sin_port) >= 1024);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(0, ip_read("192.0.2.1", &local));
	assert_int_equal(ERR_UNREACHABLE, port_bind(fd, &local, rand, &in_use));
	close(fd);
	rand_free(rand);
}

/* The same draws again, while sockets sit on the first of them. */
static void a_port_in_use_is_passed_over(void **state)
{
	enum { TAKEN = 5 };
	struct ip any = {.family = AF_INET};
	uint64_t in_use = 0;
	int fds[TAKEN + 1];

	(void)state;
	for (int i = 0; i <= TAKEN; i++) {
		struct rand_source *rand = rand_new_seeded(42);

		fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
		assert_int_equal(0, port_bind(fds[i], &any, rand, &in_use));
		rand_free(rand);
	}
	assert_true(in_use >= TAKEN * (TAKEN + 1) / 2);
	for (int i = 0; i <= TAKEN; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_uniform_over_all_that_are_free_to_use),
		cmocka_unit_test(a_bound_socket_has_an_unprivileged_port_of_the_address_given),
		cmocka_unit_test(a_port_in_use_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
