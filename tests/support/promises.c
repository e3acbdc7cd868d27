/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promises as checks.
 */
#include "promises.h"

#include <string.h>

static const struct otter_region *region_of(const struct promise_case *it, uint8_t id)
{
    return otter_map_find(it->map, id);
}

static bool is_untouched(const struct promise_case *it, uint8_t id)
{
    const struct otter_region *region = region_of(it, id);

    return region == NULL ||
           vflash_is_same(&it->device->flash, it->before, region->addr, region->size);
}

static bool holds(const struct promise_case *it, uint8_t id, const uint8_t *bytes,
                  uint32_t size)
{
    const struct otter_region *region = region_of(it, id);

    return region != NULL && memcmp(vflash_peek(&it->device->flash, region->addr, size),
                                    bytes, size) == 0;
}

/* A member of a system: where it lies. */
struct part {
    uint8_t region;
    const uint8_t *bytes;
    uint32_t size;
};

enum { SHARED_PARTS = 2 };

static void list_shared(const struct promise_system *system,
                        struct part parts[SHARED_PARTS])
{
    parts[0] = (struct part){OTTER_REGION_RESOURCES, system->resources,
                             system->resources_size};
    parts[1] = (struct part){OTTER_REGION_FONT, system->font, system->font_size};
}

static bool has_new_font(const struct promise_case *it)
{
    const uint8_t *font = it->new.font;

    return font != NULL && holds(it, OTTER_REGION_FONT, font, it->new.font_size);
}

/* The font is the new one, with which the old system is declared to run. */
static bool is_declared_font(const struct promise_case *it, const struct part *part)
{
    return it->is_declared && part->region == OTTER_REGION_FONT && has_new_font(it);
}

/* Files of one system and none of the other's. */
static bool has_files(const struct promise_case *it,
                      const struct promise_system *system)
{
    const struct promise_system *other = system == &it->old ? &it->new : &it->old;

    return it->device->card == NULL ||
           tree_is_on(it->device->card, &system->tree, &other->tree);
}

static bool has_shared(const struct promise_case *it,
                       const struct promise_system *system)
{
    struct part parts[SHARED_PARTS];

    if (!has_files(it, system)) {
        return false;
    }
    list_shared(system, parts);
    for (size_t i = 0; i < SHARED_PARTS; i++) {
        if (parts[i].bytes != NULL && !is_declared_font(it, &parts[i]) &&
            !holds(it, parts[i].region, parts[i].bytes, parts[i].size)) {
            return false;
        }
    }
    return true;
}

static bool runs_firmware(const struct promise_case *it,
                          const struct promise_system *system)
{
    return it->device->program == OTTER_PROGRAM_AGENT &&
           holds(it, it->device->region, system->firmware, system->firmware_size);
}

static bool runs(const struct promise_case *it, const struct promise_system *system)
{
    return runs_firmware(it, system) && has_shared(it, system);
}

/* Some region that belongs to `system` holds what is `other`'s. */
static bool is_mixed(const struct promise_case *it, const struct promise_system *system,
                     const struct promise_system *other)
{
    struct part own[SHARED_PARTS];
    struct part foreign[SHARED_PARTS];

    list_shared(system, own);
    list_shared(other, foreign);
    for (size_t i = 0; i < SHARED_PARTS; i++) {
        if (own[i].bytes != NULL && foreign[i].bytes != NULL &&
            !is_declared_font(it, &own[i]) &&
            holds(it, foreign[i].region, foreign[i].bytes, foreign[i].size) &&
            !holds(it, own[i].region, own[i].bytes, own[i].size)) {
            return true;
        }
    }
    return false;
}

const char *promise_p1_start(const struct promise_case *it)
{
    bool is_old = runs_firmware(it, &it->old);
    bool is_bad = it->is_hurt ? is_mixed(it, is_old ? &it->old : &it->new,
                                         is_old ? &it->new : &it->old)
                              : !has_shared(it, is_old ? &it->old : &it->new);

    return is_bad ? "P1: an application was started with what is not of its version"
                  : NULL;
}

/* The region of the manager holds this system's. */
static bool has_manager_of(const struct promise_case *it,
                           const struct promise_system *system)
{
    return holds(it, OTTER_REGION_MANAGER, system->manager, system->manager_size);
}

/* The state as boot would see it. False if it could not be found or rebuilt. */
static bool look(const struct promise_case *it, struct otter_state *state)
{
    struct otter_device view;

    if (vdevice_inspect(it->device, &view) != OTTER_OK) {
        return false;
    }
    *state = view.journal.state;
    return true;
}

/* As runs(), but a device that is hurt need not notice what boot does not execute. */
static bool seems_to_run(const struct promise_case *it,
                         const struct promise_system *system)
{
    return it->is_hurt ? runs_firmware(it, system) : runs(it, system);
}

/* "The application is closed" stands. */
static bool is_closed(const struct promise_case *it)
{
    struct otter_state state;

    return (it->in_place || it->is_broken) && look(it, &state) &&
           (state.flags & OTTER_FLAG_CLOSED) != 0;
}

/* The exception: the manager keeps the device; if it is damaged, nothing runs. */
static bool is_kept_closed(const struct promise_case *it, enum vdevice_end end)
{
    const struct vdevice *device = it->device;

    if (!is_closed(it)) {
        return false;
    }
    return end == VDEVICE_NOTHING ? it->is_hurt && !has_manager_of(it, &it->old)
                                  : end == VDEVICE_IDLE && device->code != 0 &&
                                        device->program == OTTER_PROGRAM_MANAGER;
}

/* Or a loader, which is the new system's manager and runs from RAM. */
static bool is_manager(enum otter_program program)
{
    return program == OTTER_PROGRAM_MANAGER || program == OTTER_PROGRAM_LOADER;
}

const char *promise_p1(const struct promise_case *it, enum vdevice_end end)
{
    const struct vdevice *device = it->device;

    if (device->defect != NULL) {
        return device->defect;
    }
    if (is_kept_closed(it, end)) {
        return NULL;
    }
    if (it->is_hurt && end == VDEVICE_IDLE && is_manager(device->program)) {
        return device->code != 0 || device->manager.result != OTTER_OK
                   ? NULL
                   : "P1: the manager runs and does not say why";
    }
    if (end != VDEVICE_IDLE || device->program != OTTER_PROGRAM_AGENT) {
        return "P1: no application runs";
    }
    return seems_to_run(it, &it->old) || seems_to_run(it, &it->new)
               ? NULL
               : "P1: the system that runs is neither old nor new";
}

/* Of the members that are stored: the first, the firmware, where it is stored. */
static bool is_stored(const struct promise_case *it)
{
    bool is_in_slot = region_of(it, OTTER_REGION_SLOT_B) != NULL &&
                      it->stored_firmware == it->new.firmware;

    return holds(it, is_in_slot ? OTTER_REGION_SLOT_B : OTTER_REGION_STAGING,
                 it->stored_firmware, it->new.firmware_size);
}

/* A system with a font in place has failed its trial: the old one is gone for good, and
 * what comes next overwrites nothing of it. */
static bool is_given_up(const struct promise_case *it, const struct otter_state *state)
{
    return it->in_place && (state->flags & OTTER_FLAG_CLOSED) != 0 &&
           state->outcome.kind == OTTER_OUTCOME_FAILED &&
           state->outcome.code == otter_code(OTTER_E_ONE_WAY);
}

/* May the font have changed, early? Of a transfer that is under way the rest is there.
 */
static bool may_have_font(const struct promise_case *it,
                          const struct otter_state *state)
{
    bool is_receiving = state->phase == OTTER_PHASE_RECEIVING &&
                        state->part == OTTER_PART_MEMBERS && state->member > 0;

    if (!it->in_place || (is_receiving && !is_stored(it))) {
        return false;
    }
    return (state->flags & OTTER_FLAG_CLOSED) != 0 ||
           (it->is_declared && has_new_font(it));
}

const char *promise_p2(const struct promise_case *it)
{
    struct otter_state state;

    if (!it->carries_manager && !is_untouched(it, OTTER_REGION_MANAGER)) {
        return "P2: the manager was changed by a package that has none";
    }
    if (!look(it, &state)) {
        return it->is_hurt ? NULL : "P1: neither system verifies";
    }
    bool is_early = state.phase == OTTER_PHASE_RECEIVING ||
                    state.phase == OTTER_PHASE_COMPLETE ||
                    state.phase == OTTER_PHASE_REQUESTED ||
                    state.outcome.kind == OTTER_OUTCOME_REFUSED;

    return !is_early || is_given_up(it, &state) ||
                   (is_untouched(it, OTTER_REGION_APPLICATION) &&
                    is_untouched(it, OTTER_REGION_RESOURCES) &&
                    (is_untouched(it, OTTER_REGION_FONT) ||
                     may_have_font(it, &state)) &&
                    is_untouched(it, OTTER_REGION_MANAGER) && has_files(it, &it->old))
               ? NULL
               : "P2: the old system was changed before the package was verified";
}

/* How it is to end, given what the outcome says about attempts that were used up. */
static enum otter_outcome_kind end_of(const struct promise_case *it,
                                      const struct otter_state *state)
{
    bool is_worn = state->outcome.code == otter_code(OTTER_E_TRIAL_POWER) ||
                   state->outcome.code == otter_code(OTTER_E_ONE_WAY) ||
                   state->outcome.code == otter_code(OTTER_E_MANAGER_START);

    return is_worn && it->cuts >= it->power_limit
               ? (enum otter_outcome_kind)state->outcome.kind
               : it->ends;
}

const char *promise_p3(const struct promise_case *it)
{
    struct otter_state state;

    if (!look(it, &state)) {
        return "P1: neither system verifies";
    }
    enum otter_outcome_kind end = end_of(it, &state);
    bool is_new = end == OTTER_OUTCOME_CONFIRMED;

    if (state.outcome.kind != end) {
        return "P3: the update ended in another way";
    }
    if (is_new && !runs(it, &it->new)) {
        return "P3: the update did not come to its end";
    }
    return state.counter == (is_new ? it->new.counter : it->old.counter)
               ? NULL
               : "K17: the security counter is not that of the confirmed system";
}

/* Copies of the system's table in a half of its region: at its quarters. */
static bool has_copy(const struct promise_case *it, const struct promise_system *system,
                     uint32_t half)
{
    const struct otter_region *region = region_of(it, OTTER_REGION_TABLE);

    for (uint32_t quarter = 2 * half; quarter < 2 * half + 2; quarter++) {
        const uint8_t *bytes =
            vflash_peek(&it->device->flash, region->addr + quarter * (region->size / 4),
                        OTTER_TABLE_CONTENT_OFF + system->table_size);

        if (memcmp(bytes + OTTER_TABLE_CONTENT_OFF, system->table,
                   system->table_size) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_table_twice(const struct promise_case *it)
{
    const struct promise_system *system =
        seems_to_run(it, &it->new) ? &it->new : &it->old;

    return system->table == NULL ||
           (has_copy(it, system, 0) && has_copy(it, system, 1));
}

/* No sector of the region is bad. */
static bool is_sound(const struct promise_case *it, uint8_t id)
{
    const struct otter_region *region = region_of(it, id);
    const struct vflash *flash = &it->device->flash;
    size_t last = vflash_sector_index(flash, region->addr + region->size - 1);

    for (size_t i = vflash_sector_index(flash, region->addr); i <= last; i++) {
        if (flash->sectors[i].is_bad) {
            return false;
        }
    }
    return true;
}

static bool has_receipt_twice(const struct promise_case *it)
{
    struct otter_device view;
    struct otter_system system;
    bool is_twice = vdevice_inspect(it->device, &view) == OTTER_OK;

    for (uint8_t copy = 0; copy < 2 && is_twice; copy++) {
        is_twice = otter_system_read(&view, view.journal.state.current, copy,
                                     &system) == OTTER_OK &&
                   system.receipt.has_hash;
    }
    return is_twice;
}

const char *promise_twice(const struct promise_case *it)
{
    if (it->device->program != OTTER_PROGRAM_AGENT || it->is_flipped) {
        return NULL;
    }
    if (!has_table_twice(it)) {
        return "K8: the flash table of the system that runs is not there twice";
    }
    return is_sound(it, OTTER_REGION_RECEIPTS) && !has_receipt_twice(it)
               ? "K1: the receipt of the system that runs is not there twice"
               : NULL;
}

const char *promise_k17(const struct promise_case *it)
{
    struct otter_state state;

    /* What a lost journal knew of keys may be lost with it. */
    if (!look(it, &state) || it->is_hurt) {
        return NULL;
    }
    bool is_new = state.phase != OTTER_PHASE_TRIAL &&
                  state.outcome.kind == OTTER_OUTCOME_CONFIRMED;

    return state.key_mask == (is_new ? it->new.key_mask : it->old.key_mask)
               ? NULL
               : "K17: the trusted keys are not those of the confirmed system";
}

const char *promise_p4(const struct promise_case *it)
{
    struct otter_state state;

    if (!look(it, &state)) {
        return "P1: neither system verifies";
    }
    bool is_new = end_of(it, &state) == OTTER_OUTCOME_CONFIRMED;

    /* Of a system with a member in place there is no way back: the manager says so. */
    bool is_one_way = end_of(it, &state) == OTTER_OUTCOME_FAILED &&
                      state.outcome.code == otter_code(OTTER_E_ONE_WAY) &&
                      is_kept_closed(it, VDEVICE_IDLE) && !it->is_declared;

    if (!is_new && !is_one_way && !runs(it, &it->old)) {
        return "P4: the old system is not back";
    }
    return has_manager_of(it, is_new && it->carries_manager ? &it->new : &it->old)
               ? NULL
               : "P4: the manager is not that of the system that runs (K15)";
}

const char *promise_p5(uint32_t accepted, uint32_t resumed, uint32_t sector,
                       uint32_t control_end)
{
    if (accepted <= control_end || resumed >= accepted) {
        return NULL; /* a control packet that was not whole starts over */
    }
    return resumed >= control_end && accepted - resumed <= sector
               ? NULL
               : "P5: a cut has cost more than a sector of the transfer";
}

const char *promise_p6(const struct promise_case *it)
{
    static const uint8_t closed[] = {
        OTTER_REGION_BOOT,        OTTER_REGION_TABLE,  OTTER_REGION_MANAGER,
        OTTER_REGION_APPLICATION, OTTER_REGION_SLOT_B, OTTER_REGION_STAGING,
        OTTER_REGION_RESOURCES,   OTTER_REGION_FONT,
    };

    for (size_t i = 0; i < sizeof(closed); i++) {
        if (!is_untouched(it, closed[i])) {
            return "P6: a refused package has changed more than its receipt";
        }
    }
    return NULL;
}

const char *promise_p7(const struct promise_case *it)
{
    struct otter_state state;

    if (!look(it, &state)) {
        return it->is_hurt ? NULL : "P1: neither system verifies";
    }
    bool has_code = state.outcome.code != 0;
    bool is_confirmed = state.outcome.kind == OTTER_OUTCOME_CONFIRMED;

    if (state.outcome.kind == OTTER_OUTCOME_NONE) {
        return NULL;
    }
    if (has_code == is_confirmed) {
        return "P7: the outcome's code does not fit";
    }
    if (has_code && otter_error_find(state.outcome.code) == NULL) {
        return "P7: the outcome's code has no text";
    }
    bool is_idle =
        state.phase == OTTER_PHASE_CONFIRMED || state.phase == OTTER_PHASE_ROLLED_BACK;

    if (!is_idle || it->device->program != OTTER_PROGRAM_AGENT) {
        return NULL;
    }
    if (is_confirmed && !seems_to_run(it, &it->new)) {
        return "P7: the outcome says confirmed, and the old system runs";
    }
    bool says_old = state.outcome.kind == OTTER_OUTCOME_ROLLED_BACK ||
                    state.outcome.kind == OTTER_OUTCOME_REFUSED ||
                    state.outcome.kind == OTTER_OUTCOME_FAILED;

    return says_old && !seems_to_run(it, &it->old)
               ? "P7: the outcome says that the old system runs, and it does not"
               : NULL;
}

const char *promise_p8(const struct promise_case *it)
{
    bool is_kept = it->old.table == it->new.table;

    return is_untouched(it, OTTER_REGION_BOOT) &&
                   (it->is_hurt || !is_kept || is_untouched(it, OTTER_REGION_TABLE))
               ? NULL
               : "P8: boot or the table was written";
}

const char *promise_p10(const struct promise_case *it)
{
    static const uint8_t stores[] = {OTTER_REGION_APPLICATION, OTTER_REGION_SLOT_B,
                                     OTTER_REGION_STAGING, OTTER_REGION_RESOURCES,
                                     OTTER_REGION_FONT};

    for (size_t i = 0; i < sizeof(stores); i++) {
        const struct otter_region *region = region_of(it, stores[i]);

        if (region != NULL &&
            vflash_erases_max(&it->device->flash, region->addr, region->size) >
                it->erases_max + it->cuts) {
            return "P10: a sector was erased too often";
        }
    }
    return NULL;
}

static bool is_programmed(const struct promise_case *it, const struct part *part)
{
    const struct otter_region *region = region_of(it, part->region);

    for (uint32_t off = 0; region != NULL && part->bytes != NULL && off < part->size;
         off++) {
        if (vflash_word_at(&it->device->flash, region->addr + off) !=
            VFLASH_WORD_PROGRAMMED) {
            return false;
        }
    }
    return true;
}

const char *promise_k5(const struct promise_case *it)
{
    const struct promise_system *system = runs(it, &it->new) ? &it->new : &it->old;
    const struct part firmware = {it->device->region, system->firmware,
                                  system->firmware_size};
    struct part parts[SHARED_PARTS];

    if (is_kept_closed(it, VDEVICE_IDLE)) {
        return NULL; /* no system runs */
    }
    list_shared(system, parts);
    return is_programmed(it, &firmware) && is_programmed(it, &parts[0]) &&
                   is_programmed(it, &parts[1])
               ? NULL
               : "K5: the system that runs holds a word that a cut has touched";
}

/* Regions in which what is installed lies in clear. */
static bool is_installed(uint8_t id)
{
    return id == OTTER_REGION_APPLICATION || id == OTTER_REGION_SLOT_B ||
           id == OTTER_REGION_MANAGER || id == OTTER_REGION_BOOT ||
           id == OTTER_REGION_RESOURCES || id == OTTER_REGION_FONT;
}

/* Some file on the card holds one of these secrets: a saved copy, a package, the
 * archive of a tree. `but`: the folder whose files are installed, and lie in clear. */
static bool is_on_card(const struct vcard *card, const struct secrecy *secrets,
                       const char *but)
{
    size_t len = strlen(but);

    for (size_t i = 0; card != NULL && secrets != NULL && i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *node = &card->live.nodes[i];
        uint32_t size = 0;
        bool is_looked_at =
            node->id != 0 && (len == 0 || strncmp(node->path, but, len) != 0);
        const uint8_t *bytes =
            is_looked_at ? vcard_peek(card, node->path, &size) : NULL;
        size_t at = 0;

        if (bytes != NULL && secrecy_finds(secrets, bytes, size, &at)) {
            return true;
        }
    }
    return false;
}

const char *promise_k26(const struct promise_case *it)
{
    struct vflash *flash = &it->device->flash;

    for (uint8_t i = 0; it->contents != NULL && i < it->map->count; i++) {
        const struct otter_region *region = &it->map->regions[i];

        if (region->id != OTTER_REGION_LOADER && !is_installed(region->id) &&
            secrecy_finds_in_flash(it->contents, flash, region->addr, region->size)) {
            return "K26: what was encrypted lies in clear outside the installed regions";
        }
    }
    for (size_t i = 0; it->keys != NULL && i < flash->config.area_count; i++) {
        const struct otter_flash_area *area = &flash->config.areas[i];

        if (secrecy_finds_in_flash(it->keys, flash, area->addr,
                                   area->sector_size * area->sector_count)) {
            return "K26: a key lies in flash";
        }
    }
    return is_on_card(it->device->card, it->contents, TREE_ROOT "/") ||
                   is_on_card(it->device->card, it->keys, "")
               ? "K26: what was encrypted, or a key, lies in clear on the card"
               : NULL;
}

bool promise_is_confirmed(const struct promise_case *it)
{
    struct otter_state state;

    return look(it, &state) && state.phase == OTTER_PHASE_CONFIRMED &&
           state.outcome.kind == OTTER_OUTCOME_CONFIRMED;
}

const char *promise_k2(const struct promise_case *it, bool was_confirmed)
{
    struct otter_state state;

    if (!was_confirmed || !look(it, &state)) {
        return NULL;
    }
    return state.phase == OTTER_PHASE_TRIAL ||
                   (it->device->program == OTTER_PROGRAM_AGENT &&
                    seems_to_run(it, &it->old))
               ? "K2: a confirmed system is on trial again, or gone"
               : NULL;
}

bool promise_is_over(const struct promise_case *it)
{
    struct otter_state state;

    return look(it, &state) &&
           (state.phase == OTTER_PHASE_CONFIRMED ||
            state.phase == OTTER_PHASE_ROLLED_BACK) &&
           state.outcome.kind != OTTER_OUTCOME_NONE;
}
