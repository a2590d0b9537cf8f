/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A whole foreign file in memory, for the importers. */
#include <stddef.h>

#include "base/err.h"

/* *out_text is freed with xfree and ends with a NUL that *out_len does not count. ERR_LIMIT past
 * max bytes, else what the disk says. */
MUST_CHECK int import_file_read(const char *path, size_t max, char **out_text, size_t *out_len);
