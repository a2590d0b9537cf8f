/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* TFTP's packets (RFC 1350, 2347-2349, 7440), bytes in and bytes out. Pure; every byte of a
 * stranger goes through here. A request must be terminated strings throughout; options that are
 * unknown, or whose value is no number, are left out of the answer, as RFC 2347 has it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum tftp_op { TFTP_RRQ = 1, TFTP_WRQ, TFTP_DATA, TFTP_ACK, TFTP_ERROR, TFTP_OACK };

enum tftp_code {
	TFTP_UNDEFINED,
	TFTP_NOT_FOUND,
	TFTP_DENIED,
	TFTP_DISK_FULL,
	TFTP_ILLEGAL,
	TFTP_UNKNOWN_TID,
	TFTP_EXISTS,
	TFTP_NO_USER,
	TFTP_BAD_OPTION,
};

/* Also the order of bits in `given`. */
enum tftp_option {
	TFTP_BLKSIZE,
	TFTP_TSIZE,
	TFTP_TIMEOUT,
	TFTP_WINDOWSIZE,
	TFTP_N_OPTIONS,
};

struct tftp_request {
	enum tftp_op op;  /* RRQ or WRQ */
	const char *name; /* borrowed; NUL-terminated */
	size_t name_len;
	bool octet; /* the mode is "octet" */
	/* Options that could be read, in the order given; a second one of a kind is dropped. */
	enum tftp_option order[TFTP_N_OPTIONS];
	size_t n_options;
	uint64_t value[TFTP_N_OPTIONS]; /* by option; only those in order are set */
};

/* ERR_TRUNC, ERR_MALFORMED, ERR_LIMIT (longer than TFTP_REQUEST_MAX or over TFTP_OPTIONS_MAX
 * options). */
MUST_CHECK int tftp_pkt_parse_request(const void *bytes, size_t len, struct tftp_request *out);

/* What a client says within a transfer. */
struct tftp_reply {
	enum tftp_op op; /* ACK or ERROR */
	uint16_t number; /* block or code */
};
/* ERR_TRUNC, ERR_MALFORMED (any other packet). */
MUST_CHECK int tftp_pkt_parse_reply(const void *bytes, size_t len, struct tftp_reply *out);

/* Each returns the length written; cap must be at least TFTP_OACK_MAX (text is cut to fit). */
#define TFTP_OACK_MAX  128
#define TFTP_DATA_HEAD 4
size_t tftp_pkt_write_error(enum tftp_code code, const char *text, void *out, size_t cap);
/* The options of req in its order, with the values granted. */
size_t tftp_pkt_write_oack(const struct tftp_request *req, const uint64_t granted[TFTP_N_OPTIONS],
	void *out, size_t cap);
void tftp_pkt_write_data_head(uint16_t block, uint8_t out[TFTP_DATA_HEAD]);
