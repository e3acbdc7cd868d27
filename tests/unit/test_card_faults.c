/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card that fails: full, read and write errors, pulled out and put back, at every one
 * of its operations; files that are missing, damaged or another package's. Each has a
 * code, the device keeps a system, and a retry works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { CODE_STAGE = 36 };

static bool is_card_code(uint16_t code)
{
    return code >> 8 == CODE_STAGE;
}

/* Powers on, asks for the update, runs it as far as it comes; the answer of the door.
 */
static enum otter_result try_update(struct world *world, enum vdevice_app app)
{
    enum otter_result result = OTTER_OK;

    world->device.app = app;
    if (world_power_on(world) != VDEVICE_IDLE ||
        world->device.program != OTTER_PROGRAM_AGENT) {
        return OTTER_E_BUSY; /* an update is under way */
    }
    if (vdevice_install(&world->device, WORLD_PATH, &result) == VDEVICE_IDLE) {
        (void)vdevice_run(&world->device);
    }
    return result;
}

/* Old or new application, whole, with the files of its version. */
static bool has_a_system(const struct world *world)
{
    bool is_old = world_is_untouched(world, OTTER_REGION_APPLICATION);

    return world->device.program == OTTER_PROGRAM_AGENT &&
           (is_old || world_holds(world, OTTER_REGION_APPLICATION, &world->next)) &&
           world_has_files(world, !is_old);
}

/* The old application, and an outcome that says why its files are not all back. */
static bool has_left_files(struct world *world)
{
    return world->device.program == OTTER_PROGRAM_AGENT &&
           world_is_untouched(world, OTTER_REGION_APPLICATION) &&
           world_state(world).outcome.kind == OTTER_OUTCOME_ROLLED_BACK &&
           is_card_code(world_state(world).outcome.code);
}

static uint32_t count_card_ops(struct world *world, enum vdevice_app app)
{
    assert_int_equal(try_update(world, app), OTTER_OK);
    uint32_t count = world->card.op;

    world_back(world);
    return count;
}

/* What is left of a fault when the card is whole and in its slot again. */
static void retry(struct world *world, enum vdevice_app app, uint8_t wanted)
{
    vdevice_power_off(&world->device);
    vcard_put_back(&world->card);
    for (int i = 0; i < 4 && world_state(world).outcome.kind != wanted; i++) {
        (void)try_update(world, app);
        vdevice_power_off(&world->device);
    }
    assert_int_equal(world_state(world).outcome.kind, wanted);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(has_a_system(world) || has_left_files(world));
}

/* The faults led to each of these codes somewhere. */
static const enum otter_result wanted_codes[] = {
    OTTER_E_CARD_NONE,
    OTTER_E_CARD_FULL,
    OTTER_E_CARD_READ,
    OTTER_E_CARD_WRITE,
};

enum { WANTED_CODES = sizeof(wanted_codes) / sizeof(wanted_codes[0]) };

static void note_code(uint16_t code, bool seen[WANTED_CODES])
{
    for (size_t i = 0; i < WANTED_CODES; i++) {
        seen[i] = seen[i] || otter_code(wanted_codes[i]) == code;
    }
}

/* Each operation of the card fails in each way; with a `stride` in every so many-th. */
static void sweep_faults(struct world *world, enum vdevice_app app, uint8_t wanted,
                         uint32_t stride)
{
    static const struct {
        enum vcard_fault_kind kind;
        uint32_t seed;
    } kinds[] = {
        {VCARD_FAIL, 0}, {VCARD_FAIL, 1}, {VCARD_FAIL, 100}, {VCARD_FULL, 0},
        {VCARD_PULL, 0}, {VCARD_PULL, 1}, {VCARD_PULL, 3},
    };
    bool seen[2][WANTED_CODES] = {{false}}; /* by the door; in the outcome */
    uint32_t count = count_card_ops(world, app);

    assert_in_range(count, 100, 10000);
    for (uint32_t op = 0; op < count; op++) {
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
            if ((op + i) % stride != 0) {
                continue;
            }
            world_back(world);
            vcard_put_back(&world->card);
            world->device.card_fault = (struct vcard_fault){
                .at_op = op, .kind = kinds[i].kind, .seed = kinds[i].seed};
            enum otter_result result = try_update(world, app);
            const struct otter_outcome outcome = world_state(world).outcome;

            /* Either nothing is wrong, or somebody says what: door, outcome, manager.
             */
            assert_true(result == OTTER_OK || is_card_code(otter_code(result)));
            assert_true(has_a_system(world) || is_card_code(world->device.code) ||
                        has_left_files(world));
            if (has_a_system(world) && outcome.kind != wanted && result == OTTER_OK) {
                assert_true(is_card_code(outcome.code));
            }
            assert_null(world->device.defect);
            note_code(otter_code(result), seen[0]);
            note_code(outcome.code, seen[1]);
            retry(world, app, wanted);
        }
    }
    for (size_t i = 0; i < WANTED_CODES; i++) {
        assert_true(seen[0][i] && seen[1][i]);
    }
    world_drop(world);
}

static void p7_a_failing_card_has_a_code_and_a_retry_works(void **state)
{
    (void)state;
    sweep_faults(world_make_on_card(false, true), VDEVICE_CONFIRM,
                 OTTER_OUTCOME_CONFIRMED, 1);
}

static void p7_so_it_has_while_it_rolls_back(void **state)
{
    (void)state;
    sweep_faults(world_make_on_card(false, true), VDEVICE_CRASH,
                 OTTER_OUTCOME_ROLLED_BACK, 1);
}

static void p7_so_it_has_while_files_are_unpacked(void **state)
{
    (void)state;
    sweep_faults(world_make_with_files(), VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED, 3);
}

static void p7_so_it_has_while_files_are_brought_back(void **state)
{
    (void)state;
    sweep_faults(world_make_with_files(), VDEVICE_CRASH, OTTER_OUTCOME_ROLLED_BACK, 3);
}

/* ---- what the door refuses ---- */

static enum otter_result refusal_of(struct world *world, const char *path)
{
    enum otter_result result = OTTER_OK;

    assert_int_equal(vdevice_install(&world->device, path, &result), VDEVICE_IDLE);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    return result;
}

/* The card has this in place of the package. */
static enum otter_result refusal_of_bytes(struct world *world, const uint8_t *bytes,
                                          uint32_t size)
{
    vdevice_power_off(&world->device);
    vcard_provision(&world->card, "bad.otter", bytes, size);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    return refusal_of(world, "bad.otter");
}

static void p6_a_bad_package_is_refused_before_anything_is_written(void **state)
{
    struct world *world = world_make_on_card(false, false);
    const uint32_t size = (uint32_t)world->next.size;
    uint8_t bytes[SAMPLE_PACKAGE_MAX];

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    uint64_t flash = vflash_hash(&world->device.flash);

    for (uint32_t len = 0; len < size; len += len < 700 ? 1 : 97) {
        assert_int_not_equal(refusal_of_bytes(world, world->next.bytes, len), OTTER_OK);
    }
    for (uint32_t off = 0; off < size; off += off < 700 ? 1 : 61) {
        memcpy(bytes, world->next.bytes, size);
        bytes[off] ^= (uint8_t)(1U << off % 8);
        assert_int_not_equal(refusal_of_bytes(world, bytes, size), OTTER_OK);
    }
    memcpy(bytes, world->next.bytes, size);
    bytes[size] = 0;
    assert_int_equal(refusal_of_bytes(world, bytes, size + 1), OTTER_E_PACKAGE_LENGTH);
    assert_int_equal(refusal_of_bytes(world, world->next.bytes, size - 1),
                     OTTER_E_PACKAGE_TRUNCATED);
    assert_int_equal(refusal_of_bytes(world, bytes, 0), OTTER_E_PACKAGE_TRUNCATED);
    assert_true(vflash_hash(&world->device.flash) == flash);
    assert_false(vcard_has(&world->card, "otter"));
    world_drop(world);
}

static void a_name_that_is_not_there_or_leaves_the_card_is_refused(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(refusal_of(world, "update/none.otter"), OTTER_E_CARD_NOT_FOUND);
    assert_int_equal(refusal_of(world, "update"), OTTER_E_CARD_NOT_FOUND);
    assert_int_equal(refusal_of(world, "../next.otter"), OTTER_E_CARD_NAME);
    assert_int_equal(refusal_of(world, ""), OTTER_E_CARD_NAME);
    world->device.allows_update = false;
    assert_int_equal(refusal_of(world, WORLD_PATH), OTTER_E_POSTPONED);
    world->device.allows_update = true;
    vdevice_power_off(&world->device);
    vcard_pull(&world->card, 0);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(refusal_of(world, WORLD_PATH), OTTER_E_CARD_NONE);
    world_drop(world);
}

static void a_card_without_room_for_the_copy_is_refused_at_once(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    world->card.capacity -= vcard_free_bytes(&world->card) - VCARD_CLUSTER;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(refusal_of(world, WORLD_PATH), OTTER_E_CARD_FULL);
    assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
    world_drop(world);
}

static void a_link_brings_no_package_to_a_device_with_a_card(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_CARD_ONLY);
    assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
    world_drop(world);
}

/* A door gives the part that is signed; the members stay where they are. */
static void p6_members_on_the_card_are_not_sent(void **state)
{
    struct world *world = world_make_on_card(false, false);
    struct otter_device *device = &world->device.agent.device;
    struct otter_receive *receive = &world->device.agent.receive;
    const struct otter_chunk chunk = {
        .data = world->next.bytes, .size = world->next.size, .is_on_card = true};
    enum otter_result last = OTTER_OK;

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(otter_card_open_package(device, WORLD_PATH), OTTER_OK);
    assert_int_equal(otter_receive_offer(receive, &chunk), OTTER_OK);
    while (otter_receive_is_busy(receive)) {
        enum otter_result result = otter_receive_step(receive);

        last = result == OTTER_OK ? last : result;
    }
    assert_int_equal(last, OTTER_E_RECEIVE_OVERRUN);
    assert_false(otter_receive_is_complete(receive));
    otter_card_close(device);
    world_drop(world);
}

static void k12_in_a_trial_no_update_begins(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    world->device.app = VDEVICE_SILENT;
    assert_int_equal(try_update(world, VDEVICE_SILENT), OTTER_OK);
    world_back(world);
    world->device.app = VDEVICE_HANG;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    struct otter_card_door door;

    otter_card_door_open(&door, &world->device.agent.device,
                         &world->device.agent.receive);
    assert_int_equal(otter_card_door_begin(&door, WORLD_PATH), OTTER_E_LOCKED);
    world_drop(world);
}

/* ---- files that go missing while an update is under way ---- */

/* The device has been asked and is off before the manager starts. */
static struct world *requested(void)
{
    struct world *world = world_make_on_card(false, false);

    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    vdevice_power_off(&world->device);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_REQUESTED);
    return world;
}

static void remove_file(struct world *world, const char *path)
{
    vcard_power_on(&world->card, (struct vcard_fault){.kind = VCARD_NONE});
    assert_int_equal(vcard_remove(&world->card, path), 0);
    vcard_power_off(&world->card, 1);
}

static void expect_failed(struct world *world, enum otter_result why)
{
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    const struct otter_state now = world_state(world);

    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(now.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(now.outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(now.outcome.code, otter_code(why));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    world_drop(world);
}

static void k20_one_pointer_is_enough(void **state)
{
    static const char *const files[] = {"otter/pointer.0", "otter/pointer.1"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t way = 0; way < 2; way++) {
            struct world *world = requested();

            if (way == 0) {
                remove_file(world, files[i]);
            } else {
                vcard_flip(&world->card, files[i], 70, 2);
            }
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
            world_drop(world);
        }
    }
}

static void k20_without_a_pointer_the_old_system_runs(void **state)
{
    struct world *world = requested();

    (void)state;
    remove_file(world, "otter/pointer.0");
    remove_file(world, "otter/pointer.1");
    expect_failed(world, OTTER_E_CARD_POINTER);
}

/* Both files have this in place of what was written. */
static void put_pointers(struct world *world, const uint8_t *bytes, uint32_t size)
{
    vdevice_power_off(&world->device);
    vcard_provision(&world->card, "otter/pointer.0", bytes, size);
    vcard_provision(&world->card, "otter/pointer.1", bytes, size);
}

static void k20_a_pointer_of_another_length_is_none(void **state)
{
    struct world *world = requested();
    uint8_t bytes[OTTER_POINTER_SIZE + 1] = {0};
    uint32_t size = 0;
    const uint8_t *written = vcard_peek(&world->card, "otter/pointer.1", &size);

    (void)state;
    assert_int_equal(size, OTTER_POINTER_SIZE);
    memcpy(bytes, written, size);
    world_mark(world);
    for (uint32_t len = 0; len <= OTTER_POINTER_SIZE + 1; len++) {
        bool is_whole = len == OTTER_POINTER_SIZE;

        world_back(world);
        put_pointers(world, bytes, len);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_state(world).outcome.kind,
                         is_whole ? OTTER_OUTCOME_CONFIRMED : OTTER_OUTCOME_FAILED);
        assert_int_equal(world_state(world).outcome.code,
                         is_whole ? 0 : otter_code(OTTER_E_CARD_POINTER));
        assert_true(is_whole || world_is_untouched(world, OTTER_REGION_APPLICATION));
    }
    world_drop(world);
}

/* Nothing is left that says which package it was. */
static void p7_without_its_receipt_the_outcome_names_no_package(void **state)
{
    struct world *world = requested();
    const uint8_t none[8] = {0};

    (void)state;
    for (uint8_t copy = 0; copy < OTTER_RECEIPT_COPIES; copy++) {
        uint32_t size = 0;

        vflash_flip(&world->device.flash,
                    world_receipt_addr(world, 1, copy, &size) + 60, 2);
    }
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_memory_equal(world_state(world).outcome.id, none, sizeof(none));
    expect_failed(world, OTTER_E_RECEIPT_LOST);
}

static void without_the_package_the_old_system_runs(void **state)
{
    struct world *world = requested();

    (void)state;
    remove_file(world, WORLD_PATH);
    expect_failed(world, OTTER_E_CARD_NOT_FOUND);
}

static void a_package_of_another_length_is_another_one(void **state)
{
    struct world *world = requested();

    (void)state;
    vcard_provision(&world->card, WORLD_PATH, world->next.bytes, 600);
    expect_failed(world, OTTER_E_CARD_OTHER);
}

static void a_package_that_was_changed_is_found_out(void **state)
{
    struct world *world = requested();

    (void)state;
    vcard_flip(&world->card, WORLD_PATH, (uint32_t)world->next.size - 100, 5);
    expect_failed(world, OTTER_E_CHECK_DAMAGED);
}

static void a_package_that_cannot_be_read_fails_after_some_tries(void **state)
{
    struct world *world = requested();

    (void)state;
    vcard_set_bad(&world->card, WORLD_PATH, true);
    expect_failed(world, OTTER_E_CARD_READ);
}

static void without_the_card_the_old_system_runs_after_a_while(void **state)
{
    struct world *world = requested();

    (void)state;
    vcard_pull(&world->card, 0);
    expect_failed(world, OTTER_E_CARD_NONE);
}

/* An update that is cut in the middle of the application. */
static struct world *half_written(void)
{
    struct world *world = requested();
    uint32_t op = 0;

    for (;; op++) {
        const struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_AFTER};

        assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
        const struct otter_state now = world_state(world);

        if (now.part == OTTER_PART_WRITE && now.cursor > 0) {
            return world;
        }
    }
}

static void a_half_written_application_waits_for_its_card(void **state)
{
    struct world *world = half_written();

    (void)state;
    vcard_pull(&world->card, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world->device.code, otter_code(OTTER_E_CARD_NONE));
        assert_int_equal(world_state(world).phase, OTTER_PHASE_INSTALLING);
    }
    vcard_put_back(&world->card); /* power stays on */
    world->device.clock_ms += 1000;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
    world_drop(world);
}

static void a_half_written_application_without_its_package_goes_back(void **state)
{
    struct world *world = half_written();

    (void)state;
    remove_file(world, WORLD_PATH);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    const struct otter_state now = world_state(world);

    assert_int_equal(now.phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(now.outcome.code, otter_code(OTTER_E_CARD_NOT_FOUND));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    world_drop(world);
}

static void another_card_is_not_taken_for_the_right_one(void **state)
{
    struct world *world = half_written();

    (void)state;
    remove_file(world, "otter/pointer.0");
    remove_file(world, "otter/pointer.1");
    remove_file(world, "otter/saved6.bin");
    remove_file(world, WORLD_PATH);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(OTTER_E_CARD_POINTER));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_INSTALLING);
    world_drop(world);
}

/* Another card, on which otter has nothing of its own, and in its folder `update` the
 * package under another name, after one that is as long but not the same. */
static void put_on_another_card(struct world *world,
                                const struct sample_package *package)
{
    const uint32_t size = (uint32_t)package->size;
    uint8_t *other = malloc(size);

    assert_non_null(other);
    memcpy(other, package->bytes, size);
    other[size - 1] ^= 1;
    remove_file(world, "otter/pointer.0");
    remove_file(world, "otter/pointer.1");
    remove_file(world, "otter/saved6.bin");
    remove_file(world, WORLD_PATH);
    vcard_provision(&world->card, "update/a.otter", other, size);
    vcard_provision(&world->card, "update/b", package->bytes, size);
    vcard_provision(&world->card, "update/c.otter", package->bytes, size);
    free(other);
}

static void the_same_package_on_another_card_will_do(void **state)
{
    struct world *world = half_written();

    (void)state;
    put_on_another_card(world, &world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
    world_drop(world);
}

/* `next` runs, its package lies on the card under the name OWN; a third system is half
 * written, from WORLD_PATH, and does not work. */
#define OWN "update/own.otter"

static struct world *half_written_third(struct sample_package *third)
{
    struct world *world = world_make_on_card(false, false);
    struct vflash_fault fault = {.kind = VFLASH_CUT_AFTER};

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    sample_next(&world->sample, 3, third);
    sample_build(third);
    vdevice_power_off(&world->device);
    vcard_provision(&world->card, WORLD_PATH, third->bytes, (uint32_t)third->size);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    world->device.app = VDEVICE_CRASH;
    while (world_state(world).part != OTTER_PART_WRITE ||
           world_state(world).cursor == 0) {
        assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
        fault.at_op++;
    }
    return world;
}

static void put_own(struct world *world)
{
    vcard_provision(&world->card, OWN, world->next.bytes, (uint32_t)world->next.size);
}

static void expect_next(struct world *world)
{
    const struct otter_state now = world_state(world);

    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
    assert_int_equal(now.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(now.flags, 0);
    assert_int_equal(now.counter, world->next.package.counter);
}

/* The copy is gone, or damaged, and the new system does not work: the package of the
 * old one brings it back, with or without a power-on. */
static void p4_the_old_systems_package_stands_for_its_copy(void **state)
{
    struct sample_package *third = malloc(sizeof(*third));

    (void)state;
    assert_non_null(third);
    for (int way = 0; way < 4; way++) {
        struct world *world = half_written_third(third);

        if (way % 2 == 0) {
            remove_file(world, "otter/saved6.bin");
        } else {
            vcard_flip(&world->card, "otter/saved6.bin", 900, 1);
        }
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world->device.code, otter_code(OTTER_E_CARD_SAVED));
        assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLING_BACK);
        world->device.app = VDEVICE_CONFIRM;
        put_own(world);
        world->device.clock_ms += 1000;
        assert_int_equal(way < 2 ? vdevice_run(&world->device) : world_power_on(world),
                         VDEVICE_IDLE);
        expect_next(world);
        world_drop(world);
    }
    free(third);
}

/* A package that this device would not install is no cure: the factory's, which has a
 * manager and a table. The copy is waited for. */
static void what_cannot_be_installed_is_no_cure(void **state)
{
    struct world *world = half_written();
    const struct sample_package *first = &world->sample.first;

    (void)state;
    world->device.app = VDEVICE_CRASH;
    vcard_flip(&world->card, "otter/saved6.bin", 900, 1);
    vcard_provision(&world->card, "update/first.otter", first->bytes,
                    (uint32_t)first->size);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.code, otter_code(OTTER_E_CARD_SAVED));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLING_BACK);
    vcard_flip(&world->card, "otter/saved6.bin", 900, 1);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    world_drop(world);
}

/* It only says that it is the one: what it holds is compared with the receipt. Then the
 * update has failed, and the package of the old system brings that one back. */
static void p2_what_only_ends_like_the_package_is_not_written(void **state)
{
    struct sample_package *third = malloc(sizeof(*third));
    struct world *world = half_written_third(third);

    (void)state;
    assert_non_null(third);
    put_on_another_card(world, third);
    vcard_flip(&world->card, "update/c.otter", (uint32_t)third->size / 2, 1);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(OTTER_E_CARD_SAVED));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLING_BACK);
    world->device.app = VDEVICE_CONFIRM;
    put_own(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    expect_next(world);
    free(third);
    world_drop(world);
}

/* A trial that crashes, with something wrong with the saved copy. */
static void a_damaged_copy_is_waited_for_and_not_written(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 3; way++) {
        struct world *world = half_written();

        remove_file(world, WORLD_PATH);
        if (way == 0) {
            vcard_flip(&world->card, "otter/saved6.bin", 900, 1);
        } else if (way == 1) {
            vcard_set_bad(&world->card, "otter/saved6.bin", true);
        } else {
            vcard_pull(&world->card, 0);
        }
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world->device.code,
                         otter_code(way == 0   ? OTTER_E_CARD_SAVED
                                    : way == 1 ? OTTER_E_CARD_READ
                                               : OTTER_E_CARD_NONE));
        if (way == 0) {
            vcard_flip(&world->card, "otter/saved6.bin", 900, 1);
        }
        vcard_set_bad(&world->card, "otter/saved6.bin", false);
        vcard_put_back(&world->card);
        vdevice_power_off(&world->device);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        world_drop(world);
    }
}

/* ---- the way back ---- */

static void cut_at(struct world *world, uint32_t op)
{
    const struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_AFTER};

    world_back(world);
    assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
}

/* An update of `world` whose application crashes, cut where the roll back has that
 * part. */
static struct world *roll_back(struct world *world, uint8_t part)
{
    uint32_t op = 0;

    world->device.app = VDEVICE_CRASH;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    vdevice_power_off(&world->device);
    world_mark(world);
    for (; world_state(world).phase != OTTER_PHASE_ROLLING_BACK; op += 8) {
        cut_at(world, op);
    }
    world_mark(world);
    for (op = 0; world_state(world).part != part; op++) {
        cut_at(world, op);
    }
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLING_BACK);
    world_mark(world);
    return world;
}

/* The same with resources and a font. */
static struct world *rolling_back(uint8_t part)
{
    return roll_back(world_make_on_card(false, true), part);
}

static bool runs_the_old_one(struct world *world)
{
    return world->device.program == OTTER_PROGRAM_AGENT &&
           world_state(world).outcome.kind == OTTER_OUTCOME_ROLLED_BACK &&
           world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first);
}

/* "Restored" stands, and boot reads something else. */
static void k5_what_was_restored_and_does_not_verify_is_restored_once_more(void **state)
{
    struct world *world = rolling_back(OTTER_PART_RESTORED);

    (void)state;
    world_damage(world, OTTER_REGION_APPLICATION);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(runs_the_old_one(world));
    world_drop(world);
}

static struct {
    struct world *world;
    enum otter_result (*open)(void *context, const char *path,
                              enum otter_file_mode mode, int *file);
    uint32_t count;   /* of saved files that were opened, or of readings of the flash */
    uint32_t fail_at; /* counted from 1 */
    uint32_t addr;    /* of the word that died */
} fault_at;

static enum otter_result open_or_fail(void *context, const char *path,
                                      enum otter_file_mode mode, int *file)
{
    static const char saved[] = "otter/saved";

    if (strncmp(path, saved, sizeof(saved) - 1) == 0 &&
        ++fault_at.count == fault_at.fail_at) {
        return OTTER_E_CARD_READ;
    }
    return fault_at.open(context, path, mode, file);
}

static void p7_a_saved_file_that_cannot_be_opened_once_is_opened_again(void **state)
{
    struct world *world = rolling_back(OTTER_PART_RESTORE);

    (void)state;
    fault_at.open = world->files.open;
    world->files.open = open_or_fail;
    fault_at.fail_at = 0;
    do {
        fault_at.fail_at++;
        fault_at.count = 0;
        world_back(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(runs_the_old_one(world));
    } while (fault_at.count >= fault_at.fail_at);
    assert_true(fault_at.fail_at > 6); /* three copies, found and written */
    world_drop(world);
}

/* ---- a card that can be read, and not written ---- */

static struct {
    enum otter_result answer;
    enum otter_result (*open)(void *context, const char *path,
                              enum otter_file_mode mode, int *file);
    uint32_t count; /* of files that were to be written */
} read_only;

static enum otter_result open_to_read(void *context, const char *path,
                                      enum otter_file_mode mode, int *file)
{
    if (mode == OTTER_FILE_NEW) {
        read_only.count++;
        return read_only.answer;
    }
    return read_only.open(context, path, mode, file);
}

/* Once the update rolls back the card takes nothing more. */
static void protect_card(void *context, enum otter_program program,
                         const struct otter_event *event)
{
    struct world *world = context;

    (void)program;
    if (event->kind == OTTER_EVENT_PHASE && event->stage == OTTER_PHASE_ROLLING_BACK) {
        world->files.open = open_to_read;
    }
}

static void k20_files_that_cannot_be_written_close_no_application(void **state)
{
    static const enum otter_result answers[] = {OTTER_E_CARD_FULL, OTTER_E_CARD_WRITE};

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct world *world = world_make_with_files();

        read_only.answer = answers[i];
        read_only.open = world->files.open;
        read_only.count = 0;
        world->device.hooks.context = world;
        world->device.hooks.on_event = protect_card;
        assert_int_equal(try_update(world, VDEVICE_CRASH), OTTER_OK);
        assert_true(has_left_files(world));
        assert_int_equal(world_state(world).outcome.code, otter_code(answers[i]));
        assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
        assert_in_range(read_only.count, 3, 5);
        /* The card works again: the next update brings everything. */
        world->device.hooks.on_event = NULL;
        world->files.open = read_only.open;
        assert_int_equal(try_update(world, VDEVICE_CONFIRM), OTTER_OK);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
        assert_true(has_a_system(world));
        world_drop(world);
    }
}

static void pull_card(void *context, enum otter_program program,
                      const struct otter_event *event)
{
    struct world *world = context;

    (void)program;
    if (event->kind == OTTER_EVENT_PHASE && event->stage == OTTER_PHASE_ROLLING_BACK) {
        vcard_pull(&world->card, 0);
    }
}

/* Pulled out it is waited for, as ever. */
static void k20_a_card_that_is_gone_while_files_come_back_is_waited_for(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    world->device.hooks.context = world;
    world->device.hooks.on_event = pull_card;
    assert_int_equal(try_update(world, VDEVICE_CRASH), OTTER_OK);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(OTTER_E_CARD_NONE));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLING_BACK);
    vcard_put_back(&world->card);
    world->device.hooks.on_event = NULL;
    world->device.clock_ms += 1000;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_true(has_a_system(world));
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_TRIAL_FAULTS));
    world_drop(world);
}

static bool lies_in(uint8_t id)
{
    const struct otter_region *region = world_region(fault_at.world, id);

    return fault_at.addr >= region->addr && fault_at.addr - region->addr < region->size;
}

static void on_read(void *context, uint32_t addr, size_t size)
{
    (void)context;
    (void)size;
    if (fault_at.world->device.program == OTTER_PROGRAM_MANAGER &&
        ++fault_at.count == fault_at.fail_at) {
        fault_at.addr = addr;
        vflash_kill_word(&fault_at.world->device.flash, addr);
    }
}

static void p7_a_reading_that_fails_while_the_manager_restores_is_no_dead_end(
    void **state)
{
    struct world *world = rolling_back(OTTER_PART_RESTORE);

    (void)state;
    fault_at.world = world;
    fault_at.fail_at = 0;
    do {
        fault_at.fail_at++;
        fault_at.count = 0;
        world_back(world);
        world->device.flash.hooks.on_read = on_read;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        world->device.flash.hooks.on_read = NULL;
        bool has_manager = world->device.program == OTTER_PROGRAM_MANAGER &&
                           world_state(world).outcome.code != 0;

        assert_null(world->device.defect);
        assert_true(runs_the_old_one(world) ||
                    (has_manager && !lies_in(OTTER_REGION_JOURNAL)));
    } while (fault_at.count >= fault_at.fail_at);
    assert_true(fault_at.fail_at > 50);
    world_drop(world);
}

/* A word of the receipt that dies while stage 9 looks at a package with files: nothing
 * is changed, and a code says so. */
static void on_check(void *context, uint32_t addr, size_t size)
{
    const struct otter_region *receipts =
        world_region(fault_at.world, OTTER_REGION_RECEIPTS);
    const char *name = NULL;

    if (addr >= receipts->addr && addr - receipts->addr < receipts->size &&
        fault_at.world->device.manager.install.device != NULL &&
        otter_install_stage(&fault_at.world->device.manager.install, &name) == 9) {
        on_read(context, addr, size);
    }
}

static void p7_a_reading_that_fails_while_files_are_checked_changes_nothing(
    void **state)
{
    struct world *world = world_make_with_files();
    unsigned failures = 0;

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    vdevice_power_off(&world->device);
    world_mark(world);
    fault_at.world = world;
    fault_at.fail_at = 0;
    do {
        fault_at.fail_at++;
        fault_at.count = 0;
        world_back(world);
        world->device.flash.hooks.on_read = on_check;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        world->device.flash.hooks.on_read = NULL;
        const struct otter_outcome outcome = world_state(world).outcome;

        assert_null(world->device.defect);
        assert_true(has_a_system(world));
        if (outcome.kind != OTTER_OUTCOME_CONFIRMED) {
            assert_int_equal(outcome.kind, OTTER_OUTCOME_FAILED);
            assert_int_not_equal(outcome.code, 0);
            assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
            failures++;
        }
    } while (fault_at.count >= fault_at.fail_at);
    assert_in_range(failures, 4, fault_at.fail_at);
    world_drop(world);
}

/* A journal with so many sequence numbers left. */
static void wear_out(struct world *world, uint32_t numbers_left)
{
    static struct otter_device factory;
    struct otter_state state = world_state(world);

    assert_int_equal(
        otter_device_open(&factory, &world->device.ports, OTTER_PROGRAM_FACTORY),
        OTTER_OK);
    factory.journal.highest = 0xFFFFFF00U - 2 - numbers_left; /* it uses two itself */
    assert_int_equal(otter_journal_write(&factory.journal, &state, OTTER_LASTING),
                     OTTER_OK);
}

static void check_worn(struct world *world, uint32_t numbers_left)
{
    wear_out(world, numbers_left);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_null(world->device.defect);
    if (world->device.program == OTTER_PROGRAM_MANAGER) {
        assert_int_equal(world->device.code, otter_code(OTTER_E_JOURNAL_EXHAUSTED));
    } else {
        assert_true(runs_the_old_one(world));
        assert_true(world_has_files(world, false));
    }
}

/* Wherever the manager takes up the restore, the numbers end a few records later. */
static void k3_numbers_that_end_while_files_come_back_leave_the_manager_or_a_system(
    void **state)
{
    struct world *world = roll_back(world_make_with_files(), OTTER_PART_RESTORE);
    uint32_t op = 0;

    (void)state;
    for (; world_state(world).part == OTTER_PART_RESTORE; op++) {
        for (uint32_t left = 1; left <= 4; left++) {
            cut_at(world, op);
            check_worn(world, left);
        }
        cut_at(world, op);
    }
    assert_in_range(op, 20, 1000);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p7_a_failing_card_has_a_code_and_a_retry_works),
        cmocka_unit_test(p7_so_it_has_while_it_rolls_back),
        cmocka_unit_test(p7_so_it_has_while_files_are_unpacked),
        cmocka_unit_test(p7_so_it_has_while_files_are_brought_back),
        cmocka_unit_test(p6_a_bad_package_is_refused_before_anything_is_written),
        cmocka_unit_test(a_name_that_is_not_there_or_leaves_the_card_is_refused),
        cmocka_unit_test(a_card_without_room_for_the_copy_is_refused_at_once),
        cmocka_unit_test(a_link_brings_no_package_to_a_device_with_a_card),
        cmocka_unit_test(p6_members_on_the_card_are_not_sent),
        cmocka_unit_test(k12_in_a_trial_no_update_begins),
        cmocka_unit_test(k20_one_pointer_is_enough),
        cmocka_unit_test(k20_without_a_pointer_the_old_system_runs),
        cmocka_unit_test(k20_a_pointer_of_another_length_is_none),
        cmocka_unit_test(p7_without_its_receipt_the_outcome_names_no_package),
        cmocka_unit_test(without_the_package_the_old_system_runs),
        cmocka_unit_test(a_package_of_another_length_is_another_one),
        cmocka_unit_test(a_package_that_was_changed_is_found_out),
        cmocka_unit_test(a_package_that_cannot_be_read_fails_after_some_tries),
        cmocka_unit_test(without_the_card_the_old_system_runs_after_a_while),
        cmocka_unit_test(a_half_written_application_waits_for_its_card),
        cmocka_unit_test(a_half_written_application_without_its_package_goes_back),
        cmocka_unit_test(another_card_is_not_taken_for_the_right_one),
        cmocka_unit_test(the_same_package_on_another_card_will_do),
        cmocka_unit_test(p2_what_only_ends_like_the_package_is_not_written),
        cmocka_unit_test(p4_the_old_systems_package_stands_for_its_copy),
        cmocka_unit_test(what_cannot_be_installed_is_no_cure),
        cmocka_unit_test(a_damaged_copy_is_waited_for_and_not_written),
        cmocka_unit_test(
            k5_what_was_restored_and_does_not_verify_is_restored_once_more),
        cmocka_unit_test(p7_a_saved_file_that_cannot_be_opened_once_is_opened_again),
        cmocka_unit_test(k20_files_that_cannot_be_written_close_no_application),
        cmocka_unit_test(k20_a_card_that_is_gone_while_files_come_back_is_waited_for),
        cmocka_unit_test(
            p7_a_reading_that_fails_while_the_manager_restores_is_no_dead_end),
        cmocka_unit_test(
            p7_a_reading_that_fails_while_files_are_checked_changes_nothing),
        cmocka_unit_test(
            k3_numbers_that_end_while_files_come_back_leave_the_manager_or_a_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
