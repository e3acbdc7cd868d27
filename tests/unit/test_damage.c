/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage at rest: bits that flip while nothing is written. One row per case, with the
 * end that the contracts K1, K2, K8 and K18 demand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    SECTOR = 512,
    CONTROL_OFF = 32, /* in a copy of a receipt */
    SIGNATURE_BYTES = 64,
    HASH_OFF = 2080,
    MANAGER_WAIT_MS = 30000,
};

static const bool kinds[] = {false, true}; /* single, A/B */

static void on_both(void (*test)(struct world *world))
{
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        test(world);
        world_drop(world);
    }
}

static void flip(struct world *world, uint32_t addr)
{
    vflash_flip(&world->device.flash, addr, addr % 8);
}

/* The same system boots, and boot and application write nothing. */
static void assert_same_system(struct world *world)
{
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(world->device.region, OTTER_REGION_APPLICATION);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_int_equal(world->device.flash.op, 0);
    assert_int_equal(world->device.code, 0);
}

/* The button: the manager runs, mends, and goes back. */
static void let_manager_mend(struct world *world)
{
    world->device.wants_manager = true;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world->device.clock_ms >= MANAGER_WAIT_MS);
}

static void copy_out(struct world *world, uint32_t addr, uint32_t size, uint8_t *to)
{
    memcpy(to, vflash_peek(&world->device.flash, addr, size), size);
}

/* --- receipts --- */

static const struct {
    const char *name;
    int off; /* in the copy; below 0: from the control packet's end */
} receipt_places[] = {
    {"magic", 0},
    {"length", 6},
    {"CRC of the packet", 8},
    {"reserved", 13},
    {"CRC of the head", 29},
    {"packet's magic", CONTROL_OFF},
    {"target", CONTROL_OFF + 44},
    {"a member's hash", CONTROL_OFF + 96 + 60},
    {"signature", -10},
    {"key id", -SIGNATURE_BYTES - 6},
};

static uint32_t control_length(const struct world *world)
{
    const uint8_t *bytes = world->sample.first.bytes + OTTER_IMAGE_HEADER_SIZE;

    return (uint32_t)bytes[6] | (uint32_t)bytes[7] << 8;
}

static void check_receipt_copies(struct world *world)
{
    uint8_t before[4 * 2560];

    for (size_t i = 0; i < sizeof(receipt_places) / sizeof(receipt_places[0]) * 2;
         i++) {
        int off = receipt_places[i / 2].off;
        uint32_t size = 0;

        world_back(world);
        uint32_t addr = world_receipt_addr(world, 0, (uint8_t)(i % 2), &size);

        assert_true(size <= sizeof(before));
        copy_out(world, addr, size, before);
        uint32_t at = off >= 0 ? (uint32_t)off
                               : CONTROL_OFF + control_length(world) - (uint32_t)-off;

        flip(world, addr + at);
        assert_same_system(world);
        let_manager_mend(world);
        if (memcmp(vflash_peek(&world->device.flash, addr, size), before, size) != 0) {
            fail_msg("%s of copy %u is not as it was", receipt_places[i / 2].name,
                     (unsigned)(i % 2));
        }
        assert_same_system(world);
    }
}

static void k1_a_damaged_copy_of_the_receipt_stops_nothing_and_is_rewritten(
    void **state)
{
    (void)state;
    on_both(check_receipt_copies);
}

static void check_hash_unit(struct world *world)
{
    for (uint8_t copy = 0; copy < 2; copy++) {
        static struct otter_device view;
        struct otter_system system;
        uint32_t size = 0;

        world_back(world);
        flip(world, world_receipt_addr(world, 0, copy, &size) + HASH_OFF + 9);
        assert_same_system(world);
        assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
        assert_int_equal(otter_system_open(&view, 0, &system), OTTER_OK);
        assert_true(system.receipt.has_hash); /* borrowed from its twin */
        assert_memory_equal(system.receipt.hash,
                            world->sample.first.bytes + world->sample.first.size -
                                OTTER_SHA256_SIZE,
                            OTTER_SHA256_SIZE);
    }
}

static void k1_a_damaged_package_hash_is_borrowed_from_the_other_copy(void **state)
{
    (void)state;
    on_both(check_hash_unit);
}

static void flip_receipt(struct world *world, uint8_t slot)
{
    for (uint8_t copy = 0; copy < 2; copy++) {
        uint32_t size = 0;

        flip(world, world_receipt_addr(world, slot, copy, &size) + 100U + copy);
    }
}

static void check_other_receipt(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    flip_receipt(world, 0); /* of the former system */
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->next));
    assert_int_equal(world->device.flash.op, 0);
    sample_next(&world->sample, 3, &world->next);
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->next));
}

static void k1_the_other_systems_receipt_stops_nothing(void **state)
{
    (void)state;
    on_both(check_other_receipt);
}

/* Nothing vouches for anything: the former system is below the counter (K17). */
static void check_current_receipt(struct world *world)
{
    for (uint8_t slot = 0; slot < 2; slot++) {
        flip_receipt(world, slot);
        assert_int_equal(world_power_on(world), VDEVICE_NOTHING);
        assert_int_equal(world->device.code, 30 * 256 + 10);
        assert_int_equal(world->device.flash.op, 0);
        world_back(world);
        if (slot == 0) {
            assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        }
    }
}

static void k18_both_copies_of_the_current_receipt_are_two_damages(void **state)
{
    (void)state;
    on_both(check_current_receipt);
}

static void check_former_receipt(struct world *world)
{
    bool is_ab = world_region(world, OTTER_REGION_SLOT_B) != NULL;

    world->next.package.counter = 1;
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    flip_receipt(world, 1);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    if (is_ab) {
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
    } else {
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world->device.code, 30 * 256 + 11);
    }
}

static void k1_a_former_receipt_of_the_same_counter_vouches_for_slot_and_manager(
    void **state)
{
    (void)state;
    on_both(check_former_receipt);
}

/* --- the flash table --- */

static void check_table_copy(struct world *world)
{
    const struct otter_region *table = world_region(world, OTTER_REGION_TABLE);
    uint8_t before[4096];

    copy_out(world, table->addr, table->size, before);
    for (uint32_t i = 0; i < world->sample.table_size * 2; i += 7) {
        uint32_t copy = i % 2;
        uint32_t addr = table->addr + copy * (table->size / 2) + i / 2;

        world_back(world);
        flip(world, addr);
        assert_same_system(world);
        let_manager_mend(world);
        assert_memory_equal(vflash_peek(&world->device.flash, table->addr, table->size),
                            before, table->size);
        assert_same_system(world);
    }
}

static void k8_a_damaged_copy_of_the_table_stops_nothing_and_is_rewritten(void **state)
{
    (void)state;
    on_both(check_table_copy);
}

static void check_both_tables(struct world *world)
{
    const struct otter_region *table = world_region(world, OTTER_REGION_TABLE);

    flip(world, table->addr + 20);
    flip(world, table->addr + table->size / 2 + 30);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_power_on(world), VDEVICE_NOTHING);
        assert_int_equal(world->device.code, 28 * 256 + 10);
        assert_int_equal(world->device.flash.op, 0);
    }
}

static void k18_both_copies_of_the_table_are_two_damages(void **state)
{
    (void)state;
    on_both(check_both_tables);
}

/* --- the journal --- */

static void damage_sector(struct world *world, uint32_t addr)
{
    for (uint32_t off = 0; off < SECTOR; off += 3) {
        flip(world, addr + off);
    }
}

/* The sector that tells the state now. */
static uint32_t newest_sector(struct world *world)
{
    static struct otter_device view;

    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    return world_region(world, OTTER_REGION_JOURNAL)->addr +
           (uint32_t)view.journal.newest * SECTOR;
}

static void check_confirmed(struct world *world)
{
    struct otter_state state = world_state(world);

    assert_true(world_holds(world, world->device.region, &world->next));
    assert_int_equal(state.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(state.counter, 2); /* what must not go back */
    assert_int_equal(state.current, 1);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_CONFIRMED);
}

/* Without the newest one the state is found in the other one alone, and written to a
 * further one, so that any one may be lost again. */
static void check_journal_sectors(struct world *world)
{
    const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);

    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    uint32_t newest = newest_sector(world);

    world_mark(world);
    for (uint32_t off = 0; off < journal->size; off += SECTOR) {
        bool is_newest = journal->addr + off == newest;

        world_back(world);
        damage_sector(world, journal->addr + off);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.flash.op != 0, is_newest);
        check_confirmed(world);
        if (is_newest) {
            damage_sector(world, newest_sector(world));
        }
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        check_confirmed(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.flash.op, 0);
    }
}

static void k2_any_one_journal_sector_may_be_lost(void **state)
{
    (void)state;
    on_both(check_journal_sectors);
}

static bool runs_old_or_new(struct world *world)
{
    return world->device.program == OTTER_PROGRAM_AGENT &&
           (world_holds(world, world->device.region, &world->sample.first) ||
            world_holds(world, world->device.region, &world->next));
}

/* Cuts the update at every operation and loses the newest sector on top of it. */
static void lose_newest_everywhere(struct world *world, enum vdevice_app app)
{
    struct vdevice *device = &world->device;

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    world_mark(world);
    device->app = app;
    for (uint32_t op = 0;; op++) {
        const struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_AFTER};

        world_back(world);
        if (vdevice_power_on(device, fault) != VDEVICE_CUT) {
            assert_true(op > 20);
            return;
        }
        damage_sector(world, newest_sector(world));
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        if (!runs_old_or_new(world)) {
            fail_msg("operation %u: program %d code %04X", (unsigned)op,
                     (int)device->program, device->code);
        }
    }
}

static void check_newest(struct world *world)
{
    struct vflash_image first = {0};

    vflash_save(&world->device.flash, &first);
    lose_newest_everywhere(world, VDEVICE_CONFIRM);
    vdevice_power_off(&world->device);
    vflash_restore(&world->device.flash, &first);
    lose_newest_everywhere(world, VDEVICE_CRASH);
    vflash_image_free(&first);
}

static void k2_losing_the_newest_sector_at_any_instant_of_an_update_bricks_nothing(
    void **state)
{
    (void)state;
    on_both(check_newest);
}

static void check_bad_sectors(struct world *world)
{
    static const enum vdevice_app apps[] = {VDEVICE_CONFIRM, VDEVICE_CRASH};
    const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);

    for (uint32_t i = 0; i < journal->size / SECTOR * 2; i++) {
        uint32_t addr = journal->addr + i / 2 * SECTOR;
        enum vdevice_app app = apps[i % 2];

        world_back(world);
        vflash_set_bad(&world->device.flash, addr, true);
        assert_int_equal(world_update(world, app), VDEVICE_IDLE);
        vflash_set_bad(&world->device.flash, addr, false);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(
            world_holds(world, world->device.region,
                        app == VDEVICE_CONFIRM ? &world->next : &world->sample.first));
        assert_int_equal(world_state(world).phase, app == VDEVICE_CONFIRM
                                                       ? OTTER_PHASE_CONFIRMED
                                                       : OTTER_PHASE_ROLLED_BACK);
    }
}

static void k2_one_journal_sector_may_be_bad_for_ever(void **state)
{
    (void)state;
    on_both(check_bad_sectors);
}

static void check_no_journal_sector(struct world *world)
{
    world_set_journal_bad(world, WORLD_ALL_SECTORS);
    assert_same_system(world);
    assert_int_equal(world_feed(world), OTTER_E_JOURNAL_SECTORS);
    assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
    assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
}

static void k2_without_a_journal_sector_the_system_runs_and_takes_no_package(
    void **state)
{
    (void)state;
    on_both(check_no_journal_sector);
}

static void assert_rebuilt(struct world *world, uint8_t current, uint32_t counter)
{
    struct otter_state state = world_state(world);

    assert_int_equal(state.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(state.current, current);
    assert_int_equal(state.counter, counter);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_REBUILT);
    assert_int_equal(state.outcome.code, 27 * 256 + 10);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.flash.op, 0); /* it was written again */
}

static void check_lost_new(struct world *world)
{
    world_erase(world, OTTER_REGION_JOURNAL);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_rebuilt(world, 0, 1);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->next));
}

static void k2_a_lost_journal_of_one_system_is_confirmed_again(void **state)
{
    (void)state;
    on_both(check_lost_new);
}

static void k2_a_lost_journal_of_a_single_application_finds_the_one_that_is_there(
    void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    world_erase(world, OTTER_REGION_JOURNAL);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->next));
    assert_rebuilt(world, 1, 2);
    world_drop(world);
}

static void k2_a_lost_journal_of_two_systems_tries_the_newer_with_the_lower_counter(
    void **state)
{
    struct world *world = world_make_small(true, false);

    (void)state;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    world_erase(world, OTTER_REGION_JOURNAL);
    world_mark(world);
    world->device.app = VDEVICE_SILENT;
    world->device.hooks.idle = vdevice_stop_at_once;
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    struct otter_state found = world_state(world);

    assert_int_equal(found.phase, OTTER_PHASE_TRIAL);
    assert_int_equal(found.current, 0);
    assert_int_equal(found.counter, 1);
    assert_int_equal(found.outcome.kind, OTTER_OUTCOME_REBUILT);
    assert_int_equal(found.outcome.code, 27 * 256 + 10);
    assert_true(world_holds(world, world->device.region, &world->next));
    world->device.hooks.idle = NULL;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE); /* silent: it goes back */
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    world_back(world);
    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).counter, 2);
    world_drop(world);
}

static void check_journal_and_application(struct world *world)
{
    world_erase(world, OTTER_REGION_JOURNAL);
    world_damage(world, OTTER_REGION_APPLICATION);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->next));
}

static void k2_journal_and_application_lost_together_end_in_the_manager(void **state)
{
    (void)state;
    on_both(check_journal_and_application);
}

/* --- programs --- */

static void k1_a_damaged_single_application_is_not_run(void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    for (uint32_t off = 0; off < SAMPLE_FIRMWARE_SIZE; off += 19) {
        world_back(world);
        flip(world, world_region(world, OTTER_REGION_APPLICATION)->addr + off);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world->device.code, 30 * 256 + 11);
        assert_int_equal(world->device.flash.op, 0);
    }
    world_drop(world);
}

static void k1_a_damaged_slot_gives_way_to_the_other_one(void **state)
{
    struct world *world = world_make_small(true, false);

    (void)state;
    world->next.package.counter = 1; /* the former system stays bootable (K17) */
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world->device.region, OTTER_REGION_SLOT_B);
    world_damage(world, OTTER_REGION_SLOT_B);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(world->device.region, OTTER_REGION_APPLICATION);
    assert_int_equal(world_state(world).current, 0);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_DAMAGED);
    assert_int_equal(world_state(world).outcome.code, 30 * 256 + 11);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.flash.op, 0);
    world_drop(world);
}

static void k17_a_slot_below_the_counter_is_not_taken_instead(void **state)
{
    struct world *world = world_make_small(true, false);

    (void)state;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    world_damage(world, OTTER_REGION_SLOT_B);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, 30 * 256 + 11);
    world_drop(world);
}

static void check_manager(struct world *world)
{
    world_damage(world, OTTER_REGION_MANAGER);
    assert_same_system(world);
    world->device.wants_manager = true;
    assert_same_system(world); /* the button finds no manager */
    world->device.wants_manager = false;
    world_prepare(world);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_int_equal(world->device.code, 30 * 256 + 12);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
    }
}

static void k1_a_damaged_manager_stops_no_application_and_a_request_bricks_nothing(
    void **state)
{
    (void)state;
    on_both(check_manager);
}

/* --- one bit anywhere --- */

static void damage_at(struct world *world, uint32_t addr)
{
    if (world->device.flash.config.is_ecc) {
        vflash_kill_word(&world->device.flash, addr);
    } else {
        flip(world, addr);
    }
}

/* Nothing was written; or, for a journal whose tail may be torn for all that boot can
 * know, its state was sealed once (K3), and the next boot is quiet (K9). */
static bool is_quiet(struct world *world, uint8_t region)
{
    if (world->device.flash.op == 0) {
        return true;
    }
    return region == OTTER_REGION_JOURNAL && world_power_on(world) == VDEVICE_IDLE &&
           world->device.flash.op == 0;
}

/* After one bit has flipped, or one word has died, anywhere in journal, receipts or
 * table the same system boots, boot is quiet, the counter does not go back. */
static void damage_everywhere(struct world *world)
{
    static const uint8_t regions[] = {OTTER_REGION_JOURNAL, OTTER_REGION_RECEIPTS,
                                      OTTER_REGION_TABLE};
    uint32_t step = world->device.flash.config.is_ecc ? 4 : 1;

    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    uint8_t running = world->device.region;

    world_mark(world);
    for (size_t i = 0; i < sizeof(regions); i++) {
        const struct otter_region *region = world_region(world, regions[i]);

        for (uint32_t off = 0; off < region->size; off += step) {
            world_back(world);
            damage_at(world, region->addr + off);
            enum vdevice_end end = world_power_on(world);

            if (end != VDEVICE_IDLE || world->device.program != OTTER_PROGRAM_AGENT ||
                world->device.region != running || !is_quiet(world, regions[i]) ||
                !world_holds(world, running, &world->next)) {
                fail_msg("region %u, byte %u", regions[i], (unsigned)off);
            }
            assert_int_equal(world_state(world).counter, 2);
        }
    }
}

static void k2_one_flipped_bit_anywhere_changes_nothing_that_runs(void **state)
{
    (void)state;
    on_both(damage_everywhere);
}

static void k4_one_word_that_cannot_be_read_changes_nothing_that_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], true);

        damage_everywhere(world);
        world_drop(world);
    }
}

/* The same in a trial: the new system is tried and confirmed, or the old one runs. */
static void damage_in_trial(struct world *world)
{
    static const uint8_t regions[] = {OTTER_REGION_JOURNAL, OTTER_REGION_RECEIPTS,
                                      OTTER_REGION_TABLE};

    world->device.hooks.idle = vdevice_stop_at_once;
    world->device.app = VDEVICE_SILENT;
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                     VDEVICE_STOPPED);
    world->device.hooks.idle = NULL;
    world_mark(world);
    for (uint32_t i = 0; i < 3 * 2; i++) {
        const struct otter_region *region = world_region(world, regions[i / 2]);

        world->device.app = i % 2 == 0 ? VDEVICE_CONFIRM : VDEVICE_CRASH;
        for (uint32_t off = 0; off < region->size; off += 5) {
            world_back(world);
            flip(world, region->addr + off);
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            if (world->device.program != OTTER_PROGRAM_AGENT ||
                !world_holds(world, world->device.region,
                             i % 2 == 0 ? &world->next : &world->sample.first)) {
                fail_msg("region %u, byte %u", regions[i / 2], (unsigned)off);
            }
        }
    }
}

static void k16_one_flipped_bit_in_a_trial_costs_neither_the_new_system_nor_the_old(
    void **state)
{
    (void)state;
    on_both(damage_in_trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            k1_a_damaged_copy_of_the_receipt_stops_nothing_and_is_rewritten),
        cmocka_unit_test(k1_a_damaged_package_hash_is_borrowed_from_the_other_copy),
        cmocka_unit_test(k1_the_other_systems_receipt_stops_nothing),
        cmocka_unit_test(k18_both_copies_of_the_current_receipt_are_two_damages),
        cmocka_unit_test(
            k1_a_former_receipt_of_the_same_counter_vouches_for_slot_and_manager),
        cmocka_unit_test(k8_a_damaged_copy_of_the_table_stops_nothing_and_is_rewritten),
        cmocka_unit_test(k18_both_copies_of_the_table_are_two_damages),
        cmocka_unit_test(k2_any_one_journal_sector_may_be_lost),
        cmocka_unit_test(
            k2_losing_the_newest_sector_at_any_instant_of_an_update_bricks_nothing),
        cmocka_unit_test(k2_one_journal_sector_may_be_bad_for_ever),
        cmocka_unit_test(
            k2_without_a_journal_sector_the_system_runs_and_takes_no_package),
        cmocka_unit_test(k2_a_lost_journal_of_one_system_is_confirmed_again),
        cmocka_unit_test(
            k2_a_lost_journal_of_a_single_application_finds_the_one_that_is_there),
        cmocka_unit_test(
            k2_a_lost_journal_of_two_systems_tries_the_newer_with_the_lower_counter),
        cmocka_unit_test(k2_journal_and_application_lost_together_end_in_the_manager),
        cmocka_unit_test(k1_a_damaged_single_application_is_not_run),
        cmocka_unit_test(k1_a_damaged_slot_gives_way_to_the_other_one),
        cmocka_unit_test(k17_a_slot_below_the_counter_is_not_taken_instead),
        cmocka_unit_test(
            k1_a_damaged_manager_stops_no_application_and_a_request_bricks_nothing),
        cmocka_unit_test(k2_one_flipped_bit_anywhere_changes_nothing_that_runs),
        cmocka_unit_test(k4_one_word_that_cannot_be_read_changes_nothing_that_runs),
        cmocka_unit_test(
            k16_one_flipped_bit_in_a_trial_costs_neither_the_new_system_nor_the_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
