/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The configuration as one immutable object: typed fields for every key of lanthorn.yaml, read
 * once, never changed, freed whole. main, the workers and the reload job read it (any thread);
 * nobody writes it after config_load returns. What a key is called, its default, range and help
 * stand in config_schema.c and nowhere else.
 *
 * Every pointer in here lives as long as the config. Strings are UTF-8 without control characters;
 * domain names are lower case, without the trailing dot, "." for the root. An address of family 0,
 * a NULL string and a count of 0 mean "not given". Paths are absolute. A field that was written
 * in a file can be traced back to its place: config_where(c, &c->dns.workers).
 *
 * It never looks at the machine: interfaces, users and files that a key names are judged by those
 * who use them, who report trouble through config_report_add with config_where. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "daemon/config_report.h"

#define CONFIG_PATH_DEFAULT "/etc/lanthorn/lanthorn.yaml"
#define CONFIG_INFINITE	    UINT32_MAX /* a lease that never ends */

enum config_answer { CONFIG_ANSWER_NXDOMAIN, CONFIG_ANSWER_NULL, CONFIG_ANSWER_REFUSED };
enum config_clock { CONFIG_CLOCK_MONOTONIC, CONFIG_CLOCK_WALL };
enum config_log_level { CONFIG_LOG_ERROR, CONFIG_LOG_WARN, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };

/* class.arch: below 65536 one exact number of option 93, else all that the word stands for in
 * `boot` (RFC 4578 and the IANA list). */
enum config_arch {
	CONFIG_ARCH_BIOS = 0x10000,
	CONFIG_ARCH_UEFI_IA32,
	CONFIG_ARCH_UEFI,
	CONFIG_ARCH_UEFI_ARM64,
	CONFIG_ARCH_HTTP,
};

/* class.local-mac: does it matter whether the MAC is a locally administered (made up) one? */
enum config_local_mac { CONFIG_LOCAL_EITHER, CONFIG_LOCAL_YES, CONFIG_LOCAL_NO };

struct config_bytes {
	const uint8_t *data;
	size_t len;
};

struct config_mac {
	uint8_t bytes[6];
};

struct config_mac_prefix {
	uint8_t bytes[6];
	uint8_t len; /* bytes that must match, 1..6 */
};

struct config_pd {
	struct ip_prefix prefix;
	uint8_t len; /* length of each delegated prefix, > prefix.len */
};

/* One DHCPv4 option, encoded. len 0: never send it, also not by default. */
struct config_option {
	uint8_t code; /* 1..254 */
	bool force;   /* send it though the client did not ask */
	const uint8_t *data;
	size_t len;
};

/* Firmware to boot file; NULL where none. ipxe, http, http6: a file below boot.root or a URL. */
struct config_boot {
	const char *bios;
	const char *uefi;
	const char *uefi_ia32;
	const char *uefi_arm64;
	const char *http;
	const char *http6; /* NULL: as http */
	const char *ipxe;
	struct ip server; /* family 0: ourselves */
	bool proxy;
};

struct config_device {
	const char *name; /* host name, lower case */
	struct config_mac *mac;
	size_t n_mac;
	struct config_bytes client_id; /* as on the wire, with the type byte if it was given */
	struct config_bytes duid;
	struct ip address;
	struct ip address6;
	const char **tags;
	size_t n_tags;
	struct config_option *option;
	size_t n_option;
	struct config_boot boot;
	uint32_t lease_s; /* 0: the lan's */
};

/* Every condition that is given must match; within one list any will do. */
struct config_class {
	const char *name;
	const char **vendor; /* option 60 begins with */
	size_t n_vendor;
	const char **user_class;
	size_t n_user_class;
	uint32_t *arch; /* enum config_arch or a number */
	size_t n_arch;
	struct config_bytes *circuit_id;
	size_t n_circuit_id;
	struct config_bytes *remote_id;
	size_t n_remote_id;
	struct config_mac_prefix *mac;
	size_t n_mac;
	const char **tag;
	size_t n_tag;
	bool local_mac; /* only locally administered (random) MACs; config_is_set tells if it counts
			 */
	struct ip_range *pool;
	size_t n_pool;
	uint32_t lease_s; /* 0: the lan's */
	struct config_option *option;
	size_t n_option;
	struct config_boot boot;
	bool ignore; /* no answer at all */
};

struct config_lan {
	const char *name;
	const char *interface; /* never NULL: `interface`, else the name */
	struct ip *relay;
	size_t n_relay;
	struct ip_prefix subnet; /* IPv4; family 0: an IPv6-only lan */
	struct ip_range *pool;
	size_t n_pool;
	struct ip router;
	const char *domain; /* never NULL: the lan's or the top one */
	struct ip *dns;	    /* none: the address the packet reached */
	size_t n_dns;
	uint32_t lease_s;
	uint32_t min_lease_s;
	uint32_t max_lease_s;
	struct config_device *device;
	size_t n_device;
	struct config_option *option;
	size_t n_option;
	struct config_boot boot;
	struct config_class *class;
	size_t n_class;
	bool probe;
	bool rapid_commit;
	bool authoritative;
	struct ip_prefix prefix; /* IPv6 */
	struct ip_range *pool6;
	size_t n_pool6;
	struct config_pd *pd;
	size_t n_pd;
	bool ra;
	bool managed;
};

struct config_network {
	const char *name;
	const char **lans; /* names of struct config_lan, all known */
	size_t n_lans;
};

struct config_dns {
	struct ip_port *listen; /* none: loopback and every lan address, port 53 */
	size_t n_listen;
	uint32_t workers; /* 0: the number of cores, at most 4 */
	uint64_t cache_size;
	struct ip_prefix *allow; /* none: loopback, connected networks, every lan */
	size_t n_allow;
	const char *root_hints;	    /* NULL: built in */
	const char **trust_anchors; /* none: built in */
	size_t n_trust_anchors;
	bool validate;
	bool qname_minimisation;
	bool case_randomisation;
	bool prefetch;
	uint32_t serve_stale_s; /* 0: off */
	bool rebind_protection;
	const char **rebind_allow;
	size_t n_rebind_allow;
	uint32_t min_ttl_s;
	uint32_t max_ttl_s;
	uint32_t max_negative_ttl_s;
	bool ipv4;
	bool ipv6;
	const char **negative_trust_anchors;
	size_t n_negative_trust_anchors;
	uint32_t ratelimit; /* queries a second for each client; 0: off */
	struct ip *outgoing;
	size_t n_outgoing;
	uint32_t edns_size;
	bool cookies;
	bool minimal_responses;
	bool log_queries;
	/* for laboratories */
	bool prime;
	bool anchor_updates;
	bool special_zones;
	bool harden_glue;
	bool query_localhost;
	uint32_t signature_skew_s;
	enum config_clock cache_clock;
};

struct config_forward {
	const char *name; /* "." for everything */
	struct ip_port *to;
	size_t n_to; /* >= 1 */
	bool validate;
};

struct config_stub {
	const char *name;
	struct ip_port *to;
	size_t n_to; /* >= 1 */
};

/* ptr: from_addresses is the default: each a/aaaa gets its reverse name by itself. */
struct config_ptr {
	bool from_addresses;
	const char *target; /* NULL, or the record name itself owns a PTR to this name */
};

/* mx, srv, caa, txt are kept as the text the user wrote (txt: one string each); rr is
 * "TYPE rdata". Zones turns them into wire form and reports what it cannot. */
struct config_record {
	const char *name; /* may begin with "*." */
	struct ip *a;
	size_t n_a;
	struct ip *aaaa;
	size_t n_aaaa;
	const char *cname;
	const char **mx;
	size_t n_mx;
	const char **txt;
	size_t n_txt;
	const char **srv;
	size_t n_srv;
	const char **caa;
	size_t n_caa;
	struct config_ptr ptr;
	uint32_t ttl_s;
	const char **rr;
	size_t n_rr;
};

struct config_boot_top {
	const char *root; /* NULL: nothing is served */
	bool http;
	struct ip_prefix *clients; /* none: every lan */
	size_t n_clients;
};

struct config_block {
	const char **lists;
	size_t n_lists;
	const char **allow;
	size_t n_allow;
	enum config_answer answer;
};

struct config_http {
	struct ip_port listen; /* family 0: off */
};

struct config_log {
	enum config_log_level level;
	const char *to; /* "stderr", "syslog" or a path; NULL: stderr with -f, else syslog */
};

/* One file as it was read, main file first. path: absolute. */
struct config_source {
	const char *path;
	const char *text;
	size_t len;
};

struct config {
	const char *state_dir;
	const char *domain;
	const char *user; /* "none": keep the caller's identity */
	bool sandbox;
	struct config_log log;
	struct config_dns dns;
	struct config_forward *forward;
	size_t n_forward;
	struct config_stub *stub;
	size_t n_stub;
	const char **hosts;
	size_t n_hosts;
	const char **devices;
	size_t n_devices;
	struct config_record *record;
	size_t n_record;
	struct config_lan *lan;
	size_t n_lan;
	struct config_network *network;
	size_t n_network;
	struct config_class *class;
	size_t n_class;
	struct config_device *device;
	size_t n_device;
	struct config_boot_top boot;
	struct config_block block;
	struct config_http http;
	const char **include;
	size_t n_include;

	struct config_source *source; /* none for config_default; texts end with a NUL too */
	size_t n_source;
	struct config_store *store; /* memory and places of everything above */
};

/* Read a file and all it includes. 0 and *out when there is no error (warnings may be in rep);
 * else ERR_MALFORMED (rep tells all of it), or ERR_ABSENT, ERR_DENIED, ERR_IO for the file itself
 * (in rep too). rep: initialised by the caller; messages are added. Blocks on the disk. */
MUST_CHECK int config_load(const char *path, struct config **out, struct config_report *rep);
/* The same from memory; name stands in messages and its folder is where relative paths start.
 * An `include` reads from the disk. */
MUST_CHECK int config_load_text(const char *name, const char *text, size_t len, struct config **out,
	struct config_report *rep);
/* No file at all: a validating resolver on loopback. Never fails. */
struct config *config_default(void);
/* NULL allowed. */
void config_free(struct config *c);

/* The sources of c as one block of bytes to keep as the last good configuration, and back: an
 * image is read without touching the disk. *out_image is freed with xfree. */
void config_image_write(const struct config *c, uint8_t **out_image, size_t *out_len);
MUST_CHECK int config_image_load(
	const uint8_t *image, size_t len, struct config **out, struct config_report *rep);

/* Where the key behind a field, list element or map entry (pass the struct: &c->lan[0]) was
 * written; line 0 when it was not and the default holds. field: any address inside c's arrays
 * and structs. O(log n). The texts live as long as c. */
struct config_where config_where(const struct config *c, const void *field);
bool config_is_set(const struct config *c, const void *field);

/* Find by name (lower case); NULL when absent. Linear. */
const struct config_lan *config_get_lan(const struct config *c, const char *name);
