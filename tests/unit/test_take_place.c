/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two slots: the application is damaged at rest, and the other system takes its place,
 * or does not (K18). Whatever happens, the device takes the next package, also one with
 * a manager; so the manager that stands is vouched for by a receipt that stays (K1,
 * K15).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum { OPS = 48, CHUNK = 200 };

static void set_programs(struct world *world, enum vdevice_app app)
{
    world->device.app = app;
    world->device.app_old = app;
    world->device.app_manager = VDEVICE_CONFIRM;
}

/* `next` brings a manager if `carries`. */
static struct world *make(bool carries)
{
    struct world *world = world_make_small(true, false);

    if (carries) {
        sample_carry_manager(&world->sample, &world->next);
    }
    world->next.package.counter = 1;
    sample_build(&world->next);
    return world;
}

static void install(struct world *world, struct sample_package *package)
{
    sample_build(package);
    assert_true(world_takes(world, package));
}

/* The manager replaces itself only while an application is whole [34-11], so what it is
 * sent first keeps it. Then a package brings a third manager. */
static void assert_takes_a_manager(struct world *world)
{
    static struct sample_package package;

    set_programs(world, VDEVICE_CONFIRM);
    if (world->device.program == OTTER_PROGRAM_MANAGER) {
        world_next(world, 4, &package);
        install(world, &package);
    }
    world_next(world, 5, &package);
    sample_carry_manager(&world->sample, &package);
    package.manager[99] ^= 0x44;
    install(world, &package);
    assert_true(world_has_manager(world, package.manager));
}

static void assert_manager_waits(struct world *world)
{
    assert_null(world->device.defect);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(OTTER_E_BOOT_APPLICATION));
}

/* ---- after an update that was confirmed ---- */

/* `next` runs in slot B, with a manager of its own; then a bit of it flips. Marked. */
static void confirm_and_strike(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->next));
    assert_true(world_has_manager(world, world->next.manager));
    vdevice_power_off(&world->device);
    world_damage(world, OTTER_REGION_SLOT_B);
    world_mark(world);
}

/* The old system runs, with its manager, and says why. */
static void assert_is_back(struct world *world)
{
    struct otter_state state = world_state(world);

    assert_null(world->device.defect);
    assert_true(world_runs(world, &world->sample.first));
    assert_true(world_has_manager(world, world->sample.manager));
    assert_int_equal(state.current, 0);
    assert_int_equal(state.flags, 0);
    assert_int_equal(state.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_DAMAGED);
    assert_int_equal(state.outcome.code, otter_code(OTTER_E_BOOT_APPLICATION));
}

static void k15_the_other_system_takes_its_manager_back(void **state)
{
    static const enum vflash_fault_kind kinds[] = {VFLASH_CUT_BEFORE, VFLASH_CUT_AFTER,
                                                   VFLASH_TORN, VFLASH_FAIL};
    struct world *world = make(true);

    (void)state;
    confirm_and_strike(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world->device.flash.op > 10);
    assert_true(world->device.flash.op < OPS); /* each of them is struck below */
    vdevice_power_off(&world->device);
    for (uint32_t op = 0; op < OPS; op++) {
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
            (void)world_fault_at(world, kinds[i], op);
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_is_back(world);
        }
    }
    assert_takes_a_manager(world);
    world_drop(world);
}

/* Both lie in staging and on the chip under the keys that each needs. */
static void k26_the_copy_of_an_encrypted_systems_manager_comes_back(void **state)
{
    struct world *world = world_make_small(true, false);
    struct sample *sample = &world->sample;

    (void)state;
    sample_encrypt_first(sample);
    vdevice_destroy(&world->device);
    sample_device(sample, false, &world->device);
    sample_next(sample, 2, &world->next);
    sample_carry_manager(sample, &world->next);
    world->next.package.counter = 1;
    sample_encrypt(sample, &world->next);
    sample_build(&world->next);
    confirm_and_strike(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_is_back(world);
    assert_takes_a_manager(world);
    world_drop(world);
}

/* Cut at any operation, then no record can be written, then records can. */
static void k15_a_journal_that_takes_no_record_loses_nothing(void **state)
{
    struct world *world = make(true);

    (void)state;
    confirm_and_strike(world);
    for (uint32_t op = 0; op < OPS; op++) {
        (void)world_cut_at(world, op);
        world_set_journal_bad(world, WORLD_ALL_SECTORS);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_int_not_equal(world->device.program, OTTER_PROGRAM_BOOT);
            vdevice_power_off(&world->device);
        }
        world_set_journal_bad(world, 0);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_is_back(world);
        vdevice_power_off(&world->device);
    }
    world_drop(world);
}

static void k2_nor_does_one_that_is_lost(void **state)
{
    struct world *world = make(true);

    (void)state;
    confirm_and_strike(world);
    for (uint32_t op = 0; op < OPS; op++) {
        (void)world_cut_at(world, op);
        world_erase(world, OTTER_REGION_JOURNAL);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_runs(world, &world->sample.first));
        assert_true(world_has_manager(world, world->sample.manager));
        vdevice_power_off(&world->device);
    }
    world_drop(world);
}

/* Two damages: no manager of its own could come back. */
static void k15_without_a_copy_the_manager_waits(void **state)
{
    struct world *world = make(true);
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);

    (void)state;
    confirm_and_strike(world);
    vflash_flip(&world->device.flash, staging->addr + staging->size - 1000, 1);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_manager_waits(world);
    assert_true(world_has_manager(world, world->next.manager));
    world_drop(world);
}

/* ---- the other system was never confirmed ---- */

static void receive(struct world *world)
{
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_OK);
}

static void receive_and_forget(struct world *world)
{
    struct otter_receive *forgotten = &world->device.agent.receive;

    receive(world);
    assert_int_equal(otter_receive_forget(forgotten), OTTER_OK);
    while (otter_receive_is_busy(forgotten)) {
        assert_int_equal(otter_receive_step(forgotten), OTTER_OK);
    }
}

static void receive_and_lose_the_journal(struct world *world)
{
    receive(world);
    vdevice_power_off(&world->device);
    world_erase(world, OTTER_REGION_JOURNAL);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REBUILT);
}

static void fail_its_trial(struct world *world)
{
    (void)world_update(world, VDEVICE_CRASH);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
}

/* The one that failed is not the one that lies there now. */
static void receive_after_a_failed_trial(struct world *world)
{
    fail_its_trial(world);
    sample_next(&world->sample, 3, &world->next);
    world->next.package.counter = 1;
    sample_build(&world->next);
    assert_int_equal(world_feed(world), OTTER_OK);
}

static void fail_to_start_its_manager(struct world *world)
{
    world->device.app_manager = VDEVICE_CRASH;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
}

static void strike_first(struct world *world)
{
    assert_true(world_runs(world, &world->sample.first));
    vdevice_power_off(&world->device);
    world_damage(world, OTTER_REGION_APPLICATION);
    set_programs(world, VDEVICE_CONFIRM);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
}

static void check_waits(bool carries, void (*come)(struct world *))
{
    struct world *world = make(carries);

    come(world);
    strike_first(world);
    assert_manager_waits(world);
    assert_true(world_has_manager(world, world->sample.manager));
    assert_takes_a_manager(world);
    world_drop(world);
}

static void k16_a_system_that_never_ran_or_has_failed_takes_no_place(void **state)
{
    static void (*const comes[])(struct world *) = {
        receive, receive_and_forget, receive_after_a_failed_trial, fail_its_trial};

    (void)state;
    for (size_t i = 0; i < sizeof(comes) / sizeof(comes[0]); i++) {
        check_waits(true, comes[i]);
        check_waits(false, comes[i]);
    }
}

static void k15_nor_does_one_whose_manager_was_never_confirmed(void **state)
{
    (void)state;
    check_waits(true, receive_and_lose_the_journal);
    check_waits(true, fail_to_start_its_manager);
}

/* ---- it was, but what says so is gone ---- */

static void refuse_another_product(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    world_next(world, 4, &world->next);
    world->next.package.target ^= 1;
    sample_build(&world->next);
    assert_int_equal(world_feed(world), OTTER_E_TARGET);
}

static void confirm_and_lose_the_journal(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    vdevice_power_off(&world->device);
    world_erase(world, OTTER_REGION_JOURNAL);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
}

static void update_without_a_hash(struct world *world)
{
    struct otter_receive *receiving = &world->device.agent.receive;
    struct otter_chunk chunk = {.total = (uint32_t)world->next.size};

    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    while (!otter_receive_is_complete(receiving)) {
        chunk.data = world->next.bytes + chunk.off;
        chunk.size =
            world->next.size - chunk.off < CHUNK ? world->next.size - chunk.off : CHUNK;
        assert_int_equal(otter_receive_offer(receiving, &chunk), OTTER_OK);
        while (otter_receive_is_busy(receiving)) {
            assert_int_equal(otter_receive_step(receiving), OTTER_OK);
        }
        chunk.off += (uint32_t)chunk.size;
    }
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
}

/* No more is promised (docs/RELIABILITY.md): the manager waits, and takes the next. */
static void k16_nor_does_one_that_is_not_known_any_more(void **state)
{
    static void (*const comes[])(struct world *) = {
        refuse_another_product, confirm_and_lose_the_journal, update_without_a_hash};

    (void)state;
    for (size_t i = 0; i < sizeof(comes) / sizeof(comes[0]); i++) {
        struct world *world = make(false);

        comes[i](world);
        vdevice_power_off(&world->device);
        assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
        world_damage(world, OTTER_REGION_SLOT_B);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_manager_waits(world);
        assert_takes_a_manager(world);
        world_drop(world);
    }
}

/* It lies where the system before the one that runs was. */
static void k16_nor_does_one_that_was_forgotten_after_an_update(void **state)
{
    struct world *world = make(false);

    (void)state;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    world_next(world, 4, &world->next);
    sample_build(&world->next);
    receive_and_forget(world);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    vdevice_power_off(&world->device);
    world_damage(world, OTTER_REGION_SLOT_B);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_manager_waits(world);
    assert_takes_a_manager(world);
    world_drop(world);
}

/* Somebody has to ask for it: then it is on trial, as ever. */
static void k18_the_manager_installs_what_was_received(void **state)
{
    struct world *world = make(false);

    (void)state;
    receive(world);
    strike_first(world);
    assert_manager_waits(world);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->next));
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_takes_a_manager(world);
    world_drop(world);
}

/* No manager stands that anything could take away: what is whole runs. */
static void k18_without_a_manager_any_system_that_verifies_runs(void **state)
{
    struct world *world = make(true);

    (void)state;
    receive(world);
    vdevice_power_off(&world->device);
    world_damage(world, OTTER_REGION_MANAGER);
    world_damage(world, OTTER_REGION_APPLICATION);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->next));
    world_drop(world);
}

/* A member in place has closed the application; its package is complete, and the system
 * that it makes is whole. */
static void k13_nor_does_one_that_is_closed_stop_it(void **state)
{
    struct world *world = world_make_full(true);

    (void)state;
    sample_put_in_place(&world->next, false);
    memcpy(world->next.resources, world->sample.first.resources, SAMPLE_RESOURCES_SIZE);
    world->next.package.counter = 1;
    sample_build(&world->next);
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    vdevice_power_off(&world->device);
    world_damage(world, OTTER_REGION_MANAGER);
    world->device.wants_manager = false;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_runs(world, &world->next));
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k15_the_other_system_takes_its_manager_back),
        cmocka_unit_test(k26_the_copy_of_an_encrypted_systems_manager_comes_back),
        cmocka_unit_test(k15_a_journal_that_takes_no_record_loses_nothing),
        cmocka_unit_test(k2_nor_does_one_that_is_lost),
        cmocka_unit_test(k15_without_a_copy_the_manager_waits),
        cmocka_unit_test(k16_a_system_that_never_ran_or_has_failed_takes_no_place),
        cmocka_unit_test(k15_nor_does_one_whose_manager_was_never_confirmed),
        cmocka_unit_test(k16_nor_does_one_that_is_not_known_any_more),
        cmocka_unit_test(k16_nor_does_one_that_was_forgotten_after_an_update),
        cmocka_unit_test(k18_the_manager_installs_what_was_received),
        cmocka_unit_test(k18_without_a_manager_any_system_that_verifies_runs),
        cmocka_unit_test(k13_nor_does_one_that_is_closed_stop_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
