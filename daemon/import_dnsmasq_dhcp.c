/* SPDX-License-Identifier: Apache-2.0 */
/* The directives about addresses, and how booting is read. */
#include <string.h>
#include <strings.h>

#include "daemon/import_dnsmasq_parts.h"

static void set_boot(struct import *im, struct import_node *where, const char *firmware,
	const char *file, const char *server)
{
	struct import_node *boot = import_map(im->doc, where, "boot");
	struct ip ip;

	if (firmware) {
		import_set(im->doc, boot, firmware, file);
	} else {
		if (!import_get(boot, "bios"))
			import_set(im->doc, boot, "bios", file);
		if (!import_get(boot, "uefi"))
			import_set(im->doc, boot, "uefi", file);
	}
	if (server && ip_read(server, &ip) == 0)
		import_set(im->doc, boot, "server", server);
}

static void apply_boot(
	struct import *im, const struct import_scope *s, const char *file, const char *server)
{
	if (s->class) {
		set_boot(im, import_need_class(im, s->class), s->firmware, file, server);
		return;
	}
	for (size_t i = 0; i < im->n_lan; i++)
		if (!s->lan || s->lan == &im->lan[i])
			set_boot(im, im->lan[i].node, s->firmware, file, server);
	if (!im->n_lan)
		import_note(im, IMPORT_CANNOT, "there is no dhcp-range");
}

/* dhcp-boot=[tag:T,]FILE[,NAME[,ADDRESS]] */
static void read_boot(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts), i;
	struct import_scope s;

	i = import_take_tags(im, parts, n, &s);
	if (s.too_many || i == n)
		return;
	if (!s.firmware)
		import_note(im, IMPORT_CHANGED, "for BIOS and UEFI alike; give each its own file");
	apply_boot(im, &s, parts[i], i + 2 < n ? parts[i + 2] : NULL);
}

/* pxe-service=[tag:T,]CSA,TEXT[,FILE[,SERVER]] */
static void read_pxe_service(struct import *im, char *value)
{
	static const struct {
		const char *name, *firmware, *suffix;
	} types[] = {{"x86PC", "bios", ".0"}, {"0", "bios", ".0"}, {"IA32_EFI", "uefi-ia32", ""},
		{"BC_EFI", "uefi", ""}, {"X86-64_EFI", "uefi", ""},
		{"ARM64_EFI", "uefi-arm64", ""}};
	char *parts[IMPORT_PARTS_MAX], file[600];
	size_t n = import_split(im, value, parts), i;
	struct import_scope s;

	i = import_take_tags(im, parts, n, &s);
	if (s.too_many || n < i + 3 || !parts[i + 2][strspn(parts[i + 2], "0123456789")]) {
		import_note(im, IMPORT_CANNOT, "there is no menu; name the file under boot");
		return;
	}
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		if (strcasecmp(types[t].name, parts[i]) != 0)
			continue;
		snprintf(file, sizeof(file), "%s%s", parts[i + 2], types[t].suffix);
		s.firmware = types[t].firmware;
		apply_boot(im, &s, file, i + 3 < n ? parts[i + 3] : NULL);
		import_note(im, IMPORT_CHANGED, "without a menu");
		return;
	}
	import_note(im, IMPORT_CANNOT, "machines of type %s", parts[i]);
}

static void read_tftp_root(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];

	if (import_split(im, value, parts) > 0)
		import_set(im->doc, import_map(im->doc, im->root, "boot"), "root", parts[0]);
}

static void set_all(struct import *im, const char *key, const char *text)
{
	for (size_t i = 0; i < im->n_lan; i++)
		import_set(im->doc, im->lan[i].node, key, text);
}

static void read_no_ping(struct import *im, char *value)
{
	(void)value;
	set_all(im, "probe", "no");
}

static void read_enable_ra(struct import *im, char *value)
{
	(void)value;
	for (size_t i = 0; i < im->n_lan; i++)
		if (import_get(im->lan[i].node, "prefix"))
			import_set(im->doc, im->lan[i].node, "ra", "yes");
}

#define ALWAYS	IMPORT_KEPT, "always so"
#define NO_NEED IMPORT_KEPT, "there is no need for it here"
#define MISSING IMPORT_CANNOT, NULL

/* clang-format off */
const struct import_directive import_dhcp_directives[] = {
	{"bootp-dynamic", NULL, MISSING, 2},
	{"bridge-interface", NULL, MISSING, 2},
	{"dhcp-alternate-port", NULL, MISSING, 2},
	{"dhcp-authoritative", NULL, ALWAYS, 2},
	{"dhcp-boot", read_boot, 0, NULL, 2},
	{"dhcp-broadcast", NULL, MISSING, 2},
	{"dhcp-circuitid", import_read_circuit_id, 0, NULL, 0},
	{"dhcp-client-update", NULL, MISSING, 2},
	{"dhcp-fqdn", NULL, ALWAYS, 2},
	{"dhcp-generate-names", NULL, MISSING, 2},
	{"dhcp-host", import_read_host, 0, NULL, 2},
	{"dhcp-hostsdir", NULL, IMPORT_CANNOT, "import its lines as dhcp-host", 2},
	{"dhcp-hostsfile", NULL, IMPORT_CANNOT, "import its lines as dhcp-host", 2},
	{"dhcp-ignore", import_read_ignore, 0, NULL, 2},
	{"dhcp-ignore-names", NULL, MISSING, 2},
	{"dhcp-lease-max", NULL, NO_NEED, 2},
	{"dhcp-leasefile", NULL, IMPORT_CHANGED, "take it over by lanthorn import dnsmasq-leases",
	 2},
	{"dhcp-luascript", NULL, MISSING, 2},
	{"dhcp-mac", import_read_tag_mac, 0, NULL, 0},
	{"dhcp-match", import_read_match, 0, NULL, 0},
	{"dhcp-name-match", NULL, MISSING, 2},
	{"dhcp-no-override", NULL, NO_NEED, 2},
	{"dhcp-option", import_read_option, 0, NULL, 2},
	{"dhcp-option-force", import_read_option_force, 0, NULL, 2},
	{"dhcp-optsfile", NULL, IMPORT_CANNOT, "import its lines as dhcp-option", 2},
	{"dhcp-proxy", NULL, MISSING, 2},
	{"dhcp-range", import_read_range, 0, NULL, 0},
	{"dhcp-rapid-commit", NULL, ALWAYS, 2},
	{"dhcp-relay", NULL, MISSING, 2},
	{"dhcp-remoteid", import_read_remote_id, 0, NULL, 0},
	{"dhcp-reply-delay", NULL, NO_NEED, 2},
	{"dhcp-script", NULL, IMPORT_CANNOT, "nothing is run; ask lanthorn leases --json", 2},
	{"dhcp-scriptuser", NULL, MISSING, 2},
	{"dhcp-sequential-ip", NULL, MISSING, 2},
	{"dhcp-subscrid", NULL, MISSING, 2},
	{"dhcp-ttl", NULL, NO_NEED, 2},
	{"dhcp-userclass", import_read_user_class, 0, NULL, 0},
	{"dhcp-vendorclass", import_read_vendor_class, 0, NULL, 0},
	{"enable-ra", read_enable_ra, 0, NULL, 2},
	{"enable-tftp", NULL, IMPORT_KEPT, "tftp-root is enough", 2},
	{"log-dhcp", NULL, IMPORT_KEPT, "log level debug tells as much", 2},
	{"no-dhcp-interface", NULL, IMPORT_KEPT, "an interface without a lan gives no addresses",
	 2},
	{"no-ping", read_no_ping, 0, NULL, 2},
	{"pxe-prompt", NULL, IMPORT_CANNOT, "there is no menu", 2},
	{"pxe-service", read_pxe_service, 0, NULL, 2},
	{"quiet-dhcp", NULL, NO_NEED, 2},
	{"quiet-dhcp6", NULL, NO_NEED, 2},
	{"quiet-ra", NULL, NO_NEED, 2},
	{"quiet-tftp", NULL, NO_NEED, 2},
	{"ra-param", NULL, MISSING, 2},
	{"read-ethers", NULL, IMPORT_CANNOT, "write its lines into a file that devices names", 2},
	{"script-arp", NULL, MISSING, 2},
	{"tag-if", NULL, MISSING, 2},
	{"tftp-lowercase", NULL, MISSING, 2},
	{"tftp-max", NULL, NO_NEED, 2},
	{"tftp-mtu", NULL, NO_NEED, 2},
	{"tftp-no-blocksize", NULL, MISSING, 2},
	{"tftp-no-fail", NULL, NO_NEED, 2},
	{"tftp-port-range", NULL, MISSING, 2},
	{"tftp-root", read_tftp_root, 0, NULL, 2},
	{"tftp-secure", NULL, MISSING, 2},
	{"tftp-single-port", NULL, MISSING, 2},
	{"tftp-unique-root", NULL, MISSING, 2},
	{NULL, NULL, 0, NULL, 2},
};
/* clang-format on */

/* dnsmasq tells clients its own address as router, which is not in its file. */
void import_dhcp_finish(struct import *im)
{
	for (size_t i = 0; i < im->n_lan; i++) {
		const struct import_lan *lan = &im->lan[i];
		const struct import_node *option = import_get(lan->node, "option");

		if (lan->subnet.ip.family != AF_INET || lan->no_router ||
			import_get(lan->node, "router") || (option && import_get(option, "router")))
			continue;
		import_note(im, IMPORT_CHANGED,
			"lan %s has no router; dnsmasq tells clients its own address, so write "
			"that",
			lan->interface);
	}
}
