/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each base is an update that runs twice: once to count the flash operations that are
 * done in a phase and part, once more to be cut among them.
 */
#include "boot_bases.h"

#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 200,
    FRESH = 1, /* the base of a new device */
    CONTAINER_HEAD_SIZE = 32,
    CONTROL_OFF_LENGTH = 6,
};

/* Where the update is cut: at `percent` of the operations of this phase and part. */
struct cut {
    const char *name;
    uint8_t phase; /* 0: nothing is cut */
    uint8_t part;
    uint8_t percent;
    bool has_manager; /* the package carries one (K15) */
    enum vdevice_app app;
    enum vdevice_app app_manager;
    bool is_torn; /* the cut leaves an application that is neither */
};

static const struct cut cuts[BOOT_BASE_COUNT] = {
    {.name = "confirmed"},
    {.name = "fresh", .phase = OTTER_PHASE_COUNT},
    {.name = "receipt",
     .phase = OTTER_PHASE_RECEIVING,
     .part = OTTER_PART_RECEIPT,
     .percent = 50},
    {.name = "receipt copy",
     .phase = OTTER_PHASE_RECEIVING,
     .part = OTTER_PART_RECEIPT_COPY,
     .percent = 50},
    {.name = "members",
     .phase = OTTER_PHASE_RECEIVING,
     .part = OTTER_PART_MEMBERS,
     .percent = 50},
    {.name = "hash",
     .phase = OTTER_PHASE_RECEIVING,
     .part = OTTER_PART_HASH,
     .percent = 50},
    {.name = "complete", .phase = OTTER_PHASE_COMPLETE, .percent = 100},
    {.name = "requested", .phase = OTTER_PHASE_REQUESTED, .percent = 100},
    {.name = "save",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_SAVE,
     .percent = 50},
    {.name = "write",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_WRITE,
     .percent = 50,
     .is_torn = true},
    {.name = "trial",
     .phase = OTTER_PHASE_TRIAL,
     .percent = 100,
     .app = VDEVICE_SILENT},
    {.name = "restore",
     .phase = OTTER_PHASE_ROLLING_BACK,
     .part = OTTER_PART_RESTORE,
     .percent = 50,
     .app = VDEVICE_CRASH,
     .is_torn = true},
    {.name = "rolled back", .app = VDEVICE_CRASH},
    {.name = "save manager",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_SAVE_MANAGER,
     .percent = 50,
     .has_manager = true},
    {.name = "write manager",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_WRITE_MANAGER,
     .percent = 50,
     .has_manager = true},
    {.name = "try manager",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_TRY_MANAGER,
     .percent = 50,
     .has_manager = true},
    {.name = "take back",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_TAKE_BACK,
     .percent = 50,
     .has_manager = true,
     .app_manager = VDEVICE_CRASH},
    {.name = "restore manager",
     .phase = OTTER_PHASE_ROLLING_BACK,
     .part = OTTER_PART_RESTORE_MANAGER,
     .percent = 50,
     .has_manager = true,
     .app = VDEVICE_CRASH},
};

/* What the updates and bases of one twin share. */
struct twin {
    struct world *worlds[2]; /* package without, with a manager */
    struct boot_base bases[BOOT_BASE_COUNT];
    uint8_t *foreign[2]; /* signed by an unknown key; claiming a known one */
    struct sample_package newest;
};

/* The run that is counted or cut. */
struct run {
    const struct cut *cut;
    struct vdevice *device;
    uint32_t seen;
    uint32_t stop_at; /* matching operation before which power fails; 0: none */
};

static void need(bool is_true, const char *what)
{
    if (!is_true) {
        (void)fprintf(stderr, "boot bases: %s\n", what);
        abort();
    }
}

static struct run run;

static void watch(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    const struct otter_device *view = device->program == OTTER_PROGRAM_BOOT
                                          ? &device->boot.device
                                          : vdevice_view(device);

    if (view == NULL || view->journal.state.phase != run.cut->phase ||
        view->journal.state.part != run.cut->part) {
        return;
    }
    run.seen++;
    if (run.seen == run.stop_at) {
        device->flash.fault =
            (struct vflash_fault){.at_op = op->index + 1, .kind = VFLASH_CUT_BEFORE};
    }
}

/* The update, from the factory's state to its end or to the cut. */
static void update(struct world *world)
{
    const struct vflash_fault none = {.kind = VFLASH_NONE};
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_OK;

    world_back(world);
    device->app = run.cut->app;
    device->app_manager = run.cut->app_manager;
    run.seen = 0;
    if (vdevice_power_on(device, none) == VDEVICE_IDLE &&
        vdevice_feed(device, world->next.bytes, world->next.size, CHUNK, &result) ==
            VDEVICE_IDLE &&
        vdevice_request(device, &result) == VDEVICE_IDLE) {
        (void)vdevice_reset(device, OTTER_RESET_SOFTWARE);
    }
    need(result == OTTER_OK && device->defect == NULL, "the update is refused");
    vdevice_power_off(device);
    device->app = VDEVICE_CONFIRM;
    device->app_manager = VDEVICE_CONFIRM;
}

static uint8_t *copy_flash(const struct vflash *flash)
{
    uint8_t *content = malloc(flash->size);

    need(content != NULL, "no memory");
    need(flash->sector_count <= BOOT_SECTORS_MAX, "too many sectors");
    memcpy(content, flash->content, flash->size);
    return content;
}

static void make_base(struct twin *twin, const struct cut *cut, struct boot_base *base)
{
    struct world *world = twin->worlds[cut->has_manager ? 1 : 0];

    run = (struct run){.cut = cut, .device = &world->device};
    world->device.flash.hooks.on_op = watch;
    if (cut->phase == OTTER_PHASE_COUNT) {
        world_back(world);
    } else {
        update(world);
        if (run.seen != 0) { /* else the twin has no such part: the update's end */
            run.stop_at = (run.seen * cut->percent + 99) / 100;
            update(world);
        }
    }
    world->device.flash.hooks.on_op = NULL;
    base->name = cut->name;
    base->world = world;
    base->is_whole = !cut->is_torn;
    base->content = copy_flash(&world->device.flash);
    vflash_save(&world->device.flash, &base->image);
}

/* ---- the foreign maker ---- */

static void fill_region(const struct world *world, uint8_t id, const uint8_t *bytes,
                        size_t size, uint8_t *content)
{
    const struct otter_region *region = world_region(world, id);

    if (region != NULL) {
        memcpy(content + (region->addr - world->sample.profile.areas[0].addr), bytes,
               size);
    }
}

/* A receipt as SPEC.md has it, without a package hash. */
static void make_receipt(const uint8_t *control, uint8_t receipt[OTTER_RECEIPT_SIZE])
{
    uint16_t length = otter_load_le16(control + CONTROL_OFF_LENGTH);

    need(length <= OTTER_CONTROL_MAX, "the foreign control packet");
    memset(receipt, 0xFF, OTTER_RECEIPT_SIZE);
    memset(receipt, 0, OTTER_RECEIPT_HEAD_SIZE);
    memcpy(receipt, "OTRC\1", 5);
    otter_store_le16(receipt + 6, length);
    otter_store_le32(receipt + 8, otter_crc32(0, control, length));
    otter_store_le32(receipt + 28, otter_crc32(0, receipt, 28));
    memcpy(receipt + OTTER_RECEIPT_HEAD_SIZE, control, length);
}

/* The signature says that it is by the key that our devices trust. */
static void claim_key(const struct sample *ours, const struct otter_key *theirs,
                      uint8_t *control)
{
    uint16_t length = otter_load_le16(control + CONTROL_OFF_LENGTH);
    unsigned count = 0;

    for (size_t i = 0; i + OTTER_KEY_ID_SIZE <= length; i++) {
        if (memcmp(control + i, theirs->id, OTTER_KEY_ID_SIZE) == 0) {
            memcpy(control + i, ours->table.keys[0].id, OTTER_KEY_ID_SIZE);
            count++;
        }
    }
    need(count == 1, "the foreign signature");
}

/* Somebody else's system on our device: newer, whole, for the same hardware and table,
 * and signed, but by a key that the device does not know. */
static uint8_t *make_foreign(struct world *world, const uint8_t *fresh, bool claims_key)
{
    static struct sample theirs;
    static struct sample_package package;
    uint8_t receipt[OTTER_RECEIPT_SIZE];
    uint8_t *content = malloc(world->device.flash.size);
    uint32_t quarter = world_region(world, OTTER_REGION_RECEIPTS)->size / 4;
    struct otter_key key;

    need(content != NULL, "no memory");
    memcpy(content, fresh, world->device.flash.size);
    theirs = world->sample;
    memset(theirs.scalar, 0x33, sizeof(theirs.scalar));
    need(host_key_of(theirs.scalar, &key) == OTTER_OK, "the foreign key");
    for (size_t i = 8; i < sizeof(theirs.manager); i++) {
        theirs.manager[i] ^= 0xFF;
    }
    sample_next(&theirs, 9, &package);
    package.members[1].flags = 0;
    package.members[2].flags = 0;
    sample_build(&package);

    uint8_t *control = package.bytes + CONTAINER_HEAD_SIZE;

    if (claims_key) {
        claim_key(&world->sample, &key, control);
    }
    make_receipt(control, receipt);
    for (uint32_t i = 0; i < 4; i++) {
        fill_region(world, OTTER_REGION_RECEIPTS, receipt, sizeof(receipt),
                    content + i * quarter);
    }
    fill_region(world, OTTER_REGION_APPLICATION, package.firmware, SAMPLE_FIRMWARE_SIZE,
                content);
    fill_region(world, OTTER_REGION_SLOT_B, package.firmware, SAMPLE_FIRMWARE_SIZE,
                content);
    fill_region(world, OTTER_REGION_MANAGER, theirs.manager, SAMPLE_MANAGER_SIZE,
                content);
    return content;
}

/* ---- twins ---- */

/* Deadlines are short: each idle poll of a device that waits costs time here. */
static struct world *make_world(bool is_ab)
{
    const struct host_small small = {.is_ab = is_ab,
                                     .word_size = 4,
                                     .page_size = 128,
                                     .sector_size = 512,
                                     .erased = 0xFF};
    struct host_profile profile;

    host_profile_small(&small, &profile);
    profile.policy.trial_deadline_s = 12;
    profile.policy.manager_wait_s = 2;
    profile.policy.watchdog_s = 4;
    return world_make(&profile, false);
}

static void make_twin(struct twin *twin, bool is_ab)
{
    for (size_t i = 0; i < 2; i++) {
        twin->worlds[i] = make_world(is_ab);
    }
    struct world *world = twin->worlds[1];

    sample_carry_manager(&world->sample, &world->next);
    sample_build(&world->next);
    for (size_t i = 0; i < BOOT_BASE_COUNT; i++) {
        make_base(twin, &cuts[i], &twin->bases[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        twin->foreign[i] = make_foreign(world, twin->bases[FRESH].content, i == 1);
    }
    sample_next(&world->sample, 3, &twin->newest);
    sample_build(&twin->newest);
}

static struct twin *twin_of(bool is_ab)
{
    static struct twin twins[2];
    struct twin *twin = &twins[is_ab ? 1 : 0];

    if (twin->foreign[0] == NULL) {
        make_twin(twin, is_ab);
    }
    return twin;
}

struct boot_base *boot_base_at(bool is_ab, uint8_t index)
{
    return &twin_of(is_ab)->bases[index % BOOT_BASE_COUNT];
}

const uint8_t *boot_foreign(bool is_ab, bool claims_key)
{
    return twin_of(is_ab)->foreign[claims_key ? 1 : 0];
}

const struct sample_package *boot_newest(bool is_ab)
{
    return &twin_of(is_ab)->newest;
}
