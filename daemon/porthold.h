/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who holds a port that we need, and what to do about it: the text behind ERR_BUSY. Reads /proc, so
 * only before the sandbox closes it; afterwards it says less. */
#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"

/* "systemd-resolved (pid 412) holds it; set DNSStubListener=no in ...". Returns buf. */
char *porthold_text(const struct ip_port *port, bool is_tcp, char *buf, size_t cap);
