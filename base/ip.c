/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static const uint8_t IP_MAPPED[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */
static const uint8_t IP_NAT64[12] = {0x00, 0x64, 0xff, 0x9b};	 /* 64:ff9b::/96 */

struct ip ip_from4(uint32_t addr_host_order)
{
	return (struct ip){
		.family = AF_INET,
		.bytes = {(uint8_t)(addr_host_order >> 24), (uint8_t)(addr_host_order >> 16),
			(uint8_t)(addr_host_order >> 8), (uint8_t)addr_host_order},
	};
}

uint32_t ip_to4(const struct ip *ip)
{
	const uint8_t *b = ip->bytes;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct ip ip_from6(const uint8_t bytes[16])
{
	struct ip ip = {.family = AF_INET6};

	memcpy(ip.bytes, bytes, 16);
	return ip;
}

size_t ip_len(const struct ip *ip)
{
	return ip->family == AF_INET ? 4 : ip->family == AF_INET6 ? 16 : 0;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool ip_port_equal(const struct ip_port *a, const struct ip_port *b)
{
	return a->port == b->port && a->scope_id == b->scope_id && ip_equal(&a->ip, &b->ip);
}

/* Decimal digits only, no sign, no space; at most max. */
static int ip_number_read(const char *text, size_t len, uint32_t max, uint32_t *out)
{
	uint32_t n = 0;

	if (len == 0 || len > 9)
		return ERR_MALFORMED;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return ERR_MALFORMED;
		n = n * 10 + (uint32_t)(text[i] - '0');
	}
	if (n > max)
		return ERR_RANGE;
	*out = n;
	return 0;
}

/* The first len bytes of text as an address. */
static int ip_read_part(const char *text, size_t len, struct ip *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct ip ip = {0};

	if (len == 0 || len >= sizeof(copy))
		return ERR_MALFORMED;
	memcpy(copy, text, len);
	copy[len] = '\0';
	ip.family = strchr(copy, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(ip.family, copy, ip.bytes) != 1)
		return ERR_MALFORMED;
	*out = ip;
	return 0;
}

int ip_read(const char *text, struct ip *out)
{
	return ip_read_part(text, strlen(text), out);
}

/* Zeroes the bits of ip past len. */
static struct ip ip_network(const struct ip *ip, unsigned len)
{
	struct ip net = *ip;

	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = len > i * 8 ? len - i * 8 : 0;

		if (kept < 8)
			net.bytes[i] &= (uint8_t)(0xff00 >> kept);
	}
	return net;
}

int ip_prefix_read(const char *text, struct ip_prefix *out)
{
	const char *slash = strchr(text, '/');
	struct ip ip, net;
	uint32_t len;
	int err;

	err = ip_read_part(text, slash ? (size_t)(slash - text) : strlen(text), &ip);
	if (err < 0)
		return err;
	len = (uint32_t)ip_len(&ip) * 8;
	if (slash) {
		err = ip_number_read(slash + 1, strlen(slash + 1), len, &len);
		if (err < 0)
			return err;
	}
	net = ip_network(&ip, len);
	if (!ip_equal(&net, &ip))
		return ERR_RANGE;
	*out = (struct ip_prefix){.ip = ip, .len = (uint8_t)len};
	return 0;
}

/* "%br0" or "%3" between `from` and `end`. */
static int ip_scope_read(const char *from, const char *end, uint32_t *out)
{
	char name[IF_NAMESIZE];
	size_t len = (size_t)(end - from);
	unsigned index;

	if (ip_number_read(from, len, 999999999, out) == 0)
		return 0;
	if (len == 0 || len >= sizeof(name))
		return ERR_MALFORMED;
	memcpy(name, from, len);
	name[len] = '\0';
	index = if_nametoindex(name);
	if (index == 0)
		return ERR_ABSENT;
	*out = index;
	return 0;
}

/* An address with an optional scope, between `from` and `end`. */
static int ip_scoped_read(const char *from, const char *end, struct ip_port *out)
{
	const char *percent = memchr(from, '%', (size_t)(end - from));
	int err = ip_read_part(from, (size_t)((percent ? percent : end) - from), &out->ip);

	if (err == 0 && percent && out->ip.family != AF_INET6)
		err = ERR_MALFORMED;
	if (err == 0 && percent)
		err = ip_scope_read(percent + 1, end, &out->scope_id);
	return err;
}

int ip_port_read(const char *text, uint16_t default_port, struct ip_port *out)
{
	const char *end = text + strlen(text), *addr_end = end, *port = NULL, *colon;
	struct ip_port p = {.port = default_port};
	uint32_t number;
	int err;

	if (*text == '[') {
		addr_end = strchr(++text, ']');
		if (!addr_end || (addr_end[1] != '\0' && addr_end[1] != ':'))
			return ERR_MALFORMED;
		if (addr_end[1] == ':')
			port = addr_end + 2;
	} else {
		colon = strchr(text, ':');
		if (colon && !strchr(colon + 1, ':')) { /* one colon: a port after IPv4 */
			addr_end = colon;
			port = colon + 1;
		}
	}
	err = ip_scoped_read(text, addr_end, &p);
	if (err < 0)
		return err;
	if (*addr_end == ']' && p.ip.family != AF_INET6)
		return ERR_MALFORMED;
	if (port) {
		err = ip_number_read(port, (size_t)(end - port), UINT16_MAX, &number);
		if (err < 0)
			return err;
		p.port = (uint16_t)number;
	}
	*out = p;
	return 0;
}

int ip_range_read(const char *text, struct ip_range *out)
{
	const char *dash = strchr(text, '-');
	struct ip_range r;
	int err;

	err = ip_read_part(text, dash ? (size_t)(dash - text) : strlen(text), &r.first);
	if (err < 0)
		return err;
	r.last = r.first;
	if (dash) {
		err = ip_read(dash + 1, &r.last);
		if (err < 0)
			return err;
	}
	if (r.first.family != r.last.family || ip_compare(&r.first, &r.last) > 0)
		return ERR_RANGE;
	*out = r;
	return 0;
}

char *ip_format(const struct ip *ip, char *buf)
{
	if (!ip_len(ip) || !inet_ntop(ip->family, ip->bytes, buf, IP_TEXT_LEN))
		snprintf(buf, IP_TEXT_LEN, "none");
	return buf;
}

char *ip_prefix_format(const struct ip_prefix *p, char *buf)
{
	char addr[IP_TEXT_LEN];

	snprintf(buf, IP_TEXT_LEN, "%.45s/%u", ip_format(&p->ip, addr), p->len);
	return buf;
}

char *ip_port_format(const struct ip_port *p, char *buf)
{
	char addr[IP_TEXT_LEN];

	ip_format(&p->ip, addr);
	if (p->ip.family != AF_INET6)
		snprintf(buf, IP_TEXT_LEN, "%.45s:%u", addr, p->port);
	else if (p->scope_id)
		snprintf(buf, IP_TEXT_LEN, "[%.40s%%%u]:%u", addr, p->scope_id, p->port);
	else
		snprintf(buf, IP_TEXT_LEN, "[%.45s]:%u", addr, p->port);
	return buf;
}

static bool ip_bits_equal(const uint8_t *a, const uint8_t *b, unsigned len)
{
	unsigned whole = len / 8, rest = len % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

bool ip_prefix_has(const struct ip_prefix *p, const struct ip *ip)
{
	return p->ip.family == ip->family && ip_len(ip) != 0 &&
	       ip_bits_equal(p->ip.bytes, ip->bytes, p->len);
}

bool ip_range_has(const struct ip_range *r, const struct ip *ip)
{
	return r->first.family == ip->family && ip_compare(&r->first, ip) <= 0 &&
	       ip_compare(ip, &r->last) <= 0;
}

static bool ip_is_private4(const uint8_t b[4])
{
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64) || (b[0] == 169 && b[1] == 254) ||
	       b[0] == 127 || b[0] == 0;
}

bool ip_is_private(const struct ip *ip)
{
	static const uint8_t zero[15];
	const uint8_t *b = ip->bytes;

	if (ip->family == AF_INET)
		return ip_is_private4(b);
	if (ip->family != AF_INET6)
		return false;
	if (memcmp(b, IP_MAPPED, 12) == 0 || memcmp(b, IP_NAT64, 12) == 0)
		return ip_is_private4(b + 12);
	if (memcmp(b, zero, 15) == 0 && b[15] <= 1)
		return true; /* :: and ::1 */
	return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = {[15] = 1};

	if (ip->family == AF_INET)
		return ip->bytes[0] == 127;
	if (ip->family != AF_INET6)
		return false;
	if (memcmp(ip->bytes, IP_MAPPED, 12) == 0)
		return ip->bytes[12] == 127;
	return memcmp(ip->bytes, one, 16) == 0;
}

socklen_t ip_port_to_sockaddr(const struct ip_port *p, struct sockaddr_storage *out)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (p->ip.family == AF_INET) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(p->port);
		memcpy(&in4->sin_addr, p->ip.bytes, 4);
		return sizeof(*in4);
	}
	if (p->ip.family == AF_INET6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(p->port);
		in6->sin6_scope_id = p->scope_id;
		memcpy(&in6->sin6_addr, p->ip.bytes, 16);
		return sizeof(*in6);
	}
	return 0;
}

struct ip_port ip_port_from_sockaddr(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	struct ip_port p = {0};

	if (sa->ss_family == AF_INET) {
		p.ip.family = AF_INET;
		memcpy(p.ip.bytes, &in4->sin_addr, 4);
		p.port = ntohs(in4->sin_port);
	} else if (sa->ss_family == AF_INET6) {
		const uint8_t *b = in6->sin6_addr.s6_addr;

		p.port = ntohs(in6->sin6_port);
		if (memcmp(b, IP_MAPPED, 12) == 0) {
			p.ip.family = AF_INET;
			memcpy(p.ip.bytes, b + 12, 4);
		} else {
			p.ip = ip_from6(b);
			p.scope_id = in6->sin6_scope_id;
		}
	}
	return p;
}

uint64_t ip_hash(const struct hash_key *key, const struct ip *ip)
{
	_Static_assert(offsetof(struct ip, bytes) == 1, "family and bytes are hashed as one");
	return hash_bytes(key, ip, 1 + ip_len(ip));
}
