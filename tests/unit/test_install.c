/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The install engine: the order and the codes of its stages, one bounded step at a
 * time, and how it ends when the store, the copy or the application fails. Expected
 * values: the published table of update codes (9: "Checking DFU file", 10: "Writing
 * flash", 11: "Validating flash"; 09-00 opening, 09-01 to 09-98 reading, 09-99 damage)
 * and the contracts K5, K13, K22.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum { SECTOR = 512, STAGES_MAX = 8 };

static const bool kinds[] = {false, true}; /* single, A/B */

/* The engine as the manager runs it, but stoppable after each step. */
struct engine {
    struct otter_device device;
    struct otter_install install;
};

static struct engine engine;

static void open_engine(struct world *world)
{
    assert_int_equal(
        otter_device_open(&engine.device, &world->device.ports, OTTER_PROGRAM_MANAGER),
        OTTER_OK);
    assert_int_equal(otter_install_open(&engine.install, &engine.device), OTTER_OK);
}

/* One step; never more than one flash operation (K22). */
static enum otter_step step(struct world *world)
{
    uint32_t op = world->device.flash.op;
    enum otter_step answer = otter_install_step(&engine.install);

    assert_true(world->device.flash.op - op <= 1);
    return answer;
}

static enum otter_step finish(struct world *world)
{
    for (int i = 0; i < 100000; i++) {
        enum otter_step answer = step(world);

        if (answer != OTTER_STEP_MORE) {
            return answer;
        }
    }
    fail_msg("the engine does not end");
    return OTTER_STEP_FAILED;
}

/* A device with a requested package, switched on but running nothing. */
static struct world *make_requested(bool is_ab, bool is_ecc)
{
    struct world *world = world_make_small(is_ab, is_ecc);

    world_prepare(world);
    vdevice_power_off(&world->device);
    world_mark(world);
    vflash_power_on(&world->device.flash, (struct vflash_fault){.kind = VFLASH_NONE});
    return world;
}

/* Steps until the stage `code` begins. */
static void step_to(struct world *world, uint8_t code)
{
    const char *name;

    while (otter_install_stage(&engine.install, &name) != code) {
        assert_int_equal(step(world), OTTER_STEP_MORE);
    }
}

static void assert_end(struct world *world, uint8_t phase, uint8_t kind, uint16_t code)
{
    struct otter_state state = world_state(world);

    assert_int_equal(state.phase, phase);
    assert_int_equal(state.outcome.kind, kind);
    assert_int_equal(state.outcome.code, code);
}

/* --- order --- */

static size_t list_stages(struct world *world, uint8_t codes[STAGES_MAX],
                          const char *names[STAGES_MAX])
{
    size_t count = 0;
    enum otter_step answer = OTTER_STEP_MORE;

    open_engine(world);
    while (answer == OTTER_STEP_MORE) {
        const char *name;
        uint8_t code = otter_install_stage(&engine.install, &name);

        if (code != 0 && (count == 0 || codes[count - 1] != code)) {
            assert_true(count < STAGES_MAX);
            names[count] = name;
            codes[count++] = code;
        }
        answer = step(world);
    }
    assert_int_equal(answer, OTTER_STEP_DONE);
    return count;
}

static void k22_a_single_applications_stages_come_in_their_order_with_their_codes(
    void **state)
{
    static const uint8_t wanted[] = {1, 9, 32, 10, 11};
    static const char *const words[] = {"Loading", "Checking", "Saving",
                                        "Writing flash", "Validating flash"};
    struct world *world = make_requested(false, false);
    uint8_t codes[STAGES_MAX];
    const char *names[STAGES_MAX];

    (void)state;
    assert_int_equal(list_stages(world, codes, names), sizeof(wanted));
    assert_memory_equal(codes, wanted, sizeof(wanted));
    for (size_t i = 0; i < sizeof(wanted); i++) {
        assert_memory_equal(names[i], words[i], strlen(words[i]));
    }
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
    world_drop(world);
}

static void k22_two_slots_need_no_saving_and_no_writing(void **state)
{
    static const uint8_t wanted[] = {1, 9, 11};
    struct world *world = make_requested(true, false);
    uint8_t codes[STAGES_MAX];
    const char *names[STAGES_MAX];

    (void)state;
    assert_int_equal(list_stages(world, codes, names), sizeof(wanted));
    assert_memory_equal(codes, wanted, sizeof(wanted));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_true(world_is_untouched(world, OTTER_REGION_SLOT_B));
    assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
    world_drop(world);
}

static void k10_only_a_requested_or_begun_installation_is_opened(void **state)
{
    struct world *world = make_requested(false, false);

    (void)state;
    for (uint8_t phase = OTTER_PHASE_CONFIRMED; phase < OTTER_PHASE_COUNT; phase++) {
        bool is_right =
            phase == OTTER_PHASE_REQUESTED || phase == OTTER_PHASE_INSTALLING;

        assert_int_equal(otter_device_open(&engine.device, &world->device.ports,
                                           OTTER_PROGRAM_MANAGER),
                         OTTER_OK);
        engine.device.journal.state.phase = phase;
        assert_int_equal(otter_install_open(&engine.install, &engine.device),
                         is_right ? OTTER_OK : OTTER_E_JOURNAL_TRANSITION);
    }
    assert_int_equal(world->device.flash.op, 0);
    world_drop(world);
}

/* --- the store fails --- */

static uint32_t store_addr(const struct world *world)
{
    const struct otter_region *slot = world_region(world, OTTER_REGION_SLOT_B);

    return slot != NULL ? slot->addr : world_region(world, OTTER_REGION_STAGING)->addr;
}

static void k5_a_stored_member_that_was_damaged_is_not_installed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_requested(kinds[i], false);

        vflash_flip(&world->device.flash, store_addr(world) + 777, 1);
        open_engine(world);
        assert_int_equal(finish(world), OTTER_STEP_FAILED);
        assert_int_equal(otter_code(engine.install.result), 9 * 256 + 99);
        assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED, 9 * 256 + 99);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        world_drop(world);
    }
}

static void p7_a_store_that_cannot_be_read_says_how_far_it_came(void **state)
{
    static const struct {
        uint32_t off;
        uint16_t code;
    } dead[] = {
        {0, 9 * 256 + 0},    /* nothing was read */
        {511, 9 * 256 + 0},  /* nor here: a step reads 512 bytes */
        {600, 9 * 256 + 26}, /* 512 of 1,900 bytes */
        {1100, 9 * 256 + 53}, {1899, 9 * 256 + 80},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]) * 2; i++) {
        struct world *world = make_requested(kinds[i % 2], true);

        vflash_kill_word(&world->device.flash, store_addr(world) + dead[i / 2].off);
        open_engine(world);
        assert_int_equal(finish(world), OTTER_STEP_FAILED);
        assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED,
                   dead[i / 2].code);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        world_drop(world);
    }
}

static void p7_a_receipt_that_is_gone_is_told_in_stage_1(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_requested(kinds[i], false);
        const char *name;

        for (uint8_t copy = 0; copy < 2; copy++) {
            uint32_t size = 0;
            uint32_t addr = world_receipt_addr(world, 1, copy, &size);

            vflash_flip(&world->device.flash, addr + 40, 0);
        }
        open_engine(world);
        assert_int_equal(finish(world), OTTER_STEP_FAILED);
        assert_int_equal(otter_install_stage(&engine.install, &name), 1);
        assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED,
                   otter_code(OTTER_E_RECEIPT_LOST));
        world_drop(world);
    }
}

/* --- the copy of the old system fails --- */

static uint32_t saved_addr(const struct world *world)
{
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);

    return staging->addr + staging->size - 4 * SECTOR;
}

static void k13_without_a_copy_of_the_old_system_nothing_is_written(void **state)
{
    struct world *world = make_requested(false, false);

    (void)state;
    vflash_set_bad(&world->device.flash, saved_addr(world) + 2 * SECTOR, true);
    open_engine(world);
    assert_int_equal(finish(world), OTTER_STEP_FAILED);
    assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED, 32 * 256 + 11);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    world_drop(world);
}

static void k13_the_copy_is_verified_before_the_first_write(void **state)
{
    struct world *world = make_requested(false, false);

    (void)state;
    open_engine(world);
    step_to(world, 32);
    /* Damage a sector of the copy as soon as it is written. */
    while (memcmp(vflash_peek(&world->device.flash, saved_addr(world), SECTOR),
                  world->sample.first.firmware, SECTOR) != 0) {
        assert_int_equal(step(world), OTTER_STEP_MORE);
    }
    vflash_flip(&world->device.flash, saved_addr(world) + 100, 0);
    assert_int_equal(finish(world), OTTER_STEP_FAILED);
    assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED, 32 * 256 + 12);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    world_drop(world);
}

/* The record "writing begins" stands in two sectors, the copy is whole, then the first
 * sector of the application is erased. */
static void k13_the_way_back_stands_before_the_first_erase(void **state)
{
    struct world *world = make_requested(false, false);

    (void)state;
    open_engine(world);
    while (world_is_untouched(world, OTTER_REGION_APPLICATION)) {
        assert_int_equal(step(world), OTTER_STEP_MORE);
    }
    struct otter_state found = world_state(world);

    assert_int_equal(found.phase, OTTER_PHASE_INSTALLING);
    assert_int_equal(found.part, OTTER_PART_WRITE);
    assert_memory_equal(
        vflash_peek(&world->device.flash, saved_addr(world), SAMPLE_FIRMWARE_SIZE),
        world->sample.first.firmware, SAMPLE_FIRMWARE_SIZE);
    world_drop(world);
}

/* --- the application's flash fails --- */

static void p7_an_application_sector_that_cannot_be_written_rolls_back_or_says_so(
    void **state)
{
    struct world *world = make_requested(false, false);
    uint32_t addr = world_region(world, OTTER_REGION_APPLICATION)->addr;

    (void)state;
    vflash_set_bad(&world->device.flash, addr + 2 * SECTOR, true);
    open_engine(world);
    assert_int_equal(finish(world), OTTER_STEP_FAILED);
    /* 1,024 of 1,900 bytes */
    assert_end(world, OTTER_PHASE_ROLLING_BACK, OTTER_OUTCOME_ROLLED_BACK,
               10 * 256 + 53);
    /* A sector that is bad for ever stops the roll back, too: the manager runs. */
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED, 31 * 256 + 13);
    /* The flash is well again: the next package makes a system. */
    vflash_set_bad(&world->device.flash, addr + 2 * SECTOR, false);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
    world_drop(world);
}

static void p7_a_sector_that_fails_once_is_rolled_back(void **state)
{
    struct world *world = make_requested(false, false);
    uint32_t addr = world_region(world, OTTER_REGION_APPLICATION)->addr;

    (void)state;
    vflash_set_bad(&world->device.flash, addr, true);
    open_engine(world);
    assert_int_equal(finish(world), OTTER_STEP_FAILED);
    vflash_set_bad(&world->device.flash, addr, false);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_end(world, OTTER_PHASE_ROLLED_BACK, OTTER_OUTCOME_ROLLED_BACK, 10 * 256 + 0);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    world_drop(world);
}

/* Flips a bit of the application at the begin of each of the first `count` passes of
 * stage 11; the engine's answer. Counts the erases of the application. */
static enum otter_step install_with_flips(struct world *world, int count,
                                          uint32_t *erases)
{
    const struct otter_region *region = world_region(world, OTTER_REGION_APPLICATION);
    const char *name;
    enum otter_step answer = OTTER_STEP_MORE;
    uint8_t before = 0;

    vflash_measure_reset(&world->device.flash);
    open_engine(world);
    while (answer == OTTER_STEP_MORE) {
        uint8_t code = otter_install_stage(&engine.install, &name);

        if (code == 11 && before != 11 && count > 0) {
            vflash_flip(&world->device.flash, region->addr + 700, 2);
            count--;
        }
        before = code;
        answer = step(world);
    }
    *erases = vflash_erases_max(&world->device.flash, region->addr, region->size);
    return answer;
}

static void k5_a_mismatch_at_validation_is_written_once_more(void **state)
{
    struct world *world = make_requested(false, false);
    uint32_t erases = 0;

    (void)state;
    assert_int_equal(install_with_flips(world, 1, &erases), OTTER_STEP_DONE);
    assert_int_equal(erases, 2);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
    world_drop(world);
}

static void k5_a_second_mismatch_restores_the_old_system(void **state)
{
    struct world *world = make_requested(false, false);
    uint32_t erases = 0;

    (void)state;
    assert_int_equal(install_with_flips(world, 2, &erases), OTTER_STEP_FAILED);
    assert_int_equal(erases, 2);
    assert_int_equal(engine.install.result, otter_error_at(OTTER_E_VALIDATE, 100));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLING_BACK);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code >> 8, 11);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    world_drop(world);
}

static void p7_a_slot_that_is_damaged_after_stage_9_keeps_the_old_system(void **state)
{
    struct world *world = make_requested(true, false);

    (void)state;
    open_engine(world);
    step_to(world, 11);
    vflash_flip(&world->device.flash, store_addr(world) + 5, 5);
    assert_int_equal(finish(world), OTTER_STEP_FAILED);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(world_state(world).outcome.code >> 8, 11);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    world_drop(world);
}

/* --- resuming --- */

/* Stops the engine after every number of steps, opens it again, ends it. P10: each
 * interruption costs one erase of one sector at most. */
static void resume_everywhere(bool is_ab)
{
    struct world *world = make_requested(is_ab, false);
    const struct otter_region *app = world_region(world, OTTER_REGION_APPLICATION);
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    bool was_in[OTTER_PART_HASH + 1] = {false};
    bool is_ended = false;

    for (int stop = 0; !is_ended; stop++) {
        vflash_restore(&world->device.flash, &world->start);
        vflash_measure_reset(&world->device.flash);
        open_engine(world);
        for (int i = 0; i < stop && !is_ended; i++) {
            is_ended = step(world) == OTTER_STEP_DONE;
        }
        if (is_ended) {
            break;
        }
        struct otter_state found = world_state(world);

        if (found.phase == OTTER_PHASE_TRIAL) {
            break;
        }
        was_in[found.part] = true;
        open_engine(world);
        assert_int_equal(finish(world), OTTER_STEP_DONE);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
        assert_true(vflash_erases_max(&world->device.flash, app->addr, app->size) <= 2);
        assert_true(
            vflash_erases_max(&world->device.flash, staging->addr, staging->size) <= 2);
        assert_true(world_holds(world,
                                is_ab ? OTTER_REGION_SLOT_B : OTTER_REGION_APPLICATION,
                                &world->next));
    }
    assert_true(was_in[OTTER_PART_CHECK]);
    assert_int_equal(was_in[OTTER_PART_SAVE], !is_ab);
    assert_int_equal(was_in[OTTER_PART_WRITE], !is_ab);
    world_drop(world);
}

static void p3_an_engine_that_stops_after_any_step_goes_on_in_the_same_part(
    void **state)
{
    (void)state;
    resume_everywhere(false);
    resume_everywhere(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            k22_a_single_applications_stages_come_in_their_order_with_their_codes),
        cmocka_unit_test(k22_two_slots_need_no_saving_and_no_writing),
        cmocka_unit_test(k10_only_a_requested_or_begun_installation_is_opened),
        cmocka_unit_test(k5_a_stored_member_that_was_damaged_is_not_installed),
        cmocka_unit_test(p7_a_store_that_cannot_be_read_says_how_far_it_came),
        cmocka_unit_test(p7_a_receipt_that_is_gone_is_told_in_stage_1),
        cmocka_unit_test(k13_without_a_copy_of_the_old_system_nothing_is_written),
        cmocka_unit_test(k13_the_copy_is_verified_before_the_first_write),
        cmocka_unit_test(k13_the_way_back_stands_before_the_first_erase),
        cmocka_unit_test(
            p7_an_application_sector_that_cannot_be_written_rolls_back_or_says_so),
        cmocka_unit_test(p7_a_sector_that_fails_once_is_rolled_back),
        cmocka_unit_test(k5_a_mismatch_at_validation_is_written_once_more),
        cmocka_unit_test(k5_a_second_mismatch_restores_the_old_system),
        cmocka_unit_test(p7_a_slot_that_is_damaged_after_stage_9_keeps_the_old_system),
        cmocka_unit_test(
            p3_an_engine_that_stops_after_any_step_goes_on_in_the_same_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
