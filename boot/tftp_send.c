/* SPDX-License-Identifier: Apache-2.0 */
/* A window is read with one preadv into a buffer where each block has room for its head before it,
 * and sent with one sendmsg that the kernel cuts into packets (UDP_SEGMENT): a fifth of the cost of
 * sendmmsg, which is what is done where a device cannot. */
#include <errno.h>
#include <linux/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "boot/tftp_parts.h"

/* Of one sendmsg: an IP datagram's length, and UDP_MAX_SEGMENTS of older kernels. */
#define GSO_BYTES_MAX	 65000
#define GSO_SEGMENTS_MAX 64

/* Reads n blocks, each behind room for its head, and writes the heads. *out_len: bytes in the
 * buffer. */
static int read_blocks(struct tftp_session *s, uint64_t first, uint32_t n, size_t *out_len)
{
	const struct transfer *x = &s->transfer;
	size_t stride = x->blksize + TFTP_DATA_HEAD, want = 0, got = 0;
	struct iovec iov[TFTP_WINDOW_MAX];
	off_t at = (off_t)((first - 1) * x->blksize);
	uint8_t *buffer = s->tftp->buffer;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = transfer_block_len(x, first + i, s->file->size);

		tftp_pkt_write_data_head((uint16_t)(first + i), buffer + i * stride);
		iov[i] = (struct iovec){buffer + i * stride + TFTP_DATA_HEAD, len};
		want += len;
	}
	*out_len = want + n * (size_t)TFTP_DATA_HEAD;
	while (want) {
		ssize_t r = preadv(s->file->fd, iov, (int)n, at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return ERR_IO;
		if ((size_t)r == want)
			return 0;
		/* a regular file gives all there is; a second read tells the end from a signal */
		if (r == 0 || (size_t)r <= got)
			return ERR_TRUNC;
		got = (size_t)r;
	}
	return 0;
}

/* Whether an error of sending is only about segmentation, so that plain packets may go. */
static bool is_gso_error(int errnum)
{
	return errnum == EIO || errnum == EINVAL || errnum == EMSGSIZE || errnum == ENOPROTOOPT ||
	       errnum == EOPNOTSUPP;
}

/* One sendmsg of up to 64 blocks. Returns blocks sent, 0 when the buffer is full or on an error
 * that the timer will repair; -1 when the kernel refuses segmentation. */
static int send_segmented(struct tftp_session *s, uint8_t *bytes, size_t len, uint32_t n)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
	} control = {0};
	struct iovec iov = {bytes, len};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	uint16_t stride = (uint16_t)(s->transfer.blksize + TFTP_DATA_HEAD);
	struct cmsghdr *c = &control.align;

	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(stride));
	memcpy(CMSG_DATA(c), &stride, sizeof(stride));
	if (sendmsg(s->fd, &m, MSG_NOSIGNAL) >= 0)
		return (int)n;
	return is_gso_error(errno) ? -1 : 0;
}

static int send_each(struct tftp_session *s, uint8_t *bytes, size_t len, uint32_t n)
{
	size_t stride = s->transfer.blksize + TFTP_DATA_HEAD;
	struct mmsghdr m[TFTP_WINDOW_MAX];
	struct iovec iov[TFTP_WINDOW_MAX];
	int sent;

	for (uint32_t i = 0; i < n; i++) {
		size_t at = i * stride;

		iov[i] = (struct iovec){bytes + at, len - at < stride ? len - at : stride};
		m[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[i], .msg_iovlen = 1}};
	}
	sent = sendmmsg(s->fd, m, n, MSG_NOSIGNAL);
	/* an error of the socket (a late ICMP) was told here; loss is what timers are for */
	return sent < 0 ? 0 : sent;
}

/* Blocks of one sendmsg. */
static uint32_t batch_len(const struct tftp_session *s, uint32_t left)
{
	uint32_t most = GSO_BYTES_MAX / (s->transfer.blksize + TFTP_DATA_HEAD);

	if (!s->gso || most < 2)
		return left;
	most = most < GSO_SEGMENTS_MAX ? most : GSO_SEGMENTS_MAX;
	return left < most ? left : most;
}

int tftp_send_blocks(struct tftp_session *s, uint64_t first, uint32_t n)
{
	size_t stride = s->transfer.blksize + TFTP_DATA_HEAD, len;
	struct tftp_counters *counters = &s->tftp->counters;
	uint32_t done = 0;
	int err = read_blocks(s, first, n, &len);

	if (err)
		return err;
	while (done < n) {
		uint32_t batch = batch_len(s, n - done);
		uint8_t *bytes = s->tftp->buffer + done * stride;
		size_t bytes_len = done + batch < n ? batch * stride : len - done * stride;
		int sent = -1;

		if (s->gso && batch > 1 && batch * stride <= GSO_BYTES_MAX) {
			sent = send_segmented(s, bytes, bytes_len, batch);
			s->gso = sent >= 0;
		}
		if (sent < 0)
			sent = send_each(s, bytes, bytes_len, batch);
		done += (uint32_t)sent;
		if ((uint32_t)sent < batch)
			break;
	}
	counters->blocks += done;
	counters->bytes +=
		done < n ? done * (uint64_t)s->transfer.blksize : len - n * (size_t)TFTP_DATA_HEAD;
	return (int)done;
}
