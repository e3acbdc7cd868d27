/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage that appears while a device works, in a transfer, an installation, a trial and
 * a roll back: at any one reading of flash the word that is read dies, or a bit of it
 * flips, and stays so until its sector is erased; at any one program or erase its
 * sector, or the whole journal, goes bad for ever. Whatever reading or operation that
 * is, the old or the new system runs, whole, or the manager runs and says why; and the
 * outcome says what is true. Expected: the promises P1, P7 and P8 of docs/DESIGN.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "promises.h"
#include "world.h"

#include <stdio.h>

enum { SECTOR = 512, CHUNK = 200 };

enum hurt_kind {
    HURT_WORD,    /* the first word of what is read cannot be read any more */
    HURT_LAST,    /* the last one */
    HURT_BIT,     /* a bit in the middle of it has flipped */
    HURT_SIZE,    /* a bit at an eighth: of a member's entry, its installed size */
    HURT_HASH,    /* a bit at three quarters: of a member's entry, its installed hash */
    HURT_SECTOR,  /* the sector that is programmed or erased goes bad */
    HURT_JOURNAL, /* all sectors of the journal do */
};

struct journey {
    const char *name;
    bool is_ab;
    bool carries_manager;
    enum vdevice_app app;
    bool is_transfer;       /* the transfer, else what follows the request */
    enum otter_part cut_in; /* and power was cut before in this part of it */
    bool is_stuck;          /* the new manager does not start */
    bool has_regions;       /* both systems have resources and a font */
};

static const struct journey journeys[] = {
    {"single, transfer", false, false, VDEVICE_CONFIRM, true, OTTER_PART_NONE, false,
     false},
    {"A/B, transfer", true, true, VDEVICE_CONFIRM, true, OTTER_PART_NONE, false, false},
    {"single, resumed in the members", false, true, VDEVICE_CONFIRM, true,
     OTTER_PART_MEMBERS, false, false},
    {"A/B, resumed at the end", true, false, VDEVICE_CONFIRM, true, OTTER_PART_HASH,
     false, false},
    {"single, confirmed", false, false, VDEVICE_CONFIRM, false, OTTER_PART_NONE, false,
     false},
    {"A/B, confirmed", true, false, VDEVICE_CONFIRM, false, OTTER_PART_NONE, false,
     false},
    {"single, with manager, rolled back", false, true, VDEVICE_CRASH, false,
     OTTER_PART_NONE, false, false},
    {"A/B, with manager, rolled back", true, true, VDEVICE_CRASH, false,
     OTTER_PART_NONE, false, false},
    {"single, a manager that does not start", false, true, VDEVICE_CONFIRM, false,
     OTTER_PART_NONE, true, false},
    {.name = "single, with resources and font", .has_regions = true},
    {.name = "A/B, with resources and font", .is_ab = true, .has_regions = true},
    {.name = "single, with resources and font, rolled back",
     .has_regions = true,
     .app = VDEVICE_CRASH},
    {.name = "A/B, with all, rolled back",
     .is_ab = true,
     .carries_manager = true,
     .has_regions = true,
     .app = VDEVICE_CRASH},
};

/* The one damage of a run. */
static struct {
    enum hurt_kind kind;
    uint32_t at;    /* reading or operation that it strikes, counted from 0 */
    uint32_t count; /* of them so far */
    uint32_t addr;  /* that was struck */
    const struct otter_region *journal;
} hurt;

static bool flips(void)
{
    return hurt.kind >= HURT_BIT && hurt.kind <= HURT_HASH;
}

/* A reading of the first two words of an image, after its hash was found right: no
 * program can know that a bit flips between the last look and the jump. */
static bool is_last_look(size_t size)
{
    return flips() && size == 8;
}

/* Only words that hold something are struck: a device that programs what was erased
 * could not know. */
static void on_read(void *context, uint32_t addr, size_t size)
{
    struct vdevice *device = context;
    const uint32_t offs[] = {
        [HURT_WORD] = 0,
        [HURT_LAST] = (uint32_t)size - 1,
        [HURT_BIT] = (uint32_t)size / 2,
        [HURT_SIZE] = (uint32_t)size / 8,
        [HURT_HASH] = (uint32_t)size / 4 * 3,
    };

    if (size == 0 || is_last_look(size) ||
        vflash_word_at(&device->flash, addr + offs[hurt.kind]) !=
            VFLASH_WORD_PROGRAMMED) {
        return;
    }
    if (hurt.count++ != hurt.at) {
        return;
    }
    hurt.addr = addr + offs[hurt.kind];
    if (flips()) {
        vflash_flip(&device->flash, hurt.addr, hurt.addr % 8);
    } else {
        vflash_kill_word(&device->flash, hurt.addr);
    }
}

static void set_bad(struct vdevice *device, bool is_bad)
{
    if (hurt.kind == HURT_SECTOR) {
        vflash_set_bad(&device->flash, hurt.addr, is_bad);
        return;
    }
    for (uint32_t off = 0; off < hurt.journal->size; off += SECTOR) {
        vflash_set_bad(&device->flash, hurt.journal->addr + off, is_bad);
    }
}

static void on_op(void *context, const struct vflash_op *op)
{
    if (hurt.count++ == hurt.at) {
        hurt.addr = op->addr;
        set_bad(context, true);
    }
}

static void arm(struct vdevice *device, bool is_armed)
{
    bool is_reading = hurt.kind < HURT_SECTOR;

    device->flash.hooks.on_read = is_armed && is_reading ? on_read : NULL;
    device->flash.hooks.on_op = is_armed && !is_reading ? on_op : NULL;
}

static struct world *make(const struct journey *journey)
{
    struct world *world = journey->has_regions
                              ? world_make_full(journey->is_ab)
                              : world_make_small(journey->is_ab, false);

    if (journey->carries_manager) {
        sample_carry_manager(&world->sample, &world->next);
        sample_build(&world->next);
    }
    return world;
}

static struct promise_case promises_of(struct world *world,
                                       const struct journey *journey,
                                       const struct vflash_image *before)
{
    bool has_regions = journey->has_regions;

    return (struct promise_case){
        .device = &world->device,
        .map = &world->sample.profile.map,
        .before = before,
        .old = {.resources = has_regions ? world->sample.first.resources : NULL,
                .resources_size = SAMPLE_RESOURCES_SIZE,
                .font = has_regions ? world->sample.first.font : NULL,
                .font_size = SAMPLE_FONT_SIZE,
                .firmware = world->sample.first.firmware,
                .firmware_size = SAMPLE_FIRMWARE_SIZE,
                .manager = world->sample.manager,
                .manager_size = SAMPLE_MANAGER_SIZE,
                .counter = 1},
        .new = {.resources = has_regions ? world->next.resources : NULL,
                .resources_size = SAMPLE_RESOURCES_SIZE,
                .font = has_regions ? world->next.font : NULL,
                .font_size = SAMPLE_FONT_SIZE,
                .firmware = world->next.firmware,
                .firmware_size = SAMPLE_FIRMWARE_SIZE,
                .manager = journey->carries_manager ? world->next.manager
                                                    : world->sample.manager,
                .manager_size = SAMPLE_MANAGER_SIZE,
                .counter = 2},
        .carries_manager = journey->carries_manager,
        .is_hurt = true,
    };
}

/* The part of an update that is struck. */
static enum vdevice_end travel(struct world *world, const struct journey *journey)
{
    enum otter_result result = OTTER_OK;

    world->device.app = journey->app;
    world->device.app_manager = journey->is_stuck ? VDEVICE_CRASH : VDEVICE_CONFIRM;
    if (!journey->is_transfer) {
        return world_power_on(world);
    }
    enum vdevice_end end = world_power_on(world);

    if (end == VDEVICE_IDLE && world->device.code == 0) { /* the agent has opened */
        end = vdevice_feed(&world->device, world->next.bytes, world->next.size, CHUNK,
                           &result);
    }
    if (end == VDEVICE_IDLE && world->device.code == 0 && result == OTTER_OK) {
        end = vdevice_request(&world->device, &result);
    }
    return end;
}

/* A manager without a journal cannot finish what it has begun: it stays and says why. A
 * trial it leaves to boot again, its time being over, as that may count one later. */
static bool is_without_journal(const struct vdevice *device, enum vdevice_end end)
{
    uint8_t phase = device->manager.device.journal.state.phase;

    if (hurt.kind != HURT_JOURNAL || device->program != OTTER_PROGRAM_MANAGER) {
        return false;
    }
    return phase == OTTER_PHASE_TRIAL
               ? end == VDEVICE_STOPPED &&
                     device->code == otter_code(OTTER_E_JOURNAL_SECTORS)
               : end == VDEVICE_IDLE &&
                     device->manager.result == OTTER_E_JOURNAL_SECTORS;
}

static const char *check(const struct promise_case *promises, enum vdevice_end end)
{
    const char *broken = is_without_journal(promises->device, end)
                             ? promises->device->defect
                             : promise_p1(promises, end);

    if (broken == NULL) {
        broken = promise_p7(promises);
    }
    return broken == NULL ? promise_p8(promises) : broken;
}

/* A copy of a receipt that dies alone costs nothing: its twin says the same, so that a
 * system runs. */
static bool is_in_receipt(const struct world *world)
{
    const struct otter_region *receipts = world_region(world, OTTER_REGION_RECEIPTS);

    return hurt.kind < HURT_SECTOR && hurt.addr >= receipts->addr &&
           hurt.addr - receipts->addr < receipts->size;
}

static const char *check_strictly(const struct world *world,
                                  const struct promise_case *promises,
                                  enum vdevice_end end)
{
    struct promise_case strict = *promises;

    strict.is_hurt = !is_in_receipt(world);
    return strict.is_hurt ? check(promises, end) : promise_p1(&strict, end);
}

/* One run with a damage at reading `hurt.at`; false past the last one. */
static bool run(struct world *world, const struct journey *journey,
                const struct promise_case *promises)
{
    world_back(world);
    hurt.count = 0;
    arm(&world->device, true);
    enum vdevice_end end = travel(world, journey);

    arm(&world->device, false);
    if (hurt.count <= hurt.at) {
        return false;
    }
    const char *broken = check_strictly(world, promises, end);

    if (broken == NULL) {
        broken = check(promises, end);
    }
    if (broken == NULL) {
        end = world_power_on(world);
        broken = check_strictly(world, promises, end);
    }
    if (broken == NULL) {
        broken = check(promises, end);
    }
    if (hurt.kind >= HURT_SECTOR) {
        set_bad(&world->device, false);
    }
    if (broken != NULL) {
        fail_msg("%s: kind %d, number %u, address %x: %s", journey->name,
                 (int)hurt.kind, (unsigned)hurt.at, (unsigned)hurt.addr, broken);
    }
    return true;
}

/* Cuts the power in `part` of the transfer, as late as can be. */
static void cut_in(struct world *world, enum otter_part part)
{
    enum otter_result result = OTTER_OK;
    struct vflash *flash = &world->device.flash;

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_OK);
    for (uint32_t op = flash->op; op > 0; op--) {
        world_back(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        flash->fault = (struct vflash_fault){.at_op = op - 1, .kind = VFLASH_CUT_AFTER};
        assert_int_equal(vdevice_feed(&world->device, world->next.bytes,
                                      world->next.size, CHUNK, &result),
                         VDEVICE_CUT);
        flash->fault.kind = VFLASH_NONE;
        if (world_state(world).part == part) {
            return;
        }
    }
    fail_msg("no cut leaves that part");
}

/* Brings the device to the begin of the journey. */
static void depart(struct world *world, const struct journey *journey)
{
    if (journey->cut_in != OTTER_PART_NONE) {
        cut_in(world, journey->cut_in);
    } else if (!journey->is_transfer) {
        world_prepare(world);
    }
    vdevice_power_off(&world->device);
    world_mark(world);
}

static void sweep(enum hurt_kind kind, uint32_t stride)
{
    for (size_t i = 0; i < sizeof(journeys) / sizeof(journeys[0]); i++) {
        struct world *world = make(&journeys[i]);
        struct vflash_image before = {0};

        vflash_save(&world->device.flash, &before);
        depart(world, &journeys[i]);
        struct promise_case promises = promises_of(world, &journeys[i], &before);

        hurt.kind = kind;
        hurt.journal = world_region(world, OTTER_REGION_JOURNAL);
        hurt.at = 0;
        while (run(world, &journeys[i], &promises)) {
            hurt.at += stride;
        }
        assert_true(hurt.at > 20); /* so many there are at least */
        vflash_image_free(&before);
        world_drop(world);
    }
}

static void p1_a_word_that_dies_at_any_reading_leaves_a_system_that_runs(void **state)
{
    (void)state;
    sweep(HURT_WORD, 1);
    sweep(HURT_LAST, 5);
}

static void p1_a_bit_that_flips_at_any_reading_leaves_a_system_that_runs(void **state)
{
    (void)state;
    sweep(HURT_BIT, 3);
    sweep(HURT_SIZE, 2);
    sweep(HURT_HASH, 2);
}

static void p1_a_sector_that_goes_bad_at_any_operation_leaves_a_system_that_runs(
    void **state)
{
    (void)state;
    sweep(HURT_SECTOR, 1);
}

static void p1_a_journal_that_goes_bad_at_any_operation_leaves_a_system_that_runs(
    void **state)
{
    (void)state;
    sweep(HURT_JOURNAL, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p1_a_word_that_dies_at_any_reading_leaves_a_system_that_runs),
        cmocka_unit_test(p1_a_bit_that_flips_at_any_reading_leaves_a_system_that_runs),
        cmocka_unit_test(
            p1_a_sector_that_goes_bad_at_any_operation_leaves_a_system_that_runs),
        cmocka_unit_test(
            p1_a_journal_that_goes_bad_at_any_operation_leaves_a_system_that_runs),
    };

    return cmocka_run_group_tests_name("sudden damage", tests, NULL, NULL);
}
