/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* dnsmasq's lease file, so that a house can change over and every machine keeps its address. Text
 * in, plain records out; who calls (the import verb) stores them. Pure, any thread. */
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "daemon/config_report.h"

struct import_lease {
	int64_t expires_s; /* Unix time; 0: never */
	uint8_t hw_type;   /* ARP hardware type, 1: Ethernet */
	uint8_t hw_len;	   /* 0..16; 0: none in the file */
	uint8_t hw[16];
	struct ip ip;		  /* IPv4 */
	const char *hostname;	  /* as in the file; NULL: none */
	const uint8_t *client_id; /* with its type byte; NULL: none */
	size_t client_id_len;	  /* 0..255 */
	uint32_t line;
};

struct import_leases {
	struct import_lease *list; /* in the order of the file */
	size_t n;
	size_t n_v6; /* DHCPv6 leases that were left out */
	struct import_memory *memory;
};

enum {
	IMPORT_LEASES_MAX = 1 << 20,	    /* lines kept: more than any pool we serve */
	IMPORT_LEASES_FILE_MAX = 128 << 20, /* so many lines of 120 bytes */
};

/* Reads what can be read; a line that cannot is an error in rep, and the rest goes on. Returns 0,
 * or ERR_LIMIT when the file is past a limit above. Free with import_leases_fini in any case.
 * name: the file, for messages. */
MUST_CHECK int import_leases_read(const char *name, const char *text, size_t len,
	struct import_leases *out, struct config_report *rep);
/* The same from the disk; ERR_ABSENT, ERR_DENIED, ERR_IO come from there and are in rep too. */
MUST_CHECK int import_leases_load(
	const char *path, struct import_leases *out, struct config_report *rep);
void import_leases_fini(struct import_leases *leases);
