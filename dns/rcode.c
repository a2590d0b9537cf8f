/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rcode.h"

#include <stdio.h>

#include "dns/dns_const.h"

const char *rcode_name(uint16_t rcode, char *buf)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
		"REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"};

	if (rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	if (rcode == DNS_RCODE_BADVERS)
		return "BADVERS";
	if (rcode == DNS_RCODE_BADCOOKIE)
		return "BADCOOKIE";
	snprintf(buf, 16, "RCODE%u", (unsigned)rcode);
	return buf;
}
