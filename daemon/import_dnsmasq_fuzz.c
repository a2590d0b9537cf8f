/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: no crash; what comes out is a configuration, or the notes say that it is not. */
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/import_dnsmasq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_report rep = {.n = 0};
	struct import_result r;
	struct config *c = NULL;
	bool said = false;
	int err;

	import_dnsmasq_read((const char *)data, size, &r);
	for (size_t i = 0; i < r.n_notes; i++)
		said |= r.notes[i].line == 0 && r.notes[i].verdict == IMPORT_CANNOT;
	err = config_load_text("/x.yaml", r.yaml, strlen(r.yaml), &c, &rep);
	if (err < 0 && !said)
		abort();
	config_free(c);
	config_report_fini(&rep);
	import_result_fini(&r);
	return 0;
}
