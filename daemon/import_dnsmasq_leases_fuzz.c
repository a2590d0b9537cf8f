/* SPDX-License-Identifier: Apache-2.0 */
/* Any text: no crash, and what is kept is whole. */
#include <stdlib.h>
#include <string.h>

#include "daemon/import_dnsmasq_leases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_report rep = {.n = 0};
	struct import_leases leases;
	size_t sum = 0;
	int err = import_leases_read("leases", (const char *)data, size, &leases, &rep);

	if (err < 0)
		abort();
	for (size_t i = 0; i < leases.n; i++) {
		const struct import_lease *l = &leases.list[i];

		if (l->ip.family != AF_INET || l->hw_len > sizeof(l->hw) ||
			(!l->hw_len && !l->client_id_len))
			abort();
		sum += l->hostname ? strlen(l->hostname) : 0;
		for (size_t j = 0; j < l->client_id_len; j++)
			sum += l->client_id[j];
	}
	import_leases_fini(&leases);
	config_report_fini(&rep);
	return sum == SIZE_MAX;
}
