/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* DHCPv4 options as people write them: the one table of names and types, from text to the bytes
 * on the wire and back. Names are those of dnsmasq and of ISC's servers. Pure. */
#include <stdint.h>
#include <stdio.h>

#include "daemon/config.h"

enum { CONFIG_OPTION_NAMES_MAX = 4 };

enum config_option_type {
	CONFIG_OPTION_IPS,
	CONFIG_OPTION_IP,
	CONFIG_OPTION_U8,
	CONFIG_OPTION_U16,
	CONFIG_OPTION_U32,
	CONFIG_OPTION_S32,
	CONFIG_OPTION_FLAG,
	CONFIG_OPTION_TEXT,
	CONFIG_OPTION_U16S,
	CONFIG_OPTION_PAIRS,   /* two addresses each */
	CONFIG_OPTION_DOMAINS, /* RFC 3397 */
	CONFIG_OPTION_ROUTES,  /* RFC 3442 */
	CONFIG_OPTION_HEX,
	CONFIG_OPTION_TYPES,
};

/* One known option, for documentation. */
struct config_option_row {
	uint8_t code;
	uint8_t type;				   /* of config_options.c */
	const char *name[CONFIG_OPTION_NAMES_MAX]; /* the first is ours; NULL-filled */
};

/* All known options by code; *out_n of them. */
const struct config_option_row *config_options_list(size_t *out_n);
/* NULL when the code is not in the table. */
const struct config_option_row *config_options_row(uint8_t code);
/* What its value looks like: "IPv4 addresses", "number 0 to 255". */
const char *config_options_type_text(unsigned type);
/* "u16:" where the type can be said before a value, else NULL. */
const char *config_options_type_prefix(unsigned type);
/* Why the configuration may not set this option; NULL when it may. */
const char *config_options_reserved(uint8_t code);
/* The name nearest to what was written, or NULL. */
const char *config_options_near(const char *name);
/* The code of a name or number ("ntp-servers", "42"); 0 when it is neither. */
uint8_t config_options_code(const char *name);
/* The name of a code, or its number. buf: 4 bytes. */
const char *config_options_name(uint8_t code, char *buf);
/* The value as YAML that reads back to the same bytes. */
void config_options_write(const struct config_option *o, FILE *out);
