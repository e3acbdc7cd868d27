/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_map.h and the profiles: the default map is the one of the product's
 * description (flash table at 0x10000000, manager at 0x10020000, application after it,
 * store at the end of flash), and every map passes the check that a device makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "otter/memory_map.h"
#include "otter/receipt.h"
#include "profiles.h"

static void assert_map_passes(const struct host_profile *profile)
{
    const struct otter_flash flash = {.areas = profile->areas,
                                      .area_count = profile->area_count};

    assert_int_equal(otter_map_check(&profile->map, &flash), OTTER_OK);
}

static void the_default_map_is_the_described_one(void **state)
{
    static const struct otter_map map = OTTER_MEMORY_MAP;
    const struct otter_region *manager = otter_map_find(&map, OTTER_REGION_MANAGER);
    const struct otter_region *application =
        otter_map_find(&map, OTTER_REGION_APPLICATION);
    const struct otter_region *staging = otter_map_find(&map, OTTER_REGION_STAGING);

    (void)state;
    assert_int_equal(otter_map_find(&map, OTTER_REGION_TABLE)->addr, 0x10000000);
    assert_int_equal(manager->addr, 0x10020000);
    assert_int_equal(application->addr, manager->addr + manager->size);
    assert_int_equal(application->exec, application->addr);
    assert_int_equal(staging->addr + staging->size, 0x10000000 + 4 * 1024 * 1024);
    assert_null(otter_map_find(&map, OTTER_REGION_SLOT_B));
    assert_int_equal(map.count, 7);
}

/* Address, size and exec as docs/SPEC.md, "Profiles", lists them. */
struct row {
    const struct host_profile *profile;
    uint8_t id;
    uint32_t addr, size, exec;
    uint8_t flags;
};

static void profiles_are_as_documented(void **state)
{
    static const struct row rows[] = {
        {&host_profile_link, OTTER_REGION_TABLE, 0x10000000, 0x4000, 0x10000000, 0},
        {&host_profile_link, OTTER_REGION_BOOT, 0x10010000, 0x10000, 0x10010000, 0},
        {&host_profile_link, OTTER_REGION_MANAGER, 0x10020000, 0x40000, 0x10020000, 0},
        {&host_profile_link, OTTER_REGION_APPLICATION, 0x10060000, 0x80000, 0, 1},
        {&host_profile_link, OTTER_REGION_RECEIPTS, 0x102B4000, 0x4000, 0x102B4000, 0},
        {&host_profile_link, OTTER_REGION_JOURNAL, 0x102B8000, 0x8000, 0x102B8000, 0},
        {&host_profile_link, OTTER_REGION_STAGING, 0x102C0000, 0x140000, 0x102C0000, 0},
        {&host_profile_ab, OTTER_REGION_TABLE, 0x1000E000, 0x4000, 0x1000E000, 0},
        {&host_profile_ab, OTTER_REGION_RECEIPTS, 0x10002000, 0x4000, 0x10002000, 0},
        {&host_profile_ab, OTTER_REGION_JOURNAL, 0x10006000, 0x8000, 0x10006000, 0},
        {&host_profile_ab, OTTER_REGION_MANAGER, 0x10020000, 0x20000, 0x10020000, 0},
        {&host_profile_ab, OTTER_REGION_APPLICATION, 0x10040000, 0x80000, 0, 1},
        {&host_profile_ab, OTTER_REGION_SLOT_B, 0x100C0000, 0x80000, 0, 1},
        {&host_profile_ab, OTTER_REGION_STAGING, 0x101F0000, 0x10000, 0x101F0000, 0},
        {&host_profile_ab, OTTER_REGION_BOOT, 0x1FF00000, 0x10000, 0x1FF00000, 0},
        {&host_profile_full, OTTER_REGION_TABLE, 0x10000000, 0x8000, 0x10000000, 0},
        {&host_profile_full, OTTER_REGION_BOOT, 0x10010000, 0x10000, 0x10010000, 0},
        {&host_profile_full, OTTER_REGION_MANAGER, 0x10020000, 0x40000, 0x10020000, 0},
        {&host_profile_full, OTTER_REGION_APPLICATION, 0x10060000, 0x80000, 0, 1},
        {&host_profile_full, OTTER_REGION_RECEIPTS, 0x100E0000, 0x8000, 0x100E0000, 0},
        {&host_profile_full, OTTER_REGION_JOURNAL, 0x100E8000, 0x8000, 0x100E8000, 0},
        {&host_profile_full, OTTER_REGION_RESOURCES, 0x64000000, 0x80000, 0x64000000,
         0},
        {&host_profile_full, OTTER_REGION_FONT, 0x64080000, 0x180000, 0x64080000, 0},
        {&host_profile_full, OTTER_REGION_STAGING, 0x64300000, 0x500000, 0x64300000, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct otter_region *region =
            otter_map_find(&rows[i].profile->map, rows[i].id);

        assert_non_null(region);
        assert_int_equal(region->addr, rows[i].addr);
        assert_int_equal(region->size, rows[i].size);
        assert_int_equal(region->exec, rows[i].exec);
        assert_int_equal(region->flags, rows[i].flags);
    }
    assert_int_equal(host_profile_link.map.count, 7);
    assert_int_equal(host_profile_ab.map.count, 8);
    assert_int_equal(host_profile_full.map.count, 9);
}

static void every_named_profile_passes_the_devices_check(void **state)
{
    (void)state;
    for (size_t i = 0; host_profile_at(i) != NULL; i++) {
        assert_map_passes(host_profile_at(i));
        assert_ptr_equal(host_profile_find(host_profile_at(i)->name),
                         host_profile_at(i));
    }
    assert_null(host_profile_find("no such profile"));
}

static void the_microbits_stack_fits_the_profiles_ram(void **state)
{
    (void)state; /* its image starts with the stack pointer 0x20004000 */
    for (size_t i = 0; host_profile_at(i) != NULL; i++) {
        const struct otter_policy *policy = &host_profile_at(i)->policy;

        assert_true(policy->ram_addr <= 0x20000000);
        assert_true(policy->ram_addr + policy->ram_size >= 0x20004000);
    }
}

static void small_twins_pass_for_every_word_and_sector_size(void **state)
{
    static const uint16_t words[] = {1, 2, 4, 8, 16, 32};

    (void)state;
    for (size_t i = 0; i < 24; i++) {
        const struct host_small small = {
            .is_ab = i % 2 != 0,
            .word_size = words[i / 4],
            .page_size = 128,
            .sector_size = i % 4 < 2 ? 512 : 1024,
            .erased = 0xFF,
        };
        struct host_profile profile;

        host_profile_small(&small, &profile);
        assert_map_passes(&profile);
        assert_true(profile.areas[0].sector_size * profile.areas[0].sector_count <=
                    48 * 1024);
    }
}

static void the_sweeps_twins_cover_every_word_size_and_both_erased_values(void **state)
{
    uint32_t words = 0;
    uint32_t erased = 0;
    uint32_t kinds = 0;

    (void)state;
    for (size_t i = 0; host_small_at(i) != NULL; i++) {
        struct host_profile profile;

        host_profile_small(host_small_at(i), &profile);
        assert_map_passes(&profile);
        words |= host_small_at(i)->word_size;
        erased |= host_small_at(i)->erased == 0 ? 1 : 2;
        kinds |= host_small_at(i)->is_ab ? 1 : 2;
    }
    assert_int_equal(words, 1 + 2 + 4 + 8 + 16 + 32);
    assert_int_equal(erased, 3);
    assert_int_equal(kinds, 3);
}

static void a_receipts_quarter_holds_a_receipt(void **state)
{
    (void)state;
    for (size_t i = 0; host_small_at(i) != NULL; i++) {
        struct host_profile profile;

        host_profile_small(host_small_at(i), &profile);
        assert_true(otter_map_find(&profile.map, OTTER_REGION_RECEIPTS)->size / 4 >=
                    OTTER_RECEIPT_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_map_is_the_described_one),
        cmocka_unit_test(profiles_are_as_documented),
        cmocka_unit_test(every_named_profile_passes_the_devices_check),
        cmocka_unit_test(the_microbits_stack_fits_the_profiles_ram),
        cmocka_unit_test(small_twins_pass_for_every_word_and_sector_size),
        cmocka_unit_test(the_sweeps_twins_cover_every_word_size_and_both_erased_values),
        cmocka_unit_test(a_receipts_quarter_holds_a_receipt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
