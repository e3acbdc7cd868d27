/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypted packages on a device (K26): what is refused before the transfer, what the
 * engine finds before it writes, and what lies where afterwards. What cuts do to it is
 * swept by tests/powercut.
 */
#include "crypto_bearssl.h"
#include "host_wrap.h"
#include "otter/bytes.h"
#include "promises.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* No stage is ever further than its end. */
static void check_percent(void *context, enum otter_program program,
                          const struct otter_event *event)
{
    (void)context;
    (void)program;
    assert_in_range(event->percent, 0, 100);
}

/* A device whose next package is encrypted, and whose first system is if wanted. */
static struct world *make_world(bool is_ab, bool has_old)
{
    struct world *world = world_make_small(is_ab, false);

    if (has_old) {
        vdevice_destroy(&world->device);
        sample_encrypt_first(&world->sample);
        sample_device(&world->sample, false, &world->device);
        vflash_image_free(&world->start);
        world_mark(world);
    }
    sample_next(&world->sample, 2, &world->next);
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    world->device.hooks.on_event = check_percent;
    return world;
}

/* The transfer is refused with `code`, and only the incoming receipt and the journal
 * have changed (P6). */
static void assert_refused(struct world *world, enum otter_result code)
{
    static const uint8_t closed[] = {OTTER_REGION_STAGING, OTTER_REGION_APPLICATION,
                                     OTTER_REGION_SLOT_B, OTTER_REGION_MANAGER,
                                     OTTER_REGION_TABLE};

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), code);
    for (size_t i = 0; i < sizeof(closed); i++) {
        if (world_region(world, closed[i]) != NULL) {
            assert_true(world_is_untouched(world, closed[i]));
        }
    }
}

/* The engine ends with `code` before it writes anything of the old system. */
static void assert_failed(struct world *world, enum otter_result code)
{
    world_update(world, VDEVICE_CONFIRM);
    struct otter_state state = world_state(world);

    assert_int_equal(state.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(state.outcome.code, otter_code(code));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
}

static void assert_confirmed(struct world *world, bool is_ab)
{
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_holds(
        world, is_ab ? OTTER_REGION_SLOT_B : OTTER_REGION_APPLICATION, &world->next));
}

static void on_both(void (*check)(struct world *world), bool has_old)
{
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = make_world(is_ab != 0, has_old);

        check(world);
        world_drop(world);
    }
}

/* ---- keys ---- */

static void check_missing(struct world *world)
{
    world->sample.device_keys[0].id[0] ^= 1;
    assert_refused(world, OTTER_E_KEY_MISSING);
}

static void k26_a_package_for_no_key_of_the_device_is_refused_before_its_transfer(
    void **state)
{
    (void)state;
    on_both(check_missing, false);
}

static void check_revoked(struct world *world)
{
    world->sample.device_keys[0].is_revoked = true;
    assert_refused(world, OTTER_E_KEY_REVOKED);
}

static void k26_a_package_for_a_revoked_key_is_refused_before_its_transfer(void **state)
{
    (void)state;
    on_both(check_revoked, false);
}

static void check_unable(struct world *world)
{
    world->device.crypto = otter_crypto_bearssl;
    assert_refused(world, OTTER_E_CANNOT_DECRYPT);
}

static void k26_a_device_that_cannot_decrypt_says_so_before_the_transfer(void **state)
{
    (void)state;
    on_both(check_unable, false);
}

static void check_wrong(struct world *world)
{
    world->sample.device_keys[0].secret[5] ^= 1; /* the id stays */
    assert_failed(world, OTTER_E_KEY_WRONG);
}

static void k26_a_wrong_key_ends_the_installation_before_anything_is_written(
    void **state)
{
    (void)state;
    on_both(check_wrong, false);
}

/* The device loses the key, or its right to use it, while the package waits. */
static void check_late(struct world *world)
{
    static const enum otter_result codes[] = {OTTER_E_KEY_MISSING, OTTER_E_KEY_REVOKED};
    struct otter_device_key *own = &world->sample.device_keys[0];

    for (size_t i = 0; i < 2; i++) {
        world_back(world);
        world_prepare(world);
        own->id[0] ^= i == 0;
        own->is_revoked = i == 1;
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
        assert_int_equal(world_state(world).outcome.code, otter_code(codes[i]));
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        own->id[0] ^= i == 0;
        own->is_revoked = false;
    }
}

static void k26_a_key_that_goes_after_the_transfer_ends_the_installation(void **state)
{
    (void)state;
    on_both(check_late, false);
}

/* The wrap holds another key than that under which the members are encrypted. */
static void check_other_content(struct world *world)
{
    struct host_recipient root = {.kind = OTTER_WRAP_AES256};
    const uint8_t other[OTTER_AES_KEY_SIZE] = {1, 2, 3};
    struct otter_wrap wrap;

    memcpy(root.root, world->sample.device_keys[0].secret, sizeof(root.root));
    host_recipient_id(&root);
    assert_int_equal(host_wrap(&root, NULL, other, &wrap), OTTER_OK);
    assert_int_equal(host_wrap_put(&wrap, world->next.wrap),
                     world->next.extensions[0].len);
    sample_build(&world->next);
    assert_failed(world, OTTER_E_DECRYPTED_HASH);
}

static void k26_content_that_does_not_match_is_found_before_anything_is_written(
    void **state)
{
    (void)state;
    on_both(check_other_content, false);
}

/* What the receiver sees of a clear program, the engine sees of an encrypted one. */
static void check_vectors(struct world *world)
{
    sample_next(&world->sample, 2, &world->next);
    otter_store_le32(world->next.firmware + 4, 0x41000001);
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    assert_failed(world, OTTER_E_VECTORS);
}

static void k14_vectors_of_an_encrypted_program_are_checked_before_it_is_written(
    void **state)
{
    (void)state;
    on_both(check_vectors, false);
}

/* ECIES, with the device's P-256 key and nothing else. */
static void check_p256(struct world *world)
{
    struct otter_device_key *own = &world->sample.device_keys[0];
    struct host_recipient device = {.kind = OTTER_WRAP_ECIES_P256};
    const uint8_t ephemeral[HOST_SIGN_SCALAR_SIZE] = {[0] = 9, [31] = 7};
    struct otter_wrap wrap;

    own->kind = OTTER_DEVICE_KEY_P256;
    assert_int_equal(host_sign_public(own->secret, device.point), OTTER_OK);
    host_recipient_id(&device);
    memcpy(own->id, device.id, sizeof(own->id));
    assert_int_equal(host_wrap(&device, ephemeral, world->next.content_key, &wrap),
                     OTTER_OK);
    world->next.extensions[0].len = (uint16_t)host_wrap_put(&wrap, world->next.wrap);
    sample_build(&world->next);
    assert_confirmed(world, world_region(world, OTTER_REGION_SLOT_B) != NULL);
}

static void k26_a_package_for_the_devices_p256_key_is_installed(void **state)
{
    (void)state;
    on_both(check_p256, false);
}

/* Coded first, encrypted then: the decoder reads through the cipher, from any place in
 * the store. */
static void check_coded(struct world *world, enum otter_coding coding)
{
    sample_next(&world->sample, 2, &world->next);
    sample_code(&world->next, coding);
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    assert_confirmed(world, world_region(world, OTTER_REGION_SLOT_B) != NULL);
}

static void check_zlib(struct world *world)
{
    check_coded(world, OTTER_CODING_ZLIB);
}

static void check_heatshrink(struct world *world)
{
    check_coded(world, OTTER_CODING_HEATSHRINK);
}

static void k26_what_is_coded_and_encrypted_is_decrypted_and_decoded(void **state)
{
    (void)state;
    on_both(check_zlib, true);
    on_both(check_heatshrink, true);
}

/* ---- what lies where ---- */

static struct secrecy *contents_of(const struct world *world)
{
    struct secrecy *contents = calloc(1, sizeof(*contents));

    assert_non_null(contents);
    secrecy_add(contents, world->next.firmware, SAMPLE_FIRMWARE_SIZE);
    secrecy_add(contents, world->sample.first.firmware, SAMPLE_FIRMWARE_SIZE);
    return contents;
}

static bool is_in_staging(const struct world *world)
{
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    struct secrecy *contents = contents_of(world);
    size_t at = 0;
    bool is_found = secrecy_finds(
        contents, vflash_peek(&world->device.flash, staging->addr, staging->size),
        staging->size, &at);

    free(contents);
    return is_found;
}

static void check_staging(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    assert_false(is_in_staging(world));
}

static void k26_staging_holds_nothing_in_clear_and_the_old_system_comes_back(
    void **state)
{
    (void)state;
    on_both(check_staging, true);
}

/* ---- the storage key goes ---- */

/* When: as soon as the trial begins, or when boot has read the saved copy whole and
 * makes its next record, after which it copies. */
static struct {
    struct world *world;
    bool is_late;
    bool is_trial;
    bool is_copy_read;
    bool is_gone;
} storage;

static void lose_storage_key(void)
{
    storage.world->sample.key_store.count = 1; /* the root alone */
    storage.is_gone = true;
}

static void on_event(void *context, enum otter_program program,
                     const struct otter_event *event)
{
    (void)context;
    (void)program;
    if (event->kind == OTTER_EVENT_PHASE && event->stage == OTTER_PHASE_TRIAL) {
        storage.is_trial = true;
        if (!storage.is_late) {
            lose_storage_key();
        }
    }
}

static void on_read(void *context, uint32_t addr, size_t size)
{
    const struct otter_region *staging =
        world_region(storage.world, OTTER_REGION_STAGING);

    (void)context;
    (void)size;
    storage.is_copy_read =
        storage.is_copy_read || (storage.is_trial && addr >= staging->addr &&
                                 addr - staging->addr < staging->size);
}

static void on_op(void *context, const struct vflash_op *op)
{
    (void)context;
    (void)op;
    if (storage.is_late && storage.is_copy_read && !storage.is_gone) {
        lose_storage_key();
    }
}

static void check_storage_key(struct world *world)
{
    for (int is_late = 0; is_late < 2; is_late++) {
        world_back(world);
        world->sample.key_store.count = 2;
        memset(&storage, 0, sizeof(storage));
        storage.world = world;
        storage.is_late = is_late != 0;
        world->device.hooks.on_event = on_event;
        world->device.flash.hooks.on_read = on_read;
        world->device.flash.hooks.on_op = on_op;
        assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
        world->device.hooks.on_event = NULL;
        world->device.flash.hooks.on_read = NULL;
        world->device.flash.hooks.on_op = NULL;
        assert_true(storage.is_gone);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world_state(world).outcome.code,
                         otter_code(OTTER_E_ROLL_BACK));
        /* What cannot be read is not written over what stands. */
        assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
        world->sample.key_store.count = 2;
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    }
}

static void k26_without_the_storage_key_boot_copies_nothing(void **state)
{
    struct world *world = make_world(false, true);

    (void)state;
    check_storage_key(world);
    world_drop(world);
}

/* The policy is part of the table, so the sample is made with it. */
static struct world *make_with_policy(uint8_t saved_copies)
{
    struct world *world = world_make_small(false, false);
    struct sample *sample = &world->sample;

    vdevice_destroy(&world->device);
    sample->table.policy.saved_copies = saved_copies;
    assert_int_equal(otter_table_encode(&sample->table, sample->table_bytes,
                                        sizeof(sample->table_bytes),
                                        &sample->table_size),
                     OTTER_OK);
    sample->first.members[2].image.size =
        (uint32_t)sample->table_size - OTTER_TABLE_CONTENT_OFF;
    sample_encrypt_first(sample);
    sample_device(sample, false, &world->device);
    vflash_image_free(&world->start);
    world_mark(world);
    sample_next(sample, 2, &world->next);
    sample_encrypt(sample, &world->next);
    sample_build(&world->next);
    return world;
}

static void k26_copies_lie_in_clear_only_where_the_policy_says_so(void **state)
{
    struct world *world = make_with_policy(OTTER_SAVED_CLEAR);

    (void)state;
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    assert_true(is_in_staging(world));
    world_drop(world);
}

static void k26_without_policy_or_storage_key_an_encrypted_system_is_not_replaced(
    void **state)
{
    struct world *world = make_with_policy(OTTER_SAVED_NEVER);

    (void)state;
    assert_refused(world, OTTER_E_STORAGE_KEY);
    world_drop(world);
    world = make_with_policy(OTTER_SAVED_ENCRYPTED);
    world->sample.key_store.count = 1; /* the root alone */
    assert_refused(world, OTTER_E_STORAGE_KEY);
    world_drop(world);
}

/* ---- the plan ---- */

/* The slot is where it runs, so ciphertext needs staging (K14). */
static void k26_two_slots_without_room_in_staging_refuse_encrypted_firmware(
    void **state)
{
    struct world *world = make_world(true, false);
    struct otter_region *staging = NULL;

    (void)state;
    for (uint8_t i = 0; i < world->sample.table.map.count; i++) {
        if (world->sample.table.map.regions[i].id == OTTER_REGION_STAGING) {
            staging = &world->sample.table.map.regions[i];
        }
    }
    if (staging == NULL) {
        fail();
        return;
    }
    staging->size = 1024;
    vdevice_destroy(&world->device);
    assert_int_equal(otter_table_encode(&world->sample.table, world->sample.table_bytes,
                                        sizeof(world->sample.table_bytes),
                                        &world->sample.table_size),
                     OTTER_OK);
    sample_build(&world->sample.first);
    sample_device(&world->sample, false, &world->device);
    vflash_image_free(&world->start);
    world_mark(world);
    sample_next(&world->sample, 2, &world->next);
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    assert_refused(world, OTTER_E_NO_SPACE);
    world_drop(world);
}

static void check_kept(struct world *world)
{
    world->next.members[1].flags = OTTER_MEMBER_KEPT; /* without "encrypted" */
    sample_build(&world->next);
    assert_refused(world, OTTER_E_KEPT);
}

static void k26_a_kept_member_stays_one_that_came_encrypted(void **state)
{
    (void)state;
    on_both(check_kept, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            k26_a_package_for_no_key_of_the_device_is_refused_before_its_transfer),
        cmocka_unit_test(
            k26_a_package_for_a_revoked_key_is_refused_before_its_transfer),
        cmocka_unit_test(k26_a_device_that_cannot_decrypt_says_so_before_the_transfer),
        cmocka_unit_test(
            k26_a_wrong_key_ends_the_installation_before_anything_is_written),
        cmocka_unit_test(k26_a_key_that_goes_after_the_transfer_ends_the_installation),
        cmocka_unit_test(
            k26_content_that_does_not_match_is_found_before_anything_is_written),
        cmocka_unit_test(
            k14_vectors_of_an_encrypted_program_are_checked_before_it_is_written),
        cmocka_unit_test(k26_a_package_for_the_devices_p256_key_is_installed),
        cmocka_unit_test(k26_what_is_coded_and_encrypted_is_decrypted_and_decoded),
        cmocka_unit_test(
            k26_staging_holds_nothing_in_clear_and_the_old_system_comes_back),
        cmocka_unit_test(k26_without_the_storage_key_boot_copies_nothing),
        cmocka_unit_test(k26_copies_lie_in_clear_only_where_the_policy_says_so),
        cmocka_unit_test(
            k26_without_policy_or_storage_key_an_encrypted_system_is_not_replaced),
        cmocka_unit_test(
            k26_two_slots_without_room_in_staging_refuse_encrypted_firmware),
        cmocka_unit_test(k26_a_kept_member_stays_one_that_came_encrypted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
