/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources and fonts: installed, confirmed and rolled back together with the firmware,
 * on one slot and on two; what is kept, missing or damaged. Expected places follow from
 * docs/SPEC.md, "Staging", and the sizes in sample.h; the power-cut sweep has the cuts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum { SECTOR = 512 };

static const bool kinds[] = {false, true}; /* single, A/B */

static bool has(struct world *world, uint8_t id, const uint8_t *bytes, uint32_t size)
{
    return memcmp(
               vflash_peek(&world->device.flash, world_region(world, id)->addr, size),
               bytes, size) == 0;
}

/* The device runs that package's system, all of it. */
static bool runs_all_of(struct world *world, const struct sample_package *package)
{
    return world->device.program == OTTER_PROGRAM_AGENT &&
           world_holds(world, world->device.region, package) &&
           has(world, OTTER_REGION_RESOURCES, package->resources,
               SAMPLE_RESOURCES_SIZE) &&
           has(world, OTTER_REGION_FONT, package->font, SAMPLE_FONT_SIZE);
}

static void assert_outcome(struct world *world, uint8_t phase, uint8_t kind,
                           uint16_t code)
{
    struct otter_state found = world_state(world);

    assert_int_equal(found.phase, phase);
    assert_int_equal(found.outcome.kind, kind);
    assert_int_equal(found.outcome.code, code);
}

/* --- damage at a moment --- */

static struct {
    struct world *world;
    uint8_t kind;
    uint8_t stage;
    int count; /* of such moments at which to strike */
    void (*strike)(struct world *world);
} watch;

static void on_event(void *context, enum otter_program program,
                     const struct otter_event *event)
{
    (void)context;
    (void)program;
    if (watch.count > 0 && event->kind == watch.kind && event->stage == watch.stage &&
        event->percent == 0) {
        watch.count--;
        watch.strike(watch.world);
    }
}

static void strike_at(struct world *world, uint8_t kind, uint8_t stage,
                      void (*strike)(struct world *world))
{
    watch.world = world;
    watch.kind = kind;
    watch.stage = stage;
    watch.count = 1;
    watch.strike = strike;
    world->device.hooks.on_event = on_event;
}

static void damage_font(struct world *world)
{
    world_damage(world, OTTER_REGION_FONT);
}

static void damage_manager(struct world *world)
{
    world_damage(world, OTTER_REGION_MANAGER);
}

/* The lowest copy is the font's: 702 bytes, two sectors; above it the resources', one,
 * the manager's, two, and on one slot the application's, four. */
static uint32_t saved_font(struct world *world)
{
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    bool is_ab = world_region(world, OTTER_REGION_SLOT_B) != NULL;
    uint32_t sectors = 2 + 1 + 2 + (is_ab ? 0 : 4);

    return staging->addr + staging->size - sectors * SECTOR;
}

static void damage_saved_font(struct world *world)
{
    vflash_flip(&world->device.flash, saved_font(world) + 9, 1);
}

static void kill_saved_font(struct world *world)
{
    vflash_kill_word(&world->device.flash, saved_font(world) + 8);
}

/* --- the way of an update --- */

static void p1_firmware_resources_and_font_come_and_go_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        assert_outcome(world, OTTER_PHASE_ROLLED_BACK, OTTER_OUTCOME_ROLLED_BACK,
                       31 * 256 + 10);
        assert_true(runs_all_of(world, &world->sample.first));
        assert_int_equal(world_state(world).flags, 0);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_outcome(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_CONFIRMED, 0);
        assert_true(runs_all_of(world, &world->next));
        assert_int_equal(world_state(world).flags, 0);
        world_drop(world);
    }
}

/* Erases of these regions are counted like those of the others, in two updates. */
static void p10_erases_of_the_regions_are_counted(void **state)
{
    struct otter_device view;
    struct world *world = world_make_full(false);

    (void)state;
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    assert_int_equal(view.io.erases[OTTER_REGION_RESOURCES], 2); /* written, restored */
    assert_int_equal(view.io.erases[OTTER_REGION_FONT], 4);
    world_drop(world);
}

/* --- what one system has and the other has not --- */

static void k13_a_first_font_needs_no_way_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        sample_carry_regions(&world->next);
        sample_build(&world->next);
        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        assert_outcome(world, OTTER_PHASE_ROLLED_BACK, OTTER_OUTCOME_ROLLED_BACK,
                       31 * 256 + 10);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        /* what is left there counts for nothing */
        assert_true(has(world, OTTER_REGION_FONT, world->next.font, SAMPLE_FONT_SIZE));
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_true(runs_all_of(world, &world->next));
        world_drop(world);
    }
}

static void k13_a_system_without_a_font_leaves_the_old_one_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        sample_next(&world->sample, 2, &world->next);
        sample_build(&world->next);
        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        assert_true(runs_all_of(world, &world->sample.first));
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_true(world_holds(world, world->device.region, &world->next));
        assert_true(world_is_untouched(world, OTTER_REGION_FONT));
        assert_true(world_is_untouched(world, OTTER_REGION_RESOURCES));
        world_drop(world);
    }
}

/* Keeps the first system's font, and carries new resources. */
static void keep_font(struct world *world)
{
    world->next.members[4].flags = OTTER_MEMBER_KEPT;
    world->next.members[4].image =
        (struct host_image){world->sample.first.font, SAMPLE_FONT_SIZE};
    sample_build(&world->next);
}

static void k8_a_font_that_is_kept_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        keep_font(world);
        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        assert_true(runs_all_of(world, &world->sample.first));
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_true(world_holds(world, world->device.region, &world->next));
        assert_true(has(world, OTTER_REGION_RESOURCES, world->next.resources,
                        SAMPLE_RESOURCES_SIZE));
        assert_true(world_is_untouched(world, OTTER_REGION_FONT));
        world_drop(world);
    }
}

static void k8_a_font_that_is_kept_and_damaged_is_refused_before_its_transfer(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        keep_font(world);
        damage_font(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_feed(world), OTTER_E_KEPT);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        assert_outcome(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_REFUSED,
                       23 * 256 + 18);
        assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
        assert_true(world_is_untouched(world, OTTER_REGION_RESOURCES));
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        world_drop(world);
    }
}

/* Stage 9 looks once more, before anything is written. */
static void k8_a_font_that_is_damaged_after_the_transfer_is_no_kept_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        keep_font(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_feed(world), OTTER_OK);
        damage_font(world);
        assert_int_equal(world_request(world), OTTER_OK);
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        assert_outcome(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED,
                       23 * 256 + 18);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        assert_true(world_is_untouched(world, OTTER_REGION_RESOURCES));
        world_drop(world);
    }
}

/* The same of one that cannot be read; how far, the code says: the resources before it
 * were read whole, or 512 of its 702 bytes. */
static void k8_a_font_that_dies_after_the_transfer_is_no_kept_one(void **state)
{
    static const struct {
        uint32_t off;
        uint8_t percent;
    } cases[] = {{0, 98}, {SAMPLE_FONT_SIZE - 1, 72}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *world = world_make_full(kinds[i / 2]);
        const struct otter_region *font = world_region(world, OTTER_REGION_FONT);

        keep_font(world);
        world_prepare(world);
        vflash_kill_word(&world->device.flash, font->addr + cases[i % 2].off);
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        assert_outcome(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED,
                       (uint16_t)(9 * 256 + cases[i % 2].percent));
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        assert_true(world_is_untouched(world, OTTER_REGION_RESOURCES));
        world_drop(world);
    }
}

/* --- damage --- */

static void k1_boot_does_not_read_a_font_and_whoever_asks_is_told(void **state)
{
    struct otter_device view;
    struct otter_system system;
    struct world *world = world_make_full(false);

    (void)state;
    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    assert_int_equal(otter_system_open(&view, 0, &system), OTTER_OK);
    assert_int_equal(otter_system_check_regions(&view, &system, OTTER_FLAG_NEW_REGIONS),
                     OTTER_OK);
    damage_font(world);
    assert_int_equal(otter_system_check_regions(&view, &system, OTTER_FLAG_NEW_REGIONS),
                     OTTER_E_BOOT_RESOURCES);
    assert_int_equal(
        otter_system_check_regions(&view, &system, OTTER_FLAG_NEW_RESOURCES), OTTER_OK);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(world->device.code, 0);
    world_drop(world);
}

/* It is mended by an update; but then there is nothing to go back to. */
static void k13_an_old_font_that_is_damaged_is_no_way_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        damage_font(world);
        world_mark(world);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_true(runs_all_of(world, &world->next));
        world_back(world);
        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world_state(world).outcome.code, 31 * 256 + 13);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_true(runs_all_of(world, &world->next));
        assert_int_equal(world_state(world).flags, 0);
        world_drop(world);
    }
}

/* One copy is gone: the others are not written, the manager says why and takes a
 * package (K16). */
static void k16_a_copy_that_is_damaged_ends_the_roll_back_before_it_begins(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *world = world_make_full(kinds[i / 2]);

        strike_at(world, OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL,
                  i % 2 == 0 ? damage_saved_font : kill_saved_font);
        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        assert_int_equal(watch.count, 0);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world_state(world).outcome.code, 31 * 256 + 13);
        assert_true(has(world, OTTER_REGION_RESOURCES, world->next.resources,
                        SAMPLE_RESOURCES_SIZE));
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_true(runs_all_of(world, &world->next));
        world_drop(world);
    }
}

static void damage_manager_and_saved_font(struct world *world)
{
    damage_manager(world);
    damage_saved_font(world);
}

/* Each of them alone: the old system (a manager is not needed to go back), or the
 * manager, which says why. */
static void k18_the_manager_and_a_saved_font_are_two_damages(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        strike_at(world, OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL, damage_manager);
        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        assert_int_equal(watch.count, 0);
        assert_true(runs_all_of(world, &world->sample.first));
        world_back(world);
        strike_at(world, OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL,
                  damage_manager_and_saved_font);
        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_NOTHING);
        assert_int_equal(world->device.code, 30 * 256 + 10);
        world_drop(world);
    }
}

/* Power fails anywhere in an installation, and the manager is damaged: boot alone is
 * left, and the old system runs, whole (K15). */
static void k15_boot_restores_without_a_manager(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);
        enum vdevice_end end = VDEVICE_CUT;
        uint32_t op = 0;

        world_prepare(world);
        vdevice_power_off(&world->device);
        world_mark(world);
        world->device.app = VDEVICE_CRASH;
        for (; end == VDEVICE_CUT; op += 3) {
            const struct vflash_fault cut = {.at_op = op, .kind = VFLASH_CUT_AFTER};

            world_back(world);
            end = vdevice_power_on(&world->device, cut);
            if (end == VDEVICE_CUT) {
                damage_manager(world);
                end = world_power_on(world) == VDEVICE_IDLE ? VDEVICE_CUT
                                                            : VDEVICE_BROKEN;
            }
            assert_true(runs_all_of(world, &world->sample.first));
        }
        assert_int_equal(end, VDEVICE_IDLE);
        assert_true(op > 100);
        world_drop(world);
    }
}

/* The engine as the manager runs it, stopped after each step. */
static struct {
    struct otter_device device;
    struct otter_install install;
} engine;

/* Flips a bit of the font each of the first `count` times that it has been written. */
static enum otter_step install_with_flips(struct world *world, int count)
{
    const struct otter_state *now = &engine.device.journal.state;
    enum otter_step answer = OTTER_STEP_MORE;
    bool was_whole = false;

    world_prepare(world);
    vdevice_power_off(&world->device);
    vflash_measure_reset(&world->device.flash);
    vflash_power_on(&world->device.flash, (struct vflash_fault){.kind = VFLASH_NONE});
    assert_int_equal(
        otter_device_open(&engine.device, &world->device.ports, OTTER_PROGRAM_MANAGER),
        OTTER_OK);
    assert_int_equal(otter_install_open(&engine.install, &engine.device), OTTER_OK);
    while (answer == OTTER_STEP_MORE) {
        answer = otter_install_step(&engine.install);
        bool is_whole = now->part == OTTER_PART_WRITE && now->member == 4 &&
                        now->cursor == SAMPLE_FONT_SIZE;

        if (is_whole && !was_whole && count > 0) {
            damage_font(world);
            count--;
        }
        was_whole = is_whole;
    }
    assert_int_equal(count, 0);
    return answer;
}

static uint32_t erases_of(struct world *world, uint8_t id)
{
    const struct otter_region *region = world_region(world, id);

    return vflash_erases_max(&world->device.flash, region->addr, region->size);
}

static void k5_a_font_that_does_not_match_is_written_once_more_and_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        assert_int_equal(install_with_flips(world, 1), OTTER_STEP_DONE);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
        assert_int_equal(erases_of(world, OTTER_REGION_FONT), 2);
        assert_int_equal(erases_of(world, OTTER_REGION_RESOURCES), 1);
        assert_int_equal(erases_of(world, OTTER_REGION_APPLICATION), kinds[i] ? 0 : 1);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(runs_all_of(world, &world->next));
        world_drop(world);
    }
}

static void k5_a_second_mismatch_restores_the_whole_old_system(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);

        assert_int_equal(install_with_flips(world, 2), OTTER_STEP_FAILED);
        assert_int_equal(engine.install.result, otter_error_at(OTTER_E_UNPACK, 100));
        assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLING_BACK);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_outcome(world, OTTER_PHASE_ROLLED_BACK, OTTER_OUTCOME_ROLLED_BACK,
                       15 * 256 + 100);
        assert_true(runs_all_of(world, &world->sample.first));
        world_drop(world);
    }
}

static void p7_a_region_that_cannot_be_written_is_told_as_15(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_full(kinds[i]);
        uint32_t addr = world_region(world, OTTER_REGION_FONT)->addr + SECTOR;

        world_prepare(world);
        vflash_set_bad(&world->device.flash, addr, true);
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        /* The sector takes nothing, so neither does it take the old font. */
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world_state(world).outcome.code, 31 * 256 + 13);
        assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
        vflash_set_bad(&world->device.flash, addr, false);
        world->device.app = VDEVICE_CONFIRM;
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_true(runs_all_of(world, &world->next));
        world_drop(world);
    }
}

/* A package that nobody requested is stored, with a font that is not installed. */
static void p1_a_stored_package_is_not_run_with_the_old_font(void **state)
{
    struct world *world = world_make_full(true);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_OK);
    world_damage(world, OTTER_REGION_APPLICATION);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, 30 * 256 + 11);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p1_firmware_resources_and_font_come_and_go_together),
        cmocka_unit_test(p10_erases_of_the_regions_are_counted),
        cmocka_unit_test(k13_a_first_font_needs_no_way_back),
        cmocka_unit_test(k13_a_system_without_a_font_leaves_the_old_one_alone),
        cmocka_unit_test(k8_a_font_that_is_kept_stays),
        cmocka_unit_test(
            k8_a_font_that_is_kept_and_damaged_is_refused_before_its_transfer),
        cmocka_unit_test(k8_a_font_that_is_damaged_after_the_transfer_is_no_kept_one),
        cmocka_unit_test(k8_a_font_that_dies_after_the_transfer_is_no_kept_one),
        cmocka_unit_test(k1_boot_does_not_read_a_font_and_whoever_asks_is_told),
        cmocka_unit_test(k13_an_old_font_that_is_damaged_is_no_way_back),
        cmocka_unit_test(
            k16_a_copy_that_is_damaged_ends_the_roll_back_before_it_begins),
        cmocka_unit_test(k18_the_manager_and_a_saved_font_are_two_damages),
        cmocka_unit_test(k15_boot_restores_without_a_manager),
        cmocka_unit_test(k5_a_font_that_does_not_match_is_written_once_more_and_alone),
        cmocka_unit_test(k5_a_second_mismatch_restores_the_whole_old_system),
        cmocka_unit_test(p7_a_region_that_cannot_be_written_is_told_as_15),
        cmocka_unit_test(p1_a_stored_package_is_not_run_with_the_old_font),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
