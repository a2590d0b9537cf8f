/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the DHCPv4 server is told: one immutable snapshot, filled by the daemon from its own
 * configuration and from what netlink says of the interfaces, handed over by server4_configure and
 * not touched until the next one replaced it. A changed interface means a new snapshot. Nothing in
 * here is copied: pointers must live as long as the snapshot. Addresses are host order, 0 none. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_MAC_LEN 6

struct dhcp_bytes {
	const uint8_t *data;
	size_t len;
};

/* One option to hand out, encoded. len 0: never send it, also not by default. */
struct dhcp_option {
	uint8_t code; /* 1..254 */
	bool force;   /* send it though the client did not ask */
	uint16_t len;
	const uint8_t *data;
};

/* Firmware to boot file; NULL where none. http and ipxe: a file below the boot root or a URL. */
struct dhcp_boot {
	const char *bios;
	const char *uefi; /* x64 */
	const char *uefi_ia32;
	const char *uefi_arm64;
	const char *http;
	const char *ipxe;
	uint32_t server; /* 0: the address the packet reached */
};

struct dhcp_range {
	uint32_t first, last; /* both included */
};

struct dhcp_mac {
	uint8_t bytes[DHCP_MAC_LEN];
};

struct dhcp_device {
	const char *name; /* host label, lower case; NULL: as the client asks */
	const struct dhcp_mac *macs;
	size_t n_macs;
	struct dhcp_bytes client_id; /* as on the wire, with the type byte */
	uint32_t address;	     /* 0: from the pool */
	const char *const *tags;
	size_t n_tags;
	const struct dhcp_option *options;
	size_t n_options;
	struct dhcp_boot boot;
	uint32_t lease_s; /* 0: the lan's */
};

/* A number of option 93, or all that a word of `boot` stands for. */
enum dhcp_arch {
	DHCP_ARCH_BIOS = 0x10000,
	DHCP_ARCH_UEFI_IA32,
	DHCP_ARCH_UEFI,
	DHCP_ARCH_UEFI_ARM64,
	DHCP_ARCH_HTTP,
};

struct dhcp_mac_prefix {
	uint8_t bytes[DHCP_MAC_LEN];
	uint8_t len; /* bytes that must match, 1..6 */
};

/* All conditions given must match; within one list any will do. */
struct dhcp_class {
	const char *name;
	const char *const *vendors; /* option 60 begins with */
	size_t n_vendors;
	const char *const *user_classes; /* option 77, whole value or one of its parts */
	size_t n_user_classes;
	const uint32_t *archs; /* enum dhcp_arch or a number */
	size_t n_archs;
	const struct dhcp_bytes *circuit_ids;
	size_t n_circuit_ids;
	const struct dhcp_bytes *remote_ids;
	size_t n_remote_ids;
	const struct dhcp_mac_prefix *macs;
	size_t n_macs;
	const char *const *tags; /* of the device */
	size_t n_tags;
	bool has_local_mac, local_mac;	/* locally administered MAC: counts where has_ is set */
	const struct dhcp_range *pools; /* none: the lan's */
	size_t n_pools;
	uint32_t lease_s; /* 0: the lan's */
	const struct dhcp_option *options;
	size_t n_options;
	struct dhcp_boot boot;
	bool ignore; /* no answer at all */
};

struct dhcp_lan {
	const char *name;
	uint32_t ifindex; /* 0: not there now, or reached through relays only */
	uint32_t address; /* our own on that interface; 0: none */
	uint16_t wire;	  /* lans with one number share a wire (network.NAME) */
	uint32_t subnet;
	uint8_t prefix_len; /* 1..32 */
	const struct dhcp_range *pools;
	size_t n_pools;
	uint32_t router;
	const char *domain;    /* "" or NULL: none */
	unsigned domain_index; /* of the lease zone, as zones/leasename counts them */
	const uint32_t *dns;   /* none: the address the packet reached */
	size_t n_dns;
	uint32_t lease_s;
	uint32_t min_lease_s;
	uint32_t max_lease_s; /* 0: lease_s */
	bool authoritative;
	bool rapid_commit;
	bool probe;
	const uint32_t *relays;
	size_t n_relays;
	const struct dhcp_device *devices;
	size_t n_devices;
	const struct dhcp_class *classes;
	size_t n_classes;
	const struct dhcp_option *options;
	size_t n_options;
	struct dhcp_boot boot;
};

struct dhcp_conf {
	const struct dhcp_lan *lans;
	size_t n_lans;
	const struct dhcp_device *devices; /* of every lan */
	size_t n_devices;
	const struct dhcp_class *classes; /* of every lan; a lan's own come first */
	size_t n_classes;
	const uint32_t *own; /* every address of ours: server ids we go by, never handed out */
	size_t n_own;
	const char *const *reserved; /* labels no client may have: our host name and the like */
	size_t n_reserved;
};

/* Whether addr lies in the lan's subnet. */
static inline bool dhcp_lan_has(const struct dhcp_lan *lan, uint32_t addr)
{
	uint32_t mask = lan->prefix_len ? ~(uint32_t)0 << (32 - lan->prefix_len) : 0;

	return ((addr ^ lan->subnet) & mask) == 0;
}

static inline uint32_t dhcp_lan_mask(const struct dhcp_lan *lan)
{
	return lan->prefix_len ? ~(uint32_t)0 << (32 - lan->prefix_len) : 0;
}
