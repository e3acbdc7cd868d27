/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the flash table as bytes and of its two copies on flash. Expected bytes come
 * from tests/vectors/make_flash.py, which was written from docs/SPEC.md, "Flash table".
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/table.h"

#include "flash_bench.h"

#include "../vectors/flash_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { VECTOR_EXTENSIONS = 7 }; /* bytes at the vector's end */

static void seal(uint8_t *bytes, size_t size)
{
    uint32_t crc = otter_crc32(0, bytes, 12);

    otter_store_le32(bytes + 12, otter_crc32(crc, bytes + 16, size - 16));
}

static void k6_the_frozen_table_decodes_to_its_values(void **state)
{
    static const uint8_t permissions[16] = {2, 2, 0, 0, 1, 2, 2, 2};
    struct otter_table table;

    (void)state;
    assert_int_equal(otter_table_decode(vector_table, sizeof(vector_table), &table),
                     OTTER_OK);
    assert_int_equal(table.length, sizeof(vector_table));
    assert_int_equal(table.sequence, 0x11223344);
    assert_int_equal(table.target, 0x4F545401);
    assert_int_equal(table.hardware, 7);
    assert_int_equal(table.boot_version, 0x0102);
    assert_int_equal(table.manager_version, 0x0304);
    assert_int_equal(table.policy.trial_deadline_s, 300);
    assert_int_equal(table.policy.trial_faults, 3);
    assert_int_equal(table.policy.trial_powers, 10);
    assert_int_equal(table.policy.manager_wait_s, 30);
    assert_int_equal(table.policy.watchdog_s, 8);
    assert_memory_equal(table.policy.permissions, permissions, 16);
    assert_int_equal(table.policy.ram_addr, 0x20000000);
    assert_int_equal(table.policy.ram_size, 0x4000);
    assert_int_equal(table.map.count, 3);
    assert_int_equal(table.map.regions[2].id, OTTER_REGION_APPLICATION);
    assert_int_equal(table.map.regions[2].flags, OTTER_REGION_WINDOW);
    assert_int_equal(table.map.regions[2].addr, 0x10040000);
    assert_int_equal(table.map.regions[2].size, 0x80000);
    assert_int_equal(table.map.regions[2].exec, 0x08000000);
    assert_int_equal(table.map.regions[0].addr, 0x1FF00000);
    assert_int_equal(table.key_count, 2);
    for (uint8_t i = 0; i < 8; i++) {
        assert_int_equal(table.keys[0].id[i], 1 + i);
        assert_int_equal(table.keys[1].id[i], 9 + i);
    }
    for (uint8_t i = 0; i < 64; i++) {
        assert_int_equal(table.keys[0].point[i], 0x10 + i);
        assert_int_equal(table.keys[1].point[i], 0x80 + i);
    }
}

static void k6_the_values_encode_to_the_frozen_table(void **state)
{
    uint8_t expected[OTTER_TABLE_MAX];
    uint8_t bytes[OTTER_TABLE_MAX];
    size_t size = sizeof(vector_table) - VECTOR_EXTENSIONS;
    struct otter_table table;
    size_t length = 0;

    (void)state;
    memcpy(expected, vector_table, size); /* the encoder writes no extensions */
    otter_store_le16(expected + 6, (uint16_t)size);
    otter_store_le16(expected + 60, 0);
    seal(expected, size);
    assert_int_equal(otter_table_decode(vector_table, sizeof(vector_table), &table),
                     OTTER_OK);
    assert_int_equal(otter_table_encode(&table, bytes, sizeof(bytes), &length),
                     OTTER_OK);
    assert_int_equal(length, size);
    assert_memory_equal(bytes, expected, size);
    for (size_t capacity = 0; capacity < size; capacity++) {
        assert_int_equal(otter_table_encode(&table, bytes, capacity, &length),
                         OTTER_E_TABLE_FORM);
    }
}

static void a_table_cut_short_at_any_byte_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(vector_table); size++) {
        uint8_t *bytes = malloc(size == 0 ? 1 : size); /* so that a checker sees */
        struct otter_table table;

        assert_non_null(bytes);
        memcpy(bytes, vector_table, size);
        assert_int_equal(otter_table_decode(bytes, size, &table), OTTER_E_TABLE_FORM);
        if (size >= 8) {
            otter_store_le16(bytes + 6, (uint16_t)size); /* cut, and sealed as such */
        }
        if (size >= 16) {
            seal(bytes, size);
        }
        assert_int_equal(otter_table_decode(bytes, size, &table), OTTER_E_TABLE_FORM);
        free(bytes);
    }
}

static void a_table_with_any_bit_flipped_is_refused_and_nothing_is_written(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < sizeof(vector_table) * 8; bit++) {
        uint8_t bytes[sizeof(vector_table)];
        struct otter_table table;
        struct otter_table before;

        memset(&table, 0xA5, sizeof(table));
        before = table;
        memcpy(bytes, vector_table, sizeof(bytes));
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1U << bit % 8);
        assert_int_equal(otter_table_decode(bytes, sizeof(bytes), &table),
                         OTTER_E_TABLE_FORM);
        assert_memory_equal(&table, &before, sizeof(table));
    }
}

static void a_table_with_a_right_crc_and_a_wrong_field_is_refused_by_its_code(
    void **state)
{
    enum { EXTENSION = sizeof(vector_table) - VECTOR_EXTENSIONS };
    static const struct {
        uint16_t off;
        uint8_t value;
        enum otter_result result;
    } cases[] = {
        {0, 'X', OTTER_E_TABLE_FORM},
        {4, 2, OTTER_E_TABLE_VERSION},
        {4, 0, OTTER_E_TABLE_VERSION},
        {5, 1, OTTER_E_TABLE_VERSION},
        {22, 2, OTTER_E_TABLE_FORM},
        {22, 4, OTTER_E_TABLE_FORM},
        {22, 255, OTTER_E_TABLE_FORM},
        {23, 1, OTTER_E_TABLE_FORM},
        {23, 3, OTTER_E_TABLE_FORM},
        {23, 255, OTTER_E_TABLE_FORM},
        {60, 6, OTTER_E_TABLE_FORM},
        {60, 8, OTTER_E_TABLE_FORM},
        {61, 255, OTTER_E_TABLE_FORM},
        {62, 1, OTTER_E_TABLE_FORM},
        {79, 1, OTTER_E_TABLE_FORM},
        {82, 1, OTTER_E_TABLE_FORM},
        {83, 1, OTTER_E_TABLE_FORM},
        {EXTENSION + 2, 2, OTTER_E_TABLE_FORM},
        {EXTENSION + 2, 4, OTTER_E_TABLE_FORM},
        {EXTENSION + 3, 1, OTTER_E_TABLE_FORM},
        {EXTENSION + 1, 0x81, OTTER_E_TABLE_VERSION}, /* K6: critical */
        {EXTENSION, 0x77, OTTER_OK},                  /* K6: not critical */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[sizeof(vector_table)];
        struct otter_table table;

        memcpy(bytes, vector_table, sizeof(bytes));
        bytes[cases[i].off] = cases[i].value;
        seal(bytes, sizeof(bytes));
        assert_int_equal(otter_table_decode(bytes, sizeof(bytes), &table),
                         cases[i].result);
    }
}

static void a_table_at_its_limits_is_taken_and_one_above_is_not(void **state)
{
    struct otter_table table;
    struct otter_table found;
    uint8_t bytes[OTTER_TABLE_MAX];
    size_t length = 0;

    (void)state;
    memset(&table, 0, sizeof(table));
    table.map.count = OTTER_REGIONS_MAX;
    table.key_count = OTTER_KEYS_MAX;
    assert_int_equal(otter_table_encode(&table, bytes, sizeof(bytes), &length),
                     OTTER_OK);
    assert_int_equal(length, 80 + 16 * OTTER_REGIONS_MAX + 72 * OTTER_KEYS_MAX);
    assert_int_equal(otter_table_decode(bytes, length, &found), OTTER_OK);
    table.map.count++;
    assert_int_equal(otter_table_encode(&table, bytes, sizeof(bytes), &length),
                     OTTER_E_TABLE_FORM);
    table.map.count--;
    table.key_count++;
    assert_int_equal(otter_table_encode(&table, bytes, sizeof(bytes), &length),
                     OTTER_E_TABLE_FORM);
}

/* --- two copies on flash --- */

enum { SIZE = 8192, NONE = 0, OLD, NEW, DAMAGED, CRITICAL, DEAD, DEAD_BEHIND };

static size_t copy_of(int kind, uint8_t bytes[sizeof(vector_table)])
{
    memcpy(bytes, vector_table, sizeof(vector_table));
    if (kind == OLD) {
        otter_store_le32(bytes + 8, 5);
        seal(bytes, sizeof(vector_table));
    }
    if (kind == CRITICAL) {
        bytes[sizeof(vector_table) - VECTOR_EXTENSIONS + 1] = 0x81;
        seal(bytes, sizeof(vector_table));
    }
    if (kind == DAMAGED) {
        bytes[40] ^= 1;
    }
    return kind == NONE ? 0 : sizeof(vector_table);
}

static void put_copy(struct bench *bench, uint32_t addr, int kind)
{
    uint8_t bytes[sizeof(vector_table)];

    vflash_provision(&bench->flash, addr, bytes, copy_of(kind, bytes));
    if (kind == DEAD) {
        vflash_kill_word(&bench->flash, addr + 200);
    }
    if (kind == DEAD_BEHIND) {
        vflash_kill_word(&bench->flash, addr + 1000);
    }
}

static void k8_the_newer_valid_copy_counts_and_damaged_ones_are_named(void **state)
{
    static const struct bench_shape shape = {4096, 2, 8, 256, 0xFF, false, 0};
    static const struct {
        int copies[2];
        enum otter_result result;
        uint32_t sequence;
        uint8_t damaged;
    } cases[] = {
        {{NEW, NEW}, OTTER_OK, 0x11223344, 0},
        {{OLD, NEW}, OTTER_OK, 0x11223344, 1},
        {{NEW, OLD}, OTTER_OK, 0x11223344, 2},
        {{OLD, NONE}, OTTER_OK, 5, 2},
        {{NONE, OLD}, OTTER_OK, 5, 1},
        {{DAMAGED, OLD}, OTTER_OK, 5, 1},
        {{OLD, DAMAGED}, OTTER_OK, 5, 2},
        {{OLD, DEAD}, OTTER_OK, 5, 2},
        {{DEAD, OLD}, OTTER_OK, 5, 1},
        {{CRITICAL, OLD}, OTTER_OK, 5, 1},
        {{DEAD_BEHIND, OLD}, OTTER_OK, 0x11223344, 2},
        {{NONE, NONE}, OTTER_E_TABLE_LOST, 0, 3},
        {{DAMAGED, DEAD}, OTTER_E_TABLE_LOST, 0, 3},
        {{CRITICAL, DEAD}, OTTER_E_TABLE_VERSION, 0, 3},
        {{NONE, CRITICAL}, OTTER_E_TABLE_VERSION, 0, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = bench_new(&shape, OTTER_REGION_TABLE);
        uint8_t scratch[OTTER_TABLE_MAX];
        struct otter_table table;
        uint8_t damaged = 0xEE;

        put_copy(bench, BENCH_BASE, cases[i].copies[0]);
        put_copy(bench, BENCH_BASE + SIZE / 2, cases[i].copies[1]);
        assert_int_equal(
            otter_table_read(&bench->port, BENCH_BASE, SIZE, scratch, &table, &damaged),
            cases[i].result);
        assert_int_equal(damaged, cases[i].damaged);
        if (cases[i].result == OTTER_OK) {
            assert_int_equal(table.sequence, cases[i].sequence);
            assert_int_equal(otter_load_le32(scratch + 8), cases[i].sequence);
        }
        assert_int_equal(bench->flash.op, 0);
        bench_free(bench);
    }
}

static void k8_every_quarter_is_a_place_if_it_begins_with_a_sector(void **state)
{
    static const struct {
        struct bench_shape shape;
        bool has_quarters;
    } cases[] = {
        {{2048, 4, 8, 256, 0xFF, false, 0}, true},
        {{1024, 8, 8, 256, 0xFF, false, 0}, true},
        {{4096, 2, 8, 256, 0xFF, false, 0}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = bench_new(&cases[i].shape, OTTER_REGION_TABLE);
        uint8_t scratch[OTTER_TABLE_MAX];
        struct otter_table table;
        uint8_t damaged = 0xEE;

        put_copy(bench, BENCH_BASE, OLD);
        put_copy(bench, BENCH_BASE + SIZE / 2, OLD);
        put_copy(bench, BENCH_BASE + SIZE / 4 * 3, NEW);
        assert_int_equal(
            otter_table_read(&bench->port, BENCH_BASE, SIZE, scratch, &table, &damaged),
            OTTER_OK);
        assert_int_equal(table.sequence, cases[i].has_quarters ? 0x11223344 : 5);
        assert_int_equal(damaged, cases[i].has_quarters ? 1 : 0);
        assert_int_equal(otter_table_has_place(&bench->port, BENCH_BASE, SIZE, 3),
                         cases[i].has_quarters);
        assert_int_equal(otter_table_place_size(&bench->port, BENCH_BASE, SIZE),
                         cases[i].has_quarters ? SIZE / 4 : SIZE / 2);
        bench_free(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k6_the_frozen_table_decodes_to_its_values),
        cmocka_unit_test(k6_the_values_encode_to_the_frozen_table),
        cmocka_unit_test(a_table_cut_short_at_any_byte_is_refused),
        cmocka_unit_test(
            a_table_with_any_bit_flipped_is_refused_and_nothing_is_written),
        cmocka_unit_test(
            a_table_with_a_right_crc_and_a_wrong_field_is_refused_by_its_code),
        cmocka_unit_test(a_table_at_its_limits_is_taken_and_one_above_is_not),
        cmocka_unit_test(k8_the_newer_valid_copy_counts_and_damaged_ones_are_named),
        cmocka_unit_test(k8_every_quarter_is_a_place_if_it_begins_with_a_sector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
