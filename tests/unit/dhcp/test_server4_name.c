/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets which name: first holder, configuration, reserved ones, moves and returns. */
#include "dhcp/ddname.h"
#include "fake_lan.h"

static void the_first_holder_keeps_a_name(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr_a, addr_b;
	char given[64];

	a.name = "nas";
	b.name = "NAS";
	addr_a = fake_lease(f, &a);
	addr_b = fake_lease(f, &b);
	assert_int_equal(addr_a, fake_address_of(f, "nas"));
	snprintf(given, sizeof(given), "%s", fake_name_of(f, addr_b));
	assert_int_equal(0, strncmp(given, "nas-", 4));
	assert_int_equal(8, strlen(given));
	assert_int_equal(1, fake_counters(f).name_refused);
	/* The same after a restart, and when it renews. */
	fake_restart(f);
	assert_int_equal(addr_a, fake_address_of(f, "nas"));
	assert_string_equal(given, fake_name_of(f, addr_b));
	fake_renew(f, &b, addr_b);
	assert_string_equal(given, fake_name_of(f, addr_b));
}

static void a_name_is_free_again_when_its_holder_left(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr_a, addr_b;

	a.name = b.name = "nas";
	addr_a = fake_lease(f, &a);
	addr_b = fake_lease(f, &b);
	fake_release(f, &a, addr_a);
	fake_renew(f, &b, addr_b);
	assert_int_equal(addr_b, fake_address_of(f, "nas"));
	assert_int_equal(0, fake_address_of(f, "nas-0000"));
	assert_string_equal("nas", fake_name_of(f, addr_b));
}

static void two_requests_of_one_moment_cannot_both_get_it(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	struct server4_stage *sa, *sb;
	struct fake_pkt p;
	uint32_t addr_a, addr_b;

	a.name = b.name = "nas";
	fake_discover(f, &a);
	addr_a = fake_yiaddr(f);
	fake_discover(f, &b);
	addr_b = fake_yiaddr(f);
	p = fake_selecting(&a, addr_a);
	fake_offer_in(f, &a, &p, 0);
	sa = f->out.stage;
	p = fake_selecting(&b, addr_b);
	fake_offer_in(f, &b, &p, 0);
	sb = f->out.stage;
	fake_commit(f, sb);
	fake_commit(f, sa);
	assert_int_equal(addr_a, fake_address_of(f, "nas"));
	assert_int_equal(0, strncmp("nas-", fake_name_of(f, addr_b), 4));
}

static void a_claim_dies_with_its_commit(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr;

	a.name = b.name = "nas";
	fake_discover(f, &a);
	f->commit_err = ERR_IO;
	fake_select(f, &a, fake_yiaddr(f));
	f->commit_err = 0;
	addr = fake_lease(f, &b);
	assert_int_not_equal(0, addr);
	assert_int_equal(addr, fake_address_of(f, "nas"));
}

static void configuration_wins_over_clients(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client a = fake_client(1), b = fake_client(2);
	uint32_t addr;

	f->owned = "printer";
	a.name = "printer";
	addr = fake_lease(f, &a);
	assert_int_equal(0, strncmp("printer-", fake_name_of(f, addr), 8));
	/* Config takes over what a lease has now. */
	b.name = "scanner";
	addr = fake_lease(f, &b);
	f->owned = "scanner";
	server4_configure(f->s, &f->conf, f->now);
	assert_int_equal(0, fake_address_of(f, "scanner"));
	f->owned = NULL;
	server4_configure(f->s, &f->conf, f->now);
	assert_int_equal(addr, fake_address_of(f, "scanner"));
}

static void reserved_names_are_nobodys(void **state)
{
	struct fake_lan *f = *state;
	static const char *const names[] = {"wpad", "WPAD.lab.test", "isatap", "localhost", "local",
		"home", "arpa", "resolver", "gateway", "use-application-dns", "com", "*", "box"};
	static const char *const ours[] = {"box"};

	f->conf.reserved = ours;
	f->conf.n_reserved = 1;
	fake_start(f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fake_client c = fake_client((unsigned)i);
		uint32_t addr;

		c.name = names[i];
		addr = fake_lease(f, &c);
		assert_int_not_equal(0, addr); /* the lease is granted always */
		assert_string_equal("", fake_name_of(f, addr));
	}
}

static void a_client_may_change_its_name(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	c.name = "old";
	addr = fake_lease(f, &c);
	c.name = "new";
	fake_renew(f, &c, addr);
	assert_int_equal(0, fake_address_of(f, "old"));
	assert_int_equal(addr, fake_address_of(f, "new"));
	c.name = NULL; /* names none now: keeps it */
	c.xid++;
	fake_renew(f, &c, addr);
	assert_int_equal(addr, fake_address_of(f, "new"));
}

static void the_name_goes_with_the_lease(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t addr;

	c.name = "alpha";
	addr = fake_lease(f, &c);
	fake_pass(f, 3599000);
	assert_int_equal(addr, fake_address_of(f, "alpha"));
	fake_pass(f, 2500);
	assert_int_equal(0, fake_address_of(f, "alpha"));
	assert_int_equal(LEASE_EXPIRED, fake_state(f, addr));
	assert_int_equal(1, fake_counters(f).expired);
}

static void the_name_moves_when_the_address_does(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	uint32_t a, b;

	c.name = "alpha";
	a = fake_lease(f, &c);
	b = a == FAKE_POOL_HI ? a - 1 : a + 1;
	f->pool.first = b; /* its address is no longer in a pool */
	f->pool.last = FAKE_POOL_HI;
	server4_configure(f->s, &f->conf, f->now);
	fake_renew(f, &c, a);
	assert_int_equal(DHCP_NAK, fake_type(f));
	b = fake_lease(f, &c);
	assert_int_not_equal(a, b);
	assert_int_equal(b, fake_address_of(f, "alpha"));
	assert_int_equal(LEASE_RELEASED, fake_state(f, a)); /* given up in the same commit */
	assert_int_equal(LEASE_RELEASED, fake_stored(f, a)->state);
}

static void the_reply_tells_the_granted_name(void **state)
{
	struct fake_lan *f = *state;
	static const uint8_t prl[] = {1, 3, 12, 15, 119};
	struct fake_client a = fake_client(1), b = fake_client(2);

	a.name = "Nas";
	b.name = "nas";
	a.prl = b.prl = prl;
	a.n_prl = b.n_prl = sizeof(prl);
	fake_lease(f, &a);
	assert_string_equal("nas", fake_text(f, DHCP_OPT_HOSTNAME));
	assert_memory_equal("\3lab\4test", fake_text(f, DHCP_OPT_SEARCH), 10);
	fake_lease(f, &b);
	assert_int_equal(0, strncmp("nas-", fake_text(f, DHCP_OPT_HOSTNAME), 4));
}

static void the_fqdn_option_is_answered(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	static const uint8_t wire[] = {
		5, 0, 0, 4, 'h', 'o', 's', 't', 3, 'l', 'a', 'b', 4, 't', 'e', 's', 't', 0};
	static const uint8_t text[] = "\x00\x00\x00host.elsewhere.org";
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	const char *got;

	fake_opt(&p, DHCP_OPT_FQDN, wire, sizeof(wire));
	fake_send(f, &c, &p);
	got = fake_text(f, DHCP_OPT_FQDN);
	assert_int_equal(5, got[0]); /* S and E, no O: as it asked */
	assert_memory_equal(wire + 3, got + 3, sizeof(wire) - 3);
	p = fake_begin(&c, DHCP_DISCOVER);
	fake_opt(&p, DHCP_OPT_FQDN, text, sizeof(text) - 1);
	fake_send(f, &c, &p);
	got = fake_text(f, DHCP_OPT_FQDN);
	assert_int_equal(3, got[0]); /* S, and O because it did not want us to */
	assert_string_equal("host.lab.test", got + 3);
}

static void a_lease_of_a_lan_with_another_domain_lives_there(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);
	struct leasename_hit hit;

	f->lans[0].domain = "iot.test";
	f->lans[0].domain_index = 3;
	fake_start(f);
	c.name = "lamp";
	assert_int_not_equal(0, fake_lease(f, &c));
	assert_int_equal(0, fake_address_of(f, "lamp"));
	rcu_enter();
	assert_true(leasename_find(f->names, 3, (const uint8_t *)"lamp", 4, &hit));
	rcu_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(the_first_holder_keeps_a_name),
		FAKE_TEST(a_name_is_free_again_when_its_holder_left),
		FAKE_TEST(two_requests_of_one_moment_cannot_both_get_it),
		FAKE_TEST(a_claim_dies_with_its_commit),
		FAKE_TEST(configuration_wins_over_clients),
		FAKE_TEST_CONF(reserved_names_are_nobodys),
		FAKE_TEST(a_client_may_change_its_name),
		FAKE_TEST(the_name_goes_with_the_lease),
		FAKE_TEST(the_name_moves_when_the_address_does),
		FAKE_TEST(the_reply_tells_the_granted_name),
		FAKE_TEST(the_fqdn_option_is_answered),
		FAKE_TEST_CONF(a_lease_of_a_lan_with_another_domain_lives_there),
	};

	return FAKE_RUN(tests);
}
