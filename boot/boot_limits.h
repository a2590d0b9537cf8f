/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Ceilings of the room boot, each with its reason. */

/* Transfers at once: a school's worth of machines switched on together; 2,000 sockets. */
#define BOOT_TRANSFERS_MAX 2000

/* Transfers of one client address. Firmware uses one or two, but whole racks boot from behind one
 * NAT, and a machine that is reset again and again leaves dead transfers behind: at the limit the
 * one that has been silent longest (BOOT_EVICT_SILENT_MS) makes room, and only if there is none the
 * new one is refused. */
#define BOOT_TRANSFERS_PER_CLIENT 32
#define BOOT_EVICT_SILENT_MS	  2000

/* Distinct files open at once, one descriptor for all transfers of a file; a rack boots from a
 * handful. */
#define BOOT_FILES_MAX 512

/* Longest file name in a request; longer ones are ERROR 1. Also the room for the whole request. */
#define TFTP_NAME_MAX	 255
#define TFTP_REQUEST_MAX 1024
/* Options of a request, known or not; clients send two to four. */
#define TFTP_OPTIONS_MAX 16

/* RFC 2348. Above the path MTU less headers it is clamped: ROMs cannot join fragments. */
#define TFTP_BLKSIZE_MIN     8
#define TFTP_BLKSIZE_MAX     65464
#define TFTP_BLKSIZE_DEFAULT 512

/* RFC 7440. 64 blocks of 1,428 bytes fill a gigabit at 0.7 ms; and in bytes, so that a window fits
 * the receive buffer of a client (Linux: 212,992). */
#define TFTP_WINDOW_MAX	      64
#define TFTP_WINDOW_BYTES_MAX 131072

/* Packets to an address that has proven nothing yet: a forged request must not make us a gun. */
#define TFTP_UNPROVEN_PACKETS 6

/* Retransmission: before a round trip is measured, least and most. The floor is far below every
 * client's own timer (1-5 s) and about the length of a slow client's pause: a lost packet costs
 * tens of milliseconds, a block sent twice for nothing costs a millisecond. */
#define TFTP_RTO_FIRST_MS 250
#define TFTP_RTO_MIN_MS	  20
#define TFTP_RTO_MAX_MS	  5000
/* Least after the first timeout in lockstep; busybox resends its ACK after 100 ms without packets.
 */
#define TFTP_RTO_SECOND_MS 120
/* Between the parts of a window that is sent in bursts. */
#define TFTP_BURST_PAUSE_MS 4
#define TFTP_BURST_MIN	    4

/* A client that has been silent this long is gone (it may be busy writing flash). */
#define TFTP_SILENCE_MS 120000
/* Unanswered sendings of the last window: the final ACK is the one that nobody repeats. */
#define TFTP_LAST_TRIES 10

/* Refusals (ERROR packets) a second, all clients: more requests are dropped unanswered. */
#define TFTP_REFUSALS_PER_S 200

/* Packets taken from a transfer's socket before others have their turn. */
#define TFTP_READS_MAX 64
