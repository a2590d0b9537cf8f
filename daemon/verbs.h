/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verbs that the control socket understands. Service thread. */
#include "daemon/control.h"

/* By the name in the request, or NULL. */
control_verb_fn verbs_find(const char *name);
