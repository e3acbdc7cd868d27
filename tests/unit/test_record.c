/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of a journal record as bytes. Expected bytes come from
 * tests/vectors/make_flash.py, which was written from docs/SPEC.md, "Journal".
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/journal.h"

#include "../vectors/flash_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What make_flash.py says of its record. */
static const struct otter_state expected_state = {
    .phase = OTTER_PHASE_INSTALLING,
    .part = OTTER_PART_WRITE,
    .current = 1,
    .erased = 1,
    .member = 2,
    .faults = 3,
    .powers = 4,
    .roll_backs = 7,
    .cursor = 0x12000,
    .counter = 42,
    .key_mask = 0x80000005,
    .outcome = {.kind = OTTER_OUTCOME_ROLLED_BACK,
                .code = 31 * 256 + 10,
                .id = {0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7}},
    .session = {0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57},
    .last_writer = OTTER_PROGRAM_MANAGER,
};
static const uint32_t expected_erases[OTTER_ERASE_COUNTS] = {
    0x1001, 0x2002, 0x3003, 0x4004, 0x5005, 0x6006, 0x7007, 0x8008};

static void k6_the_frozen_record_decodes_to_its_state(void **state)
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;

    (void)state;
    assert_true(otter_record_decode(vector_record, &found, erases, &sequence));
    assert_true(otter_state_equal(&found, &expected_state));
    assert_int_equal(found.last_writer, OTTER_PROGRAM_MANAGER);
    assert_int_equal(sequence, 0x01020304);
    assert_memory_equal(erases, expected_erases, sizeof(erases));
}

static void k6_the_state_encodes_to_the_frozen_record(void **state)
{
    uint8_t record[OTTER_RECORD_SIZE];

    (void)state;
    otter_record_encode(&expected_state, expected_erases, 0x01020304,
                        OTTER_PROGRAM_MANAGER, record);
    assert_memory_equal(record, vector_record, sizeof(record));
}

static void k6_unknown_extensions_are_copied_verbatim(void **state)
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;
    uint8_t record[OTTER_RECORD_SIZE];

    (void)state;
    assert_true(otter_record_decode(vector_record_extended, &found, erases, &sequence));
    assert_int_equal(found.tlv_size, 40);
    assert_false(otter_state_has_unknown(&found));
    otter_record_encode(&found, erases, sequence, found.last_writer, record);
    assert_memory_equal(record, vector_record_extended, sizeof(record));
}

/* The record itself has room for eight counts; the others are an extension, which is
 * the first, and the others stay as they are. */
static void p10_erases_of_the_later_regions_are_an_extension(void **state)
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;
    uint8_t record[OTTER_RECORD_SIZE];

    (void)state;
    assert_true(otter_record_decode(vector_record_erases, &found, erases, &sequence));
    assert_int_equal(erases[OTTER_REGION_STAGING - 1], 0x8008);
    assert_int_equal(erases[OTTER_REGION_RESOURCES - 1], 0x9009);
    assert_int_equal(erases[OTTER_REGION_FONT - 1], 0xA00A);
    assert_int_equal(found.tlv_size, 5);
    assert_memory_equal(found.tlv, "\x05\x03\x01\x02\x03", 5);
    otter_record_encode(&found, erases, sequence, found.last_writer, record);
    assert_memory_equal(record, vector_record_erases, sizeof(record));
}

static void k6_counts_give_way_to_what_others_wrote(void **state)
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;
    uint8_t record[OTTER_RECORD_SIZE];

    (void)state;
    assert_true(otter_record_decode(vector_record_extended, &found, erases, &sequence));
    assert_int_equal(erases[OTTER_REGION_FONT - 1], 0);
    erases[OTTER_REGION_FONT - 1] = 7; /* no room beside 40 bytes */
    otter_record_encode(&found, erases, sequence, found.last_writer, record);
    assert_memory_equal(record, vector_record_extended, sizeof(record));
    found.tlv_size = 30; /* the last length that leaves room; type 9 is cut to fit */
    found.tlv[8] = 21;
    otter_record_encode(&found, erases, sequence, found.last_writer, record);
    assert_true(otter_record_decode(record, &found, erases, &sequence));
    assert_int_equal(erases[OTTER_REGION_FONT - 1], 7);
    assert_int_equal(found.tlv_size, 30);
}

/* One of another length is somebody else's. */
static void k6_an_extension_that_only_looks_like_counts_is_kept(void **state)
{
    struct otter_state found = expected_state;
    struct otter_state again;
    uint32_t erases[OTTER_ERASE_COUNTS] = {0};
    uint32_t sequence = 0;
    uint8_t record[OTTER_RECORD_SIZE];

    (void)state;
    found.tlv_size = 6;
    memcpy(found.tlv, "\x01\x04wxyz", 6);
    otter_record_encode(&found, erases, 1, OTTER_PROGRAM_MANAGER, record);
    assert_true(otter_record_decode(record, &again, erases, &sequence));
    assert_true(otter_state_equal(&found, &again));
    assert_int_equal(erases[OTTER_REGION_RESOURCES - 1], 0);
}

/* Of several the first counts; what is written back reads the same, with counts or
 * without, and what follows them stays as it is. */
static void k6_counts_that_stand_twice_are_written_back_once(void **state)
{
    static const uint8_t extensions[33] = {
        1, 8, 1, 0, 0, 0, 0, 0, 0, 0, /* counts of 0 or 1, and 0 */
        1, 8, 3, 0, 0, 0, 4, 0, 0, 0, /* further ones */
        1, 8, 5, 0, 0, 0, 6, 0, 0, 0, 7, 1, 'z'};

    (void)state;
    for (uint8_t first = 0; first <= 1; first++) {
        struct otter_state found;
        struct otter_state again;
        uint32_t erases[OTTER_ERASE_COUNTS];
        uint32_t sequence = 0;
        uint8_t record[OTTER_RECORD_SIZE];

        memcpy(record, vector_record, sizeof(record));
        record[31] = sizeof(extensions);
        memcpy(record + 80, extensions, sizeof(extensions));
        record[82] = first;
        otter_store_le32(record + 124, otter_crc32(0, record, 124));
        assert_true(otter_record_decode(record, &found, erases, &sequence));
        assert_int_equal(erases[OTTER_REGION_RESOURCES - 1], first);
        assert_int_equal(erases[OTTER_REGION_FONT - 1], 0);
        assert_int_equal(found.tlv_size, 3);
        assert_memory_equal(found.tlv, extensions + 30, 3);
        otter_record_encode(&found, erases, sequence, found.last_writer, record);
        assert_true(otter_record_decode(record, &again, erases, &sequence));
        assert_true(otter_state_equal(&found, &again));
        assert_int_equal(erases[OTTER_REGION_RESOURCES - 1], first);
    }
}

static void k6_a_critical_extension_is_copied_and_reported(void **state)
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;
    uint8_t record[OTTER_RECORD_SIZE];

    (void)state;
    assert_true(otter_record_decode(vector_record_critical, &found, erases, &sequence));
    assert_true(otter_state_has_unknown(&found));
    otter_record_encode(&found, erases, sequence, found.last_writer, record);
    assert_memory_equal(record, vector_record_critical, sizeof(record));
}

static void k6_the_reserved_bytes_of_a_newer_program_are_no_reason_to_refuse(
    void **state)
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;

    (void)state;
    assert_true(otter_record_decode(vector_record_reserved, &found, erases, &sequence));
    assert_true(otter_state_equal(&found, &expected_state));
}

static bool decodes(const uint8_t record[OTTER_RECORD_SIZE])
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence;

    return otter_record_decode(record, &found, erases, &sequence);
}

static void a_record_with_any_bit_flipped_is_refused(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < OTTER_RECORD_SIZE * 8; bit++) {
        uint8_t record[OTTER_RECORD_SIZE];

        memcpy(record, vector_record_extended, sizeof(record));
        record[bit / 8] = (uint8_t)(record[bit / 8] ^ 1U << bit % 8);
        assert_false(decodes(record));
    }
}

static void a_record_that_is_a_prefix_of_words_is_refused(void **state)
{
    static const uint8_t rests[] = {0xFF, 0x00};

    (void)state;
    for (size_t i = 0; i < sizeof(rests); i++) {
        for (size_t len = 0; len < OTTER_RECORD_SIZE; len++) {
            uint8_t record[OTTER_RECORD_SIZE];

            memset(record, rests[i], sizeof(record));
            memcpy(record, vector_record, len);
            assert_false(decodes(record));
        }
    }
}

static void a_record_with_a_right_crc_and_a_wrong_field_is_refused(void **state)
{
    static const struct {
        uint8_t off;
        uint8_t value;
        bool is_good;
    } cases[] = {
        {0, 'X', false}, {1, 'X', false},  {2, 0, false},   {2, 2, false},
        {8, 0, false},   {8, 9, false},    {8, 255, false}, {8, 1, true},
        {8, 8, true},    {10, 2, false},   {10, 0, true},   {31, 1, false},
        {31, 2, true}, /* type 0 with 0 bytes */
        {31, 41, false}, {31, 255, false}, {31, 40, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t record[OTTER_RECORD_SIZE];

        memcpy(record, vector_record, sizeof(record));
        record[cases[i].off] = cases[i].value;
        otter_store_le32(record + 124, otter_crc32(0, record, 124));
        assert_int_equal(decodes(record), cases[i].is_good);
    }
}

static void an_extension_longer_than_its_room_is_refused(void **state)
{
    (void)state;
    for (unsigned len = 0; len < 256; len++) {
        uint8_t record[OTTER_RECORD_SIZE];

        memcpy(record, vector_record, sizeof(record));
        record[31] = 10;
        record[80] = 5;
        record[81] = (uint8_t)len;
        record[80 + 9] = 0xFF; /* if looked at as a length, too long */
        otter_store_le32(record + 124, otter_crc32(0, record, 124));
        /* 8 fill the room; 6 leave an extension of type 0 and length 0xFF; 0, 2 and 4
         * leave pairs of zeros, then that one. */
        assert_int_equal(decodes(record), len == 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k6_the_frozen_record_decodes_to_its_state),
        cmocka_unit_test(k6_the_state_encodes_to_the_frozen_record),
        cmocka_unit_test(k6_unknown_extensions_are_copied_verbatim),
        cmocka_unit_test(k6_a_critical_extension_is_copied_and_reported),
        cmocka_unit_test(p10_erases_of_the_later_regions_are_an_extension),
        cmocka_unit_test(k6_counts_give_way_to_what_others_wrote),
        cmocka_unit_test(k6_an_extension_that_only_looks_like_counts_is_kept),
        cmocka_unit_test(k6_counts_that_stand_twice_are_written_back_once),
        cmocka_unit_test(
            k6_the_reserved_bytes_of_a_newer_program_are_no_reason_to_refuse),
        cmocka_unit_test(a_record_with_any_bit_flipped_is_refused),
        cmocka_unit_test(a_record_that_is_a_prefix_of_words_is_refused),
        cmocka_unit_test(a_record_with_a_right_crc_and_a_wrong_field_is_refused),
        cmocka_unit_test(an_extension_longer_than_its_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
