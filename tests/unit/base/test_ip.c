/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/hash.h"
#include "base/ip.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_read(text, &ip), 0);
	return ip;
}

static void addresses_go_there_and_back(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "192.168.1.1", "255.255.255.255",
		"::", "::1", "2001:db8::1", "fe80::1234:5678", "::ffff:10.0.0.1", "64:ff9b::a00:1",
		"2001:db8:1111:2222:3333:4444:5555:6666"};
	char buf[IP_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip ip = ip_of(texts[i]);

		assert_string_equal(ip_format(&ip, buf), texts[i]);
	}
	assert_string_equal(ip_format(&(struct ip){0}, buf), "none");
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = {"", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		"1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "0x1.2.3.4", "16909060", "fe80::1%eth0",
		":::", "12345::", "1::2::3", "[::1]", "1.2.3.4/24", "localhost",
		"2001:db8:1111:2222:3333:4444:5555:6666:7777777777777777777777777777"};
	struct ip ip = {.family = 99};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(ip_read(texts[i], &ip), ERR_MALFORMED);
	assert_int_equal(ip.family, 99); /* left alone */
}

static void host_order_numbers(void **state)
{
	struct ip ip = ip_from4(0xc0a80102u), same = ip_of("192.168.1.2");

	(void)state;
	assert_true(ip_equal(&ip, &same));
	assert_true(ip_to4(&ip) == 0xc0a80102u);
	assert_int_equal(ip_len(&ip), 4);
	same = ip_of("::1");
	assert_int_equal(ip_len(&same), 16);
	ip = ip_from6(same.bytes);
	assert_true(ip_equal(&ip, &same));
	assert_int_equal(ip_len(&(struct ip){0}), 0);
}

static void order_is_family_then_bytes(void **state)
{
	struct ip a = ip_of("9.0.0.0"), b = ip_of("10.0.0.0"), c = ip_of("::");

	(void)state;
	assert_true(ip_compare(&a, &b) < 0 && ip_compare(&b, &a) > 0);
	assert_true(ip_compare(&b, &c) < 0);
	assert_int_equal(ip_compare(&a, &a), 0);
}

static void prefixes(void **state)
{
	static const struct {
		const char *text, *back;
		int err;
	} cases[] = {
		{"192.168.1.0/24", "192.168.1.0/24", 0},
		{"0.0.0.0/0", "0.0.0.0/0", 0},
		{"::/0", "::/0", 0},
		{"10.1.2.3", "10.1.2.3/32", 0},
		{"::1", "::1/128", 0},
		{"fd77::/64", "fd77::/64", 0},
		{"10.0.0.128/25", "10.0.0.128/25", 0},
		{"2001:db8::/33", "2001:db8::/33", 0},
		{"192.168.1.1/24", NULL, ERR_RANGE},
		{"10.0.0.64/25", NULL, ERR_RANGE},
		{"10.0.0.1/31", NULL, ERR_RANGE},
		{"fd77::1/64", NULL, ERR_RANGE},
		{"1.2.3.4/33", NULL, ERR_RANGE},
		{"::/129", NULL, ERR_RANGE},
		{"1.2.3.4/", NULL, ERR_MALFORMED},
		{"1.2.3.4/+8", NULL, ERR_MALFORMED},
		{"1.2.3.4/8x", NULL, ERR_MALFORMED},
		{"1.2.3.4/4294967304", NULL, ERR_MALFORMED},
		{"/8", NULL, ERR_MALFORMED},
	};
	char buf[IP_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_prefix p;

		assert_int_equal(ip_prefix_read(cases[i].text, &p), cases[i].err);
		if (cases[i].back)
			assert_string_equal(ip_prefix_format(&p, buf), cases[i].back);
	}
}

static void assert_has(const char *prefix, const char *inside, const char *outside)
{
	struct ip in = ip_of(inside), out = ip_of(outside);
	struct ip_prefix p;

	assert_int_equal(ip_prefix_read(prefix, &p), 0);
	assert_true(ip_prefix_has(&p, &in));
	assert_false(ip_prefix_has(&p, &out));
}

static void prefixes_know_what_they_hold(void **state)
{
	(void)state;
	assert_has("192.168.1.0/24", "192.168.1.255", "192.168.2.0");
	assert_has("0.0.0.0/0", "255.1.2.3", "::1");
	assert_has("::/0", "ffff::", "1.2.3.4");
	assert_has("10.0.0.128/25", "10.0.0.128", "10.0.0.127");
	assert_has("172.16.0.0/12", "172.31.255.255", "172.32.0.0");
	assert_has("1.2.3.4", "1.2.3.4", "1.2.3.5");
	assert_has("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::");
	assert_has("::1", "::1", "::2");
}

static void ranges(void **state)
{
	struct ip in = ip_of("192.168.1.100"), out = ip_of("192.168.1.200"), six = ip_of("::1");
	struct ip_range r;

	(void)state;
	assert_int_equal(ip_range_read("192.168.1.100-192.168.1.199", &r), 0);
	assert_true(ip_range_has(&r, &in));
	assert_false(ip_range_has(&r, &out));
	assert_false(ip_range_has(&r, &six));
	assert_int_equal(ip_range_read("192.168.1.200", &r), 0);
	assert_true(ip_range_has(&r, &out));
	assert_int_equal(ip_range_read("fd77::10-fd77::ffff", &r), 0);
	assert_int_equal(ip_range_read("10.0.0.2-10.0.0.1", &r), ERR_RANGE);
	assert_int_equal(ip_range_read("10.0.0.2-::1", &r), ERR_RANGE);
	assert_int_equal(ip_range_read("10.0.0.2-", &r), ERR_MALFORMED);
	assert_int_equal(ip_range_read("-10.0.0.2", &r), ERR_MALFORMED);
}

static void ports(void **state)
{
	static const struct {
		const char *text, *back;
		int err;
	} cases[] = {
		{"1.2.3.4", "1.2.3.4:53", 0},
		{"1.2.3.4:5353", "1.2.3.4:5353", 0},
		{"0.0.0.0:0", "0.0.0.0:0", 0},
		{"::1", "[::1]:53", 0},
		{"[::1]", "[::1]:53", 0},
		{"[::1]:65535", "[::1]:65535", 0},
		{"fe80::1%7", "[fe80::1%7]:53", 0},
		{"[fe80::1%7]:99", "[fe80::1%7]:99", 0},
		{"fe80::1%lo", "[fe80::1%1]:53", 0},
		{"fe80::1%no-such-if", NULL, ERR_ABSENT},
		{"fe80::1%", NULL, ERR_MALFORMED},
		{"fe80::1%a-name-that-is-too-long", NULL, ERR_MALFORMED},
		{"1.2.3.4%lo", NULL, ERR_MALFORMED},
		{"1.2.3.4:", NULL, ERR_MALFORMED},
		{"1.2.3.4:65536", NULL, ERR_RANGE},
		{"1.2.3.4:-1", NULL, ERR_MALFORMED},
		{"[1.2.3.4]:53", NULL, ERR_MALFORMED},
		{"[::1", NULL, ERR_MALFORMED},
		{"[::1]53", NULL, ERR_MALFORMED},
		{"[::1]:", NULL, ERR_MALFORMED},
		{"[::1]:53x", NULL, ERR_MALFORMED},
		{"[]:53", NULL, ERR_MALFORMED},
		{"", NULL, ERR_MALFORMED},
		{":53", NULL, ERR_MALFORMED},
		{"example.com:53", NULL, ERR_MALFORMED},
	};
	char buf[IP_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_port p = {.port = 1};

		assert_int_equal(ip_port_read(cases[i].text, 53, &p), cases[i].err);
		if (cases[i].back)
			assert_string_equal(ip_port_format(&p, buf), cases[i].back);
		else
			assert_int_equal(p.port, 1); /* left alone */
	}
}

static bool is_private(const char *text)
{
	struct ip ip = ip_of(text);

	return ip_is_private(&ip);
}

static void private_addresses(void **state)
{
	static const char *const yes[] = {"10.0.0.1", "172.16.0.0", "172.31.255.255", "192.168.0.1",
		"100.64.0.1", "100.127.255.255", "169.254.169.254", "127.0.0.1", "0.0.0.0",
		"0.1.2.3", "::", "::1", "fc00::1", "fdff::1", "fe80::1", "febf::1",
		"::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::192.168.1.1", "64:ff9b::7f00:1"};
	static const char *const no[] = {"9.255.255.255", "11.0.0.0", "172.15.255.255",
		"172.32.0.0", "192.167.1.1", "192.169.0.0", "100.63.255.255", "100.128.0.0",
		"169.253.0.1", "128.0.0.1", "1.0.0.0", "::2", "fbff::1", "fe00::1", "fec0::1",
		"2001:db8::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::a00:1"};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(is_private(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(is_private(no[i]));
	assert_false(ip_is_private(&(struct ip){0}));
}

static void loopback_addresses(void **state)
{
	struct ip ip = ip_of("127.255.0.1");

	(void)state;
	assert_true(ip_is_loopback(&ip));
	ip = ip_of("::1");
	assert_true(ip_is_loopback(&ip));
	ip = ip_of("::ffff:127.0.0.1");
	assert_true(ip_is_loopback(&ip));
	ip = ip_of("128.0.0.1");
	assert_false(ip_is_loopback(&ip));
	ip = ip_of("::");
	assert_false(ip_is_loopback(&ip));
	ip = ip_of("::ffff:8.8.8.8");
	assert_false(ip_is_loopback(&ip));
	assert_false(ip_is_loopback(&(struct ip){0}));
}

static void sockaddrs_go_there_and_back(void **state)
{
	static const char *const texts[] = {"1.2.3.4:53", "[2001:db8::1]:5353", "[fe80::1%3]:53"};
	struct sockaddr_storage sa;
	struct ip_port p, q;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ip_port_read(texts[i], 0, &p), 0);
		assert_int_equal(ip_port_to_sockaddr(&p, &sa),
			i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		q = ip_port_from_sockaddr(&sa);
		assert_true(ip_port_equal(&p, &q));
	}
	q.port++;
	assert_false(ip_port_equal(&p, &q));
	assert_int_equal(ip_port_to_sockaddr(&(struct ip_port){0}, &sa), 0);
	sa.ss_family = AF_UNIX;
	p = ip_port_from_sockaddr(&sa);
	assert_int_equal(p.ip.family, 0);
}

static void a_mapped_sockaddr_becomes_ipv4(void **state)
{
	struct ip_port p, q;
	struct sockaddr_storage sa;

	(void)state;
	assert_int_equal(ip_port_read("[::ffff:10.1.2.3]:67", 0, &p), 0);
	assert_int_equal(ip_port_to_sockaddr(&p, &sa), sizeof(struct sockaddr_in6));
	p = ip_port_from_sockaddr(&sa);
	assert_int_equal(ip_port_read("10.1.2.3:67", 0, &q), 0);
	assert_true(ip_port_equal(&p, &q));
}

static void hashes_differ_by_family_too(void **state)
{
	struct hash_key key = {1, 2};
	struct ip a = ip_of("1.2.3.4"), b = ip_of("1.2.3.5"), c = ip_of("102:304::"), same = a;

	(void)state;
	assert_true(ip_hash(&key, &a) == ip_hash(&key, &same));
	assert_true(ip_hash(&key, &a) != ip_hash(&key, &b));
	assert_true(ip_hash(&key, &a) != ip_hash(&key, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_go_there_and_back),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(host_order_numbers),
		cmocka_unit_test(order_is_family_then_bytes),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(prefixes_know_what_they_hold),
		cmocka_unit_test(ranges),
		cmocka_unit_test(ports),
		cmocka_unit_test(private_addresses),
		cmocka_unit_test(loopback_addresses),
		cmocka_unit_test(sockaddrs_go_there_and_back),
		cmocka_unit_test(a_mapped_sockaddr_becomes_ipv4),
		cmocka_unit_test(hashes_differ_by_family_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
