/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the parts of the dnsmasq importer share: the state of one import, and the directives of
 * DNS and of DHCP as tables. Not for use outside import_dnsmasq*.c. */
#include <stdbool.h>

#include "base/ip.h"
#include "daemon/import_dnsmasq.h"
#include "daemon/import_doc.h"

enum {
	IMPORT_LANS_MAX = 256,
	IMPORT_TAGS_MAX = 1024,
	IMPORT_IFACES_MAX = 256,
	IMPORT_PARTS_MAX = 64, /* comma-separated parts of one directive */
};

struct import_lan {
	struct import_node *node;
	struct ip_prefix subnet;
	const char *tag; /* set: of its range, or NULL */
	const char *interface;
	bool no_router; /* none shall be announced */
	uint32_t line;
};

/* What a tag stands for. */
enum import_tag_kind { IMPORT_TAG_FIRMWARE, IMPORT_TAG_CLASS };

struct import_tag {
	const char *name;
	enum import_tag_kind kind;
	const char *firmware; /* the key of `boot`: "bios", "ipxe" */
};

struct import {
	struct import_result *result;
	struct import_doc *doc;
	struct import_node *root, *dns;
	const char *domain;
	struct import_lan lan[IMPORT_LANS_MAX];
	size_t n_lan;
	struct import_tag tag[IMPORT_TAGS_MAX];
	size_t n_tag;
	const char *iface[IMPORT_IFACES_MAX];
	size_t n_iface;
	const char *port; /* NULL: 53 */
	bool no_hosts, rebind_stop, forwards;
	/* the line being read */
	uint32_t line;
	const char *directive;
	bool noted; /* something other than "kept" was said about it */
};

/* A directive: how it is read, or what is said about it. value: "" where there is none; may be
 * changed. The file is read in passes: 0 interfaces, tags and ranges; 1 the domain; 2 what refers
 * to those. */
enum { IMPORT_PASSES = 3 };

struct import_directive {
	const char *name;
	void (*read)(struct import *im, char *value);
	enum import_verdict verdict;
	const char *text;
	int pass;
};

/* NULL-terminated by name. */
extern const struct import_directive import_dns_directives[], import_dhcp_directives[];

void import_note(struct import *im, enum import_verdict verdict, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* Splits at commas outside quotes, in place, blanks trimmed, quotes removed. Parts past the
 * maximum are dropped with a note. Returns the count. */
size_t import_split(struct import *im, char *value, char **parts);
/* "domain: x" in dns and the like. */
void import_set_dns(struct import *im, const char *key, const char *text);
/* What the tags of a line narrow it to. */
struct import_scope {
	struct import_lan *lan; /* NULL: all */
	const char *firmware;	/* NULL: any */
	const char *class;	/* NULL: none */
	bool too_many;		/* more than we can say; it has been noted */
};

/* import_dnsmasq_tag.c. */
struct import_lan *import_lan_by_tag(struct import *im, const char *tag);
struct import_lan *import_lan_of(struct import *im, const struct ip *ip);
/* Takes "tag:x" (and the older "net:x") from the front. Returns how many parts they were. */
size_t import_take_tags(struct import *im, char **parts, size_t n, struct import_scope *out);
/* A device tag that lines refer to becomes a class that asks for it. */
struct import_node *import_need_class(struct import *im, const char *tag);
void import_read_match(struct import *im, char *value);
void import_read_vendor_class(struct import *im, char *value);
void import_read_user_class(struct import *im, char *value);
void import_read_tag_mac(struct import *im, char *value);
void import_read_circuit_id(struct import *im, char *value);
void import_read_remote_id(struct import *im, char *value);
void import_read_ignore(struct import *im, char *value);
/* import_dnsmasq_lan.c. */
void import_read_range(struct import *im, char *value);
void import_read_host(struct import *im, char *value);
/* import_dnsmasq_option.c. */
void import_read_option(struct import *im, char *value);
void import_read_option_force(struct import *im, char *value);

/* What can be told only when all lines are read: listen addresses, routers. */
void import_dns_finish(struct import *im);
void import_dhcp_finish(struct import *im);
