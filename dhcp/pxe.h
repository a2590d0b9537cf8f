/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which boot file a machine gets, and in which form its firmware takes it: by processor
 * architecture (option 93), by iPXE (option 175, or user class "iPXE"), by UEFI HTTP boot (vendor
 * class "HTTPClient"). Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/dhcp_conf.h"
#include "dhcp/pkt4_parse.h"
#include "dhcp/pkt4_write.h"

enum pxe_kind { PXE_NONE, PXE_BIOS, PXE_UEFI, PXE_UEFI_IA32, PXE_UEFI_ARM64, PXE_HTTP, PXE_IPXE };

#define PXE_URL_MAX 512

struct pxe_choice {
	enum pxe_kind kind; /* NONE: no boot request, or nothing to give */
	const char *file;   /* name below the boot root, or a URL; borrowed from the snapshot */
	uint32_t server;    /* where from; never 0 */
};

/* What the request boots with; PXE_NONE for ordinary clients. */
enum pxe_kind pxe_kind(const struct pkt4 *req);
/* boots: in order of precedence, NULL entries skipped; local: our address. An iPXE for which no
 * ipxe file is given gets the file of its architecture. */
struct pxe_choice pxe_pick(const struct pkt4 *req, const struct dhcp_boot *const *boots,
	size_t n_boots, uint32_t local);
/* Puts siaddr, file, options 66, 67, 150, 97 and for HTTP boot 60 into the reply. url: memory for
 * the URL an HTTP client needs, which must live until the reply is written. */
void pxe_put(const struct pxe_choice *choice, const struct pkt4 *req, struct pkt4_reply *r,
	char url[PXE_URL_MAX]);
