/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/import_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/xalloc.h"

enum { FILE_FIRST = 65536 };

int import_file_read(const char *path, size_t max, char **out_text, size_t *out_len)
{
	size_t len = 0, cap = FILE_FIRST, n;
	FILE *f = fopen(path, "re");
	struct stat st;
	char *text;
	int err = 0;

	if (!f)
		return err_from_errno(errno);
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(f);
		return ERR_UNSUPPORTED;
	}
	text = xalloc(cap);
	while ((n = fread(text + len, 1, cap - len - 1, f)) > 0) {
		len += n;
		if (len + 1 == cap)
			text = xrealloc(text, cap *= 2);
		if (len > max) {
			err = ERR_LIMIT;
			break;
		}
	}
	if (ferror(f))
		err = err_from_errno(errno);
	fclose(f);
	if (err < 0) {
		xfree(text);
		return err;
	}
	text[len] = '\0';
	*out_text = text;
	*out_len = len;
	return 0;
}
