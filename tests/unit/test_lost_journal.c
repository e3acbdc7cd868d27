/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole journal is lost at any operation of an update that brings a manager, and
 * some of its sectors, or all, take nothing any more (K2). The package is a newer
 * version, the same, or an older one that a person has asked for. A system runs that
 * has worked before, or the new one in a trial; or a manager that is whole says why
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum {
    SECTOR = 512,
    SECTORS = 4, /* of the journal */
    FEED = 200,
};

/* The first system is 1.1.0 with counter 1. */
struct coming {
    struct otter_version version;
    uint32_t counter;
};

static const struct coming comings[] = {
    {{1, 2, 0, 0}, 2}, {{1, 1, 0, 0}, 1}, {{1, 1, 0, 0}, 2},
    {{1, 0, 0, 0}, 1}, {{1, 0, 9, 0}, 3},
};

enum { COMINGS = sizeof(comings) / sizeof(comings[0]) };

static struct world *make(bool is_ab, const struct coming *coming)
{
    struct world *world = world_make_small(is_ab, false);

    sample_carry_manager(&world->sample, &world->next);
    world->next.package.version = coming->version;
    world->next.package.counter = coming->counter;
    world->next.package.follows = (struct otter_version){0};
    sample_build(&world->next);
    assert_int_equal(world_region(world, OTTER_REGION_JOURNAL)->size, SECTORS * SECTOR);
    world_mark_update(world);
    return world;
}

static bool is_half(const struct world *world)
{
    return !world_has_manager(world, world->sample.manager) &&
           !world_has_manager(world, world->next.manager);
}

/* All of it, and the sectors of `bad` take nothing any more. */
static void lose(struct world *world, unsigned bad)
{
    world_erase(world, OTTER_REGION_JOURNAL);
    world_set_journal_bad(world, bad);
}

static bool takes_records(unsigned bad)
{
    return (bad & (bad - 1)) == 0; /* three good sectors of four, or all */
}

/* As marked, with no sector bad, and then cut after operation `op`. False if the update
 * has fewer. */
static bool cut_at(struct world *world, uint32_t op)
{
    world_set_journal_bad(world, 0);
    return world_cut_at(world, op);
}

/* ---- at any operation ---- */

/* The manager is whole, and says that a trial cannot be recorded. */
static bool waits(struct world *world)
{
    return world->device.program == OTTER_PROGRAM_MANAGER && !is_half(world) &&
           world->device.code == otter_code(OTTER_E_JOURNAL_SECTORS) &&
           world_state(world).phase == OTTER_PHASE_TRIAL;
}

static void assert_runs(struct world *world, unsigned bad, bool crashes, uint32_t op)
{
    struct vdevice *device = &world->device;
    enum vdevice_end end = world_power_on(world);
    bool runs = end == VDEVICE_IDLE && (world_runs(world, &world->sample.first) ||
                                        (!crashes && world_runs(world, &world->next)));

    if (device->defect != NULL || (!runs && (takes_records(bad) || !waits(world)))) {
        fail_msg("version %d.%d.%d, bad sectors %X, operation %u: end %d, program %d, "
                 "region %d, code %04X, %s",
                 world->next.package.version.major, world->next.package.version.minor,
                 world->next.package.version.revision, bad, (unsigned)op, (int)end,
                 (int)device->program, device->region, device->code,
                 device->defect == NULL ? "no defect" : device->defect);
    }
}

static void check_any(const struct coming *coming, bool crashes)
{
    static const unsigned masks[] = {0x0, 0xF};
    struct world *world = make(true, coming);

    if (crashes) {
        world_let_next_crash(world);
    }
    for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        for (uint32_t op = 0; cut_at(world, op); op++) {
            lose(world, masks[i]);
            for (int power = 0; power < 3; power++) {
                assert_runs(world, masks[i], crashes, op);
            }
        }
    }
    world_set_journal_bad(world, 0);
    world_drop(world);
}

static void k2_a_journal_lost_at_any_operation_leaves_a_system(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMINGS; i++) {
        check_any(&comings[i], false);
    }
}

static void k2_and_one_that_does_not_work_is_never_confirmed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMINGS; i++) {
        check_any(&comings[i], true);
    }
}

/* ---- while boot is at work on the manager ---- */

/* Cuts the update where boot has written half a manager, for the `part`. */
static void cut_in_manager(struct world *world, uint8_t part)
{
    uint32_t op = 0;

    do {
        assert_true(cut_at(world, op));
        op++;
    } while (world_state(world).part != part || !is_half(world));
}

/* The old system runs; where a record is taken its manager is there again, too. */
static void assert_old(struct world *world, const char *what, unsigned bad, uint32_t op)
{
    struct vdevice *device = &world->device;
    enum vdevice_end end = world_power_on(world);
    struct otter_state state = world_state(world);
    bool is_back = state.phase == OTTER_PHASE_CONFIRMED &&
                   world_has_manager(world, world->sample.manager);
    bool is_dead = state.phase == OTTER_PHASE_INSTALLING &&
                   device->code == otter_code(OTTER_E_JOURNAL_SECTORS);

    if (device->defect != NULL || end != VDEVICE_IDLE ||
        !world_runs(world, &world->sample.first) || state.current != 0 ||
        state.outcome.code != otter_code(OTTER_E_JOURNAL_LOST) ||
        !(is_back || (is_dead && !takes_records(bad)))) {
        fail_msg("%s, bad sectors %X, operation %u: end %d, program %d, region %d, "
                 "phase %d, current %d, code %04X, %s",
                 what, bad, (unsigned)op, (int)end, (int)device->program,
                 device->region, state.phase, state.current, device->code,
                 device->defect == NULL ? "no defect" : device->defect);
    }
}

/* A cut on top, or a journal's sector that fails once, at each operation of what
 * follows the loss. */
static void check_fault(struct world *world, const struct vflash_image *there,
                        unsigned bad, enum vflash_fault_kind kind)
{
    uint32_t done = 0;

    for (uint32_t op = 0; op <= done; op++) {
        const struct vflash_fault fault = {.at_op = op, .kind = kind};

        vdevice_power_off(&world->device);
        vflash_restore(&world->device.flash, there);
        lose(world, bad);
        enum vdevice_end end = vdevice_power_on(&world->device, fault);

        done = world->device.flash.op;
        assert_true(end == VDEVICE_CUT || world_runs(world, &world->sample.first));
        if (kind == VFLASH_CUT_AFTER) {
            assert_old(world, "cut", bad, op);
            assert_old(world, "later", bad, op);
        }
    }
}

static void check_half(bool is_ab, const struct coming *coming, uint8_t part)
{
    static const unsigned masks[] = {0x0, 0x2, 0x3, 0xA, 0x7, 0xF};
    struct world *world = make(is_ab, coming);
    struct vflash_image there = {0};

    if (part == OTTER_PART_TAKE_BACK) {
        world->device.app_manager = VDEVICE_CRASH;
    }
    if (part == OTTER_PART_RESTORE_MANAGER) {
        world->device.app = VDEVICE_CRASH;
    }
    cut_in_manager(world, part);
    vflash_save(&world->device.flash, &there);
    world->device.app_manager = VDEVICE_CONFIRM;
    for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        check_fault(world, &there, masks[i], VFLASH_FAIL);
        check_fault(world, &there, masks[i], VFLASH_CUT_AFTER);
    }
    vflash_image_free(&there);
    world_set_journal_bad(world, 0);
    world_drop(world);
}

static void check_part(uint8_t part)
{
    check_half(true, &comings[0], part);
    check_half(true, &comings[COMINGS - 1], part);
    check_half(false, &comings[0], part);
}

static void k2_a_manager_that_is_half_written_is_taken_back(void **state)
{
    (void)state;
    check_part(OTTER_PART_WRITE_MANAGER);
}

static void k2_one_that_is_half_taken_back_is_taken_back(void **state)
{
    (void)state;
    check_part(OTTER_PART_TAKE_BACK);
}

static void k2_one_that_is_half_restored_after_a_trial_is_taken_back(void **state)
{
    (void)state;
    check_part(OTTER_PART_RESTORE_MANAGER);
}

/* The device is no worse than before: it takes the next package. */
static void check_next(bool is_ab)
{
    struct world *world = make(is_ab, &comings[0]);
    static struct sample_package next;

    cut_in_manager(world, OTTER_PART_WRITE_MANAGER);
    lose(world, 0);
    assert_old(world, "lost", 0, 0);
    sample_next(&world->sample, 3, &next);
    sample_carry_manager(&world->sample, &next);
    sample_build(&next);
    world->device.app = VDEVICE_CONFIRM;
    assert_true(world_takes(world, &next));
    assert_true(world_has_manager(world, next.manager));
    world_drop(world);
}

static void k2_the_next_update_follows_a_manager_that_was_taken_back(void **state)
{
    (void)state;
    check_next(true);
    check_next(false);
}

/* No journal, and none to be had: the application is told so, not to wait. */
static void k2_without_a_journal_nothing_is_received(void **state)
{
    struct world *world = make(true, &comings[0]);

    (void)state;
    cut_in_manager(world, OTTER_PART_WRITE_MANAGER);
    lose(world, 0xF);
    assert_old(world, "lost", 0xF, 0);
    assert_int_equal(world_feed(world), OTTER_E_JOURNAL_SECTORS);
    world_set_journal_bad(world, 0);
    world_drop(world);
}

/* ---- no system is whole ---- */

/* The manager that runs then is one that a single receipt names: neither the loss nor
 * another package, and a cut of that, takes it away. */
static void check_vouched(struct world *world)
{
    static struct sample_package other;
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_OK;
    uint32_t in_manager = 0;

    sample_next(&world->sample, 4, &other);
    sample_carry_manager(&world->sample, &other);
    sample_build(&other);
    world_prepare(world);
    vdevice_power_off(device);
    world_mark(world);
    for (uint32_t op = 0; cut_at(world, op); op++) {
        lose(world, 0);
        assert_int_not_equal(world_power_on(world), VDEVICE_NOTHING);
        in_manager += device->program == OTTER_PROGRAM_MANAGER;
        (void)vdevice_feed(device, other.bytes, other.size, other.size, &result);
        vdevice_power_off(device);
        assert_int_not_equal(world_power_on(world), VDEVICE_NOTHING);
        assert_null(device->defect);
    }
    assert_true(in_manager > 0);
    world_drop(world);
}

static void k2_a_half_written_application_does_not_cost_the_manager(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        int kind = i / 2;
        struct world *world =
            kind < 2 ? world_make_small(false, false) : world_make_full(kind == 3);

        sample_carry_manager(&world->sample, &world->next);
        if (kind == 1) {
            sample_rotate(&world->sample, &world->next);
        }
        sample_build(&world->next);
        world->device.app = i % 2 == 0 ? VDEVICE_CONFIRM : VDEVICE_CRASH;
        check_vouched(world);
    }
}

/* ---- in a trial, and after it ---- */

/* The trial goes on, with the lower counter, and what it would go back to. */
static void k2_a_lost_trial_is_one_again_and_goes_back_with_its_manager(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMINGS; i++) {
        struct world *world = make(true, &comings[i]);

        world_cut_until(world, world_is_trial);
        lose(world, 0);
        struct otter_state found = world_state(world);

        assert_int_equal(found.phase, OTTER_PHASE_TRIAL);
        assert_int_equal(found.current, 0);
        assert_int_equal(found.counter, 1);
        world->device.app = VDEVICE_SILENT;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_runs(world, &world->sample.first));
        assert_true(world_has_manager(world, world->sample.manager));
        assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
        assert_int_equal(world_state(world).counter, 1);
        world_drop(world);
    }
}

/* Where a system alone is whole it is confirmed, also one that does not work: only the
 * button leads to the manager then. */
static void check_alone(struct world *world)
{
    sample_carry_manager(&world->sample, &world->next);
    sample_build(&world->next);
    world_mark_update(world);
    world_cut_until(world, world_is_trial);
    lose(world, 0);
    world_let_next_crash(world);
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_true(world_runs(world, &world->next));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    world_enter_manager(world);
    world_drop(world);
}

static void k2_a_lost_trial_of_a_system_that_alone_is_whole_is_confirmed(void **state)
{
    (void)state;
    check_alone(world_make_small(false, false));
    check_alone(world_make_full(true));
}

/* A new manager that does not start, and a journal that is gone before boot takes it
 * back: that manager is started for ever. */
static void k2_a_manager_that_does_not_start_needs_a_journal(void **state)
{
    struct world *world = make(true, &comings[0]);
    uint32_t op = 0;

    (void)state;
    world->device.app_manager = VDEVICE_CRASH;
    do {
        assert_true(cut_at(world, op));
        op++;
    } while (world_state(world).part != OTTER_PART_TRY_MANAGER);
    lose(world, WORLD_ALL_SECTORS);
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_true(world_has_manager(world, world->next.manager));
    world_set_journal_bad(world, 0);
    world_drop(world);
}

/* The new system has failed, and is not tried again because the journal is lost. */
static void k2_a_system_whose_manager_was_restored_is_not_on_trial_again(void **state)
{
    struct world *world = make(true, &comings[0]);

    (void)state;
    world->device.app = VDEVICE_CRASH;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_true(world_holds(world, OTTER_REGION_SLOT_B, &world->next));
    lose(world, 0);
    assert_old(world, "rolled back", 0, 0);
    world_drop(world);
}

/* Two damages, long after: the copy says which system was there before the last update,
 * and that one has a manager again. */
static void k2_without_its_manager_the_newer_system_gives_way_to_the_older(void **state)
{
    struct world *world = make(true, &comings[0]);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    world_damage(world, OTTER_REGION_MANAGER);
    lose(world, 0);
    assert_old(world, "damaged", 0, 0);
    world_drop(world);
}

/* Two damages: no manager stands, and no copy of one. The newer system is tried. */
static void k2_without_any_manager_the_newer_system_is_on_trial(void **state)
{
    struct world *world = make(true, &comings[0]);
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    world_damage(world, OTTER_REGION_MANAGER);
    for (uint32_t off = 64; off < staging->size; off += SAMPLE_MANAGER_SIZE / 2) {
        vflash_flip(&world->device.flash, staging->addr + off, 1);
    }
    lose(world, 0);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->next));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    world_drop(world);
}

/* Nor does the copy of a manager that both systems name tell which of them was there
 * first: it is what an earlier update has left. */
static void k2_a_copy_of_the_manager_of_both_systems_tells_nothing(void **state)
{
    struct world *world = make(true, &comings[0]);
    static struct sample_package kept;

    (void)state;
    world->device.app = VDEVICE_CRASH;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    sample_next(&world->sample, 3, &kept);
    sample_build(&kept);
    world->device.app = VDEVICE_CONFIRM;
    assert_true(world_takes(world, &kept));
    world_damage(world, OTTER_REGION_MANAGER);
    lose(world, 0);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &kept));
    world_drop(world);
}

/* ---- what else may be missing ---- */

static void lose_receipt(struct world *world, uint8_t slot)
{
    static const uint8_t zeros[8 * SECTOR] = {0};
    uint32_t size = 0;

    for (uint8_t copy = 0; copy < 2; copy++) {
        uint32_t addr = world_receipt_addr(world, slot, copy, &size);

        assert_true(size <= sizeof(zeros));
        vflash_provision(&world->device.flash, addr, zeros, size);
    }
}

static void k2_a_receipt_that_is_lost_as_well_proves_nothing(void **state)
{
    struct world *world = make(true, &comings[0]);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    vdevice_power_off(&world->device);
    lose(world, 0);
    lose_receipt(world, 0);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->next));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).current, 1);
    assert_int_equal(world_state(world).counter, 2);
    vdevice_power_off(&world->device);
    lose(world, 0);
    lose_receipt(world, 1);
    assert_int_equal(world_power_on(world), VDEVICE_NOTHING);
    assert_int_equal(world->device.code, otter_code(OTTER_E_BOOT_NOTHING));
    world_drop(world);
}

/* On memory with ECC the copy of the manager cannot be read: it is none. */
static void k2_a_copy_that_cannot_be_read_is_none(void **state)
{
    struct world *world = world_make_small(true, true);
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);

    (void)state;
    sample_carry_manager(&world->sample, &world->next);
    sample_build(&world->next);
    world_mark_update(world);
    cut_in_manager(world, OTTER_PART_WRITE_MANAGER);
    for (uint32_t off = 0; off < staging->size; off += SECTOR) {
        vflash_kill_word(&world->device.flash, staging->addr + off);
    }
    lose(world, 0);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->next));
    world_drop(world);
}

/* A device with a card replaces no manager, and saves none. */
static void k2_on_a_card_no_copy_is_looked_for(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    world_damage(world, OTTER_REGION_MANAGER);
    lose(world, 0);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->sample.first));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k2_a_journal_lost_at_any_operation_leaves_a_system),
        cmocka_unit_test(k2_and_one_that_does_not_work_is_never_confirmed),
        cmocka_unit_test(k2_a_manager_that_is_half_written_is_taken_back),
        cmocka_unit_test(k2_one_that_is_half_taken_back_is_taken_back),
        cmocka_unit_test(k2_one_that_is_half_restored_after_a_trial_is_taken_back),
        cmocka_unit_test(k2_the_next_update_follows_a_manager_that_was_taken_back),
        cmocka_unit_test(k2_without_a_journal_nothing_is_received),
        cmocka_unit_test(k2_a_half_written_application_does_not_cost_the_manager),
        cmocka_unit_test(k2_a_lost_trial_is_one_again_and_goes_back_with_its_manager),
        cmocka_unit_test(k2_a_lost_trial_of_a_system_that_alone_is_whole_is_confirmed),
        cmocka_unit_test(k2_a_manager_that_does_not_start_needs_a_journal),
        cmocka_unit_test(k2_a_system_whose_manager_was_restored_is_not_on_trial_again),
        cmocka_unit_test(
            k2_without_its_manager_the_newer_system_gives_way_to_the_older),
        cmocka_unit_test(k2_without_any_manager_the_newer_system_is_on_trial),
        cmocka_unit_test(k2_a_copy_of_the_manager_of_both_systems_tells_nothing),
        cmocka_unit_test(k2_a_receipt_that_is_lost_as_well_proves_nothing),
        cmocka_unit_test(k2_a_copy_that_cannot_be_read_is_none),
        cmocka_unit_test(k2_on_a_card_no_copy_is_looked_for),
    };

    return cmocka_run_group_tests_name("lost journal", tests, NULL, NULL);
}
