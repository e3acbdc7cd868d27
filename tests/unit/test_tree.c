/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files whose card or flash changes under the hands of the stages that bring
 * them: keys that go, archives that go, files that do not read back, words of a receipt
 * that die. Expected: docs/SPEC.md, "Trees of files", the contracts K5 and K20, the
 * promises P1 and P7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto_bearssl.h"
#include "otter/tree.h"
#include "world.h"

#include <string.h>

enum { FILES = 15, ASIDE = 36 }; /* stages */
enum { TREE_MEMBER = 3 };        /* of the sample's packages */

/* The device is asked for the update and is off: the manager has all of it to do. */
static struct world *make_requested(bool is_encrypted)
{
    struct world *world = world_make_with_files();

    if (is_encrypted) {
        sample_encrypt(&world->sample, &world->next);
        world_rebuild(world);
    }
    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    vdevice_power_off(&world->device);
    world_mark(world);
    return world;
}

static void archive_of(const struct sample_package *package, char path[OTTER_PATH_SIZE])
{
    tree_archive_path(package->archive, package->archive_size, path);
}

static bool has_tree(const struct world *world, const struct sample_package *package)
{
    return tree_is_on(&world->card, &package->tree, &package->tree);
}

static bool runs_next(struct world *world)
{
    return world->device.program == OTTER_PROGRAM_AGENT &&
           world_holds(world, OTTER_REGION_APPLICATION, &world->next) &&
           world_state(world).outcome.kind == OTTER_OUTCOME_CONFIRMED &&
           has_tree(world, &world->next);
}

/* ---- what goes when a stage begins ---- */

static struct {
    struct world *world;
    uint8_t stage; /* when this one begins, */
    void (*strike)(struct world *world);
    uint32_t count; /* so often it has struck */
} at_stage;

static void strike_at_stage(void *context, enum otter_program program,
                            const struct otter_event *event)
{
    (void)context;
    if (program == OTTER_PROGRAM_MANAGER && event->kind == OTTER_EVENT_STAGE &&
        event->stage == at_stage.stage && event->percent == 0 && at_stage.count == 0) {
        at_stage.count++;
        at_stage.strike(at_stage.world);
    }
}

static void run_with_strike(struct world *world, uint8_t stage,
                            void (*strike)(struct world *world))
{
    at_stage.world = world;
    at_stage.stage = stage;
    at_stage.strike = strike;
    at_stage.count = 0;
    world->device.hooks.on_event = strike_at_stage;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    world->device.hooks.on_event = NULL;
    assert_int_equal(at_stage.count, 1);
    assert_null(world->device.defect);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
}

static void lose_storage_key(struct world *world)
{
    world->sample.key_store.count = 1; /* the root alone */
}

static void k26_without_the_storage_key_no_archive_is_read_or_written(void **state)
{
    static const struct {
        uint8_t stage;
        enum otter_outcome_kind ends;
    } cases[] = {{ASIDE, OTTER_OUTCOME_FAILED}, {FILES, OTTER_OUTCOME_ROLLED_BACK}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world *world = make_requested(true);

        run_with_strike(world, cases[i].stage, lose_storage_key);
        assert_int_equal(world_state(world).outcome.kind, cases[i].ends);
        assert_int_equal(world_state(world).outcome.code,
                         otter_code(OTTER_E_STORAGE_KEY));
        assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
        assert_true(world_has_files(world, false));
        world_drop(world);
    }
}

static void spoil_archive(struct world *world, const struct sample_package *package)
{
    char path[OTTER_PATH_SIZE];

    archive_of(package, path);
    vcard_provision(&world->card, path, "x", 1);
}

static void spoil_new(struct world *world)
{
    spoil_archive(world, &world->next);
}

static void spoil_old(struct world *world)
{
    spoil_archive(world, &world->sample.first);
}

static void k20_a_new_archive_that_goes_before_it_is_unpacked_brings_the_old_back(
    void **state)
{
    struct world *world = make_requested(false);

    (void)state;
    run_with_strike(world, FILES, spoil_new);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_CARD_TREE));
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    assert_true(world_has_files(world, false));
    world_drop(world);
}

/* Cut when files are unpacked, and the journal has noted how far. */
static void cut_in_files(struct world *world)
{
    struct vflash_fault fault = {.kind = VFLASH_CUT_AFTER};
    struct otter_state now;

    do {
        world_back(world);
        assert_int_equal(vdevice_power_on(&world->device, fault), VDEVICE_CUT);
        now = world_state(world);
        fault.at_op++;
    } while (now.part != OTTER_PART_WRITE || now.member != TREE_MEMBER ||
             now.cursor == 0);
}

/* The same when half of the files are there: the card is another one by then. */
static void k20_so_it_does_when_files_are_half_unpacked(void **state)
{
    struct world *world = make_requested(false);

    (void)state;
    cut_in_files(world);
    run_with_strike(world, FILES, spoil_new);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_CARD_TREE));
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    assert_true(has_tree(world, &world->sample.first));
    world_drop(world);
}

/* Nothing tells then what is stale. */
static void k20_an_old_archive_that_goes_before_files_are_unpacked_removes_none(
    void **state)
{
    struct world *world = make_requested(false);

    (void)state;
    run_with_strike(world, FILES, spoil_old);
    assert_true(runs_next(world));
    assert_true(vcard_has(&world->card, TREE_ROOT "/a/old"));
    assert_true(vcard_has(&world->card, TREE_ROOT "/b/empty"));
    world_drop(world);
}

/* ---- what does not read back ---- */

static struct {
    struct vcard *card;
    const char *before; /* the file at whose opening or closing something is spoilt */
    enum vcard_op_kind kind;
    void (*spoil)(struct vcard *card);
    uint32_t count; /* so often it is spoilt */
} at_op;

static void spoil_at_op(void *context, const struct vcard_op *op)
{
    (void)context;
    if (at_op.count > 0 && op->kind == at_op.kind && op->path != NULL &&
        strcmp(op->path, at_op.before) == 0) {
        at_op.count--;
        at_op.spoil(at_op.card);
    }
}

static void run_spoilt(struct world *world, enum vcard_op_kind kind, const char *before,
                       void (*spoil)(struct vcard *card), uint32_t count)
{
    at_op.card = &world->card;
    at_op.before = before;
    at_op.kind = kind;
    at_op.spoil = spoil;
    at_op.count = count;
    world->card.hooks.on_op = spoil_at_op;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    world->card.hooks.on_op = NULL;
    assert_int_equal(at_op.count, 0);
    assert_null(world->device.defect);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
}

static void flip_archive(struct vcard *card)
{
    vcard_flip(card, at_op.before, 700, 4);
}

/* It is read before anything of the old system changes. */
static void k5_an_archive_that_does_not_read_back_changes_nothing(void **state)
{
    struct world *world = make_requested(false);
    char path[OTTER_PATH_SIZE];

    (void)state;
    archive_of(&world->next, path);
    run_spoilt(world, VCARD_CLOSE, path, flip_archive, 1);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_CARD_WRITE));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_true(world_has_files(world, false));
    world_drop(world);
}

/* One that lies there already, since a cut, is looked at before it is believed. */
static void k5_an_archive_that_is_damaged_is_put_aside_anew(void **state)
{
    struct world *world = make_requested(false);
    const struct sample_package *next = &world->next;
    char path[OTTER_PATH_SIZE];

    (void)state;
    archive_of(next, path);
    vcard_provision(&world->card, path, next->archive, next->archive_size);
    vcard_flip(&world->card, path, 700, 4);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(runs_next(world));
    world_drop(world);
}

#define SPOILT TREE_ROOT "/e"

static void make_longer(struct vcard *card)
{
    static const uint8_t zeros[91] = {0};

    vcard_provision(card, SPOILT, zeros, sizeof(zeros));
}

static void make_empty(struct vcard *card)
{
    vcard_provision(card, SPOILT, "", 0);
}

static void change_byte(struct vcard *card)
{
    vcard_flip(card, SPOILT, 89, 7);
}

static void take_away(struct vcard *card)
{
    assert_int_equal(vcard_remove(card, SPOILT), 0);
}

/* All files are written once more, then it is given up. */
static void k5_a_file_that_does_not_read_back_is_written_once_more(void **state)
{
    static void (*const spoil[])(struct vcard *) = {make_longer, make_empty,
                                                    change_byte, take_away};

    (void)state;
    for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
        struct world *world = make_requested(false);

        run_spoilt(world, VCARD_OPEN, "otter/settle", spoil[i], 1);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
        assert_true(world_has_files(world, true));
        world_back(world);
        run_spoilt(world, VCARD_OPEN, "otter/settle", spoil[i], 2);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
        assert_int_equal(world_state(world).outcome.code >> 8, FILES);
        assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
        assert_true(world_has_files(world, false));
        world_drop(world);
    }
}

/* ---- receipts that die ---- */

enum { SLOTS = 2, OLD = 0 /* slot of the receipt of the system that runs */ };

static struct {
    struct world *world;
    uint32_t addr[SLOTS][OTTER_RECEIPT_COPIES];
    uint32_t size;
    bool is_both;  /* copies lose the word */
    bool is_under; /* the stages of files are under way */
    uint32_t fail_at;
    uint32_t reads; /* of receipts in these stages */
    uint8_t slot;   /* whose word died, from `fail_at` on */
} dying;

static void note_stage(void *context, enum otter_program program,
                       const struct otter_event *event)
{
    (void)context;
    if (event->kind == OTTER_EVENT_STAGE) {
        dying.is_under = program == OTTER_PROGRAM_MANAGER &&
                         (event->stage == ASIDE || event->stage == FILES);
    } else if (event->kind == OTTER_EVENT_PHASE) {
        dying.is_under = false;
    }
}

static void kill_if_in(uint8_t slot, uint8_t copy, uint32_t addr)
{
    uint32_t off = addr - dying.addr[slot][copy];
    struct vflash *flash = &dying.world->device.flash;

    if (addr < dying.addr[slot][copy] || off >= dying.size ||
        ++dying.reads != dying.fail_at) {
        return;
    }
    dying.slot = slot;
    vflash_kill_word(flash, addr);
    if (dying.is_both) {
        vflash_kill_word(flash, dying.addr[slot][1 - copy] + off);
    }
}

static void on_read(void *context, uint32_t addr, size_t size)
{
    (void)context;
    (void)size;
    for (uint8_t i = 0; dying.is_under && i < SLOTS * OTTER_RECEIPT_COPIES; i++) {
        kill_if_in(i / OTTER_RECEIPT_COPIES, i % OTTER_RECEIPT_COPIES, addr);
    }
}

static void run_dying(struct world *world, uint32_t fail_at)
{
    world_back(world);
    dying.fail_at = fail_at;
    dying.reads = 0;
    dying.is_under = false;
    world->device.flash.hooks.on_read = on_read;
    world->device.hooks.on_event = note_stage;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    world->device.flash.hooks.on_read = NULL;
    assert_null(world->device.defect);
}

/* The old system runs, and an outcome says why. Without the new receipt nobody knows
 * which of its names are stale: "d", which was a folder, stays the new file. */
static bool runs_first(struct world *world)
{
    const struct tree sure = {world->sample.first.tree.files, 6};

    assert_string_equal(sure.files[6].path, "d");
    return world->device.program == OTTER_PROGRAM_AGENT &&
           world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first) &&
           world_state(world).outcome.kind != OTTER_OUTCOME_CONFIRMED &&
           world_state(world).outcome.code != 0 &&
           tree_is_on(&world->card, &sure, &sure);
}

static void check_outcome(struct world *world)
{
    if (!runs_next(world) && (dying.slot == OLD || !runs_first(world))) {
        fail_msg("reading %u: program %d, outcome %u with %04X",
                 (unsigned)dying.fail_at, (int)world->device.program,
                 world_state(world).outcome.kind, world_state(world).outcome.code);
    }
}

static void check_dying(bool is_both)
{
    struct world *world = make_requested(false);

    dying.world = world;
    dying.is_both = is_both;
    for (uint8_t i = 0; i < SLOTS * OTTER_RECEIPT_COPIES; i++) {
        dying.addr[i / OTTER_RECEIPT_COPIES][i % OTTER_RECEIPT_COPIES] =
            world_receipt_addr(world, i / OTTER_RECEIPT_COPIES,
                               i % OTTER_RECEIPT_COPIES, &dying.size);
    }
    run_dying(world, 0);
    uint32_t reads = dying.reads;

    assert_in_range(reads, 50, 1000);
    for (uint32_t at = 1; at <= reads; at++) {
        run_dying(world, at);
        check_outcome(world);
    }
    world_drop(world);
}

static void p7_a_word_of_a_receipt_that_dies_costs_no_system(void **state)
{
    (void)state;
    check_dying(false);
}

/* The old one is no way back then, nor does anybody know what is stale. */
static void p1_an_update_with_files_outlives_the_old_receipt(void **state)
{
    (void)state;
    check_dying(true);
}

/* ---- the machine alone ---- */

/* Without any tree nothing is done but to make sure of the card; then nothing at all,
 * however often it is asked. */
static void a_tree_at_its_end_stays_there(void **state)
{
    static struct otter_tree tree;
    struct world *world = world_make_with_files();

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    for (uint32_t cursor = 0; cursor <= 512; cursor += 512) {
        bool is_done = false;

        memset(&tree, 0, sizeof(tree));
        otter_tree_open(&tree, &world->device.agent.device, cursor);
        for (int i = 0; i < 5 && !is_done; i++) {
            assert_int_equal(otter_tree_step(&tree, &is_done), OTTER_OK);
        }
        assert_true(is_done);
        uint32_t ops = world->card.op;

        assert_int_equal(otter_tree_step(&tree, &is_done), OTTER_OK);
        assert_true(is_done);
        assert_int_equal(world->card.op, ops);
        assert_int_equal(otter_tree_done(&tree), 0);
        assert_true(has_tree(world, &world->sample.first));
    }
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k26_without_the_storage_key_no_archive_is_read_or_written),
        cmocka_unit_test(
            k20_a_new_archive_that_goes_before_it_is_unpacked_brings_the_old_back),
        cmocka_unit_test(k20_so_it_does_when_files_are_half_unpacked),
        cmocka_unit_test(
            k20_an_old_archive_that_goes_before_files_are_unpacked_removes_none),
        cmocka_unit_test(k5_an_archive_that_does_not_read_back_changes_nothing),
        cmocka_unit_test(k5_an_archive_that_is_damaged_is_put_aside_anew),
        cmocka_unit_test(k5_a_file_that_does_not_read_back_is_written_once_more),
        cmocka_unit_test(p7_a_word_of_a_receipt_that_dies_costs_no_system),
        cmocka_unit_test(p1_an_update_with_files_outlives_the_old_receipt),
        cmocka_unit_test(a_tree_at_its_end_stays_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
