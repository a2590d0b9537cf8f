/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds that are addresses, networks and identifiers. A complaint is left empty where the kind's
 * "expected ..." says it best. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"
#include "daemon/config_kind.h"
#include "daemon/config_limits.h"

static int read_family(struct config_value *v, uint8_t family, struct ip *out)
{
	struct ip ip;
	char quote[CONFIG_QUOTE_LEN];

	if (ip_read(v->text, &ip) < 0)
		return ERR_MALFORMED;
	if (family && ip.family != family)
		return config_complain(v, "%s is an %s address; an %s one is expected here",
			config_quote(v->text, quote), ip.family == AF_INET ? "IPv4" : "IPv6",
			family == AF_INET ? "IPv4" : "IPv6");
	*out = ip;
	return 0;
}

int config_read_ip(struct config_value *v, void *out)
{
	return read_family(v, 0, out);
}

int config_read_ip4(struct config_value *v, void *out)
{
	return read_family(v, AF_INET, out);
}

int config_read_ip6(struct config_value *v, void *out)
{
	return read_family(v, AF_INET6, out);
}

void config_write_ip(const struct config_row *row, const void *in, FILE *out)
{
	char buf[IP_TEXT_LEN];

	(void)row;
	fputs(ip_format(in, buf), out);
}

int config_read_ip_port(struct config_value *v, void *out)
{
	struct ip_port p = {.port = 0};
	char quote[CONFIG_QUOTE_LEN];

	if (ip_port_read(v->text, v->row->port, &p) < 0)
		return ERR_MALFORMED;
	if (p.port == 0)
		return config_complain(v, "%s has port 0", config_quote(v->text, quote));
	*(struct ip_port *)out = p;
	return 0;
}

void config_write_ip_port(const struct config_row *row, const void *in, FILE *out)
{
	char buf[IP_TEXT_LEN];

	(void)row;
	fputs(ip_port_format(in, buf), out);
}

/* The network an address with host bits lies in. */
static struct ip_prefix prefix_around(const struct ip *ip, unsigned len)
{
	struct ip_prefix p = {.ip = *ip, .len = (uint8_t)len};

	for (unsigned bit = len; bit < ip_len(ip) * 8; bit++)
		p.ip.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return p;
}

/* "192.168.1.1/24" said by somebody who means the network: name it. */
static int complain_host_bits(struct config_value *v)
{
	char text[IP_TEXT_LEN], buf[IP_TEXT_LEN];
	const char *slash = strchr(v->text, '/');
	size_t addr_len = slash ? (size_t)(slash - v->text) : sizeof(text);
	struct ip_prefix p;
	struct ip ip;
	uint64_t len;

	if (addr_len >= sizeof(text))
		return ERR_MALFORMED;
	memcpy(text, v->text, addr_len);
	text[addr_len] = '\0';
	if (ip_read(text, &ip) < 0 ||
		config_number_read(slash + 1, slash + strlen(slash), &len) < 0 ||
		len > ip_len(&ip) * 8)
		return ERR_MALFORMED;
	p = prefix_around(&ip, (unsigned)len);
	return config_complain(
		v, "\"%s\" is an address; the network is %s", v->text, ip_prefix_format(&p, buf));
}

static int read_prefix_family(struct config_value *v, uint8_t family, struct ip_prefix *out)
{
	char quote[CONFIG_QUOTE_LEN];
	struct ip_prefix p;
	int err = ip_prefix_read(v->text, &p);

	if (err == ERR_RANGE)
		return complain_host_bits(v);
	if (err < 0)
		return ERR_MALFORMED;
	if (family && p.ip.family != family)
		return config_complain(v, "%s is an %s network; an %s one is expected here",
			config_quote(v->text, quote), p.ip.family == AF_INET ? "IPv4" : "IPv6",
			family == AF_INET ? "IPv4" : "IPv6");
	if (family && !strchr(v->text, '/'))
		return config_complain(v, "%s lacks its length, as in %s",
			config_quote(v->text, quote),
			family == AF_INET ? "192.168.1.0/24" : "fd00:1::/64");
	*out = p;
	return 0;
}

int config_read_prefix(struct config_value *v, void *out)
{
	return read_prefix_family(v, 0, out);
}

int config_read_prefix4(struct config_value *v, void *out)
{
	return read_prefix_family(v, AF_INET, out);
}

int config_read_prefix6(struct config_value *v, void *out)
{
	return read_prefix_family(v, AF_INET6, out);
}

void config_write_prefix(const struct config_row *row, const void *in, FILE *out)
{
	char buf[IP_TEXT_LEN];

	(void)row;
	fputs(ip_prefix_format(in, buf), out);
}

/* The address in text[0..len) without blanks around it. */
static int read_part(const char *text, size_t len, struct ip *out)
{
	char buf[IP_TEXT_LEN];

	while (len && isspace((unsigned char)*text))
		text++, len--;
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= sizeof(buf))
		return ERR_MALFORMED;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return ip_read(buf, out);
}

static int read_range_family(struct config_value *v, uint8_t family, struct ip_range *out)
{
	const char *dash = strchr(v->text, '-');
	size_t first_len = dash ? (size_t)(dash - v->text) : strlen(v->text);
	const char *last = dash ? dash + 1 : v->text;
	char quote[CONFIG_QUOTE_LEN], a[IP_TEXT_LEN], b[IP_TEXT_LEN];
	struct ip_range r;

	if (strchr(v->text, ',') && !dash)
		return config_complain(v, "%s: put a - between the first and the last address",
			config_quote(v->text, quote));
	if (read_part(v->text, first_len, &r.first) < 0 ||
		read_part(last, strlen(last), &r.last) < 0)
		return ERR_MALFORMED;
	if (r.first.family != family || r.last.family != family)
		return config_complain(v, "%s: both must be %s addresses",
			config_quote(v->text, quote), family == AF_INET ? "IPv4" : "IPv6");
	if (ip_compare(&r.first, &r.last) > 0)
		return config_complain(v, "the first address, %s, is above the last, %s",
			ip_format(&r.first, a), ip_format(&r.last, b));
	*out = r;
	return 0;
}

int config_read_range4(struct config_value *v, void *out)
{
	return read_range_family(v, AF_INET, out);
}

int config_read_range6(struct config_value *v, void *out)
{
	return read_range_family(v, AF_INET6, out);
}

void config_write_range(const struct config_row *row, const void *in, FILE *out)
{
	const struct ip_range *r = in;
	char first[IP_TEXT_LEN], last[IP_TEXT_LEN];

	(void)row;
	fprintf(out, "%s-%s", ip_format(&r->first, first), ip_format(&r->last, last));
}

int config_read_pd(struct config_value *v, void *out)
{
	const char *to = strstr(v->text, " to ");
	char text[IP_TEXT_LEN];
	struct config_value part = *v;
	struct config_pd pd;
	const char *end;
	uint64_t len;
	size_t n;

	if (!to || (size_t)(to - v->text) >= sizeof(text))
		return ERR_MALFORMED;
	n = (size_t)(to - v->text);
	while (n && v->text[n - 1] == ' ')
		n--;
	memcpy(text, v->text, n);
	text[n] = '\0';
	part.text = text;
	if (read_prefix_family(&part, AF_INET6, &pd.prefix) < 0) {
		memcpy(v->complaint, part.complaint, sizeof(v->complaint));
		return ERR_MALFORMED;
	}
	to += strlen(" to ");
	to += strspn(to, " /");
	end = to + strlen(to);
	if (config_number_read(to, end, &len) < 0)
		return ERR_MALFORMED;
	if (len <= pd.prefix.len || len > 64)
		return config_complain(v,
			"the parts must be longer than /%u and at most /64, not /%" PRIu64,
			pd.prefix.len, len);
	pd.len = (uint8_t)len;
	*(struct config_pd *)out = pd;
	return 0;
}

void config_write_pd(const struct config_row *row, const void *in, FILE *out)
{
	const struct config_pd *pd = in;

	config_write_prefix(row, &pd->prefix, out);
	fprintf(out, " to %u", pd->len);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Pairs (or single digits) with one kind of separator between, as MACs and DUIDs are written. */
size_t config_hex_read(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;
	char separator = 0;

	for (;;) {
		int value = hex_digit(*text), low;

		if (value < 0 || n == cap)
			return 0;
		low = hex_digit(*++text);
		if (low >= 0) {
			value = value * 16 + low;
			text++;
		}
		out[n++] = (uint8_t)value;
		if (!*text)
			return n;
		if ((*text != ':' && *text != '-') || (separator && *text != separator))
			return 0;
		separator = *text++;
	}
}

int config_read_mac(struct config_value *v, void *out)
{
	struct config_mac mac;
	char quote[CONFIG_QUOTE_LEN];
	uint8_t more[CONFIG_ID_MAX];
	size_t n = config_hex_read(v->text, more, sizeof(more));

	if (n != sizeof(mac.bytes))
		return n > 1 ? config_complain(v, "%s has %zu bytes; a hardware address has 6",
				       config_quote(v->text, quote), n)
			     : ERR_MALFORMED;
	memcpy(mac.bytes, more, sizeof(mac.bytes));
	*(struct config_mac *)out = mac;
	return 0;
}

void config_write_mac(const struct config_row *row, const void *in, FILE *out)
{
	char buf[24];

	(void)row;
	fputs(codec_hex(((const struct config_mac *)in)->bytes, 6, ':', buf, sizeof(buf)), out);
}

int config_read_mac_prefix(struct config_value *v, void *out)
{
	struct config_mac_prefix p = {.len = 0};
	char text[32];
	size_t len = strlen(v->text);

	if (len >= sizeof(text))
		return ERR_MALFORMED;
	memcpy(text, v->text, len + 1);
	/* 00:11:22:*:*:* says the same as 00:11:22. */
	while (len > 2 && text[len - 1] == '*' && (text[len - 2] == ':' || text[len - 2] == '-'))
		text[len -= 2] = '\0';
	if (len > 1 && (text[len - 1] == ':' || text[len - 1] == '-'))
		text[len - 1] = '\0';
	p.len = (uint8_t)config_hex_read(text, p.bytes, sizeof(p.bytes));
	if (!p.len)
		return ERR_MALFORMED;
	*(struct config_mac_prefix *)out = p;
	return 0;
}

void config_write_mac_prefix(const struct config_row *row, const void *in, FILE *out)
{
	const struct config_mac_prefix *p = in;
	char buf[24];

	(void)row;
	fputs(codec_hex(p->bytes, p->len, ':', buf, sizeof(buf)), out);
}

int config_read_bytes(struct config_value *v, void *out)
{
	uint8_t bytes[CONFIG_ID_MAX];
	const char *text = v->text;
	struct config_bytes b;
	size_t n = 0;

	if (strncasecmp(text, "hex:", 4) == 0) {
		if (codec_unhex(text + 4, bytes, sizeof(bytes), &n) < 0 || n == 0)
			return config_complain(v,
				"after hex: pairs of hex digits are expected, at "
				"most %d bytes",
				CONFIG_ID_MAX);
	} else if (strchr(text, ':') || strchr(text, '-')) {
		n = config_hex_read(text, bytes, sizeof(bytes));
	}
	if (n == 0) {
		if (strncasecmp(text, "text:", 5) == 0)
			text += 5;
		n = strlen(text);
		if (n == 0 || n > sizeof(bytes))
			return config_complain(v, "1 to %d bytes are expected", CONFIG_ID_MAX);
		memcpy(bytes, text, n);
	}
	b.len = n;
	b.data = config_store_copy(v->store, bytes, n);
	*(struct config_bytes *)out = b;
	return 0;
}

/* Bytes that read as themselves are written as text, all others as hex. */
void config_write_bytes(const struct config_row *row, const void *in, FILE *out)
{
	const struct config_bytes *b = in;
	char buf[CONFIG_ID_MAX * 3 + 1];
	uint8_t again[CONFIG_ID_MAX];
	bool plain = b->len > 0;

	(void)row;
	for (size_t i = 0; i < b->len; i++)
		plain = plain && b->data[i] > ' ' && b->data[i] < 0x7f;
	if (plain) {
		memcpy(buf, b->data, b->len);
		buf[b->len] = '\0';
		plain = strncasecmp(buf, "hex:", 4) != 0 && strncasecmp(buf, "text:", 5) != 0 &&
			(!strpbrk(buf, ":-") || !config_hex_read(buf, again, sizeof(again)));
	}
	if (plain)
		fputs(buf, out);
	else
		fprintf(out, "hex:%s", codec_hex(b->data, b->len, 0, buf, sizeof(buf)));
}

int config_read_arch(struct config_value *v, void *out)
{
	uint64_t n;
	const char *near, *const *words = v->row->words;
	char quote[CONFIG_QUOTE_LEN];

	for (unsigned i = 0; words[i]; i++) {
		if (strcasecmp(v->text, words[i]) == 0) {
			*(uint32_t *)out = CONFIG_ARCH_BIOS + i;
			return 0;
		}
	}
	if (config_number_read(v->text, v->text + strlen(v->text), &n) == 0 && n <= UINT16_MAX) {
		*(uint32_t *)out = (uint32_t)n;
		return 0;
	}
	near = config_near_word(words, v->text);
	return config_complain(v,
		"%s is neither a number from 0 to 65535 nor one of bios, uefi-ia32, uefi, "
		"uefi-arm64, "
		"http%s%s%s",
		config_quote(v->text, quote), near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
}

void config_write_arch(const struct config_row *row, const void *in, FILE *out)
{
	uint32_t n = *(const uint32_t *)in;

	if (n >= CONFIG_ARCH_BIOS)
		fputs(row->words[n - CONFIG_ARCH_BIOS], out);
	else
		fprintf(out, "%" PRIu32, n);
}
