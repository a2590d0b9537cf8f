/* SPDX-License-Identifier: Apache-2.0 */
/* A request as it comes from a stranger: what is read must stay within its bounds, and the answer
 * to its options must be short and written the same way twice. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot_limits.h"
#include "boot/bootroot.h"
#include "boot/tftp_pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[TFTP_NAME_MAX + 1];
	uint8_t out[TFTP_OACK_MAX];
	struct tftp_request req;
	struct tftp_reply reply;

	(void)!tftp_pkt_parse_reply(data, size, &reply);
	if (tftp_pkt_parse_request(data, size, &req) < 0)
		return 0;
	if (req.name[req.name_len] || strlen(req.name) != req.name_len ||
		req.n_options > TFTP_N_OPTIONS)
		abort();
	if (tftp_pkt_write_oack(&req, req.value, out, sizeof(out)) > sizeof(out))
		abort();
	if (!bootroot_clean_name(req.name, req.name_len, name, sizeof(name)) &&
		(name[0] == '/' || !name[0] || strchr(name, '\\')))
		abort();
	return 0;
}
