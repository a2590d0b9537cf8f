/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_options.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"
#include "base/rbuf.h"
#include "base/xalloc.h"
#include "daemon/config_kind.h"
#include "daemon/config_limits.h"

/* Short for the table alone. */
#define T(type) CONFIG_OPTION_##type

/* clang-format off */
/* RFC 2132 unless said otherwise. */
static const struct config_option_row OPTIONS[] = {
	{1, T(IP), {"netmask", "subnet-mask"}},
	{2, T(S32), {"time-offset"}},
	{3, T(IPS), {"router", "routers", "gateway"}},
	{4, T(IPS), {"time-servers", "time-server"}},
	{5, T(IPS), {"ien116-name-servers"}},
	{6, T(IPS), {"dns-server", "dns-servers", "domain-name-servers", "dns"}},
	{7, T(IPS), {"log-server", "log-servers"}},
	{8, T(IPS), {"cookie-servers"}},
	{9, T(IPS), {"lpr-server", "lpr-servers"}},
	{10, T(IPS), {"impress-servers"}},
	{11, T(IPS), {"resource-location-servers"}},
	{12, T(TEXT), {"host-name", "hostname"}},
	{13, T(U16), {"boot-file-size", "boot-size"}},
	{14, T(TEXT), {"merit-dump"}},
	{15, T(TEXT), {"domain-name", "domain"}},
	{16, T(IP), {"swap-server"}},
	{17, T(TEXT), {"root-path"}},
	{18, T(TEXT), {"extension-path", "extensions-path"}},
	{19, T(FLAG), {"ip-forward-enable", "ip-forwarding"}},
	{20, T(FLAG), {"non-local-source-routing"}},
	{21, T(PAIRS), {"policy-filter"}},
	{22, T(U16), {"max-datagram-reassembly", "max-dgram-reassembly"}},
	{23, T(U8), {"default-ttl", "default-ip-ttl"}},
	{24, T(U32), {"path-mtu-aging-timeout"}},
	{25, T(U16S), {"path-mtu-plateau-table"}},
	{26, T(U16), {"mtu", "interface-mtu"}},
	{27, T(FLAG), {"all-subnets-local"}},
	{28, T(IP), {"broadcast", "broadcast-address"}},
	{29, T(FLAG), {"perform-mask-discovery"}},
	{30, T(FLAG), {"mask-supplier"}},
	{31, T(FLAG), {"router-discovery"}},
	{32, T(IP), {"router-solicitation", "router-solicitation-address"}},
	{33, T(PAIRS), {"classful-static-route", "classful-static-routes"}},
	{34, T(FLAG), {"trailer-encapsulation"}},
	{35, T(U32), {"arp-timeout", "arp-cache-timeout"}},
	{36, T(FLAG), {"ethernet-encap", "ieee802-3-encapsulation"}},
	{37, T(U8), {"tcp-ttl", "default-tcp-ttl"}},
	{38, T(U32), {"tcp-keepalive", "tcp-keepalive-interval"}},
	{39, T(FLAG), {"tcp-keepalive-garbage"}},
	{40, T(TEXT), {"nis-domain"}},
	{41, T(IPS), {"nis-server", "nis-servers"}},
	{42, T(IPS), {"ntp-server", "ntp-servers", "ntp"}},
	{43, T(HEX), {"vendor-encap", "vendor-encapsulated-options"}},
	{44, T(IPS), {"netbios-ns", "netbios-name-servers", "wins", "wins-servers"}},
	{45, T(IPS), {"netbios-dd", "netbios-dd-server"}},
	{46, T(U8), {"netbios-nodetype", "netbios-node-type"}},
	{47, T(TEXT), {"netbios-scope"}},
	{48, T(IPS), {"x-windows-fs", "font-servers"}},
	{49, T(IPS), {"x-windows-dm", "x-display-manager"}},
	{58, T(U32), {"T1", "dhcp-renewal-time"}},
	{59, T(U32), {"T2", "dhcp-rebinding-time"}},
	{60, T(TEXT), {"vendor-class", "vendor-class-identifier"}},
	{64, T(TEXT), {"nis+-domain", "nisplus-domain"}},
	{65, T(IPS), {"nis+-server", "nisplus-servers"}},
	{66, T(TEXT), {"tftp-server", "tftp-server-name"}},
	{67, T(TEXT), {"bootfile-name", "boot-file-name"}},
	{68, T(IPS), {"mobile-ip-home", "mobile-ip-home-agent"}},
	{69, T(IPS), {"smtp-server"}},
	{70, T(IPS), {"pop3-server", "pop-server"}},
	{71, T(IPS), {"nntp-server"}},
	{72, T(IPS), {"www-server"}},
	{73, T(IPS), {"finger-server"}},
	{74, T(IPS), {"irc-server"}},
	{75, T(IPS), {"streettalk-server"}},
	{76, T(IPS), {"streettalk-directory-assistance-server"}},
	{98, T(TEXT), {"uap-servers"}},
	{100, T(TEXT), {"posix-timezone", "pcode"}},		 /* RFC 4833 */
	{101, T(TEXT), {"tzdb-timezone", "tcode", "timezone"}},	 /* RFC 4833 */
	{108, T(U32), {"v6-only", "ipv6-only", "v6-only-preferred"}}, /* RFC 8925: seconds */
	{114, T(TEXT), {"captive-portal", "v4-captive-portal"}}, /* RFC 8910 */
	{119, T(DOMAINS), {"domain-search"}},			 /* RFC 3397 */
	{120, T(HEX), {"sip-server", "sip-servers"}},		 /* RFC 3361 */
	/* RFC 3442 */
	{121, T(ROUTES),
		{"static-route", "static-routes", "classless-static-route",
		 "classless-static-routes"}},
	{125, T(HEX), {"vendor-id-encap"}},		 /* RFC 3925 */
	{150, T(IPS), {"tftp-server-address"}},		 /* RFC 5859 */
	{249, T(ROUTES), {"ms-classless-static-route"}}, /* 121 before it had a number */
	{252, T(TEXT), {"wpad-url", "wpad"}},
};
/* clang-format on */

static const struct {
	const char *text;   /* for documentation */
	const char *prefix; /* to say it by hand, as u16:1500; NULL where there is none */
} TYPES[CONFIG_OPTION_TYPES] = {
	[T(IPS)] = {"IPv4 addresses", "ip:"},
	[T(IP)] = {"IPv4 address", NULL},
	[T(U8)] = {"number 0 to 255", "u8:"},
	[T(U16)] = {"number 0 to 65535", "u16:"},
	[T(U32)] = {"number 0 to 4294967295", "u32:"},
	[T(S32)] = {"number, may be negative", "s32:"},
	[T(FLAG)] = {"yes or no", NULL},
	[T(TEXT)] = {"text", "text:"},
	[T(U16S)] = {"numbers 0 to 65535", NULL},
	[T(PAIRS)] = {"pairs of IPv4 addresses", NULL},
	[T(DOMAINS)] = {"domain names", NULL},
	[T(ROUTES)] = {"routes as NETWORK via ROUTER", NULL},
	[T(HEX)] = {"bytes as hex:0102", "hex:"},
};

/* What the protocol itself fills in, and where its value comes from. */
static const struct {
	uint8_t code;
	const char *why;
} RESERVED[] = {
	{50, "it is sent by clients"},
	{51, "set \"lease\" instead"},
	{52, "we fill it in where a reply needs it"},
	{53, "it is the kind of message"},
	{54, "it is our own address"},
	{55, "it is sent by clients"},
	{56, "it is sent with a refusal"},
	{57, "it is sent by clients"},
	{61, "it is sent by clients"},
	{80, "set \"rapid-commit\" instead"},
	{81, "the name we gave is told to the client by us"},
	{82, "it is echoed to the relay by us"},
};

enum { N_OPTIONS = sizeof(OPTIONS) / sizeof(OPTIONS[0]) };

const struct config_option_row *config_options_list(size_t *out_n)
{
	*out_n = N_OPTIONS;
	return OPTIONS;
}

const char *config_options_type_text(unsigned type)
{
	return TYPES[type].text;
}

const char *config_options_type_prefix(unsigned type)
{
	return TYPES[type].prefix;
}

const struct config_option_row *config_options_row(uint8_t code)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (OPTIONS[i].code == code)
			return &OPTIONS[i];
	return NULL;
}

uint8_t config_options_code(const char *name)
{
	uint64_t n;

	if (config_number_read(name, name + strlen(name), &n) == 0)
		return n >= 1 && n <= 254 ? (uint8_t)n : 0;
	for (size_t i = 0; i < N_OPTIONS; i++)
		for (size_t j = 0; j < CONFIG_OPTION_NAMES_MAX && OPTIONS[i].name[j]; j++)
			if (strcasecmp(OPTIONS[i].name[j], name) == 0)
				return OPTIONS[i].code;
	return 0;
}

const char *config_options_name(uint8_t code, char *buf)
{
	const struct config_option_row *row = config_options_row(code);

	if (row)
		return row->name[0];
	snprintf(buf, 4, "%u", code);
	return buf;
}

const char *config_options_near(const char *name)
{
	const char *best = NULL;
	unsigned limit = config_near_limit(name);

	for (size_t i = 0; i < N_OPTIONS; i++) {
		for (size_t j = 0; j < CONFIG_OPTION_NAMES_MAX && OPTIONS[i].name[j]; j++) {
			unsigned d = config_near(name, OPTIONS[i].name[j], limit);

			if (d > limit)
				continue;
			best = OPTIONS[i].name[j];
			if (d == 0)
				return best;
			limit = d - 1;
		}
	}
	return best;
}

const char *config_options_reserved(uint8_t code)
{
	for (size_t i = 0; i < sizeof(RESERVED) / sizeof(RESERVED[0]); i++)
		if (RESERVED[i].code == code)
			return RESERVED[i].why;
	return NULL;
}

/* Bytes back to text. Each writes its items between the brackets that the caller has opened, or
 * returns false when the bytes are not of its type; then they are shown as hex. */

static void separate(FILE *out, bool *first)
{
	if (!*first)
		fputs(", ", out);
	*first = false;
}

static bool write_ips(struct rbuf *b, FILE *out, const char *between)
{
	bool first = true;
	struct ip ip = {.family = AF_INET};
	char text[IP_TEXT_LEN];

	while (rbuf_left(b)) {
		separate(out, &first);
		rbuf_copy(b, ip.bytes, 4);
		fprintf(out, "%s", ip_format(&ip, text));
		if (between) {
			rbuf_copy(b, ip.bytes, 4);
			fprintf(out, "%s%s", between, ip_format(&ip, text));
		}
	}
	return !b->bad && !first;
}

static bool write_numbers(struct rbuf *b, FILE *out, unsigned type)
{
	bool first = true;

	while (rbuf_left(b)) {
		separate(out, &first);
		if (type == CONFIG_OPTION_U8)
			fprintf(out, "%u", rbuf_u8(b));
		else if (type == CONFIG_OPTION_U16 || type == CONFIG_OPTION_U16S)
			fprintf(out, "%u", rbuf_u16(b));
		else if (type == CONFIG_OPTION_U32)
			fprintf(out, "%" PRIu32, rbuf_u32(b));
		else
			fprintf(out, "%" PRId32, (int32_t)rbuf_u32(b));
	}
	return !b->bad && !first;
}

static bool write_flag(struct rbuf *b, FILE *out)
{
	uint8_t byte = rbuf_u8(b);

	fputs(byte ? "yes" : "no", out);
	return !b->bad && byte <= 1;
}

static bool write_option_text(struct rbuf *b, FILE *out)
{
	char text[CONFIG_OPTION_MAX + 1];
	size_t len = rbuf_left(b);

	rbuf_copy(b, text, len);
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	for (unsigned t = 0; t < CONFIG_OPTION_TYPES; t++)
		if (TYPES[t].prefix &&
			strncasecmp(text, TYPES[t].prefix, strlen(TYPES[t].prefix)) == 0)
			return false;
	config_yaml_write(text, out);
	return len > 0;
}

static bool write_domains(struct rbuf *b, FILE *out)
{
	bool first = true;

	while (rbuf_left(b)) {
		char name[CONFIG_OPTION_MAX + 2] = ".";
		size_t n = 0, len;

		while ((len = rbuf_u8(b)) > 0 && len <= CONFIG_LABEL_MAX && rbuf_left(b) >= len) {
			rbuf_copy(b, name + n, len);
			for (size_t i = n; i < n + len; i++)
				if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", name[i]))
					return false;
			n += len;
			name[n++] = '.';
		}
		if (len || b->bad || n > CONFIG_NAME_MAX + 1)
			return false;
		name[n > 1 ? n - 1 : 1] = '\0';
		separate(out, &first);
		config_yaml_write(name, out);
	}
	return !first;
}

static bool write_routes(struct rbuf *b, FILE *out)
{
	bool first = true;

	while (rbuf_left(b)) {
		struct ip_prefix p = {.ip.family = AF_INET, .len = rbuf_u8(b)};
		struct ip router = {.family = AF_INET};
		char net[IP_TEXT_LEN], via[IP_TEXT_LEN];
		struct ip_prefix again;

		if (p.len > 32)
			return false;
		rbuf_copy(b, p.ip.bytes, (p.len + 7u) / 8);
		rbuf_copy(b, router.bytes, 4);
		if (b->bad || ip_prefix_read(ip_prefix_format(&p, net), &again) < 0)
			return false;
		separate(out, &first);
		fprintf(out, "%s via %s", net, ip_format(&router, via));
	}
	return !first;
}

static bool write_items(unsigned type, const struct config_option *o, FILE *out)
{
	struct rbuf b = rbuf_of(o->data, o->len);

	switch (type) {
	case CONFIG_OPTION_IPS:
		return write_ips(&b, out, NULL);
	case CONFIG_OPTION_IP:
		return o->len == 4 && write_ips(&b, out, NULL);
	case CONFIG_OPTION_PAIRS:
		return write_ips(&b, out, " ");
	case CONFIG_OPTION_U8:
		return o->len == 1 && write_numbers(&b, out, type);
	case CONFIG_OPTION_U16:
		return o->len == 2 && write_numbers(&b, out, type);
	case CONFIG_OPTION_U32:
	case CONFIG_OPTION_S32:
		return o->len == 4 && write_numbers(&b, out, type);
	case CONFIG_OPTION_U16S:
		return write_numbers(&b, out, type);
	case CONFIG_OPTION_FLAG:
		return o->len == 1 && write_flag(&b, out);
	case CONFIG_OPTION_TEXT:
		return write_option_text(&b, out);
	case CONFIG_OPTION_DOMAINS:
		return write_domains(&b, out);
	case CONFIG_OPTION_ROUTES:
		return write_routes(&b, out);
	default:
		return false;
	}
}

static void write_hex(const struct config_option *o, FILE *out)
{
	char hex[2 * CONFIG_OPTION_MAX + 1];

	fprintf(out, "\"hex:%s\"", codec_hex(o->data, o->len, 0, hex, sizeof(hex)));
}

void config_options_write(const struct config_option *o, FILE *out)
{
	const struct config_option_row *row = config_options_row(o->code);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool typed = f && row && o->len && write_items(row->type, o, f);

	if (f)
		fclose(f);
	if (o->force)
		fputs("{ force: yes, value: ", out);
	if (o->len == 0)
		fputs("[]", out);
	else if (typed)
		fprintf(out, "[ %s ]", text);
	else
		write_hex(o, out);
	if (o->force)
		fputs(" }", out);
	xfree(text);
}
