/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats outlive programs (K6): the programs of this tree on a journal in which a
 * newer program has left a critical extension that they do not know. Boot runs the
 * manager, which says [27-14] and leaves every update where it stands; a program that
 * knows the extension goes on from there. Where boot itself is writing the manager, it
 * ends that copy first. If the manager is damaged, boot does what the phase says, so
 * that a system runs rather than nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outlive_bench.h"

enum {
    CRITICAL_SETS = sizeof(vector_newer_critical) / sizeof(vector_newer_critical[0]),
    CODE_CRITICAL = 27 * 256 + 14,
};

static const uint8_t closed[] = {OTTER_REGION_BOOT,        OTTER_REGION_TABLE,
                                 OTTER_REGION_RECEIPTS,    OTTER_REGION_MANAGER,
                                 OTTER_REGION_APPLICATION, OTTER_REGION_SLOT_B,
                                 OTTER_REGION_STAGING};

/* Nothing but the journal has changed since the device was marked. */
static void assert_untouched(struct world *world, const char *name, uint32_t op)
{
    for (size_t i = 0; i < sizeof(closed); i++) {
        if (!world_is_untouched(world, closed[i])) {
            fail_msg("%s, operation %u: region %u has changed", name, (unsigned)op,
                     closed[i]);
        }
    }
}

static void assert_same_state(struct world *world, const struct otter_state *before,
                              const char *name, uint32_t op)
{
    struct otter_state after = world_state(world);

    if (!otter_state_equal(before, &after) || watch.wrong != 0) {
        fail_msg("%s, operation %u: the state has changed", name, (unsigned)op);
    }
}

/* The manager runs, and stays, and says why. */
static void assert_manager_says_why(struct world *world, const char *name, uint32_t op)
{
    if (world->device.program != OTTER_PROGRAM_MANAGER ||
        world->device.code != CODE_CRITICAL) {
        fail_msg("%s, operation %u: program %d, code %04X", name, (unsigned)op,
                 (int)world->device.program, world->device.code);
    }
}

static void k6_a_critical_extension_makes_boot_run_the_manager(void **state)
{
    (void)state;
    for (size_t i = 0; i < CRITICAL_SETS * 2; i++) {
        struct world *world = world_make_small(i % 2 == 1, false);
        struct extensions wanted = extensions_of(vector_newer_critical[i / 2][1]);

        put_newer(world, vector_newer_critical[i / 2]);
        world_mark(world);
        watch_start(world, &wanted);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_manager_says_why(world, "confirmed", 0);
            assert_int_equal(world->device.manager.result, OTTER_E_JOURNAL_CRITICAL);
            assert_int_equal(world->device.flash.op, 0);
        }
        /* The program that wrote it has done what it meant: all is as before. */
        put_newer(world, vector_newer_plain[1]);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        world_drop(world);
    }
}

/* --- in every state of an update --- */

struct scenario {
    const char *name;
    bool carries_manager;
    enum vdevice_app app;
};

static const struct scenario scenarios[] = {
    {"confirm", false, VDEVICE_CONFIRM},
    {"crash", false, VDEVICE_CRASH},
    {"manager", true, VDEVICE_CRASH},
};

enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

/* What is looked at after the cut at `op`. */
typedef void check_function(struct world *world, const struct scenario *scenario,
                            uint32_t op);

/* Cuts an update after every operation and puts a critical extension into the journal
 * that it leaves. */
static void at_every_operation(bool is_ab, const struct scenario *scenario,
                               check_function *check)
{
    static const struct extensions none = {0};
    struct extensions critical = extensions_of(vector_newer_critical[1][1]);
    struct world *world = world_make_small(is_ab, false);
    struct vflash_image begin = {0};

    if (scenario->carries_manager) {
        sample_carry_manager(&world->sample, &world->next);
        sample_build(&world->next);
    }
    vflash_save(&world->device.flash, &begin);
    for (uint32_t op = 0;; op++) {
        const struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_AFTER};

        vdevice_power_off(&world->device);
        vflash_restore(&world->device.flash, &begin);
        world->device.app = scenario->app;
        watch_start(world, &none);
        if (run_update(world, fault) != VDEVICE_CUT) {
            assert_true(op > 100);
            break;
        }
        assert_true(give_extensions(world, &critical) >= 6);
        world_mark(world);
        watch_start(world, &critical);
        check(world, scenario, op);
    }
    vflash_image_free(&begin);
    world_drop(world);
}

static bool has_manager(const struct world *world)
{
    return world_has_manager(world, world->sample.manager) ||
           world_has_manager(world, world->next.manager);
}

/* Boot is in the middle of writing a manager (K15): it ends that copy, for without it
 * there is nobody to ask; nothing else changes. */
static void finish_manager(struct world *world, const struct scenario *scenario,
                           uint32_t op)
{
    assert_true(scenario->carries_manager);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_manager_says_why(world, scenario->name, op);
    assert_true(has_manager(world));
    for (size_t i = 0; i < sizeof(closed); i++) {
        assert_true(closed[i] == OTTER_REGION_MANAGER ||
                    world_is_untouched(world, closed[i]));
    }
    vdevice_power_off(&world->device);
    world_mark(world);
}

static void check_stays(struct world *world, const struct scenario *scenario,
                        uint32_t op)
{
    if (!has_manager(world)) {
        finish_manager(world, scenario, op);
    }
    struct otter_state before = world_state(world);

    for (int k = 0; k < 2; k++) {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_manager_says_why(world, scenario->name, op);
        assert_same_state(world, &before, scenario->name, op);
        assert_untouched(world, scenario->name, op);
    }
    assert_int_equal(watch.records[OTTER_PROGRAM_AGENT], 0);
}

static void k6_an_update_stays_where_it_stands_until_a_newer_program_comes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * SCENARIOS; i++) {
        at_every_operation(i % 2 == 1, &scenarios[i / 2], check_stays);
    }
}

/* The program that knows the extension takes it back: the update goes on to its end. */
static void check_goes_on(struct world *world, const struct scenario *scenario,
                          uint32_t op)
{
    static const struct extensions none = {0};

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    vdevice_power_off(&world->device);
    (void)give_extensions(world, &none);
    watch_start(world, &none);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    if (world_state(world).outcome.kind == OTTER_OUTCOME_NONE) {
        assert_int_equal(world_feed(world), OTTER_OK);
        assert_int_equal(world_request(world), OTTER_OK);
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
    }
    bool is_new = scenario->app == VDEVICE_CONFIRM;

    if (world->device.program != OTTER_PROGRAM_AGENT ||
        !world_holds(world, world->device.region,
                     is_new ? &world->next : &world->sample.first)) {
        fail_msg("%s, operation %u: no end", scenario->name, (unsigned)op);
    }
}

static void k6_an_update_goes_on_when_the_extension_is_taken_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * SCENARIOS; i++) {
        at_every_operation(i % 2 == 1, &scenarios[i / 2], check_goes_on);
    }
}

/* --- a package that comes all the same --- */

/* Whatever the manager's door answers: nothing is installed, the system that stands is
 * not touched, and the extension stays. */
static void k6_no_package_is_installed_over_a_critical_extension(void **state)
{
    (void)state;
    for (size_t i = 0; i < CRITICAL_SETS * 2; i++) {
        struct world *world = world_make_small(i % 2 == 1, false);
        struct extensions wanted = extensions_of(vector_newer_critical[i / 2][1]);

        put_newer(world, vector_newer_critical[i / 2]);
        world_mark(world);
        watch_start(world, &wanted);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        if (world_feed(world) == OTTER_OK) {
            (void)world_request(world);
        }
        for (int k = 0; k < 3; k++) {
            (void)vdevice_reset(&world->device, OTTER_RESET_SOFTWARE);
            assert_manager_says_why(world, "a package", 0);
        }
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
        struct otter_state found = world_state(world);

        assert_true(state_has(&found, &wanted));
        assert_int_equal(watch.wrong, 0);
        assert_int_equal(found.current, 0);
        assert_int_equal(found.counter, 1);
        world_drop(world);
    }
}

/* --- a second damage --- */

/* With the manager damaged there is nobody to ask: boot does what the phase says, and
 * the old system or the new one runs. The extension stays in every record. */
static void check_without_manager(struct world *world, const struct scenario *scenario,
                                  uint32_t op)
{
    world_damage(world, OTTER_REGION_MANAGER);
    enum vdevice_end end = world_power_on(world);

    if (end != VDEVICE_IDLE || world->device.program != OTTER_PROGRAM_AGENT ||
        (!world_holds(world, world->device.region, &world->sample.first) &&
         !world_holds(world, world->device.region, &world->next))) {
        fail_msg("%s, operation %u: end %d, code %04X", scenario->name, (unsigned)op,
                 (int)end, world->device.code);
    }
    struct otter_state state = world_state(world);

    assert_true(state_has(&state, &watch.wanted));
    assert_int_equal(watch.wrong, 0);
}

static void k6_with_a_damaged_manager_the_old_system_or_the_new_one_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * 2; i++) {
        at_every_operation(i % 2 == 1, &scenarios[i / 2], check_without_manager);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k6_a_critical_extension_makes_boot_run_the_manager),
        cmocka_unit_test(
            k6_an_update_stays_where_it_stands_until_a_newer_program_comes),
        cmocka_unit_test(k6_an_update_goes_on_when_the_extension_is_taken_back),
        cmocka_unit_test(k6_no_package_is_installed_over_a_critical_extension),
        cmocka_unit_test(k6_with_a_damaged_manager_the_old_system_or_the_new_one_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
