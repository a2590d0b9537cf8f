/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Ceilings of reading a configuration. Its writer is trusted, its size is not: a generated file,
 * a loop of includes or a bomb of YAML aliases must end in a message, not in swap. */

enum {
	/* One file: some 20,000 devices of a line each. DESIGN names the device files for more. */
	CONFIG_FILE_MAX = 1 << 20,
	CONFIG_FILES_MAX = 64,
	CONFIG_INCLUDE_DEPTH_MAX = 8,
	/* Nodes over all files with aliases written out: 64 bytes each, so 32 MiB for a moment. */
	CONFIG_NODES_MAX = 500000,
	/* lan.NAME.device.NAME.option.NAME.value.0 is 9 deep. */
	CONFIG_DEPTH_MAX = 16,
	/* Entries of one map (devices, records): what the nodes allow anyway, said earlier. */
	CONFIG_ENTRIES_MAX = 50000,
	/* Semantic checks compare lans pairwise. */
	CONFIG_LANS_MAX = 1024,
	/* One value as text: a TXT record of many strings is the longest of use. */
	CONFIG_TEXT_MAX = 4096,
	/* One encoded DHCP option: RFC 3396 splits it, and it must fit a packet with others. */
	CONFIG_OPTION_MAX = 1020,
	/* File text shown in a message. */
	CONFIG_QUOTE_MAX = 60,
	/* main binds them all before it drops privileges. */
	CONFIG_WORKERS_MAX = 64,
	/* The files and their names, as kept in the state dir. */
	CONFIG_IMAGE_MAX = 16 << 20,
};

/* RFC 1035 2.3.4, as text without the trailing dot. */
#define CONFIG_NAME_MAX	  253
#define CONFIG_LABEL_MAX  63
#define CONFIG_IFNAME_MAX 15 /* IFNAMSIZ less the NUL */
/* RFC 8415 11.1: a DUID is at most 128 bytes and its type; a client-id one option. */
#define CONFIG_ID_MAX 255
