/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/ddname.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "dhcp/dhcp_const.h"

/* RFC 4702 2.1 */
enum { DDNAME_S = 1, DDNAME_O = 2, DDNAME_E = 4, DDNAME_N = 8, DDNAME_FQDN_HEAD = 3 };

struct ddname_asked ddname_asked(const struct opt4 *opts)
{
	struct ddname_asked a = {0};
	size_t len;
	const uint8_t *fqdn = opt4_get(opts, DHCP_OPT_FQDN, &len);

	if (fqdn && len >= DDNAME_FQDN_HEAD) {
		a.has_fqdn = true;
		a.fqdn_flags = fqdn[0];
		a.is_wire = fqdn[0] & DDNAME_E;
		a.raw = fqdn + DDNAME_FQDN_HEAD;
		a.len = len - DDNAME_FQDN_HEAD;
		if (a.len && a.raw[0])
			return a;
	}
	a.raw = opt4_get(opts, DHCP_OPT_HOSTNAME, &a.len);
	a.is_wire = false;
	return a;
}

static bool ddname_is_ipv4(const uint8_t *text, size_t len)
{
	char buf[INET_ADDRSTRLEN];
	struct in_addr ip;

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return inet_pton(AF_INET, buf, &ip) == 1;
}

/* A hyphen for signs is written once however many they are, and never first. Real hyphens stay, or
 * xn-- names would break. */
static void ddname_clean_label(const uint8_t *text, size_t len, char out[DDNAME_LEN])
{
	size_t n = 0;
	bool sign = false;

	for (size_t i = 0; i < len && n < DDNAME_LEN - 1; i++) {
		uint8_t c = text[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 'a' - 'A');
		if (c == '\'')
			continue;
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
			sign = true;
			continue;
		}
		if (sign && n && n < DDNAME_LEN - 2 && out[n - 1] != '-' && c != '-')
			out[n++] = '-';
		sign = false;
		if (c == '-' && n == 0)
			continue;
		out[n++] = (char)c;
	}
	while (n && out[n - 1] == '-')
		n--;
	out[n] = '\0';
}

void ddname_clean_text(const uint8_t *text, size_t len, char out[DDNAME_LEN])
{
	size_t label;

	out[0] = '\0';
	while (len && (text[len - 1] == '\0' || text[len - 1] == ' '))
		len--;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] == 0x7f)
			return;
	}
	if (len == 0 || ddname_is_ipv4(text, len))
		return;
	for (label = 0; label < len && text[label] != '.'; label++)
		;
	ddname_clean_label(text, label, out);
}

void ddname_clean(const struct ddname_asked *asked, char out[DDNAME_LEN])
{
	out[0] = '\0';
	if (!asked->raw || asked->len == 0)
		return;
	if (!asked->is_wire) {
		ddname_clean_text(asked->raw, asked->len, out);
		return;
	}
	/* RFC 4702 2.3.1: no compression; an unfinished name (no root label) is fine. */
	if (asked->raw[0] <= 63 && asked->raw[0] < asked->len)
		ddname_clean_text(asked->raw + 1, asked->raw[0], out);
}

bool ddname_is_reserved(const char *label, const char *const *ours, size_t n_ours)
{
	static const char *const names[] = {/* what machines trust by name alone */
		"wpad", "isatap", "localhost", "localdomain", "broadcasthost", "resolver",
		"gateway", "use-application-dns", "lanthorn", "_dns", "dns-sd",
		/* suffixes of the local and the special kind */
		"local", "home", "arpa", "lan", "internal", "intranet", "corp", "private", "onion",
		"test", "example", "invalid", "alt", "in-addr", "ip6", "ip6-localhost",
		"ip6-loopback",
		/* top-level domains that a search list could swallow */
		"com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "name", "mobi"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(label, names[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < n_ours; i++) {
		if (strcasecmp(label, ours[i]) == 0)
			return true;
	}
	return false;
}

void ddname_suffix(const char *label, uint64_t identity, unsigned try, char out[DDNAME_LEN])
{
	/* Not a secret: the same client must get the same digits after a restart. */
	static const struct hash_key key = {0x6c616e74686f726e, 0x6e616d6573756666};
	uint64_t seed[2] = {identity, try};
	unsigned digits = (unsigned)(hash_bytes(&key, seed, sizeof(seed)) & 0xffff);
	int cut = DDNAME_LEN - 1 - 5;

	while (cut > 0 && (size_t)cut <= strlen(label) && label[cut - 1] == '-')
		cut--;
	snprintf(out, DDNAME_LEN, "%.*s-%04x", cut, label, digits);
}

/* ---- option 81 of the reply ---- */

/* "a.b.c" in wire form; 0 when it is none or does not fit. */
static size_t ddname_to_wire(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;

	while (*text) {
		size_t label = strcspn(text, ".");

		if (label == 0 || label > 63 || n + label + 2 > cap)
			return 0;
		out[n++] = (uint8_t)label;
		memcpy(out + n, text, label);
		n += label;
		text += label + (text[label] == '.');
	}
	out[n++] = 0;
	return n;
}

void ddname_fqdn_reply(const struct ddname_asked *asked, const char *granted, const char *domain,
	uint8_t out[DDNAME_FQDN_MAX], size_t *out_len)
{
	bool is_wire = asked->fqdn_flags & DDNAME_E;
	bool client_wants_us = asked->fqdn_flags & DDNAME_S;
	char name[DDNAME_LEN + 256];
	size_t len = 0;

	*out_len = 0;
	if (!asked->has_fqdn)
		return;
	out[0] = is_wire ? DDNAME_E : 0;
	out[1] = out[2] = 255; /* RFC 4702 2.2: RCODEs are no longer used */
	if (granted[0]) {
		out[0] |= DDNAME_S;
		if (!client_wants_us)
			out[0] |= DDNAME_O;
		snprintf(name, sizeof(name), "%s%s%s", granted, domain[0] ? "." : "", domain);
		len = strlen(name);
		if (is_wire)
			len = ddname_to_wire(name, out + DDNAME_FQDN_HEAD, 255);
		else if (len <= 255)
			memcpy(out + DDNAME_FQDN_HEAD, name, len);
		if (len == 0 || len > 255)
			return;
	} else {
		out[0] |= DDNAME_N;
		if (client_wants_us)
			out[0] |= DDNAME_O;
	}
	*out_len = DDNAME_FQDN_HEAD + len;
}
