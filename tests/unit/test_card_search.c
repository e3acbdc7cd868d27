/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device with a card whose application is damaged at rest: the manager finds a
 * package on the card and installs it, by the rules of the door, and what fails is not
 * tried again. Expected values: docs/SPEC.md, "Card".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <stdlib.h>
#include <string.h>

/* A small device; with ECC; with resources and a font; the profile "sd"; with files. */
enum { DEVICES = 5, LOOK_MS = 3000 };

static struct world *make(int device)
{
    return device == 4   ? world_make_with_files()
           : device == 3 ? world_make_sd()
                         : world_make_on_card(device == 1, device == 2);
}

/* A bit of the application flips; the device is off. */
static void damage(struct world *world)
{
    vdevice_power_off(&world->device);
    world_damage(world, OTTER_REGION_APPLICATION);
}

static struct world *damaged(int device)
{
    struct world *world = make(device);

    damage(world);
    return world;
}

/* The card is taken out, noticed to be gone, and put in; then what follows. */
static void put_in_again(struct world *world)
{
    vcard_pull(&world->card, 0);
    world->device.clock_ms += LOOK_MS;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world->device.code, otter_code(OTTER_E_CARD_NONE));
    vcard_put_back(&world->card);
    world->device.clock_ms += LOOK_MS;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
}

static void expect_confirmed(struct world *world)
{
    const struct otter_state now = world_state(world);

    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(now.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(now.outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_int_equal(now.flags & OTTER_FLAG_CLOSED, 0);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
}

/* A device that `next` runs on, confirmed. */
static struct world *with_next(int device)
{
    struct world *world = make(device);

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    expect_confirmed(world);
    return world;
}

static void expect_manager(struct world *world, enum otter_result why)
{
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(why));
    assert_null(world->device.defect);
}

/* Power-ons change nothing more, and say the same. */
static void expect_rest(struct world *world, enum otter_result why)
{
    uint64_t flash = vflash_hash(&world->device.flash);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        expect_manager(world, why);
        assert_int_equal(world->device.resets, 0);
    }
    assert_true(vflash_hash(&world->device.flash) == flash);
}

/* ---- what it takes ---- */

static void a_damaged_application_is_replaced_from_the_card(void **state)
{
    (void)state;
    for (int device = 0; device < DEVICES; device++) {
        struct world *world = damaged(device);

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        expect_confirmed(world);
        assert_false(vcard_has(&world->card, "otter/pointer.0"));
        assert_false(vcard_has(&world->card, "otter/saved6.bin"));
        assert_true(vcard_has(&world->card, WORLD_PATH));
        assert_true(device != 4 || world_has_files(world, true));
        world_drop(world);
    }
}

/* The package that brought the present system still lies where it was. */
static void the_package_of_the_present_system_mends_it(void **state)
{
    (void)state;
    for (int device = 0; device < DEVICES; device++) {
        struct world *world = with_next(device);

        for (int i = 0; i < 3; i++) {
            damage(world);
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            expect_confirmed(world);
        }
        world_drop(world);
    }
}

/* Beside `next` the card gets version 1.`minor`.0, with the counter 1. */
static struct sample_package *put_beside(struct world *world, uint8_t minor,
                                         const char *path)
{
    struct sample_package *package = calloc(1, sizeof(*package));

    assert_non_null(package);
    sample_next(&world->sample, minor, package);
    package->package.counter = 1;
    sample_build(package);
    vcard_provision(&world->card, path, package->bytes, (uint32_t)package->size);
    return package;
}

static void the_present_systems_own_package_goes_before_every_other(void **state)
{
    struct world *world = make(0);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    vdevice_power_off(&world->device);
    vcard_power_on(&world->card, (struct vcard_fault){.kind = VCARD_NONE});
    assert_int_equal(vcard_remove(&world->card, WORLD_PATH), 0);
    vcard_power_off(&world->card, 1);
    struct sample_package *newer = put_beside(world, 3, "update/first.otter");

    vcard_provision(&world->card, "update/second.OTTER", world->next.bytes,
                    (uint32_t)world->next.size);
    damage(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    expect_confirmed(world);
    free(newer);
    world_drop(world);
}

static void while_an_application_runs_the_card_is_not_searched(void **state)
{
    struct world *world = make(0);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_NONE);
    world_enter_manager(world);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_NONE);
    world_drop(world);
}

/* ---- what it waits for ---- */

static void without_a_card_it_says_so_and_goes_on_when_it_comes(void **state)
{
    struct world *world = damaged(0);

    (void)state;
    vcard_pull(&world->card, 0);
    expect_rest(world, OTTER_E_CARD_NONE);
    vcard_put_back(&world->card);
    world->device.clock_ms += LOOK_MS;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    expect_confirmed(world);
    world_drop(world);
}

static void a_card_without_a_package_is_told_too(void **state)
{
    struct world *world = damaged(0);

    (void)state;
    vcard_power_on(&world->card, (struct vcard_fault){.kind = VCARD_NONE});
    assert_int_equal(vcard_remove(&world->card, WORLD_PATH), 0);
    vcard_power_off(&world->card, 1);
    expect_rest(world, OTTER_E_CARD_NOT_FOUND);
    vcard_provision(&world->card, "update/next", world->next.bytes,
                    (uint32_t)world->next.size);
    vcard_provision(&world->card, "next.otter", world->next.bytes,
                    (uint32_t)world->next.size);
    expect_rest(world, OTTER_E_CARD_NOT_FOUND);
    vcard_provision(&world->card, WORLD_PATH, world->next.bytes,
                    (uint32_t)world->next.size);
    put_in_again(world);
    expect_confirmed(world);
    world_drop(world);
}

static void an_update_that_is_not_allowed_now_is_asked_for_again(void **state)
{
    struct world *world = damaged(0);

    (void)state;
    world->device.allows_update = false;
    expect_rest(world, OTTER_E_POSTPONED);
    world->device.allows_update = true;
    world->device.clock_ms += LOOK_MS;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    expect_confirmed(world);
    world_drop(world);
}

/* ---- what it does not take ---- */

static void p6_what_the_door_refuses_changes_nothing_and_hides_no_other(void **state)
{
    struct world *world = damaged(0);
    uint8_t bytes[SAMPLE_PACKAGE_MAX];
    const uint32_t size = (uint32_t)world->next.size;
    const uint32_t offs[] = {0, OTTER_IMAGE_HEADER_SIZE + 44, size / 2, size - 1};

    (void)state;
    world_mark(world);
    for (size_t i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
        world_back(world);
        memcpy(bytes, world->next.bytes, size);
        bytes[offs[i]] ^= 1;
        vcard_provision(&world->card, WORLD_PATH, bytes, size);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_not_equal(world->device.code, 0);
        assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
        assert_true(world_is_untouched(world, OTTER_REGION_JOURNAL));
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        vcard_provision(&world->card, "update/other.otter", world->next.bytes, size);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        expect_confirmed(world);
    }
    world_drop(world);
}

enum spoil { SPOIL_KEY, SPOIL_VECTORS };

/* A package with right signature and hashes that is of no use: no key of the device
 * opens it, or its program cannot run. */
static void put_useless(struct world *world, enum spoil spoil, uint8_t minor,
                        const char *path)
{
    struct sample_package *package = calloc(1, sizeof(*package));

    assert_non_null(package);
    sample_next(&world->sample, minor, package);
    package->package.counter = 1;
    if (spoil == SPOIL_KEY) {
        sample_encrypt(&world->sample, package);
        package->wrap[0] ^= 1; /* the key's id */
    } else {
        package->firmware[4] &= 0xFE; /* the reset vector: no Thumb code */
    }
    sample_build(package);
    vcard_provision(&world->card, path, package->bytes, (uint32_t)package->size);
    free(package);
}

static void p6_what_is_of_no_use_costs_no_flash_and_hides_no_other(void **state)
{
    static const enum otter_result whys[] = {OTTER_E_KEY_MISSING, OTTER_E_VECTORS};

    (void)state;
    for (int spoil = 0; spoil < 2; spoil++) {
        struct world *world = make(0);

        vcard_power_on(&world->card, (struct vcard_fault){.kind = VCARD_NONE});
        assert_int_equal(vcard_remove(&world->card, WORLD_PATH), 0);
        vcard_power_off(&world->card, 1);
        put_useless(world, (enum spoil)spoil, 3, "update/a.otter");
        put_useless(world, (enum spoil)spoil, 4, "update/b.otter");
        damage(world);
        expect_rest(world, whys[spoil]);
        struct sample_package *good = put_beside(world, 2, "update/p.otter");

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        expect_confirmed(world);
        free(good);
        world_drop(world);
    }
}

/* The card's port, but for one thing: of the file `liar` the byte at LIE_OFF is another
 * one from the second reading on. So the door finds nothing and the receiver does. */
static struct {
    struct otter_files honest;
    const char *liars[2];
    int number; /* of the one that is open, or -1 */
    unsigned readings;
} card;

enum { LIE_FROM_END = 200 };

static enum otter_result lying_open(void *context, const char *path,
                                    enum otter_file_mode mode, int *file)
{
    enum otter_result result = card.honest.open(context, path, mode, file);

    if (result != OTTER_OK) {
        return result;
    }
    card.number = card.number == *file ? -1 : card.number;
    for (int i = 0; i < 2; i++) {
        if (strcmp(path, card.liars[i]) == 0) {
            card.number = *file;
            card.readings = 0;
        }
    }
    return result;
}

static enum otter_result lying_read(void *context, int file, uint32_t off, void *data,
                                    size_t len)
{
    enum otter_result result = card.honest.read(context, file, off, data, len);
    uint32_t size = 0;

    if (result != OTTER_OK || file != card.number) {
        return result;
    }
    assert_int_equal(card.honest.size(context, file, &size), OTTER_OK);
    uint32_t at = size - (uint32_t)LIE_FROM_END;

    if (off <= at && at - off < len && card.readings++ > 0) {
        ((uint8_t *)data)[at - off] ^= 1;
    }
    return OTTER_OK;
}

static void make_liars(struct world *world, const char *first, const char *second)
{
    memset(&card, 0, sizeof(card));
    card.honest = world->files;
    card.liars[0] = first;
    card.liars[1] = second;
    card.number = -1;
    world->files.open = lying_open;
    world->files.read = lying_read;
}

/* What the door took and the receiver did not has cost flash: once. */
static void what_is_refused_late_hides_no_newer_one(void **state)
{
    struct world *world = make(0);
    struct sample_package *late = put_beside(world, 3, "update/a.otter");
    struct sample_package *newer = put_beside(world, 4, "update/z.otter");

    (void)state;
    make_liars(world, "update/a.otter", WORLD_PATH);
    damage(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, newer));
    free(late);
    free(newer);
    world_drop(world);
}

static void two_that_are_refused_late_do_not_take_turns(void **state)
{
    struct world *world = make(0);
    struct sample_package *late = put_beside(world, 3, "update/a.otter");

    (void)state;
    make_liars(world, "update/a.otter", WORLD_PATH);
    damage(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REFUSED);
    expect_rest(world, OTTER_E_MEMBER_HASH);
    free(late);
    world_drop(world);
}

/* The counter is 2 once `next` is confirmed. */
static struct world *with_next_alone(struct sample_package **beside, uint8_t minor,
                                     uint32_t counter)
{
    struct world *world = with_next(0);

    damage(world);
    *beside = calloc(1, sizeof(**beside));
    assert_non_null(*beside);
    sample_next(&world->sample, minor, *beside);
    (*beside)->package.counter = counter;
    sample_build(*beside);
    vcard_provision(&world->card, WORLD_PATH, (*beside)->bytes,
                    (uint32_t)(*beside)->size);
    return world;
}

static void p6_the_counter_counts_also_for_what_a_person_puts_in(void **state)
{
    struct sample_package *old = NULL;
    struct world *world = with_next_alone(&old, 3, 1);

    (void)state;
    expect_rest(world, OTTER_E_COUNTER);
    put_in_again(world);
    expect_manager(world, OTTER_E_COUNTER);
    expect_rest(world, OTTER_E_COUNTER);
    free(old);
    world_drop(world);
}

static void an_older_version_takes_a_person(void **state)
{
    struct sample_package *old = NULL;
    struct world *world = with_next_alone(&old, 1, 2);

    (void)state;
    expect_rest(world, OTTER_E_CARD_OLDER);
    put_in_again(world);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, old));
    free(old);
    world_drop(world);
}

/* The package of the present system is damaged: that is told, whatever else lies there,
 * before and behind it. Without it a refusal is, and an age last. */
static void the_reason_that_counts_is_told(void **state)
{
    static const char *const others[] = {"update/a.otter", "update/zz.otter"};
    struct sample_package *old = NULL;
    struct world *world = with_next_alone(&old, 1, 2);
    uint8_t bytes[SAMPLE_PACKAGE_MAX];
    const uint32_t size = (uint32_t)world->next.size;

    (void)state;
    put_useless(world, SPOIL_KEY, 3, "update/b.otter"); /* its counter is 1 */
    vcard_provision(&world->card, "update/zy.otter", old->bytes, (uint32_t)old->size);
    expect_rest(world, OTTER_E_COUNTER);
    memcpy(bytes, world->next.bytes, size);
    bytes[size - (uint32_t)LIE_FROM_END] ^= 1;
    vcard_provision(&world->card, "update/c.otter", bytes, size);
    expect_rest(world, OTTER_E_MEMBER_HASH);
    for (int i = 0; i < 2; i++) {
        vcard_provision(&world->card, others[i], old->bytes, (uint32_t)old->size);
    }
    expect_rest(world, OTTER_E_MEMBER_HASH);
    free(old);
    world_drop(world);
}

/* ---- what fails ---- */

static void what_fails_its_trial_is_not_tried_again(void **state)
{
    static const enum vdevice_app apps[] = {VDEVICE_CRASH, VDEVICE_SILENT,
                                            VDEVICE_HANG};

    (void)state;
    for (int i = 0; i < DEVICES * 3; i++) {
        struct world *world = damaged(i / 3);

        world->device.app = apps[i % 3];
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        expect_manager(world, OTTER_E_ONE_WAY);
        const struct otter_state now = world_state(world);

        assert_int_equal(now.phase, OTTER_PHASE_CONFIRMED);
        assert_int_equal(now.outcome.kind, OTTER_OUTCOME_FAILED);
        assert_int_equal(now.counter, 1);
        expect_rest(world, OTTER_E_ONE_WAY);
        world->device.app = VDEVICE_CONFIRM;
        put_in_again(world); /* a person wants it */
        expect_confirmed(world);
        assert_true(i / 3 != 4 || world_has_files(world, true));
        world_drop(world);
    }
}

/* Power fails when the trial has just begun, and then, as often as the policy bears it,
 * before it is confirmed. */
static void lose_power_in_trial(struct world *world)
{
    const uint8_t limit = world->sample.profile.policy.trial_powers;
    struct vflash_fault fault = {.kind = VFLASH_CUT_AFTER};

    world_mark(world);
    do {
        world_back(world);
        assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
        fault.at_op++;
    } while (world_state(world).phase != OTTER_PHASE_TRIAL);
    fault.at_op = 3; /* boot has sealed what it found, then its attempt */
    for (int i = 0; i < 4 * limit && world_state(world).powers < limit; i++) {
        assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    }
    assert_int_equal(world_state(world).powers, limit);
}

/* What stands is what was confirmed before: ten lost powers say nothing against it. */
static void p4_a_system_that_is_mended_runs_though_its_trial_was_cut(void **state)
{
    (void)state;
    for (int device = 0; device < DEVICES; device++) {
        struct world *world = with_next(device);

        damage(world);
        lose_power_in_trial(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        const struct otter_state now = world_state(world);

        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_int_equal(now.outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
        assert_int_equal(now.outcome.code, otter_code(OTTER_E_TRIAL_POWER));
        assert_int_equal(now.flags, 0);
        assert_int_equal(now.counter, world->next.package.counter);
        assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
        assert_true(device != 4 || world_has_files(world, true));
        damage(world); /* and the package is still good for it */
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        expect_confirmed(world);
        world_drop(world);
    }
}

/* Of a system that fails by itself nothing is known but that: it is not run. */
static void a_system_that_fails_its_trial_is_not_mended(void **state)
{
    struct world *world = with_next(0);

    (void)state;
    damage(world);
    world->device.app = VDEVICE_CRASH;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    expect_manager(world, OTTER_E_ONE_WAY);
    expect_rest(world, OTTER_E_ONE_WAY);
    world_drop(world);
}

/* Another system than the one that was confirmed has no way back. */
static void k16_a_new_system_whose_trial_was_cut_is_not_mended(void **state)
{
    struct world *world = damaged(0);

    (void)state;
    lose_power_in_trial(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    expect_rest(world, OTTER_E_ONE_WAY);
    world_drop(world);
}

static void two_packages_that_fail_do_not_take_turns(void **state)
{
    struct world *world = damaged(0);
    struct sample_package *third = put_beside(world, 3, "update/a.otter");
    struct sample_package *same = put_beside(world, 1, "update/b.otter");

    (void)state;
    world->device.app = VDEVICE_CRASH;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    expect_manager(world, OTTER_E_ONE_WAY);
    expect_rest(world, OTTER_E_ONE_WAY);
    /* A newer one is tried. */
    struct sample_package *fourth = put_beside(world, 4, "update/c.otter");

    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, fourth));
    free(third);
    free(same);
    free(fourth);
    world_drop(world);
}

/* What was rolled back before the bit flipped is no cure. */
static void what_was_rolled_back_is_passed_over(void **state)
{
    struct world *world = make(0);

    (void)state;
    world->device.app = VDEVICE_CRASH;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    damage(world);
    expect_rest(world, OTTER_E_TRIAL_FAULTS);
    struct sample_package *same = put_beside(world, 1, "update/same.otter");

    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, same));
    free(same);
    world_drop(world);
}

/* Files of a system that failed its trial are whose nobody knows. */
static void k8_files_that_were_overwritten_are_not_kept(void **state)
{
    struct world *world = damaged(4);
    struct sample_package *keeps = calloc(1, sizeof(*keeps));

    (void)state;
    assert_non_null(keeps);
    world->device.app = VDEVICE_CRASH;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    expect_manager(world, OTTER_E_ONE_WAY);
    sample_next(&world->sample, 3, keeps);
    sample_carry_files(keeps, &world->sample.first.tree);
    keeps->members[keeps->package.member_count - 1].flags = OTTER_MEMBER_KEPT;
    sample_build(keeps);
    vcard_provision(&world->card, "update/keeps.otter", keeps->bytes,
                    (uint32_t)keeps->size);
    expect_rest(world, OTTER_E_KEPT);
    free(keeps);
    world_drop(world);
}

/* ---- a card that fails ---- */

/* The same fault at every operation: the device comes to rest with a code, and with a
 * card that works it gets its system. */
static void p7_a_failing_card_is_survived(void **state)
{
    static const struct {
        enum vcard_fault_kind kind;
        uint32_t seed;
    } kinds[] = {
        {VCARD_FAIL, 0}, {VCARD_FAIL, 1}, {VCARD_FULL, 0},
        {VCARD_PULL, 0}, {VCARD_PULL, 1}, {VCARD_PULL, 3},
    };
    static const int devices[] = {2, 4};

    (void)state;
    for (size_t d = 0; d < 2; d++) {
        struct world *world = damaged(devices[d]);

        world_mark(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        uint32_t count = world->card.op;

        for (uint32_t op = 0; op < count; op++) {
            size_t kind = op % (sizeof(kinds) / sizeof(kinds[0]));

            world_back(world);
            vcard_put_back(&world->card);
            world->device.card_fault = (struct vcard_fault){
                .at_op = op, .kind = kinds[kind].kind, .seed = kinds[kind].seed};
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_null(world->device.defect);
            if (world->device.program == OTTER_PROGRAM_MANAGER) {
                assert_int_equal(world->device.code >> 8, 36);
                vdevice_power_off(&world->device);
                vcard_put_back(&world->card);
                assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            }
            if (world->device.program == OTTER_PROGRAM_MANAGER) {
                put_in_again(world);
            }
            expect_confirmed(world);
        }
        world_drop(world);
    }
}

static enum otter_result refusal; /* of the card that is not to be written */

static enum otter_result refuses_to_open(void *context, const char *path,
                                         enum otter_file_mode mode, int *file)
{
    return mode == OTTER_FILE_READ ? card.honest.open(context, path, mode, file)
                                   : refusal;
}

static enum otter_result refuses_to_write(void *context, int file, uint32_t off,
                                          const void *data, size_t len)
{
    (void)context;
    (void)file;
    (void)off;
    (void)data;
    (void)len;
    return refusal;
}

/* Full, or protected from writing: there is nothing that could be taken, and a power-on
 * finds that out without touching flash. */
static void a_card_that_takes_no_file_costs_no_flash(void **state)
{
    static const enum otter_result whys[] = {OTTER_E_CARD_WRITE, OTTER_E_CARD_FULL};

    (void)state;
    for (int i = 0; i < DEVICES * 4; i++) {
        struct world *world = damaged(i / 4);

        card.honest = world->files;
        refusal = whys[i % 2];
        if (i % 4 < 2) {
            world->files.open = refuses_to_open;
        } else {
            world->files.write = refuses_to_write;
        }
        expect_rest(world, refusal);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
        world->files = card.honest;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        expect_confirmed(world);
        world_drop(world);
    }
}

static unsigned askings; /* for room */

/* What is free is enough as long as there are no pointer files. */
static enum otter_result has_little_room(void *context, uint32_t *bytes)
{
    (void)context;
    *bytes = askings++ % 2 == 0 ? UINT32_MAX : 100;
    return OTTER_OK;
}

static void the_pointers_take_room_of_the_card_too(void **state)
{
    struct world *world = damaged(4);

    (void)state;
    askings = 0;
    world->files.free_bytes = has_little_room;
    expect_rest(world, OTTER_E_CARD_FULL);
    assert_int_not_equal(askings, 0);
    world_drop(world);
}

/* Another card, while the application is half written: it was damaged before, so there
 * is nothing to wait for on the old one. */
static void another_card_with_a_package_will_do(void **state)
{
    struct world *world = damaged(0);
    uint32_t op = 0;

    (void)state;
    do {
        const struct vflash_fault fault = {.at_op = op++, .kind = VFLASH_CUT_AFTER};

        assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
    } while (world_state(world).part != OTTER_PART_WRITE ||
             world_state(world).cursor == 0);
    vcard_pull(&world->card, 0);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    expect_manager(world, OTTER_E_CARD_NONE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_INSTALLING);
    vdevice_power_off(&world->device);
    vcard_put_back(&world->card);
    vcard_power_on(&world->card, (struct vcard_fault){.kind = VCARD_NONE});
    assert_int_equal(vcard_remove(&world->card, "otter/pointer.0"), 0);
    assert_int_equal(vcard_remove(&world->card, "otter/pointer.1"), 0);
    vcard_power_off(&world->card, 1);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    expect_confirmed(world);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_application_is_replaced_from_the_card),
        cmocka_unit_test(the_package_of_the_present_system_mends_it),
        cmocka_unit_test(the_present_systems_own_package_goes_before_every_other),
        cmocka_unit_test(while_an_application_runs_the_card_is_not_searched),
        cmocka_unit_test(without_a_card_it_says_so_and_goes_on_when_it_comes),
        cmocka_unit_test(a_card_without_a_package_is_told_too),
        cmocka_unit_test(an_update_that_is_not_allowed_now_is_asked_for_again),
        cmocka_unit_test(p6_what_the_door_refuses_changes_nothing_and_hides_no_other),
        cmocka_unit_test(p6_what_is_of_no_use_costs_no_flash_and_hides_no_other),
        cmocka_unit_test(what_is_refused_late_hides_no_newer_one),
        cmocka_unit_test(two_that_are_refused_late_do_not_take_turns),
        cmocka_unit_test(p6_the_counter_counts_also_for_what_a_person_puts_in),
        cmocka_unit_test(an_older_version_takes_a_person),
        cmocka_unit_test(the_reason_that_counts_is_told),
        cmocka_unit_test(what_fails_its_trial_is_not_tried_again),
        cmocka_unit_test(p4_a_system_that_is_mended_runs_though_its_trial_was_cut),
        cmocka_unit_test(a_system_that_fails_its_trial_is_not_mended),
        cmocka_unit_test(k16_a_new_system_whose_trial_was_cut_is_not_mended),
        cmocka_unit_test(two_packages_that_fail_do_not_take_turns),
        cmocka_unit_test(what_was_rolled_back_is_passed_over),
        cmocka_unit_test(k8_files_that_were_overwritten_are_not_kept),
        cmocka_unit_test(p7_a_failing_card_is_survived),
        cmocka_unit_test(a_card_that_takes_no_file_costs_no_flash),
        cmocka_unit_test(the_pointers_take_room_of_the_card_too),
        cmocka_unit_test(another_card_with_a_package_will_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
