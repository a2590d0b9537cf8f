/* SPDX-License-Identifier: Apache-2.0 */
/* dnsmasq hangs everything on tags; here a tag is the lan of a range, a kind of firmware, or a
 * class. */
#include <string.h>
#include <strings.h>

#include "daemon/config_kind.h"
#include "daemon/config_options.h"
#include "daemon/import_dnsmasq_parts.h"

static struct import_tag *find_tag(struct import *im, const char *name)
{
	for (size_t i = 0; i < im->n_tag; i++)
		if (strcmp(im->tag[i].name, name) == 0)
			return &im->tag[i];
	return NULL;
}

static void add_tag(
	struct import *im, const char *name, enum import_tag_kind kind, const char *firmware)
{
	if (find_tag(im, name) || im->n_tag == IMPORT_TAGS_MAX)
		return;
	im->tag[im->n_tag++] = (struct import_tag){
		.name = import_text(im->doc, name, strlen(name)),
		.kind = kind,
		.firmware = firmware,
	};
}

struct import_lan *import_lan_by_tag(struct import *im, const char *tag)
{
	for (size_t i = 0; i < im->n_lan; i++)
		if ((im->lan[i].tag && strcmp(im->lan[i].tag, tag) == 0) ||
			strcmp(im->lan[i].interface, tag) == 0)
			return &im->lan[i];
	return NULL;
}

struct import_lan *import_lan_of(struct import *im, const struct ip *ip)
{
	for (size_t i = 0; i < im->n_lan; i++)
		if (ip_prefix_has(&im->lan[i].subnet, ip))
			return &im->lan[i];
	return NULL;
}

static struct import_node *class_of(struct import *im, const char *tag)
{
	return import_map(im->doc, import_map(im->doc, im->root, "class"), tag);
}

static void narrow(struct import *im, struct import_scope *s, const char *name)
{
	struct import_tag *tag = find_tag(im, name);
	struct import_lan *lan = import_lan_by_tag(im, name);

	if (name[0] == '!') {
		tag = find_tag(im, name + 1);
		/* Whoever is iPXE gets the file for iPXE, and the rest does not, in any case. */
		s->too_many |= !tag || !tag->firmware;
	} else if (lan) {
		s->too_many |= s->lan != NULL;
		s->lan = lan;
	} else if (tag && tag->kind == IMPORT_TAG_FIRMWARE) {
		s->too_many |= s->firmware != NULL;
		s->firmware = tag->firmware;
	} else {
		s->too_many |= s->class != NULL;
		s->class = name;
	}
}

/* Takes "tag:x" (and the older "net:x") from the front. Returns how many parts they were. */
size_t import_take_tags(struct import *im, char **parts, size_t n, struct import_scope *out)
{
	size_t i = 0;

	*out = (struct import_scope){.lan = NULL};
	for (; i < n && (strncmp(parts[i], "tag:", 4) == 0 || strncmp(parts[i], "net:", 4) == 0);
		i++)
		narrow(im, out, parts[i] + 4);
	if (out->too_many)
		import_note(im, IMPORT_CANNOT,
			"this combination of tags; see class in lanthorn.yaml(5)");
	return i;
}

/* A device tag that lines refer to becomes a class that asks for it. */
struct import_node *import_need_class(struct import *im, const char *tag)
{
	struct import_node *class = class_of(im, tag);

	if (!find_tag(im, tag)) {
		add_tag(im, tag, IMPORT_TAG_CLASS, NULL);
		import_add(im->doc, class, "tag", tag);
	}
	return class;
}

static const char *firmware_of(uint64_t arch)
{
	switch (arch) {
	case 0:
		return "bios";
	case 6:
		return "uefi-ia32";
	case 7:
	case 9:
		return "uefi";
	case 11:
		return "uefi-arm64";
	case 15:
	case 16:
	case 19:
		return "http";
	default:
		return NULL;
	}
}

/* The "set:x" at the front of a match. */
static const char *take_set(struct import *im, char **parts, size_t n)
{
	if (n > 1 && (strncmp(parts[0], "set:", 4) == 0 || strncmp(parts[0], "net:", 4) == 0))
		return parts[0] + 4;
	if (n > 1 && strchr(parts[0], ':') == NULL)
		return parts[0];
	import_note(im, IMPORT_CANNOT, "set:TAG and a value are expected");
	return NULL;
}

static void tag_by_arch(struct import *im, const char *tag, const char *text)
{
	const char *firmware;
	uint64_t arch;

	if (config_number_read(text, text + strlen(text), &arch) < 0) {
		import_note(im, IMPORT_CANNOT, "\"%s\" is not a number", text);
		return;
	}
	firmware = firmware_of(arch);
	if (firmware) {
		add_tag(im, tag, IMPORT_TAG_FIRMWARE, firmware);
		return;
	}
	add_tag(im, tag, IMPORT_TAG_CLASS, NULL);
	import_add(im->doc, class_of(im, tag), "arch", text);
}

static void tag_by_text(struct import *im, const char *tag, const char *key, const char *text)
{
	add_tag(im, tag, IMPORT_TAG_CLASS, NULL);
	import_add(im->doc, class_of(im, tag), key, text);
}

static void tag_by_user_class(struct import *im, const char *tag, const char *text)
{
	if (strcasecmp(text, "iPXE") == 0 || strcasecmp(text, "gPXE") == 0)
		add_tag(im, tag, IMPORT_TAG_FIRMWARE, "ipxe");
	else
		tag_by_text(im, tag, "user-class", text);
}

static void tag_by_vendor(struct import *im, const char *tag, const char *text)
{
	static const char arch[] = "PXEClient:Arch:";

	if (strncmp(text, arch, strlen(arch)) == 0) {
		tag_by_arch(im, tag, text + strlen(arch));
		return;
	}
	tag_by_text(im, tag, "vendor", text);
	import_note(im, IMPORT_CHANGED, "the vendor class must begin with it, not just hold it");
}

/* dhcp-match=set:TAG,OPTION[,VALUE] */
void import_read_match(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);
	const char *tag = take_set(im, parts, n), *option;
	uint8_t code;

	if (!tag)
		return;
	option = strncmp(parts[1], "option:", 7) == 0 ? parts[1] + 7 : parts[1];
	code = strcmp(option, "client-arch") == 0  ? 93
	       : strcmp(option, "user-class") == 0 ? 77
						   : config_options_code(option);
	if (code == 93 && n > 2)
		tag_by_arch(im, tag, parts[2]);
	else if (code == 175)
		add_tag(im, tag, IMPORT_TAG_FIRMWARE, "ipxe");
	else if (code == 77 && n > 2)
		tag_by_user_class(im, tag, parts[2]);
	else if (code == 60 && n > 2)
		tag_by_vendor(im, tag, parts[2]);
	else
		import_note(im, IMPORT_CANNOT, "a class cannot ask for option %s", option);
}

void import_read_vendor_class(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);
	const char *tag = take_set(im, parts, n);

	if (tag)
		tag_by_vendor(im, tag, parts[n - 1]);
}

void import_read_user_class(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);
	const char *tag = take_set(im, parts, n);

	if (tag)
		tag_by_user_class(im, tag, parts[n - 1]);
}

static void read_tag_key(struct import *im, char *value, const char *key)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);
	const char *tag = take_set(im, parts, n);

	if (tag)
		tag_by_text(im, tag, key, parts[n - 1]);
}

void import_read_tag_mac(struct import *im, char *value)
{
	read_tag_key(im, value, "mac");
}

void import_read_circuit_id(struct import *im, char *value)
{
	read_tag_key(im, value, "circuit-id");
}

void import_read_remote_id(struct import *im, char *value)
{
	read_tag_key(im, value, "remote-id");
}

/* dhcp-ignore=tag:x */
void import_read_ignore(struct import *im, char *value)
{
	char *parts[IMPORT_PARTS_MAX];
	size_t n = import_split(im, value, parts);
	struct import_scope s;

	if (import_take_tags(im, parts, n, &s) && s.class && !s.too_many &&
		strcmp(s.class, "known") != 0)
		import_set(im->doc, import_need_class(im, s.class), "ignore", "yes");
	else if (!s.too_many)
		import_note(im, IMPORT_CANNOT, "leave out pool to serve known devices only");
}
