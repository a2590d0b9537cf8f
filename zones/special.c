/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/special.h"

#include "dns/dns_const.h"

#define NIBBLES_28 "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
#define LOOPBACK6  "1.0.0.0." NIBBLES_28 "ip6.arpa"

static const struct special ZONES[] = {
	/* RFC 6761 */
	{"localhost", SPECIAL_EMPTY},
	{"invalid", SPECIAL_ABSENT},
	{"test", SPECIAL_ABSENT},
	/* RFC 6762, 7686, 8375, 9476 */
	{"local", SPECIAL_ABSENT},
	{"onion", SPECIAL_ABSENT},
	{"home.arpa", SPECIAL_EMPTY},
	{"alt", SPECIAL_ABSENT},
	/* RFC 9462 6.1: nobody designates a resolver for us but we */
	{"resolver.arpa", SPECIAL_EMPTY},
	/* RFC 8880 7.1: without NAT64 the answer never changes */
	{"ipv4only.arpa", SPECIAL_EMPTY},
	{"170.0.0.192.in-addr.arpa", SPECIAL_EMPTY},
	{"171.0.0.192.in-addr.arpa", SPECIAL_EMPTY},
	/* The canary that browsers ask before they bypass the LAN's resolver. */
	{"use-application-dns.net", SPECIAL_ABSENT},
	/* RFC 6303 4.1, 4.2 */
	{"10.in-addr.arpa", SPECIAL_EMPTY},
	{"16.172.in-addr.arpa", SPECIAL_EMPTY},
	{"17.172.in-addr.arpa", SPECIAL_EMPTY},
	{"18.172.in-addr.arpa", SPECIAL_EMPTY},
	{"19.172.in-addr.arpa", SPECIAL_EMPTY},
	{"20.172.in-addr.arpa", SPECIAL_EMPTY},
	{"21.172.in-addr.arpa", SPECIAL_EMPTY},
	{"22.172.in-addr.arpa", SPECIAL_EMPTY},
	{"23.172.in-addr.arpa", SPECIAL_EMPTY},
	{"24.172.in-addr.arpa", SPECIAL_EMPTY},
	{"25.172.in-addr.arpa", SPECIAL_EMPTY},
	{"26.172.in-addr.arpa", SPECIAL_EMPTY},
	{"27.172.in-addr.arpa", SPECIAL_EMPTY},
	{"28.172.in-addr.arpa", SPECIAL_EMPTY},
	{"29.172.in-addr.arpa", SPECIAL_EMPTY},
	{"30.172.in-addr.arpa", SPECIAL_EMPTY},
	{"31.172.in-addr.arpa", SPECIAL_EMPTY},
	{"168.192.in-addr.arpa", SPECIAL_EMPTY},
	{"0.in-addr.arpa", SPECIAL_EMPTY},
	{"127.in-addr.arpa", SPECIAL_EMPTY},
	{"254.169.in-addr.arpa", SPECIAL_EMPTY},
	{"2.0.192.in-addr.arpa", SPECIAL_EMPTY},
	{"100.51.198.in-addr.arpa", SPECIAL_EMPTY},
	{"113.0.203.in-addr.arpa", SPECIAL_EMPTY},
	{"255.255.255.255.in-addr.arpa", SPECIAL_EMPTY},
	/* RFC 6303 4.3 to 4.6 */
	{"0.0.0.0." NIBBLES_28 "ip6.arpa", SPECIAL_EMPTY},
	{LOOPBACK6, SPECIAL_EMPTY},
	{"d.f.ip6.arpa", SPECIAL_EMPTY},
	{"8.e.f.ip6.arpa", SPECIAL_EMPTY},
	{"9.e.f.ip6.arpa", SPECIAL_EMPTY},
	{"a.e.f.ip6.arpa", SPECIAL_EMPTY},
	{"b.e.f.ip6.arpa", SPECIAL_EMPTY},
	{"8.b.d.0.1.0.0.2.ip6.arpa", SPECIAL_EMPTY},
};

static const struct special_record RECORDS[] = {
	/* RFC 6761 6.3: the names below it, too */
	{"localhost", DNS_TYPE_A, "127.0.0.1"},
	{"localhost", DNS_TYPE_AAAA, "::1"},
	{"*.localhost", DNS_TYPE_A, "127.0.0.1"},
	{"*.localhost", DNS_TYPE_AAAA, "::1"},
	{"1.0.0.127.in-addr.arpa", DNS_TYPE_PTR, "localhost"},
	{LOOPBACK6, DNS_TYPE_PTR, "localhost"},
	{"ipv4only.arpa", DNS_TYPE_A, "192.0.0.170"},
	{"ipv4only.arpa", DNS_TYPE_A, "192.0.0.171"},
	{"170.0.0.192.in-addr.arpa", DNS_TYPE_PTR, "ipv4only.arpa"},
	{"171.0.0.192.in-addr.arpa", DNS_TYPE_PTR, "ipv4only.arpa"},
};

#define N_ZONES	  (sizeof(ZONES) / sizeof(ZONES[0]))
#define N_SHARED  64 /* 64.100.in-addr.arpa .. 127.100.in-addr.arpa, RFC 7793 */
#define N_RECORDS (sizeof(RECORDS) / sizeof(RECORDS[0]))

/* Texts of the 64 zones of 100.64.0.0/10. */
#define SHARED(n)                                                                                  \
	{                                                                                          \
#n ".100.in-addr.arpa", SPECIAL_EMPTY                                              \
	}
#define SHARED8(a, b, c, d, e, f, g, h)                                                            \
	SHARED(a), SHARED(b), SHARED(c), SHARED(d), SHARED(e), SHARED(f), SHARED(g), SHARED(h)

static const struct special SHARED_SPACE[N_SHARED] = {
	SHARED8(64, 65, 66, 67, 68, 69, 70, 71),
	SHARED8(72, 73, 74, 75, 76, 77, 78, 79),
	SHARED8(80, 81, 82, 83, 84, 85, 86, 87),
	SHARED8(88, 89, 90, 91, 92, 93, 94, 95),
	SHARED8(96, 97, 98, 99, 100, 101, 102, 103),
	SHARED8(104, 105, 106, 107, 108, 109, 110, 111),
	SHARED8(112, 113, 114, 115, 116, 117, 118, 119),
	SHARED8(120, 121, 122, 123, 124, 125, 126, 127),
};

struct special special_get(size_t i)
{
	if (i < N_ZONES)
		return ZONES[i];
	if (i < N_ZONES + N_SHARED)
		return SHARED_SPACE[i - N_ZONES];
	return (struct special){0};
}

struct special_record special_record_get(size_t i)
{
	return i < N_RECORDS ? RECORDS[i] : (struct special_record){0};
}
