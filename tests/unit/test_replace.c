/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacing the manager (K15): what goes wrong around it. The cuts are the sweep's
 * (tests/powercut); here are damage at rest, managers that do not start, and the ways
 * back. Expected: K1, K15, K16.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <stdlib.h>
#include <string.h>

static void on_both(void (*check)(struct world *world))
{
    for (int kind = 0; kind < 2; kind++) {
        struct world *world = world_make_small(kind == 1, false);

        sample_carry_manager(&world->sample, &world->next);
        sample_build(&world->next);
        check(world);
        world_drop(world);
    }
}

static bool is_ab(const struct world *world)
{
    return world_region(world, OTTER_REGION_SLOT_B) != NULL;
}

/* Flips a bit of the stored firmware as soon as the new manager runs. */
static void damage_store(void *context, enum otter_program program,
                         const struct otter_event *event)
{
    struct world *world = context;
    uint8_t id = is_ab(world) ? OTTER_REGION_SLOT_B : OTTER_REGION_STAGING;

    (void)event;
    if (program == OTTER_PROGRAM_MANAGER &&
        world_has_manager(world, world->next.manager)) {
        vflash_flip(&world->device.flash, world_region(world, id)->addr + 100, 1);
        world->device.hooks.on_event = NULL;
    }
}

/* Another package that keeps what `sample` had at first; its update is confirmed. */
static void assert_can_be_updated(struct world *world, uint8_t minor)
{
    sample_next(&world->sample, minor, &world->next);
    sample_build(&world->next);
    assert_true(world_takes(world, &world->next));
}

static void check_late_failure(struct world *world)
{
    world->device.hooks.context = world;
    world->device.hooks.on_event = damage_store;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_null(world->device.hooks.on_event); /* it has been damaged */
    assert_true(world_has_manager(world, world->sample.manager));
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_int_equal(world_state(world).outcome.code, 9 * 256 + 99);
    assert_int_equal(world_state(world).flags, 0);
    assert_can_be_updated(world, 3);
    assert_can_be_updated(world, 4);
}

static void k15_a_failure_after_the_new_manager_has_started_takes_it_back(void **state)
{
    (void)state;
    on_both(check_late_failure);
}

/* The old system runs on with its own manager. */
static void assert_not_started(struct world *world)
{
    struct otter_state state = world_state(world);

    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_has_manager(world, world->sample.manager));
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_int_equal(state.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(state.outcome.code, otter_code(OTTER_E_MANAGER_START));
    assert_memory_equal(state.outcome.id, world->next.package.id,
                        sizeof(state.outcome.id));
}

static void check_faults_at_start(struct world *world)
{
    static const enum vdevice_app apps[] = {VDEVICE_CRASH, VDEVICE_HANG};

    for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++) {
        world_back(world);
        world->device.app_manager = apps[i];
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_not_started(world);
    }
}

static void k15_a_new_manager_that_crashes_or_hangs_at_its_start_is_taken_back(
    void **state)
{
    (void)state;
    on_both(check_faults_at_start);
}

static void check_powers_at_start(struct world *world)
{
    uint32_t powers = 0;

    world_prepare(world);
    world->device.app_manager = VDEVICE_HANG;
    world->device.hooks.idle = vdevice_stop_at_once;
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                     VDEVICE_STOPPED);
    while (world->device.program == OTTER_PROGRAM_MANAGER) {
        assert_true(world_has_manager(world, world->next.manager));
        assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
        powers++;
    }
    assert_int_equal(powers, 11); /* ten attempts, then the way back */
    assert_not_started(world);
}

static void k15_a_new_manager_that_loses_power_before_its_start_is_taken_back(
    void **state)
{
    (void)state;
    on_both(check_powers_at_start);
}

/* Flips a bit of the way back as soon as the trial begins. */
static void damage_way_back(void *context, enum otter_program program,
                            const struct otter_event *event)
{
    struct world *world = context;
    uint8_t id = is_ab(world) ? OTTER_REGION_APPLICATION : OTTER_REGION_STAGING;
    const struct otter_region *region = world_region(world, id);
    uint32_t off = is_ab(world) ? 700 : region->size - 1000;

    if (program == OTTER_PROGRAM_MANAGER && event->kind == OTTER_EVENT_PHASE &&
        event->stage == OTTER_PHASE_TRIAL) {
        vflash_flip(&world->device.flash, region->addr + off, 1);
        world->device.hooks.on_event = NULL;
    }
}

/* One cut in the transfer of a repair package. False past its last operation. */
static bool cut_repair(struct world *world, uint32_t op)
{
    enum otter_result result = OTTER_OK;
    struct vflash *flash = &world->device.flash;

    world_back(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    flash->fault =
        (struct vflash_fault){.at_op = flash->op + op, .kind = VFLASH_CUT_BEFORE};
    if (vdevice_feed(&world->device, world->next.bytes, world->next.size, 200,
                     &result) != VDEVICE_CUT) {
        assert_int_equal(result, OTTER_OK);
        return false;
    }
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    return true;
}

static void check_given_up(struct world *world)
{
    uint32_t op = 0;

    world->device.hooks.context = world;
    world->device.hooks.on_event = damage_way_back;
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_null(world->device.hooks.on_event); /* it has been damaged */
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world_state(world).outcome.code, 31 * 256 + 13);
    vdevice_power_off(&world->device);
    world_mark(world);
    sample_next(&world->sample, 3, &world->next);
    sample_carry_manager(&world->sample, &world->next);
    sample_build(&world->next);
    while (cut_repair(world, op)) {
        op++;
    }
    world->device.flash.fault.kind = VFLASH_NONE;
    assert_true(op > 50);
    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->next));
}

static void k1_a_manager_that_only_the_new_receipt_names_outlives_any_cut(void **state)
{
    (void)state;
    on_both(check_given_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k15_a_failure_after_the_new_manager_has_started_takes_it_back),
        cmocka_unit_test(
            k15_a_new_manager_that_crashes_or_hangs_at_its_start_is_taken_back),
        cmocka_unit_test(
            k15_a_new_manager_that_loses_power_before_its_start_is_taken_back),
        cmocka_unit_test(k1_a_manager_that_only_the_new_receipt_names_outlives_any_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
