/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Addresses, prefixes and address:port pairs of both families as plain values. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

#define IP_TEXT_LEN 64 /* longest text of any format function here, with the NUL */

/* family AF_INET: 4 bytes used, rest 0; AF_INET6: 16; 0: none. */
struct ip {
	uint8_t family;
	uint8_t bytes[16];
};

struct ip_port {
	struct ip ip;
	uint16_t port;	   /* host order */
	uint32_t scope_id; /* IPv6 link-local, else 0 */
};

struct ip_prefix {
	struct ip ip; /* host bits zero */
	uint8_t len;  /* bits */
};

struct ip_range {
	struct ip first, last; /* one family, first <= last, both included */
};

struct ip ip_from4(uint32_t addr_host_order);
uint32_t ip_to4(const struct ip *ip); /* host order; ip must be AF_INET */
struct ip ip_from6(const uint8_t bytes[16]);
size_t ip_len(const struct ip *ip); /* 4, 16 or 0 */
bool ip_equal(const struct ip *a, const struct ip *b);
int ip_compare(const struct ip *a, const struct ip *b); /* family, then bytes */
bool ip_port_equal(const struct ip_port *a, const struct ip_port *b);

/* Text both ways. read: the whole string must be the thing. An IPv6 scope
 * (%br0) is not accepted by ip_read. ip_port_read takes "1.2.3.4", "1.2.3.4:53",
 * "::1", "[::1]:53", and "*" parts are not known; default_port when none is given.
 * ip_range_read takes "a-b" or a single address. */
MUST_CHECK int ip_read(const char *text, struct ip *out);
MUST_CHECK int ip_prefix_read(
	const char *text, struct ip_prefix *out); /* plain address: host prefix;
						     host bits set: ERR_RANGE */
MUST_CHECK int ip_port_read(const char *text, uint16_t default_port, struct ip_port *out);
MUST_CHECK int ip_range_read(const char *text, struct ip_range *out);
/* All write a NUL-terminated text into buf (IP_TEXT_LEN) and return buf. */
char *ip_format(const struct ip *ip, char *buf);
char *ip_prefix_format(const struct ip_prefix *p, char *buf);
char *ip_port_format(const struct ip_port *p, char *buf); /* 1.2.3.4:53, [::1]:53 */

bool ip_prefix_has(const struct ip_prefix *p, const struct ip *ip);
bool ip_range_has(const struct ip_range *r, const struct ip *ip);
/* 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16, 127/8, 0/8, ::1, fc00::/7, fe80::/10 and
 * these inside ::ffff:0:0/96 and 64:ff9b::/96. */
bool ip_is_private(const struct ip *ip);
bool ip_is_loopback(const struct ip *ip); /* 127/8, ::1, ::ffff:127/104 */

/* To and from the kernel. to: returns the length to pass. from: a v4-mapped
 * IPv6 address becomes AF_INET. */
socklen_t ip_port_to_sockaddr(const struct ip_port *p, struct sockaddr_storage *out);
struct ip_port ip_port_from_sockaddr(const struct sockaddr_storage *sa);

struct hash_key;
uint64_t ip_hash(const struct hash_key *key, const struct ip *ip);
