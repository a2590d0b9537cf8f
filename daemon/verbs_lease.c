/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/verbs_lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/codec.h"
#include "base/xalloc.h"
#include "daemon/cli.h"
#include "daemon/dhcp_io.h"
#include "daemon/lease_json.h"
#include "daemon/service.h"
#include "store/committer.h"

/* ---- leases ---- */

struct verbs_leases {
	json_t *list;
	bool all;
	int64_t at_s; /* 0: now */
};

static int verbs_on_lease(const struct lease_record *r, void *arg)
{
	struct verbs_leases *v = arg;
	bool is_bound =
		v->at_s ? r->start_s <= v->at_s && r->expires_s > v->at_s : r->state == LEASE_BOUND;

	if (v->all || is_bound)
		json_array_append_new(v->list, lease_json(r));
	return 0;
}

/* "2026-11-20 14:00", "2026-11-20T14:00:00" local time, or Unix time. */
static bool verbs_read_time(const char *text, int64_t *out)
{
	static const char *const forms[] = {
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%s"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end) {
			*out = mktime(&tm);
			return true;
		}
	}
	return false;
}

void verbs_leases(struct service *s, const json_t *request, struct control_call *call)
{
	const char *at = json_string_value(json_object_get(request, "at"));
	struct verbs_leases v = {.all = json_is_true(json_object_get(request, "all"))};

	if (at && !verbs_read_time(at, &v.at_s)) {
		control_refuse(call, CLI_USAGE,
			"\"%s\" is not a time; write 2026-11-20 14:00 or Unix time", at);
		return;
	}
	v.list = json_array();
	server4_each(dhcp_io_server(s->dhcp), dhcp_io_now(s->dhcp), verbs_on_lease, &v);
	control_answer(call, v.list);
}

static void verbs_add_devices(
	struct service *s, const struct dhcp_device *list, size_t n, const char *lan, json_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct dhcp_device *d = &list[i];
		json_t *o = json_object(), *macs = json_array();
		char text[IP_TEXT_LEN];
		struct lease_record r;
		struct ip ip = ip_from4(d->address);

		for (size_t k = 0; k < d->n_macs; k++)
			json_array_append_new(macs, json_string(codec_hex(d->macs[k].bytes, 6, ':',
							    text, sizeof(text))));
		json_object_set_new(o, "hostname", d->name ? json_string(d->name) : json_null());
		json_object_set_new(
			o, "address", d->address ? json_string(ip_format(&ip, text)) : json_null());
		if (d->n_macs)
			json_object_set(o, "mac", json_array_get(macs, 0));
		json_object_set_new(o, "macs", macs);
		json_object_set_new(o, "lan", lan ? json_string(lan) : json_null());
		if (d->address && server4_lease(dhcp_io_server(s->dhcp), d->address,
					  dhcp_io_now(s->dhcp), &r) == 0) {
			json_object_set_new(o, "state", json_string(lease_json_state(r.state)));
			json_object_set_new(o, "expires",
				r.expires_s == LEASE_FOREVER ? json_null()
							     : json_integer(r.expires_s));
		} else {
			json_object_set_new(o, "state", json_string("not seen"));
		}
		json_array_append_new(out, o);
	}
}

void verbs_devices(struct service *s, const json_t *request, struct control_call *call)
{
	const struct dhcp_conf *c = dhcp_io_conf(s->dhcp);
	json_t *list = json_array();

	(void)request;
	for (size_t i = 0; i < c->n_lans; i++)
		verbs_add_devices(
			s, c->lans[i].devices, c->lans[i].n_devices, c->lans[i].name, list);
	verbs_add_devices(s, c->devices, c->n_devices, NULL, list);
	control_answer(call, list);
}

/* ---- taking leases in ---- */

struct verbs_import {
	struct service *service;
	struct control_call *call;
	size_t n, n_known, n_refused;
	size_t n_waiting; /* pieces at the committer, and one for the verb itself */
	int err;
	struct lease_record *records;
};

static void verbs_import_end(struct verbs_import *v)
{
	char text[160];

	if (--v->n_waiting)
		return;
	if (v->err) {
		control_refuse(
			v->call, CLI_NO, "the leases could not be stored: %s", err_text(v->err));
	} else {
		for (size_t i = 0; i < v->n; i++)
			if (server4_load(dhcp_io_server(v->service->dhcp), &v->records[i],
				    dhcp_io_now(v->service->dhcp)) != 0)
				v->n_refused++;
		server4_loaded(dhcp_io_server(v->service->dhcp), dhcp_io_now(v->service->dhcp));
		snprintf(text, sizeof(text),
			"%zu leases taken in, %zu left alone because the address is known, %zu "
			"refused",
			v->n - v->n_refused, v->n_known, v->n_refused);
		control_answer(v->call, json_string(text));
	}
	xfree(v->records);
	xfree(v);
}

static void verbs_import_done(void *arg, int err)
{
	struct verbs_import *v = arg;

	if (err)
		v->err = err;
	verbs_import_end(v);
}

/* {"address": ..., "mac": ..., "hostname": ..., "client_id": hex, "expires": n} */
static bool verbs_import_read(const json_t *o, struct lease_record *r, int64_t now_s)
{
	const char *address = json_string_value(json_object_get(o, "address"));
	const char *mac = json_string_value(json_object_get(o, "mac"));
	const char *id = json_string_value(json_object_get(o, "client_id"));
	const char *name = json_string_value(json_object_get(o, "hostname"));
	size_t id_len = 0;

	*r = (struct lease_record){.prefix_len = 32, .state = LEASE_BOUND, .start_s = now_s};
	if (!address || ip_read(address, &r->ip) != 0 || r->ip.family != AF_INET)
		return false;
	if (mac && codec_mac_read(mac, r->hw) == 0) {
		r->hw_type = 1;
		r->hw_len = 6;
	}
	if (id && codec_unhex(id, r->id, sizeof(r->id), &id_len) == 0)
		r->id_len = (uint8_t)id_len;
	if (name && strlen(name) < sizeof(r->hostname))
		strncpy(r->hostname, name, sizeof(r->hostname) - 1);
	r->expires_s = json_integer_value(json_object_get(o, "expires"));
	r->last_seen_s = now_s;
	return r->hw_len || r->id_len;
}

static void verbs_import_submit(struct verbs_import *v)
{
	enum { PIECE = 100 }; /* below STORE_TXN_RECORDS */

	for (size_t at = 0; at < v->n && !v->err; at += PIECE) {
		struct lease_change changes[PIECE];
		size_t n = v->n - at < PIECE ? v->n - at : PIECE;

		for (size_t i = 0; i < n; i++)
			changes[i] = (struct lease_change){
				.op = LEASE_PUT, .record = &v->records[at + i]};
		v->err = committer_submit(v->service->committer, changes, n, verbs_import_done, v);
		if (!v->err)
			v->n_waiting++;
	}
}

void verbs_import_leases(struct service *s, const json_t *request, struct control_call *call)
{
	const json_t *list = json_object_get(request, "leases"), *o;
	struct server4_now now = dhcp_io_now(s->dhcp);
	struct verbs_import *v = xcalloc(1, sizeof(*v));
	struct lease_record known;
	size_t i;

	*v = (struct verbs_import){.service = s, .call = call, .n_waiting = 1};
	v->records = xcalloc(json_array_size(list) + 1, sizeof(*v->records));
	json_array_foreach(list, i, o)
	{
		struct lease_record *r = &v->records[v->n];

		if (!verbs_import_read(o, r, now.wall_s))
			v->n_refused++;
		else if (server4_lease(dhcp_io_server(s->dhcp), ip_to4(&r->ip), now, &known) == 0)
			v->n_known++;
		else
			v->n++;
	}
	verbs_import_submit(v);
	verbs_import_end(v);
}

/* ---- a boot file for once ---- */

/* A MAC address, or the name of a device of the configuration or of a lease. */
static bool verbs_find_device(
	const struct dhcp_device *list, size_t n, const char *name, uint8_t mac[DHCP_MAC_LEN])
{
	for (size_t i = 0; i < n; i++) {
		if (!list[i].name || !list[i].n_macs || strcasecmp(list[i].name, name) != 0)
			continue;
		memcpy(mac, list[i].macs[0].bytes, DHCP_MAC_LEN);
		return true;
	}
	return false;
}

struct verbs_holder {
	const char *name;
	uint8_t *mac;
};

static int verbs_on_holder(const struct lease_record *r, void *arg)
{
	struct verbs_holder *h = arg;

	if (r->hw_len != DHCP_MAC_LEN || strcasecmp(r->hostname, h->name) != 0)
		return 0;
	memcpy(h->mac, r->hw, DHCP_MAC_LEN);
	return 1;
}

static bool verbs_find_mac(struct service *s, const char *name, uint8_t mac[DHCP_MAC_LEN])
{
	const struct dhcp_conf *c = dhcp_io_conf(s->dhcp);
	struct verbs_holder holder = {name, mac};

	if (codec_mac_read(name, mac) == 0 ||
		verbs_find_device(c->devices, c->n_devices, name, mac))
		return true;
	for (size_t i = 0; i < c->n_lans; i++)
		if (verbs_find_device(c->lans[i].devices, c->lans[i].n_devices, name, mac))
			return true;
	return server4_each(dhcp_io_server(s->dhcp), dhcp_io_now(s->dhcp), verbs_on_holder,
		       &holder) == 1;
}

void verbs_boot_once(struct service *s, const json_t *request, struct control_call *call)
{
	const char *file = json_string_value(json_object_get(request, "once"));
	const char *name = control_arg(request, 0);
	uint8_t mac[DHCP_MAC_LEN];
	int err;

	if (!name || !file) {
		control_refuse(call, CLI_USAGE, "say which: lanthorn boot DEVICE --once FILE");
		return;
	}
	if (!verbs_find_mac(s, name, mac)) {
		control_refuse(call, CLI_NO,
			"no device and no lease is called %s; a MAC address will do too", name);
		return;
	}
	err = server4_boot_once(dhcp_io_server(s->dhcp), mac, file, dhcp_io_now(s->dhcp));
	if (err)
		control_refuse(call, CLI_NO, "%s", err_text(err));
	else
		control_answer(
			call, json_string("the next start of the device gets that file, once"));
}
