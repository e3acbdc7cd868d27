/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats outlive programs (K6): what a package says about the programs that it meets.
 * It states the oldest boot and the oldest manager that it needs; a manager that it
 * carries is never older than the one that is there; and extensions of its control
 * packet that this program does not know are kept in the receipt, or refused if they
 * are critical. Codes: docs/ERRORS.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum {
    CODE_CRITICAL = 21 * 256 + 19,
    CONTROL_OFF = 32, /* in a copy of a receipt, and in a package */
};

static const bool kinds[] = {false, true}; /* single, A/B */

/* Sends `next` to the program that runs, which is the agent or the manager. */
static enum otter_result feed_to(struct world *world, enum otter_program program)
{
    world->device.wants_manager = false;
    world_back(world);
    if (program == OTTER_PROGRAM_MANAGER) {
        world_damage(world, OTTER_REGION_APPLICATION); /* then the manager stays */
    }
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, program);
    return world_feed(world);
}

/* The sample device has boot 0 and manager 1. */
static const struct needs {
    uint16_t boot;
    uint16_t manager;
    enum otter_result answer;
} needs[] = {
    {0, 0, OTTER_OK},
    {0, 1, OTTER_OK},
    {1, 0, OTTER_E_BOOT_TOO_OLD},
    {1, 1, OTTER_E_BOOT_TOO_OLD},
    {0xFFFF, 0, OTTER_E_BOOT_TOO_OLD},
    {0, 2, OTTER_E_MANAGER_TOO_OLD},
    {0, 0xFFFF, OTTER_E_MANAGER_TOO_OLD},
    {1, 2, OTTER_E_BOOT_TOO_OLD}, /* boot comes first */
};

static void check_needs(struct world *world, const struct needs *row,
                        enum otter_program program)
{
    sample_next(&world->sample, 2, &world->next);
    world->next.package.boot_min = row->boot;
    world->next.package.manager_min = row->manager;
    sample_build(&world->next);
    enum otter_result answer = feed_to(world, program);

    if (answer != row->answer) {
        fail_msg("boot %u, manager %u to program %d: %04X", row->boot, row->manager,
                 (int)program, otter_code(answer));
    }
    if (row->answer != OTTER_OK) {
        assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
        assert_true(world_is_untouched(world, OTTER_REGION_SLOT_B));
        assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
    }
}

static void k6_a_package_is_taken_by_programs_that_are_new_enough_and_by_no_others(
    void **state)
{
    (void)state;
    assert_int_not_equal(otter_code(OTTER_E_BOOT_TOO_OLD),
                         otter_code(OTTER_E_MANAGER_TOO_OLD));
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        for (size_t k = 0; k < sizeof(needs) / sizeof(needs[0]); k++) {
            check_needs(world, &needs[k], OTTER_PROGRAM_AGENT);
            check_needs(world, &needs[k], OTTER_PROGRAM_MANAGER);
        }
        world_drop(world);
    }
}

/* A package of version 1.`minor`.0 with a manager of `version`. */
static void carry(struct world *world, uint8_t minor, uint16_t version)
{
    sample_next(&world->sample, minor, &world->next);
    sample_carry_manager(&world->sample, &world->next);
    world->next.members[1].version = version;
    sample_build(&world->next);
}

static void k6_an_older_manager_is_refused_as_a_member(void **state)
{
    static const struct {
        uint16_t version;
        enum otter_result answer;
    } rows[] = {{0, OTTER_E_MANAGER_OLDER}, {1, OTTER_OK}, {2, OTTER_OK}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
            carry(world, 2, rows[k].version);
            assert_int_equal(feed_to(world, OTTER_PROGRAM_AGENT), rows[k].answer);
            assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
        }
        world_drop(world);
    }
}

/* What the device has is the manager of the system that runs: a confirmed newer one
 * counts, one that went back with its system does not. */
static void check_manager_that_came(struct world *world, enum vdevice_app app)
{
    bool is_new = app == VDEVICE_CONFIRM;

    carry(world, 2, 2);
    assert_int_equal(world_update(world, app), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind,
                     is_new ? OTTER_OUTCOME_CONFIRMED : OTTER_OUTCOME_ROLLED_BACK);
    vdevice_power_off(&world->device);
    world_mark(world);
    carry(world, 3, 1);
    world->next.package.boot_min = 0;
    assert_int_equal(feed_to(world, OTTER_PROGRAM_AGENT),
                     is_new ? OTTER_E_MANAGER_OLDER : OTTER_OK);
    carry(world, 3, 2);
    world->next.package.manager_min = 2;
    sample_build(&world->next);
    assert_int_equal(feed_to(world, OTTER_PROGRAM_AGENT),
                     is_new ? OTTER_OK : OTTER_E_MANAGER_TOO_OLD);
}

static void k6_a_newer_manager_counts_from_its_confirm_on(void **state)
{
    static const enum vdevice_app apps[] = {VDEVICE_CONFIRM, VDEVICE_CRASH};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *world = world_make_small(kinds[i % 2], false);

        check_manager_that_came(world, apps[i / 2]);
        world_drop(world);
    }
}

/* --- extensions of the control packet --- */

static void add_extension(struct world *world, const struct host_extension *extension)
{
    sample_next(&world->sample, 2, &world->next);
    world->next.package.extensions = extension;
    world->next.package.extension_count = 1;
    sample_build(&world->next);
}

/* Both copies of the receipt hold the control packet to the byte, before and after the
 * manager has written one of them again. */
static void assert_receipt_is_whole(struct world *world, uint8_t slot)
{
    const uint8_t *control = world->next.bytes + CONTROL_OFF;
    size_t length = (size_t)control[6] | (size_t)control[7] << 8;

    for (uint8_t copy = 0; copy < 2; copy++) {
        uint32_t size = 0;
        uint32_t addr = world_receipt_addr(world, slot, copy, &size) + CONTROL_OFF;

        assert_memory_equal(vflash_peek(&world->device.flash, addr, (uint32_t)length),
                            control, length);
    }
}

static void k6_unknown_extensions_of_a_package_stay_in_its_receipt(void **state)
{
    static const struct host_extension unknown = {0x7ABC, 5, "newer"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);
        uint32_t size = 0;

        add_extension(world, &unknown);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_int_equal(world_state(world).current, 1);
        assert_receipt_is_whole(world, 1);
        vflash_flip(&world->device.flash, world_receipt_addr(world, 1, 0, &size) + 200,
                    3);
        world->device.wants_manager = true; /* it mends the copy */
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_receipt_is_whole(world, 1);
        world_drop(world);
    }
}

static void k6_an_unknown_critical_extension_refuses_the_package(void **state)
{
    static const struct host_extension unknown = {0x8000 | 0x7ABC, 5, "newer"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *world = world_make_small(kinds[i % 2], false);

        add_extension(world, &unknown);
        assert_int_equal(otter_code(feed_to(world, i / 2 == 0 ? OTTER_PROGRAM_AGENT
                                                              : OTTER_PROGRAM_MANAGER)),
                         CODE_CRITICAL);
        assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
        assert_true(world_is_untouched(world, OTTER_REGION_SLOT_B));
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            k6_a_package_is_taken_by_programs_that_are_new_enough_and_by_no_others),
        cmocka_unit_test(k6_an_older_manager_is_refused_as_a_member),
        cmocka_unit_test(k6_a_newer_manager_counts_from_its_confirm_on),
        cmocka_unit_test(k6_unknown_extensions_of_a_package_stay_in_its_receipt),
        cmocka_unit_test(k6_an_unknown_critical_extension_refuses_the_package),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
