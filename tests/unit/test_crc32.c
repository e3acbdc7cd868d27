/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of otter/crc32.h. "123456789" is the check value of the CRC catalogue
 * (CRC-32/ISO-HDLC); the other sums were computed with zlib's crc32().
 */
#include "otter/crc32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_text_has_the_sum_that_zlib_computes(void **state)
{
    static const struct {
        const char *text;
        uint32_t sum;
    } cases[] = {
        {"", 0x00000000},
        {"123456789", 0xCBF43926},
        {"a", 0xE8B7BE43},
        {"abc", 0x352441C2},
        {"message digest", 0x20159D7F},
        {"The quick brown fox jumps over the lazy dog", 0x414FA339},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint32_t sum = otter_crc32(0, cases[i].text, strlen(cases[i].text));
        assert_int_equal(sum, cases[i].sum);
    }
}

static void blank_and_zero_flash_have_the_sums_that_zlib_computes(void **state)
{
    uint8_t bytes[32];
    (void)state;
    memset(bytes, 0x00, sizeof(bytes));
    assert_int_equal(otter_crc32(0, bytes, sizeof(bytes)), 0x190A55AD);
    memset(bytes, 0xFF, sizeof(bytes));
    assert_int_equal(otter_crc32(0, bytes, sizeof(bytes)), 0xFF6CAB0B);
}

static void every_byte_value_counts(void **state)
{
    uint8_t bytes[256];
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(otter_crc32(0, bytes, sizeof(bytes)), 0x29058C73);
}

static void a_sum_in_two_parts_is_the_sum_of_the_whole(void **state)
{
    const char *text = "123456789";
    (void)state;
    for (size_t cut = 0; cut <= 9; cut++) {
        const uint32_t first = otter_crc32(0, text, cut);
        assert_int_equal(otter_crc32(first, text + cut, 9 - cut), 0xCBF43926);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_the_sum_that_zlib_computes),
        cmocka_unit_test(blank_and_zero_flash_have_the_sums_that_zlib_computes),
        cmocka_unit_test(every_byte_value_counts),
        cmocka_unit_test(a_sum_in_two_parts_is_the_sum_of_the_whole),
    };
    return cmocka_run_group_tests_name("crc32", tests, NULL, NULL);
}
