/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "boot/boot_limits.h"
#include "boot/tftp_pkt.h"

#define PARSE(text, req) tftp_pkt_parse_request(text, sizeof(text) - 1, req)

static void a_plain_request_is_read(void **state)
{
	struct tftp_request req;

	(void)state;
	assert_int_equal(PARSE("\0\1pxelinux.0\0octet\0", &req), 0);
	assert_int_equal(req.op, TFTP_RRQ);
	assert_string_equal(req.name, "pxelinux.0");
	assert_int_equal(req.name_len, 10);
	assert_true(req.octet);
	assert_int_equal(req.n_options, 0);
	assert_int_equal(PARSE("\0\2x\0OcTet\0", &req), 0);
	assert_int_equal(req.op, TFTP_WRQ);
	assert_true(req.octet);
	assert_int_equal(PARSE("\0\1x\0netascii\0", &req), 0);
	assert_false(req.octet);
	assert_int_equal(PARSE("\0\1x\0mail\0", &req), 0);
	assert_false(req.octet);
	assert_int_equal(PARSE("\0\1\0octet\0", &req), 0);
	assert_int_equal(req.name_len, 0);
}

static void options_are_kept_in_their_order(void **state)
{
	struct tftp_request req;
	uint8_t oack[TFTP_OACK_MAX];
	const uint64_t granted[] = {[TFTP_BLKSIZE] = 1428,
		[TFTP_TSIZE] = UINT64_C(123456789012),
		[TFTP_TIMEOUT] = 3,
		[TFTP_WINDOWSIZE] = 16};
	static const char WANT[] =
		"\0\6tsize\000123456789012\0windowsize\00016\0blksize\0001428\0timeout\0003\0";
	size_t len;

	(void)state;
	assert_int_equal(PARSE("\0\1f\0octet\0TSize\0000\0windowsize\00064\0blksize\0001468\0"
			       "multicast\0\0timeout\0003\0blksize\0009\0",
				 &req),
		0);
	assert_int_equal(req.n_options, 4);
	assert_int_equal(req.order[0], TFTP_TSIZE);
	assert_int_equal(req.order[1], TFTP_WINDOWSIZE);
	assert_int_equal(req.value[TFTP_BLKSIZE], 1468); /* the first of the two */
	len = tftp_pkt_write_oack(&req, granted, oack, sizeof(oack));
	assert_int_equal(len, sizeof(WANT) - 1);
	assert_memory_equal(oack, WANT, len);
}

static void a_value_that_makes_no_sense_is_not_answered(void **state)
{
	static const char *const BAD[] = {
		"", "-1", "7", "0", "1e9", " 512", "512 ", "0x200", "9999999999999999999999"};
	char bytes[100];
	struct tftp_request req;

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		size_t n = sizeof("\0\1f\0octet\0blksize") - 1;

		memcpy(bytes, "\0\1f\0octet\0blksize", n + 1);
		strcpy(bytes + n + 1, BAD[i]);
		assert_int_equal(
			tftp_pkt_parse_request(bytes, n + 1 + strlen(BAD[i]) + 1, &req), 0);
		assert_int_equal(req.n_options, 0);
	}
	assert_int_equal(PARSE("\0\1f\0octet\0blksize\00065465\0", &req), 0);
	assert_int_equal(req.n_options, 1); /* clamped by whoever grants */
	assert_int_equal(PARSE("\0\1f\0octet\0timeout\000256\0windowsize\0000\0", &req), 0);
	assert_int_equal(req.n_options, 0);
}

static void a_cut_request_is_dropped_at_every_length(void **state)
{
	static const char FULL[] = "\0\1dir/file\0octet\0blksize\0001468\0tsize\0000\0";
	struct tftp_request req;

	(void)state;
	for (size_t n = 0; n < sizeof(FULL) - 1; n++) {
		int err = tftp_pkt_parse_request(FULL, n, &req);

		/* only where one option ends does a whole request stand there */
		if (n == 17 || n == 30)
			assert_int_equal(err, 0);
		else
			assert_true(err < 0);
	}
	assert_int_equal(PARSE(FULL, &req), 0);
	assert_int_equal(PARSE("\0\1f\0octet\0\0\0\0\0\0", &req), 0); /* padding */
}

static void endless_options_and_requests_are_refused(void **state)
{
	uint8_t bytes[TFTP_REQUEST_MAX + 1];
	struct tftp_request req;
	size_t n = sizeof("\0\1f\0octet\0") - 1;

	(void)state;
	memcpy(bytes, "\0\1f\0octet", n);
	for (; n + 4 <= 600; n += 4)
		memcpy(bytes + n, "a\0b", 4);
	assert_int_equal(tftp_pkt_parse_request(bytes, n, &req), ERR_LIMIT);
	memset(bytes, 'a', sizeof(bytes));
	memcpy(bytes, "\0\1", 2);
	assert_int_equal(tftp_pkt_parse_request(bytes, sizeof(bytes), &req), ERR_LIMIT);
}

static void other_packets_are_no_requests(void **state)
{
	struct tftp_request req;
	struct tftp_reply reply;

	(void)state;
	assert_int_equal(PARSE("\0\3\0\1", &req), ERR_MALFORMED);
	assert_int_equal(PARSE("\0\4\0\1", &req), ERR_MALFORMED);
	assert_int_equal(PARSE("\1\1f\0octet\0", &req), ERR_MALFORMED);
	assert_int_equal(PARSE("\0", &req), ERR_TRUNC);
	assert_int_equal(PARSE("", &req), ERR_TRUNC);
	assert_int_equal(tftp_pkt_parse_reply("\0\4\x12\x34", 4, &reply), 0);
	assert_int_equal(reply.op, TFTP_ACK);
	assert_int_equal(reply.number, 0x1234);
	assert_int_equal(tftp_pkt_parse_reply("\0\4\x12", 3, &reply), ERR_TRUNC);
	assert_int_equal(tftp_pkt_parse_reply("\0\3\0\1", 4, &reply), ERR_MALFORMED);
	assert_int_equal(tftp_pkt_parse_reply("\0\5\0\10x", 5, &reply), 0);
	assert_int_equal(reply.op, TFTP_ERROR);
}

static void an_error_is_cut_to_its_room(void **state)
{
	uint8_t out[16];

	(void)state;
	assert_int_equal(tftp_pkt_write_error(TFTP_NOT_FOUND, "no", out, sizeof(out)), 7);
	assert_memory_equal(out, "\0\5\0\1no", 7);
	assert_int_equal(
		tftp_pkt_write_error(TFTP_DENIED, "a very long explanation", out, sizeof(out)), 16);
	assert_int_equal(out[15], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_request_is_read),
		cmocka_unit_test(options_are_kept_in_their_order),
		cmocka_unit_test(a_value_that_makes_no_sense_is_not_answered),
		cmocka_unit_test(a_cut_request_is_dropped_at_every_length),
		cmocka_unit_test(endless_options_and_requests_are_refused),
		cmocka_unit_test(other_packets_are_no_requests),
		cmocka_unit_test(an_error_is_cut_to_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
