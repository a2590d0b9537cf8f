/* SPDX-License-Identifier: Apache-2.0 */
/* Boot files: a machine's own for once, its device's, its classes', its lan's, in that order. */
#include <string.h>

#include "dhcp/server4_state.h"

static struct server4_once *server4_once_get(struct server4 *s, const uint8_t mac[DHCP_MAC_LEN])
{
	for (size_t i = 0; i < DHCP_BOOT_ONCE_MAX; i++) {
		if (s->once[i].file[0] && memcmp(s->once[i].mac, mac, DHCP_MAC_LEN) == 0)
			return &s->once[i];
	}
	return NULL;
}

static struct server4_once *server4_once_room(struct server4 *s, int64_t now_ms)
{
	for (size_t i = 0; i < DHCP_BOOT_ONCE_MAX; i++) {
		if (!s->once[i].file[0] || s->once[i].due_ms <= now_ms)
			return &s->once[i];
	}
	return NULL;
}

int server4_boot_once(struct server4 *s, const uint8_t mac[DHCP_MAC_LEN], const char *file,
	struct server4_now now)
{
	struct server4_once *o = server4_once_get(s, mac);
	size_t len = file ? strlen(file) : 0;

	if (!file) {
		server4_boot_done(s, mac);
		return 0;
	}
	if (len == 0 || len > DHCP_BOOT_FILE_MAX)
		return ERR_RANGE;
	if (!o)
		o = server4_once_room(s, now.mono_ms);
	if (!o)
		return ERR_LIMIT;
	memcpy(o->mac, mac, DHCP_MAC_LEN);
	memcpy(o->file, file, len + 1);
	o->due_ms = now.mono_ms + (int64_t)DHCP_BOOT_ONCE_S * 1000;
	return 0;
}

void server4_boot_done(struct server4 *s, const uint8_t mac[DHCP_MAC_LEN])
{
	struct server4_once *o = server4_once_get(s, mac);

	if (o)
		o->file[0] = '\0';
}

void server4_put_boot(const struct server4_ctx *c, struct pkt4_reply *r, char url[PXE_URL_MAX])
{
	const struct dhcp_boot *boots[SERVER4_CLASSES_MAX + 2];
	const struct server4_once *once = server4_once_get(c->s, c->client.hw);
	struct pxe_choice choice;
	size_t n = 0;

	boots[n++] = c->device ? &c->device->boot : NULL;
	for (size_t i = 0; i < c->n_classes; i++)
		boots[n++] = &c->classes[i]->boot;
	boots[n++] = &c->lan->boot;
	choice = pxe_pick(c->req, boots, n, c->local);
	if (once && once->due_ms > c->now.mono_ms && pxe_kind(c->req) != PXE_NONE)
		choice = (struct pxe_choice){
			.kind = pxe_kind(c->req), .file = once->file, .server = c->local};
	pxe_put(&choice, c->req, r, url);
}
