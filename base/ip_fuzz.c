/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever text is read as an address, prefix, range or address:port is written and read back as
 * the same thing. */
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ip_fuzz_expect(bool is_true)
{
	if (!is_true)
		abort();
}

static void ip_fuzz_port(const char *text)
{
	struct ip_port p, q;
	struct sockaddr_storage sa;
	char back[IP_TEXT_LEN];

	if (ip_port_read(text, 53, &p) < 0)
		return;
	ip_fuzz_expect(ip_port_read(ip_port_format(&p, back), 1, &q) == 0);
	ip_fuzz_expect(ip_port_equal(&p, &q));
	ip_fuzz_expect(ip_port_to_sockaddr(&p, &sa) > 0);
	q = ip_port_from_sockaddr(&sa);
	ip_fuzz_expect(q.port == p.port && ip_is_private(&q.ip) == ip_is_private(&p.ip) &&
		       ip_is_loopback(&q.ip) == ip_is_loopback(&p.ip));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256], back[IP_TEXT_LEN];
	struct ip ip, ip_back;
	struct ip_prefix prefix, prefix_back;
	struct ip_range range;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (ip_read(text, &ip) == 0) {
		ip_fuzz_expect(ip_read(ip_format(&ip, back), &ip_back) == 0);
		ip_fuzz_expect(ip_equal(&ip, &ip_back));
	}
	if (ip_prefix_read(text, &prefix) == 0) {
		ip_fuzz_expect(ip_prefix_has(&prefix, &prefix.ip));
		ip_fuzz_expect(ip_prefix_read(ip_prefix_format(&prefix, back), &prefix_back) == 0);
		ip_fuzz_expect(ip_equal(&prefix.ip, &prefix_back.ip));
		ip_fuzz_expect(prefix.len == prefix_back.len);
	}
	if (ip_range_read(text, &range) == 0)
		ip_fuzz_expect(
			ip_range_has(&range, &range.first) && ip_range_has(&range, &range.last));
	ip_fuzz_port(text);
	return 0;
}
