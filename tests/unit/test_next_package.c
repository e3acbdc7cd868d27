/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever runs after one damage takes the next package: an update is cut, something of
 * the device is damaged while it is off, and after the next power-on it installs one
 * package, and another one with a manager of its own. What a device runs today is no
 * use if it can never be updated again; so a receipt that alone vouches for the manager
 * is never overwritten (K1, K15).
 *
 * Not asked of a device whose manager is damaged itself [30-12], and of one whose
 * journal is lost while a system that crashes is the only whole one (RELIABILITY).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

enum { SECTOR = 512, STEP = 13 };

struct scenario {
    const char *name;
    bool is_ab;
    bool carries;
    bool crashes;
};

static struct world *make(const struct scenario *it)
{
    struct world *world = world_make_small(it->is_ab, false);

    if (it->carries) {
        sample_carry_manager(&world->sample, &world->next);
    }
    world->next.package.counter = 1;
    sample_build(&world->next);
    world->device.app = VDEVICE_CONFIRM;
    if (it->crashes) {
        world_let_next_crash(world);
    }
    world_mark_update(world);
    return world;
}

/* The manager that stands; NULL: neither. */
static const uint8_t *standing(const struct world *world)
{
    return world_has_manager(world, world->sample.manager) ? world->sample.manager
           : world_has_manager(world, world->next.manager) ? world->next.manager
                                                           : NULL;
}

static bool has_to_keep(struct world *world)
{
    return world->device.program == OTTER_PROGRAM_MANAGER ||
           (world_state(world).flags & OTTER_FLAG_NEW_MANAGER) != 0;
}

static bool takes(struct world *world, uint8_t minor, const uint8_t *kept)
{
    static struct sample_package package;

    world_next(world, minor, &package);
    if (kept == NULL) {
        sample_carry_manager(&world->sample, &package);
        package.manager[99] ^= minor;
    } else {
        sample_keep_manager(&package, kept, kept == world->next.manager ? 2 : 1);
    }
    sample_build(&package);
    return world_takes(world, &package) &&
           (kept != NULL || world_has_manager(world, package.manager));
}

/* Once more: what is repaired only then must not be in the way. */
static void assert_goes_on(const char *name, struct world *world, const char *damage,
                           uint32_t place, uint32_t op)
{
    bool is_good = true;

    for (int i = 0; i < 2; i++) {
        is_good = is_good && world_power_on(world) == VDEVICE_IDLE &&
                  world->device.defect == NULL &&
                  world->device.program != OTTER_PROGRAM_BOOT;
        vdevice_power_off(&world->device);
    }
    is_good = is_good && world_power_on(world) == VDEVICE_IDLE;
    const uint8_t *manager = standing(world);

    if (is_good && manager != NULL) {
        is_good =
            (!has_to_keep(world) || takes(world, 7, manager)) && takes(world, 8, NULL);
    }
    if (!is_good) {
        fail_msg("%s, cut at %u, %s %u: program %d, code %02d-%02d, phase %d", name,
                 (unsigned)op, damage, (unsigned)place, world->device.program,
                 world->device.code / 256, world->device.code % 256,
                 world_state(world).phase);
    }
}

static const struct {
    uint8_t id;
    const char *name;
} regions[] = {
    {OTTER_REGION_TABLE, "table"},     {OTTER_REGION_RECEIPTS, "receipts"},
    {OTTER_REGION_JOURNAL, "journal"}, {OTTER_REGION_MANAGER, "manager"},
    {OTTER_REGION_APPLICATION, "app"}, {OTTER_REGION_SLOT_B, "slot B"},
    {OTTER_REGION_STAGING, "staging"},
};

/* A bit of each sector that is not erased. */
static void strike_region(const struct scenario *it, struct world *world, size_t index,
                          uint32_t op)
{
    const struct otter_region *region = world_region(world, regions[index].id);

    for (uint32_t off = 0; region != NULL && off < region->size; off += SECTOR) {
        (void)world_cut_at(world, op);
        if (vflash_word_at(&world->device.flash, region->addr + off + 40) ==
            VFLASH_WORD_ERASED) {
            continue;
        }
        vflash_flip(&world->device.flash, region->addr + off + 40, 1);
        assert_goes_on(it->name, world, regions[index].name, off / SECTOR, op);
    }
}

static void strike_all(const struct scenario *it)
{
    struct world *world = make(it);

    for (uint32_t op = 0; op < STEP || world_cut_at(world, op - STEP); op += STEP) {
        for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
            strike_region(it, world, i, op);
        }
        if (!it->crashes) {
            (void)world_cut_at(world, op);
            world_erase(world, OTTER_REGION_JOURNAL);
            assert_goes_on(it->name, world, "all of the journal", 0, op);
        }
    }
    world_drop(world);
}

static void k1_whoever_runs_after_one_damage_takes_the_next_package(void **state)
{
    static const struct scenario scenarios[] = {
        {"one slot, keeps", false, false, false},
        {"one slot, keeps, crashes", false, false, true},
        {"one slot, brings a manager", false, true, false},
        {"one slot, brings a manager, crashes", false, true, true},
        {"two slots, keeps", true, false, false},
        {"two slots, keeps, crashes", true, false, true},
        {"two slots, brings a manager", true, true, false},
        {"two slots, brings a manager, crashes", true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        strike_all(&scenarios[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k1_whoever_runs_after_one_damage_takes_the_next_package),
    };

    return cmocka_run_group_tests_name("next package", tests, NULL, NULL);
}
