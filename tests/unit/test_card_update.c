/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates from a card, from the agent's check to the confirm, and the way back: the
 * real programs on a virtual flash and a virtual card.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <stdlib.h>

/* A small device; with ECC; with resources and a font; the profile "sd". */
enum { DEVICES = 4 };

static struct world *on(int device)
{
    struct world *world =
        device == 3 ? world_make_sd() : world_make_on_card(device == 1, device == 2);

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    return world;
}

static void a_package_on_the_card_is_installed_and_confirmed(void **state)
{
    (void)state;
    for (int device = 0; device < DEVICES; device++) {
        struct world *world = on(device);

        world->device.app = VDEVICE_CONFIRM;
        assert_int_equal(world_install(world), OTTER_OK);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        struct otter_state now = world_state(world);

        assert_int_equal(now.phase, OTTER_PHASE_CONFIRMED);
        assert_int_equal(now.outcome.kind, OTTER_OUTCOME_CONFIRMED);
        assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
        assert_false(vcard_has(&world->card, "otter/pointer.0"));
        assert_false(vcard_has(&world->card, "otter/pointer.1"));
        assert_false(vcard_has(&world->card, "otter/saved6.bin"));
        assert_false(vcard_has(&world->card, "otter/saved9.bin"));
        assert_false(vcard_has(&world->card, "otter/saved10.bin"));
        assert_true(vcard_has(&world->card, WORLD_PATH));
        world_drop(world);
    }
}

static void k15_the_manager_brings_the_old_system_back_from_the_card(void **state)
{
    static const enum vdevice_app apps[] = {VDEVICE_CRASH, VDEVICE_SILENT,
                                            VDEVICE_HANG};

    (void)state;
    for (int i = 0; i < DEVICES * 3; i++) {
        struct world *world = on(i / 3);

        world->device.app = apps[i % 3];
        assert_int_equal(world_install(world), OTTER_OK);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        struct otter_state now = world_state(world);

        assert_int_equal(now.phase, OTTER_PHASE_ROLLED_BACK);
        assert_int_equal(now.outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
        assert_int_equal(now.outcome.code, otter_code(OTTER_E_TRIAL_FAULTS));
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_true(world_is_untouched(world, OTTER_REGION_RESOURCES));
        assert_true(world_is_untouched(world, OTTER_REGION_FONT));
        world_drop(world);
    }
}

static void a_rolled_back_package_can_be_installed_again(void **state)
{
    struct world *world = on(0);

    (void)state;
    world->device.app = VDEVICE_CRASH;
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    world_drop(world);
}

/* Power went off after the confirm, before the agent had removed the copy; and when it
 * comes back the application asks for the next update at once. */
static void what_an_update_left_on_the_card_is_no_reason_to_refuse_the_next(
    void **state)
{
    enum { LEFT = 61900 }; /* of 65,536 bytes */
    struct world *world = world_make_on_card(false, false);
    uint8_t *left = calloc(1, LEFT);

    (void)state;
    assert_non_null(left);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    vcard_provision(&world->card, "otter/saved6.bin", left, LEFT);
    world->device.agent.tidied = 0; /* as at its start */
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    free(left);
    world_drop(world);
}

static void k15_a_package_with_a_manager_is_refused(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    sample_carry_manager(&world->sample, &world->next);
    sample_build(&world->next);
    vcard_provision(&world->card, WORLD_PATH, world->next.bytes,
                    (uint32_t)world->next.size);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_E_STRATEGY);
    assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
    world_drop(world);
}

/* A device that has neither card nor file system has no door there. */
static void without_a_files_port_the_door_answers_that_there_is_no_card(void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_E_CARD_NONE);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_package_on_the_card_is_installed_and_confirmed),
        cmocka_unit_test(k15_the_manager_brings_the_old_system_back_from_the_card),
        cmocka_unit_test(a_rolled_back_package_can_be_installed_again),
        cmocka_unit_test(
            what_an_update_left_on_the_card_is_no_reason_to_refuse_the_next),
        cmocka_unit_test(k15_a_package_with_a_manager_is_refused),
        cmocka_unit_test(without_a_files_port_the_door_answers_that_there_is_no_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
