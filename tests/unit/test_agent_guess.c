/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal is lost between boot's last look and the agent's first: the agent cannot
 * know which system boot runs, and why, and what it rebuilds from the receipts is a
 * guess. Expected (SPEC, "Who writes what"): it opens no region, so it writes nothing,
 * and says 27-11 to whoever wants that; boot, which decides by itself, rebuilds the
 * state for good at the next power-on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

static uint32_t ops_at_start; /* of the flash, when boot jumped to the application */

static void lose_journal(void *context)
{
    struct world *world = context;

    world_erase(world, OTTER_REGION_JOURNAL);
    ops_at_start = world->device.flash.op;
}

static void start_guessing(struct world *world)
{
    struct vdevice *device = &world->device;

    device->hooks.context = world;
    device->hooks.on_start = lose_journal;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    device->hooks.on_start = NULL;
    assert_int_equal(device->program, OTTER_PROGRAM_AGENT);
    assert_true(device->agent.device.journal.is_lost);
    assert_int_equal(device->agent.device.io.open_regions, 0);
}

static void assert_writes_nothing(const struct world *world)
{
    assert_null(world->device.defect);
    assert_int_equal(world->device.flash.op, ops_at_start);
}

/* Whatever comes over a link is refused; the next power-on ends it. */
static void check_link(struct world *world)
{
    start_guessing(world);
    assert_int_equal(world_feed(world), OTTER_E_JOURNAL_SECTORS);
    assert_int_equal(world_request(world), OTTER_E_JOURNAL_SECTORS);
    assert_int_equal(otter_receive_forget(&world->device.agent.receive),
                     OTTER_E_JOURNAL_SECTORS);
    assert_writes_nothing(world);
    vdevice_power_off(&world->device);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_false(world->device.agent.device.journal.is_lost);
}

static void k23_an_agent_that_has_to_guess_writes_nothing(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = world_make_small(is_ab == 1, false);

        world->device.app = VDEVICE_CONFIRM;
        check_link(world);
        assert_true(world_takes(world, &world->next));
        world_drop(world);
    }
}

/* Neither does it confirm what boot tries, or what it takes for a trial. */
static void k23_nor_does_it_in_a_trial(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = world_make_small(is_ab == 1, false);

        world_mark_update(world);
        world_cut_until(world, world_is_trial);
        world->device.app = VDEVICE_CONFIRM;
        check_link(world);
        world_drop(world);
    }
}

static bool is_confirmed_with_its_table(const struct otter_state *state)
{
    return state->phase == OTTER_PHASE_CONFIRMED &&
           (state->flags & OTTER_FLAG_NEW_TABLE) != 0;
}

/* Of a new flash table there is one copy: the second one waits for a journal. */
static void k23_nor_does_it_mend_the_table(void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    world->device.app = VDEVICE_CONFIRM;
    sample_rotate(&world->sample, &world->next);
    sample_build(&world->next);
    world_mark_update(world);
    world_cut_until(world, is_confirmed_with_its_table);
    start_guessing(world);
    assert_true(otter_table_is_split(&world->device.agent.device));
    assert_writes_nothing(world);
    vdevice_power_off(&world->device);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->next));
    world_drop(world);
}

static void k23_nor_does_it_install_from_a_card(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    start_guessing(world);
    assert_int_equal(world_install(world), OTTER_E_JOURNAL_SECTORS);
    assert_writes_nothing(world);
    vdevice_power_off(&world->device);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k23_an_agent_that_has_to_guess_writes_nothing),
        cmocka_unit_test(k23_nor_does_it_in_a_trial),
        cmocka_unit_test(k23_nor_does_it_mend_the_table),
        cmocka_unit_test(k23_nor_does_it_install_from_a_card),
    };

    return cmocka_run_group_tests_name("agent guess", tests, NULL, NULL);
}
