/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device that most tests of the core use.
 */
#include "world.h"

#include "crypto_bearssl.h"
#include "memo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 200 };

static const struct vflash_fault no_fault = {.kind = VFLASH_NONE};

static void need(bool is_true, const char *what)
{
    if (!is_true) {
        (void)fprintf(stderr, "world: %s\n", what);
        abort();
    }
}

/* What the product is besides the plain one. */
enum variety { PLAIN, WITH_REGIONS, ENCRYPTED, REVOKING, WITH_FILES };

static struct world *make(const struct host_profile *profile, bool is_ecc,
                          enum variety variety)
{
    struct world *world = calloc(1, sizeof(*world));

    need(world != NULL, "no memory");
    sample_make(&world->sample, profile);
    if (variety == WITH_REGIONS || variety == ENCRYPTED) {
        sample_carry_regions(&world->sample.first);
        sample_build(&world->sample.first);
    } else if (variety == REVOKING) {
        sample_trust_second(&world->sample);
    } else if (variety == WITH_FILES) {
        sample_carry_tree(&world->sample.first);
        sample_build(&world->sample.first);
    }
    if (variety == ENCRYPTED) {
        sample_encrypt_first(&world->sample);
    }
    sample_device(&world->sample, is_ecc, &world->device);
    memo_crypto(&world->device.crypto);
    sample_next(&world->sample, 2, &world->next);
    if (variety == WITH_REGIONS || variety == ENCRYPTED) {
        sample_carry_regions(&world->next);
    } else if (variety == REVOKING) {
        sample_revoke(&world->sample, &world->next);
    } else if (variety == WITH_FILES) {
        sample_carry_tree(&world->next);
    }
    sample_build(&world->next);
    world_mark(world);
    return world;
}

struct world *world_make(const struct host_profile *profile, bool is_ecc)
{
    return make(profile, is_ecc, PLAIN);
}

struct world *world_make_encrypted(const struct host_profile *profile, bool is_ecc)
{
    return make(profile, is_ecc, ENCRYPTED);
}

static struct world *make_small(bool is_ab, bool is_ecc, enum variety variety)
{
    const struct host_small small = {.is_ab = is_ab,
                                     .word_size = 4,
                                     .page_size = 128,
                                     .sector_size = 512,
                                     .erased = 0xFF};
    struct host_profile profile;

    host_profile_small(&small, &profile);
    return make(&profile, is_ecc, variety);
}

struct world *world_make_small(bool is_ab, bool is_ecc)
{
    return make_small(is_ab, is_ecc, PLAIN);
}

struct world *world_make_full(bool is_ab)
{
    return make_small(is_ab, false, WITH_REGIONS);
}

struct world *world_make_revoking(bool is_ab)
{
    return make_small(is_ab, false, REVOKING);
}

static struct world *put_on_card(struct world *world)
{
    vcard_init(&world->card, WORLD_CARD_SIZE);
    vcard_files(&world->card, &world->files);
    vdevice_set_card(&world->device, &world->card, &world->files);
    vcard_provision(&world->card, WORLD_PATH, world->next.bytes,
                    (uint32_t)world->next.size);
    world_mark(world);
    return world;
}

struct world *world_make_on_card(bool is_ecc, bool has_regions)
{
    const struct host_small small = {.is_on_card = true,
                                     .has_loader = true,
                                     .word_size = 8,
                                     .page_size = 128,
                                     .sector_size = 512,
                                     .erased = 0xFF};
    struct host_profile profile;

    host_profile_small(&small, &profile);
    return put_on_card(make(&profile, is_ecc, has_regions));
}

struct world *world_make_with_files(void)
{
    const struct host_small small = {.is_on_card = true,
                                     .word_size = 8,
                                     .page_size = 128,
                                     .sector_size = 512,
                                     .erased = 0xFF};
    struct host_profile profile;

    host_profile_small(&small, &profile);
    struct world *world = put_on_card(make(&profile, false, WITH_FILES));
    const struct sample_package *first = &world->sample.first;

    tree_provision(&first->tree, first->archive, first->archive_size, &world->card);
    world_mark(world);
    return world;
}

void world_rebuild(struct world *world)
{
    sample_build(&world->next);
    vcard_provision(&world->card, WORLD_PATH, world->next.bytes,
                    (uint32_t)world->next.size);
}

bool world_has_files(const struct world *world, bool of_next)
{
    const struct tree *old = &world->sample.first.tree;
    const struct tree *new = &world->next.tree;

    return tree_is_on(&world->card, of_next ? new : old, of_next ? old : new);
}

struct world *world_make_sd(void)
{
    return put_on_card(make(&host_profile_sd, false, false));
}

void world_drop(struct world *world)
{
    vflash_image_free(&world->start);
    vcard_image_free(&world->start_card);
    vcard_destroy(&world->card);
    vdevice_destroy(&world->device);
    free(world);
}

void world_mark(struct world *world)
{
    vflash_save(&world->device.flash, &world->start);
    vcard_save(&world->card, &world->start_card);
}

void world_back(struct world *world)
{
    vdevice_power_off(&world->device);
    vflash_restore(&world->device.flash, &world->start);
    vcard_restore(&world->card, &world->start_card);
    world->device.defect = NULL;
}

enum vdevice_end world_power_on(struct world *world)
{
    return vdevice_power_on(&world->device, no_fault);
}

static bool enter_manager(struct world *world)
{
    world->device.hooks.idle = vdevice_stop_at_once;
    world->device.wants_manager = true;
    enum vdevice_end end = world_power_on(world);

    world->device.hooks.idle = NULL;
    return end == VDEVICE_STOPPED && world->device.program == OTTER_PROGRAM_MANAGER;
}

void world_enter_manager(struct world *world)
{
    need(enter_manager(world), "no manager");
}

bool world_starts_manager(struct world *world)
{
    bool is_there = enter_manager(world);

    world->device.wants_manager = false;
    vdevice_power_off(&world->device);
    return is_there;
}

void world_next(struct world *world, uint8_t minor, struct sample_package *package)
{
    sample_next(&world->sample, minor, package);
    package->package.counter = world->sample.first.package.counter;
    package->package.follows = (struct otter_version){0};
}

enum otter_result world_feed(struct world *world)
{
    enum otter_result result = OTTER_OK;

    need(vdevice_feed(&world->device, world->next.bytes, world->next.size, CHUNK,
                      &result) == VDEVICE_IDLE,
         "feed");
    return result;
}

enum otter_result world_request(struct world *world)
{
    enum otter_result result = OTTER_OK;

    need(vdevice_request(&world->device, &result) == VDEVICE_IDLE, "request");
    return result;
}

enum otter_result world_install(struct world *world)
{
    enum otter_result result = OTTER_OK;

    need(vdevice_install(&world->device, WORLD_PATH, &result) == VDEVICE_IDLE,
         "install");
    return result;
}

void world_prepare(struct world *world)
{
    need(world_power_on(world) == VDEVICE_IDLE, "power on");
    need(world_feed(world) == OTTER_OK, "the package is not taken");
    need(world_request(world) == OTTER_OK, "the request is not taken");
}

void world_mark_update(struct world *world)
{
    world_prepare(world);
    vdevice_power_off(&world->device);
    world_mark(world);
}

bool world_fault_at(struct world *world, enum vflash_fault_kind kind, uint32_t op)
{
    const struct vflash_fault fault = {.at_op = op, .kind = kind, .seed = op};

    world_back(world);
    enum vdevice_end end = vdevice_power_on(&world->device, fault);

    vdevice_power_off(&world->device);
    return end == VDEVICE_CUT;
}

bool world_cut_at(struct world *world, uint32_t op)
{
    return world_fault_at(world, VFLASH_CUT_AFTER, op);
}

void world_cut_until(struct world *world, world_state_fn *is_there)
{
    struct otter_state state;
    uint32_t op = 0;

    do {
        need(world_cut_at(world, op++), "no such state");
        state = world_state(world);
    } while (!is_there(&state));
}

bool world_is_trial(const struct otter_state *state)
{
    return state->phase == OTTER_PHASE_TRIAL;
}

bool world_takes(struct world *world, const struct sample_package *package)
{
    struct vdevice *device = &world->device;
    enum otter_result fed = OTTER_OK;
    enum otter_result requested = OTTER_OK;

    return vdevice_feed(device, package->bytes, package->size, CHUNK, &fed) ==
               VDEVICE_IDLE &&
           fed == OTTER_OK && vdevice_request(device, &requested) == VDEVICE_IDLE &&
           requested == OTTER_OK &&
           vdevice_reset(device, OTTER_RESET_SOFTWARE) == VDEVICE_IDLE &&
           world_runs(world, package) &&
           world_state(world).phase == OTTER_PHASE_CONFIRMED;
}

static void crash_next(void *context)
{
    struct world *world = context;
    struct vdevice *device = &world->device;

    device->app = world_holds(world, device->region, &world->next) ? VDEVICE_CRASH
                                                                   : VDEVICE_CONFIRM;
    device->app_old = device->app;
}

void world_let_next_crash(struct world *world)
{
    world->device.hooks.context = world;
    world->device.hooks.on_start = crash_next;
}

enum vdevice_end world_update(struct world *world, enum vdevice_app app)
{
    world->device.app = app;
    world_prepare(world);
    return vdevice_reset(&world->device, OTTER_RESET_SOFTWARE);
}

struct otter_state world_state(struct world *world)
{
    static struct otter_device view;

    (void)!vdevice_inspect(&world->device, &view);
    return view.journal.state;
}

const struct otter_region *world_region(const struct world *world, uint8_t id)
{
    return otter_map_find(&world->sample.profile.map, id);
}

bool world_is_untouched(const struct world *world, uint8_t id)
{
    const struct otter_region *region = world_region(world, id);

    return region == NULL || vflash_is_same(&world->device.flash, &world->start,
                                            region->addr, region->size);
}

bool world_holds(const struct world *world, uint8_t id,
                 const struct sample_package *package)
{
    const uint8_t *bytes = vflash_peek(
        &world->device.flash, world_region(world, id)->addr, SAMPLE_FIRMWARE_SIZE);

    return memcmp(bytes, package->firmware, SAMPLE_FIRMWARE_SIZE) == 0;
}

bool world_runs(const struct world *world, const struct sample_package *package)
{
    return world->device.program == OTTER_PROGRAM_AGENT &&
           world_holds(world, world->device.region, package);
}

bool world_has_manager(const struct world *world, const uint8_t *image)
{
    uint32_t addr = world_region(world, OTTER_REGION_MANAGER)->addr;

    return memcmp(vflash_peek(&world->device.flash, addr, SAMPLE_MANAGER_SIZE), image,
                  SAMPLE_MANAGER_SIZE) == 0;
}

void world_erase(struct world *world, uint8_t id)
{
    const struct otter_region *region = world_region(world, id);
    uint32_t size = world->sample.profile.areas[0].sector_size;
    uint8_t *erased = malloc(size);

    need(erased != NULL, "memory");
    memset(erased, world->sample.profile.areas[0].erased, size);
    for (uint32_t off = 0; off < region->size; off += size) {
        vflash_provision(&world->device.flash, region->addr + off, erased, size);
    }
    free(erased);
}

void world_set_journal_bad(struct world *world, uint32_t sectors)
{
    const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);
    uint32_t size = world->sample.profile.areas[0].sector_size;

    for (uint32_t i = 0; i * size < journal->size; i++) {
        vflash_set_bad(&world->device.flash, journal->addr + i * size,
                       (sectors >> i & 1) != 0);
    }
}

void world_damage(struct world *world, uint8_t id)
{
    vflash_flip(&world->device.flash, world_region(world, id)->addr + 333, 3);
}

uint32_t world_receipt_addr(struct world *world, uint8_t slot, uint8_t copy,
                            uint32_t *size)
{
    static struct otter_device view;
    uint32_t off = 0;

    need(vdevice_inspect(&world->device, &view) != OTTER_E_TABLE_LOST, "table");
    need(otter_receipt_place(&view.io, slot, copy, &off, size) == OTTER_OK, "receipt");
    return world_region(world, OTTER_REGION_RECEIPTS)->addr + off;
}

void world_damage_receipt(struct world *world, uint8_t slot, uint8_t copy)
{
    uint32_t size = 0;

    vflash_flip(&world->device.flash, world_receipt_addr(world, slot, copy, &size) + 40,
                1);
}

void world_damage_receipts(struct world *world, uint8_t slot)
{
    world_damage_receipt(world, slot, 0);
    world_damage_receipt(world, slot, 1);
}
