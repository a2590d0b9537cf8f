/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The text of response codes, for logs, traces and the command line. Pure, any thread. */
#include <stdint.h>

/* "NXDOMAIN", "RCODE4095". buf of 16. Returns buf or static text. */
const char *rcode_name(uint16_t rcode, char *buf);
