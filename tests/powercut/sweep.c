/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a scenario with cuts, checked against the promises.
 */
#include "sweep.h"

#include "fast_crc.h"
#include "memo.h"
#include "otter/bytes.h"
#include "otter/crc32.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 200, ATTEMPTS_MAX = 4, CARD_SIZE = 65536, BROKEN_OFF = 777 };

#define PACKAGE_PATH "update/next.otter"
#define LATER_PATH   "update/later.otter"

const struct sweep_scenario sweep_scenarios[] = {
    {.name = "confirm",
     .app = VDEVICE_CONFIRM,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "crash",
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "silent",
     .app = VDEVICE_SILENT,
     .is_like_crash = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "hang",
     .app = VDEVICE_HANG,
     .is_like_crash = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "forged",
     .is_forged = true,
     .ends = OTTER_OUTCOME_REFUSED,
     .erases_max = 0},
    {.name = "damaged",
     .is_damaged = true,
     .ends = OTTER_OUTCOME_REFUSED,
     .erases_max = 1},
    {.name = "manager",
     .has_manager = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "manager-crash",
     .has_manager = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "manager-stuck",
     .has_manager = true,
     .app_manager = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_FAILED,
     .erases_max = 2},
    {.name = "regions",
     .has_regions = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "regions-crash",
     .has_regions = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "all-crash",
     .has_regions = true,
     .has_manager = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "added-crash",
     .adds_regions = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "encrypted-place",
     .has_regions = true,
     .in_place = true,
     .is_encrypted = true,
     .is_mixed = true,
     .is_for_long = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "in-place-crash",
     .has_regions = true,
     .in_place = true,
     .app = VDEVICE_CRASH,
     .is_mixed = true,
     .ends = OTTER_OUTCOME_FAILED,
     .erases_max = 1},
    {.name = "declared-crash",
     .has_regions = true,
     .in_place = true,
     .is_declared = true,
     .app = VDEVICE_CRASH,
     .is_mixed = true,
     .is_for_long = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "tree",
     .has_tree = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "tree-crash",
     .has_tree = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "tree-added",
     .adds_tree = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "tree-dropped",
     .has_tree = true,
     .drops_tree = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "tree-found",
     .adds_tree = true,
     .finds_tree = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "mend",
     .is_broken = true,
     .has_tree = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "mend-crash",
     .is_broken = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_FAILED,
     .erases_max = 1},
    {.name = "heatshrink",
     .coding = OTTER_CODING_HEATSHRINK,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "zlib-crash",
     .coding = OTTER_CODING_ZLIB,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "miscoded",
     .coding = OTTER_CODING_ZLIB,
     .is_miscoded = true,
     .ends = OTTER_OUTCOME_FAILED,
     .erases_max = 1},
    {.name = "zlib-manager",
     .coding = OTTER_CODING_ZLIB,
     .has_manager = true,
     .is_mixed = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "encrypted",
     .is_encrypted = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "encrypted-crash",
     .is_encrypted = true,
     .has_regions = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "encrypted-zlib",
     .is_encrypted = true,
     .coding = OTTER_CODING_ZLIB,
     .has_manager = true,
     .is_mixed = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "encrypted-manager",
     .is_encrypted = true,
     .has_manager = true,
     .app = VDEVICE_CRASH,
     .is_mixed = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "encrypted-tree",
     .is_encrypted = true,
     .adds_tree = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "revoke",
     .revokes = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "revoke-crash",
     .revokes = true,
     .app = VDEVICE_CRASH,
     .is_mixed = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "rotate",
     .rotates = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "rotate-crash",
     .rotates = true,
     .app = VDEVICE_CRASH,
     .is_mixed = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "rotate-manager",
     .rotates = true,
     .has_manager = true,
     .app = VDEVICE_CRASH,
     .is_mixed = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "loader",
     .has_loader = true,
     .is_mixed = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "loader-crash",
     .has_loader = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "loader-stuck",
     .has_loader = true,
     .app_loader = VDEVICE_HANG,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "tree-again",
     .has_tree = true,
     .drops_tree = true,
     .is_followed = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
};
const size_t sweep_scenario_count =
    sizeof(sweep_scenarios) / sizeof(sweep_scenarios[0]);

const struct sweep_scenario *sweep_find_scenario(const char *name)
{
    for (size_t i = 0; i < sweep_scenario_count; i++) {
        if (strcmp(sweep_scenarios[i].name, name) == 0) {
            return &sweep_scenarios[i];
        }
    }
    return NULL;
}

static const struct sweep_scenario *only_scenario;

bool sweep_only(const char *name)
{
    only_scenario = sweep_find_scenario(name);
    return only_scenario != NULL;
}

bool sweep_is_asked_for(const struct sweep_scenario *scenario)
{
    return only_scenario == NULL || only_scenario == scenario;
}

/* --- the world --- */

static const struct tree no_tree = {NULL, 0};

/* The device broke a rule of the memory: the run ends as broken. */
static void note_breach(void *context, const struct vflash_breach *breach)
{
    struct vdevice *device = context;

    (void)breach;
    device->defect = "K4: a word was programmed that may not be";
}

static void note_progress(void *context, uint32_t done, uint32_t total)
{
    struct sweep_world *world = context;

    (void)total;
    world->accepted = done;
}

static void read_region(struct sweep_world *world, uint8_t id, uint32_t size)
{
    const struct otter_flash *port = world->device.ports.flash;
    const struct otter_region *region = otter_map_find(&world->sample.profile.map, id);
    uint8_t bytes[SAMPLE_FONT_SIZE];

    if (region != NULL) {
        (void)!port->read(port->context, region->addr, bytes, size);
    }
}

/* An application reads its resources and its font; what is not of its version is
 * noticed when it starts, not when it has run. */
static void note_start(void *context)
{
    struct sweep_world *world = context;

    if (world->promise.new.font != NULL) {
        read_region(world, OTTER_REGION_RESOURCES, SAMPLE_RESOURCES_SIZE);
        read_region(world, OTTER_REGION_FONT, SAMPLE_FONT_SIZE);
    }
    if (world->device.defect == NULL) {
        world->device.defect = promise_p1_start(&world->promise);
    }
}

static struct promise_system system_of(const struct sample *sample,
                                       const struct sample_package *package,
                                       bool has_own_manager, bool has_regions)
{
    return (struct promise_system){
        .resources = has_regions ? package->resources : NULL,
        .resources_size = SAMPLE_RESOURCES_SIZE,
        .font = has_regions ? package->font : NULL,
        .font_size = SAMPLE_FONT_SIZE,
        .firmware = package->firmware,
        .firmware_size = SAMPLE_FIRMWARE_SIZE,
        .manager = has_own_manager ? package->manager : sample->manager,
        .manager_size = SAMPLE_MANAGER_SIZE,
        .counter = package->package.counter,
        .key_mask = UINT32_MAX,
        .table = sample->table_bytes + OTTER_TABLE_CONTENT_OFF,
        .table_size = (uint32_t)sample->table_size - OTTER_TABLE_CONTENT_OFF,
    };
}

static void make_case(struct sweep_world *world)
{
    const struct sweep_scenario *scenario = world->scenario;

    world->promise = (struct promise_case){
        .device = &world->device,
        .map = &world->sample.profile.map,
        .before = &world->initial,
        .old = system_of(&world->sample, &world->sample.first, false,
                         scenario->has_regions),
        .new = system_of(&world->sample, &world->next, scenario->has_manager,
                         scenario->has_regions || scenario->adds_regions),
        .ends = scenario->ends,
        .erases_max = scenario->erases_max,
        .power_limit = world->sample.profile.policy.trial_powers,
        .carries_manager = scenario->has_manager,
        .in_place = scenario->in_place,
        .stored_firmware =
            scenario->is_encrypted ? world->next.stored[0] : world->next.firmware,
        .is_declared = scenario->is_declared,
        .is_broken = scenario->is_broken,
    };
    world->promise.old.tree =
        scenario->has_tree || scenario->finds_tree ? world->sample.first.tree : no_tree;
    world->promise.new.tree =
        scenario->drops_tree ? world->sample.first.tree : world->next.tree;
    if (scenario->revokes || scenario->rotates) {
        world->promise.new.key_mask &= ~1U;
    }
    if (scenario->rotates) {
        world->promise.new.table = world->next.members[2].image.data;
        world->promise.new.table_size = world->next.members[2].image.size;
    }
}

bool sweep_fits(const struct sweep_scenario *scenario,
                const struct host_profile *profile)
{
    /* A card door refuses before it writes anything, boot writes no manager from a
     * card, and nothing is received over one: there is nothing to cut. */
    if (otter_map_is_on_card(&profile->map) &&
        (scenario->is_forged || scenario->is_damaged || scenario->has_manager ||
         scenario->in_place)) {
        return false;
    }
    if (scenario->rotates &&
        otter_map_find(&profile->map, OTTER_REGION_STAGING) == NULL) {
        return false; /* 23-22 */
    }
    /* Without a card a roll back needs no loader. */
    bool needs_card =
        scenario->app != VDEVICE_CONFIRM || scenario->app_loader != VDEVICE_CONFIRM;

    if (scenario->has_loader &&
        (otter_map_find(&profile->map, OTTER_REGION_LOADER) == NULL ||
         (needs_card && !otter_map_is_on_card(&profile->map)))) {
        return false;
    }
    if ((scenario->has_tree || scenario->adds_tree || scenario->is_broken) &&
        !otter_map_is_on_card(&profile->map)) {
        return false;
    }
    return (!scenario->has_regions && !scenario->adds_regions) ||
           otter_map_find(&profile->map, OTTER_REGION_FONT) != NULL;
}

/* All members of a package but its table. */
static void add_members(struct secrecy *contents, const struct sample_package *package)
{
    for (uint8_t i = 0; i < package->package.member_count; i++) {
        const struct host_member *member = &package->members[i];

        if (member->role != OTTER_ROLE_TABLE) {
            secrecy_add(contents, member->image.data, member->image.size);
        }
    }
}

/* What must not be found: the programs of both systems, and every key. */
static void make_secrets(struct sweep_world *world)
{
    const struct sample *sample = &world->sample;

    world->contents = calloc(1, sizeof(*world->contents));
    world->keys = calloc(1, sizeof(*world->keys));
    if (world->contents == NULL || world->keys == NULL) {
        abort();
    }
    add_members(world->contents, &sample->first);
    add_members(world->contents, &world->next);
    for (size_t i = 0; i < sample->key_store.count; i++) {
        secrecy_add(world->keys, sample->key_store.keys[i].secret,
                    OTTER_DEVICE_SECRET_SIZE);
    }
    secrecy_add(world->keys, sample->first.content_key, OTTER_AES_KEY_SIZE);
    secrecy_add(world->keys, world->next.content_key, OTTER_AES_KEY_SIZE);
    world->promise.contents = world->contents;
    world->promise.keys = world->keys;
}

bool sweep_may_lack_room(const struct sweep_scenario *scenario)
{
    return scenario->is_mixed || scenario->rotates;
}

bool sweep_has_room(struct sweep_world *world)
{
    const struct host_image control = {world->next.bytes + OTTER_IMAGE_HEADER_SIZE,
                                       (uint32_t)world->next.size -
                                           OTTER_IMAGE_HEADER_SIZE};
    struct otter_source source = host_image_source(&control);
    struct otter_control parsed;
    struct otter_device view;
    struct otter_plan plan;
    enum otter_result result = OTTER_OK;

    if (vdevice_inspect(&world->device, &view) != OTTER_OK ||
        otter_control_open(&source, &parsed) != OTTER_OK) {
        return true;
    }
    result = otter_plan_make(&view, &source, &parsed, &plan);
    return result != OTTER_E_NO_SPACE && result != OTTER_E_TABLE_ROOM;
}

/* --- the card --- */

enum { OF_CARD = 1, UNSYNCED = 2 };

/* Counts an operation; true if the cut strikes it. */
static bool strikes(struct sweep_world *world, bool is_of_card)
{
    bool is_unsynced = world->card.change_count > 0;

    if (world->is_counting && world->op < (uint32_t)SWEEP_OPS_MAX) {
        world->ops[world->op] =
            (uint8_t)((is_of_card ? OF_CARD : 0) | (is_unsynced ? UNSYNCED : 0));
    }
    return world->op++ == world->strike.op && world->strike.kind >= SWEEP_BEFORE &&
           world->strike.kind <= SWEEP_TORN;
}

static void strike_flash(void *context, const struct vflash_op *op)
{
    static const enum vflash_fault_kind kinds[] = {
        [SWEEP_BEFORE] = VFLASH_CUT_BEFORE,
        [SWEEP_AFTER] = VFLASH_CUT_AFTER,
        [SWEEP_TORN] = VFLASH_TORN,
    };
    struct vdevice *device = context;
    struct sweep_world *world = device->hooks.context;

    if (world->has_trace) {
        (void)printf("%5" PRIu32, world->op);
        sweep_trace_op(context, op);
    }
    if (strikes(world, false)) {
        device->flash.fault = (struct vflash_fault){.at_op = op->index,
                                                    .kind = kinds[world->strike.kind],
                                                    .seed = world->strike.seed};
    }
}

static void strike_card(void *context, const struct vcard_op *op)
{
    static const char *const names[VCARD_OP_COUNT] = {
        "open",   "read",   "write", "sync", "close",
        "rename", "remove", "mkdir", "list", "stat"};
    static const enum vcard_fault_kind kinds[] = {
        [SWEEP_BEFORE] = VCARD_CUT_BEFORE,
        [SWEEP_AFTER] = VCARD_CUT_AFTER,
        [SWEEP_TORN] = VCARD_TORN,
    };
    struct vdevice *device = context;
    struct sweep_world *world = device->hooks.context;

    if (world->has_trace) {
        (void)printf("%5" PRIu32 "  card %-7s %s\n", world->op, names[op->kind],
                     op->path == NULL ? "" : op->path);
    }
    if (strikes(world, true)) {
        device->card->fault = (struct vcard_fault){.at_op = op->index,
                                                   .kind = kinds[world->strike.kind],
                                                   .seed = world->strike.seed};
    }
}

/* An archive, and the note that files of it have been left. */
static void leave_note(struct sweep_world *world, const uint8_t *archive, uint32_t size)
{
    const struct otter_crypto *crypto = world->device.ports.crypto;
    struct otter_pointer left = {.file_length = size, .path = TREE_ROOT};
    struct otter_sha256 sha;
    uint8_t bytes[OTTER_POINTER_SIZE];

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, archive, size);
    crypto->sha256_final(crypto->context, &sha, left.hash);
    otter_pointer_encode(&left, bytes);
    tree_provision(&no_tree, archive, size, &world->card);
    vcard_provision(&world->card, "otter/left", bytes, sizeof(bytes));
}

static void provision_files(struct sweep_world *world)
{
    const struct sweep_scenario *scenario = world->scenario;
    const struct sample_package *first = &world->sample.first;

    if (scenario->has_tree || scenario->finds_tree) {
        tree_provision(&first->tree, first->archive, first->archive_size, &world->card);
    }
    if (scenario->finds_tree) {
        leave_note(world, first->archive, first->archive_size);
    }
    if (scenario->is_followed) {
        /* A cut came when the first system was confirmed, before the agent had removed
         * the note of what lay there before its files. Nobody reads that archive. */
        leave_note(world, first->firmware, sizeof(first->firmware));
        vcard_provision(&world->card, LATER_PATH, world->later.bytes,
                        (uint32_t)world->later.size);
    }
}

static void open_card(struct sweep_world *world)
{
    world->is_on_card = true;
    vcard_init(&world->card, CARD_SIZE);
    vcard_files(&world->card, &world->files);
    vdevice_set_card(&world->device, &world->card, &world->files);
    vcard_provision(&world->card, PACKAGE_PATH, world->next.bytes,
                    (uint32_t)world->next.size);
    provision_files(world);
    vcard_save(&world->card, &world->initial_card);
    world->device.flash.hooks.on_op = strike_flash;
    world->card.hooks.on_op = strike_card;
}

/* P8: no input makes the device write to the package. */
static const char *check_package(const struct sweep_world *world)
{
    uint32_t size = 0;
    const uint8_t *bytes =
        world->is_on_card ? vcard_peek(&world->card, PACKAGE_PATH, &size) : NULL;

    return world->is_on_card && (bytes == NULL || size != world->next.size ||
                                 memcmp(bytes, world->next.bytes, size) != 0)
               ? "P8: the package on the card has changed"
               : NULL;
}

/* The device with the system that it leaves the factory with. */
static void make_device(struct sweep_world *world, const struct host_profile *profile)
{
    const struct sweep_scenario *scenario = world->scenario;
    struct sample *sample = &world->sample;
    struct vdevice *device = &world->device;

    sample_make(sample, profile);
    if (scenario->revokes) {
        sample_trust_second(sample);
    }
    if (scenario->has_regions) {
        sample_carry_regions(&sample->first);
        sample_build(&sample->first);
    }
    if (scenario->has_tree) {
        sample_carry_tree(&sample->first);
        sample_build(&sample->first);
    }
    if (scenario->finds_tree) {
        /* Its files are those of the system before it. */
        sample_carry_tree(&sample->first);
        sample->first.package.member_count--;
        sample->first.package.extension_count--;
        sample_build(&sample->first);
    }
    if (scenario->is_encrypted) {
        sample_encrypt_first(sample);
    }
    sample_device(sample, world->is_ecc, device);
    device->app = scenario->app;
    device->app_manager = scenario->app_manager;
    device->app_loader = scenario->app_loader;
    device->flash.hooks.on_breach = note_breach;
    device->hooks.context = world;
    device->hooks.on_progress = note_progress;
    device->hooks.on_start = note_start;
    if (world->has_memo) {
        memo_crypto(&device->crypto);
    }
}

/* Signed, and only then spoilt. */
static void spoil_package(const struct sweep_scenario *scenario,
                          struct sample_package *next)
{
    if (scenario->is_forged) {
        next->bytes[OTTER_IMAGE_HEADER_SIZE + 44] ^= 1; /* the target id */
    }
    if (scenario->is_damaged) {
        next->bytes[next->size - OTTER_TRAILER_SIZE - 1] ^= 1;
    }
}

/* The package that the device is given. */
static void make_package(struct sweep_world *world)
{
    const struct sweep_scenario *scenario = world->scenario;
    struct sample *sample = &world->sample;
    struct sample_package *next = &world->next;

    sample_next(sample, 2, next);
    if (scenario->has_manager) {
        sample_carry_manager(sample, next);
    }
    if (scenario->has_regions || scenario->adds_regions) {
        sample_carry_regions(next);
    }
    if (scenario->has_loader) {
        sample_carry_loader(sample, next);
    }
    if (scenario->in_place) {
        sample_put_in_place(next, scenario->is_declared);
    }
    if ((scenario->has_tree || scenario->adds_tree) && !scenario->drops_tree) {
        sample_carry_tree(next);
    }
    if (scenario->coding != OTTER_CODING_RAW) {
        sample_code(next, scenario->coding);
        next->firmware[SAMPLE_FIRMWARE_SIZE / 2] ^= scenario->is_miscoded;
    }
    if (scenario->is_encrypted) {
        sample_encrypt(sample, next);
    }
    if (scenario->revokes) {
        sample_revoke(sample, next);
    }
    if (scenario->rotates) {
        sample_rotate(sample, next);
    }
    sample_build(next);
    spoil_package(scenario, next);
    if (scenario->is_followed) {
        sample_next(sample, 3, &world->later);
        sample_carry_tree(&world->later);
        sample_build(&world->later);
    }
}

/* Another one for each name, never 0. */
static uint32_t seed_of(const char *name)
{
    return otter_crc32(0, name, strlen(name)) | 1U << 31;
}

void sweep_open(struct sweep_world *world, const struct host_profile *profile,
                const struct sweep_scenario *scenario, bool is_ecc, bool has_memo)
{
    memset(world, 0, sizeof(*world));
    world->scenario = scenario;
    world->is_ecc = is_ecc;
    world->has_memo = has_memo;
    fast_crc_use(has_memo);
    make_device(world, profile);
    make_package(world);
    if (otter_map_is_on_card(&world->sample.profile.map)) {
        open_card(world);
    }
    world->device.flash.bad_seed = seed_of(scenario->name) + seed_of(profile->name) / 2;
    if (scenario->is_broken) {
        const struct otter_region *region =
            otter_map_find(&profile->map, OTTER_REGION_APPLICATION);

        vflash_flip(&world->device.flash, region->addr + BROKEN_OFF, 5);
    }
    vflash_save(&world->device.flash, &world->initial);
    make_case(world);
    if (scenario->is_encrypted) {
        make_secrets(world);
    }
}

void sweep_close(struct sweep_world *world)
{
    free(world->contents);
    free(world->keys);
    vflash_image_free(&world->initial);
    vflash_image_free(&world->middle);
    vflash_image_free(&world->flipped);
    vcard_image_free(&world->initial_card);
    vcard_destroy(&world->card);
    vdevice_destroy(&world->device);
}

/* --- a power-on --- */

/* Where the running program would go on receiving. */
static uint32_t resume_point(const struct vdevice *device)
{
    return vdevice_is_manager(device) ? device->manager.receive.next
                                      : device->agent.receive.next;
}

static uint32_t sector_of_store(const struct sweep_world *world)
{
    const struct host_profile *profile = &world->sample.profile;
    uint32_t size = 0;

    for (size_t i = 0; i < profile->area_count; i++) {
        uint32_t sector = profile->areas[i].sector_size;

        size = sector > size ? sector : size;
    }
    return size;
}

/* P5 about the transfer that a cut has ended, if one was under way. */
static const char *check_resume(const struct sweep_world *world)
{
    enum { LENGTH_OFF = OTTER_IMAGE_HEADER_SIZE + 6 };
    uint32_t control_end =
        OTTER_IMAGE_HEADER_SIZE + otter_load_le16(world->next.bytes + LENGTH_OFF);

    return promise_p5(world->accepted, resume_point(&world->device),
                      sector_of_store(world), control_end);
}

/* Sends, requests, installs, tries: whatever is still to be done. */
static enum vdevice_end go_on(struct sweep_world *world, enum vdevice_end end)
{
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_OK;

    if (end == VDEVICE_IDLE && world->scenario->in_place &&
        device->program == OTTER_PROGRAM_AGENT && !promise_is_over(&world->promise)) {
        end = vdevice_enter_manager(device); /* as a remote does that knows */
    }
    if (end != VDEVICE_IDLE || promise_is_over(&world->promise) ||
        world->scenario->is_broken) {
        return end; /* it is over, or the manager does it by itself */
    }
    world->has_sent = true;
    if (world->is_on_card) {
        end = vdevice_install(device, PACKAGE_PATH, &result);
        return end == VDEVICE_IDLE ? vdevice_run(device) : end;
    }
    if (world->resume_violation == NULL) {
        world->resume_violation = check_resume(world);
    }
    world->accepted = 0;
    end = vdevice_feed(device, world->next.bytes, world->next.size, CHUNK, &result);
    if (end == VDEVICE_IDLE && result != OTTER_OK) {
        world->accepted = 0;
        return vdevice_run(device); /* it still notes why it refused */
    }
    if (end != VDEVICE_IDLE) {
        return end;
    }
    end = vdevice_request(device, &result);
    if (end != VDEVICE_IDLE || result != OTTER_OK) {
        return end;
    }
    world->accepted = 0; /* it is whole: a refusal at the check may start over */
    return vdevice_reset(device, OTTER_RESET_SOFTWARE);
}

bool sweep_is_cut_at_once(const struct sweep_cut *cut)
{
    return cut->kind == SWEEP_BAD && cut->seed != 0;
}

enum vdevice_end sweep_power_on(struct sweep_world *world, const struct sweep_cut *cut)
{
    static const enum vflash_fault_kind kinds[] = {
        [SWEEP_NONE] = VFLASH_NONE,       [SWEEP_BEFORE] = VFLASH_CUT_BEFORE,
        [SWEEP_AFTER] = VFLASH_CUT_AFTER, [SWEEP_TORN] = VFLASH_TORN,
        [SWEEP_BAD] = VFLASH_NONE,        [SWEEP_FLIP] = VFLASH_NONE,
    };
    const struct vflash_fault fault = {
        .at_op = cut->op,
        .kind = world->is_on_card           ? VFLASH_NONE
                : sweep_is_cut_at_once(cut) ? VFLASH_CUT_BEFORE
                                            : kinds[cut->kind],
        .seed = cut->seed,
    };

    world->power_ons++;
    world->op = 0;
    world->has_sent = false;
    world->strike = *cut;
    return go_on(world, vdevice_power_on(&world->device, fault));
}

void sweep_forget(struct sweep_world *world)
{
    struct vdevice *device = &world->device;

    vdevice_power_off(device);
    for (size_t i = 0; i < device->flash.sector_count; i++) {
        device->flash.sectors[i].is_bad = false;
    }
    device->defect = NULL;
    world->promise.before = &world->initial;
    world->promise.is_hurt = false;
    world->promise.is_flipped = false;
    world->promise.cuts = 0;
    world->accepted = 0;
    world->resume_violation = NULL;
    world->violation = NULL;
    world->cut_count = 0;
}

void sweep_start_over(struct sweep_world *world)
{
    sweep_forget(world);
    vflash_restore(&world->device.flash, &world->initial);
    if (world->is_on_card) {
        vcard_restore(&world->card, &world->initial_card);
    }
}

/* --- a run --- */

bool sweep_broke(struct sweep_world *world, const char *violation)
{
    world->violation = violation;
    return violation != NULL;
}

bool sweep_check_running(struct sweep_world *world, enum vdevice_end end)
{
    const struct promise_case *promise = &world->promise;

    return !sweep_broke(world, promise_p1(promise, end)) &&
           !sweep_broke(world, promise_p2(promise)) &&
           !sweep_broke(world, promise_p7(promise)) &&
           !sweep_broke(world, promise_p8(promise)) &&
           !sweep_broke(world, promise_k17(promise)) &&
           !sweep_broke(world, promise_k26(promise)) &&
           !sweep_broke(world, check_package(world)) &&
           !sweep_broke(world, world->resume_violation);
}

bool sweep_check_end(struct sweep_world *world)
{
    const struct promise_case *promise = &world->promise;

    if (promise->is_hurt) { /* it may have ended in another way */
        return !sweep_broke(world, promise_twice(promise));
    }
    return !sweep_broke(world, promise_p3(promise)) &&
           !sweep_broke(world, promise_p4(promise)) &&
           !sweep_broke(world, promise_k5(promise)) &&
           !sweep_broke(world, promise_twice(promise)) &&
           (!world->scenario->is_forged || !sweep_broke(world, promise_p6(promise)));
}

/* What is known of the package that follows: its system fails, and the one before it,
 * which has found files, comes back with them. */
static struct promise_case later_case(struct sweep_world *world)
{
    struct promise_case later = world->promise;

    vflash_save(&world->device.flash, &world->middle);
    later.before = &world->middle;
    later.old = world->promise.new;
    later.new = system_of(&world->sample, &world->later, false, false);
    later.new.tree = world->later.tree;
    later.ends = OTTER_OUTCOME_ROLLED_BACK;
    later.cuts = 0;
    return later;
}

/* Power goes and comes, and with it the package that follows. What the agent has
 * removed from the card without making sure of it has gone, or is there again. */
static enum vdevice_end take_later(struct sweep_world *world)
{
    struct vdevice *device = &world->device;
    size_t last = world->cut_count == 0 ? 0 : world->cut_count - 1;
    enum otter_result result = OTTER_OK;

    vcard_power_off(&world->card, (world->cuts[last].op + world->cuts[last].seed) % 2);

    world->power_ons++;
    world->op = 0;
    enum vdevice_end end =
        vdevice_power_on(device, (struct vflash_fault){.kind = VFLASH_NONE});

    if (end == VDEVICE_IDLE) {
        end = vdevice_install(device, LATER_PATH, &result);
    }
    return end == VDEVICE_IDLE ? vdevice_run(device) : end;
}

/* What cuts have left of one update may come to light in the next alone. */
static bool follow(struct sweep_world *world)
{
    struct promise_case promise = world->promise;

    if (!world->scenario->is_followed) {
        return true;
    }
    world->promise = later_case(world);
    world->device.app = VDEVICE_CRASH;
    bool is_good =
        sweep_check_running(world, take_later(world)) && sweep_check_end(world);

    world->promise = promise;
    world->device.app = world->scenario->app;
    return is_good;
}

/* Power on without a fault, again and again, until the update has come to its end. */
static bool finish(struct sweep_world *world)
{
    const struct sweep_cut none = {.kind = SWEEP_NONE};

    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        enum vdevice_end end = sweep_power_on(world, &none);

        if (!sweep_check_running(world, end)) {
            return false;
        }
        if (promise_is_over(&world->promise)) {
            return sweep_check_end(world) &&
                   (world->promise.is_hurt ||
                    (!sweep_broke(world, promise_p10(&world->promise)) &&
                     follow(world)));
        }
    }
    return world->promise.is_hurt ||
           !sweep_broke(world, "P3: the update does not come to its end");
}

/* The sector of the operation at hand goes bad. */
static void spoil_sector(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    const struct sweep_world *world = device->hooks.context;

    if (world->has_trace) {
        sweep_trace_op(context, op);
    }
    if (op->index == world->spoil_op) {
        vflash_set_bad(&device->flash, op->addr, true);
    }
}

/* The checks after a cut. To look is to read, and an unstable word reads differently
 * the next time: half of the runs do not look. */
static bool check_cut(struct sweep_world *world, const struct sweep_cut *cut)
{
    bool looks = (cut->op + cut->seed) % 2 == 0;

    return !sweep_broke(world, promise_k26(&world->promise)) &&
           (!looks || !sweep_broke(world, promise_p2(&world->promise)));
}

/* One step of a run. False if a promise is broken. */
static bool suffer(struct sweep_world *world, const struct sweep_cut *cut)
{
    struct vflash *flash = &world->device.flash;
    struct vflash_hooks hooks = flash->hooks;
    enum vdevice_end end;

    if (cut->kind == SWEEP_FLIP) {
        vdevice_power_off(&world->device);
        vflash_flip(flash, cut->op, cut->seed);
        vflash_save(flash, &world->flipped);
        world->promise.before = &world->flipped; /* what must not change now */
        world->promise.is_hurt = true;
        world->promise.is_flipped = true;
        return true;
    }
    if (cut->kind == SWEEP_BAD) {
        world->spoil_op = cut->op;
        world->promise.is_hurt = true;
        flash->hooks.on_op = spoil_sector;
    }
    end = sweep_power_on(world, cut);
    flash->hooks = hooks;
    world->promise.cuts += end == VDEVICE_CUT;
    return end == VDEVICE_CUT ? check_cut(world, cut) : sweep_check_running(world, end);
}

bool sweep_run(struct sweep_world *world, const struct sweep_cut *cuts, size_t count)
{
    sweep_start_over(world);
    world->cut_count = count;
    memcpy(world->cuts, cuts, count * sizeof(*cuts));
    for (size_t i = 0; i < count; i++) {
        bool is_good = suffer(world, &cuts[i]);

        if (world->on_step != NULL) {
            world->on_step(world);
        }
        if (!is_good) {
            return false;
        }
    }
    return finish(world);
}

bool sweep_resume(struct sweep_world *world, const struct sweep_cut *cut,
                  const struct vflash_image *image, uint32_t accepted)
{
    sweep_start_over(world);
    vflash_restore(&world->device.flash, image);
    world->cut_count = 1;
    world->cuts[0] = *cut;
    world->promise.cuts = 1;
    world->accepted = accepted;
    return check_cut(world, cut) && finish(world);
}

uint32_t sweep_count_ops(struct sweep_world *world)
{
    const struct sweep_cut none = {.kind = SWEEP_NONE};

    sweep_start_over(world);
    world->is_counting = world->is_on_card;
    (void)sweep_power_on(world, &none);
    world->is_counting = false;
    if (world->op < (uint32_t)SWEEP_OPS_MAX) {
        world->ops[world->op] = UNSYNCED; /* nobody saw what the last one left */
    }
    return world->is_on_card ? world->op : world->device.flash.op;
}

bool sweep_is_of_card(const struct sweep_world *world, uint32_t op)
{
    return op < (uint32_t)SWEEP_OPS_MAX && (world->ops[op] & OF_CARD) != 0;
}

/* What is not known counts as unsynced. */
bool sweep_is_unsynced(const struct sweep_world *world, uint32_t op)
{
    return op >= (uint32_t)SWEEP_OPS_MAX - 1 ||
           ((world->ops[op] | world->ops[op + 1]) & UNSYNCED) != 0;
}

/* --- replay ids --- */

static const char *const kind_names[] = {
    [SWEEP_NONE] = "none", [SWEEP_BEFORE] = "before", [SWEEP_AFTER] = "after",
    [SWEEP_TORN] = "torn", [SWEEP_BAD] = "bad",       [SWEEP_FLIP] = "flip",
};

void sweep_replay_id(const struct sweep_world *world, char *out, size_t size)
{
    int len = snprintf(out, size, "%s%s:%s", world->sample.profile.name,
                       world->is_ecc ? "+ecc" : "", world->scenario->name);

    for (size_t i = 0; i < world->cut_count && len > 0 && (size_t)len < size; i++) {
        const struct sweep_cut *cut = &world->cuts[i];

        len += snprintf(out + len, size - (size_t)len, ":%" PRIu32 "/%s/%" PRIu32,
                        cut->op, kind_names[cut->kind], cut->seed);
    }
}

bool sweep_parse_cut(char *text, struct sweep_cut *cut)
{
    char *kind = strchr(text, '/');
    char *seed = kind == NULL ? NULL : strchr(kind + 1, '/');

    if (seed == NULL) {
        return false;
    }
    *kind++ = '\0';
    *seed++ = '\0';
    cut->op = (uint32_t)strtoul(text, NULL, 10);
    cut->seed = (uint32_t)strtoul(seed, NULL, 10);
    for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
        if (strcmp(kind_names[i], kind) == 0) {
            cut->kind = (enum sweep_kind)i;
            return true;
        }
    }
    return false;
}

void sweep_trace_op(void *context, const struct vflash_op *op)
{
    (void)context;
    (void)printf("  %5" PRIu32 " %-7s 0x%08" PRIX32 " %5" PRIu32 "\n", op->index,
                 op->is_erase ? "erase" : "program", op->addr, op->size);
}
