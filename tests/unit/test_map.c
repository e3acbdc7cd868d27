/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the map against the memory: which maps a device takes, and where sectors
 * lie. Expected values follow from otter/map.h and the list of areas below.
 */
#include "otter/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { K = 1024, BASE = 0x08000000, OTHER = 0x20000000 };

/* 8 sectors of 8 KiB, then 8 of 16 KiB; far away 4 of 8 KiB with longer words; then,
 * without a gap, 2 of 8 KiB of another erased value. */
static const struct otter_flash_area areas[] = {
    {BASE, 8 * K, 8, 8, 256, 0xFF},
    {BASE + 64 * K, 16 * K, 8, 8, 256, 0xFF},
    {OTHER, 8 * K, 4, 16, 256, 0xFF},
    {OTHER + 32 * K, 8 * K, 2, 16, 256, 0x00},
};
static const struct otter_flash flash = {.areas = areas, .area_count = 4};

/* A good map: boot, table, receipts over both sector sizes, journal, manager,
 * application, staging. */
static struct otter_map good_map(void)
{
    return (struct otter_map){
        .count = 7,
        .regions = {
            {.id = OTTER_REGION_BOOT, .addr = OTHER, .size = 8 * K},
            {.id = OTTER_REGION_TABLE, .addr = BASE, .size = 16 * K},
            {.id = OTTER_REGION_JOURNAL, .addr = BASE + 16 * K, .size = 32 * K},
            {.id = OTTER_REGION_RECEIPTS, .addr = BASE + 48 * K, .size = 48 * K},
            {.id = OTTER_REGION_MANAGER, .addr = BASE + 96 * K, .size = 32 * K},
            {.id = OTTER_REGION_APPLICATION, .addr = BASE + 128 * K, .size = 32 * K},
            {.id = OTTER_REGION_STAGING, .addr = BASE + 160 * K, .size = 32 * K},
        }};
}

enum { BOOT, TABLE, JOURNAL, RECEIPTS, MANAGER, APPLICATION, STAGING };

static void a_map_of_whole_sectors_of_mixed_sizes_is_taken(void **state)
{
    struct otter_map map = good_map();

    (void)state;
    assert_int_equal(otter_map_check(&map, &flash), OTTER_OK);
    map.regions[STAGING].id = OTTER_REGION_SLOT_B;
    assert_int_equal(otter_map_check(&map, &flash), OTTER_OK);
}

static void a_region_that_is_not_whole_sectors_of_one_kind_is_refused(void **state)
{
    static const struct {
        uint8_t region;
        uint32_t addr;
        uint32_t size;
    } cases[] = {
        {STAGING, BASE + 160 * K, 0},      /* empty */
        {STAGING, BASE + 160 * K, 8 * K},  /* half a sector */
        {STAGING, BASE + 160 * K, 31 * K}, /* not to a sector's end */
        {STAGING, BASE + 168 * K, 24 * K}, /* from a sector's middle */
        {STAGING, BASE + 160 * K + 1, 32 * K},
        {STAGING, BASE + 160 * K, 48 * K}, /* past the end of flash */
        {STAGING, BASE - 8 * K, 16 * K},   /* from before it */
        {STAGING, 0, 8 * K},
        {STAGING, BASE + 160 * K, UINT32_MAX}, /* end passes the address space */
        {STAGING, UINT32_MAX - 8 * K + 1, 8 * K},
        {STAGING, OTHER + 8 * K, 40 * K},  /* two erased values */
        {RECEIPTS, BASE + 48 * K, 24 * K}, /* in a larger sector's middle */
        {BOOT, BASE + 176 * K, 64 * K},    /* over a gap */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct otter_map map = good_map();

        map.regions[cases[i].region].addr = cases[i].addr;
        map.regions[cases[i].region].size = cases[i].size;
        assert_int_equal(otter_map_check(&map, &flash), OTTER_E_MAP_ALIGNMENT);
    }
}

static void a_region_over_two_word_sizes_is_refused(void **state)
{
    static const struct otter_flash_area joined[] = {
        {BASE, 8 * K, 8, 8, 256, 0xFF},
        {BASE + 64 * K, 16 * K, 8, 16, 256, 0xFF},
        {OTHER, 8 * K, 4, 16, 256, 0xFF},
    };
    struct otter_flash other = {.areas = joined, .area_count = 3};
    struct otter_map map = good_map();

    (void)state;
    assert_int_equal(otter_map_check(&map, &other), OTTER_E_MAP_ALIGNMENT);
}

static void regions_that_share_a_byte_or_an_id_are_refused(void **state)
{
    static const struct {
        uint8_t region;
        uint8_t id;
        uint32_t addr;
        uint32_t size;
    } cases[] = {
        {STAGING, OTTER_REGION_STAGING, BASE + 144 * K, 32 * K},         /* front */
        {APPLICATION, OTTER_REGION_APPLICATION, BASE + 128 * K, 48 * K}, /* back */
        {STAGING, OTTER_REGION_STAGING, BASE + 128 * K, 32 * K},         /* the same */
        {STAGING, OTTER_REGION_STAGING, BASE + 128 * K, 16 * K},         /* inside */
        {BOOT, OTTER_REGION_BOOT, BASE, 64 * K + 128 * K},       /* around all */
        {STAGING, OTTER_REGION_MANAGER, BASE + 160 * K, 32 * K}, /* id twice */
        {STAGING, 99, BASE + 96 * K, 16 * K},                    /* unknown id */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct otter_map map = good_map();

        map.regions[cases[i].region].id = cases[i].id;
        map.regions[cases[i].region].addr = cases[i].addr;
        map.regions[cases[i].region].size = cases[i].size;
        assert_int_equal(otter_map_check(&map, &flash), OTTER_E_MAP_OVERLAP);
    }
}

static void a_map_without_a_needed_region_is_refused(void **state)
{
    (void)state;
    for (uint8_t region = BOOT; region <= STAGING; region++) {
        struct otter_map map = good_map();

        map.regions[region].id = 99;
        assert_int_equal(otter_map_check(&map, &flash), OTTER_E_MAP_MISSING);
        map = good_map();
        map.count--; /* without it at all */
        map.regions[region] = map.regions[STAGING];
        assert_int_equal(otter_map_check(&map, &flash), OTTER_E_MAP_MISSING);
    }
    for (unsigned count = 0; count < 256; count++) {
        struct otter_map map = good_map();

        if (count != 7 && (count > OTTER_REGIONS_MAX || count < 7)) {
            map.count = (uint8_t)count;
            assert_int_equal(otter_map_check(&map, &flash), OTTER_E_MAP_MISSING);
        }
    }
}

static void k1_k2_k8_a_region_with_too_few_sectors_is_refused(void **state)
{
    static const struct {
        uint8_t region;
        uint32_t addr;
        uint32_t size;
        enum otter_result result;
    } cases[] = {
        {TABLE, BASE, 8 * K, OTTER_E_MAP_MISSING},
        {JOURNAL, BASE + 16 * K, 24 * K, OTTER_E_MAP_MISSING},
        {RECEIPTS, BASE + 48 * K, 32 * K, OTTER_E_MAP_MISSING},
        {RECEIPTS, BASE + 48 * K, 48 * K, OTTER_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct otter_map map = good_map();

        map.regions[cases[i].region].addr = cases[i].addr;
        map.regions[cases[i].region].size = cases[i].size;
        assert_int_equal(otter_map_check(&map, &flash), cases[i].result);
    }
}

/* Small sectors: 64 of 256 bytes, then 64 of 512. A receipt takes 2,144 bytes and a
 * journal's sector three records of 128: docs/SPEC.md. */
static void k1_k2_a_copy_of_a_receipt_and_three_records_have_room(void **state)
{
    static const struct otter_flash_area fine[] = {
        {BASE, 256, 64, 8, 256, 0xFF},
        {BASE + 16 * K, 512, 64, 8, 256, 0xFF},
        {OTHER, 8 * K, 12, 16, 256, 0xFF},
    };
    static const struct otter_flash small = {.areas = fine, .area_count = 3};
    static const struct {
        uint8_t region;
        uint32_t addr;
        uint32_t size;
        enum otter_result result;
    } cases[] = {
        {RECEIPTS, BASE + 16 * K, 4 * 2560, OTTER_OK},
        {RECEIPTS, BASE + 16 * K, 4 * 2048, OTTER_E_MAP_MISSING},
        {RECEIPTS, BASE + 16 * K, 4 * 2048 + 512, OTTER_E_MAP_MISSING},
        /* quarters that begin inside a sector: one of them has 2,048 bytes */
        {RECEIPTS, BASE + 16 * K, 4 * 2304, OTTER_E_MAP_MISSING},
        {RECEIPTS, BASE + 8 * K, 4 * 2304, OTTER_OK},
        {RECEIPTS, BASE + 8 * K, 4 * 2048, OTTER_E_MAP_MISSING},
        {JOURNAL, BASE + 32 * K, 4 * 512, OTTER_OK},
        {JOURNAL, BASE + 32 * K, 3 * 512, OTTER_E_MAP_MISSING},
        {JOURNAL, BASE, 16 * 256, OTTER_E_MAP_MISSING},
        {JOURNAL, BASE + 15 * K, K + 3 * 512, OTTER_E_MAP_MISSING},
        {JOURNAL, BASE + 15 * K, K + 4 * 512, OTTER_OK},
        /* a journal looks at its first 32 sectors only */
        {JOURNAL, BASE + 16 * K - 29 * 256, 29 * 256 + 4 * 512, OTTER_E_MAP_MISSING},
        {JOURNAL, BASE + 16 * K - 28 * 256, 28 * 256 + 4 * 512, OTTER_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct otter_map map = {
            .count = 7,
            .regions = {
                {.id = OTTER_REGION_BOOT, .addr = OTHER, .size = 8 * K},
                {.id = OTTER_REGION_TABLE, .addr = OTHER + 8 * K, .size = 16 * K},
                {.id = OTTER_REGION_JOURNAL, .addr = BASE + 32 * K, .size = 2 * K},
                {.id = OTTER_REGION_RECEIPTS, .addr = BASE + 40 * K, .size = 8 * K},
                {.id = OTTER_REGION_MANAGER, .addr = OTHER + 24 * K, .size = 8 * K},
                {.id = OTTER_REGION_APPLICATION, .addr = OTHER + 32 * K, .size = 8 * K},
                {.id = OTTER_REGION_STAGING, .addr = OTHER + 40 * K, .size = 8 * K},
            }};

        map.regions[RECEIPTS].addr = BASE + 34 * K;
        map.regions[RECEIPTS].size = 4 * 2560;
        map.regions[cases[i].region].addr = cases[i].addr;
        map.regions[cases[i].region].size = cases[i].size;
        if (otter_map_check(&map, &small) != cases[i].result) {
            fail_msg("case %u", (unsigned)i);
        }
    }
}

static void k8_a_table_whose_middle_is_not_a_sectors_begin_is_refused(void **state)
{
    struct otter_map map = good_map();

    (void)state;
    map.regions[TABLE].addr = OTHER + 8 * K;
    map.regions[TABLE].size = 24 * K; /* three sectors: the middle one has both */
    assert_int_equal(otter_map_check(&map, &flash), OTTER_E_MAP_ALIGNMENT);
    map.regions[TABLE].size = 16 * K;
    assert_int_equal(otter_map_check(&map, &flash), OTTER_OK);
}

static void k15_ram_for_loaders_lies_where_no_flash_is(void **state)
{
    static const struct {
        uint32_t addr, size, exec;
        enum otter_result result;
    } rows[] = {
        {0x40000000, 4099, 0x40000000, OTTER_OK},
        {BASE - 16, 16, BASE - 16, OTTER_OK},
        {BASE - 16, 17, BASE - 16, OTTER_E_MAP_ALIGNMENT},
        {BASE + 192 * K - 1, 16, BASE + 192 * K - 1, OTTER_E_MAP_ALIGNMENT},
        {BASE, 16, BASE, OTTER_E_MAP_ALIGNMENT},
        {0x40000000, 0, 0x40000000, OTTER_E_MAP_ALIGNMENT},
        {0x40000000, UINT32_MAX, 0x40000000, OTTER_E_MAP_ALIGNMENT},
        {0x40000000, 16, 0x40000004, OTTER_E_MAP_ALIGNMENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct otter_map map = good_map();

        map.regions[map.count++] = (struct otter_region){.id = OTTER_REGION_LOADER,
                                                         .addr = rows[i].addr,
                                                         .size = rows[i].size,
                                                         .exec = rows[i].exec};
        if (otter_map_check(&map, &flash) != rows[i].result) {
            fail_msg("row %zu", i);
        }
    }
}

static void a_sector_is_found_from_each_of_its_bytes(void **state)
{
    struct otter_map map = good_map();
    const struct otter_region *region = &map.regions[RECEIPTS];
    struct otter_sector sector;

    (void)state;
    for (uint32_t off = 0; off < 48 * K; off += 511) {
        uint32_t size = off < 16 * K ? 8 * K : 16 * K;

        assert_int_equal(otter_map_sector(&flash, region, off, &sector), OTTER_OK);
        assert_int_equal(sector.size, size);
        assert_int_equal(sector.off, off < 16 * K ? off / (8 * K) * (8 * K)
                                                  : off / (16 * K) * (16 * K));
    }
    assert_int_equal(otter_map_sector(&flash, region, 48 * K - 1, &sector), OTTER_OK);
    assert_int_equal(sector.off, 32 * K);
    assert_int_equal(otter_map_sector(&flash, region, 48 * K, &sector),
                     OTTER_E_FLASH_BOUNDS);
    assert_int_equal(otter_map_sector(&flash, region, UINT32_MAX, &sector),
                     OTTER_E_FLASH_BOUNDS);
}

static void areas_are_found_at_their_first_and_last_byte_and_not_beside(void **state)
{
    (void)state;
    assert_ptr_equal(otter_flash_area_at(&flash, BASE), &areas[0]);
    assert_ptr_equal(otter_flash_area_at(&flash, BASE + 64 * K - 1), &areas[0]);
    assert_ptr_equal(otter_flash_area_at(&flash, BASE + 64 * K), &areas[1]);
    assert_ptr_equal(otter_flash_area_at(&flash, BASE + 192 * K - 1), &areas[1]);
    assert_null(otter_flash_area_at(&flash, BASE + 192 * K));
    assert_null(otter_flash_area_at(&flash, BASE - 1));
    assert_null(otter_flash_area_at(&flash, 0));
    assert_null(otter_flash_area_at(&flash, UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_of_whole_sectors_of_mixed_sizes_is_taken),
        cmocka_unit_test(a_region_that_is_not_whole_sectors_of_one_kind_is_refused),
        cmocka_unit_test(a_region_over_two_word_sizes_is_refused),
        cmocka_unit_test(regions_that_share_a_byte_or_an_id_are_refused),
        cmocka_unit_test(a_map_without_a_needed_region_is_refused),
        cmocka_unit_test(k1_k2_k8_a_region_with_too_few_sectors_is_refused),
        cmocka_unit_test(k1_k2_a_copy_of_a_receipt_and_three_records_have_room),
        cmocka_unit_test(k8_a_table_whose_middle_is_not_a_sectors_begin_is_refused),
        cmocka_unit_test(k15_ram_for_loaders_lies_where_no_flash_is),
        cmocka_unit_test(a_sector_is_found_from_each_of_its_bytes),
        cmocka_unit_test(areas_are_found_at_their_first_and_last_byte_and_not_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
