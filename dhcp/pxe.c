/* SPDX-License-Identifier: Apache-2.0 */
/* PXE ROMs take a plain BOOTP-like answer (next server and file, no option 60): so they have been
 * fed by ISC dhcpd for decades, and no discovery on port 4011 follows. UEFI HTTP boot takes an
 * offer only with option 60 "HTTPClient" and a URL as boot file (UEFI 2.10, 24.7). */
#include "dhcp/pxe.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "dhcp/class4.h"
#include "dhcp/dhcp_const.h"

static bool pxe_vendor_is(const struct pkt4 *req, const char *prefix)
{
	size_t len;
	const uint8_t *data = opt4_get(&req->opts, DHCP_OPT_VENDOR_CLASS, &len);
	size_t want = strlen(prefix);

	return data && len >= want && memcmp(data, prefix, want) == 0;
}

static bool pxe_is_ipxe(const struct pkt4 *req)
{
	size_t len;
	const uint8_t *data = opt4_get(&req->opts, DHCP_OPT_USER_CLASS, &len);

	return opt4_has(&req->opts, DHCP_OPT_IPXE) ||
	       (data && class4_is_user_class(data, len, "iPXE"));
}

/* By option 93, or by what PXEClient without it can only be. */
static enum pxe_kind pxe_firmware(const struct pkt4 *req)
{
	uint16_t arch;

	if (!opt4_u16(&req->opts, DHCP_OPT_ARCH, &arch)) {
		if (pxe_vendor_is(req, "HTTPClient"))
			return PXE_HTTP;
		return pxe_vendor_is(req, "PXEClient") ? PXE_BIOS : PXE_NONE;
	}
	if (class4_is_arch(arch, DHCP_ARCH_HTTP))
		return PXE_HTTP;
	if (class4_is_arch(arch, DHCP_ARCH_UEFI))
		return pxe_vendor_is(req, "HTTPClient") ? PXE_HTTP : PXE_UEFI;
	if (class4_is_arch(arch, DHCP_ARCH_UEFI_IA32))
		return PXE_UEFI_IA32;
	if (class4_is_arch(arch, DHCP_ARCH_UEFI_ARM64))
		return PXE_UEFI_ARM64;
	return class4_is_arch(arch, DHCP_ARCH_BIOS) ? PXE_BIOS : PXE_NONE;
}

enum pxe_kind pxe_kind(const struct pkt4 *req)
{
	return pxe_is_ipxe(req) ? PXE_IPXE : pxe_firmware(req);
}

static const char *pxe_file(const struct dhcp_boot *b, enum pxe_kind kind)
{
	switch (kind) {
	case PXE_BIOS:
		return b->bios;
	case PXE_UEFI:
		return b->uefi;
	case PXE_UEFI_IA32:
		return b->uefi_ia32;
	case PXE_UEFI_ARM64:
		return b->uefi_arm64;
	case PXE_HTTP:
		return b->http;
	case PXE_IPXE:
		return b->ipxe;
	case PXE_NONE:
		break;
	}
	return NULL;
}

struct pxe_choice pxe_pick(const struct pkt4 *req, const struct dhcp_boot *const *boots,
	size_t n_boots, uint32_t local)
{
	struct pxe_choice c = {.kind = pxe_kind(req)};

	for (unsigned round = 0; round < 2 && c.kind != PXE_NONE; round++) {
		for (size_t i = 0; i < n_boots; i++) {
			c.file = boots[i] ? pxe_file(boots[i], c.kind) : NULL;
			if (!c.file)
				continue;
			c.server = boots[i]->server ? boots[i]->server : local;
			return c;
		}
		c.kind = c.kind == PXE_IPXE ? pxe_firmware(req) : PXE_NONE;
	}
	return (struct pxe_choice){.kind = PXE_NONE};
}

static bool pxe_is_url(const char *file)
{
	return strstr(file, "://") != NULL;
}

void pxe_put(const struct pxe_choice *choice, const struct pkt4 *req, struct pkt4_reply *r,
	char url[PXE_URL_MAX])
{
	struct ip server = ip_from4(choice->server);
	const char *file = choice->file;
	char text[IP_TEXT_LEN];
	const uint8_t *uuid;
	size_t len;

	if (choice->kind == PXE_NONE)
		return;
	ip_format(&server, text);
	if (choice->kind == PXE_HTTP) {
		if (!pxe_is_url(file)) {
			while (*file == '/')
				file++;
			snprintf(url, PXE_URL_MAX, "http://%s/%s", text, file);
			file = url;
		}
		pkt4_put_text(r, DHCP_OPT_VENDOR_CLASS, PKT4_ALWAYS, "HTTPClient");
	}
	if (!pxe_is_url(file)) {
		r->siaddr = choice->server;
		pkt4_put_copy(r, DHCP_OPT_TFTP_NAME, PKT4_ONLY_IF_LISTED, text, strlen(text));
		pkt4_put_ips(r, DHCP_OPT_TFTP_LIST, PKT4_ONLY_IF_LISTED, &choice->server, 1);
	}
	/* UEFI HTTP boot reads the option alone; others the field, or the option where they ask. */
	if (strlen(file) < DHCP_FILE_LEN)
		r->file = file;
	pkt4_put_text(r, DHCP_OPT_BOOTFILE,
		choice->kind == PXE_HTTP || !r->file ? PKT4_ALWAYS : PKT4_ONLY_IF_LISTED, file);
	uuid = opt4_get(&req->opts, DHCP_OPT_UUID, &len);
	if (uuid && len <= 17)
		pkt4_put_copy(r, DHCP_OPT_UUID, PKT4_ALWAYS, uuid, len);
}
