/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trial fails, or a new manager does not start in time, and the one copy of the old
 * manager is damaged: the old application runs, but the manager that stands is the
 * failed package's, whose receipt alone vouches for it. Expected (SPEC, "States"):
 * flag 1 stays and says so [34-15]; a package is taken if it names that manager, so
 * that there is a receipt for it at any instant, and no other one; once it is
 * confirmed, managers are replaced as ever.
 *
 * And what has failed never runs again, whatever is refused later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum { CHUNK = 200, SECTOR = 512 };

static struct world *make(bool is_ab, bool carries)
{
    struct world *world = world_make_small(is_ab, false);

    if (carries) {
        sample_carry_manager(&world->sample, &world->next);
    }
    world->next.package.counter = 1;
    sample_build(&world->next);
    return world;
}

/* A bit of what is saved at the end of staging: with one slot the application, below
 * which the manager lies. */
static void strike_copy(struct world *world, bool is_ab, bool is_manager)
{
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    uint32_t above = (SAMPLE_FIRMWARE_SIZE + SECTOR - 1) / SECTOR * SECTOR;
    uint32_t end = staging->size - (!is_ab && is_manager ? above : 0);

    vflash_flip(&world->device.flash, staging->addr + end - 1000, 1);
}

static bool is_try(const struct otter_state *state)
{
    return state->part == OTTER_PART_TRY_MANAGER;
}

/* The old application, the new manager, and boot says so. */
static void assert_old_with_other_manager(struct world *world)
{
    assert_null(world->device.defect);
    assert_true(world_runs(world, &world->sample.first));
    assert_true(world_has_manager(world, world->next.manager));
    assert_int_equal(world->device.code, otter_code(OTTER_E_MANAGER_OTHER));
    assert_int_equal(world_state(world).flags, OTTER_FLAG_NEW_MANAGER);
}

/* The trial of `next`, which brings a manager, has failed; powered on. */
static void fail_trial(struct world *world, bool is_ab)
{
    world_let_next_crash(world);
    world_mark_update(world);
    world_cut_until(world, world_is_trial);
    strike_copy(world, is_ab, true);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_old_with_other_manager(world);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
}

static struct world *make_failed(bool is_ab)
{
    struct world *world = make(is_ab, true);

    fail_trial(world, is_ab);
    return world;
}

static void keep_standing(const struct world *world, struct sample_package *package)
{
    sample_keep_manager(package, world->next.manager, 2);
}

static void carry_third(const struct world *world, struct sample_package *package)
{
    sample_carry_manager(&world->sample, package);
    package->manager[99] ^= 0x44;
}

static enum otter_result feed(struct world *world, const struct sample_package *package)
{
    enum otter_result result = OTTER_OK;

    assert_int_equal(
        vdevice_feed(&world->device, package->bytes, package->size, CHUNK, &result),
        VDEVICE_IDLE);
    (void)vdevice_run(&world->device); /* the refusal is recorded */
    return result;
}

/* Its application is that of `next`, which crashes. */
static void try_one_that_crashes(struct world *world, struct sample_package *package)
{
    memcpy(package->firmware, world->next.firmware, SAMPLE_FIRMWARE_SIZE);
    sample_build(package);
    assert_int_equal(feed(world, package), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
}

/* With the old manager, or a third one. */
static void assert_refuses_others(struct world *world)
{
    static struct sample_package package;

    world_next(world, 4, &package);
    sample_build(&package);
    assert_int_equal(feed(world, &package), OTTER_E_MANAGER_OTHER);
    carry_third(world, &package);
    sample_build(&package);
    assert_int_equal(feed(world, &package), OTTER_E_MANAGER_OTHER);
}

static void assert_takes_a_third_manager(struct world *world)
{
    static struct sample_package package;

    world_next(world, 7, &package);
    carry_third(world, &package);
    sample_build(&package);
    assert_true(world_takes(world, &package));
    assert_true(world_has_manager(world, package.manager));
    assert_int_equal(world_state(world).flags, 0);
}

static void k15_a_package_that_names_another_manager_is_refused(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = make_failed(is_ab == 1);

        assert_refuses_others(world);
        vdevice_power_off(&world->device);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_old_with_other_manager(world);
        vdevice_power_off(&world->device);
        world_enter_manager(world);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_refuses_others(world);
        world_drop(world);
    }
}

static void k15_one_that_names_the_same_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        static struct sample_package package;
        struct world *world = make_failed((i & 1) != 0);

        world_next(world, 6, &package);
        if ((i & 2) != 0) {
            sample_carry_manager(&world->sample, &package);
        } else {
            keep_standing(world, &package);
        }
        sample_build(&package);
        assert_true(world_takes(world, &package));
        assert_int_equal(world_state(world).flags, 0);
        assert_int_equal(world->device.code, 0);
        assert_takes_a_third_manager(world);
        world_drop(world);
    }
}

/* As marked; fed until a cut, then off. False if nothing was cut. */
static bool cut_feed(struct world *world, const struct sample_package *package,
                     uint32_t op, uint32_t seed)
{
    const struct vflash_fault cut = {.at_op = op, .kind = VFLASH_TORN, .seed = seed};
    enum otter_result fed = OTTER_OK;

    world_back(world);
    enum vdevice_end end = vdevice_power_on(&world->device, cut);

    if (end == VDEVICE_IDLE) {
        end = vdevice_feed(&world->device, package->bytes, package->size, CHUNK, &fed);
    }
    vdevice_power_off(&world->device);
    return end == VDEVICE_CUT;
}

/* While its receipt takes the place of the failed one there is one at any instant, also
 * if its second copy was damaged before. */
static void check_cuts(bool is_ab, bool has_copy)
{
    static struct sample_package package;
    struct world *world = make_failed(is_ab);
    bool is_cut = true;
    uint32_t op = 0;

    world_next(world, 6, &package);
    keep_standing(world, &package);
    sample_build(&package);
    vdevice_power_off(&world->device);
    if (!has_copy) {
        world_damage_receipt(world, 1, 1);
    }
    world_mark(world);
    for (; is_cut; op++) {
        is_cut = cut_feed(world, &package, op, op);
        assert_true(world_starts_manager(world));
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_takes(world, &package));
    }
    assert_true(op > 20);
    world_drop(world);
}

static void k15_a_cut_while_it_comes_leaves_a_manager(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        check_cuts((i & 1) != 0, (i & 2) != 0);
    }
}

/* A package that is refused takes one copy of that receipt; the manager, when it
 * starts, mends it, also if a cut at any operation comes in between. */
static void k15_a_refused_package_costs_no_copy_for_long(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        static struct sample_package package;
        struct world *world = make_failed(is_ab == 1);
        bool is_cut = true;

        world_next(world, 4, &package);
        package.package.target ^= 1;
        sample_build(&package);
        assert_int_equal(feed(world, &package), OTTER_E_TARGET);
        vdevice_power_off(&world->device);
        world_mark(world);
        world_next(world, 6, &package);
        keep_standing(world, &package);
        sample_build(&package);
        for (uint32_t op = 0; is_cut; op++) {
            world->device.wants_manager = true;
            is_cut = world_fault_at(world, VFLASH_TORN, op);
            world->device.wants_manager = false;
            assert_true(world_starts_manager(world));
        }
        world_enter_manager(world);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        world->device.wants_manager = false;
        vdevice_power_off(&world->device);
        world_damage_receipt(world, 1, 1);
        assert_true(world_starts_manager(world));
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_takes(world, &package));
        world_drop(world);
    }
}

/* Two damages more: nobody knows any more which manager that is. */
static void k15_without_that_receipt_no_package_is_taken(void **state)
{
    struct world *world = make_failed(true);
    static struct sample_package package;

    (void)state;
    world_next(world, 6, &package);
    keep_standing(world, &package);
    sample_build(&package);
    vdevice_power_off(&world->device);
    world_damage_receipts(world, 1);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->sample.first));
    assert_int_equal(feed(world, &package), OTTER_E_MANAGER_OTHER);
    world_drop(world);
}

/* The one that names it fails, too: all is as before. */
static void k15_one_that_fails_changes_nothing(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        static struct sample_package package;
        struct world *world = make_failed(is_ab == 1);

        world_next(world, 6, &package);
        keep_standing(world, &package);
        try_one_that_crashes(world, &package);
        assert_old_with_other_manager(world);
        assert_refuses_others(world);
        world_next(world, 6, &package);
        keep_standing(world, &package);
        sample_build(&package);
        assert_true(world_takes(world, &package));
        assert_takes_a_third_manager(world);
        world_drop(world);
    }
}

/* Power is lost before the new manager has said that it starts, until no attempt is
 * left; it would have started. The outcome does not say that the old one is back. */
static void k15_a_manager_that_never_had_the_time_stays(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = make(is_ab == 1, true);
        static struct sample_package package;

        world->device.app = VDEVICE_CONFIRM;
        world->device.app_manager = VDEVICE_CRASH;
        world_mark_update(world);
        world_cut_until(world, is_try);
        strike_copy(world, is_ab == 1, true);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_old_with_other_manager(world);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
        assert_int_equal(world_state(world).outcome.code,
                         otter_code(OTTER_E_MANAGER_OTHER));
        world->device.app_manager = VDEVICE_CONFIRM;
        assert_refuses_others(world);
        world_next(world, 6, &package);
        keep_standing(world, &package);
        sample_build(&package);
        assert_true(world_takes(world, &package));
        world_drop(world);
    }
}

/* A table of the package's own is not the device's yet, or not any more. */
static void k8_nor_does_a_table_cost_the_manager(void **state)
{
    static struct sample_package package;

    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = make_failed(is_ab == 1);
        uint32_t op = 0;

        world_next(world, 6, &package);
        keep_standing(world, &package);
        sample_rotate(&world->sample, &package);
        sample_build(&package);
        vdevice_power_off(&world->device);
        world_mark(world);
        for (; cut_feed(world, &package, op, 0); op++) {
            assert_true(world_starts_manager(world));
        }
        assert_true(op > 20);
        world_drop(world);
    }
}

static void k8_nor_does_that_of_the_package_that_failed(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = make(is_ab == 1, true);

        sample_rotate(&world->sample, &world->next);
        sample_build(&world->next);
        fail_trial(world, is_ab == 1);
        vdevice_power_off(&world->device);
        assert_true(world_starts_manager(world));
        world_drop(world);
    }
}

/* The journal is lost: what stands is found by the receipts. With two slots it is so
 * unless the failed system is whole: that one is confirmed then (RELIABILITY). */
static void k2_nor_does_a_lost_journal(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        static struct sample_package package;
        struct world *world = make((i & 1) != 0, true);

        if ((i & 2) != 0) {
            sample_rotate(&world->sample, &world->next);
            sample_build(&world->next);
        }
        fail_trial(world, (i & 1) != 0);
        vdevice_power_off(&world->device);
        if ((i & 1) != 0) {
            world_damage(world, OTTER_REGION_SLOT_B);
        }
        world_erase(world, OTTER_REGION_JOURNAL);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_runs(world, &world->sample.first));
        assert_refuses_others(world);
        vdevice_power_off(&world->device);
        assert_true(world_starts_manager(world));
        world_next(world, 6, &package);
        keep_standing(world, &package);
        sample_build(&package);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_takes(world, &package));
        world_drop(world);
    }
}

/* A package with a table of its own is cut, then both copies of the current receipt are
 * lost: the manager stays, though the table of the receipt that names it is not there.
 */
static void k8_nor_does_a_table_that_never_came(void **state)
{
    static struct sample_package package;

    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = make_failed(is_ab == 1);
        bool is_cut = true;

        world_next(world, 6, &package);
        keep_standing(world, &package);
        sample_rotate(&world->sample, &package);
        sample_build(&package);
        vdevice_power_off(&world->device);
        world_mark(world);
        for (uint32_t op = 0; is_cut; op++) {
            is_cut = cut_feed(world, &package, op, op);
            world_damage_receipts(world, 0);
            for (int times = 0; times < 3; times++) {
                assert_int_equal(world_power_on(world), VDEVICE_IDLE);
                assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
                vdevice_power_off(&world->device);
            }
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_int_equal(feed(world, &package), OTTER_OK);
        }
        world_drop(world);
    }
}

/* Its font is written in place by the manager, which closes the application (K13). */
static void check_in_place(bool is_ab, bool brings_table, bool is_compatible)
{
    static struct sample_package package;
    struct world *world = world_make_full(is_ab);
    bool is_cut = true;
    uint32_t op = 0;

    world_next(world, 2, &world->next);
    sample_carry_manager(&world->sample, &world->next);
    sample_build(&world->next);
    fail_trial(world, is_ab);
    world_next(world, 6, &package);
    keep_standing(world, &package);
    if (brings_table) {
        sample_rotate(&world->sample, &package);
    }
    sample_carry_regions(&package);
    sample_put_in_place(&package, is_compatible);
    sample_build(&package);
    vdevice_power_off(&world->device);
    world_mark(world);
    for (; is_cut; op++) {
        world->device.wants_manager = true;
        is_cut = cut_feed(world, &package, op, 0);
        world->device.wants_manager = false;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world->device.program == OTTER_PROGRAM_MANAGER ||
                    (world_state(world).flags & OTTER_FLAG_CLOSED) == 0);
        vdevice_power_off(&world->device);
        assert_true(world_starts_manager(world));
    }
    assert_true(op > 20);
    world_drop(world);
}

static void k13_nor_does_a_member_in_place(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        check_in_place((i & 1) != 0, (i & 2) != 0, (i & 4) != 0);
    }
}

/* A copy of the receipt that a cut has touched may read right once, and not again (K5).
 * Which one that is stays known when the transfer is forgotten. */
static void check_forgotten(const struct sample_package *good,
                            const struct sample_package *bad, struct world *world)
{
    static const uint32_t seeds[] = {6, 7, 15, 17, 19, 23, 24, 30, 33, 35, 39, 63, 130};
    bool is_cut = true;

    for (uint32_t op = 0; is_cut; op++) {
        for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
            struct otter_receive *receive = &world->device.agent.receive;
            enum otter_result result = OTTER_OK;

            is_cut = cut_feed(world, good, op, seeds[i]);
            if (!is_cut || world_state(world).part == OTTER_PART_MEMBERS) {
                break;
            }
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            result = otter_receive_forget(receive);
            while (result == OTTER_OK && otter_receive_is_busy(receive)) {
                result = otter_receive_step(receive);
            }
            (void)vdevice_feed(&world->device, bad->bytes, bad->size, CHUNK, &result);
            vdevice_power_off(&world->device);
            for (int times = 0; times < 4; times++) {
                assert_true(world_starts_manager(world));
            }
        }
    }
}

static void k5_nor_does_a_transfer_that_is_forgotten(void **state)
{
    static struct sample_package good;
    static struct sample_package bad;

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world *world = make_failed((i & 1) != 0);
        uint32_t op = 0;

        world_next(world, 6, &good);
        keep_standing(world, &good);
        sample_build(&good);
        world_next(world, 4, &bad);
        bad.package.target ^= 1;
        sample_build(&bad);
        vdevice_power_off(&world->device);
        if ((i & 2) != 0) { /* or: from where the package's hash is written */
            world_damage_receipt(world, 1, 1);
            world_mark(world);
        } else {
            world_mark(world);
            do {
                assert_true(cut_feed(world, &good, op, 0));
                op++;
            } while (world_state(world).part != OTTER_PART_HASH);
            world_mark(world);
        }
        check_forgotten(&good, &bad, world);
        world_drop(world);
    }
}

/* ---- what has failed ---- */

/* Of another product. */
static void refuse_one(struct world *world)
{
    static struct sample_package package;

    world_next(world, 4, &package);
    package.package.target ^= 1;
    sample_build(&package);
    assert_int_equal(feed(world, &package), OTTER_E_TARGET);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REFUSED);
    vdevice_power_off(&world->device);
}

/* The old system is damaged while the new one fails: no system runs, [31-13]. `i`: two
 * slots, and the package brings a manager. */
static struct world *make_doomed(int i)
{
    struct world *world = make((i & 1) != 0, (i & 2) != 0);

    world_let_next_crash(world);
    world_mark_update(world);
    world_cut_until(world, world_is_trial);
    if ((i & 1) != 0) {
        world_damage(world, OTTER_REGION_APPLICATION);
    } else {
        strike_copy(world, false, false);
    }
    return world;
}

static struct world *make_given_up(int i)
{
    struct world *world = make_doomed(i);

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(OTTER_E_ROLL_BACK));
    return world;
}

static void prepare_for(struct world *world, int i, uint8_t minor,
                        struct sample_package *package)
{
    world_next(world, minor, package);
    if ((i & 2) != 0) {
        keep_standing(world, package);
    }
    sample_build(package);
}

static void k16_what_was_given_up_stays_so_when_a_package_is_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        static struct sample_package package;
        struct world *world = make_given_up(i);

        for (int times = 0; times < 2; times++) {
            refuse_one(world);
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        }
        prepare_for(world, i, 6, &package);
        assert_true(world_takes(world, &package));
        assert_takes_a_third_manager(world);
        world_drop(world);
    }
}

/* The next one fails, too: that trial has an end, and the one after is taken. */
static void k16_the_next_trial_ends_as_well(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        static struct sample_package package;
        struct world *world = make_given_up(i);

        prepare_for(world, i, 6, &package);
        try_one_that_crashes(world, &package);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
        prepare_for(world, i, 7, &package);
        assert_true(world_takes(world, &package));
        world_drop(world);
    }
}

/* If the failed system had to become the current one, it is there no more: no record
 * can bring it back, and it takes no place of one that is confirmed later. */
static void k16_what_failed_is_gone(void **state)
{
    (void)state;
    for (int i = 2; i < 4; i++) {
        static struct sample_package package;
        struct world *world = make_given_up(i);
        uint8_t id = i == 3 ? OTTER_REGION_SLOT_B : OTTER_REGION_APPLICATION;

        assert_int_equal(world_state(world).current, 1);
        assert_false(world_holds(world, id, &world->next));
        prepare_for(world, i, 6, &package);
        assert_true(world_takes(world, &package));
        vdevice_power_off(&world->device);
        world_damage(world, OTTER_REGION_APPLICATION);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world->device.code, otter_code(OTTER_E_BOOT_APPLICATION));
        world_drop(world);
    }
}

/* As marked, with each fault at each operation of the power-on that decides; then
 * `check` finds what it finds without one. */
static void sweep(struct world *world, void (*check)(struct world *, int), int i)
{
    static const enum vflash_fault_kind kinds[] = {VFLASH_CUT_BEFORE, VFLASH_CUT_AFTER,
                                                   VFLASH_TORN, VFLASH_FAIL};
    uint32_t ops = 0;

    world_mark(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    ops = world->device.flash.op;
    assert_true(ops > 4);
    for (uint32_t op = 0; op < ops; op++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            (void)world_fault_at(world, kinds[k], op);
            check(world, i);
        }
    }
}

static void check_given_up(struct world *world, int i)
{
    static struct sample_package package;
    struct otter_state state;

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_null(world->device.defect);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    state = world_state(world);
    assert_int_equal(state.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(state.current, i / 2);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(state.outcome.code, otter_code(OTTER_E_ROLL_BACK));
    prepare_for(world, i, 6, &package);
    assert_true(world_takes(world, &package));
}

static void k16_a_cut_while_it_is_given_up_changes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world *world = make_doomed(i);

        sweep(world, check_given_up, i);
        world_drop(world);
    }
}

static void check_waits(struct world *world, int i)
{
    static struct sample_package package;

    for (int times = 0; times < 2; times++) {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        vdevice_power_off(&world->device);
    }
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    prepare_for(world, i, 6, &package);
    assert_true(world_takes(world, &package));
}

/* Nor is it run when both copies of the current receipt are lost, which makes it the
 * current one. */
static void k16_nor_is_it_adopted(void **state)
{
    struct world *world = make(true, false);

    (void)state;
    world_let_next_crash(world);
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    vdevice_power_off(&world->device);
    world_damage_receipts(world, 0);
    sweep(world, check_waits, 0);
    world_back(world);
    vflash_set_bad(&world->device.flash, world_region(world, OTTER_REGION_SLOT_B)->addr,
                   true);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    world_drop(world);
}

/* Nor does it take the place of one that is damaged after that. */
static void k16_what_failed_takes_no_place_when_a_package_is_refused(void **state)
{
    struct world *world = make(true, false);

    (void)state;
    world_let_next_crash(world);
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->sample.first));
    refuse_one(world);
    world_damage(world, OTTER_REGION_APPLICATION);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(OTTER_E_BOOT_APPLICATION));
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k15_a_package_that_names_another_manager_is_refused),
        cmocka_unit_test(k15_one_that_names_the_same_is_taken),
        cmocka_unit_test(k15_a_cut_while_it_comes_leaves_a_manager),
        cmocka_unit_test(k15_a_refused_package_costs_no_copy_for_long),
        cmocka_unit_test(k15_without_that_receipt_no_package_is_taken),
        cmocka_unit_test(k15_one_that_fails_changes_nothing),
        cmocka_unit_test(k15_a_manager_that_never_had_the_time_stays),
        cmocka_unit_test(k8_nor_does_a_table_cost_the_manager),
        cmocka_unit_test(k8_nor_does_that_of_the_package_that_failed),
        cmocka_unit_test(k2_nor_does_a_lost_journal),
        cmocka_unit_test(k8_nor_does_a_table_that_never_came),
        cmocka_unit_test(k13_nor_does_a_member_in_place),
        cmocka_unit_test(k5_nor_does_a_transfer_that_is_forgotten),
        cmocka_unit_test(k16_what_was_given_up_stays_so_when_a_package_is_refused),
        cmocka_unit_test(k16_the_next_trial_ends_as_well),
        cmocka_unit_test(k16_what_failed_is_gone),
        cmocka_unit_test(k16_a_cut_while_it_is_given_up_changes_nothing),
        cmocka_unit_test(k16_nor_is_it_adopted),
        cmocka_unit_test(k16_what_failed_takes_no_place_when_a_package_is_refused),
    };

    return cmocka_run_group_tests_name("other manager", tests, NULL, NULL);
}
