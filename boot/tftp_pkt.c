/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/tftp_pkt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/rbuf.h"
#include "base/wbuf.h"
#include "boot/boot_limits.h"

/* Digits of an option's value: 2^63 has 19. */
#define DIGITS_MAX 18

static const char *const OPTION_NAMES[TFTP_N_OPTIONS] = {
	[TFTP_BLKSIZE] = "blksize",
	[TFTP_TSIZE] = "tsize",
	[TFTP_TIMEOUT] = "timeout",
	[TFTP_WINDOWSIZE] = "windowsize",
};

/* The next NUL-terminated string; NULL (and bad) when there is no NUL any more. */
static const char *take_string(struct rbuf *b, size_t *out_len)
{
	const uint8_t *start = b->base + b->pos;
	const uint8_t *nul = rbuf_left(b) ? memchr(start, 0, rbuf_left(b)) : NULL;

	if (!nul) {
		b->bad = true;
		return NULL;
	}
	*out_len = (size_t)(nul - start);
	rbuf_skip(b, *out_len + 1);
	return (const char *)start;
}

static bool number_read(const char *text, size_t len, uint64_t *out)
{
	uint64_t n = 0;

	if (!len || len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	*out = n;
	return true;
}

/* What RFC 2348, 2349 and 7440 allow a client to ask for; anything else is not answered. */
static bool value_is_allowed(enum tftp_option option, uint64_t value)
{
	switch (option) {
	case TFTP_BLKSIZE:
		return value >= TFTP_BLKSIZE_MIN;
	case TFTP_TIMEOUT:
		return value >= 1 && value <= 255;
	case TFTP_WINDOWSIZE:
		return value >= 1;
	default:
		return true;
	}
}

static void take_option(struct tftp_request *req, const char *name, const char *text, size_t len)
{
	uint64_t value;

	for (enum tftp_option o = 0; o < TFTP_N_OPTIONS; o++) {
		if (strcasecmp(name, OPTION_NAMES[o]) != 0)
			continue;
		for (size_t i = 0; i < req->n_options; i++)
			if (req->order[i] == o)
				return;
		if (number_read(text, len, &value) && value_is_allowed(o, value)) {
			req->value[o] = value;
			req->order[req->n_options++] = o;
		}
		return;
	}
}

int tftp_pkt_parse_request(const void *bytes, size_t len, struct tftp_request *out)
{
	struct rbuf b = rbuf_of(bytes, len);
	struct tftp_request req = {.op = rbuf_u16(&b)};
	size_t mode_len, name_len, text_len;
	const char *mode;

	if (len > TFTP_REQUEST_MAX)
		return ERR_LIMIT;
	if (b.bad)
		return ERR_TRUNC;
	if (req.op != TFTP_RRQ && req.op != TFTP_WRQ)
		return ERR_MALFORMED;
	req.name = take_string(&b, &req.name_len);
	mode = take_string(&b, &mode_len);
	if (b.bad)
		return ERR_TRUNC;
	req.octet = strcasecmp(mode, "octet") == 0;
	for (unsigned n = 0; rbuf_left(&b); n++) {
		const char *name = take_string(&b, &name_len);
		const char *text = take_string(&b, &text_len);

		if (b.bad) {
			/* some firmware pads a request with NULs: an empty name ends it */
			if (name && !name_len)
				break;
			return ERR_TRUNC;
		}
		if (n == TFTP_OPTIONS_MAX)
			return ERR_LIMIT;
		take_option(&req, name, text, text_len);
	}
	*out = req;
	return 0;
}

int tftp_pkt_parse_reply(const void *bytes, size_t len, struct tftp_reply *out)
{
	struct rbuf b = rbuf_of(bytes, len);
	uint16_t op = rbuf_u16(&b);
	uint16_t number = rbuf_u16(&b);

	if (b.bad)
		return ERR_TRUNC;
	if (op != TFTP_ACK && op != TFTP_ERROR)
		return ERR_MALFORMED;
	*out = (struct tftp_reply){.op = op, .number = number};
	return 0;
}

size_t tftp_pkt_write_error(enum tftp_code code, const char *text, void *out, size_t cap)
{
	struct wbuf b = wbuf_of(out, cap);
	size_t len = strlen(text);

	wbuf_u16(&b, TFTP_ERROR);
	wbuf_u16(&b, code);
	wbuf_put(&b, text, len < cap - 5 ? len : cap - 5);
	wbuf_u8(&b, 0);
	return b.len;
}

size_t tftp_pkt_write_oack(const struct tftp_request *req, const uint64_t granted[TFTP_N_OPTIONS],
	void *out, size_t cap)
{
	struct wbuf b = wbuf_of(out, cap);
	char text[24];

	wbuf_u16(&b, TFTP_OACK);
	for (size_t i = 0; i < req->n_options; i++) {
		enum tftp_option o = req->order[i];

		(void)snprintf(text, sizeof(text), "%" PRIu64, granted[o]);
		wbuf_put(&b, OPTION_NAMES[o], strlen(OPTION_NAMES[o]) + 1);
		wbuf_put(&b, text, strlen(text) + 1);
	}
	return b.len;
}

void tftp_pkt_write_data_head(uint16_t block, uint8_t out[TFTP_DATA_HEAD])
{
	wbuf_set16(out, TFTP_DATA);
	wbuf_set16(out + 2, block);
}
