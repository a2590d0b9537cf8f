/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verbs about leases and devices: who holds what, taking another server's leases in, a boot
 * file for once. Service thread; see control.h. */
#include "daemon/control.h"

void verbs_leases(struct service *s, const json_t *request, struct control_call *call);
void verbs_devices(struct service *s, const json_t *request, struct control_call *call);
/* "leases": [{"address", "mac", "client_id", "hostname", "expires"}]; all on disk before it
 * answers. */
void verbs_import_leases(struct service *s, const json_t *request, struct control_call *call);
void verbs_boot_once(struct service *s, const json_t *request, struct control_call *call);
