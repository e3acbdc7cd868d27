/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole journal is lost, and what is installed has to tell which of two systems
 * came last; or no system is whole, and only the manager runs (K2). No package that
 * nobody requested takes the place of the system that runs, no counter goes down, and
 * the device takes the next package. Expected: K1, K2, K17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum {
    FEED = 200,
    PULLS = 11, /* a trial ends after ten */
};

static const struct otter_version older = {1, 0, 9, 0};

static void lose(struct world *world)
{
    vdevice_power_off(&world->device);
    world_erase(world, OTTER_REGION_JOURNAL);
}

/* Power is lost soon after each start, before a confirm. */
static void pull(struct world *world)
{
    struct vdevice *device = &world->device;

    device->hooks.on_start = NULL;
    device->app = VDEVICE_SILENT;
    device->hooks.idle = vdevice_stop_at_once;
    for (int i = 0; i < PULLS; i++) {
        (void)world_power_on(world);
        vdevice_power_off(device);
    }
    device->hooks.idle = NULL;
    device->app = VDEVICE_CONFIRM;
}

/* `next` is received, and nobody requests it; then the journal is lost. */
static void receive_and_lose(struct world *world)
{
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_OK);
    lose(world);
}

static void assert_runs(struct world *world, const struct sample_package *package,
                        uint8_t slot, uint32_t counter)
{
    struct otter_state state;

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_null(world->device.defect);
    assert_true(world_runs(world, package));
    state = world_state(world);
    assert_int_equal(state.current, slot);
    assert_int_equal(state.counter, counter);
    assert_false(otter_phase_locks_store(state.phase));
}

/* A package with a manager that the device has never seen is installed and runs. */
static void assert_can_be_updated(struct world *world)
{
    static struct sample_package other;

    sample_next(&world->sample, 5, &other);
    other.package.follows = (struct otter_version){0};
    sample_carry_manager(&world->sample, &other);
    other.manager[99] ^= 0x44;
    sample_build(&other);
    assert_true(world_takes(world, &other));
    assert_true(world_has_manager(world, other.manager));
}

/* ---- which came last ---- */

static void k2_the_lower_counter_went_before_whatever_the_versions_say(void **state)
{
    struct world *world = world_make_small(true, false);

    (void)state;
    world->next.package.version = older;
    world->next.package.counter = 3;
    receive_and_lose(world);
    pull(world);
    world_let_next_crash(world);
    assert_runs(world, &world->sample.first, 0, 1);
    assert_can_be_updated(world);
    world_drop(world);
}

/* The package that was received revokes the key of the system that runs, or brings a
 * table without it: it is the one that follows. */
static void k2_a_system_whose_key_the_other_one_revokes_went_before(void **state)
{
    (void)state;
    for (int rotates = 0; rotates < 2; rotates++) {
        struct world *world =
            rotates ? world_make_small(true, false) : world_make_revoking(true);

        if (rotates) {
            sample_rotate(&world->sample, &world->next);
        }
        world->next.package.version = older;
        world->next.package.counter = 1;
        receive_and_lose(world);
        world_let_next_crash(world);
        assert_runs(world, &world->sample.first, 0, 1);
        world_drop(world);
    }
}

/* Updates the device to `second`, which keeps the table. */
static void update_to(struct world *world, struct sample_package *second)
{
    sample_next(&world->sample, 3, second);
    second->package.counter = 1;
    sample_build(second);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_takes(world, second));
    assert_int_equal(world_state(world).current, 1);
    vdevice_power_off(&world->device);
}

/* The system that runs keeps the factory's table. An older version with a table of its
 * own is on trial; it cannot be what the other one followed. */
static void k2_a_system_that_keeps_a_table_which_the_other_one_has_not_followed_another(
    void **state)
{
    struct world *world = world_make_small(true, false);
    static struct sample_package second;
    uint32_t op = 0;

    (void)state;
    update_to(world, &second);
    world->next.package.version = older;
    world->next.package.counter = 1;
    world->next.table = world->sample.table;
    world->next.table.policy.trial_deadline_s = 99;
    sample_encode_table(&world->next);
    sample_build(&world->next);
    world_mark_update(world);
    do {
        assert_true(world_cut_at(world, op));
        op++;
    } while (world_state(world).phase != OTTER_PHASE_TRIAL);
    lose(world);
    world_let_next_crash(world);
    assert_runs(world, &second, 1, 1);
    assert_can_be_updated(world);
    world_drop(world);
}

/* What went before has its manager, or the copy of it. */
static void k2_a_system_with_neither_manager_nor_copy_has_never_run(void **state)
{
    struct world *world = world_make_small(true, false);

    (void)state;
    sample_carry_manager(&world->sample, &world->next);
    world->next.package.version = older;
    world->next.package.counter = 1;
    receive_and_lose(world);
    pull(world);
    world_let_next_crash(world);
    assert_runs(world, &world->sample.first, 0, 1);
    assert_can_be_updated(world);
    world_drop(world);
}

/* One slot, a package with the firmware that runs: no copy of it is saved yet. */
static void k2_on_one_slot_the_same_firmware_is_not_tried(void **state)
{
    (void)state;
    for (int rotates = 0; rotates < 2; rotates++) {
        struct world *world = world_make_small(false, false);

        if (rotates) { /* its table lies in the store alone */
            sample_rotate(&world->sample, &world->next);
        }
        memcpy(world->next.firmware, world->sample.first.firmware,
               SAMPLE_FIRMWARE_SIZE);
        receive_and_lose(world);
        pull(world);
        assert_runs(world, &world->sample.first, rotates ? 0 : 1, rotates ? 1 : 2);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
        world_drop(world);
    }
}

/* A word of the first copy of the receipt flips while the journal is rebuilt. */
static struct {
    uint32_t first;
    uint32_t end;
    uint32_t at;
    uint32_t count;
} flip;

static void flip_hash(void *context, uint32_t addr, size_t size)
{
    struct vdevice *device = context;
    uint32_t struck = addr + (uint32_t)(size / 4 * 3);

    if (struck < flip.first || struck >= flip.end) {
        return;
    }
    if (flip.count == flip.at) {
        vflash_flip(&device->flash, struck, struck % 8);
    }
    flip.count++;
}

static void k2_a_receipt_that_changes_while_it_is_read_gives_way_to_its_copy(
    void **state)
{
    struct world *world = world_make_small(false, false);
    uint32_t size;

    (void)state;
    flip.first = world_receipt_addr(world, 0, 0, &size);
    flip.end = flip.first + size;
    flip.at = 0;
    do {
        world_back(world);
        world_erase(world, OTTER_REGION_JOURNAL);
        flip.count = 0;
        world->device.flash.hooks.context = &world->device;
        world->device.flash.hooks.on_read = flip_hash;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        world->device.flash.hooks.on_read = NULL;
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_int_equal(world_state(world).counter, 1);
        flip.at++;
    } while (flip.count >= flip.at);
    assert_true(flip.at > 50);
    world_drop(world);
}

/* ---- no system is whole ---- */

/* What the manager is given while the application is half written. */
static void carry(struct world *world, bool has_regions, struct sample_package *other)
{
    sample_next(&world->sample, 4, other);
    sample_carry_manager(&world->sample, other);
    if (has_regions) {
        sample_carry_regions(other);
    }
    sample_build(other);
}

/* The journal is lost at any operation of an update that raises the counter and keeps
 * the manager. Where only the manager runs then it takes another package, which brings
 * a manager; and the plug is pulled. */
static void check_half(bool has_regions)
{
    struct world *world =
        has_regions ? world_make_full(false) : world_make_small(false, false);
    static struct sample_package other;
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_OK;
    uint32_t waits = 0;

    carry(world, has_regions, &other);
    device->app = VDEVICE_CRASH;
    world_mark_update(world);
    for (uint32_t op = 0; world_cut_at(world, op); op++) {
        lose(world);
        (void)world_power_on(world);
        if (device->program != OTTER_PROGRAM_MANAGER) {
            continue;
        }
        waits++;
        (void)vdevice_feed(device, other.bytes, other.size, FEED, &result);
        assert_int_equal(result, OTTER_OK);
        vdevice_power_off(device);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(device->program, OTTER_PROGRAM_MANAGER);
    }
    assert_true(waits > 40);
    world_drop(world);
}

static void k2_no_counter_takes_the_managers_receipt_away(void **state)
{
    (void)state;
    check_half(false);
    check_half(true);
}

static void k2_a_half_written_application_and_a_new_table_leave_the_manager(
    void **state)
{
    struct world *world = world_make_small(false, false);
    uint32_t waits = 0;

    (void)state;
    sample_rotate(&world->sample, &world->next);
    sample_build(&world->next);
    world_mark_update(world);
    for (uint32_t op = 0; world_cut_at(world, op); op++) {
        lose(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        waits += world->device.program == OTTER_PROGRAM_MANAGER;
    }
    assert_true(waits > 40);
    world_drop(world);
}

/* Both receipts name the manager: which system was confirmed nobody knows. A package
 * that the old one would have taken is taken. */
static void check_counter(uint8_t current)
{
    struct world *world = world_make_small(false, false);
    static struct sample_package second;
    static struct sample_package other;
    enum otter_result result = OTTER_OK;
    uint32_t waits = 0;

    if (current == 1) {
        update_to(world, &second);
    }
    sample_next(&world->sample, 4, &world->next);
    world->next.package.counter = 2;
    sample_build(&world->next);
    sample_next(&world->sample, 5, &other);
    other.package.counter = 1;
    sample_build(&other);
    world_mark_update(world);
    for (uint32_t op = 0; world_cut_at(world, op); op++) {
        lose(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        if (world->device.program != OTTER_PROGRAM_MANAGER) {
            continue;
        }
        waits++;
        (void)vdevice_feed(&world->device, other.bytes, other.size, FEED, &result);
        assert_int_equal(result, OTTER_OK);
    }
    assert_true(waits > 40);
    world_drop(world);
}

static void k17_no_counter_goes_up_that_nobody_confirmed(void **state)
{
    (void)state;
    check_counter(0);
    check_counter(1);
}

/* ---- a card ---- */

/* The application is half written; the package lies on the card. */
static void k2_a_device_with_a_card_finds_its_package_without_a_journal(void **state)
{
    struct world *world = world_make_on_card(false, false);
    uint32_t ops = 0;

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    vdevice_power_off(&world->device);
    world_mark(world);
    for (; world_cut_at(world, ops); ops++) {
        lose(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_null(world->device.defect);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    }
    assert_true(ops > 50);
    world_drop(world);
}

/* A journal that takes nothing either: the manager waits, and does not try for ever. */
static void k2_a_dead_journal_makes_it_wait(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    lose(world);
    world_damage(world, OTTER_REGION_APPLICATION);
    world_set_journal_bad(world, WORLD_ALL_SECTORS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_true(world->device.flash.op < 10);
        vdevice_power_off(&world->device);
    }
    world_set_journal_bad(world, 0);
    world_drop(world);
}

/* ---- what nothing proves: RELIABILITY says so ---- */

/* Of equal counters, keys, tables and managers the version decides. An older one, or
 * the same, was received; the one that runs is on trial, and the other one follows if
 * that does not pass. */
static void k2_the_version_may_deceive(void **state)
{
    const struct otter_version versions[] = {older, {1, 1, 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct world *world = world_make_small(true, false);

        world->next.package.version = versions[i];
        world->next.package.counter = 1;
        receive_and_lose(world);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
        pull(world);
        assert_runs(world, &world->next, 1, 1);
        world_drop(world);
    }
}

/* A newer one needs no request to be tried, if it keeps the manager. */
static void k2_a_newer_version_that_was_received_is_tried(void **state)
{
    struct world *world = world_make_small(true, false);

    (void)state;
    receive_and_lose(world);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_runs(world, &world->next, 1, 2);
    world_drop(world);
}

/* The manager of the package that was received is the one before, whose copy is still
 * in staging. */
static void k2_so_may_a_copy_of_the_manager(void **state)
{
    struct world *world = world_make_small(true, false);
    static struct sample_package back;
    enum otter_result result = OTTER_OK;

    (void)state;
    sample_carry_manager(&world->sample, &world->next);
    world->next.package.counter = 1;
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    sample_next(&world->sample, 3, &back);
    back.package.follows = (struct otter_version){0};
    back.package.counter = 1;
    sample_carry_manager(&world->sample, &back);
    memcpy(back.manager, world->sample.manager, SAMPLE_MANAGER_SIZE);
    sample_build(&back);
    assert_int_equal(vdevice_feed(&world->device, back.bytes, back.size, FEED, &result),
                     VDEVICE_IDLE);
    assert_int_equal(result, OTTER_OK);
    lose(world);
    pull(world);
    assert_runs(world, &back, 0, 1);
    assert_true(world_has_manager(world, back.manager));
    assert_can_be_updated(world);
    world_drop(world);
}

/* Two slots, a font in place; the package is complete, and nobody has requested it.
 * With one slot the manager runs. */
static void check_in_place(bool is_ab, bool is_compatible)
{
    struct world *world = world_make_full(is_ab);

    memcpy(world->next.resources, world->sample.first.resources, SAMPLE_RESOURCES_SIZE);
    sample_put_in_place(&world->next, is_compatible);
    sample_build(&world->next);
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    lose(world);
    world->device.wants_manager = false;
    if (is_ab) {
        assert_runs(world, &world->next, 1, 2);
    } else {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    }
    world_drop(world);
}

static void k2_a_member_in_place_leaves_the_new_system_alone_whole(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        check_in_place(i % 2 == 0, i / 2 == 0);
    }
}

/* The journal is lost while files are unpacked: the system that runs may have files of
 * both. The same package, once more, brings all that it names. */
static void k20_files_are_not_looked_at(void **state)
{
    struct world *world = world_make_with_files();
    uint32_t mixed = 0;

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    vdevice_power_off(&world->device);
    world_mark(world);
    for (uint32_t op = 0; world_cut_at(world, op); op++) {
        lose(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        if (world->device.program != OTTER_PROGRAM_AGENT ||
            world_has_files(world, world_runs(world, &world->next))) {
            continue;
        }
        mixed++;
        assert_int_equal(world_install(world), OTTER_OK);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        assert_true(world_runs(world, &world->next));
        assert_true(
            tree_is_on(&world->card, &world->next.tree, &(const struct tree){0}));
    }
    assert_true(mixed > 0);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k2_the_lower_counter_went_before_whatever_the_versions_say),
        cmocka_unit_test(k2_a_system_whose_key_the_other_one_revokes_went_before),
        cmocka_unit_test(
            k2_a_system_that_keeps_a_table_which_the_other_one_has_not_followed_another),
        cmocka_unit_test(k2_a_system_with_neither_manager_nor_copy_has_never_run),
        cmocka_unit_test(k2_on_one_slot_the_same_firmware_is_not_tried),
        cmocka_unit_test(
            k2_a_receipt_that_changes_while_it_is_read_gives_way_to_its_copy),
        cmocka_unit_test(k2_no_counter_takes_the_managers_receipt_away),
        cmocka_unit_test(
            k2_a_half_written_application_and_a_new_table_leave_the_manager),
        cmocka_unit_test(k17_no_counter_goes_up_that_nobody_confirmed),
        cmocka_unit_test(k2_a_device_with_a_card_finds_its_package_without_a_journal),
        cmocka_unit_test(k2_a_dead_journal_makes_it_wait),
        cmocka_unit_test(k2_the_version_may_deceive),
        cmocka_unit_test(k2_a_newer_version_that_was_received_is_tried),
        cmocka_unit_test(k2_so_may_a_copy_of_the_manager),
        cmocka_unit_test(k2_a_member_in_place_leaves_the_new_system_alone_whole),
        cmocka_unit_test(k20_files_are_not_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
