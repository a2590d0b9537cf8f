/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Every counter of the house in Prometheus' text form (version 0.0.4), each with its help. Names:
 * lanthorn_<room>_<what>[_total]. The list stands in lanthorn(1); a test compares both. Service
 * thread. */
struct service;

/* xfree the text. */
char *metrics_text(struct service *s);
