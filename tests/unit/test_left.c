/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files that outlive their system: a release that names none leaves the files
 * as they are, with a note on the card, and the next tree takes away what it does not
 * name, or gives it back (K20). Expected values: docs/SPEC.md, "Trees of files" and
 * "Card", and the sample.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest.h"
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/left.h"
#include "world.h"

#include <string.h>

#define NOTE "otter/left"

enum { NOTE_SIZE = 196, PATH_OFF = 64, CRC_OFF = 192 };

static void give(struct world *world, struct sample_package *package)
{
    sample_build(package);
    vcard_provision(&world->card, WORLD_PATH, package->bytes, (uint32_t)package->size);
}

/* An update with that package; afterwards the agent tidies the card. It does not make
 * sure of what it removes, so the device stays on. */
static void update(struct world *world, struct sample_package *package,
                   enum vdevice_app app, enum otter_outcome_kind ends)
{
    give(world, package);
    world->device.app = app;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, ends);
    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
}

/* The first system had files; the one that runs names none. */
static struct world *make_left(void)
{
    static struct sample_package bare;
    struct world *world = world_make_with_files();

    sample_next(&world->sample, 2, &bare);
    update(world, &bare, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, false));
    assert_true(vcard_has(&world->card, NOTE));
    assert_int_equal(tree_count_archives(&world->card), 1);
    sample_next(&world->sample, 3, &world->next);
    sample_carry_tree(&world->next);
    return world;
}

static void k20_what_was_left_goes_with_the_next_tree(void **state)
{
    struct world *world = make_left();

    (void)state;
    update(world, &world->next, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, true));
    assert_false(vcard_has(&world->card, NOTE));
    assert_int_equal(tree_count_archives(&world->card), 1);
    world_drop(world);
}

static void k20_what_was_left_comes_back_when_the_next_tree_fails(void **state)
{
    struct world *world = make_left();

    (void)state;
    update(world, &world->next, VDEVICE_CRASH, OTTER_OUTCOME_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_TRIAL_FAULTS));
    assert_true(world_has_files(world, false));
    assert_true(vcard_has(&world->card, NOTE));
    assert_int_equal(tree_count_archives(&world->card), 1);
    update(world, &world->next, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, true));
    world_drop(world);
}

/* Any number of releases without files may come between. */
static void k20_the_note_stays_until_a_tree_comes(void **state)
{
    static struct sample_package bare;
    struct world *world = make_left();

    (void)state;
    sample_next(&world->sample, 4, &bare);
    update(world, &bare, VDEVICE_CRASH, OTTER_OUTCOME_ROLLED_BACK);
    update(world, &bare, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    assert_true(vcard_has(&world->card, NOTE));
    sample_next(&world->sample, 5, &world->next);
    sample_carry_tree(&world->next);
    update(world, &world->next, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, true));
    world_drop(world);
}

static void k26_what_came_encrypted_is_left_and_comes_back(void **state)
{
    static struct sample_package secret;
    static struct sample_package bare;
    struct world *world = world_make_with_files();

    (void)state;
    sample_next(&world->sample, 2, &secret);
    sample_carry_tree(&secret);
    sample_encrypt(&world->sample, &secret);
    update(world, &secret, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    sample_next(&world->sample, 3, &bare);
    update(world, &bare, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    sample_next(&world->sample, 4, &world->next);
    sample_carry_tree(&world->next);
    update(world, &world->next, VDEVICE_CRASH, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(tree_is_on(&world->card, &secret.tree, &world->next.tree));
    world_drop(world);
}

/* The agent does not make sure of what it removes, but of this: come back, the note
 * would speak of files that have gone. */
static void k20_a_note_that_was_removed_stays_away(void **state)
{
    struct world *world = make_left();
    uint32_t size = 0;

    (void)state;
    update(world, &world->next, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    vdevice_power_off(&world->device);
    (void)vcard_peek(&world->card, NOTE, &size);
    assert_int_equal(size, 0);
    world_drop(world);
}

/* A package with files that failed has left none. */
static void a_tree_that_failed_is_not_left(void **state)
{
    struct world *world = world_make_on_card(false, false);

    (void)state;
    sample_carry_tree(&world->next);
    update(world, &world->next, VDEVICE_CRASH, OTTER_OUTCOME_ROLLED_BACK);
    assert_false(vcard_has(&world->card, NOTE));
    assert_int_equal(tree_count_archives(&world->card), 0);
    world_drop(world);
}

/* ---- cuts, and a card that fails, while the agent tidies ---- */

struct strike {
    struct vcard *card;
    struct vcard_fault fault; /* its operation counts from the confirm on */
};

static void strike_at_confirm(void *context, enum otter_program program,
                              const struct otter_event *event)
{
    const struct strike *strike = context;

    if (program == OTTER_PROGRAM_AGENT && event->kind == OTTER_EVENT_PHASE &&
        event->stage == OTTER_PHASE_CONFIRMED) {
        strike->card->fault = strike->fault;
        strike->card->fault.at_op += strike->card->op;
    }
}

/* The fault strikes that operation of the agent that tidies. False if there is none.
 * Afterwards the card is well, and in its place. */
static bool strike_tidying(struct vcard_fault fault)
{
    static struct sample_package bare;
    struct world *world = world_make_with_files();
    struct strike strike = {.card = &world->card, .fault = fault};

    sample_next(&world->sample, 2, &bare);
    give(world, &bare);
    world->device.hooks.context = &strike;
    world->device.hooks.on_event = strike_at_confirm;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    (void)vdevice_run(&world->device);
    bool is_struck = world->card.op > world->card.fault.at_op;

    vcard_put_back(&world->card);
    memset(&world->device.hooks, 0, sizeof(world->device.hooks));
    assert_int_equal(tree_count_archives(&world->card), 1);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    sample_next(&world->sample, 3, &world->next);
    sample_carry_tree(&world->next);
    update(world, &world->next, VDEVICE_CRASH, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(world_has_files(world, false));
    update(world, &world->next, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_has_files(world, true));
    world_drop(world);
    return is_struck;
}

static void strike_everywhere(const enum vcard_fault_kind *kinds, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct vcard_fault fault = {.kind = kinds[i]};

        for (fault.at_op = 1; strike_tidying(fault); fault.at_op++) {
            fault.seed = fault.at_op * 7 + i;
        }
        assert_in_range(fault.at_op, 15, 60);
    }
}

static void p3_the_note_is_written_wherever_the_power_goes(void **state)
{
    static const enum vcard_fault_kind kinds[] = {VCARD_CUT_BEFORE, VCARD_TORN,
                                                  VCARD_CUT_AFTER};

    (void)state;
    strike_everywhere(kinds, sizeof(kinds) / sizeof(kinds[0]));
}

static void p3_the_note_is_written_wherever_the_card_fails(void **state)
{
    static const enum vcard_fault_kind kinds[] = {VCARD_FAIL, VCARD_FAIL, VCARD_FULL,
                                                  VCARD_PULL};

    (void)state;
    strike_everywhere(kinds, sizeof(kinds) / sizeof(kinds[0]));
}

/* Says that it has written, and has not. */
static enum otter_result forget_bytes(void *context, int file, uint32_t off,
                                      const void *data, size_t len)
{
    (void)context;
    (void)file;
    (void)off;
    (void)data;
    (void)len;
    return OTTER_OK;
}

static void forget_from_confirm(void *context, enum otter_program program,
                                const struct otter_event *event)
{
    struct otter_files *files = context;

    if (program == OTTER_PROGRAM_AGENT && event->kind == OTTER_EVENT_PHASE &&
        event->stage == OTTER_PHASE_CONFIRMED) {
        files->write = forget_bytes;
    }
}

static void p3_no_archive_goes_while_the_note_does_not_read_back(void **state)
{
    static struct sample_package bare;
    struct world *world = world_make_with_files();
    const struct otter_files well = world->files;

    (void)state;
    sample_next(&world->sample, 2, &bare);
    give(world, &bare);
    world->device.hooks.context = &world->files;
    world->device.hooks.on_event = forget_from_confirm;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_ptr_equal(world->files.write, forget_bytes);
    memset(&world->device.hooks, 0, sizeof(world->device.hooks));
    assert_int_equal(tree_count_archives(&world->card), 1);
    world->files = well;
    sample_next(&world->sample, 3, &world->next);
    sample_carry_tree(&world->next);
    update(world, &world->next, VDEVICE_CRASH, OTTER_OUTCOME_ROLLED_BACK);
    assert_true(world_has_files(world, false));
    world_drop(world);
}

/* ---- the note, byte for byte ---- */

static void read_note(const struct world *world, uint8_t bytes[NOTE_SIZE])
{
    uint32_t size = 0;
    const uint8_t *note = vcard_peek(&world->card, NOTE, &size);

    assert_non_null(note);
    assert_int_equal(size, NOTE_SIZE);
    memcpy(bytes, note, NOTE_SIZE);
}

static void the_note_is_as_the_specification_has_it(void **state)
{
    struct world *world = make_left();
    const struct sample_package *first = &world->sample.first;
    uint8_t digest[OTTER_SHA256_SIZE];
    uint8_t bytes[NOTE_SIZE];

    (void)state;
    read_note(world, bytes);
    digest_of(first->archive, first->archive_size, digest);
    assert_memory_equal(bytes, "OTTP\1\0", 6);
    assert_int_equal(otter_load_le16(bytes + 6), strlen(TREE_ROOT));
    assert_int_equal(otter_load_le32(bytes + 8), 0);
    assert_int_equal(otter_load_le32(bytes + 12), first->archive_size);
    assert_memory_equal(bytes + 32, digest, sizeof(digest));
    assert_memory_equal(bytes + 64, TREE_ROOT, strlen(TREE_ROOT));
    assert_int_equal(otter_load_le32(bytes + CRC_OFF), otter_crc32(0, bytes, CRC_OFF));
    world_drop(world);
}

/* What the device, which runs, has for the tree of the current system. */
static enum otter_result ask_for_tree(struct world *world)
{
    struct otter_device *device = &world->device.agent.device;
    struct otter_system system;
    struct otter_member member;
    char root[OTTER_PATH_SIZE];

    assert_int_equal(otter_system_peek(device, device->journal.state.current, &system),
                     OTTER_OK);
    return otter_system_tree(device, &system, &member, root);
}

/* Whatever length it has, whichever bit is another. */
static void a_note_that_is_not_as_it_was_written_is_none(void **state)
{
    struct world *world = make_left();
    uint8_t bytes[NOTE_SIZE + 1] = {0};

    (void)state;
    read_note(world, bytes);
    for (uint32_t size = 0; size <= sizeof(bytes); size++) {
        vcard_provision(&world->card, NOTE, bytes, size);
        assert_int_equal(ask_for_tree(world), size == (uint32_t)NOTE_SIZE
                                                  ? OTTER_OK
                                                  : OTTER_E_CONTROL_MISSING);
    }
    for (uint32_t bit = 0; bit < 8 * (uint32_t)NOTE_SIZE; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        vcard_provision(&world->card, NOTE, bytes, NOTE_SIZE);
        assert_int_equal(ask_for_tree(world), OTTER_E_CONTROL_MISSING);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    world_drop(world);
}

/* "None" would be believed, and the archive go. */
static void a_card_that_fails_does_not_say_that_there_is_no_note(void **state)
{
    static const struct {
        enum vcard_fault_kind kind;
        enum otter_result result;
    } cases[] = {{VCARD_FAIL, OTTER_E_CARD_READ}, {VCARD_PULL, OTTER_E_CARD_NONE}};
    struct world *world = make_left();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint32_t begin = world->card.op;

        assert_int_equal(ask_for_tree(world), OTTER_OK);
        uint32_t ops = world->card.op - begin;

        assert_in_range(ops, 3, 10);
        for (uint32_t op = 0; op < 2 * ops; op++) {
            world->card.fault = (struct vcard_fault){
                .at_op = world->card.op + op / 2, .kind = cases[i].kind, .seed = op};
            assert_int_equal(ask_for_tree(world), cases[i].result);
            assert_int_equal(otter_card_fault(&world->device.agent.device),
                             cases[i].result);
            vcard_put_back(&world->card);
        }
    }
    world_drop(world);
}

static void put_note(struct world *world, uint8_t bytes[NOTE_SIZE], uint32_t size)
{
    otter_store_le32(bytes + CRC_OFF, otter_crc32(0, bytes, CRC_OFF));
    vcard_provision(&world->card, NOTE, bytes, size);
}

/* The folder of the device itself, under any of its names on a card. */
static void p8_a_note_about_what_is_the_devices_own_is_none(void **state)
{
    static const struct {
        const char *folder;
        enum otter_result result;
    } cases[] = {
        {"otter", OTTER_E_CONTROL_MISSING},
        {"OTTER", OTTER_E_CONTROL_MISSING},
        {"otter/a", OTTER_E_CONTROL_MISSING},
        {"Otter/a/b", OTTER_E_CONTROL_MISSING},
        {"./otter", OTTER_E_CONTROL_MISSING},
        {"res/../otter", OTTER_E_CONTROL_MISSING},
        {"/otter", OTTER_E_CONTROL_MISSING},
        {"otter/", OTTER_E_CONTROL_MISSING},
        {"otters", OTTER_OK},
        {"res/otter", OTTER_OK},
    };
    struct world *world = make_left();
    uint8_t bytes[NOTE_SIZE];

    (void)state;
    read_note(world, bytes);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].folder);

        memset(bytes + PATH_OFF, 0, CRC_OFF - PATH_OFF);
        memcpy(bytes + PATH_OFF, cases[i].folder, len);
        otter_store_le16(bytes + 6, (uint16_t)len);
        put_note(world, bytes, NOTE_SIZE);
        assert_int_equal(ask_for_tree(world), cases[i].result);
    }
    world_drop(world);
}

/* Cut short, about otter's own folder, or about an archive that is not there: nothing
 * is removed for it, and the update goes its way. */
static void p8_a_bad_note_removes_nothing(void **state)
{
    static const uint8_t own[] = "mine";

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        static struct sample_package bare;
        struct world *world = make_left();
        uint8_t bytes[NOTE_SIZE];

        /* Another update, so that no receipt knows the files any more. */
        sample_next(&world->sample, 4, &bare);
        update(world, &bare, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
        read_note(world, bytes);
        bytes[12] ^= i == 1 ? 1 : 0;
        bytes[32] ^= i == 2 ? 1 : 0;
        bytes[8] = i == 3 ? 2 : 0;
        if (i == 4) {
            memcpy(bytes + 64, "otter", 6);
            otter_store_le16(bytes + 6, 5);
        }
        put_note(world, bytes, i == 0 ? NOTE_SIZE - 1 : NOTE_SIZE);
        vcard_provision(&world->card, "otter/e", own, sizeof(own));
        sample_next(&world->sample, 5, &world->next);
        sample_carry_tree(&world->next);
        update(world, &world->next, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
        assert_true(tree_is_on(&world->card, &world->next.tree, &world->next.tree));
        assert_true(vcard_has(&world->card, TREE_ROOT "/b/empty"));
        assert_true(vcard_has(&world->card, "otter/e"));
        world_drop(world);
    }
}

/* The note, and no receipt, names an archive of these bytes. */
static void leave_archive(struct world *world, const uint8_t *archive, uint32_t size)
{
    static struct sample_package bare;
    uint8_t bytes[NOTE_SIZE];
    char path[OTTER_PATH_SIZE];

    sample_next(&world->sample, 4, &bare);
    update(world, &bare, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
    read_note(world, bytes);
    digest_of(archive, size, bytes + 32);
    otter_store_le32(bytes + 12, size);
    put_note(world, bytes, NOTE_SIZE);
    otter_card_archive_path(bytes + 32, path);
    vcard_provision(&world->card, path, archive, size);
}

/* Whole as its hash says, and yet none that can be walked through: the factory may have
 * put it there. What it names before the fault stays, too. */
static void k20_an_archive_that_cannot_be_walked_through_removes_nothing(void **state)
{
    enum { BLOCK = 512 };
    static uint8_t archive[SAMPLE_TREE_MAX];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *world = make_left();
        uint32_t size = world->sample.first.archive_size;

        memcpy(archive, world->sample.first.archive, size);
        archive[0] ^= i == 0;                    /* the first header's checksum */
        archive[size - 4 * BLOCK + 1] ^= i == 1; /* the last one's */
        size -= i == 2 ? 2 * BLOCK : 0;          /* no end */
        size -= i == 3 ? 2 * BLOCK + 1 : 0;      /* content that is cut short */
        leave_archive(world, archive, size);
        sample_next(&world->sample, 5, &world->next);
        sample_carry_tree(&world->next);
        update(world, &world->next, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED);
        assert_true(tree_is_on(&world->card, &world->next.tree, &world->next.tree));
        assert_true(vcard_has(&world->card, TREE_ROOT "/a/old"));
        assert_true(vcard_has(&world->card, TREE_ROOT "/b/empty"));
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k20_what_was_left_goes_with_the_next_tree),
        cmocka_unit_test(k20_what_was_left_comes_back_when_the_next_tree_fails),
        cmocka_unit_test(k20_the_note_stays_until_a_tree_comes),
        cmocka_unit_test(k26_what_came_encrypted_is_left_and_comes_back),
        cmocka_unit_test(k20_a_note_that_was_removed_stays_away),
        cmocka_unit_test(a_tree_that_failed_is_not_left),
        cmocka_unit_test(p3_the_note_is_written_wherever_the_power_goes),
        cmocka_unit_test(p3_the_note_is_written_wherever_the_card_fails),
        cmocka_unit_test(p3_no_archive_goes_while_the_note_does_not_read_back),
        cmocka_unit_test(the_note_is_as_the_specification_has_it),
        cmocka_unit_test(a_note_that_is_not_as_it_was_written_is_none),
        cmocka_unit_test(a_card_that_fails_does_not_say_that_there_is_no_note),
        cmocka_unit_test(p8_a_note_about_what_is_the_devices_own_is_none),
        cmocka_unit_test(p8_a_bad_note_removes_nothing),
        cmocka_unit_test(k20_an_archive_that_cannot_be_walked_through_removes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
