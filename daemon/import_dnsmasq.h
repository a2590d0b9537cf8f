/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* dnsmasq.conf into lanthorn.yaml: the directives that homes use, and for each line whether its
 * meaning was kept, changed or cannot be had. Text in, text out; the import verb prints both.
 * Included files (conf-file, conf-dir) are named, not read. Pure, any thread. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum import_verdict { IMPORT_KEPT, IMPORT_CHANGED, IMPORT_CANNOT };

struct import_note {
	uint32_t line; /* 0: the result as a whole */
	enum import_verdict verdict;
	char *directive;
	char *text; /* NULL: nothing to say beyond the verdict */
};

struct import_result {
	char *yaml;		   /* never NULL */
	struct import_note *notes; /* by line */
	size_t n_notes, cap_notes;
};

enum { IMPORT_CONF_MAX = 1 << 20 }; /* bytes; what we read ourselves is no longer */

/* Never fails: what cannot be read is a note. Free with import_result_fini. */
void import_dnsmasq_read(const char *text, size_t len, struct import_result *out);
/* The same from the disk; negative when the file cannot be read, and out is then empty. */
MUST_CHECK int import_dnsmasq_load(const char *path, struct import_result *out);
void import_result_fini(struct import_result *result);
/* "dnsmasq.conf:12: cannot: dhcp-script: ..." a line, then the three counts. kept: these too. */
void import_result_print(const struct import_result *result, const char *name, int kept, FILE *out);
