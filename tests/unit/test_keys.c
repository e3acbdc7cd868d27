/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys over time (K17): what a package revokes, when that begins to hold, and what it
 * leaves. Expected values: docs/SPEC.md, "Keys over time"; form of the extension and
 * its codes: tests/vectors/make_package.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "otter/bytes.h"
#include "vectors.h"
#include "world.h"

#include <string.h>

static const uint32_t all_keys = 0xFFFFFFFF;
static const uint32_t first_revoked = 0xFFFFFFFE;

static void on_both(void (*check)(struct world *world))
{
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = world_make_revoking(is_ab != 0);

        check(world);
        world_drop(world);
    }
}

/* ---- the extension ---- */

static void the_ids_of_revoked_keys_are_read_one_by_one(void **state)
{
    struct vector vector;
    struct watched watched;
    struct otter_control control;
    uint8_t id[OTTER_KEY_ID_SIZE];

    (void)state;
    vector_load("revokes_most.otter", &vector);
    const uint8_t *start = vector.data + OTTER_IMAGE_HEADER_SIZE;

    watched_init(&watched, start, otter_load_le16(start + 6));
    struct otter_source source = watched_source(&watched);

    assert_int_equal(otter_control_open(&source, &control), OTTER_OK);
    assert_int_equal(control.revoke_count, OTTER_REVOKES_MAX);
    for (uint8_t i = 0; i < control.revoke_count; i++) {
        assert_int_equal(otter_control_revoked(&source, &control, i, id), OTTER_OK);
        assert_int_equal(id[0], i * 8); /* the bytes 0, 1, 2 and so on */
        assert_int_equal(id[7], i * 8 + 7);
    }
    assert_int_equal(otter_control_revoked(&source, &control, control.revoke_count, id),
                     OTTER_E_CONTROL_COUNT);
}

static void a_read_error_in_the_search_for_a_signer_that_stays_passes(void **state)
{
    struct vector vector;
    struct watched watched;
    struct otter_control control;
    enum otter_result result = OTTER_E_FLASH_READ;
    bool has = false;

    (void)state;
    vector_load("revokes_most.otter", &vector);
    const uint8_t *start = vector.data + OTTER_IMAGE_HEADER_SIZE;

    watched_init(&watched, start, otter_load_le16(start + 6));
    struct otter_source source = watched_source(&watched);

    assert_int_equal(otter_control_open(&source, &control), OTTER_OK);
    while (result != OTTER_OK) {
        watched.reads = 0;
        watched.fail_at++;
        result = otter_control_outlives(&source, &control, &has);
        assert_int_equal(has, result == OTTER_OK);
        assert_true(result == OTTER_OK || result == OTTER_E_FLASH_READ);
    }
    assert_true(watched.fail_at > OTTER_REVOKES_MAX);
}

/* Signed by both keys of the device: which of them is left? */
static void k17_a_signer_that_stays_is_found_wherever_it_stands(void **state)
{
    static const struct {
        uint8_t revoked[2]; /* keys of the table; 2: one that is not there */
        bool has;
    } cases[] = {
        {{0, 2}, true}, {{2, 0}, true},  {{1, 2}, true},
        {{2, 1}, true}, {{0, 1}, false}, {{1, 0}, false},
    };
    struct world *world = world_make_revoking(false);
    uint8_t ids[2 * OTTER_KEY_ID_SIZE];

    (void)state;
    world->next.package.scalar = world->sample.scalar;
    world->next.package.more_scalars = world->sample.second;
    world->next.package.more_scalar_count = 1;
    world->next.extensions[0].data = ids;
    world->next.extensions[0].len = sizeof(ids);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct otter_control control;
        bool has = !cases[i].has;

        memset(ids, 0, sizeof(ids));
        for (size_t at = 0; at < 2; at++) {
            if (cases[i].revoked[at] < 2) {
                memcpy(ids + at * OTTER_KEY_ID_SIZE,
                       world->sample.table.keys[cases[i].revoked[at]].id,
                       OTTER_KEY_ID_SIZE);
            }
        }
        sample_build(&world->next);
        const struct host_image inner = {world->next.bytes + OTTER_IMAGE_HEADER_SIZE,
                                         (uint32_t)world->next.size -
                                             OTTER_IMAGE_HEADER_SIZE};
        struct otter_source source = host_image_source(&inner);

        assert_int_equal(otter_control_open(&source, &control), OTTER_OK);
        assert_int_equal(otter_control_outlives(&source, &control, &has), OTTER_OK);
        assert_int_equal(has, cases[i].has);
    }
    world_drop(world);
}

/* ---- what a package may revoke ---- */

/* The refusal comes with the control packet: nothing but the receipt was written. */
static void assert_refused(struct world *world, enum otter_result code)
{
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), code);
    assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
    assert_true(world_is_untouched(world, OTTER_REGION_SLOT_B));
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REFUSED);
    assert_int_equal(world_state(world).outcome.code, otter_code(code));
    assert_int_equal(world_state(world).key_mask, all_keys);
}

static void check_own_signer(struct world *world)
{
    world->next.package.scalar = world->sample.scalar;
    assert_refused(world, OTTER_E_SIGNATURE_OWN);
}

static void k17_a_package_that_revokes_its_own_signer_is_refused(void **state)
{
    (void)state;
    on_both(check_own_signer);
}

static void check_both_signers(struct world *world)
{
    world->next.package.scalar = world->sample.scalar;
    world->next.package.more_scalars = world->sample.second;
    world->next.package.more_scalar_count = 1;
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).key_mask, first_revoked);
}

static void k17_a_second_signature_by_a_key_that_stays_is_enough(void **state)
{
    (void)state;
    on_both(check_both_signers);
}

/* Both ids of the device's keys, the signer's among them. */
static void check_last_key(struct world *world)
{
    uint8_t ids[2 * OTTER_KEY_ID_SIZE];

    for (uint8_t i = 0; i < 2; i++) {
        memcpy(ids + (size_t)i * OTTER_KEY_ID_SIZE, world->sample.table.keys[i].id,
               OTTER_KEY_ID_SIZE);
    }
    world->next.extensions[0].data = ids;
    world->next.extensions[0].len = sizeof(ids);
    assert_refused(world, OTTER_E_KEY_LAST);
}

static void k17_a_package_that_revokes_the_last_key_is_refused(void **state)
{
    (void)state;
    on_both(check_last_key);
}

static void check_wrong_signature(struct world *world)
{
    sample_build(&world->next);
    world->next
        .bytes[OTTER_IMAGE_HEADER_SIZE +
               otter_load_le16(world->next.bytes + OTTER_IMAGE_HEADER_SIZE + 6) - 1] ^=
        1;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_SIGNATURE_BAD);
}

static void a_wrong_signature_is_told_before_what_is_revoked(void **state)
{
    (void)state;
    on_both(check_wrong_signature);
}

static void check_unknown_id(struct world *world)
{
    world->next.revoked[0] ^= 1;
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_int_equal(world_state(world).key_mask, all_keys);
}

static void an_id_that_the_device_does_not_have_revokes_nothing(void **state)
{
    (void)state;
    on_both(check_unknown_id);
}

/* ---- when it begins to hold ---- */

/* The next package, version 1.3.0, by one of the two keys. */
static enum otter_result offer_third(struct world *world, const uint8_t *scalar)
{
    sample_next(&world->sample, 3, &world->next);
    world->next.package.scalar = scalar;
    sample_build(&world->next);
    return world_feed(world);
}

static void check_confirmed(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_int_equal(world_state(world).key_mask, first_revoked);
    assert_int_equal(offer_third(world, world->sample.scalar),
                     OTTER_E_SIGNATURE_REVOKED);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE); /* the refusal */
    assert_int_equal(offer_third(world, world->sample.second), OTTER_OK);
}

static void k17_after_the_confirm_nothing_by_the_revoked_key_is_taken(void **state)
{
    (void)state;
    on_both(check_confirmed);
}

static void check_rolled_back(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_int_equal(world_state(world).key_mask, all_keys);
    assert_int_equal(offer_third(world, world->sample.scalar), OTTER_OK);
}

static void k17_a_roll_back_leaves_the_keys_as_they_were(void **state)
{
    (void)state;
    on_both(check_rolled_back);
}

/* The application on trial does not confirm by itself. */
static void begin_trial(struct world *world)
{
    world->device.app = VDEVICE_SILENT;
    world_prepare(world);
    world->device.hooks.idle = vdevice_stop_at_once;
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                     VDEVICE_STOPPED);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    world->device.hooks.idle = NULL;
}

static void check_trial(struct world *world)
{
    begin_trial(world);
    assert_int_equal(world_state(world).key_mask, all_keys);
}

static void k17_until_the_confirm_the_keys_are_those_of_the_old_system(void **state)
{
    (void)state;
    on_both(check_trial);
}

/* ---- what cannot come back ---- */

static void k17_a_slot_that_a_revoked_key_signed_is_not_taken_instead(void **state)
{
    struct world *world = world_make_revoking(true);

    (void)state;
    world->next.package.counter = 1; /* the counter alone would let it run */
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    world_damage(world, OTTER_REGION_SLOT_B);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, 30 * 256 + 11);
    world_drop(world);
}

static void lose_journal(struct world *world)
{
    const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);
    uint8_t erased[16];

    memset(erased, 0xFF, sizeof(erased));
    vdevice_power_off(&world->device);
    for (uint32_t off = 0; off < journal->size; off += sizeof(erased)) {
        vflash_provision(&world->device.flash, journal->addr + off, erased,
                         sizeof(erased));
    }
}

static void k2_a_lost_journal_does_not_forget_what_the_system_has_revoked(void **state)
{
    struct world *world = world_make_revoking(false);

    (void)state;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    lose_journal(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REBUILT);
    assert_int_equal(world_state(world).key_mask, first_revoked);
    assert_int_equal(offer_third(world, world->sample.scalar),
                     OTTER_E_SIGNATURE_REVOKED);
    world_drop(world);
}

/* As with the counter: the newer one is on trial again, and confirms again. */
static void k2_two_systems_without_a_journal_have_the_keys_of_the_older_one(
    void **state)
{
    struct world *world = world_make_revoking(true);

    (void)state;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    world->device.app = VDEVICE_SILENT;
    world->device.hooks.idle = vdevice_stop_at_once;
    lose_journal(world);
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_int_equal(world_state(world).key_mask, all_keys);
    world->device.hooks.idle = NULL;
    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).key_mask, first_revoked);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ids_of_revoked_keys_are_read_one_by_one),
        cmocka_unit_test(a_read_error_in_the_search_for_a_signer_that_stays_passes),
        cmocka_unit_test(k17_a_signer_that_stays_is_found_wherever_it_stands),
        cmocka_unit_test(k17_a_package_that_revokes_its_own_signer_is_refused),
        cmocka_unit_test(k17_a_second_signature_by_a_key_that_stays_is_enough),
        cmocka_unit_test(k17_a_package_that_revokes_the_last_key_is_refused),
        cmocka_unit_test(a_wrong_signature_is_told_before_what_is_revoked),
        cmocka_unit_test(an_id_that_the_device_does_not_have_revokes_nothing),
        cmocka_unit_test(k17_after_the_confirm_nothing_by_the_revoked_key_is_taken),
        cmocka_unit_test(k17_a_roll_back_leaves_the_keys_as_they_were),
        cmocka_unit_test(k17_until_the_confirm_the_keys_are_those_of_the_old_system),
        cmocka_unit_test(k17_a_slot_that_a_revoked_key_signed_is_not_taken_instead),
        cmocka_unit_test(k2_a_lost_journal_does_not_forget_what_the_system_has_revoked),
        cmocka_unit_test(
            k2_two_systems_without_a_journal_have_the_keys_of_the_older_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
