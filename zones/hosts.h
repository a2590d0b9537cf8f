/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The text of a hosts file, line by line: "IP name [alias...]", # comments. A bad line or name is
 * reported and skipped, the rest goes on: one bad line never takes the house offline. Pure; keeps
 * nothing; called off the loops by zones_builder_hosts. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define HOSTS_LINE_MAX 4096 /* octets; longer lines are reported and skipped */

struct hosts_name {
	unsigned line;
	struct ip ip;
	const uint8_t *name; /* wire form, case as given; borrowed for the call */
	bool is_bare;	     /* no dot in it: the domain belongs behind it */
	bool is_canonical;   /* the first good name of its line: the one a PTR gives */
};

struct hosts_reader {
	void (*on_name)(void *arg, const struct hosts_name *name);
	void (*on_bad)(void *arg, unsigned line, const char *why); /* may be NULL */
	void *arg;
};

void hosts_read(const char *text, size_t len, const struct hosts_reader *to);
