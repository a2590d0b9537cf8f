/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/daemon/config_case.h"

static void a_lan_needs_a_network(void **state)
{
	(void)state;
	case_says("lan: { br0: }\n", ":1:8: lan.br0 needs a subnet such as 192.168.1.0/24\n");
	case_says("lan: { br0: { pool: 10.0.0.1-10.0.0.9 } }\n",
		":1:8: lan.br0 needs a subnet such as 192.168.1.0/24\n"
		":1:21: lan.br0: a pool or router needs a subnet\n");
	/* A subnet that could not be read is not missing too. */
	case_says("lan: { br0: { subnet: x, pool: 10.0.0.1-10.0.0.9 } }\n",
		":1:23: lan.br0.subnet: expected a network such as 192.168.1.0/24, found \"x\"\n");
}

static void pools_stay_inside_and_apart(void **state)
{
	(void)state;
	case_says("lan:\n"
		  "  a:\n"
		  "    subnet: 10.0.0.0/24\n"
		  "    pool:\n"
		  "      - 10.0.0.0-10.0.0.9\n"
		  "      - 10.0.0.100-10.0.0.255\n"
		  "      - 10.0.0.90-10.0.0.100\n"
		  "      - 10.0.1.1-10.0.1.9\n",
		":5:9: lan.a.pool: its first address, 10.0.0.0, is the address of the subnet "
		"itself 10.0.0.0/24\n"
		":6:9: lan.a.pool: its last address, 10.0.0.255, is the broadcast address of the "
		"subnet 10.0.0.0/24\n"
		":7:9: lan.a.pool: 10.0.0.90-10.0.0.100 overlaps the pool of line 6\n"
		":8:9: lan.a.pool: its first address, 10.0.1.1, is outside the subnet 10.0.0.0/24\n"
		":8:9: lan.a.pool: its last address, 10.0.1.9, is outside the subnet "
		"10.0.0.0/24\n");
	config_free(case_good("lan: { a: { subnet: 10.0.0.0/31, pool: 10.0.0.0-10.0.0.1 } }\n"));
	config_free(case_good("lan: { a: { subnet: 0.0.0.0/0, pool: 10.0.0.0-10.0.0.1 } }\n"));
}

static void the_router_is_on_the_lan(void **state)
{
	(void)state;
	case_says("lan: { a: { subnet: 10.0.0.0/24, router: 10.0.1.1 } }\n",
		":1:42: lan.a.router: 10.0.1.1 is outside the subnet 10.0.0.0/24\n");
}

static void lease_times_are_in_order(void **state)
{
	struct config *c;

	(void)state;
	case_says("lan: { a: { subnet: 10.0.0.0/24, min-lease: 2h, max-lease: 1h } }\n",
		":1:60: lan.a: min-lease is above max-lease\n");
	case_says("lan: { a: { subnet: 10.0.0.0/24, lease: 1h, min-lease: 2h, max-lease: 3h } }\n",
		":1:41: lan.a: lease is below min-lease\n");
	case_says("lan: { a: { subnet: 10.0.0.0/24, lease: 1d, max-lease: 3h } }\n",
		":1:41: lan.a: lease is above max-lease\n");
	/* The default of 12 h gives way. */
	c = case_good("lan: { a: { subnet: 10.0.0.0/24, max-lease: 1h },\n"
		      "       b: { subnet: 10.0.1.0/24, lease: 1m } }\n");
	assert_int_equal(c->lan[0].lease_s, 3600);
	assert_int_equal(c->lan[1].min_lease_s, 60);
	assert_int_equal(c->lan[1].max_lease_s, 60);
	config_free(c);
}

static void lans_do_not_overlap(void **state)
{
	(void)state;
	case_says("lan:\n  a: { subnet: 10.0.0.0/16 }\n  b: { subnet: 10.0.1.0/24 }\n",
		":3:16: lan.b: 10.0.1.0/24 overlaps 10.0.0.0/16 of lan.a\n");
	case_says(
		"lan:\n  a: { subnet: 10.0.0.0/24 }\n  b: { subnet: 10.0.1.0/24, interface: a }\n",
		":3:40: lan.b is on a, as lan.a is; put both in one network\n");
	case_says(
		"network: { n: { lans: [ a, b ] } }\n"
		"lan:\n  a: { subnet: 10.0.0.0/24 }\n  b: { subnet: 10.0.1.0/24, interface: a }\n",
		"");
	config_free(case_good("lan:\n  a: { subnet: 10.0.0.0/24 }\n"
			      "  far: { subnet: 10.0.1.0/24, interface: a, relay: 10.0.0.2 }\n"));
}

static void networks_name_lans_that_are_there(void **state)
{
	(void)state;
	case_says("network: { n: { lans: [ a, b ] }, m: { lans: a }, o: {} }\n"
		  "lan: { a: { subnet: 10.0.0.0/24 } }\n",
		":1:28: network.n: there is no lan.b\n"
		":1:46: network.m: lan.a is in network.n already\n"
		":1:54: network.o needs \"lans\": Names of the lans that share the wire.\n");
}

static void a_device_is_known_by_something_and_once(void **state)
{
	(void)state;
	case_says("lan:\n"
		  "  a:\n"
		  "    subnet: 10.0.0.0/24\n"
		  "    router: 10.0.0.1\n"
		  "    device:\n"
		  "      one: { mac: 00:11:22:33:44:55, address: 10.0.0.5 }\n"
		  "      two: { mac: 00:11:22:33:44:55, address: 10.0.0.5 }\n"
		  "      three: { tags: x }\n"
		  "      four: { client-id: abc, address: 10.0.1.5 }\n"
		  "      five: { client-id: \"61:62:63\", address: 10.0.0.1 }\n"
		  "      switch: { address: 10.0.0.250 }\n",
		":7:19: device.two: its mac is that of device.one at line 6\n"
		":7:47: device.two: its address is that of device.one at line 6\n"
		":8:7: device.three: a mac, client-id or duid tells it from others; none is given\n"
		":9:40: lan.a.device.four: 10.0.1.5 is outside the subnet 10.0.0.0/24\n"
		":10:26: device.five: its client-id is that of device.four at line 9\n"
		":10:47: lan.a.device.five: 10.0.0.1 is the router's address\n");
}

static void a_device_may_move_between_lans_but_not_be_at_the_top_too(void **state)
{
	const char *two = "lan:\n"
			  "  a: { subnet: 10.0.0.0/24, device: { x: { mac: 0:1:2:3:4:5 } } }\n"
			  "  b: { subnet: 10.0.1.0/24, device: { x: { mac: 0:1:2:3:4:5 } } }\n";
	char *three = xasprintf("%sdevice: { y: { mac: 0:1:2:3:4:5 } }\n", two);

	(void)state;
	config_free(case_good(two));
	case_says(three, ":2:49: device.x: its mac is that of device.y at line 4\n"
			 ":3:49: device.x: its mac is that of device.y at line 4\n");
	xfree(three);
}

static void a_device_at_the_top_belongs_to_the_lan_of_its_address(void **state)
{
	(void)state;
	case_says("device: { x: { address: 10.9.0.1 }, y: { address: 10.0.0.255 } }\n"
		  "lan: { a: { subnet: 10.0.0.0/24 } }\n",
		":1:25: device.x: 10.9.0.1 is in no lan's subnet\n"
		":1:51: lan.a.device.y: 10.0.0.255 is the broadcast address of the subnet "
		"10.0.0.0/24\n");
	config_free(case_good("device: { x: { address: 10.9.0.1 } }\n"));
}

static void dns_values_fit_together(void **state)
{
	(void)state;
	case_says("dns: { min-ttl: 1h, max-ttl: 1m }\n", ":1:17: dns.min-ttl is above max-ttl\n");
	case_says("dns: { allow: [ 10.0.0.0/8, 0.0.0.0/0 ] }\n",
		":1:29: warning: dns.allow: the whole Internet may ask; attackers use such "
		"servers\n");
	case_says("dns: { ipv4: no, ipv6: no }\n", ":1:24: dns: ipv4 and ipv6 are both off\n");
	case_says("dns:\n  allow: 10.0.0.0/8\nlan: { a: { subnet: 192.168.1.0/24 } }\n",
		":2:3: warning: dns.allow leaves out 192.168.1.0/24, where lan.a tells clients to "
		"ask us\n");
}

static void a_zone_has_one_way(void **state)
{
	(void)state;
	case_says("domain: .\nlan: { a: { subnet: 10.0.0.0/24, domain: \".\" } }\n",
		":1:9: domain: the root cannot be ours\n"
		":2:42: lan.a.domain: the root cannot be ours\n");
	case_says("forward: { x.example: { to: 9.9.9.9 } }\nstub: { x.example: { to: 9.9.9.9 } }\n",
		":2:9: \"x.example\" is in forward at line 1 and in stub here; one of them\n");
	case_says("forward: { x.example: { to: [] } }\n",
		":1:29: forward.x.example needs \"to\": Resolvers to ask, as address or "
		"address:port.\n");
}

static void a_cname_stands_alone(void **state)
{
	(void)state;
	case_says("record: { a: { cname: b, a: 10.0.0.1 }, c: {} }\n",
		":1:23: record.a: a cname allows nothing else beside it\n"
		":1:41: warning: record.c says nothing\n");
}

static void boot_files_need_somebody_who_serves_them(void **state)
{
	(void)state;
	case_says("lan: { a: { subnet: 10.0.0.0/24, boot: { bios: x.0 } } }\n",
		":1:48: warning: lan.a.boot: nobody serves x.0; set root in the boot section at "
		"the "
		"top, or server here\n");
	config_free(case_good("lan: { a: { subnet: 10.0.0.0/24, boot: { bios: x.0, server: "
			      "10.0.0.9, http: \"http://x/y\" } } }\n"));
}

static void routes_without_a_default_warn_where_a_router_is(void **state)
{
	(void)state;
	case_says("lan: { a: { subnet: 10.0.0.0/24, router: 10.0.0.1,\n"
		  " option: { static-route: 10.1.0.0/16 via 10.0.0.2 } } }\n",
		":2:12: warning: lan.a: clients that take these routes ignore router; add "
		"\"default via ...\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lan_needs_a_network),
		cmocka_unit_test(pools_stay_inside_and_apart),
		cmocka_unit_test(the_router_is_on_the_lan),
		cmocka_unit_test(lease_times_are_in_order),
		cmocka_unit_test(lans_do_not_overlap),
		cmocka_unit_test(networks_name_lans_that_are_there),
		cmocka_unit_test(a_device_is_known_by_something_and_once),
		cmocka_unit_test(a_device_may_move_between_lans_but_not_be_at_the_top_too),
		cmocka_unit_test(a_device_at_the_top_belongs_to_the_lan_of_its_address),
		cmocka_unit_test(dns_values_fit_together),
		cmocka_unit_test(a_zone_has_one_way),
		cmocka_unit_test(a_cname_stands_alone),
		cmocka_unit_test(boot_files_need_somebody_who_serves_them),
		cmocka_unit_test(routes_without_a_default_warn_where_a_router_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
