/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Devices files: one fixed device a line, `MAC-or-client-id IP name [tag...]`, # for comments. The
 * second and further lines with the same name and address add MACs to it. A bad line is told and
 * skipped; the rest counts. Pure. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

#define DEVICES_MAX	 100000 /* lines of one file */
#define DEVICES_TAGS_MAX 8
#define DEVICES_ID_MAX	 64 /* octets of a client identifier written in hex */

struct devices_line {
	uint8_t mac[6];
	uint8_t id[DEVICES_ID_MAX];
	size_t id_len; /* 0: mac counts */
	struct ip ip;  /* family 0: "-", from the pool */
	char name[64]; /* lower case */
	size_t n_tags;
	char tags[DEVICES_TAGS_MAX][32];
};

/* on_bad(arg, line number from 1, why). on_device for each good line; borrowed. */
void devices_parse(const char *text, size_t len,
	void (*on_device)(void *arg, const struct devices_line *d),
	void (*on_bad)(void *arg, unsigned line, const char *why), void *arg);
