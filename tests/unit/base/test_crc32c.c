/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/crc32c.h"
#include "base/rand.h"

static void it_agrees_with_rfc_3720(void **state)
{
	uint8_t block[32];
	/* B.4: an iSCSI SCSI Read (10) command PDU */
	static const uint8_t pdu[48] = {0x01,
		0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};

	(void)state;
	memset(block, 0, 32);
	assert_true(crc32c(block, 32) == 0x8a9136aau);
	memset(block, 0xff, 32);
	assert_true(crc32c(block, 32) == 0x62a8ab43u);
	for (unsigned i = 0; i < 32; i++)
		block[i] = (uint8_t)i;
	assert_true(crc32c(block, 32) == 0x46dd794eu);
	for (unsigned i = 0; i < 32; i++)
		block[i] = (uint8_t)(31 - i);
	assert_true(crc32c(block, 32) == 0x113fdb5cu);
	assert_true(crc32c(pdu, 48) == 0xd9963a56u);
	assert_true(crc32c("123456789", 9) == 0xe3069283u);
	assert_true(crc32c(NULL, 0) == 0);
}

static void the_table_and_the_instruction_agree(void **state)
{
	struct rand_source *r = rand_new_seeded(3);
	uint8_t data[300];

	(void)state;
	for (size_t len = 0; len < sizeof(data); len++) {
		rand_bytes(r, data, len);
		assert_true(crc32c(data, len) == crc32c_portable(0, data, len));
		if (len > 9)
			assert_true(
				crc32c(data + 3, len - 3) == crc32c_portable(0, data + 3, len - 3));
	}
	rand_free(r);
}

static void parts_give_the_whole(void **state)
{
	static const char text[] = "The lease was committed before it was acknowledged.";
	size_t len = sizeof(text) - 1;

	(void)state;
	for (size_t cut = 0; cut <= len; cut++)
		assert_true(crc32c_update(crc32c(text, cut), text + cut, len - cut) ==
			    crc32c(text, len));
}

static void every_flipped_bit_is_seen(void **state)
{
	uint8_t record[100];
	struct rand_source *r = rand_new_seeded(4);
	uint32_t good;

	(void)state;
	rand_bytes(r, record, sizeof(record));
	good = crc32c(record, sizeof(record));
	for (size_t bit = 0; bit < sizeof(record) * 8; bit++) {
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(crc32c(record, sizeof(record)) != good);
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	rand_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_rfc_3720),
		cmocka_unit_test(the_table_and_the_instruction_agree),
		cmocka_unit_test(parts_give_the_whole),
		cmocka_unit_test(every_flipped_bit_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
