/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The geometries that the sweeps go through: which words, sectors and erased values
 * they cover, regions whose sectors differ in size included, and that an update and a
 * roll back come to their ends on each. What must be covered follows from the limits
 * in port/flash.h: words of 1 to 32 bytes, sectors up to 128 KiB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum { KINDS_MAX = 32, KIB = 1024 };

/* Every twin, small ones first; NULL past their end. */
static const struct host_small *twin_at(size_t index, bool *is_ecc)
{
    size_t smalls = 0;

    while (host_small_at(smalls) != NULL) {
        smalls++;
    }
    *is_ecc = (index < smalls ? index : index - smalls) % 2 == 1;
    return index < smalls ? host_small_at(index) : host_large_at(index - smalls);
}

/* Sizes of a region's sectors as bits: 512 is bit 9, 128 KiB bit 17. */
static uint32_t sizes_in(const struct host_profile *profile, uint8_t id)
{
    const struct otter_flash flash = {.areas = profile->areas,
                                      .area_count = profile->area_count};
    const struct otter_region *region = otter_map_find(&profile->map, id);
    struct otter_sector sector;
    uint32_t sizes = 0;

    if (region == NULL) {
        return 0;
    }
    for (uint32_t off = 0; otter_map_sector(&flash, region, off, &sector) == OTTER_OK;
         off = sector.off + sector.size) {
        sizes |= sector.size;
    }
    return sizes;
}

static bool is_mixed(uint32_t sizes)
{
    return (sizes & (sizes - 1)) != 0;
}

static void the_twins_cover_words_sectors_and_erased_values(void **state)
{
    uint32_t words = 0;
    uint32_t sizes = 0;
    unsigned erased = 0;
    bool is_ecc = false;

    (void)state;
    for (size_t i = 0; twin_at(i, &is_ecc) != NULL; i++) {
        const struct host_small *twin = twin_at(i, &is_ecc);
        struct host_profile profile;

        host_profile_small(twin, &profile);
        const struct otter_flash flash = {.areas = profile.areas,
                                          .area_count = profile.area_count};

        assert_int_equal(otter_map_check(&profile.map, &flash), OTTER_OK);
        words |= twin->word_size;
        erased |= twin->erased == 0 ? 1U : 2U;
        for (size_t k = 0; k < profile.area_count; k++) {
            sizes |= profile.areas[k].sector_size;
        }
    }
    assert_int_equal(words, 1 + 2 + 4 + 8 + 16 + 32);
    assert_int_equal(erased, 3);
    for (uint32_t size = 512; size <= 128 * KIB; size *= 2) {
        bool is_between = size == 2 * KIB || size == 32 * KIB;

        assert_true(is_between || (sizes & size) != 0);
    }
}

static void every_large_region_is_mixed_on_some_twin(void **state)
{
    static const uint8_t regions[] = {OTTER_REGION_MANAGER, OTTER_REGION_APPLICATION,
                                      OTTER_REGION_SLOT_B,  OTTER_REGION_RECEIPTS,
                                      OTTER_REGION_JOURNAL, OTTER_REGION_STAGING};
    uint32_t mixed = 0;
    bool has_8_and_16 = false;
    bool is_ecc = false;

    (void)state;
    for (size_t i = 0; twin_at(i, &is_ecc) != NULL; i++) {
        struct host_profile profile;

        host_profile_small(twin_at(i, &is_ecc), &profile);
        for (size_t k = 0; k < sizeof(regions); k++) {
            uint32_t sizes = sizes_in(&profile, regions[k]);

            mixed |= is_mixed(sizes) ? 1U << k : 0;
            has_8_and_16 = has_8_and_16 || sizes == 8 * KIB + 16 * KIB;
        }
    }
    assert_int_equal(mixed, (1U << sizeof(regions)) - 1);
    assert_true(has_8_and_16);
}

static void twins_have_names_of_their_own(void **state)
{
    char names[KINDS_MAX][24];
    size_t count = 0;
    bool is_ecc = false;

    (void)state;
    for (; twin_at(count, &is_ecc) != NULL; count++) {
        struct host_profile profile;

        assert_true(count < KINDS_MAX);
        host_profile_small(twin_at(count, &is_ecc), &profile);
        memcpy(names[count], profile.name, sizeof(names[count]));
        for (size_t i = 0; i < count; i++) {
            assert_string_not_equal(names[i], names[count]);
        }
    }
}

static void an_update_and_a_roll_back_end_on_every_twin(void **state)
{
    bool is_ecc = false;

    (void)state;
    for (size_t i = 0; twin_at(i, &is_ecc) != NULL; i++) {
        struct host_profile profile;

        host_profile_small(twin_at(i, &is_ecc), &profile);
        struct world *world = world_make(&profile, is_ecc);

        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        world_back(world);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
        assert_true(world_holds(world, world->device.region, &world->next));
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twins_cover_words_sectors_and_erased_values),
        cmocka_unit_test(every_large_region_is_mixed_on_some_twin),
        cmocka_unit_test(twins_have_names_of_their_own),
        cmocka_unit_test(an_update_and_a_roll_back_end_on_every_twin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
