/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verbs `lookup NAME [TYPE]` and `explain NAME [TYPE]`: resolve as a client on this host would
 * and print the answer; explain prints each layer asked before it. Service thread. Exit code 0 when
 * there is data, 1 when there is none. */
#include "daemon/control.h"

void lookup_verb(struct service *s, const json_t *request, struct control_call *call);
void lookup_explain_verb(struct service *s, const json_t *request, struct control_call *call);
