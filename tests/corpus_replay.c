/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds every file of the folders named on the command line to a fuzz target, so that each
 * CTest run replays the corpora without libFuzzer. No file at all is a failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_MAX_LEN = 1 << 20 };

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *exact, *buf;
	size_t n;

	if (!f)
		return -1;
	buf = malloc(REPLAY_MAX_LEN);
	n = fread(buf, 1, REPLAY_MAX_LEN, f);
	fclose(f);
	/* An exact allocation, so that ASan sees a read past the end. */
	exact = realloc(buf, n ? n : 1);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	size_t n_files = 0;

	for (int i = 1; i < argc; i++) {
		struct dirent *e;
		DIR *d = opendir(argv[i]);

		while (d && (e = readdir(d))) {
			char path[4096];

			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
			if (replay_file(path) == 0)
				n_files++;
		}
		if (d)
			closedir(d);
	}
	printf("%zu inputs replayed\n", n_files);
	return n_files ? 0 : 1;
}
