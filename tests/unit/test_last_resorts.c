/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What boot and the install engine do when what they need next is gone: both copies of
 * a receipt, the package hash, the copy of the old system, the journal's last sequence
 * number. Each case says at which moment it goes, and with which code it ends.
 * Expected: the contracts K1, K2, K3, K13, K15, K16, the promises P1 and P7,
 * docs/ERRORS.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum {
    SECTOR = 512,
    HASH_OFF = 2080, /* of the package hash, in a copy of a receipt */
    CONTROL_OFF = 60,
};

static const bool kinds[] = {false, true}; /* single, A/B */

static struct world *make(bool is_ab, bool carries_manager)
{
    struct world *world = world_make_small(is_ab, false);

    if (carries_manager) {
        sample_carry_manager(&world->sample, &world->next);
        sample_build(&world->next);
    }
    return world;
}

/* Flips a bit at `off` in both copies of the receipt of `slot`. */
static void damage_receipt(struct world *world, uint8_t slot, uint32_t off)
{
    for (uint8_t copy = 0; copy < OTTER_RECEIPT_COPIES; copy++) {
        uint32_t size = 0;

        vflash_flip(&world->device.flash,
                    world_receipt_addr(world, slot, copy, &size) + off, 2);
    }
}

/* --- damage at a moment of an update --- */

/* When, told by an event of the running program, and what then happens. */
struct moment {
    uint8_t kind;
    uint8_t stage;
    void (*strike)(struct world *world);
};

static struct {
    struct world *world;
    const struct moment *moment;
    bool is_struck;
} watch;

static void on_event(void *context, enum otter_program program,
                     const struct otter_event *event)
{
    (void)context;
    (void)program;
    if (!watch.is_struck && event->kind == watch.moment->kind &&
        event->stage == watch.moment->stage) {
        watch.is_struck = true;
        watch.moment->strike(watch.world);
    }
}

static enum vdevice_end update_with(struct world *world, enum vdevice_app app,
                                    const struct moment *moment)
{
    watch.world = world;
    watch.moment = moment;
    watch.is_struck = false;
    world->device.hooks.on_event = on_event;
    enum vdevice_end end = world_update(world, app);

    world->device.hooks.on_event = NULL;
    assert_true(watch.is_struck);
    return end;
}

static void lose_old_receipt(struct world *world)
{
    damage_receipt(world, 0, CONTROL_OFF);
}

static void lose_new_receipt(struct world *world)
{
    damage_receipt(world, 1, CONTROL_OFF);
}

static void damage_application(struct world *world)
{
    world_damage(world, OTTER_REGION_APPLICATION);
}

/* The last sector of what is saved of a manager, below the application's copy. */
static void spoil_manager_copy(struct world *world)
{
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    bool is_ab = world_region(world, OTTER_REGION_SLOT_B) != NULL;
    uint32_t end = staging->addr + staging->size - (is_ab ? 0 : 4 * SECTOR);

    vflash_set_bad(&world->device.flash, end - SECTOR, true);
}

static const struct {
    const char *name;
    bool is_ab;
    bool carries_manager;
    enum vdevice_app app;
    struct moment moment;
    enum otter_program runs; /* in the end */
    uint8_t kind;            /* of the outcome */
    enum otter_result code;  /* of the outcome */
    bool is_new;             /* the new application is there in the end */
} losses[] = {
    {"the new receipt in a trial, single",
     false,
     false,
     VDEVICE_CRASH,
     {OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL, lose_new_receipt},
     OTTER_PROGRAM_AGENT,
     OTTER_OUTCOME_ROLLED_BACK,
     OTTER_E_TRIAL_DAMAGED,
     false},
    {"the new receipt in a trial, A/B",
     true,
     false,
     VDEVICE_CRASH,
     {OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL, lose_new_receipt},
     OTTER_PROGRAM_AGENT,
     OTTER_OUTCOME_ROLLED_BACK,
     OTTER_E_TRIAL_DAMAGED,
     false},
    {"the old receipt in a trial that fails, single",
     false,
     false,
     VDEVICE_CRASH,
     {OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL, lose_old_receipt},
     OTTER_PROGRAM_MANAGER,
     OTTER_OUTCOME_FAILED,
     OTTER_E_ROLL_BACK,
     true},
    {"the old receipt in a trial that fails, A/B",
     true,
     false,
     VDEVICE_CRASH,
     {OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL, lose_old_receipt},
     OTTER_PROGRAM_MANAGER,
     OTTER_OUTCOME_FAILED,
     OTTER_E_ROLL_BACK,
     false},
    {"the old receipt before the old system is saved",
     false,
     false,
     VDEVICE_CONFIRM,
     {OTTER_EVENT_STAGE, 32, lose_old_receipt},
     OTTER_PROGRAM_AGENT,
     OTTER_OUTCOME_CONFIRMED,
     OTTER_OK,
     true},
    {"the application before the manager is replaced",
     false,
     true,
     VDEVICE_CONFIRM,
     {OTTER_EVENT_STAGE, 34, damage_application},
     OTTER_PROGRAM_MANAGER,
     OTTER_OUTCOME_FAILED,
     OTTER_E_MANAGER_ALONE,
     false},
    {"the old receipt before the manager is replaced: two damages (K18)",
     false,
     true,
     VDEVICE_CONFIRM,
     {OTTER_EVENT_STAGE, 34, lose_old_receipt},
     OTTER_PROGRAM_BOOT,
     OTTER_OUTCOME_FAILED,
     OTTER_E_MANAGER_ALONE,
     false},
    {"the place for the old manager",
     false,
     true,
     VDEVICE_CONFIRM,
     {OTTER_EVENT_STAGE, 34, spoil_manager_copy},
     OTTER_PROGRAM_AGENT,
     OTTER_OUTCOME_FAILED,
     OTTER_E_MANAGER_SAVE,
     false},
    {"the place for the old manager, A/B",
     true,
     true,
     VDEVICE_CONFIRM,
     {OTTER_EVENT_STAGE, 34, spoil_manager_copy},
     OTTER_PROGRAM_AGENT,
     OTTER_OUTCOME_FAILED,
     OTTER_E_MANAGER_SAVE,
     false},
};

static void p7_whatever_is_lost_in_an_update_ends_with_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        struct world *world = make(losses[i].is_ab, losses[i].carries_manager);
        enum vdevice_end end = update_with(world, losses[i].app, &losses[i].moment);
        struct otter_state found = world_state(world);
        uint8_t region = losses[i].is_ab && losses[i].is_new ? OTTER_REGION_SLOT_B
                                                             : OTTER_REGION_APPLICATION;

        if (world->device.defect != NULL || world->device.program != losses[i].runs ||
            found.outcome.kind != losses[i].kind ||
            found.outcome.code != otter_code(losses[i].code)) {
            fail_msg("%s: end %d, program %d, outcome %u, %u-%02u", losses[i].name,
                     (int)end, (int)world->device.program, found.outcome.kind,
                     (unsigned)found.outcome.code >> 8, found.outcome.code & 255U);
        }
        if (losses[i].runs == OTTER_PROGRAM_AGENT) {
            assert_true(world_holds(
                world, region, losses[i].is_new ? &world->next : &world->sample.first));
        }
        world_drop(world);
    }
}

/* The outcome of a trial whose package cannot be named any more names none. */
static void p7_an_outcome_of_a_package_without_a_receipt_has_no_id(void **state)
{
    const struct moment moment = {OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL,
                                  lose_new_receipt};
    const uint8_t none[8] = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make(kinds[i], false);

        assert_int_equal(update_with(world, VDEVICE_CRASH, &moment), VDEVICE_IDLE);
        assert_memory_equal(world_state(world).outcome.id, none, sizeof(none));
        world_drop(world);
    }
}

/* --- a reading that fails while the old system is copied --- */

static void kill_old(void *context, const struct vflash_op *op)
{
    const struct otter_region *staging =
        world_region(watch.world, OTTER_REGION_STAGING);
    const struct otter_region *old =
        world_region(watch.world, OTTER_REGION_APPLICATION);
    struct vdevice *device = context;

    /* The first page of the copy is written: the last one is still to be read. */
    if (!op->is_erase && op->addr == staging->addr + staging->size - 4 * SECTOR) {
        vflash_kill_word(&device->flash, old->addr + SAMPLE_FIRMWARE_SIZE - 8);
    }
}

static void p7_an_old_system_that_cannot_be_read_is_not_replaced(void **state)
{
    struct world *world = make(false, false);

    (void)state;
    watch.world = world;
    world_prepare(world);
    world->device.flash.hooks.on_op = kill_old;
    (void)vdevice_reset(&world->device, OTTER_RESET_SOFTWARE);
    world->device.flash.hooks.on_op = NULL;
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_SAVE_READ));
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(OTTER_E_BOOT_APPLICATION));
    world_drop(world);
}

/* --- nothing to save --- */

static void p2_what_a_package_keeps_of_a_system_without_a_receipt_is_not_there(
    void **state)
{
    struct world *world = make(false, false);

    (void)state;
    world_prepare(world);
    lose_old_receipt(world);
    (void)world_power_on(world);
    assert_null(world->device.defect);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    /* The installation has failed; why is told by what is done about it. */
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_DAMAGED);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_RECEIPT_LOST));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    world_drop(world);
}

/* --- the current system's receipt --- */

/* Runs version 1.2.0, confirmed, with the counter of the first system; then both copies
 * of its receipt are damaged. The first system's receipt vouches for the manager. */
static void lose_current(struct world *world)
{
    world->next.package.counter = world->sample.first.package.counter;
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    lose_new_receipt(world);
    vdevice_power_off(&world->device);
}

static void assert_adopted(struct world *world)
{
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).current, 0);
    assert_int_equal(world_state(world).counter, world->next.package.counter);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_DAMAGED);
    assert_int_equal(world_state(world).outcome.code, 29 * 256 + 10);
}

/* The remedy of 29-10: the system's package, sent to the manager. */
static void send_again(struct world *world)
{
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->next));
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
}

static void p1_a_lost_receipt_is_replaced_by_sending_the_package_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make(kinds[i], false);

        lose_current(world);
        if (kinds[i]) {
            damage_application(world); /* else boot would run the old slot */
        }
        assert_adopted(world);
        assert_adopted(world); /* and again: it stays */
        send_again(world);
        world_drop(world);
    }
}

static void p1_a_cut_at_any_operation_of_that_leaves_the_manager(void **state)
{
    struct world *world = make(false, false);

    (void)state;
    lose_current(world);
    world_mark(world);
    assert_adopted(world);
    uint32_t ops = world->device.flash.op;

    assert_true(ops > 3);
    for (uint32_t op = 0; op < ops; op++) {
        const struct vflash_fault fault = {
            .at_op = op, .kind = VFLASH_TORN, .seed = op};

        world_back(world);
        assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
        assert_adopted(world);
        send_again(world);
    }
    world_drop(world);
}

/* A transfer erases the other receipt first. */
static void p1_no_transfer_begins_while_the_current_receipt_cannot_be_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make(kinds[i], false);

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        lose_old_receipt(world);
        uint32_t op = world->device.flash.op;

        assert_int_equal(world_feed(world), OTTER_E_RECEIPT_LOST);
        assert_int_equal(world->device.flash.op, op);
        world_drop(world);
    }
}

/* The trial has failed, and what it would go back to is lost: the manager takes another
 * package, and keeps the receipt that vouches for it. */
static void p1_a_trial_that_fails_without_the_old_receipt_ends_in_a_package(
    void **state)
{
    const struct moment moment = {OTTER_EVENT_PHASE, OTTER_PHASE_TRIAL,
                                  lose_old_receipt};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make(kinds[i], false);

        (void)update_with(world, VDEVICE_CRASH, &moment);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world_state(world).outcome.code, 31 * 256 + 13);
        world->device.app = VDEVICE_CONFIRM;
        world->next.package.version.revision++;
        sample_build(&world->next);
        send_again(world);
        world_drop(world);
    }
}

static void p2_a_receipt_without_its_package_hash_is_not_installed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make(kinds[i], false);

        world_prepare(world);
        damage_receipt(world, 1, HASH_OFF);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
        assert_int_equal(world_state(world).outcome.code,
                         otter_code(OTTER_E_NOT_COMPLETE));
        world_drop(world);
    }
}

/* --- the journal says that boot writes the manager --- */

/* Puts a state into the journal that the programs would not. */
static void write_state(struct world *world, const struct otter_state *state)
{
    static struct otter_device factory;

    assert_int_equal(
        otter_device_open(&factory, &world->device.ports, OTTER_PROGRAM_FACTORY),
        OTTER_OK);
    assert_int_equal(otter_journal_write(&factory.journal, state, OTTER_LASTING),
                     OTTER_OK);
}

static void install_manager(struct world *world, enum otter_part part)
{
    world_prepare(world);
    struct otter_state state = world_state(world);

    state.phase = OTTER_PHASE_INSTALLING;
    otter_state_begin(&state, part);
    state.flags = OTTER_FLAG_NEW_MANAGER;
    write_state(world, &state);
}

static const struct {
    const char *name;
    bool carries_manager;
    void (*strike)(struct world *world);
} unwritable[] = {
    {"the package keeps the manager", false, NULL},
    {"its receipt is lost", true, lose_new_receipt},
};

static void k15_a_manager_that_cannot_be_written_leaves_the_old_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *world = make(kinds[i / 2], unwritable[i % 2].carries_manager);

        install_manager(world, OTTER_PART_WRITE_MANAGER);
        if (unwritable[i % 2].strike != NULL) {
            unwritable[i % 2].strike(world);
        }
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        if (world->device.program != OTTER_PROGRAM_AGENT ||
            !world_holds(world, world->device.region, &world->sample.first) ||
            world_state(world).phase != OTTER_PHASE_CONFIRMED ||
            world_state(world).outcome.code != otter_code(OTTER_E_MANAGER_WRITE)) {
            fail_msg("%s, %s", unwritable[i % 2].name, kinds[i / 2] ? "A/B" : "single");
        }
        assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
        world_drop(world);
    }
}

static void k15_the_engine_leaves_boots_work_to_boot(void **state)
{
    static const enum otter_part parts[] = {OTTER_PART_WRITE_MANAGER,
                                            OTTER_PART_TAKE_BACK};
    static struct otter_device device;
    static struct otter_install install;

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct world *world = make(false, true);

        install_manager(world, parts[i]);
        assert_int_equal(
            otter_device_open(&device, &world->device.ports, OTTER_PROGRAM_MANAGER),
            OTTER_OK);
        uint32_t op = world->device.flash.op;

        assert_int_equal(otter_install_open(&install, &device),
                         OTTER_E_JOURNAL_TRANSITION);
        assert_false(otter_journal_is_busy(&device.journal));
        assert_int_equal(world->device.flash.op, op);
        world_drop(world);
    }
}

/* --- the journal takes no more --- */

static void k2_a_journal_that_is_lost_and_bad_stops_no_application(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make(kinds[i], false);
        const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);

        for (uint32_t off = 0; off < journal->size; off += 4) {
            vflash_kill_word(&world->device.flash, journal->addr + off);
        }
        world_set_journal_bad(world, WORLD_ALL_SECTORS);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        world_set_journal_bad(world, 0);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_state(world).outcome.code,
                         otter_code(OTTER_E_JOURNAL_LOST));
        world_drop(world);
    }
}

/* A device whose journal has only so many sequence numbers left, with a package. */
static void prepare_worn(struct world *world, uint32_t numbers_left)
{
    static struct otter_device factory;

    world_prepare(world);
    struct otter_state state = world_state(world);

    vdevice_power_off(&world->device);
    assert_int_equal(
        otter_device_open(&factory, &world->device.ports, OTTER_PROGRAM_FACTORY),
        OTTER_OK);
    factory.journal.highest = 0xFFFFFF00U - 2 - numbers_left; /* it uses two itself */
    assert_int_equal(otter_journal_write(&factory.journal, &state, OTTER_LASTING),
                     OTTER_OK);
}

static void check_worn(struct world *world, enum vdevice_app app, uint32_t numbers_left)
{
    world_back(world);
    world->device.app = app;
    prepare_worn(world, numbers_left);
    for (int i = 0; i < 2; i++) {
        enum vdevice_end end = world_power_on(world);
        bool has_application =
            world->device.program == OTTER_PROGRAM_AGENT &&
            (world_holds(world, world->device.region, &world->sample.first) ||
             world_holds(world, world->device.region, &world->next));
        bool has_manager =
            world->device.program == OTTER_PROGRAM_MANAGER &&
            (world->device.code != 0 || world->device.manager.result != OTTER_OK);

        if (world->device.defect != NULL || end == VDEVICE_NOTHING ||
            (!has_application && !has_manager)) {
            fail_msg("%u numbers left: end %d, program %d, code %u-%02u",
                     (unsigned)numbers_left, (int)end, (int)world->device.program,
                     (unsigned)world->device.code >> 8, world->device.code & 255U);
        }
    }
}

static void k3_sequence_numbers_that_end_at_any_record_leave_a_system_that_runs(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *world = make(kinds[i / 2], i % 2 == 1);

        for (uint32_t left = 0; left < 40; left++) {
            check_worn(world, i % 2 == 0 ? VDEVICE_CONFIRM : VDEVICE_CRASH, left);
        }
        world_drop(world);
    }
}

/* --- a system that is silent --- */

static bool has_told_deadline;

static void see_deadline(void *context, enum otter_program program,
                         const struct otter_event *event)
{
    (void)context;
    has_told_deadline =
        has_told_deadline ||
        (program == OTTER_PROGRAM_AGENT && event->kind == OTTER_EVENT_FAILED &&
         event->code == otter_code(OTTER_E_TRIAL_DEADLINE));
}

static void k16_a_trial_past_its_deadline_is_told_before_the_reset(void **state)
{
    struct world *world = make(true, false);

    (void)state;
    has_told_deadline = false;
    world->device.hooks.on_event = see_deadline;
    assert_int_equal(world_update(world, VDEVICE_SILENT), VDEVICE_IDLE);
    assert_true(has_told_deadline);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_TRIAL_FAULTS));
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p7_whatever_is_lost_in_an_update_ends_with_its_code),
        cmocka_unit_test(p7_an_outcome_of_a_package_without_a_receipt_has_no_id),
        cmocka_unit_test(p7_an_old_system_that_cannot_be_read_is_not_replaced),
        cmocka_unit_test(
            p2_what_a_package_keeps_of_a_system_without_a_receipt_is_not_there),
        cmocka_unit_test(p1_a_lost_receipt_is_replaced_by_sending_the_package_again),
        cmocka_unit_test(p1_a_cut_at_any_operation_of_that_leaves_the_manager),
        cmocka_unit_test(
            p1_no_transfer_begins_while_the_current_receipt_cannot_be_read),
        cmocka_unit_test(
            p1_a_trial_that_fails_without_the_old_receipt_ends_in_a_package),
        cmocka_unit_test(p2_a_receipt_without_its_package_hash_is_not_installed),
        cmocka_unit_test(k15_a_manager_that_cannot_be_written_leaves_the_old_one),
        cmocka_unit_test(k15_the_engine_leaves_boots_work_to_boot),
        cmocka_unit_test(k2_a_journal_that_is_lost_and_bad_stops_no_application),
        cmocka_unit_test(
            k3_sequence_numbers_that_end_at_any_record_leave_a_system_that_runs),
        cmocka_unit_test(k16_a_trial_past_its_deadline_is_told_before_the_reset),
    };

    return cmocka_run_group_tests_name("last resorts", tests, NULL, NULL);
}
