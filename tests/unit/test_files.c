/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files on a card (K20): installed, brought back, kept, refused, with the real
 * programs on a virtual flash and a virtual card. What the files are stands in
 * tests/support/sample.c; bad archives are those of Python's tarfile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../vectors/tar_vectors.h"
#include "crypto_bearssl.h"
#include "host_coding.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum otter_result update(struct world *world, enum vdevice_app app)
{
    world->device.app = app;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    enum otter_result result = world_install(world);

    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    vdevice_power_off(&world->device);
    return result;
}

static struct otter_outcome outcome_of(struct world *world)
{
    return world_state(world).outcome;
}

/* As the agent leaves them, which does not make sure of what it tidies. */
static uint32_t count_archives(struct world *world)
{
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    uint32_t count = tree_count_archives(&world->card);

    vdevice_power_off(&world->device);
    return count;
}

static void archive_of(const struct sample_package *package, char path[OTTER_PATH_SIZE])
{
    tree_archive_path(package->archive, package->archive_size, path);
}

/* Takes a file off the card, as a computer would. */
static void take_off(struct world *world, const char *path)
{
    vcard_power_on(&world->card, (struct vcard_fault){.kind = VCARD_NONE});
    assert_int_equal(vcard_remove(&world->card, path), 0);
    assert_int_equal(vcard_sync(&world->card, VCARD_ALL), 0);
    vcard_power_off(&world->card, 0);
}

/* ---- install and roll back ---- */

static void the_new_files_are_there_and_the_old_ones_are_gone(void **state)
{
    static const enum otter_coding codings[] = {OTTER_CODING_RAW, OTTER_CODING_ZLIB,
                                                OTTER_CODING_HEATSHRINK};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct world *world = world_make_with_files();

        assert_true(world_has_files(world, false));
        if (codings[i] != OTTER_CODING_RAW) {
            sample_code(&world->next, codings[i]);
            world_rebuild(world);
        }
        assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
        assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
        assert_true(world_has_files(world, true));
        assert_int_equal(count_archives(world), 1);
        assert_int_equal(world_state(world).flags, 0);
        world_drop(world);
    }
}

/* One chunk of zlib is all of it, and takes more than a step to come out. */
static void an_archive_in_one_chunk_comes_out_in_many_steps(void **state)
{
    struct world *world = world_make_with_files();
    struct host_member *member = &world->next.members[3];
    struct host_coded coded;

    (void)state;
    assert_true(host_code_zlib(&member->image, 15, 12, &coded));
    assert_in_range(coded.size, 600, SAMPLE_STORED_MAX);
    member->stored = (struct host_image){coded.data, coded.size};
    member->memory = coded.memory;
    member->coding = OTTER_CODING_ZLIB;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, true));
    free(coded.data);
    world_drop(world);
}

static void p4_a_system_that_fails_takes_its_files_with_it(void **state)
{
    static const enum vdevice_app apps[] = {VDEVICE_CRASH, VDEVICE_SILENT,
                                            VDEVICE_HANG};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct world *world = world_make_with_files();

        assert_int_equal(update(world, apps[i]), OTTER_OK);
        assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_ROLLED_BACK);
        assert_true(world_has_files(world, false));
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_int_equal(count_archives(world), 1);
        assert_int_equal(world_state(world).flags, 0);
        assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
        assert_true(world_has_files(world, true));
        world_drop(world);
    }
}

/* The first package with files, on a device that had none. */
static void files_that_were_added_disappear_again(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    sample_carry_tree(&world->next);
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CRASH), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_false(vcard_has(&world->card, TREE_ROOT));
    assert_int_equal(count_archives(world), 0);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_true(world_has_files(world, true));
    world_drop(world);
}

/* What a person has put beside them is left alone. */
static void a_file_of_somebody_else_stays_in_its_folder(void **state)
{
    static const uint8_t own[] = "mine";
    struct world *world = world_make_with_files();
    uint32_t size = 0;

    (void)state;
    vcard_provision(&world->card, TREE_ROOT "/b/mine", own, sizeof(own));
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    assert_non_null(vcard_peek(&world->card, TREE_ROOT "/b/mine", &size));
    assert_false(vcard_has(&world->card, TREE_ROOT "/b/empty"));
    world_drop(world);
}

static void a_tree_may_move_to_another_folder_and_be_empty(void **state)
{
    struct world *world = world_make_with_files();
    struct sample_package *next = &world->next;

    (void)state;
    next->extensions[0].data = "some/where";
    next->extensions[0].len = 10;
    next->archive_size = 1024;
    memset(next->archive, 0, 1024);
    next->members[3].image.size = 1024;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CRASH), OTTER_OK);
    assert_true(world_has_files(world, false));
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(vcard_has(&world->card, "some/where"));
    assert_false(vcard_has(&world->card, TREE_ROOT));
    world_drop(world);
}

/* A member that is kept names the same files in the same folder. */
static void keep_tree(struct sample *sample, struct sample_package *package)
{
    sample_next(sample, 2, package);
    sample_carry_files(package, &sample->first.tree);
    package->members[3].flags = OTTER_MEMBER_KEPT;
}

static void files_that_are_kept_stay_with_their_archive(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    keep_tree(&world->sample, &world->next);
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, true));
    assert_int_equal(count_archives(world), 1);
    world_drop(world);
}

static void k8_files_that_are_kept_elsewhere_are_not_those_of_the_device(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    keep_tree(&world->sample, &world->next);
    world->next.extensions[0].data = "rex";
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_KEPT);
    world->next.extensions[0].data = TREE_ROOT;
    world->next.archive[600] ^= 1;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_KEPT);
    world_drop(world);
}

/* Without their archive nobody knows which files a system has: the card may be another
 * one. It is found out before anything is written, and by stage 9 once more. */
static void k8_files_without_their_archive_are_not_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_with_files();
        char path[OTTER_PATH_SIZE];

        keep_tree(&world->sample, &world->next);
        world_rebuild(world);
        archive_of(&world->sample.first, path);
        if (i == 0) {
            take_off(world, path);
        } else {
            vcard_flip(&world->card, path, 520, 3);
        }
        assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CARD_TREE);
        assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
        assert_true(world_has_files(world, false));
        world_drop(world);
    }
}

/* Or it is gone by then. */
static void k8_an_archive_that_is_damaged_after_the_request_is_no_kept_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_with_files();
        char path[OTTER_PATH_SIZE];

        keep_tree(&world->sample, &world->next);
        world_rebuild(world);
        archive_of(&world->sample.first, path);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_install(world), OTTER_OK);
        if (i == 0) {
            vcard_flip(&world->card, path, 520, 3);
        } else {
            assert_int_equal(vcard_remove(&world->card, path), 0);
            assert_int_equal(vcard_sync(&world->card, VCARD_ALL), 0);
        }
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_FAILED);
        assert_int_equal(outcome_of(world).code, otter_code(OTTER_E_CARD_TREE));
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_true(world_has_files(world, false));
        world_drop(world);
    }
}

/* ---- the way back ---- */

static void note_event(void *context, enum otter_program program,
                       const struct otter_event *event)
{
    uint16_t *code = context;

    (void)program;
    if (event->code == otter_code(OTTER_E_CARD_TREE)) {
        *code = event->code;
    }
}

/* The old application runs, with the files of the update: those are whole, and nothing
 * is taken away for what cannot come back. The outcome says so until a package brings
 * files again. */
static void assert_files_stayed(struct world *world)
{
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_int_equal(outcome_of(world).code, otter_code(OTTER_E_CARD_TREE));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_int_equal(world_state(world).flags, 0);
    assert_true(tree_is_on(&world->card, &world->next.tree, &world->next.tree));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    vdevice_power_off(&world->device);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_true(tree_is_on(&world->card, &world->next.tree, &world->next.tree));
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
}

/* A card that was filled by other hands, or is a new one: the update is not refused for
 * it. */
static void without_the_old_archive_there_is_no_way_back_and_it_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_with_files();
        char path[OTTER_PATH_SIZE];
        uint16_t code = 0;

        archive_of(&world->sample.first, path);
        if (i == 0) {
            take_off(world, path);
        } else {
            vcard_flip(&world->card, path, 520, 3);
        }
        world->device.hooks.context = &code;
        world->device.hooks.on_event = note_event;
        assert_int_equal(update(world, VDEVICE_CRASH), OTTER_OK);
        assert_int_equal(code, otter_code(OTTER_E_CARD_TREE));
        assert_files_stayed(world);
        world_drop(world);
    }
}

struct spoiling {
    struct vcard *card;
    char path[OTTER_PATH_SIZE];
};

static void spoil_in_trial(void *context, enum otter_program program,
                           const struct otter_event *event)
{
    const struct spoiling *spoiling = context;

    if (program != OTTER_PROGRAM_BOOT && event->kind == OTTER_EVENT_PHASE &&
        event->stage == OTTER_PHASE_TRIAL) {
        vcard_flip(spoiling->card, spoiling->path, 520, 3);
    }
}

/* It is hashed before anything is taken away. */
static void k20_an_archive_that_is_damaged_in_the_trial_takes_nothing_away(void **state)
{
    struct world *world = world_make_with_files();
    struct spoiling spoiling = {.card = &world->card};

    (void)state;
    archive_of(&world->sample.first, spoiling.path);
    world->device.hooks.context = &spoiling;
    world->device.hooks.on_event = spoil_in_trial;
    assert_int_equal(update(world, VDEVICE_CRASH), OTTER_OK);
    memset(&world->device.hooks, 0, sizeof(world->device.hooks));
    assert_files_stayed(world);
    world_drop(world);
}

/* Found whole, and gone when its turn comes: the application that is back runs. */
static struct {
    struct world *world;
    char path[OTTER_PATH_SIZE];
    bool is_gone;
} vanishing;

static void take_away(void *context, const struct vflash_op *op)
{
    const struct otter_region *application =
        world_region(vanishing.world, OTTER_REGION_APPLICATION);
    struct vdevice *device = context;

    /* The copies have been compared; now the first of them is written. */
    if (!vanishing.is_gone && op->is_erase && op->addr == application->addr &&
        device->manager.device.journal.state.phase == OTTER_PHASE_ROLLING_BACK) {
        assert_int_equal(vcard_remove(&vanishing.world->card, vanishing.path), 0);
        vanishing.is_gone = true;
    }
}

static void k20_an_archive_that_goes_while_files_come_back_takes_nothing_away(
    void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    vanishing.world = world;
    vanishing.is_gone = false;
    archive_of(&world->sample.first, vanishing.path);
    world->device.flash.hooks.on_op = take_away;
    assert_int_equal(update(world, VDEVICE_CRASH), OTTER_OK);
    world->device.flash.hooks.on_op = NULL;
    assert_true(vanishing.is_gone);
    assert_files_stayed(world);
    world_drop(world);
}

/* Which files the update brought its receipt alone knows. Without it those of the old
 * system come back, and the others stay: "d", too, where an empty folder was. */
static void lose_new_receipt(void *context, enum otter_program program,
                             const struct otter_event *event)
{
    struct world *world = context;
    uint32_t size = 0;

    (void)program;
    if (event->kind == OTTER_EVENT_PHASE && event->stage == OTTER_PHASE_ROLLING_BACK) {
        for (uint8_t copy = 0; copy < 2; copy++) {
            vflash_flip(&world->device.flash,
                        world_receipt_addr(world, 1, copy, &size) + 60, 2);
        }
    }
}

static void k20_without_the_new_receipt_the_old_files_come_back(void **state)
{
    struct world *world = world_make_with_files();
    struct tree_file files[SAMPLE_TREE_FILES];
    struct tree old = {files, 0};

    (void)state;
    for (size_t i = 0; i < world->sample.first.tree.count; i++) {
        files[old.count] = world->sample.first.tree.files[i];
        old.count += strcmp(files[old.count].path, "d") != 0;
    }
    world->device.hooks.context = world;
    world->device.hooks.on_event = lose_new_receipt;
    assert_int_equal(update(world, VDEVICE_CRASH), OTTER_OK);
    world->device.hooks.on_event = NULL;
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_int_equal(outcome_of(world).code, otter_code(OTTER_E_TRIAL_FAULTS));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_true(tree_is_on(&world->card, &old, &old));
    assert_true(vcard_has(&world->card, TREE_ROOT "/a/new"));
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_true(tree_is_on(&world->card, &world->next.tree, &world->next.tree));
    world_drop(world);
}

/* A name in it that was changed, with the checksum of its header: hashed to be damaged,
 * it says nothing about what is to go. */
static void k20_a_damaged_archive_removes_no_file(void **state)
{
    static const uint8_t own[] = "mine";
    struct world *world = world_make_with_files();
    char path[OTTER_PATH_SIZE];
    uint32_t size = 0;

    (void)state;
    archive_of(&world->sample.first, path);
    const uint8_t *archive = vcard_peek(&world->card, path, &size);
    uint32_t off = 0;

    while (off < size && memcmp(archive + off, "a/old", 6) != 0) {
        off += 512;
    }
    assert_in_range(off, 0, size - 512);
    vcard_flip(&world->card, path, off + 2, 0); /* "a/nmd": the same sum */
    vcard_flip(&world->card, path, off + 3, 0);
    vcard_provision(&world->card, TREE_ROOT "/a/nmd", own, sizeof(own));
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(vcard_has(&world->card, TREE_ROOT "/a/nmd"));
    world_drop(world);
}

/* It lies in clear in no place but its own folder (K26). */
static bool lies_in_clear(const struct world *world, const char *path)
{
    const uint8_t *content = world->next.contents + 9; /* of "e" */
    uint32_t size = 0;
    const uint8_t *bytes = vcard_peek(&world->card, path, &size);

    for (uint32_t off = 0; bytes != NULL && off + 16 <= size; off++) {
        if (memcmp(bytes + off, content, 16) == 0) {
            return true;
        }
    }
    return false;
}

static void k26_the_archive_of_encrypted_files_is_encrypted(void **state)
{
    struct world *world = world_make_with_files();
    char path[OTTER_PATH_SIZE];

    (void)state;
    sample_encrypt(&world->sample, &world->next);
    world_rebuild(world);
    archive_of(&world->next, path);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, true));
    assert_true(vcard_has(&world->card, path));
    assert_false(lies_in_clear(world, path));
    assert_false(lies_in_clear(world, WORLD_PATH));
    assert_true(lies_in_clear(world, TREE_ROOT "/e"));
    world_drop(world);
}

/* What came encrypted comes back as well: the archive can be read. */
static void k26_encrypted_files_come_back(void **state)
{
    struct world *world = world_make_with_files();
    struct sample_package *third = malloc(sizeof(*third));
    const struct tree_file files[] = {{"third", (const uint8_t *)"3", 1}};
    const struct tree tree = {files, 1};

    (void)state;
    assert_non_null(third);
    sample_encrypt(&world->sample, &world->next);
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    sample_next(&world->sample, 3, third);
    sample_carry_files(third, &tree);
    sample_build(third);
    vcard_provision(&world->card, WORLD_PATH, third->bytes, (uint32_t)third->size);
    assert_int_equal(update(world, VDEVICE_CRASH), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(tree_is_on(&world->card, &world->next.tree, &tree));
    free(third);
    world_drop(world);
}

/* A third package, which keeps the files of `next`, lies on the card. */
static void provision_third(struct world *world)
{
    static struct sample_package third;

    sample_next(&world->sample, 3, &third);
    sample_carry_files(&third, &world->next.tree);
    third.members[3].flags = OTTER_MEMBER_KEPT | OTTER_MEMBER_ENCRYPTED;
    sample_build(&third);
    vcard_provision(&world->card, WORLD_PATH, third.bytes, (uint32_t)third.size);
}

static void k26_encrypted_files_are_kept(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    sample_encrypt(&world->sample, &world->next);
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    provision_third(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, true));
    world_drop(world);
}

/* The key goes when stage 9 has begun: what cannot be decrypted is not taken for whole.
 */
static void lose_key(void *context, enum otter_program program,
                     const struct otter_event *event)
{
    struct world *world = context;

    (void)program;
    if (event->kind == OTTER_EVENT_STAGE && event->stage == 9) {
        world->sample.key_store.count = 1; /* the root alone */
    }
}

static void k26_encrypted_files_are_not_kept_without_the_storage_key(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    sample_encrypt(&world->sample, &world->next);
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    world_mark(world);
    provision_third(world);
    world->device.hooks.context = world;
    world->device.hooks.on_event = lose_key;
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    world->device.hooks.on_event = NULL;
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(outcome_of(world).code, 9 * 256 + 98);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_true(world_has_files(world, true));
    world->sample.key_store.count = 2;
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    world_drop(world);
}

static void without_a_storage_key_encrypted_files_are_refused(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    world->sample.key_store.count = 1; /* the root alone */
    sample_encrypt(&world->sample, &world->next);
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_STORAGE_KEY);
    world_drop(world);
}

/* ---- what is refused ---- */

/* The package carries these bytes as its archive. */
static void carry_archive(struct world *world, const uint8_t *archive, size_t size)
{
    struct sample_package *next = &world->next;

    assert_in_range(size, 1, SAMPLE_TREE_MAX);
    memcpy(next->archive, archive, size);
    next->archive_size = (uint32_t)size;
    next->members[3].image.size = (uint32_t)size;
    world_rebuild(world);
}

static void p2_a_bad_archive_is_refused_before_anything_is_changed(void **state)
{
    uint8_t flipped[sizeof(tar_tree)];
    const struct {
        const uint8_t *data;
        size_t size;
        enum otter_result result;
    } bad[] = {
        {tar_up, sizeof(tar_up), OTTER_E_TAR_NAME},
        {tar_absolute, sizeof(tar_absolute), OTTER_E_TAR_NAME},
        {tar_soft_link, sizeof(tar_soft_link), OTTER_E_TAR_TYPE},
        {tar_device, sizeof(tar_device), OTTER_E_TAR_TYPE},
        {tar_twice, sizeof(tar_twice), OTTER_E_TAR_ORDER},
        {tar_homeless, sizeof(tar_homeless), OTTER_E_TAR_FOLDER},
        {tar_gnu, sizeof(tar_gnu), OTTER_E_TAR_FORMAT},
        {tar_tree, sizeof(tar_tree) - 512, OTTER_E_TAR_END},
        {tar_tree, 700, OTTER_E_TAR_END},
        {tar_tree, 1030, OTTER_E_TAR_SIZE},
        {flipped, sizeof(flipped), OTTER_E_TAR_CHECKSUM},
    };

    (void)state;
    memcpy(flipped, tar_tree, sizeof(flipped));
    flipped[512 + 5] ^= 1;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct world *world = world_make_with_files();

        carry_archive(world, bad[i].data, bad[i].size);
        assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
        if (outcome_of(world).code != otter_code(bad[i].result)) {
            fail_msg("%zu: %04X", i, outcome_of(world).code);
        }
        assert_int_equal(outcome_of(world).code, otter_code(bad[i].result));
        assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_FAILED);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        world->next.tree.count = 0;
        assert_true(world_has_files(world, false));
        world_drop(world);
    }
}

static void a_folder_that_is_none_is_refused(void **state)
{
    static const char *const roots[] = {
        "",        "/res",  "res/",     "../res", "a/../b", "otter", "OTTER",
        "otter/x", "a:b",   "\377\376", "x*",     "x?/y",   "x.",    "x./y",
        "x ",      "\"x\"", "<x",       "x>",     "a|b"};
    struct world *world = world_make_with_files();

    (void)state;
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        world->next.extensions[0].data = roots[i];
        world->next.extensions[0].len = (uint16_t)strlen(roots[i]);
        world_rebuild(world);
        assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CONTROL_ROOT);
    }
    world->next.extensions[0].data = "a\0b";
    world->next.extensions[0].len = 3;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CONTROL_ROOT);
    world->next.package.extension_count = 0;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CONTROL_ROOT);
    assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
    world_drop(world);
}

static void k13_files_are_never_in_place(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    world->next.members[3].flags = OTTER_MEMBER_IN_PLACE;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CONTROL_FLAGS);
    assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
    world_drop(world);
}

/* The name of a folder without files, and files that are no resources. */
static void a_folder_without_its_files_is_refused(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    world->next.members[3].role = OTTER_ROLE_FONT;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CONTROL_MEMBER);
    world->next.package.member_count = 3;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CONTROL_ROOT);
    world_drop(world);
}

static void the_longest_name_of_a_folder_is_taken(void **state)
{
    static char root[OTTER_PATH_SIZE];
    struct world *world = world_make_with_files();

    (void)state;
    memset(root, 'r', OTTER_PATH_MAX);
    world->next.extensions[0].data = root;
    world->next.extensions[0].len = OTTER_PATH_MAX;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).code, otter_code(OTTER_E_TAR_LONG));
    memset(root, 'r', sizeof(root));
    world->next.extensions[0].len = OTTER_PATH_SIZE;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CONTROL_ROOT);
    world_drop(world);
}

static void a_package_inside_the_folder_is_refused(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    world->next.extensions[0].data = "UPDATE";
    world->next.extensions[0].len = 6;
    world_rebuild(world);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CARD_INSIDE);
    world_drop(world);
}

static void a_device_without_a_card_takes_no_files(void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    sample_carry_tree(&world->next);
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_STRATEGY);
    world_drop(world);
}

static void k13_a_card_without_room_for_the_files_is_refused_at_once(void **state)
{
    struct world *world = world_make_with_files();
    uint32_t used = WORLD_CARD_SIZE - vcard_free_bytes(&world->card);
    uint32_t needed = 2 * world->next.archive_size + SAMPLE_FIRMWARE_SIZE;

    (void)state;
    world->card.capacity = used + needed - 512;
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_E_CARD_FULL);
    assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS));
    world->card.capacity = used + needed + 2048;
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_CONFIRMED);
    world_drop(world);
}

/* A file that does not read back is written once more, and then given up. */
static void k5_files_that_do_not_read_back_are_given_up(void **state)
{
    struct world *world = world_make_with_files();

    (void)state;
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    world_back(world);
    vcard_provision(&world->card, TREE_ROOT "/c", (const uint8_t *)"x", 1);
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    /* A file of somebody else stands where a folder is to be. */
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(
        tree_is_on(&world->card, &world->sample.first.tree, &world->sample.first.tree));
    world_drop(world);
}

/* A person has put something else where the old files are to come back, or the new ones
 * to go: the old application, which is whole, runs all the same, and theirs stays. */
static void k20_what_stands_in_the_way_of_files_closes_no_application(void **state)
{
    static const uint8_t own[] = "mine";
    static const struct {
        const char *taken; /* off the card */
        const char *path;
        const uint8_t *bytes; /* NULL: a folder, with something in it */
    } cases[] = {
        {TREE_ROOT "/a/both", TREE_ROOT "/a/both", NULL},
        {TREE_ROOT "/e", TREE_ROOT "/e", NULL},
        {TREE_ROOT "/a/old", TREE_ROOT "/a/old", NULL},
        {NULL, TREE_ROOT "/c", own},
        {NULL, TREE_ROOT "/a/new", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world *world = world_make_with_files();
        char inner[VCARD_PATH_MAX];

        (void)snprintf(inner, sizeof(inner), "%s/mine", cases[i].path);
        if (cases[i].taken != NULL) {
            take_off(world, cases[i].taken);
        }
        vcard_provision(&world->card, cases[i].path, cases[i].bytes,
                        cases[i].bytes == NULL ? 0 : sizeof(own));
        if (cases[i].bytes == NULL) {
            vcard_provision(&world->card, inner, own, sizeof(own));
        }
        assert_int_equal(update(world, VDEVICE_CRASH), OTTER_OK);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_ROLLED_BACK);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_true(
            vcard_has(&world->card, cases[i].bytes == NULL ? inner : cases[i].path));
        assert_int_equal(world_state(world).flags, 0);
        world_drop(world);
    }
}

/* The same with a file where the folder of the first tree is to be. */
static void k20_a_file_with_the_name_of_the_folder_stays(void **state)
{
    static const uint8_t own[] = "mine";
    struct world *world = world_make_on_card(false, false);

    (void)state;
    sample_carry_tree(&world->next);
    world_rebuild(world);
    vcard_provision(&world->card, TREE_ROOT, own, sizeof(own));
    assert_int_equal(update(world, VDEVICE_CONFIRM), OTTER_OK);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(outcome_of(world).kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(vcard_has(&world->card, TREE_ROOT));
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_new_files_are_there_and_the_old_ones_are_gone),
        cmocka_unit_test(an_archive_in_one_chunk_comes_out_in_many_steps),
        cmocka_unit_test(p4_a_system_that_fails_takes_its_files_with_it),
        cmocka_unit_test(files_that_were_added_disappear_again),
        cmocka_unit_test(a_file_of_somebody_else_stays_in_its_folder),
        cmocka_unit_test(a_tree_may_move_to_another_folder_and_be_empty),
        cmocka_unit_test(files_that_are_kept_stay_with_their_archive),
        cmocka_unit_test(k8_files_that_are_kept_elsewhere_are_not_those_of_the_device),
        cmocka_unit_test(k8_files_without_their_archive_are_not_kept),
        cmocka_unit_test(
            k8_an_archive_that_is_damaged_after_the_request_is_no_kept_one),
        cmocka_unit_test(without_the_old_archive_there_is_no_way_back_and_it_is_told),
        cmocka_unit_test(
            k20_an_archive_that_is_damaged_in_the_trial_takes_nothing_away),
        cmocka_unit_test(
            k20_an_archive_that_goes_while_files_come_back_takes_nothing_away),
        cmocka_unit_test(k20_without_the_new_receipt_the_old_files_come_back),
        cmocka_unit_test(k20_a_damaged_archive_removes_no_file),
        cmocka_unit_test(k26_the_archive_of_encrypted_files_is_encrypted),
        cmocka_unit_test(k26_encrypted_files_come_back),
        cmocka_unit_test(k26_encrypted_files_are_kept),
        cmocka_unit_test(k26_encrypted_files_are_not_kept_without_the_storage_key),
        cmocka_unit_test(without_a_storage_key_encrypted_files_are_refused),
        cmocka_unit_test(p2_a_bad_archive_is_refused_before_anything_is_changed),
        cmocka_unit_test(a_folder_that_is_none_is_refused),
        cmocka_unit_test(k13_files_are_never_in_place),
        cmocka_unit_test(a_folder_without_its_files_is_refused),
        cmocka_unit_test(the_longest_name_of_a_folder_is_taken),
        cmocka_unit_test(a_package_inside_the_folder_is_refused),
        cmocka_unit_test(a_device_without_a_card_takes_no_files),
        cmocka_unit_test(k13_a_card_without_room_for_the_files_is_refused_at_once),
        cmocka_unit_test(k5_files_that_do_not_read_back_are_given_up),
        cmocka_unit_test(k20_what_stands_in_the_way_of_files_closes_no_application),
        cmocka_unit_test(k20_a_file_with_the_name_of_the_folder_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
