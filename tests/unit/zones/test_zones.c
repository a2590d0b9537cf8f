/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rcu.h"
#include "base/xalloc.h"
#include "dns/rrtext.h"
#include "dns/rrtype.h"
#include "zones/leasename.h"

#define NOW 1000000

/* A house: home.arpa with a few hosts, two lans, some leases. */
struct house {
	struct leasename *leases;
	struct zones_builder *b;
	struct zones *z;
	char bad[1000];
	/* the last answer */
	_Alignas(16) uint8_t mem[ZONES_BLOCK_LEN];
	struct zones_answer a;
	char text[4000];
};

static struct ip addr(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_read(text, &ip), 0);
	return ip;
}

static struct zones_conf house_conf(struct house *h)
{
	static const struct ip_prefix lans[] = {
		{{AF_INET, {192, 168, 1, 0}}, 24},
		{{AF_INET, {172, 16, 4, 0}}, 22},
		{{AF_INET, {198, 18, 0, 128}}, 25},
		{{AF_INET6, {0xfd, 0x77}}, 64},
		{{AF_INET6, {0x20, 1, 0xd, 0xb9}}, 62},
	};
	static const char *const domains[] = {"guest.home.arpa", "home.arpa"};

	return (struct zones_conf){.domain = "home.arpa",
		.special_zones = true,
		.leases = h->leases,
		.lan_prefixes = lans,
		.n_lan_prefixes = 5,
		.lan_domains = domains,
		.n_lan_domains = 2,
		.server_name = "gw",
		.local_ttl_s = 120};
}

static void on_bad(void *arg, unsigned line, const char *why)
{
	struct house *h = arg;
	size_t at = strlen(h->bad);

	snprintf(h->bad + at, sizeof(h->bad) - at, "%u: %s\n", line, why);
}

static void hosts(struct house *h, const char *text)
{
	assert_int_equal(zones_builder_hosts(h->b, "hosts", text, strlen(text), on_bad, h), 0);
}

static int record(struct house *h, const char *name, uint16_t type, const char *text)
{
	uint8_t rdata[512];
	size_t len;

	assert_int_equal(rrtext_read_rdata(type, text, NULL, rdata, sizeof(rdata), &len), 0);
	return zones_builder_record(h->b, name, type, 0, rdata, len);
}

static int address(struct house *h, const char *name, const char *ip)
{
	struct ip a = addr(ip);

	return zones_builder_address(h->b, name, &a, 0, true, "record");
}

static void lease(struct house *h, const char *label, const char *ip, int64_t expires)
{
	struct ip a = addr(ip);

	assert_int_equal(leasename_put(h->leases, 0, label, &a, 1, expires), 0);
}

static struct house *house_new(void)
{
	struct house *h = calloc(1, sizeof(*h));
	struct zones_conf conf;

	h->leases = leasename_new();
	conf = house_conf(h);
	h->b = zones_builder_new(&conf);
	assert_non_null(h->b);
	return h;
}

static void house_free(struct house *h)
{
	zones_free(h->z);
	leasename_free(h->leases);
	free(h);
}

static void add_set(char *text, size_t cap, const char *prefix, const struct rrset *rr)
{
	char *lines = rrtext_format_rrset(rr, false), *rest = NULL;

	for (char *l = strtok_r(lines, "\n", &rest); l; l = strtok_r(NULL, "\n", &rest))
		snprintf(text + strlen(text), cap - strlen(text), "%s%s\n", prefix, l);
	xfree(lines);
}

/* The answer as text: "RCODE source", then records; authority ones begin with "! " */
static const char *ask_as(struct house *h, const char *client, const char *name, const char *type)
{
	static const char *const verdicts[] = {"RESOLVE", "", "CNAME to ", "DROP", "REFUSE"};
	struct question q = {.class = DNS_CLASS_IN};
	struct ip ip = addr(client);
	enum zones_verdict v;
	char buf[16], target[DNAME_TEXT_MAX] = "";
	size_t len;

	if (h->b) {
		h->z = zones_builder_finish(h->b);
		h->b = NULL;
	}
	assert_int_equal(dname_read(name, q.name, &len), 0);
	q.name_len = (uint8_t)len;
	assert_int_equal(rrtype_read(type, &q.type), 0);
	memset(h->mem, 0xee, sizeof(h->mem));
	rcu_enter();
	v = zones_decide(h->z, &q, &ip, NOW, h->mem, sizeof(h->mem), NULL, &h->a);
	rcu_leave();
	if (v == ZONES_CNAME)
		dname_format(h->a.target, target);
	snprintf(h->text, sizeof(h->text), "%s%s%s%s%s\n", verdicts[v], target,
		v == ZONES_ANSWER ? rcode_name(h->a.rcode, buf) : "",
		v == ZONES_ANSWER && h->a.source ? " " : "",
		v == ZONES_ANSWER && h->a.source ? h->a.source : "");
	for (unsigned i = 0; v != ZONES_RESOLVE && i < h->a.n_answer; i++)
		add_set(h->text, sizeof(h->text), "", h->a.answer[i]);
	for (unsigned i = 0; v == ZONES_ANSWER && i < h->a.n_authority; i++)
		add_set(h->text, sizeof(h->text), "! ", h->a.authority[i]);
	return h->text;
}

static const char *ask(struct house *h, const char *name, const char *type)
{
	return ask_as(h, "192.168.1.50", name, type);
}

#define SOA(zone, ttl)                                                                             \
	"! " zone " " ttl " IN SOA gw.home.arpa. hostmaster.home.arpa. 1 3600 1200 604800 " ttl "\n"
#define HOME_SOA SOA("home.arpa.", "5")

static void records_answer_and_other_types_are_nodata(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_int_equal(address(h, "nas", "192.168.1.10"), 0);
	assert_string_equal(ask(h, "nas.home.arpa", "A"),
		"NOERROR record\nnas.home.arpa. 120 IN A 192.168.1.10\n");
	assert_string_equal(ask(h, "nas.home.arpa", "AAAA"), "NOERROR record\n" HOME_SOA);
	assert_string_equal(ask(h, "nas.home.arpa", "HTTPS"), "NOERROR record\n" HOME_SOA);
	assert_string_equal(ask(h, "nas.home.arpa", "ANY"),
		"NOERROR record\nnas.home.arpa. 120 IN A 192.168.1.10\n");
	assert_string_equal(ask(h, "10.1.168.192.in-addr.arpa", "PTR"),
		"NOERROR record\n10.1.168.192.in-addr.arpa. 120 IN PTR nas.home.arpa.\n");
	assert_string_equal(ask(h, "10.1.168.192.in-addr.arpa", "A"),
		"NOERROR record\n" SOA("1.168.192.in-addr.arpa.", "5"));
	assert_true(h->a.is_aa);
	house_free(h);
}

static void case_does_not_matter_and_the_question_names_the_owner(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_int_equal(address(h, "NAS", "192.168.1.10"), 0);
	assert_non_null(strstr(ask(h, "nAs.HOME.arpa", "A"), " IN A 192.168.1.10\n"));
	assert_true(h->a.n_answer == 1);
	/* equal but for case to the question: compression gives its case back */
	assert_memory_equal(rrset_owner(h->a.answer[0]) + 4, "\4home\4arpa", 11);
	house_free(h);
}

static void unknown_names_of_our_zone_do_not_exist(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_string_equal(ask(h, "nobody.home.arpa", "A"), "NXDOMAIN zone\n" HOME_SOA);
	assert_string_equal(ask(h, "a.b.c.home.arpa", "TXT"), "NXDOMAIN zone\n" HOME_SOA);
	assert_string_equal(
		ask(h, "x.guest.home.arpa", "A"), "NXDOMAIN zone\n" SOA("guest.home.arpa.", "5"));
	house_free(h);
}

static void the_top_of_our_zone_has_soa_and_ns(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_string_equal(
		ask(h, "home.arpa", "NS"), "NOERROR zone\nhome.arpa. 300 IN NS gw.home.arpa.\n");
	assert_string_equal(ask(h, "Home.Arpa", "SOA"),
		"NOERROR zone\nhome.arpa. 5 IN SOA gw.home.arpa. hostmaster.home.arpa. 1 3600 1200 "
		"604800 5\n");
	assert_string_equal(ask(h, "home.arpa", "A"), "NOERROR zone\n" HOME_SOA);
	/* the parent's side of the cut: a validator behind us needs it */
	assert_string_equal(ask(h, "home.arpa", "DS"), "RESOLVE\n");
	assert_string_equal(ask(h, "gw.home.arpa", "A"), "NOERROR zone\n" HOME_SOA);
	assert_string_equal(ask(h, "1.168.192.in-addr.arpa", "NS"),
		"NOERROR zone\n1.168.192.in-addr.arpa. 300 IN NS gw.home.arpa.\n");
	house_free(h);
}

static void wildcards_follow_rfc_4592(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_int_equal(address(h, "*.apps.home.arpa", "192.168.1.10"), 0);
	assert_int_equal(address(h, "git.apps.home.arpa", "192.168.1.11"), 0);
	assert_int_equal(address(h, "*.short", "192.168.1.12"), 0);
	assert_int_equal(record(h, "deep.er.apps.home.arpa", DNS_TYPE_TXT, "\"x\""), 0);
	assert_string_equal(ask(h, "wiki.apps.home.arpa", "A"),
		"NOERROR record\nwiki.apps.home.arpa. 120 IN A 192.168.1.10\n");
	assert_string_equal(ask(h, "a.b.apps.home.arpa", "A"),
		"NOERROR record\na.b.apps.home.arpa. 120 IN A 192.168.1.10\n");
	assert_string_equal(ask(h, "wiki.apps.home.arpa", "AAAA"), "NOERROR record\n" HOME_SOA);
	/* a name that exists is not covered, nor is what is below it */
	assert_string_equal(ask(h, "git.apps.home.arpa", "A"),
		"NOERROR record\ngit.apps.home.arpa. 120 IN A 192.168.1.11\n");
	assert_string_equal(ask(h, "x.short.home.arpa", "A"),
		"NOERROR record\nx.short.home.arpa. 120 IN A 192.168.1.12\n");
	assert_string_equal(ask(h, "x.git.apps.home.arpa", "A"), "NXDOMAIN zone\n" HOME_SOA);
	/* an empty non-terminal exists */
	assert_string_equal(ask(h, "er.apps.home.arpa", "A"), "NOERROR zone\n" HOME_SOA);
	assert_string_equal(ask(h, "x.er.apps.home.arpa", "A"), "NXDOMAIN zone\n" HOME_SOA);
	assert_string_equal(ask(h, "apps.home.arpa", "A"), "NOERROR zone\n" HOME_SOA);
	assert_string_equal(ask(h, "*.apps.home.arpa", "A"),
		"NOERROR record\n*.apps.home.arpa. 120 IN A 192.168.1.10\n");
	/* a wildcard's address has no PTR */
	assert_string_equal(ask(h, "11.1.168.192.in-addr.arpa", "PTR"),
		"NOERROR record\n11.1.168.192.in-addr.arpa. 120 IN PTR git.apps.home.arpa.\n");
	assert_non_null(strstr(ask(h, "10.1.168.192.in-addr.arpa", "PTR"), "NXDOMAIN"));
	house_free(h);
}

static void a_wildcard_does_not_cover_leases(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_int_equal(address(h, "*", "192.168.1.10"), 0);
	lease(h, "laptop", "192.168.1.100", NOW + 3600);
	assert_string_equal(ask(h, "laptop.home.arpa", "A"),
		"NOERROR lease\nlaptop.home.arpa. 60 IN A 192.168.1.100\n");
	assert_string_equal(ask(h, "laptop.home.arpa", "AAAA"), "NOERROR lease\n" HOME_SOA);
	assert_string_equal(ask(h, "x.laptop.home.arpa", "A"), "NXDOMAIN zone\n" HOME_SOA);
	assert_string_equal(ask(h, "other.home.arpa", "A"),
		"NOERROR record\nother.home.arpa. 120 IN A 192.168.1.10\n");
	house_free(h);
}

static void cnames_are_followed_within_our_data(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_int_equal(record(h, "www", DNS_TYPE_CNAME, "srv.home.arpa."), 0);
	assert_int_equal(record(h, "srv", DNS_TYPE_CNAME, "laptop.home.arpa."), 0);
	assert_int_equal(record(h, "gone", DNS_TYPE_CNAME, "nobody.home.arpa."), 0);
	assert_int_equal(record(h, "ext", DNS_TYPE_CNAME, "www.example.com."), 0);
	assert_int_equal(record(h, "*.any", DNS_TYPE_CNAME, "ext.home.arpa."), 0);
	assert_int_equal(record(h, "loop", DNS_TYPE_CNAME, "loop2.home.arpa."), 0);
	assert_int_equal(record(h, "loop2", DNS_TYPE_CNAME, "loop.home.arpa."), 0);
	lease(h, "laptop", "192.168.1.100", NOW + 30);
	assert_string_equal(ask(h, "www.home.arpa", "A"),
		"NOERROR lease\n"
		"www.home.arpa. 120 IN CNAME srv.home.arpa.\n"
		"srv.home.arpa. 120 IN CNAME laptop.home.arpa.\n"
		"laptop.home.arpa. 10 IN A 192.168.1.100\n");
	assert_string_equal(ask(h, "www.home.arpa", "CNAME"),
		"NOERROR record\nwww.home.arpa. 120 IN CNAME srv.home.arpa.\n");
	assert_string_equal(ask(h, "www.home.arpa", "ANY"),
		"NOERROR record\nwww.home.arpa. 120 IN CNAME srv.home.arpa.\n");
	assert_string_equal(ask(h, "gone.home.arpa", "A"),
		"NXDOMAIN zone\ngone.home.arpa. 120 IN CNAME nobody.home.arpa.\n" HOME_SOA);
	assert_string_equal(ask(h, "ext.home.arpa", "A"),
		"CNAME to www.example.com.\next.home.arpa. 120 IN CNAME www.example.com.\n");
	assert_string_equal(ask(h, "q.any.home.arpa", "AAAA"),
		"CNAME to www.example.com.\n"
		"q.any.home.arpa. 120 IN CNAME ext.home.arpa.\n"
		"ext.home.arpa. 120 IN CNAME www.example.com.\n");
	assert_string_equal(ask(h, "loop.home.arpa", "A"), "SERVFAIL record\n");
	house_free(h);
}

static void a_cname_stands_alone(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_int_equal(record(h, "a", DNS_TYPE_CNAME, "b.home.arpa."), 0);
	assert_int_equal(address(h, "a", "192.168.1.1"), ERR_EXISTS);
	assert_int_equal(record(h, "a", DNS_TYPE_CNAME, "b.home.arpa."), 0);
	assert_int_equal(record(h, "a", DNS_TYPE_CNAME, "c.home.arpa."), ERR_EXISTS);
	assert_int_equal(address(h, "b", "192.168.1.1"), 0);
	assert_int_equal(record(h, "b", DNS_TYPE_CNAME, "c.home.arpa."), ERR_EXISTS);
	hosts(h, "192.168.1.9 a\n");
	assert_string_equal(ask(h, "a.home.arpa", "CNAME"),
		"NOERROR record\na.home.arpa. 120 IN CNAME b.home.arpa.\n");
	house_free(h);
}

static void config_wins_over_hosts_whatever_comes_first(void **state)
{
	struct house *h = house_new();

	(void)state;
	hosts(h, "192.168.1.20 nas printer\nfd77::20 nas\n192.168.1.30 cam\n");
	assert_int_equal(address(h, "nas", "192.168.1.10"), 0);
	assert_int_equal(address(h, "other", "192.168.1.30"), 0);
	hosts(h, "192.168.1.21 nas\n192.168.1.20 second\n");
	assert_string_equal(ask(h, "nas.home.arpa", "A"),
		"NOERROR record\nnas.home.arpa. 120 IN A 192.168.1.10\n");
	assert_string_equal(ask(h, "nas.home.arpa", "AAAA"),
		"NOERROR hosts\nnas.home.arpa. 120 IN AAAA fd77::20\n");
	assert_string_equal(ask(h, "printer.home.arpa", "A"),
		"NOERROR hosts\nprinter.home.arpa. 120 IN A 192.168.1.20\n");
	/* the first name of the first line is the address's name; a record's wins */
	assert_string_equal(ask(h, "20.1.168.192.in-addr.arpa", "PTR"),
		"NOERROR hosts\n20.1.168.192.in-addr.arpa. 120 IN PTR nas.home.arpa.\n");
	assert_string_equal(ask(h, "30.1.168.192.in-addr.arpa", "PTR"),
		"NOERROR record\n30.1.168.192.in-addr.arpa. 120 IN PTR other.home.arpa.\n");
	house_free(h);
}

static void an_explicit_ptr_wins_over_derived_ones(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_int_equal(address(h, "nas", "192.168.1.10"), 0);
	assert_int_equal(record(h, "10.1.168.192.in-addr.arpa", DNS_TYPE_PTR, "real.example."), 0);
	assert_int_equal(address(h, "alias", "192.168.1.10"), 0);
	assert_string_equal(ask(h, "10.1.168.192.in-addr.arpa", "PTR"),
		"NOERROR record\n10.1.168.192.in-addr.arpa. 120 IN PTR real.example.\n");
	house_free(h);
}

static void hosts_names_resolve_bare_and_in_full(void **state)
{
	struct house *h = house_new();

	(void)state;
	hosts(h, "192.168.1.20 nas files.home.arpa\n192.0.2.7 www.example.com\n");
	assert_string_equal(ask(h, "nas", "A"), "NOERROR hosts\nnas. 120 IN A 192.168.1.20\n");
	assert_string_equal(ask(h, "FILES", "A"), "NOERROR hosts\nFILES. 120 IN A 192.168.1.20\n");
	assert_string_equal(ask(h, "nas", "AAAA"), "NOERROR hosts\n" SOA("nas.", "5"));
	assert_string_equal(ask(h, "www.example.com", "A"),
		"NOERROR hosts\nwww.example.com. 120 IN A 192.0.2.7\n");
	/* ours is that one name, and all of its types; what is beside and below it is not */
	assert_string_equal(
		ask(h, "www.example.com", "HTTPS"), "NOERROR hosts\n" SOA("www.example.com.", "5"));
	assert_string_equal(ask(h, "example.com", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "a.www.example.com", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "ftp.example.com", "A"), "RESOLVE\n");
	house_free(h);
}

static void loopback_lines_are_for_ourselves_only(void **state)
{
	struct house *h = house_new();

	(void)state;
	hosts(h, "127.0.0.1 localhost\n127.0.1.1 box.home.arpa box\n192.168.1.5 two\n"
		 "127.0.0.2 two\n::1 ip6-localhost\n");
	assert_string_equal(ask(h, "box.home.arpa", "A"), "NXDOMAIN zone\n" HOME_SOA);
	assert_non_null(strstr(ask(h, "box", "A"), "NXDOMAIN"));
	assert_string_equal(
		ask_as(h, "127.0.0.1", "box", "A"), "NOERROR hosts\nbox. 120 IN A 127.0.1.1\n");
	assert_string_equal(ask_as(h, "::1", "box.home.arpa", "A"),
		"NOERROR hosts\nbox.home.arpa. 120 IN A 127.0.1.1\n");
	assert_string_equal(
		ask_as(h, "127.0.0.1", "box.home.arpa", "AAAA"), "NOERROR hosts\n" HOME_SOA);
	assert_string_equal(ask(h, "two.home.arpa", "A"),
		"NOERROR hosts\ntwo.home.arpa. 120 IN A 192.168.1.5\n");
	assert_string_equal(ask_as(h, "127.0.0.1", "1.1.0.127.in-addr.arpa", "PTR"),
		"NOERROR hosts\n1.1.0.127.in-addr.arpa. 120 IN PTR box.home.arpa.\n");
	assert_non_null(strstr(ask(h, "1.1.0.127.in-addr.arpa", "PTR"), "NXDOMAIN"));
	house_free(h);
}

static void lists_of_unwanted_names_answer_as_given(void **state)
{
	struct house *h = house_new();

	(void)state;
	hosts(h, "0.0.0.0 ad.example\n:: ad6.example\n");
	assert_string_equal(
		ask(h, "ad.example", "A"), "NOERROR hosts\nad.example. 120 IN A 0.0.0.0\n");
	assert_string_equal(
		ask(h, "ad6.example", "AAAA"), "NOERROR hosts\nad6.example. 120 IN AAAA ::\n");
	assert_non_null(strstr(ask(h, "0.0.0.0.in-addr.arpa", "PTR"), "NXDOMAIN"));
	house_free(h);
}

static void junk_in_hosts_is_reported_and_skipped(void **state)
{
	struct house *h = house_new();

	(void)state;
	hosts(h, "# comment\n"
		 "192.168.1.1\n"
		 "not-an-address name\n"
		 "192.168.1.2 good bad,name good2 # trailing\n"
		 "192.168.1.3 a..b .x toolong"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa fine\r\n"
		 "fe80::1%lo0 localhost\n"
		 "192.168.1.4 *.wild\n"
		 "\t 192.168.1.5\tlast");
	assert_string_equal(h->bad, "2: no name follows the address\n"
				    "3: it does not begin with an address\n"
				    "4: a name holds a character that no host name has\n"
				    "5: a name is too long or has an empty part\n"
				    "5: a name is too long or has an empty part\n"
				    "5: a name is too long or has an empty part\n"
				    "6: it does not begin with an address\n"
				    "7: a name holds a character that no host name has\n");
	assert_non_null(strstr(ask(h, "good", "A"), "192.168.1.2"));
	assert_non_null(strstr(ask(h, "good2", "A"), "192.168.1.2"));
	assert_non_null(strstr(ask(h, "fine", "A"), "192.168.1.3"));
	assert_non_null(strstr(ask(h, "last", "A"), "192.168.1.5"));
	/* the first name that is one is the address's */
	assert_non_null(strstr(ask(h, "3.1.168.192.in-addr.arpa", "PTR"), "PTR fine.home.arpa."));
	assert_int_equal(zones_count(h->z), 4 + 3 + 7); /* names, PTRs, special ones */
	house_free(h);
}

static void leases_resolve_both_ways_and_bare(void **state)
{
	struct house *h = house_new();

	(void)state;
	lease(h, "Laptop", "192.168.1.100", NOW + 7200);
	lease(h, "laptop", "fd77::100", NOW + 7200);
	assert_string_equal(ask(h, "LAPTOP.home.arpa", "A"),
		"NOERROR lease\nLAPTOP.home.arpa. 60 IN A 192.168.1.100\n");
	assert_string_equal(ask(h, "laptop.home.arpa", "AAAA"),
		"NOERROR lease\nlaptop.home.arpa. 60 IN AAAA fd77::100\n");
	assert_string_equal(ask(h, "laptop.home.arpa", "HTTPS"), "NOERROR lease\n" HOME_SOA);
	assert_string_equal(ask(h, "laptop.home.arpa", "ANY"),
		"NOERROR lease\nlaptop.home.arpa. 60 IN A 192.168.1.100\n");
	assert_string_equal(
		ask(h, "laptop", "A"), "NOERROR lease\nlaptop. 60 IN A 192.168.1.100\n");
	assert_string_equal(ask(h, "laptop", "MX"), "NOERROR lease\n" SOA("laptop.", "5"));
	assert_string_equal(ask(h, "100.1.168.192.in-addr.arpa", "PTR"),
		"NOERROR lease\n100.1.168.192.in-addr.arpa. 60 IN PTR laptop.home.arpa.\n");
	assert_string_equal(ask(h, "100.1.168.192.in-addr.arpa", "A"),
		"NOERROR lease\n" SOA("1.168.192.in-addr.arpa.", "5"));
	assert_non_null(
		strstr(ask(h,
			       "0.0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.7."
			       "d.f.ip6.arpa",
			       "PTR"),
			"PTR laptop.home.arpa."));
	house_free(h);
}

static void an_expired_lease_does_not_resolve_however_late_its_end_comes(void **state)
{
	struct house *h = house_new();

	(void)state;
	lease(h, "old", "192.168.1.100", NOW);
	lease(h, "short", "192.168.1.101", NOW + 1);
	assert_string_equal(ask(h, "old.home.arpa", "A"), "NXDOMAIN zone\n" HOME_SOA);
	assert_non_null(strstr(ask(h, "old", "A"), "NXDOMAIN"));
	assert_non_null(strstr(ask(h, "100.1.168.192.in-addr.arpa", "PTR"), "NXDOMAIN"));
	assert_string_equal(ask(h, "short.home.arpa", "A"),
		"NOERROR lease\nshort.home.arpa. 1 IN A 192.168.1.101\n");
	house_free(h);
}

static void static_data_wins_over_a_lease_of_the_same_name(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_int_equal(address(h, "nas", "192.168.1.10"), 0);
	assert_int_equal(address(h, "tv", "192.168.1.11"), 0);
	lease(h, "nas", "fd77::666", NOW + 3600); /* a stranger's */
	assert_string_equal(ask(h, "nas.home.arpa", "A"),
		"NOERROR record\nnas.home.arpa. 120 IN A 192.168.1.10\n");
	assert_string_equal(ask(h, "nas.home.arpa", "AAAA"), "NOERROR record\n" HOME_SOA);
	/* the device itself may add its other family */
	lease(h, "tv", "192.168.1.11", NOW + 3600);
	lease(h, "tv", "fd77::11", NOW + 3600);
	assert_string_equal(ask(h, "tv.home.arpa", "AAAA"),
		"NOERROR lease\ntv.home.arpa. 60 IN AAAA fd77::11\n");
	house_free(h);
}

static void leases_of_a_lans_own_domain(void **state)
{
	struct house *h = house_new();
	struct ip ip = addr("192.168.1.150");

	(void)state;
	assert_int_equal(leasename_put(h->leases, 1, "phone", &ip, 1, NOW + 3600), 0);
	ip = addr("192.168.1.151");
	assert_int_equal(leasename_put(h->leases, 2, "pad", &ip, 2, NOW + 3600), 0);
	assert_non_null(strstr(ask(h, "phone.guest.home.arpa", "A"), "A 192.168.1.150"));
	assert_non_null(strstr(ask(h, "phone.home.arpa", "A"), "NXDOMAIN"));
	assert_non_null(strstr(ask(h, "phone", "A"), "A 192.168.1.150"));
	assert_non_null(
		strstr(ask(h, "150.1.168.192.in-addr.arpa", "PTR"), "PTR phone.guest.home.arpa."));
	/* a lan whose domain is the global one */
	assert_non_null(strstr(ask(h, "pad.home.arpa", "A"), "A 192.168.1.151"));
	house_free(h);
}

static void reverse_zones_cover_each_lan_and_no_more(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_string_equal(ask(h, "9.7.16.172.in-addr.arpa", "PTR"),
		"NXDOMAIN zone\n" SOA("7.16.172.in-addr.arpa.", "5"));
	assert_string_equal(ask(h, "9.8.16.172.in-addr.arpa", "PTR"),
		"NXDOMAIN special\n" SOA("16.172.in-addr.arpa.", "300"));
	assert_string_equal(ask(h, "200.0.18.198.in-addr.arpa", "PTR"),
		"NOERROR zone\n" SOA("200.0.18.198.in-addr.arpa.", "5"));
	assert_string_equal(ask(h, "127.0.18.198.in-addr.arpa", "PTR"), "RESOLVE\n");
	assert_string_equal(ask(h, "0.18.198.in-addr.arpa", "PTR"), "RESOLVE\n");
	assert_string_equal(ask(h, "1.1.3.0.0.0.0.0.0.0.9.b.d.0.1.0.0.2.ip6.arpa", "PTR"),
		"NXDOMAIN zone\n" SOA("3.0.0.0.0.0.0.0.9.b.d.0.1.0.0.2.ip6.arpa.", "5"));
	house_free(h);
}

/* E6: none of these leaves the house. */
static void special_names_stay_here(void **state)
{
	static const char *const gone[] = {"x.local", "local", "x.onion", "onion", "test",
		"a.b.test", "invalid", "foo.invalid", "alt", "x.alt", "use-application-dns.net",
		"www.use-application-dns.net", "4.3.2.10.in-addr.arpa", "1.1.31.172.in-addr.arpa",
		"1.0.254.169.in-addr.arpa", "1.2.168.192.in-addr.arpa", "1.0.64.100.in-addr.arpa",
		"1.0.127.100.in-addr.arpa", "1.2.0.192.in-addr.arpa", "1.0.0.0.d.f.ip6.arpa",
		"1.8.e.f.ip6.arpa", "1.b.e.f.ip6.arpa", "1.8.b.d.0.1.0.0.2.ip6.arpa",
		"x.resolver.arpa", "x.ipv4only.arpa"};
	static const char *const out[] = {"1.0.128.100.in-addr.arpa", "1.0.63.100.in-addr.arpa",
		"1.1.32.172.in-addr.arpa", "1.1.1.1.in-addr.arpa", "arpa", "example", "net",
		"www.example.com", "1.c.e.f.ip6.arpa", "xlocal.com", "8.e.f.ip6.arpb"};
	struct house *h = house_new();

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		const char *text = ask(h, gone[i], "PTR");

		if (strncmp(text, "NXDOMAIN special\n! ", 19) != 0)
			print_error("%s: %s", gone[i], text);
		assert_memory_equal(text, "NXDOMAIN special\n! ", 19);
	}
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		assert_string_equal(ask(h, out[i], "TXT"), "RESOLVE\n");
	assert_string_equal(ask(h, "_dns.resolver.arpa", "SVCB"),
		"NXDOMAIN special\n" SOA("resolver.arpa.", "300"));
	assert_string_equal(
		ask(h, "resolver.arpa", "A"), "NOERROR special\n" SOA("resolver.arpa.", "300"));
	assert_string_equal(ask(h, "10.in-addr.arpa", "NS"),
		"NOERROR special\n10.in-addr.arpa. 300 IN NS gw.home.arpa.\n");
	house_free(h);
}

static void localhost_is_loopback_whatever_hosts_say(void **state)
{
	struct house *h = house_new();

	(void)state;
	hosts(h, "192.168.1.66 localhost.\n");
	assert_string_equal(
		ask(h, "localhost", "A"), "NOERROR special\nlocalhost. 300 IN A 127.0.0.1\n");
	assert_string_equal(
		ask(h, "LocalHost", "AAAA"), "NOERROR special\nlocalhost. 300 IN AAAA ::1\n");
	assert_string_equal(ask(h, "a.b.localhost", "A"),
		"NOERROR special\na.b.localhost. 300 IN A 127.0.0.1\n");
	assert_string_equal(
		ask(h, "localhost", "MX"), "NOERROR special\n" SOA("localhost.", "300"));
	assert_string_equal(
		ask(h, "localhost", "DS"), "NOERROR special\n" SOA("localhost.", "300"));
	assert_non_null(strstr(ask(h, "1.0.0.127.in-addr.arpa", "PTR"), "PTR localhost.\n"));
	assert_non_null(
		strstr(ask(h,
			       "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
			       "0.0.ip6.arpa",
			       "PTR"),
			"PTR localhost.\n"));
	house_free(h);
}

static void ipv4only_has_its_two_addresses(void **state)
{
	struct house *h = house_new();

	(void)state;
	assert_string_equal(ask(h, "ipv4only.arpa", "A"),
		"NOERROR special\nipv4only.arpa. 300 IN A 192.0.0.170\n"
		"ipv4only.arpa. 300 IN A 192.0.0.171\n");
	assert_string_equal(
		ask(h, "ipv4only.arpa", "AAAA"), "NOERROR special\n" SOA("ipv4only.arpa.", "300"));
	house_free(h);
}

static void single_labels_do_not_leave(void **state)
{
	static const char *const types[] = {"A", "AAAA", "HTTPS", "SVCB", "PTR", "ANY"};
	struct house *h = house_new();

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(
			ask(h, "nobody", types[i]), "NXDOMAIN special\n" SOA("nobody.", "5"));
	assert_string_equal(ask(h, "com", "NS"), "RESOLVE\n");
	assert_string_equal(ask(h, "com", "DNSKEY"), "RESOLVE\n");
	assert_string_equal(ask(h, ".", "NS"), "RESOLVE\n");
	assert_string_equal(ask(h, ".", "A"), "RESOLVE\n");
	house_free(h);
}

static void our_domain_may_lie_under_a_special_name(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct zones_conf conf = {.domain = "lab.test", .special_zones = true, .local_ttl_s = 60};

	(void)state;
	h->b = zones_builder_new(&conf);
	hosts(h, "10.0.0.1 nas\n");
	assert_string_equal(
		ask(h, "nas.lab.test", "A"), "NOERROR hosts\nnas.lab.test. 60 IN A 10.0.0.1\n");
	assert_non_null(
		strstr(ask(h, "x.lab.test", "A"), "! lab.test. 5 IN SOA lanthorn.lab.test."));
	assert_non_null(strstr(ask(h, "x.test", "A"), "! test. 300 IN SOA"));
	assert_non_null(strstr(ask(h, "1.0.0.10.in-addr.arpa", "PTR"), "PTR nas.lab.test."));
	house_free(h);
}

static void without_a_domain_bare_names_stand_alone(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct zones_conf conf = {.special_zones = true};

	(void)state;
	h->b = zones_builder_new(&conf);
	hosts(h, "10.0.0.1 nas\n");
	assert_string_equal(ask(h, "nas", "A"), "NOERROR hosts\nnas. 60 IN A 10.0.0.1\n");
	assert_string_equal(ask(h, "nas", "AAAA"),
		"NOERROR hosts\n! nas. 5 IN SOA nas. nobody.invalid. 1 3600 1200 604800 5\n");
	house_free(h);
}

static void forward_zones_take_over(void **state)
{
	static const char *const forwards[] = {"1.10.in-addr.arpa", "20.172.in-addr.arpa.",
		"corp.home.arpa", "LAN", "guest.home.arpa"};
	struct house *h = calloc(1, sizeof(*h));
	struct zones_conf conf;

	(void)state;
	h->leases = leasename_new();
	conf = house_conf(h);
	conf.forwarded = forwards;
	conf.n_forwarded = 5;
	h->b = zones_builder_new(&conf);
	hosts(h, "10.1.0.9 pin.corp.home.arpa\n10.1.0.10 box.guest.home.arpa\n");
	assert_string_equal(ask(h, "5.0.1.10.in-addr.arpa", "PTR"), "RESOLVE\n");
	assert_non_null(strstr(ask(h, "5.0.2.10.in-addr.arpa", "PTR"), "NXDOMAIN special"));
	assert_string_equal(ask(h, "20.172.in-addr.arpa", "SOA"), "RESOLVE\n");
	assert_string_equal(ask(h, "1.2.20.172.in-addr.arpa", "PTR"), "RESOLVE\n");
	assert_string_equal(ask(h, "x.corp.home.arpa", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "corp.home.arpa", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "lan", "A"), "RESOLVE\n");
	/* what we hold ourselves still wins */
	assert_string_equal(ask(h, "pin.corp.home.arpa", "A"),
		"NOERROR hosts\npin.corp.home.arpa. 120 IN A 10.1.0.9\n");
	assert_string_equal(ask(h, "pin.corp.home.arpa", "AAAA"),
		"NOERROR hosts\n" SOA("pin.corp.home.arpa.", "5"));
	/* a lease zone that is forwarded, too: the rest is asked there */
	assert_non_null(strstr(ask(h, "box.guest.home.arpa", "A"), "A 10.1.0.10"));
	assert_string_equal(ask(h, "else.guest.home.arpa", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "guest.home.arpa", "SOA"), "RESOLVE\n");
	assert_string_equal(ask(h, "guest.home.arpa", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "x.home.arpa", "A"), "NXDOMAIN zone\n" HOME_SOA);
	house_free(h);
}

static void forwarding_everything_keeps_the_house_quiet(void **state)
{
	static const char *const forwards[] = {"."};
	struct house *h = calloc(1, sizeof(*h));
	struct zones_conf conf;

	(void)state;
	h->leases = leasename_new();
	conf = house_conf(h);
	conf.forwarded = forwards;
	conf.n_forwarded = 1;
	h->b = zones_builder_new(&conf);
	assert_string_equal(ask(h, "www.example.com", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "x.home.arpa", "A"), "NXDOMAIN zone\n" HOME_SOA);
	assert_non_null(strstr(ask(h, "x.local", "A"), "NXDOMAIN special"));
	assert_non_null(strstr(ask(h, "nobody", "A"), "NXDOMAIN special"));
	house_free(h);
}

static void special_zones_can_be_switched_off(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct zones_conf conf = {.local_ttl_s = 60};

	(void)state;
	h->b = zones_builder_new(&conf);
	assert_string_equal(ask(h, "x.test", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "localhost", "A"), "RESOLVE\n");
	assert_string_equal(ask(h, "nobody", "A"), "RESOLVE\n");
	house_free(h);
}

static void names_of_ours_are_told_from_others(void **state)
{
	static const struct {
		const char *name;
		bool is_local;
	} rows[] = {{"home.arpa", true}, {"x.home.arpa", true}, {"pin.example.com", true},
		{"example.com", false}, {"q.wild.example.com", true}, {"com", false}, {".", false},
		{"1.1.168.192.in-addr.arpa", true}, {"x.test", true}, {"x.corp.home.arpa", false}};
	static const char *const forwards[] = {"corp.home.arpa"};
	struct house *h = calloc(1, sizeof(*h));
	struct zones_conf conf;

	(void)state;
	h->leases = leasename_new();
	conf = house_conf(h);
	conf.forwarded = forwards;
	conf.n_forwarded = 1;
	h->b = zones_builder_new(&conf);
	assert_int_equal(address(h, "pin.example.com", "192.168.1.1"), 0);
	assert_int_equal(address(h, "*.wild.example.com", "192.168.1.1"), 0);
	ask(h, "x", "A");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t name[DNAME_MAX];
		size_t len;

		assert_int_equal(dname_read(rows[i].name, name, &len), 0);
		assert_int_equal(zones_is_local(h->z, name), rows[i].is_local);
	}
	house_free(h);
}

/* E3, E4: what a lease may not take. */
static void labels_of_ours_are_owned(void **state)
{
	struct house *h = house_new();
	struct ip own = addr("192.168.1.10"), other = addr("192.168.1.99");

	(void)state;
	assert_int_equal(address(h, "nas", "192.168.1.10"), 0);
	assert_int_equal(address(h, "*.apps", "192.168.1.10"), 0);
	assert_int_equal(record(h, "www", DNS_TYPE_CNAME, "nas.home.arpa."), 0);
	hosts(h, "127.0.1.1 box\n192.168.1.7 printer\n");
	ask(h, "x", "A");
	assert_true(zones_owns_label(h->z, "nas", NULL));
	assert_true(zones_owns_label(h->z, "NAS", &other));
	assert_false(zones_owns_label(h->z, "nas", &own));
	assert_true(zones_owns_label(h->z, "apps", &own));
	assert_true(zones_owns_label(h->z, "www", &own));
	assert_true(zones_owns_label(h->z, "box", NULL));
	assert_true(zones_owns_label(h->z, "printer", NULL));
	assert_true(zones_owns_label(h->z, "GW", NULL));
	assert_true(zones_owns_label(h->z, "localhost", NULL));
	assert_true(zones_owns_label(h->z, "guest", NULL));
	assert_false(zones_owns_label(h->z, "laptop", NULL));
	assert_false(zones_owns_label(h->z, "", NULL));
	house_free(h);
}

static void names_the_builder_cannot_use_are_told(void **state)
{
	struct house *h = house_new();
	struct zones_conf conf = {.domain = "a..b"};
	uint8_t rdata[4] = {10, 0, 0, 0};
	char label[70];

	(void)state;
	assert_null(zones_builder_new(&conf));
	assert_int_equal(zones_builder_record(h->b, "", DNS_TYPE_A, 0, rdata, 4), ERR_MALFORMED);
	memset(label, 'a', 64);
	label[64] = '\0';
	assert_int_equal(zones_builder_record(h->b, label, DNS_TYPE_A, 0, rdata, 4), ERR_RANGE);
	for (unsigned i = 0; i < RRSET_RR_MAX; i++) {
		rdata[3] = (uint8_t)i;
		assert_int_equal(zones_builder_record(h->b, "many", DNS_TYPE_A, 0, rdata, 4), 0);
	}
	rdata[3] = RRSET_RR_MAX;
	assert_int_equal(zones_builder_record(h->b, "many", DNS_TYPE_A, 0, rdata, 4), ERR_LIMIT);
	ask(h, "many.home.arpa", "A");
	assert_int_equal(h->a.answer[0]->n_rr, RRSET_RR_MAX);
	/* under another name it is copied, and fits */
	ask(h, "many", "A");
	assert_int_equal(h->a.n_answer, 1);
	house_free(h);
}

static void too_little_memory_is_servfail(void **state)
{
	struct house *h = house_new();
	struct question q = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	struct ip client = addr("192.168.1.50");
	size_t len;

	(void)state;
	ask(h, "x", "A");
	assert_int_equal(dname_read("nobody.home.arpa", q.name, &len), 0);
	q.name_len = (uint8_t)len;
	for (size_t cap = 0; cap < 60; cap++) {
		uint8_t *mem = malloc(cap + 1);

		assert_int_equal(
			zones_decide(h->z, &q, &client, NOW, mem, cap, NULL, &h->a), ZONES_ANSWER);
		assert_int_equal(h->a.rcode, DNS_RCODE_SERVFAIL);
		free(mem);
	}
	house_free(h);
}

static void the_trace_tells_each_step(void **state)
{
	struct house *h = house_new();
	struct question q = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	struct ip client = addr("192.168.1.50");
	struct trace *t = trace_new(1000);
	size_t len;

	(void)state;
	assert_int_equal(record(h, "ext", DNS_TYPE_CNAME, "www.example.com."), 0);
	ask(h, "x", "A");
	assert_int_equal(dname_read("ext.home.arpa", q.name, &len), 0);
	q.name_len = (uint8_t)len;
	zones_decide(h->z, &q, &client, NOW, h->mem, sizeof(h->mem), t, &h->a);
	assert_string_equal(trace_text(t), "zones: ext.home.arpa.: a CNAME, record\n"
					   "zones: www.example.com.: to be resolved, not ours\n");
	trace_free(t);
	house_free(h);
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
		cmocka_unit_test(records_answer_and_other_types_are_nodata),
		cmocka_unit_test(case_does_not_matter_and_the_question_names_the_owner),
		cmocka_unit_test(unknown_names_of_our_zone_do_not_exist),
		cmocka_unit_test(the_top_of_our_zone_has_soa_and_ns),
		cmocka_unit_test(wildcards_follow_rfc_4592),
		cmocka_unit_test(a_wildcard_does_not_cover_leases),
		cmocka_unit_test(cnames_are_followed_within_our_data),
		cmocka_unit_test(a_cname_stands_alone),
		cmocka_unit_test(config_wins_over_hosts_whatever_comes_first),
		cmocka_unit_test(an_explicit_ptr_wins_over_derived_ones),
		cmocka_unit_test(hosts_names_resolve_bare_and_in_full),
		cmocka_unit_test(loopback_lines_are_for_ourselves_only),
		cmocka_unit_test(lists_of_unwanted_names_answer_as_given),
		cmocka_unit_test(junk_in_hosts_is_reported_and_skipped),
		cmocka_unit_test(leases_resolve_both_ways_and_bare),
		cmocka_unit_test(an_expired_lease_does_not_resolve_however_late_its_end_comes),
		cmocka_unit_test(static_data_wins_over_a_lease_of_the_same_name),
		cmocka_unit_test(leases_of_a_lans_own_domain),
		cmocka_unit_test(reverse_zones_cover_each_lan_and_no_more),
		cmocka_unit_test(special_names_stay_here),
		cmocka_unit_test(localhost_is_loopback_whatever_hosts_say),
		cmocka_unit_test(ipv4only_has_its_two_addresses),
		cmocka_unit_test(single_labels_do_not_leave),
		cmocka_unit_test(our_domain_may_lie_under_a_special_name),
		cmocka_unit_test(without_a_domain_bare_names_stand_alone),
		cmocka_unit_test(forward_zones_take_over),
		cmocka_unit_test(forwarding_everything_keeps_the_house_quiet),
		cmocka_unit_test(special_zones_can_be_switched_off),
		cmocka_unit_test(names_of_ours_are_told_from_others),
		cmocka_unit_test(labels_of_ours_are_owned),
		cmocka_unit_test(names_the_builder_cannot_use_are_told),
		cmocka_unit_test(too_little_memory_is_servfail),
		cmocka_unit_test(the_trace_tells_each_step),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
