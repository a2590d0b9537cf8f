/* SPDX-License-Identifier: Apache-2.0 */
/* ARP and echo replies from the wire: what is parsed and written again is parsed the same. */
#include <stdlib.h>
#include <string.h>

#include "net/rawsock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rawsock_arp arp, again;
	uint8_t wire[RAWSOCK_ARP_LEN];
	uint16_t seq;

	memset(&again, 0, sizeof(again));
	memset(&arp, 0, sizeof(arp));
	if (rawsock_arp_parse(data, size, &arp) == 0) {
		rawsock_arp_write(&arp, wire);
		if (memcmp(wire, data, sizeof(wire)) != 0 ||
			rawsock_arp_parse(wire, sizeof(wire), &again) != 0)
			abort();
	}
	if (rawsock_echo_parse(data, size, 1, &seq) == 0 && size < 28)
		abort();
	return 0;
}
