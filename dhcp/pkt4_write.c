/* SPDX-License-Identifier: Apache-2.0 */
/* The options field is filled first, in the order of importance; an option that does not fit there
 * whole is tried in `file`, then in `sname`. So the field must keep three bytes for option 52 while
 * an overload is still possible, and the bytes of option 82 and END throughout. */
#include "dhcp/pkt4_write.h"

#include <string.h>

#include "base/wbuf.h"

enum { PKT4_BANNED = 0xff };

/* IP and UDP headers, which option 57 counts in (RFC 2132 9.10: a DHCP message; clients mean the
 * datagram). */
enum { PKT4_IP_UDP_LEN = 28, PKT4_MAX_SIZE_LEAST = 576 };

void pkt4_reply_init(struct pkt4_reply *r)
{
	size_t head = offsetof(struct pkt4_reply, options);

	memset(r, 0, head);
	memset(r->place, 0, sizeof(r->place));
	r->scratch_len = 0;
}

/* Numbers that the writer itself owns. */
static bool pkt4_is_ours(uint8_t code)
{
	return code == DHCP_OPT_PAD || code == DHCP_OPT_END || code == DHCP_OPT_OVERLOAD ||
	       code == DHCP_OPT_TYPE || code == DHCP_OPT_RELAY;
}

void pkt4_put(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, const void *data, size_t len)
{
	struct pkt4_option *o;

	if (r->place[code] == PKT4_BANNED || len > DHCP_OPTION_MAX || pkt4_is_ours(code))
		return;
	if (r->place[code]) {
		o = &r->options[r->place[code] - 1];
		if (o->want > want)
			want = (enum pkt4_want)o->want;
	} else {
		if (r->n_options == DHCP_REPLY_OPTIONS_MAX)
			return;
		o = &r->options[r->n_options++];
		r->place[code] = (uint8_t)r->n_options;
	}
	*o = (struct pkt4_option){
		.code = code, .want = (uint8_t)want, .len = (uint16_t)len, .data = data};
}

void pkt4_put_copy(
	struct pkt4_reply *r, uint8_t code, enum pkt4_want want, const void *data, size_t len)
{
	uint8_t *at = r->scratch + r->scratch_len;

	if (len > sizeof(r->scratch) - r->scratch_len)
		return;
	if (len)
		memcpy(at, data, len);
	r->scratch_len += len;
	pkt4_put(r, code, want, at, len);
}

void pkt4_put_u8(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, uint8_t v)
{
	pkt4_put_copy(r, code, want, &v, 1);
}

void pkt4_put_u16(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, uint16_t v)
{
	uint8_t b[2];

	wbuf_set16(b, v);
	pkt4_put_copy(r, code, want, b, sizeof(b));
}

void pkt4_put_u32(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, uint32_t v)
{
	uint8_t b[4];

	wbuf_set32(b, v);
	pkt4_put_copy(r, code, want, b, sizeof(b));
}

void pkt4_put_ips(
	struct pkt4_reply *r, uint8_t code, enum pkt4_want want, const uint32_t *ips, size_t n)
{
	uint8_t *at = r->scratch + r->scratch_len;

	if (n > (sizeof(r->scratch) - r->scratch_len) / 4)
		return;
	for (size_t i = 0; i < n; i++)
		wbuf_set32(at + 4 * i, ips[i]);
	r->scratch_len += 4 * n;
	pkt4_put(r, code, want, at, 4 * n);
}

void pkt4_put_text(struct pkt4_reply *r, uint8_t code, enum pkt4_want want, const char *text)
{
	pkt4_put(r, code, want, text, strlen(text));
}

void pkt4_ban(struct pkt4_reply *r, uint8_t code)
{
	if (r->place[code] && r->place[code] != PKT4_BANNED)
		r->options[r->place[code] - 1].code = DHCP_OPT_PAD;
	r->place[code] = PKT4_BANNED;
}

bool pkt4_is_put(const struct pkt4_reply *r, uint8_t code)
{
	return r->place[code] && r->place[code] != PKT4_BANNED;
}

size_t pkt4_max_len(uint16_t max_size)
{
	if (max_size == 0)
		return DHCP_PACKET_DEFAULT;
	if (max_size < PKT4_MAX_SIZE_LEAST)
		max_size = PKT4_MAX_SIZE_LEAST;
	if (max_size > DHCP_PACKET_MAX + PKT4_IP_UDP_LEN)
		return DHCP_PACKET_MAX;
	return (size_t)max_size - PKT4_IP_UDP_LEN;
}

/* ---- laying out ---- */

struct pkt4_layout {
	struct wbuf field[3]; /* options, file, sname; the last two without their END */
	size_t keep;	      /* bytes of the options field still needed for others */
	bool done[256];
	unsigned n_cut;
};

static size_t pkt4_wire_len(size_t len)
{
	return len + 2 * (len ? (len + 254) / 255 : 1);
}

static void pkt4_write_option(struct wbuf *b, uint8_t code, const uint8_t *data, size_t len)
{
	do {
		size_t part = len > 255 ? 255 : len;

		wbuf_u8(b, code);
		wbuf_u8(b, (unsigned)part);
		wbuf_put(b, data, part);
		data += part;
		len -= part;
	} while (len);
}

/* A part must not be separated from what follows it in another field, so an option goes whole. */
static void pkt4_lay(struct pkt4_layout *l, uint8_t code, const uint8_t *data, size_t len)
{
	size_t need = pkt4_wire_len(len);

	if (l->done[code])
		return;
	l->done[code] = true;
	for (unsigned i = 0; i < 3; i++) {
		struct wbuf *b = &l->field[i];
		size_t keep = i == 0 ? l->keep : 0;

		if (b->cap - b->len < need + keep)
			continue;
		pkt4_write_option(b, code, data, len);
		return;
	}
	l->n_cut++;
}

static void pkt4_lay_known(struct pkt4_layout *l, const struct pkt4_reply *r, uint8_t code)
{
	const struct pkt4_option *o;

	if (!pkt4_is_put(r, code))
		return;
	o = &r->options[r->place[code] - 1];
	pkt4_lay(l, code, o->data, o->len);
}

static void pkt4_lay_all(struct pkt4_layout *l, const struct pkt4_reply *r)
{
	static const uint8_t first[] = {
		DHCP_OPT_SERVER_ID, DHCP_OPT_LEASE, DHCP_OPT_T1, DHCP_OPT_T2, DHCP_OPT_MASK};

	pkt4_lay(l, DHCP_OPT_TYPE, &r->type, 1);
	for (size_t i = 0; i < sizeof(first); i++) {
		if (pkt4_is_put(r, first[i]) &&
			r->options[r->place[first[i]] - 1].want == PKT4_ALWAYS)
			pkt4_lay_known(l, r, first[i]);
	}
	for (size_t i = 0; i < r->n_options; i++) {
		if (r->options[i].want == PKT4_ALWAYS && r->options[i].code != DHCP_OPT_PAD)
			pkt4_lay_known(l, r, r->options[i].code);
	}
	for (size_t i = 0; i < r->n_asked; i++)
		pkt4_lay_known(l, r, r->asked[i]);
	for (size_t i = 0; !r->asked && i < r->n_options; i++) {
		if (r->options[i].want == PKT4_IF_ASKED && r->options[i].code != DHCP_OPT_PAD)
			pkt4_lay_known(l, r, r->options[i].code);
	}
}

static void pkt4_write_head(const struct pkt4_reply *r, uint8_t *out)
{
	struct wbuf b = wbuf_of(out, DHCP_HEADER_LEN);
	size_t file_len = r->file ? strnlen(r->file, DHCP_FILE_LEN - 1) : 0;

	memset(out, 0, DHCP_HEADER_LEN);
	wbuf_u8(&b, DHCP_BOOTREPLY);
	wbuf_u8(&b, r->htype);
	wbuf_u8(&b, r->hlen);
	wbuf_u8(&b, 0);
	wbuf_u32(&b, r->xid);
	wbuf_u16(&b, 0);
	wbuf_u16(&b, r->flags);
	wbuf_u32(&b, r->ciaddr);
	wbuf_u32(&b, r->yiaddr);
	wbuf_u32(&b, r->siaddr);
	wbuf_u32(&b, r->giaddr);
	wbuf_put(&b, r->chaddr, 16);
	if (file_len)
		memcpy(out + DHCP_FILE_AT, r->file, file_len);
	wbuf_set32(out + DHCP_HEADER_LEN - 4, DHCP_COOKIE);
}

/* Close `file` and `sname` where they were used. Returns the value of option 52. */
static uint8_t pkt4_close_fields(struct pkt4_layout *l)
{
	uint8_t overload = 0;

	for (unsigned i = 1; i < 3; i++) {
		if (l->field[i].len == 0)
			continue;
		l->field[i].base[l->field[i].len] = DHCP_OPT_END;
		overload |= (uint8_t)i;
	}
	return overload;
}

int pkt4_write(
	const struct pkt4_reply *r, uint8_t *out, size_t cap, size_t *out_len, unsigned *n_cut)
{
	size_t relay = r->relay ? pkt4_wire_len(r->relay_len) : 0;
	struct pkt4_layout l = {.keep = 1 + 3 + relay};
	size_t max = r->max_len < DHCP_PACKET_MIN ? DHCP_PACKET_DEFAULT : r->max_len;
	struct wbuf *field = &l.field[0];
	uint8_t overload;

	if (cap < max || max > DHCP_PACKET_MAX || max < DHCP_HEADER_LEN + 3 + l.keep)
		return ERR_SPACE;
	pkt4_write_head(r, out);
	*field = wbuf_of(out + DHCP_HEADER_LEN, max - DHCP_HEADER_LEN);
	if (!r->file)
		l.field[1] = wbuf_of(out + DHCP_FILE_AT, DHCP_FILE_LEN - 1);
	l.field[2] = wbuf_of(out + DHCP_SNAME_AT, DHCP_SNAME_LEN - 1);
	pkt4_lay_all(&l, r);
	overload = pkt4_close_fields(&l);
	if (overload)
		pkt4_write_option(field, DHCP_OPT_OVERLOAD, &overload, 1);
	if (r->relay)
		pkt4_write_option(field, DHCP_OPT_RELAY, r->relay, r->relay_len);
	wbuf_u8(field, DHCP_OPT_END);
	if (field->bad)
		return ERR_SPACE;
	*out_len = DHCP_HEADER_LEN + field->len;
	if (*out_len < DHCP_PACKET_MIN) {
		memset(out + *out_len, 0, DHCP_PACKET_MIN - *out_len);
		*out_len = DHCP_PACKET_MIN;
	}
	*n_cut = l.n_cut;
	return 0;
}
