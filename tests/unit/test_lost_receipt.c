/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both copies of the current system's receipt are gone, and the other system's vouches
 * for the manager alone: the manager runs, says why, takes a package and installs it,
 * whatever cut comes in between. Expected: the promises P1 and P3, and the texts of
 * otter/error.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum { CHUNK = 200, CODE_LOST = 29 * 256 + 10, COUNTER = 1 };

static const bool kinds[] = {false, true}; /* single, A/B */

/* Version 1.3.0 for the running program, with the counter that stands. */
static void make_next(struct world *world)
{
    sample_next(&world->sample, 3, &world->next);
    world->next.package.counter = COUNTER;
    sample_build(&world->next);
}

static void lose_receipts(struct world *world)
{
    uint8_t slot = world_state(world).current;

    for (uint8_t copy = 0; copy < 2; copy++) {
        uint32_t size = 0;
        uint32_t addr = world_receipt_addr(world, slot, copy, &size);

        vflash_flip(&world->device.flash, addr + 90, 2);
    }
}

/* Version 1.2.0 runs, confirmed, with the first one's counter, so that the first one's
 * receipt still vouches for the manager. The device is off. */
static struct world *make_updated(bool is_ab)
{
    struct world *world = world_make_small(is_ab, false);

    world->next.package.counter = COUNTER;
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    vdevice_power_off(&world->device);
    world_mark(world);
    return world;
}

/* And then its own receipt is lost. */
static struct world *make_lost(bool is_ab)
{
    struct world *world = make_updated(is_ab);

    lose_receipts(world);
    if (is_ab) {
        world_damage(world, OTTER_REGION_APPLICATION); /* the other system */
    }
    make_next(world);
    world_mark(world);
    return world;
}

static void check_manager(struct world *world)
{
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(otter_code(world->device.manager.result), CODE_LOST);
    assert_int_equal(world->device.code, 30 * 256 + 11); /* boot's reason */
}

static void check_new(struct world *world)
{
    struct otter_state state = world_state(world);

    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->next));
    assert_int_equal(state.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_int_equal(state.counter, COUNTER);
}

static void p1_the_manager_says_why_and_takes_a_package(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_lost(kinds[i]);

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        check_manager(world);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        check_new(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        check_new(world);
        world_drop(world);
    }
}

static void check_before(struct world *world, uint16_t code)
{
    struct otter_state state = world_state(world);

    assert_true(world_runs(world, &world->sample.first));
    assert_int_equal(state.current, 0);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_DAMAGED);
    assert_int_equal(state.outcome.code, code);
    assert_true(world_takes(world, &world->next));
    world_drop(world);
}

/* The outcome is not about a package that was refused before. */
static void p7_the_outcome_names_no_package_that_is_not_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_updated(kinds[i]);
        struct otter_outcome refused;
        struct otter_outcome outcome;

        make_next(world);
        world->next.package.target ^= 1;
        sample_build(&world->next);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_feed(world), OTTER_E_TARGET);
        refused = world_state(world).outcome;
        vdevice_power_off(&world->device);
        lose_receipts(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        check_manager(world);
        outcome = world_state(world).outcome;
        assert_int_equal(outcome.kind, OTTER_OUTCOME_DAMAGED);
        assert_memory_not_equal(outcome.id, refused.id, sizeof(refused.id));
        world_drop(world);
    }
}

/* Two slots, and it was confirmed once: boot goes over to it. If the button leads to
 * the manager first, that one makes it the current system, and leaves it whole. */
static void p1_the_system_before_takes_its_place(void **state)
{
    struct world *world = make_updated(true);

    (void)state;
    lose_receipts(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    check_before(world, 30 * 256 + 11);
    world = make_updated(true);
    lose_receipts(world);
    world_enter_manager(world);
    assert_int_equal(otter_code(world->device.manager.result), CODE_LOST);
    world->device.wants_manager = false;
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    check_before(world, CODE_LOST);
}

/* An application whose receipt dies while it runs leaves the other system alone. */
static void p1_the_agent_does_not_overwrite_the_other_system(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        lose_receipts(world);
        assert_int_equal(otter_code(world_feed(world)), CODE_LOST);
        world_drop(world);
    }
}

/* --- cuts --- */

/* The whole way from the manager to the new system; CUT where the fault strikes. */
static enum vdevice_end go(struct world *world, struct vflash_fault fault)
{
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_OK;
    enum vdevice_end end = vdevice_power_on(device, fault);

    if (end != VDEVICE_IDLE || device->program != OTTER_PROGRAM_MANAGER) {
        return end;
    }
    end = vdevice_feed(device, world->next.bytes, world->next.size, CHUNK, &result);
    assert_int_equal(result, OTTER_OK);
    if (end == VDEVICE_IDLE) {
        end = vdevice_request(device, &result);
        assert_int_equal(result, OTTER_OK);
    }
    return end == VDEVICE_IDLE ? vdevice_reset(device, OTTER_RESET_SOFTWARE) : end;
}

/* With two slots a package that is complete is a system that verifies: when power fails
 * before it is requested, boot runs it, as there is no other. */
static bool is_stored_system(struct world *world, bool is_ab)
{
    struct otter_state state = world_state(world);

    return is_ab && state.phase == OTTER_PHASE_ROLLED_BACK &&
           state.outcome.kind == OTTER_OUTCOME_DAMAGED && state.counter == COUNTER &&
           world->device.program == OTTER_PROGRAM_AGENT &&
           world_holds(world, world->device.region, &world->next);
}

static void sweep(bool is_ab, enum vflash_fault_kind kind, uint32_t seed)
{
    struct world *world = make_lost(is_ab);
    struct vflash_fault fault = {.kind = kind, .seed = seed};

    for (;; fault.at_op++) {
        world_back(world);
        if (go(world, fault) != VDEVICE_CUT) {
            break;
        }
        enum vdevice_end end = go(world, (struct vflash_fault){.kind = VFLASH_NONE});

        if (end != VDEVICE_IDLE || world->device.defect != NULL) {
            fail_msg("A/B %d, kind %d, seed %u, cut %u: end %d, %s", is_ab, (int)kind,
                     (unsigned)seed, (unsigned)fault.at_op, (int)end,
                     world->device.defect == NULL ? "" : world->device.defect);
        }
        if (!is_stored_system(world, is_ab)) {
            check_new(world);
        }
        assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
    }
    check_new(world);
    assert_true(fault.at_op > 40);
    world_drop(world);
}

static void p3_after_a_cut_anywhere_the_update_finishes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        sweep(kinds[i], VFLASH_CUT_BEFORE, 0);
        sweep(kinds[i], VFLASH_CUT_AFTER, 0);
        for (uint32_t seed = 0; seed < 8; seed++) {
            sweep(kinds[i], VFLASH_TORN, seed);
        }
    }
}

/* --- the same in a transfer, which the receipt does not survive --- */

/* Cuts the transfer at operation `op`; false past its last one. */
static bool cut_transfer(struct world *world, uint32_t op)
{
    struct vflash *flash = &world->device.flash;
    enum otter_result result = OTTER_OK;

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    flash->fault = (struct vflash_fault){.at_op = flash->op + op, .kind = VFLASH_TORN};
    enum vdevice_end end = vdevice_feed(&world->device, world->next.bytes,
                                        world->next.size, CHUNK, &result);

    flash->fault.kind = VFLASH_NONE;
    vdevice_power_off(&world->device);
    return end == VDEVICE_CUT;
}

/* Version 1.2.0 runs, and a transfer is cut; whatever of it stands, one copy of the
 * other receipt vouches for the manager. */
static void p1_a_receipt_lost_in_a_transfer_does_not_stop_the_next_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_updated(kinds[i]);
        uint32_t op = 0;

        make_next(world);
        for (; world_back(world), cut_transfer(world, op); op++) {
            lose_receipts(world);
            if (kinds[i]) {
                world_damage(world, OTTER_REGION_APPLICATION);
            }
            enum vdevice_end end =
                go(world, (struct vflash_fault){.kind = VFLASH_NONE});

            if (end != VDEVICE_IDLE || world->device.program != OTTER_PROGRAM_AGENT) {
                fail_msg("A/B %d, cut %u: end %d, program %d", kinds[i], (unsigned)op,
                         (int)end, (int)world->device.program);
            }
            if (!is_stored_system(world, kinds[i])) {
                check_new(world);
            }
        }
        assert_true(op > 20);
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p1_the_manager_says_why_and_takes_a_package),
        cmocka_unit_test(p7_the_outcome_names_no_package_that_is_not_there),
        cmocka_unit_test(p1_the_system_before_takes_its_place),
        cmocka_unit_test(p1_the_agent_does_not_overwrite_the_other_system),
        cmocka_unit_test(p3_after_a_cut_anywhere_the_update_finishes),
        cmocka_unit_test(p1_a_receipt_lost_in_a_transfer_does_not_stop_the_next_one),
    };

    return cmocka_run_group_tests_name("lost receipt", tests, NULL, NULL);
}
