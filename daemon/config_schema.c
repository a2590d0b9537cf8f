/* SPDX-License-Identifier: Apache-2.0 */
/* The rows. Order is the order of the man page and of the dump. `later` marks what is parsed and
 * checked but not built: take the word away in the commit that builds it. */
#include "daemon/config_schema.h"

#include <string.h>

#include "daemon/config.h"
#include "daemon/config_limits.h"

#define AT(type, field)	  .offset = offsetof(struct type, field)
#define LIST(type, field) .list = true, MANY(type, field)
#define MANY(type, field) AT(type, field), .count_offset = offsetof(struct type, n_##field)
#define OF(rows_)	  .rows = rows_, .n_rows = sizeof(rows_) / sizeof(rows_[0])
#define YES		  .preset = "yes"
#define NO		  .preset = "no"
#define RESTART		  .effect = CONFIG_RESTART
#define BETWEEN(lo, hi)	  .min = (lo), .max = (hi)

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (366 * DAY)
#define MIB    ((uint64_t)1 << 20)
#define GIB    ((uint64_t)1 << 30)

static const char *const answer_words[] = {"nxdomain", "null", "refused", NULL};
static const char *const clock_words[] = {"monotonic", "wall", NULL};
static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_words[] = {"stderr", "syslog", NULL};
static const char *const local_words[] = {"either", "yes", "no", NULL};
static const char *const arch_words[] = {"bios", "uefi-ia32", "uefi", "uefi-arm64", "http", NULL};

/* clang-format off */

static const struct config_row boot_rows[] = {
	{"bios", CONFIG_TEXT, AT(config_boot, bios), .blank = true,
	 .help = "File for PC BIOS firmware (architecture 0), below the boot root."},
	{"uefi", CONFIG_TEXT, AT(config_boot, uefi), .blank = true,
	 .help = "File for 64-bit x86 UEFI (7 and 9). With Secure Boot name the shim."},
	{"uefi-ia32", CONFIG_TEXT, AT(config_boot, uefi_ia32), .blank = true,
	 .help = "File for 32-bit x86 UEFI (6)."},
	{"uefi-arm64", CONFIG_TEXT, AT(config_boot, uefi_arm64), .blank = true,
	 .help = "File for 64-bit ARM UEFI (11)."},
	{"http", CONFIG_TEXT, AT(config_boot, http), .blank = true,
	 .help = "For firmware that boots over HTTP (15, 16, 19): a file below the boot root, "
		 "which becomes a URL of ours, or a URL."},
	{"http6", CONFIG_TEXT, AT(config_boot, http6), .blank = true, .later = true,
	 .otherwise = "as http",
	 .help = "The same for DHCPv6."},
	{"ipxe", CONFIG_TEXT, AT(config_boot, ipxe), .blank = true,
	 .help = "For a client that is iPXE already: a file or a URL, usually a script."},
	{"server", CONFIG_IP, AT(config_boot, server), .otherwise = "ourselves",
	 .help = "Address of the server that has the files."},
	{"proxy", CONFIG_BOOL, AT(config_boot, proxy), NO, .later = true,
	 .help = "Give boot files only and leave the addresses to another DHCP server."},
};

static const struct config_section boot_section = {
	.title = "boot", .id = "boot", OF(boot_rows), .size = sizeof(struct config_boot),
	.help = "Inside a lan, class or device: which file a machine boots from the network, by "
		"its firmware. A device's word goes before its class's, and that before the "
		"lan's.",
	.sample = "boot: { bios: pxelinux.0, uefi: shimx64.efi }",
};

static const struct config_row device_rows[] = {
	{"mac", CONFIG_MAC, LIST(config_device, mac),
	 .help = "Hardware addresses; several when the machine has several ways onto the net."},
	{"client-id", CONFIG_BYTES, AT(config_device, client_id), .max = CONFIG_ID_MAX,
	 .help = "DHCP client identifier, as 01:00:11:22 (with its type byte) or as text."},
	{"duid", CONFIG_BYTES, AT(config_device, duid), .max = CONFIG_ID_MAX, .later = true,
	 .help = "DHCPv6 unique identifier."},
	{"address", CONFIG_IP4, AT(config_device, address),
	 .help = "The address it always gets and nobody else does. Its name resolves at once, also "
		 "while it is off."},
	{"address6", CONFIG_IP6, AT(config_device, address6), .later = true,
	 .help = "The same for IPv6."},
	{"tags", CONFIG_TEXT, LIST(config_device, tags), .max = CONFIG_LABEL_MAX,
	 .help = "Words that a class can ask for."},
	{"option", CONFIG_OPTIONS, MANY(config_device, option),
	 .help = "DHCP options, over those of its class and lan."},
	{"boot", CONFIG_SECTION, AT(config_device, boot), .section = &boot_section,
	 .help = "What it boots from the network."},
	{"lease", CONFIG_DURATION, AT(config_device, lease_s), BETWEEN(1, YEAR), .forever = true,
	 .otherwise = "that of its lan", .help = "How long its leases last."},
};

static const struct config_section device_section = {
	.title = "device.NAME", .id = "device", OF(device_rows),
	 .size = sizeof(struct config_device),
	.name_kind = CONFIG_HOST,
	.help = "A known machine; NAME is its host name. At the top of the file it is known in "
		"every lan, inside a lan only there. Many of them are better kept in files: see "
		"devices.",
	.sample = "device:\n  nas: { mac: \"00:11:22:33:44:55\", address: 192.168.1.10 }",
};

static const struct config_row class_rows[] = {
	{"vendor", CONFIG_TEXT, LIST(config_class, vendor),
	 .help = "The vendor class (option 60) begins with this."},
	{"user-class", CONFIG_TEXT, LIST(config_class, user_class),
	 .help = "The user class (option 77) is this."},
	{"arch", CONFIG_ARCH, LIST(config_class, arch), .words = arch_words,
	 .help = "Firmware (option 93): a number, or a word as in boot."},
	{"circuit-id", CONFIG_BYTES, LIST(config_class, circuit_id), .max = CONFIG_ID_MAX,
	 .help = "The relay's circuit-id (option 82), as text or as 00:01:02."},
	{"remote-id", CONFIG_BYTES, LIST(config_class, remote_id), .max = CONFIG_ID_MAX,
	 .help = "The relay's remote-id (option 82), as text or as 00:01:02."},
	{"mac", CONFIG_MAC_PREFIX, LIST(config_class, mac),
	 .help = "The hardware address begins with this: 00:11:22."},
	{"tag", CONFIG_TEXT, LIST(config_class, tag), .max = CONFIG_LABEL_MAX,
	 .help = "The device has this tag."},
	{"local-mac", CONFIG_WORD, AT(config_class, local_mac), .preset = "either",
	 .words = local_words,
	 .help = "The hardware address is (or with no: is not) a locally administered one, as "
		 "telephones make up."},
	{"pool", CONFIG_RANGE4, LIST(config_class, pool), .otherwise = "that of the lan",
	 .help = "Addresses for this class; the others do not get them."},
	{"lease", CONFIG_DURATION, AT(config_class, lease_s), BETWEEN(1, YEAR), .forever = true,
	 .otherwise = "that of the lan", .help = "How long their leases last."},
	{"option", CONFIG_OPTIONS, MANY(config_class, option),
	 .help = "DHCP options, over those of the lan."},
	{"boot", CONFIG_SECTION, AT(config_class, boot), .section = &boot_section,
	 .help = "What they boot from the network."},
	{"ignore", CONFIG_BOOL, AT(config_class, ignore), NO, .help = "Do not answer them at all."},
};

static const struct config_section class_section = {
	.title = "class.NAME", .id = "class", OF(class_rows), .size = sizeof(struct config_class),
	.name_kind = CONFIG_LABEL,
	.help = "Clients that look alike and what they get. All conditions that are given must "
		"match; of a list, one. At the top of the file a class holds in every lan.",
	.sample = "class:\n  phones: { vendor: \"android-dhcp\", lease: 2h }",
};

static const struct config_row lan_rows[] = {
	{"interface", CONFIG_IFACE, AT(config_lan, interface), .otherwise = "NAME",
	 .help = "The network interface this lan is on. It may be missing, come late or change: "
		 "the kernel tells us."},
	{"relay", CONFIG_IP, LIST(config_lan, relay),
	 .help = "Addresses of relays that bring this lan's packets: matched against giaddr, the "
		 "source, or the IPv6 link-address. With relays and no interface called NAME the "
		 "lan is reached through them only."},
	{"subnet", CONFIG_PREFIX4, AT(config_lan, subnet), .help = "Its IPv4 network."},
	{"pool", CONFIG_RANGE4, LIST(config_lan, pool), .otherwise = "none: known devices only",
	 .help = "Addresses to lend, first-last."},
	{"router", CONFIG_IP4, AT(config_lan, router), .otherwise = "none is announced",
	 .help = "The default gateway clients are told."},
	{"domain", CONFIG_DOMAIN, AT(config_lan, domain), .otherwise = "the top domain",
	 .help = "Domain of the names on this lan."},
	{"dns", CONFIG_IP, LIST(config_lan, dns), .otherwise = "the address the packet reached",
	 .help = "Name servers clients are told."},
	{"lease", CONFIG_DURATION, AT(config_lan, lease_s), .preset = "12h", BETWEEN(1, YEAR),
	 .forever = true, .help = "How long a lease lasts when the client asks for no time."},
	{"min-lease", CONFIG_DURATION, AT(config_lan, min_lease_s), BETWEEN(1, YEAR),
	 .forever = true,
	 .otherwise = "2m, or lease when that is shorter",
	 .help = "A client that asks for less gets this."},
	{"max-lease", CONFIG_DURATION, AT(config_lan, max_lease_s), BETWEEN(1, YEAR),
	 .forever = true,
	 .otherwise = "lease", .help = "A client that asks for more gets this."},
	{"device", CONFIG_MAP, MANY(config_lan, device), .max = CONFIG_ENTRIES_MAX,
	 .section = &device_section, .help = "Machines known on this lan."},
	{"option", CONFIG_OPTIONS, MANY(config_lan, option),
	 .help = "DHCP options by name or number: see OPTIONS."},
	{"boot", CONFIG_SECTION, AT(config_lan, boot), .section = &boot_section,
	 .help = "What machines boot from the network."},
	{"class", CONFIG_MAP, MANY(config_lan, class), .max = CONFIG_ENTRIES_MAX,
	 .section = &class_section, .help = "Classes of this lan."},
	{"probe", CONFIG_BOOL, AT(config_lan, probe), YES,
	 .help = "See that an address is free, by ARP or ping, before it is lent. Nobody else "
		 "waits meanwhile."},
	{"rapid-commit", CONFIG_BOOL, AT(config_lan, rapid_commit), YES,
	 .help = "Lend in two messages to clients that ask for it (RFC 4039)."},
	{"authoritative", CONFIG_BOOL, AT(config_lan, authoritative), YES,
	 .help = "Refuse addresses of other networks at once, so that a moved client is quick."},
	{"prefix", CONFIG_PREFIX6, AT(config_lan, prefix), .later = true,
	 .help = "Its IPv6 network."},
	{"pool6", CONFIG_RANGE6, LIST(config_lan, pool6), .later = true,
	 .help = "IPv6 addresses to lend, first-last."},
	{"pd", CONFIG_PD, LIST(config_lan, pd), .later = true,
	 .help = "IPv6 prefixes to delegate: \"fd00:1::/48 to 64\"."},
	{"ra", CONFIG_BOOL, AT(config_lan, ra), .later = true,
	 .otherwise = "yes where a prefix is given",
	 .help = "Send router advertisements."},
	{"managed", CONFIG_BOOL, AT(config_lan, managed), .later = true,
	 .otherwise = "yes where a pool6 is given",
	 .help = "Tell clients in router advertisements to ask DHCPv6 for an address."},
};

static const struct config_section lan_section = {
	.title = "lan.NAME", .id = "lan", OF(lan_rows), .size = sizeof(struct config_lan),
	.name_kind = CONFIG_LABEL,
	.help = "A network we give addresses on. NAME is the interface unless interface names it.",
	.sample = "lan:\n  br0:\n    subnet: 192.168.1.0/24\n"
		  "    pool: [ 192.168.1.100-192.168.1.199 ]\n    router: 192.168.1.1",
};

static const struct config_row network_rows[] = {
	{"lans", CONFIG_LABEL, LIST(config_network, lans), .required = true,
	 .help = "Names of the lans that share the wire."},
};

static const struct config_section network_section = {
	.title = "network.NAME", .id = "network", OF(network_rows),
	.size = sizeof(struct config_network), .name_kind = CONFIG_LABEL,
	.help = "Lans that share one wire: a client may get an address of any of them.",
	.sample = "network:\n  upstairs: { lans: [ br0, br0-old ] }",
};

static const struct config_row dns_rows[] = {
	{"listen", CONFIG_IP_PORT, LIST(config_dns, listen), .port = 53,
	 .otherwise = "loopback and every lan address",
	 .help = "Where we answer, over UDP and TCP. 0.0.0.0 and [::] mean every address."},
	{"workers", CONFIG_INT, AT(config_dns, workers), BETWEEN(1, CONFIG_WORKERS_MAX), RESTART,
	 .otherwise = "the number of cores, at most 4", .help = "Threads that answer DNS."},
	{"cache-size", CONFIG_SIZE, AT(config_dns, cache_size), .preset = "128M", BETWEEN(MIB,
	 256 * GIB),
	 RESTART, .help = "Memory for the caches of answers and records."},
	{"allow", CONFIG_PREFIX, LIST(config_dns, allow),
	 .otherwise = "loopback, connected networks, every lan",
	 .help = "Who may ask. Everybody else gets no answer."},
	{"root-hints", CONFIG_PATH, AT(config_dns, root_hints), .otherwise = "built in",
	 .help = "File that names the root servers."},
	{"trust-anchors", CONFIG_PATH, LIST(config_dns, trust_anchors),
	 .otherwise = "built in, both root keys of 2026",
	 .help = "Files with DS or DNSKEY records to trust."},
	{"validate", CONFIG_BOOL, AT(config_dns, validate), YES,
	 .help = "Check signatures (DNSSEC); what fails is an error and never an answer."},
	{"qname-minimisation", CONFIG_BOOL, AT(config_dns, qname_minimisation), YES,
	 .help = "Tell each server no more of a name than it needs (RFC 9156)."},
	{"case-randomisation", CONFIG_BOOL, AT(config_dns, case_randomisation), YES,
	 .help = "Ask in random letter case, so that answers are harder to forge."},
	{"prefetch", CONFIG_BOOL, AT(config_dns, prefetch), YES,
	 .help = "Renew answers in use shortly before they end."},
	{"serve-stale", CONFIG_DURATION, AT(config_dns, serve_stale_s), .preset = "1d",
	 BETWEEN(0, 7 * DAY), .off = true,
	 .help = "How long an expired answer may still serve when no server can be reached (RFC "
		 "8767)."},
	{"rebind-protection", CONFIG_BOOL, AT(config_dns, rebind_protection), YES,
	 .help = "Remove private addresses from answers of public names."},
	{"rebind-allow", CONFIG_DOMAIN, LIST(config_dns, rebind_allow),
	 .help = "Domains that may answer with private addresses."},
	{"min-ttl", CONFIG_DURATION, AT(config_dns, min_ttl_s), .preset = "0", BETWEEN(0, HOUR),
	 .off = true, .help = "Keep answers at least this long, against their owner's wish."},
	{"max-ttl", CONFIG_DURATION, AT(config_dns, max_ttl_s), .preset = "1d", BETWEEN(1, 7 * DAY),
	 .help = "Keep answers at most this long."},
	{"max-negative-ttl", CONFIG_DURATION, AT(config_dns, max_negative_ttl_s), .preset = "1h",
	 BETWEEN(0, DAY), .help = "Keep the news that a name does not exist at most this long."},
	{"ipv4", CONFIG_BOOL, AT(config_dns, ipv4), YES, .help = "Ask servers over IPv4."},
	{"ipv6", CONFIG_BOOL, AT(config_dns, ipv6), YES, .help = "Ask servers over IPv6."},
	{"negative-trust-anchors", CONFIG_DOMAIN, LIST(config_dns, negative_trust_anchors),
	 .help = "Domains whose signatures are known to be broken and are not checked (RFC "
		 "7646)."},
	{"ratelimit", CONFIG_INT, AT(config_dns, ratelimit), .preset = "off", BETWEEN(1, 1000000),
	 .off = true, .later = true, .help = "Queries a second that one client may ask."},
	{"outgoing", CONFIG_IP, LIST(config_dns, outgoing), .otherwise = "the kernel chooses", RESTART,
	 .help = "Source addresses to ask from. When one family is named the other stays usable."},
	{"edns-size", CONFIG_INT, AT(config_dns, edns_size), .preset = "1232", BETWEEN(512, 4096),
	 .help = "Largest UDP answer we ask for and send; 1232 never meets fragments (RFC 9715)."},
	{"cookies", CONFIG_BOOL, AT(config_dns, cookies), YES,
	 .help = "DNS cookies, both ways (RFC 7873)."},
	{"minimal-responses", CONFIG_BOOL, AT(config_dns, minimal_responses), YES,
	 .help = "Leave out records that were not asked for."},
	{"log-queries", CONFIG_BOOL, AT(config_dns, log_queries), NO,
	 .help = "Log each query. Lines are dropped rather than answers delayed."},
	{"prime", CONFIG_BOOL, AT(config_dns, prime), YES,
	 .help = "For laboratories: ask the root for its servers at start (RFC 9609)."},
	{"anchor-updates", CONFIG_BOOL, AT(config_dns, anchor_updates), YES, .later = true,
	 .help = "For laboratories: follow changes of the root key (RFC 5011)."},
	{"special-zones", CONFIG_BOOL, AT(config_dns, special_zones), YES,
	 .help = "For laboratories: answer special-use names here (RFC 6761 and 6303)."},
	{"harden-glue", CONFIG_BOOL, AT(config_dns, harden_glue), YES,
	 .help = "For laboratories: believe only addresses of name servers inside the delegated "
		 "zone."},
	{"query-localhost", CONFIG_BOOL, AT(config_dns, query_localhost), NO,
	 .help = "For laboratories: ask servers on 127.0.0.0/8 and ::1 too."},
	{"signature-skew", CONFIG_DURATION, AT(config_dns, signature_skew_s), .preset = "1h",
	 BETWEEN(0, 7 * DAY), .help = "For laboratories: how wrong our clock may be when "
	 "signatures "
				      "are judged."},
	{"cache-clock", CONFIG_WORD, AT(config_dns, cache_clock), .preset = "monotonic",
	 .words = clock_words, RESTART, .later = true,
	 .help = "For laboratories: the clock that ages the cache; wall lets libfaketime do it."},
};

static const struct config_section dns_section = {
	.title = "dns", .id = "dns", OF(dns_rows), .size = sizeof(struct config_dns),
	.help = "The resolver.",
	.sample = "dns:\n  listen: [ \"0.0.0.0:53\", \"[::]:53\" ]\n  cache-size: 256M",
};

static const struct config_row forward_rows[] = {
	{"to", CONFIG_IP_PORT, LIST(config_forward, to), .port = 53, .required = true,
	 .help = "Resolvers to ask, as address or address:port."},
	{"validate", CONFIG_BOOL, AT(config_forward, validate),
	 .otherwise = "yes; no where all of to are private addresses",
	 .help = "Check signatures of what they answer."},
};

static const struct config_section forward_section = {
	.title = "forward.NAME", .id = "forward", OF(forward_rows),
	.size = sizeof(struct config_forward), .name_kind = CONFIG_DOMAIN,
	.help = "Questions for NAME and all beneath it go to other resolvers. \".\" makes us a "
		"forwarder for everything. Private addresses are fine in what they answer.",
	.sample = "forward:\n  corp.example: { to: [ 10.0.0.53, \"10.0.0.54:5353\" ] }",
};

static const struct config_row stub_rows[] = {
	{"to", CONFIG_IP_PORT, LIST(config_stub, to), .port = 53, .required = true,
	 .help = "The authoritative servers, as address or address:port."},
};

static const struct config_section stub_section = {
	.title = "stub.NAME", .id = "stub", OF(stub_rows), .size = sizeof(struct config_stub),
	.name_kind = CONFIG_DOMAIN,
	.help = "The authoritative servers of zone NAME, asked as a resolver asks (forward: as a "
		"client asks). Private addresses are fine in what they answer.",
	.sample = "stub:\n  lab.example: { to: 10.0.0.2 }",
};

static const struct config_row record_rows[] = {
	{"a", CONFIG_IP4, LIST(config_record, a), .help = "IPv4 addresses."},
	{"aaaa", CONFIG_IP6, LIST(config_record, aaaa), .help = "IPv6 addresses."},
	{"cname", CONFIG_DOMAIN, AT(config_record, cname),
	 .help = "The name this one stands for; then nothing else may be given."},
	{"mx", CONFIG_TEXT, LIST(config_record, mx), .max = CONFIG_TEXT_MAX,
	 .help = "Mail servers: \"10 mail.home.arpa\"."},
	{"txt", CONFIG_TEXT, LIST(config_record, txt), .max = CONFIG_TEXT_MAX,
	 .help = "Texts, each a record of its own."},
	{"srv", CONFIG_TEXT, LIST(config_record, srv), .max = CONFIG_TEXT_MAX,
	 .help = "Services: \"PRIORITY WEIGHT PORT TARGET\"."},
	{"caa", CONFIG_TEXT, LIST(config_record, caa), .max = CONFIG_TEXT_MAX,
	 .help = "Who may issue certificates: 0 issue \"ca.example\"."},
	{"ptr", CONFIG_PTR, AT(config_record, ptr), YES,
	 .help = "yes: addresses of a and aaaa resolve back to this name; no: they do not. A name: "
		 "this name (then a reverse one) resolves to it."},
	{"ttl", CONFIG_DURATION, AT(config_record, ttl_s), .preset = "5m", BETWEEN(0, 7 * DAY),
	 .help = "How long others may keep the answer."},
	{"rr", CONFIG_RR, LIST(config_record, rr), .max = CONFIG_TEXT_MAX,
	 .help = "Any other type in its text form: \"SSHFP 4 2 123456...\"."},
};

static const struct config_section record_section = {
	.title = "record.NAME", .id = "record", OF(record_rows),
	.size = sizeof(struct config_record), .name_kind = CONFIG_OWNER,
	.help = "Records we own. \"*.NAME\" stands for every name beneath NAME that has nothing "
		"else.",
	.sample = "record:\n  \"*.apps.home.arpa\": { a: 192.168.1.10 }",
};

static const struct config_row boot_top_rows[] = {
	{"root", CONFIG_PATH, AT(config_boot_top, root), .otherwise = "nothing is served",
	 .help = "The folder whose files TFTP (port 69) and HTTP hand out. Nothing outside is "
		 "reachable, also not by links."},
	{"http", CONFIG_BOOL, AT(config_boot_top, http), YES, .later = true, RESTART,
	 .help = "Serve it over HTTP too, on port 80 of the lan addresses; a taken port warns."},
	{"clients", CONFIG_PREFIX, LIST(config_boot_top, clients), .otherwise = "the lans",
	 .help = "Who may fetch."},
};

static const struct config_section boot_top_section = {
	.title = "boot (top)", .id = "boot-top", OF(boot_top_rows),
	.size = sizeof(struct config_boot_top),
	.help = "Serving boot files. Which machine gets which is said in the boot of a lan, class "
		"or device.",
	.sample = "boot: { root: /srv/boot }",
};

static const struct config_row block_rows[] = {
	{"lists", CONFIG_PATH, LIST(config_block, lists),
	 .help = "Files of names: plain, as hosts lines, or as ||name^. A name stands for all "
		 "beneath."},
	{"allow", CONFIG_DOMAIN, LIST(config_block, allow), .help = "Names that are never "
	 "blocked."},
	{"answer", CONFIG_WORD, AT(config_block, answer), .preset = "nxdomain",
	 .words = answer_words,
	 .help = "What is answered: nxdomain (no such name), null (0.0.0.0 and ::), refused."},
};

static const struct config_section block_section = {
	.title = "block", .id = "block", OF(block_rows), .size = sizeof(struct config_block),
	.help = "Names that shall not resolve.",
	.sample = "block: { lists: [ /etc/lanthorn/ads.txt ], answer: nxdomain }",
};

static const struct config_row http_rows[] = {
	{"listen", CONFIG_IP_PORT, AT(config_http, listen), .port = 8053, RESTART,
	 .otherwise = "none", .help = "Where the HTTP API and the dashboard listen."},
};

static const struct config_section http_section = {
	.title = "http", .id = "http", OF(http_rows), .size = sizeof(struct config_http),
	.help = "The HTTP API.", .sample = "http: { listen: \"127.0.0.1:8053\" }",
};

static const struct config_row log_rows[] = {
	{"level", CONFIG_WORD, AT(config_log, level), .preset = "info", .words = level_words,
	 .help = "The least important lines that are written."},
	{"to", CONFIG_PATH, AT(config_log, to), .words = log_words,
	 .otherwise = "stderr with -f, else syslog", .help = "stderr, syslog or a file."},
};

static const struct config_section log_section = {
	.title = "log", .id = "log", OF(log_rows), .size = sizeof(struct config_log),
	.help = "The log. Each line has an ID; doc/messages.md tells its cause and remedy.",
	.sample = "log: { level: info, to: syslog }",
};

static const struct config_row top_rows[] = {
	{"state-dir", CONFIG_PATH, AT(config, state_dir), .preset = "/var/lib/lanthorn", RESTART,
	 .help = "Leases, cache image, last good configuration and the control socket. Made with "
		 "its parents when missing."},
	{"domain", CONFIG_DOMAIN, AT(config, domain), .preset = "home.arpa",
	 .help = "The domain of this network. We alone answer for it."},
	{"user", CONFIG_TEXT, AT(config, user), .preset = "lanthorn", RESTART,
	 .max = CONFIG_LABEL_MAX,
	 .help = "Run as this user once ports are open; none keeps the caller's identity."},
	{"sandbox", CONFIG_BOOL, AT(config, sandbox), YES, RESTART,
	 .help = "Lock the process down with seccomp and Landlock."},
	{"log", CONFIG_SECTION, AT(config, log), .section = &log_section, .help = "The log."},
	{"include", CONFIG_PATH, LIST(config, include),
	 .help = "More files of this kind. They add: maps are merged, lists are joined, and one "
		 "value given twice is an error. Relative paths start at the main file's folder."},
	{"dns", CONFIG_SECTION, AT(config, dns), .section = &dns_section, .help = "The resolver."},
	{"forward", CONFIG_MAP, MANY(config, forward), .max = CONFIG_ENTRIES_MAX,
	 .section = &forward_section, .help = "Domains that other resolvers answer."},
	{"stub", CONFIG_MAP, MANY(config, stub), .max = CONFIG_ENTRIES_MAX,
	 .section = &stub_section,
	 .help = "Zones whose servers are named here."},
	{"hosts", CONFIG_PATH, LIST(config, hosts),
	 .help = "Files of \"ADDRESS NAME [ALIAS...]\" lines, watched while we run."},
	{"devices", CONFIG_PATH, LIST(config, devices),
	 .help = "Files of \"MAC-or-client-id ADDRESS NAME [TAG...]\" lines, watched while we "
		 "run."},
	{"record", CONFIG_MAP, MANY(config, record), .max = CONFIG_ENTRIES_MAX,
	 .section = &record_section, .help = "Records we own."},
	{"lan", CONFIG_MAP, MANY(config, lan), .max = CONFIG_LANS_MAX, .section = &lan_section,
	 .help = "Networks we give addresses on."},
	{"network", CONFIG_MAP, MANY(config, network), .max = CONFIG_LANS_MAX,
	 .section = &network_section, .help = "Lans that share one wire."},
	{"class", CONFIG_MAP, MANY(config, class), .max = CONFIG_ENTRIES_MAX,
	 .section = &class_section, .help = "Classes of every lan."},
	{"device", CONFIG_MAP, MANY(config, device), .max = CONFIG_ENTRIES_MAX,
	 .section = &device_section, .help = "Machines known on every lan."},
	{"boot", CONFIG_SECTION, AT(config, boot), .section = &boot_top_section,
	 .help = "Serving boot files."},
	{"block", CONFIG_SECTION, AT(config, block), .section = &block_section, .later = true,
	 .help = "Names that shall not resolve."},
	{"http", CONFIG_SECTION, AT(config, http), .section = &http_section, .later = true,
	 .help = "The HTTP API."},
};

const struct config_section config_schema = {
	.title = "", .id = "top", OF(top_rows), .size = sizeof(struct config),
	.help = "At the top of the file.",
	.sample = "domain: home.arpa\nhosts: [ /etc/lanthorn/hosts ]",
};

/* clang-format on */

const struct config_row *config_schema_get(const struct config_section *s, const char *key)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (strcmp(s->rows[i].key, key) == 0)
			return &s->rows[i];
	return NULL;
}

const char *config_schema_near(const struct config_section *s, const char *key)
{
	const char *best = NULL;
	unsigned limit = config_near_limit(key);

	for (size_t i = 0; i < s->n_rows; i++) {
		unsigned d = config_near(key, s->rows[i].key, limit);

		if (d > limit)
			continue;
		best = s->rows[i].key;
		if (d == 0)
			break;
		limit = d - 1;
	}
	return best;
}

/* In the order of the file, so that the plainest place is named. */
static const char *schema_find_title(
	const struct config_section *in, const struct config_section *except, const char *key)
{
	const char *title = NULL;

	if (in != except && config_schema_get(in, key))
		return in->title;
	for (size_t i = 0; i < in->n_rows && !title; i++)
		if (in->rows[i].section)
			title = schema_find_title(in->rows[i].section, except, key);
	return title;
}

const char *config_schema_elsewhere(const struct config_section *s, const char *key)
{
	return schema_find_title(&config_schema, s, key);
}
