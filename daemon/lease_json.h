/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A lease as JSON, the same from the running daemon and from the store at rest. Pure. */
#include <jansson.h>

#include "store/leasedb.h"

/* address, mac, client_id, duid, hostname, state, expires (Unix time, null: never), lan,
 * asked. New reference. */
json_t *lease_json(const struct lease_record *r);
/* "bound", "released", "expired", "declined". */
const char *lease_json_state(enum lease_state state);
