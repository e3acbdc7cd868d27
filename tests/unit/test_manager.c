/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager: when it comes, when it goes, what it mends, and how a device without a
 * valid application gets one. Expected values: the contracts K1, K8, K10, K16 and the
 * published behaviour: it waits 30 s for an update, then the application runs again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum {
    WAIT_MS = 30000,
    LEAVE_MS = 2000,
    SLACK_MS = 500,
    POWER_LIMIT = 10,
    FAULT_LIMIT = 3,
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

/* Powers on with the button pressed; the manager is idle. */
static void enter_by_button(struct world *world)
{
    world->device.hooks.idle = vdevice_stop_at_once;
    world->device.wants_manager = true;
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    world->device.hooks.idle = NULL;
}

static void assert_runs_first(struct world *world)
{
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
}

/* --- coming and going --- */

static void check_wait(struct world *world)
{
    enter_by_button(world);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_runs_first(world);
    assert_true(world->device.clock_ms >= WAIT_MS);
    assert_true(world->device.clock_ms < WAIT_MS + SLACK_MS);
    assert_int_equal(world->device.flash.op, 0); /* it had nothing to mend */
}

static void k10_the_manager_waits_30_seconds_and_goes_back(void **state)
{
    (void)state;
    on_both(check_wait);
}

static void check_refusal(struct world *world)
{
    enter_by_button(world);
    world->next.bytes[OTTER_IMAGE_HEADER_SIZE + 44] ^= 1;
    assert_int_equal(world_feed(world), OTTER_E_SIGNATURE_BAD);
    uint32_t refused_ms = world->device.clock_ms;

    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_runs_first(world);
    assert_true(world->device.clock_ms - refused_ms >= LEAVE_MS);
    assert_true(world->device.clock_ms - refused_ms < LEAVE_MS + SLACK_MS);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REFUSED);
    assert_int_equal(world_state(world).outcome.code,
                     otter_code(OTTER_E_SIGNATURE_BAD));
}

static void k10_after_a_refusal_it_goes_back_in_two_seconds(void **state)
{
    (void)state;
    on_both(check_refusal);
}

static void check_agents_wish(struct world *world)
{
    world->device.hooks.idle = vdevice_stop_at_once;
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(otter_agent_enter_manager(&world->device.agent), OTTER_POLL_RESET);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_STOPPED);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    world->device.hooks.idle = NULL;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_runs_first(world); /* once, not for ever */
    assert_int_equal(otter_agent_enter_manager(&world->device.agent), OTTER_POLL_RESET);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_runs_first(world); /* the word does not survive lost power */
    assert_true(world->device.clock_ms < WAIT_MS);
}

static void k10_the_application_may_ask_for_the_manager_once(void **state)
{
    (void)state;
    on_both(check_agents_wish);
}

static void check_request_to_manager(struct world *world)
{
    enter_by_button(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    uint32_t asked_ms = world->device.clock_ms;

    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->next));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_true(world->device.clock_ms - asked_ms < WAIT_MS); /* at once */
}

static void k10_a_package_may_be_sent_to_the_manager_itself(void **state)
{
    (void)state;
    on_both(check_request_to_manager);
}

/* --- mending --- */

struct repairs {
    int count;
    uint16_t codes[8];
};

static void note_repair(void *context, enum otter_program program,
                        const struct otter_event *event)
{
    struct repairs *repairs = context;

    if (program == OTTER_PROGRAM_MANAGER && event->kind == OTTER_EVENT_REPAIRED &&
        repairs->count < 8) {
        repairs->codes[repairs->count++] = event->code;
    }
}

static void damage_copies(struct world *world)
{
    const struct otter_region *table = world_region(world, OTTER_REGION_TABLE);
    uint32_t size = 0;

    vflash_flip(&world->device.flash, world_receipt_addr(world, 0, 1, &size) + 77, 1);
    vflash_flip(&world->device.flash, table->addr + 50, 1);
}

static void check_repairs(struct world *world)
{
    struct repairs repairs = {0};

    world->device.hooks.on_event = note_repair;
    world->device.hooks.context = &repairs;
    damage_copies(world);
    enter_by_button(world);
    assert_int_equal(repairs.count, 2);
    assert_int_equal(repairs.codes[0], 29 * 256 + 11);
    assert_int_equal(repairs.codes[1], 28 * 256 + 13);
    assert_true(world_is_untouched(world, OTTER_REGION_TABLE) ||
                memcmp(vflash_peek(&world->device.flash,
                                   world_region(world, OTTER_REGION_TABLE)->addr,
                                   world->sample.table_size),
                       world->sample.table_bytes, world->sample.table_size) == 0);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_runs_first(world);
    repairs.count = 0;
    enter_by_button(world);
    assert_int_equal(repairs.count, 0); /* whole again */
    assert_int_equal(world->device.flash.op, 0);
}

static void k8_the_manager_mends_receipt_and_table_and_tells_it(void **state)
{
    (void)state;
    on_both(check_repairs);
}

/* Cut anywhere while mending: the same system boots, and the next time mends. */
static void check_cut_repairs(struct world *world)
{
    struct repairs repairs = {0};
    uint32_t ops;

    damage_copies(world);
    world_mark(world);
    enter_by_button(world);
    ops = world->device.flash.op;
    assert_true(ops > 4);
    world->device.hooks.on_event = note_repair;
    world->device.hooks.context = &repairs;
    for (uint32_t op = 0; op < ops * 2; op++) {
        const struct vflash_fault fault = {.at_op = op / 2,
                                           .kind = op % 2 == 0 ? VFLASH_TORN
                                                               : VFLASH_CUT_AFTER,
                                           .seed = op};

        world_back(world);
        world->device.wants_manager = true;
        assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
        world->device.wants_manager = false;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_runs_first(world);
        enter_by_button(world);
        repairs.count = 0;
        enter_by_button(world);
        assert_int_equal(repairs.count, 0);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        assert_runs_first(world);
    }
}

static void p3_mending_that_is_cut_goes_on(void **state)
{
    (void)state;
    on_both(check_cut_repairs);
}

/* --- no application --- */

static void check_stays(struct world *world)
{
    world_damage(world, OTTER_REGION_APPLICATION);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_true(world->device.clock_ms > WAIT_MS);
    assert_int_equal(world->device.resets, 0);
    assert_int_equal(world->device.code, 30 * 256 + 11);
    world->next.bytes[OTTER_IMAGE_HEADER_SIZE + 44] ^= 1;
    assert_int_equal(world_feed(world), OTTER_E_SIGNATURE_BAD);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER); /* where to? */
}

static void k10_without_an_application_the_manager_stays(void **state)
{
    (void)state;
    on_both(check_stays);
}

static void check_recovery(struct world *world)
{
    world_damage(world, OTTER_REGION_APPLICATION);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->next));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).counter, 2);
    sample_next(&world->sample, 3, &world->next);
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->next));
}

static void p1_a_device_without_an_application_recovers_by_a_package(void **state)
{
    (void)state;
    on_both(check_recovery);
}

/* The system that was to be the recovery fails: no way back, but a manager. */
static void check_failed_recovery(struct world *world)
{
    world_damage(world, OTTER_REGION_APPLICATION);
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(world_state(world).outcome.code, 31 * 256 + 13);
    sample_next(&world->sample, 3, &world->next);
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->next));
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
}

static void k16_a_recovery_that_fails_ends_in_the_manager_which_takes_another(
    void **state)
{
    (void)state;
    on_both(check_failed_recovery);
}

/* --- the button in a trial --- */

/* Installs and stops in the trial, after `faults` counted resets. */
static void begin_trial(struct world *world, int faults)
{
    world->device.app = VDEVICE_SILENT;
    world->device.hooks.idle = vdevice_stop_at_once;
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    for (int i = 0; i < faults; i++) {
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_STOPPED);
    }
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_int_equal(world_state(world).faults, faults);
    world->device.hooks.idle = NULL;
}

static void check_button_in_trial(struct world *world)
{
    begin_trial(world, 1);
    world->device.app = VDEVICE_CONFIRM;
    world->device.wants_manager = true;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world->device.clock_ms >= WAIT_MS); /* the manager was there */
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->next));
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
}

static void k16_the_button_in_a_trial_only_puts_it_off(void **state)
{
    (void)state;
    on_both(check_button_in_trial);
}

static void check_button_at_the_end(struct world *world)
{
    begin_trial(world, FAULT_LIMIT);
    world->device.wants_manager = true;
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_runs_first(world);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code, 31 * 256 + 10);
}

static void k16_the_button_after_the_last_attempt_does_not_cost_the_way_back(
    void **state)
{
    (void)state;
    on_both(check_button_at_the_end);
}

/* The old system is damaged, and power was lost until the last attempt, which runs. The
 * manager counts as boot does: it neither ends the trial nor erases what is on trial.
 */
static void k16_the_manager_in_the_last_attempt_does_not_end_it(void **state)
{
    (void)state;
    for (int carries = 0; carries < 2; carries++) {
        struct world *world = world_make_small(true, false);

        if (carries == 1) {
            sample_carry_manager(&world->sample, &world->next);
            sample_build(&world->next);
        }
        begin_trial(world, 1);
        world_damage(world, OTTER_REGION_APPLICATION);
        world->device.hooks.idle = vdevice_stop_at_once;
        while (world_state(world).powers < POWER_LIMIT) {
            assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
            assert_true(world_runs(world, &world->next));
        }
        world->device.hooks.idle = NULL;
        world->device.app = VDEVICE_CONFIRM;
        (void)vdevice_enter_manager(&world->device);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        assert_true(world_runs(world, &world->next));
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
        world_drop(world);
    }
}

static void check_button_damaged(struct world *world)
{
    begin_trial(world, 1);
    world_damage(world, world->device.region);
    world->device.wants_manager = true;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_runs_first(world);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code, 31 * 256 + 14);
}

static void k16_the_button_with_a_damaged_trial_does_not_cost_the_way_back(void **state)
{
    (void)state;
    on_both(check_button_damaged);
}

/* --- bounds --- */

static struct otter_manager manager;

/* Polls a manager of its own until it is idle or resets. */
static uint32_t ops_of(const struct world *world)
{
    return world->device.flash.op;
}

static void poll_bounded(struct world *world)
{
    enum otter_poll poll = OTTER_POLL_BUSY;

    vdevice_power_off(&world->device);
    vflash_power_on(&world->device.flash, (struct vflash_fault){.kind = VFLASH_NONE});
    assert_int_equal(otter_manager_open(&manager, &world->device.ports, NULL),
                     OTTER_OK);
    assert_int_equal(world->device.flash.op, 0); /* opening writes nothing */
    for (int i = 0; poll == OTTER_POLL_BUSY; i++) {
        uint32_t op = ops_of(world);

        poll = otter_manager_poll(&manager);
        assert_true(ops_of(world) - op <= 1);
        assert_true(i < 100000);
    }
}

static void check_polls(struct world *world)
{
    damage_copies(world);
    poll_bounded(world);
    assert_true(world->device.flash.op > 4); /* it mended */
    world_prepare(world);
    poll_bounded(world);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
}

static void k22_each_poll_does_at_most_one_flash_operation(void **state)
{
    (void)state;
    on_both(check_polls);
}

/* A program of the device in every phase: may it erase `region`? */
static void assert_closed(struct world *world, uint8_t program, uint8_t phase,
                          uint8_t region)
{
    static struct otter_device view;

    assert_int_equal(
        otter_device_open(&view, &world->device.ports, (enum otter_program)program),
        OTTER_OK);
    view.journal.state.phase = phase;
    for (uint8_t current = 0; current < 2; current++) {
        view.journal.state.current = current;
        otter_device_open_regions(&view);
        /* Where the application of this phase runs: on trial it is the other system. */
        uint8_t slot = phase == OTTER_PHASE_TRIAL ? (uint8_t)(1 - current) : current;
        uint8_t id = region != OTTER_REGION_APPLICATION
                         ? region
                         : otter_system_region(&view, slot, OTTER_ROLE_FIRMWARE);

        assert_int_equal(otter_io_erase(&view.io, id, 0), OTTER_E_FLASH_FORBIDDEN);
    }
    assert_int_equal(world->device.flash.op, 0);
}

static void check_closed(struct world *world)
{
    vflash_power_on(&world->device.flash, (struct vflash_fault){.kind = VFLASH_NONE});
    for (uint8_t phase = OTTER_PHASE_CONFIRMED; phase < OTTER_PHASE_COUNT; phase++) {
        static const uint8_t programs[] = {OTTER_PROGRAM_BOOT, OTTER_PROGRAM_MANAGER,
                                           OTTER_PROGRAM_AGENT};

        for (size_t i = 0; i < sizeof(programs); i++) {
            assert_closed(world, programs[i], phase, OTTER_REGION_BOOT);
            assert_closed(world, programs[i], phase, OTTER_REGION_MANAGER);
        }
        assert_closed(world, OTTER_PROGRAM_AGENT, phase, OTTER_REGION_APPLICATION);
        assert_closed(world, OTTER_PROGRAM_BOOT, phase, OTTER_REGION_APPLICATION);
        assert_closed(world, OTTER_PROGRAM_AGENT, phase, OTTER_REGION_TABLE);
    }
}

static void k23_no_program_may_write_boot_manager_or_itself(void **state)
{
    (void)state;
    on_both(check_closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k10_the_manager_waits_30_seconds_and_goes_back),
        cmocka_unit_test(k10_after_a_refusal_it_goes_back_in_two_seconds),
        cmocka_unit_test(k10_the_application_may_ask_for_the_manager_once),
        cmocka_unit_test(k10_a_package_may_be_sent_to_the_manager_itself),
        cmocka_unit_test(k8_the_manager_mends_receipt_and_table_and_tells_it),
        cmocka_unit_test(p3_mending_that_is_cut_goes_on),
        cmocka_unit_test(k10_without_an_application_the_manager_stays),
        cmocka_unit_test(p1_a_device_without_an_application_recovers_by_a_package),
        cmocka_unit_test(
            k16_a_recovery_that_fails_ends_in_the_manager_which_takes_another),
        cmocka_unit_test(k16_the_button_in_a_trial_only_puts_it_off),
        cmocka_unit_test(
            k16_the_button_after_the_last_attempt_does_not_cost_the_way_back),
        cmocka_unit_test(k16_the_manager_in_the_last_attempt_does_not_end_it),
        cmocka_unit_test(
            k16_the_button_with_a_damaged_trial_does_not_cost_the_way_back),
        cmocka_unit_test(k22_each_poll_does_at_most_one_flash_operation),
        cmocka_unit_test(k23_no_program_may_write_boot_manager_or_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
