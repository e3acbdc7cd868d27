/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of otter/bytes.h. Expected values follow from the definition of little-endian
 * and big-endian order alone.
 */
#include "otter/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t rising[9] = {0xEE, 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88};

static void loads_put_the_bytes_in_order_at_any_alignment(void **state)
{
    (void)state;
    assert_int_equal(otter_load_le16(rising + 1), 0x8201);
    assert_int_equal(otter_load_be16(rising + 1), 0x0182);
    assert_int_equal(otter_load_le32(rising + 1), 0x84038201);
    assert_true(otter_load_le64(rising + 1) == UINT64_C(0x8807860584038201));
}

static void stores_put_the_bytes_in_order_and_no_more(void **state)
{
    uint8_t bytes[10];
    (void)state;
    memset(bytes, 0xEE, sizeof(bytes));
    otter_store_le16(bytes + 1, 0x8201);
    assert_memory_equal(bytes, rising, 3);
    assert_int_equal(bytes[3], 0xEE);
    otter_store_be16(bytes + 1, 0x0182);
    assert_memory_equal(bytes, rising, 3);
    otter_store_le32(bytes + 1, 0x84038201);
    assert_memory_equal(bytes, rising, 5);
    assert_int_equal(bytes[5], 0xEE);
    otter_store_le64(bytes + 1, UINT64_C(0x8807860584038201));
    assert_memory_equal(bytes, rising, 9);
    assert_int_equal(bytes[9], 0xEE);
}

static void a_reader_takes_fields_one_after_the_other(void **state)
{
    static const uint8_t data[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                   0x99, 0xAA, 1,    2,    3,    4,    5,
                                   6,    7,    8,    'o',  'k'};
    struct otter_reader reader = otter_reader_of(data, sizeof(data));
    (void)state;
    assert_int_equal(otter_reader_u8(&reader), 0x11);
    assert_int_equal(otter_reader_le16(&reader), 0x3322);
    assert_int_equal(otter_reader_le32(&reader), 0x77665544);
    otter_reader_skip(&reader, 2);
    assert_true(otter_reader_le64(&reader) == UINT64_C(0x0807060504030201));
    assert_int_equal(otter_reader_left(&reader), 2);
    assert_false(otter_reader_is_done(&reader));
    assert_ptr_equal(otter_reader_bytes(&reader, 2), data + 17);
    assert_true(otter_reader_is_done(&reader));
}

static void a_field_past_the_end_is_zero_and_fails_the_reader_for_good(void **state)
{
    static const size_t sizes[] = {1, 2, 4, 8};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct otter_reader reader = otter_reader_of(rising, sizes[i] - 1);
        uint64_t taken = 1;
        taken = sizes[i] == 1 ? otter_reader_u8(&reader) : taken;
        taken = sizes[i] == 2 ? otter_reader_le16(&reader) : taken;
        taken = sizes[i] == 4 ? otter_reader_le32(&reader) : taken;
        taken = sizes[i] == 8 ? otter_reader_le64(&reader) : taken;
        assert_true(taken == 0);
        assert_true(reader.is_failed);
        assert_int_equal(otter_reader_left(&reader), 0);
        assert_false(otter_reader_is_done(&reader));
        assert_null(otter_reader_bytes(&reader, 0));
    }
}

static void a_length_near_the_largest_size_does_not_wrap(void **state)
{
    struct otter_reader reader = otter_reader_of(rising, sizeof(rising));
    uint8_t room[4] = {0};
    struct otter_writer writer = otter_writer_of(room, sizeof(room));
    (void)state;
    otter_reader_skip(&reader, 4);
    assert_null(otter_reader_bytes(&reader, SIZE_MAX - 2));
    assert_int_equal(reader.off, 4);
    otter_writer_u8(&writer, 7);
    otter_writer_fill(&writer, 0xFF, SIZE_MAX);
    assert_true(writer.is_failed);
    assert_int_equal(writer.off, 1);
    assert_int_equal(room[1], 0);
}

static void an_empty_reader_is_done_and_takes_nothing(void **state)
{
    struct otter_reader reader = otter_reader_of(NULL, 0);
    (void)state;
    otter_reader_skip(&reader, 0);
    assert_true(otter_reader_is_done(&reader));
    otter_reader_skip(&reader, 1);
    assert_true(reader.is_failed);
}

static void a_writer_puts_fields_one_after_the_other(void **state)
{
    static const uint8_t expected[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                       1,    2,    3,    4,    5,    6,    7,
                                       8,    'o',  'k',  0xFF, 0xFF, 0};
    uint8_t bytes[20] = {0};
    struct otter_writer writer = otter_writer_of(bytes, sizeof(bytes));
    (void)state;
    otter_writer_u8(&writer, 0x11);
    otter_writer_le16(&writer, 0x3322);
    otter_writer_le32(&writer, 0x77665544);
    otter_writer_le64(&writer, UINT64_C(0x0807060504030201));
    otter_writer_bytes(&writer, "ok", 2);
    otter_writer_fill(&writer, 0xFF, 2);
    assert_int_equal(otter_writer_left(&writer), 1);
    assert_false(writer.is_failed);
    assert_memory_equal(bytes, expected, sizeof(expected));
}

static void a_field_that_does_not_fit_is_not_begun_and_fails_the_writer(void **state)
{
    uint8_t bytes[6] = {0};
    struct otter_writer writer = otter_writer_of(bytes, 5);
    (void)state;
    otter_writer_le16(&writer, 0x0101);
    otter_writer_le32(&writer, 0xFFFFFFFF);
    assert_true(writer.is_failed);
    otter_writer_u8(&writer, 0xFF);
    assert_int_equal(writer.off, 2);
    assert_int_equal(otter_writer_left(&writer), 0);
    assert_memory_equal(bytes, "\1\1\0\0\0\0", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_put_the_bytes_in_order_at_any_alignment),
        cmocka_unit_test(stores_put_the_bytes_in_order_and_no_more),
        cmocka_unit_test(a_reader_takes_fields_one_after_the_other),
        cmocka_unit_test(a_field_past_the_end_is_zero_and_fails_the_reader_for_good),
        cmocka_unit_test(a_length_near_the_largest_size_does_not_wrap),
        cmocka_unit_test(an_empty_reader_is_done_and_takes_nothing),
        cmocka_unit_test(a_writer_puts_fields_one_after_the_other),
        cmocka_unit_test(a_field_that_does_not_fit_is_not_begun_and_fails_the_writer),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
