/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/daemon/config_case.h"

#include "daemon/import_dnsmasq.h"

/* What comes out must load without an error; the notes are returned, kept ones left out. */
static char *import(const char *conf, char **out_yaml)
{
	struct import_result r;
	struct config_report rep = {.n = 0};
	struct config *c = NULL;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	import_dnsmasq_read(conf, strlen(conf), &r);
	import_result_print(&r, "d", 0, f);
	fclose(f);
	assert_int_equal(config_load_text("/y", r.yaml, strlen(r.yaml), &c, &rep), 0);
	config_free(c);
	config_report_fini(&rep);
	if (out_yaml)
		*out_yaml = strdup(strchr(r.yaml, '\n') + 1);
	import_result_fini(&r);
	return text;
}

/* Lines that every import says when nothing is set are set here. */
#define QUIET "no-hosts\nstop-dns-rebind\nserver=9.9.9.9\n"

static void check_import(const char *conf, const char *yaml, const char *notes)
{
	char *got_yaml, *whole = xasprintf("%s%s", QUIET, conf), *got_notes, *expected;

	got_notes = import(whole, &got_yaml);
	expected = xasprintf("forward:\n  .:\n    to: [ 9.9.9.9 ]\n%s", yaml);
	assert_string_equal(got_yaml, expected);
	*strrchr(got_notes, '\n') = '\0'; /* without the line of counts */
	if (strrchr(got_notes, '\n'))
		strrchr(got_notes, '\n')[1] = '\0';
	else
		got_notes[0] = '\0';
	assert_string_equal(got_notes, notes);
	xfree(whole);
	xfree(expected);
	free(got_yaml);
	free(got_notes);
}

static void a_house_is_carried_over(void **state)
{
	char *yaml, *notes = import("domain=home.arpa\n"
				    "local=/home.arpa/\n"
				    "dhcp-fqdn\n"
				    "expand-hosts\n"
				    "interface=br0\n"
				    "server=9.9.9.9\n"
				    "server=/corp.example/10.0.0.53\n"
				    "dhcp-range=192.168.1.100,192.168.1.199,12h\n"
				    "dhcp-option=option:router,192.168.1.1\n"
				    "dhcp-option=option:ntp-server,192.168.1.1\n"
				    "dhcp-host=00:11:22:33:44:55,nas,192.168.1.10\n"
				    "address=/apps.home.arpa/192.168.1.10\n"
				    "address=/ads.example/\n"
				    "dhcp-match=set:uefi,option:client-arch,7   # by hand\n"
				    "dhcp-boot=tag:uefi,ipxe.efi\n",
			    &yaml);

	(void)state;
	assert_string_equal(yaml, "domain: home.arpa\n"
				  "forward:\n"
				  "  .:\n"
				  "    to: [ 9.9.9.9 ]\n"
				  "  corp.example:\n"
				  "    to: [ 10.0.0.53 ]\n"
				  "hosts: [ /etc/hosts ]\n"
				  "record:\n"
				  "  apps.home.arpa:\n"
				  "    a: [ 192.168.1.10 ]\n"
				  "  \"*.apps.home.arpa\":\n"
				  "    a: [ 192.168.1.10 ]\n"
				  "lan:\n"
				  "  br0:\n"
				  "    subnet: 192.168.1.0/24\n"
				  "    pool: [ 192.168.1.100-192.168.1.199 ]\n"
				  "    lease: 12h\n"
				  "    router: 192.168.1.1\n"
				  "    option:\n"
				  "      ntp-server: [ 192.168.1.1 ]\n"
				  "    device:\n"
				  "      nas:\n"
				  "        mac: [ \"00:11:22:33:44:55\" ]\n"
				  "        address: 192.168.1.10\n"
				  "    boot:\n"
				  "      uefi: ipxe.efi\n");
	assert_string_equal(notes,
		"d:8: changed: dhcp-range: no netmask is given; 192.168.1.0/24 is a guess\n"
		"d:13: cannot: address: write ads.example into a file that block.lists names\n"
		"changed: the whole: private addresses of public names are removed; see "
		"dns.rebind-protection\n"
		"13 kept, 2 changed, 1 cannot\n");
	free(yaml);
	free(notes);
}

static void records_of_all_types_are_carried_over(void **state)
{
	(void)state;
	check_import("cname=www.x,w2.x,nas.x,60\n"
		     "host-record=a.x,b.x,10.0.0.1,fd00::1,90\n"
		     "mx-host=x,mail.x,10\n"
		     "srv-host=_ldap._tcp.x,nas.x,389,1,2\n"
		     "txt-record=t.x,\"a, b # c\",d\n"
		     "ptr-record=1.0.0.10.in-addr.arpa,a.x\n"
		     "caa-record=x,0,issue,letsencrypt.org\n"
		     "dns-rr=x,51,01:23:45\n",
		"record:\n"
		"  www.x:\n    cname: nas.x\n    ttl: 60\n"
		"  w2.x:\n    cname: nas.x\n    ttl: 60\n"
		"  a.x:\n    a: [ 10.0.0.1 ]\n    aaaa: [ \"fd00::1\" ]\n    ttl: 90\n"
		"  b.x:\n    a: [ 10.0.0.1 ]\n    aaaa: [ \"fd00::1\" ]\n    ttl: 90\n"
		"  x:\n    mx: [ \"10 mail.x\" ]\n    caa: [ \"0 issue \\\"letsencrypt.org\\\"\" "
		"]\n"
		"    rr: [ \"TYPE51 \\\\# 3 012345\" ]\n"
		"  _ldap._tcp.x:\n    srv: [ \"1 2 389 nas.x\" ]\n"
		"  t.x:\n    txt: [ \"a, b # c\", d ]\n"
		"  1.0.0.10.in-addr.arpa:\n    ptr: a.x\n",
		"d:8: changed: txt-record: its texts are one each\n");
}

static void servers_and_rebinding_are_carried_over(void **state)
{
	char *yaml, *notes = import(QUIET "port=5353\n"
					  "listen-address=::1,127.0.0.1\n"
					  "server=/a.x/b.x/10.0.0.1#5353\n"
					  "server=/c.x/fd00::1#54@eth0\n"
					  "server=/d.x/#\n"
					  "rev-server=10.1.0.0/16,10.0.0.9\n"
					  "rebind-domain-ok=/plex.direct/foo/\n"
					  "cache-size=1000\n"
					  "max-cache-ttl=999999\n",
			    &yaml);

	(void)state;
	assert_string_equal(yaml, "dns:\n"
				  "  listen: [ \"[::1]:5353\", \"127.0.0.1:5353\" ]\n"
				  "  rebind-allow: [ plex.direct, foo ]\n"
				  "  max-ttl: 604800\n"
				  "forward:\n"
				  "  .:\n    to: [ 9.9.9.9 ]\n"
				  "  a.x:\n    to: [ \"10.0.0.1:5353\" ]\n"
				  "  b.x:\n    to: [ \"10.0.0.1:5353\" ]\n"
				  "  c.x:\n    to: [ \"[fd00::1]:54\" ]\n"
				  "  1.10.in-addr.arpa:\n    to: [ 10.0.0.9 ]\n");
	assert_non_null(strstr(notes, "d:7: changed: server: the source (@eth0) is left out"));
	assert_non_null(strstr(notes, "d:8: cannot: server: d.x to the usual servers"));
	assert_non_null(strstr(notes, "d:11: changed: cache-size: 1000 entries"));
	assert_non_null(strstr(notes, "d:12: changed: max-cache-ttl: 999999 became 604800"));
	free(yaml);
	free(notes);
}

static void hosts_become_devices_of_their_lan(void **state)
{
	(void)state;
	check_import("dhcp-range=eth0,10.0.0.10,10.0.0.50,255.255.255.0,infinite\n"
		     "dhcp-option=3\n"
		     "dhcp-host=aa:bb:cc:00:11:22,aa:bb:cc:00:11:23,id:01:aa,set:kids,Laptop,10.0."
		     "0.60,2h\n"
		     "dhcp-host=aa:bb:cc:00:11:99,ignore\n"
		     "dhcp-host=11:22:33:*:*:*,set:x\n"
		     "dhcp-host=aa:bb:cc:00:11:55,tv,10.9.9.9\n"
		     "dhcp-option=tag:kids,6,10.0.0.2,10.0.0.3\n",
		"lan:\n  eth0:\n    subnet: 10.0.0.0/24\n    pool: [ 10.0.0.10-10.0.0.50 ]\n"
		"    lease: infinite\n    device:\n      Laptop:\n"
		"        mac: [ \"aa:bb:cc:00:11:22\", \"aa:bb:cc:00:11:23\" ]\n"
		"        tags: [ kids ]\n        client-id: \"01:aa\"\n        address: 10.0.0.60\n"
		"        lease: 2h\n"
		"class:\n  ignored:\n    tag: [ ignored ]\n    ignore: yes\n"
		"  kids:\n    tag: [ kids ]\n    option:\n      dns-server: [ 10.0.0.2, 10.0.0.3 "
		"]\n"
		"device:\n  host-aabbcc001199:\n    mac: [ \"aa:bb:cc:00:11:99\" ]\n"
		"    tags: [ ignored ]\n",
		"d:7: changed: dhcp-host: it has no name; it is called host-aabbcc001199\n"
		"d:8: cannot: dhcp-host: a pattern of MACs is a class; see class\n"
		"d:9: cannot: dhcp-host: 10.9.9.9 is in the network of no dhcp-range\n");
}

static void options_keep_their_bytes(void **state)
{
	(void)state;
	check_import("dhcp-range=eth0,10.0.0.10,10.0.0.50,255.255.255.0\n"
		     "dhcp-option=option:router,10.0.0.1\n"
		     "dhcp-option=121,10.2.0.0/16,10.0.0.9,0.0.0.0/0,10.0.0.1\n"
		     "dhcp-option=224,5\n"
		     "dhcp-option=225,aa:bb\n"
		     "dhcp-option=226,1.2.3.4,1.2.3.5\n"
		     "dhcp-option=227,300\n"
		     "dhcp-option=228,\"hi, there\"\n"
		     "dhcp-option=option:domain-search,a.lan,b.lan\n"
		     "dhcp-option=252,\"http://wpad/x,y\"\n"
		     "dhcp-option=6,0.0.0.0\n"
		     "dhcp-option=42,0.0.0.0\n"
		     "dhcp-option=vendor:PXEClient,1,0.0.0.0\n"
		     "dhcp-option=51,3h\n"
		     "dhcp-option=54,1.1.1.1\n"
		     "dhcp-option=quux,1\n",
		"lan:\n  eth0:\n    subnet: 10.0.0.0/24\n    pool: [ 10.0.0.10-10.0.0.50 ]\n"
		"    router: 10.0.0.1\n    option:\n"
		"      static-route: [ \"10.2.0.0/16 via 10.0.0.9\", \"0.0.0.0/0 via 10.0.0.1\" ]\n"
		"      224: [ \"u8:5\" ]\n      225: [ \"hex:aa:bb\" ]\n"
		"      226: [ 1.2.3.4, 1.2.3.5 ]\n      227: [ \"u16:300\" ]\n"
		"      228: [ \"text:hi, there\" ]\n"
		"      domain-search: [ a.lan, b.lan ]\n      wpad-url: \"http://wpad/x,y\"\n"
		"    lease: 3h\n",
		"d:15: cannot: dhcp-option: put our own address for 0.0.0.0 there\n"
		"d:16: cannot: dhcp-option: vendor:PXEClient\n"
		"d:18: cannot: dhcp-option: option 54: it is our own address\n"
		"d:19: cannot: dhcp-option: option \"quux\" is not known here\n");
}

static void boot_tags_become_firmware(void **state)
{
	(void)state;
	check_import("dhcp-match=set:bios,option:client-arch,0\n"
		     "dhcp-match=set:efi,option:client-arch,7\n"
		     "dhcp-match=set:efi,option:client-arch,9\n"
		     "dhcp-vendorclass=set:ia32,PXEClient:Arch:00006\n"
		     "dhcp-match=set:http,option:client-arch,16\n"
		     "dhcp-userclass=set:ipxe,iPXE\n"
		     "dhcp-boot=tag:bios,tag:!ipxe,a.0,srv,10.0.0.9\n"
		     "dhcp-boot=tag:efi,tag:!ipxe,b.efi\n"
		     "dhcp-boot=tag:ia32,c.efi\n"
		     "dhcp-boot=tag:http,http://s/d.efi\n"
		     "dhcp-option-force=tag:http,60,HTTPClient\n"
		     "dhcp-boot=tag:ipxe,http://s/e.ipxe\n"
		     "dhcp-range=set:lab,10.0.0.10,10.0.0.50,255.255.255.0\n"
		     "dhcp-option=3,10.0.0.1\n"
		     "enable-tftp\n"
		     "tftp-root=/srv/tftp\n",
		"lan:\n  lab:\n    subnet: 10.0.0.0/24\n    pool: [ 10.0.0.10-10.0.0.50 ]\n    "
		"boot:\n"
		"      bios: a.0\n      server: 10.0.0.9\n      uefi: b.efi\n      uefi-ia32: "
		"c.efi\n"
		"      http: \"http://s/d.efi\"\n      ipxe: \"http://s/e.ipxe\"\n"
		"    router: 10.0.0.1\nboot:\n  root: /srv/tftp\n",
		"d:16: changed: dhcp-range: the lan is called lab; put the name of its interface "
		"there\n");
}

static void ipv6_ranges_become_prefixes(void **state)
{
	(void)state;
	check_import("interface=br0\n"
		     "dhcp-range=10.0.0.10,10.0.0.50,255.255.255.0\n"
		     "dhcp-option=3,10.0.0.1\n"
		     "dhcp-range=fd77::1:0,fd77::1:ffff,64,1h\n"
		     "dhcp-range=::,constructor:br0,ra-stateless\n"
		     "enable-ra\n",
		"lan:\n  br0:\n    subnet: 10.0.0.0/24\n    pool: [ 10.0.0.10-10.0.0.50 ]\n"
		"    prefix: \"fd77::/64\"\n    pool6: [ \"fd77::1:0-fd77::1:ffff\" ]\n"
		"    router: 10.0.0.1\n    ra: yes\n",
		"d:8: cannot: dhcp-range: write the prefix of br0 as prefix of its lan\n");
}

static void what_cannot_be_had_is_named(void **state)
{
	(void)state;
	check_import("frobnicate=1\n"
		     "conf-dir=/etc/dnsmasq.d\n"
		     "dhcp-script=/x\n"
		     "local=/other.lan/\n"
		     "read-ethers\n",
		"",
		"d:4: cannot: frobnicate: not known to this importer\n"
		"d:5: cannot: conf-dir: import its files each by itself\n"
		"d:6: cannot: dhcp-script: nothing is run; ask lanthorn leases --json\n"
		"d:7: cannot: local: names below other.lan are asked for outside; only one domain "
		"is "
		"ours alone\n"
		"d:8: cannot: read-ethers: write its lines into a file that devices names\n");
}

static void a_result_that_does_not_load_says_so(void **state)
{
	struct import_result r;
	static const char conf[] = "dhcp-range=eth0,10.0.0.10,10.0.0.50,255.255.255.0\n"
				   "dhcp-host=aa:bb:cc:00:11:22,a,10.0.0.5\n"
				   "dhcp-host=aa:bb:cc:00:11:22,b,10.0.0.5\n";

	(void)state;
	import_dnsmasq_read(conf, strlen(conf), &r);
	assert_string_equal(r.notes[r.n_notes - 1].directive, "the result");
	assert_int_equal(r.notes[r.n_notes - 1].verdict, IMPORT_CANNOT);
	import_result_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_house_is_carried_over),
		cmocka_unit_test(records_of_all_types_are_carried_over),
		cmocka_unit_test(servers_and_rebinding_are_carried_over),
		cmocka_unit_test(hosts_become_devices_of_their_lan),
		cmocka_unit_test(options_keep_their_bytes),
		cmocka_unit_test(boot_tags_become_firmware),
		cmocka_unit_test(ipv6_ranges_become_prefixes),
		cmocka_unit_test(what_cannot_be_had_is_named),
		cmocka_unit_test(a_result_that_does_not_load_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
