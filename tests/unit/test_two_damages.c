/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which two damages leave a device with nothing that verifies (K18): the list of
 * docs/RELIABILITY.md, row by row. Each damage alone leaves a system that runs or the
 * manager; the two together end in boot's loop, with a code and without a write.
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
    CODE_NOTHING = 30 * 256 + 10,
    CODE_TABLE = 28 * 256 + 10,
    SAMPLE_PART = 64, /* bytes by which an image is found */
};

enum damage {
    OLD_APPLICATION, /* a bit of it, where it is installed */
    MANAGER,
    SAVED_APPLICATION, /* a bit of its copy in staging */
    SAVED_MANAGER,
    RECEIPT_COPY_0, /* of the current system */
    RECEIPT_COPY_1,
    TABLE_COPY_0,
    TABLE_COPY_1,
    JOURNAL_LOST, /* nothing in it can be read */
    JOURNAL_BAD,  /* it can be read, and no sector takes a record any more */
};

struct row {
    const char *name;
    bool is_ab;
    bool carries_manager;
    enum vdevice_app app; /* of the new system */
    uint8_t phase; /* in which the damage is done; CONFIRMED: before any update */
    uint8_t part;
    enum damage damages[2];
    uint16_t code;
};

static const struct row rows[] = {
    {"idle: application and manager",
     false,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_CONFIRMED,
     0,
     {OLD_APPLICATION, MANAGER},
     CODE_NOTHING},
    {"A/B, idle: application and manager",
     true,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_CONFIRMED,
     0,
     {OLD_APPLICATION, MANAGER},
     CODE_NOTHING},
    {"idle: both copies of the receipt",
     false,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_CONFIRMED,
     0,
     {RECEIPT_COPY_0, RECEIPT_COPY_1},
     CODE_NOTHING},
    {"A/B, idle: both copies of the receipt",
     true,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_CONFIRMED,
     0,
     {RECEIPT_COPY_0, RECEIPT_COPY_1},
     CODE_NOTHING},
    {"idle: both copies of the table",
     false,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_CONFIRMED,
     0,
     {TABLE_COPY_0, TABLE_COPY_1},
     CODE_TABLE},
    {"A/B, idle: both copies of the table",
     true,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_CONFIRMED,
     0,
     {TABLE_COPY_0, TABLE_COPY_1},
     CODE_TABLE},
    {"writing: manager and saved copy",
     false,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_INSTALLING,
     OTTER_PART_WRITE,
     {MANAGER, SAVED_APPLICATION},
     CODE_NOTHING},
    {"writing: manager and lost journal",
     false,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_INSTALLING,
     OTTER_PART_WRITE,
     {MANAGER, JOURNAL_LOST},
     CODE_NOTHING},
    {"writing: manager and bad journal",
     false,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_INSTALLING,
     OTTER_PART_WRITE,
     {MANAGER, JOURNAL_BAD},
     CODE_NOTHING},
    {"failed trial: manager and saved copy",
     false,
     false,
     VDEVICE_CRASH,
     OTTER_PHASE_TRIAL,
     0,
     {MANAGER, SAVED_APPLICATION},
     CODE_NOTHING},
    {"trial: manager and bad journal",
     false,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_TRIAL,
     0,
     {MANAGER, JOURNAL_BAD},
     CODE_NOTHING},
    {"A/B, trial: manager and bad journal",
     true,
     false,
     VDEVICE_CONFIRM,
     OTTER_PHASE_TRIAL,
     0,
     {MANAGER, JOURNAL_BAD},
     CODE_NOTHING},
    {"A/B, failed trial: manager and old slot",
     true,
     false,
     VDEVICE_CRASH,
     OTTER_PHASE_TRIAL,
     0,
     {MANAGER, OLD_APPLICATION},
     CODE_NOTHING},
    {"rolling back: manager and saved copy",
     false,
     false,
     VDEVICE_CRASH,
     OTTER_PHASE_ROLLING_BACK,
     OTTER_PART_RESTORE,
     {MANAGER, SAVED_APPLICATION},
     CODE_NOTHING},
    {"rolling back: manager and bad journal",
     false,
     false,
     VDEVICE_CRASH,
     OTTER_PHASE_ROLLING_BACK,
     OTTER_PART_RESTORE,
     {MANAGER, JOURNAL_BAD},
     CODE_NOTHING},
    {"replacing the manager: application and bad journal",
     false,
     true,
     VDEVICE_CONFIRM,
     OTTER_PHASE_INSTALLING,
     OTTER_PART_WRITE_MANAGER,
     {OLD_APPLICATION, JOURNAL_BAD},
     CODE_NOTHING},
    {"A/B, replacing the manager: application and bad journal",
     true,
     true,
     VDEVICE_CONFIRM,
     OTTER_PHASE_INSTALLING,
     OTTER_PART_WRITE_MANAGER,
     {OLD_APPLICATION, JOURNAL_BAD},
     CODE_NOTHING},
    {"A/B, restoring the manager: its saved copy and old slot",
     true,
     true,
     VDEVICE_CRASH,
     OTTER_PHASE_ROLLING_BACK,
     OTTER_PART_RESTORE_MANAGER,
     {OLD_APPLICATION, SAVED_MANAGER},
     CODE_NOTHING},
};

static const uint8_t *peek_region(struct world *world, uint8_t id)
{
    const struct otter_region *region = world_region(world, id);

    return vflash_peek(&world->device.flash, region->addr, region->size);
}

/* Flips a bit of the image where staging holds it. */
static void damage_saved(struct world *world, const uint8_t *image)
{
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    const uint8_t *bytes = peek_region(world, OTTER_REGION_STAGING);

    for (uint32_t off = 0; off + SAMPLE_PART <= staging->size; off++) {
        if (memcmp(bytes + off, image, SAMPLE_PART) == 0) {
            vflash_flip(&world->device.flash, staging->addr + off + 33, 3);
            return;
        }
    }
    fail_msg("staging does not hold the image");
}

static void do_damage(struct world *world, enum damage damage)
{
    const struct otter_region *table = world_region(world, OTTER_REGION_TABLE);
    uint32_t size = 0;

    switch (damage) {
    case OLD_APPLICATION:
        world_damage(world, OTTER_REGION_APPLICATION);
        break;
    case MANAGER:
        world_damage(world, OTTER_REGION_MANAGER);
        break;
    case SAVED_APPLICATION:
        damage_saved(world, world->sample.first.firmware);
        break;
    case SAVED_MANAGER:
        damage_saved(world, world->sample.manager);
        break;
    case RECEIPT_COPY_0:
    case RECEIPT_COPY_1:
        vflash_flip(&world->device.flash,
                    world_receipt_addr(world, 0, damage == RECEIPT_COPY_1, &size) + 90,
                    1);
        break;
    case TABLE_COPY_0:
    case TABLE_COPY_1:
        vflash_flip(&world->device.flash,
                    table->addr + (damage == TABLE_COPY_1) * table->size / 2 + 25, 5);
        break;
    case JOURNAL_LOST:
        world_erase(world, OTTER_REGION_JOURNAL);
        break;
    case JOURNAL_BAD:
        world_set_journal_bad(world, WORLD_ALL_SECTORS);
        break;
    }
}

/* As marked, and no sector is bad. */
static void bring_back(struct world *world)
{
    world_set_journal_bad(world, 0);
    world_back(world);
}

static bool is_half(struct world *world, const struct row *row)
{
    bool writes_manager = row->part == OTTER_PART_WRITE_MANAGER ||
                          row->part == OTTER_PART_RESTORE_MANAGER;
    uint8_t id = writes_manager ? OTTER_REGION_MANAGER : OTTER_REGION_APPLICATION;
    const uint8_t *old =
        writes_manager ? world->sample.manager : world->sample.first.firmware;
    const uint8_t *new = writes_manager ? world->next.manager : world->next.firmware;
    size_t size = writes_manager ? SAMPLE_MANAGER_SIZE : SAMPLE_FIRMWARE_SIZE;
    const uint8_t *there = peek_region(world, id);

    return memcmp(there, old, size) != 0 && memcmp(there, new, size) != 0;
}

static bool is_reached(struct world *world, const struct row *row)
{
    struct otter_state state = world_state(world);

    return state.phase == row->phase && state.part == row->part &&
           (row->part == OTTER_PART_NONE || is_half(world, row));
}

/* Cuts the update where the row begins: in the middle of what its part writes. */
static void reach(struct world *world, const struct row *row)
{
    struct vdevice *device = &world->device;
    struct vflash_image requested = {0};

    device->app = row->app;
    if (row->phase == OTTER_PHASE_CONFIRMED) {
        return;
    }
    world_prepare(world);
    vdevice_power_off(device);
    vflash_save(&device->flash, &requested);
    for (uint32_t op = 0;; op++) {
        const struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_AFTER};

        vdevice_power_off(device);
        vflash_restore(&device->flash, &requested);
        assert_int_equal(vdevice_power_on(device, fault), VDEVICE_CUT);
        if (is_reached(world, row)) {
            break;
        }
    }
    vflash_image_free(&requested);
    world_mark(world);
}

/* Something runs, and a manager says why; one that waits, resets and comes back each
 * time is one, too. */
static void check_alone(struct world *world, const struct row *row, size_t which)
{
    struct vdevice *device = &world->device;

    bring_back(world);
    do_damage(world, row->damages[which]);
    enum vdevice_end end = world_power_on(world);
    bool runs = device->program == OTTER_PROGRAM_AGENT &&
                (world_holds(world, device->region, &world->sample.first) ||
                 world_holds(world, device->region, &world->next));
    bool says = device->program == OTTER_PROGRAM_MANAGER &&
                (device->code != 0 || device->manager.result != OTTER_OK);

    if ((end != VDEVICE_IDLE && end != VDEVICE_STOPPED) || (!runs && !says)) {
        fail_msg("%s: damage %u alone: end %d, program %d, code %04X", row->name,
                 (unsigned)which, (int)end, (int)device->program, device->code);
    }
}

static void check_both(struct world *world, const struct row *row)
{
    bring_back(world);
    do_damage(world, row->damages[0]);
    do_damage(world, row->damages[1]);
    for (int i = 0; i < 3; i++) {
        enum vdevice_end end = world_power_on(world);

        if (end != VDEVICE_NOTHING || world->device.code != row->code) {
            fail_msg("%s: end %d, program %d, code %04X", row->name, (int)end,
                     (int)world->device.program, world->device.code);
        }
    }
}

static void k18_two_damages_lead_to_nothing_and_one_never_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *world = world_make_small(rows[i].is_ab, false);

        if (rows[i].carries_manager) {
            sample_carry_manager(&world->sample, &world->next);
            sample_build(&world->next);
        }
        reach(world, &rows[i]);
        check_alone(world, &rows[i], 0);
        check_alone(world, &rows[i], 1);
        check_both(world, &rows[i]);
        bring_back(world);
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k18_two_damages_lead_to_nothing_and_one_never_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
