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

enum { CUTS = 18, MORE_CUTS = 5, BASES_MAX = CUTS + MORE_CUTS };

static const struct cut cuts[CUTS] = {
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

/* Of the rich twins, besides. */
static const struct cut more_cuts[MORE_CUTS] = {
    {.name = "in place",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_WRITE,
     .percent = 90,
     .is_torn = true},
    {.name = "raw manager",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_RAW_MANAGER,
     .percent = 50,
     .has_manager = true},
    {.name = "table",
     .phase = OTTER_PHASE_INSTALLING,
     .part = OTTER_PART_TABLE,
     .percent = 50,
     .has_manager = true},
    {.name = "two tables",
     .phase = OTTER_PHASE_TRIAL,
     .percent = 100,
     .has_manager = true,
     .app = VDEVICE_SILENT},
    {.name = "restore regions",
     .phase = OTTER_PHASE_ROLLING_BACK,
     .part = OTTER_PART_RESTORE,
     .percent = 90,
     .has_manager = true,
     .app = VDEVICE_CRASH,
     .is_torn = true},
};

/* What the updates and bases of one twin share. */
struct twin {
    struct world *worlds[2]; /* package without, with a manager */
    struct boot_base bases[BASES_MAX];
    uint8_t base_count;
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

enum vdevice_end boot_send(struct vdevice *device, const struct sample_package *package,
                           enum otter_result *result)
{
    enum vdevice_end end =
        vdevice_feed(device, package->bytes, package->size, CHUNK, result);

    if (end == VDEVICE_IDLE && *result == OTTER_E_NEEDS_MANAGER) {
        *result = OTTER_OK; /* what a cut leaves */
        end = vdevice_enter_manager(device);
        if (end == VDEVICE_IDLE) {
            end = vdevice_feed(device, package->bytes, package->size, CHUNK, result);
        }
    }
    return end;
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
        boot_send(device, &world->next, &result) == VDEVICE_IDLE &&
        vdevice_request(device, &result) == VDEVICE_IDLE) {
        (void)vdevice_reset(device, OTTER_RESET_SOFTWARE);
    }
    if (result != OTTER_OK) {
        (void)fprintf(stderr, "%s, %s: %04X\n", world->sample.profile.name,
                      run.cut->name, otter_code(result));
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

/* A rich twin with two slots has a memory with ECC. Deadlines are short: each idle poll
 * of a device that waits costs time here. */
static struct world *make_world(uint8_t kind)
{
    bool is_ab = (kind & BOOT_AB) != 0;
    bool is_ecc = kind == (BOOT_AB | BOOT_RICH);
    const struct host_small small = {.is_ab = is_ab,
                                     .word_size = is_ecc ? 8 : 4,
                                     .page_size = 128,
                                     .sector_size = 512,
                                     .erased = 0xFF};
    struct host_profile profile;

    host_profile_small(&small, &profile);
    profile.policy.trial_deadline_s = 12;
    profile.policy.manager_wait_s = 2;
    profile.policy.watchdog_s = 4;
    return (kind & BOOT_RICH) != 0 ? world_make_encrypted(&profile, is_ecc)
                                   : world_make(&profile, is_ecc);
}

/* Of rich twins the update without a manager writes its font in place; the one with a
 * manager is coded, and can be rolled back. */
static void enrich(struct world *world, bool has_manager)
{
    if (has_manager) {
        sample_code(&world->next, OTTER_CODING_HEATSHRINK);
    } else {
        sample_put_in_place(&world->next, false);
    }
    sample_encrypt(&world->sample, &world->next);
    sample_rotate(&world->sample, &world->next);
}

static void make_newest(uint8_t kind, struct twin *twin)
{
    struct sample *sample = &twin->worlds[1]->sample;

    sample_next(sample, 3, &twin->newest);
    if ((kind & BOOT_RICH) != 0) { /* both keys sign it */
        sample_carry_regions(&twin->newest);
        sample_encrypt(sample, &twin->newest);
        sample_rotate(sample, &twin->newest);
    }
    sample_build(&twin->newest);
}

static void make_twin(uint8_t kind, struct twin *twin)
{
    bool is_rich = (kind & BOOT_RICH) != 0;

    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_world(kind);

        twin->worlds[i] = world;
        if (i == 1) {
            sample_carry_manager(&world->sample, &world->next);
        }
        if (is_rich) {
            enrich(world, i == 1);
        }
        sample_build(&world->next);
    }
    twin->base_count = is_rich ? BASES_MAX : CUTS;
    for (size_t i = 0; i < twin->base_count; i++) {
        make_base(twin, i < CUTS ? &cuts[i] : &more_cuts[i - CUTS], &twin->bases[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        twin->foreign[i] =
            make_foreign(twin->worlds[1], twin->bases[FRESH].content, i == 1);
    }
    make_newest(kind, twin);
}

static struct twin *twin_of(uint8_t kind)
{
    static struct twin twins[BOOT_TWINS];
    struct twin *twin = &twins[kind];

    if (twin->foreign[0] == NULL) {
        make_twin(kind, twin);
    }
    return twin;
}

struct boot_base *boot_base_at(uint8_t kind, uint8_t index)
{
    struct twin *twin = twin_of(kind);

    return &twin->bases[index % twin->base_count];
}

const struct world *boot_world(uint8_t kind, bool has_manager)
{
    return twin_of(kind)->worlds[has_manager ? 1 : 0];
}

const uint8_t *boot_foreign(uint8_t kind, bool claims_key)
{
    return twin_of(kind)->foreign[claims_key ? 1 : 0];
}

const struct sample_package *boot_newest(uint8_t kind)
{
    return &twin_of(kind)->newest;
}
