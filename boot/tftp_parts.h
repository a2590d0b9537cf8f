/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the TFTP server share: tftp.c (requests), tftp_session.c (one transfer and its
 * socket), tftp_send.c (windows onto the wire). */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/ip.h"
#include "base/table.h"
#include "base/wheel.h"
#include "boot/boot_limits.h"
#include "boot/bootroot.h"
#include "boot/tftp.h"
#include "boot/tftp_pkt.h"
#include "boot/transfer.h"
#include "net/udp.h"

/* A window with its heads. */
#define TFTP_BUFFER_LEN                                                                            \
	(TFTP_WINDOW_BYTES_MAX + TFTP_BLKSIZE_MAX + TFTP_WINDOW_MAX * TFTP_DATA_HEAD)

struct tftp_session {
	struct table_node node; /* by client address; first */
	struct tftp *tftp;
	struct tftp_session *prev, *next; /* all, oldest first */
	struct ip_port peer;
	int fd;
	struct loop_watch *watch;
	struct wheel_timer timer;
	struct bootroot *root; /* the one the file is of: a reload may have replaced it */
	struct bootfile *file;
	struct transfer transfer;
	int64_t start_us;
	bool gso; /* the kernel cuts a window into packets */
	uint16_t oack_len;
	uint8_t oack[TFTP_OACK_MAX];
	char name[TFTP_NAME_MAX + 1]; /* for the log */
};

struct tftp {
	struct loop *loop;
	const struct boot_conf *conf;
	struct bootroot *root;
	struct udp **listeners;
	size_t n_listeners;
	struct hash_key key;
	struct table clients; /* sessions by client address */
	struct tftp_session *oldest, *newest;
	struct tftp_counters counters;
	int64_t refusal_second; /* refusals are counted within it */
	uint32_t n_refusals;
	uint8_t *buffer; /* TFTP_BUFFER_LEN: the window that is being sent */
};

/* A session for a request that was granted: its socket, from the local address that was asked.
 * Takes over file (released with the session). NULL when the kernel gives no socket; file is the
 * caller's then. */
struct tftp_session *tftp_session_new(struct tftp *t, const struct udp_from *from,
	const struct ip *bound, const struct tftp_request *req, struct bootfile *file);
/* Asks the transfer what to do and does it, until it waits or ends; s may be gone afterwards. */
void tftp_session_run(struct tftp_session *s);
/* Ends a transfer from our side; text goes to the client (NULL: nothing). */
void tftp_session_end(struct tftp_session *s, const char *text);
uint64_t tftp_client_hash(const struct tftp *t, const struct ip *client);

/* Sends blocks of the file. Returns how many left (fewer when the send buffer is full), or
 * ERR_TRUNC: the file is shorter than it was; ERR_IO: it cannot be read. */
MUST_CHECK int tftp_send_blocks(struct tftp_session *s, uint64_t first, uint32_t n);
