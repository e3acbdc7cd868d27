/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: every reason to refuse a package before it is transferred, and where each
 * of its members goes. Staging is filled from its start with stored members, each from
 * a sector on, and from its end with the saved copies of the old system, whose places
 * depend on that system alone: so boot finds them without the new system's receipt.
 */
#include "otter/plan.h"

#include "otter/stream.h"

#include <string.h>

struct planning {
    struct otter_device *device;
    const struct otter_source *source; /* the package's control packet */
    const struct otter_control *control;
    uint8_t index; /* of the member under way */
    bool has_current;
    struct otter_system current;
    struct otter_plan plan;
    uint32_t staged;     /* bytes of staging taken from its start */
    uint32_t saved_from; /* and from here to its end, by saved copies */
    uint16_t taken;      /* bit id: a shared region that some member is for */
    uint32_t data;       /* bit i: member i is installed after all programs */
    uint32_t late;       /* bit i: member i is installed after what is in place */
    bool is_in_place;    /* some member is written in place, */
    bool is_one_way;     /* and the old system does not run with it */
};

static enum otter_result check_target(const struct otter_device *device,
                                      const struct otter_control *control)
{
    const struct otter_table *table = &device->table;

    if (control->target != table->target) {
        return OTTER_E_TARGET;
    }
    if (table->hardware < control->hardware_min ||
        table->hardware > control->hardware_max) {
        return OTTER_E_HARDWARE;
    }
    if (control->counter < device->journal.state.counter) {
        return OTTER_E_COUNTER;
    }
    if (table->boot_version < control->boot_min) {
        return OTTER_E_BOOT_TOO_OLD;
    }
    return OTTER_OK;
}

/* A device without any readable system follows nothing: only a package that follows
 * everything fits. */
static enum otter_result check_follows(const struct planning *planning,
                                       const struct otter_control *control)
{
    static const struct otter_version none = {0, 0, 0, 0};
    const struct otter_version *installed =
        planning->has_current ? &planning->current.control.version : &none;

    return otter_version_compare(installed, &control->follows) < 0 ? OTTER_E_FOLLOWS
                                                                   : OTTER_OK;
}

/* Two members cannot lie in one region. */
static enum otter_result take_region(struct planning *planning, uint8_t region)
{
    uint16_t bit =
        otter_region_flag(region) == 0 ? 0 : (uint16_t)(1U << (unsigned)region);

    if ((planning->taken & bit) != 0) {
        return OTTER_E_CONTROL_DOUBLED;
    }
    planning->taken = (uint16_t)(planning->taken | bit);
    return OTTER_OK;
}

/* The member of the current system that a kept one must be. */
static enum otter_result find_installed(const struct planning *planning,
                                        const struct otter_member *member,
                                        uint8_t region, struct otter_member *installed)
{
    uint8_t index;

    if (!planning->has_current) {
        return OTTER_E_KEPT;
    }
    return otter_region_flag(region) != 0 || region == OTTER_REGION_TREE
               ? otter_system_in_region(planning->device, &planning->current, region,
                                        installed)
               : otter_system_member(&planning->current, member->role, installed,
                                     &index);
}

#if OTTER_TREES

/* Files that are kept stay in their folder. */
static bool is_same_root(const struct planning *planning)
{
    const struct otter_receipt *receipt = &planning->current.receipt;
    struct otter_source source = otter_span_source(&receipt->span, receipt->length);
    char kept[OTTER_PATH_SIZE] = "";
    char old[OTTER_PATH_SIZE] = "";

    return otter_control_root(planning->source, planning->control, kept) == OTTER_OK &&
           otter_control_root(&source, &planning->current.control, old) == OTTER_OK &&
           memcmp(kept, old, sizeof(kept)) == 0;
}

#else

static bool is_same_root(const struct planning *planning)
{
    (void)planning;
    return false;
}

#endif

/* A kept member is the one that the current system's receipt names. */
static enum otter_result place_kept(struct planning *planning,
                                    const struct otter_member *member,
                                    struct otter_placement *placement)
{
    struct otter_device *device = planning->device;
    struct otter_member installed;
    uint8_t region = otter_member_region(device, device->journal.state.current, member);

    if (member->role == OTTER_ROLE_FIRMWARE || member->role == OTTER_ROLE_LOADER) {
        /* A trial needs an image of its own and a way back; no loader stays. */
        return OTTER_E_STRATEGY;
    }
    if (find_installed(planning, member, region, &installed) != OTTER_OK ||
        installed.role != member->role ||
        installed.installed_size != member->installed_size ||
        ((installed.flags ^ member->flags) & OTTER_MEMBER_ENCRYPTED) != 0 ||
        memcmp(installed.installed_sha, member->installed_sha, OTTER_SHA256_SIZE) !=
            0 ||
        (region == OTTER_REGION_TREE && !is_same_root(planning))) {
        return OTTER_E_KEPT;
    }
    uint8_t flag = region == OTTER_REGION_TREE ? (uint8_t)OTTER_FLAG_NEW_TREE
                                               : otter_region_flag(region);

    if ((device->journal.state.flags & OTTER_FLAG_CLOSED) != 0 &&
        (device->journal.state.flags & flag) != 0) {
        return OTTER_E_KEPT; /* it was overwritten, and is whose nobody knows */
    }
    placement->strategy = OTTER_STRATEGY_KEPT;
    placement->target_region = region;
    /* Of files there is one member at most (21-16). */
    return region == OTTER_REGION_TREE ? OTTER_OK : take_region(planning, region);
}

/* Boot installs what the manager has decoded, and outlives the codings it was compiled
 * with, so it does not judge them (K6). */
static enum otter_result check_coding(const struct otter_device *device,
                                      const struct otter_member *member)
{
    if (device->program == OTTER_PROGRAM_BOOT || member->coding == OTTER_CODING_RAW) {
        return OTTER_OK;
    }
    if (member->coding >= 32 || (OTTER_CODINGS >> member->coding & 1U) == 0) {
        return OTTER_E_CONTROL_CODING;
    }
    return member->memory > OTTER_CODING_MEMORY ? OTTER_E_CODING_MEMORY : OTTER_OK;
}

/* What the program itself must be able to do with it. */
static enum otter_result check_form(const struct otter_device *device,
                                    const struct otter_member *member)
{
    enum otter_result result = check_coding(device, member);

    if (result != OTTER_OK) {
        return result;
    }
    bool is_encrypted = (member->flags & OTTER_MEMBER_ENCRYPTED) != 0;

    if (is_encrypted && !otter_cipher_is_possible(device->ports.crypto)) {
        return OTTER_E_CANNOT_DECRYPT;
    }
    return (member->flags & ~(OTTER_MEMBER_ENCRYPTED | OTTER_MEMBER_IN_PLACE |
                              OTTER_MEMBER_COMPATIBLE)) != 0
               ? OTTER_E_CONTROL_FLAGS
               : OTTER_OK;
}

static enum otter_result check_carried(const struct otter_device *device,
                                       const struct otter_member *member,
                                       const struct otter_region *target)
{
    enum otter_result result = check_form(device, member);

    if (result != OTTER_OK) {
        return result;
    }
    if (member->region != OTTER_REGION_NONE && member->region != target->id &&
        otter_map_find(&device->table.map, member->region) == NULL) {
        return OTTER_E_REGION;
    }
    if (otter_region_flag(target->id) == 0 &&
        (member->link_addr != target->exec ||
         (member->region != OTTER_REGION_NONE && member->region != target->id))) {
        return OTTER_E_LINK_ADDRESS;
    }
    return member->installed_size > target->size ? OTTER_E_TOO_LARGE : OTTER_OK;
}

static uint32_t next_sector(const struct otter_device *device, uint32_t off)
{
    struct otter_sector sector;

    if (otter_io_sector(&device->io, OTTER_REGION_STAGING, off, &sector) != OTTER_OK ||
        sector.off == off) {
        return off;
    }
    return sector.off + sector.size;
}

/* The sector from which `size` bytes reach to `end` of staging. */
static enum otter_result place_before(const struct otter_device *device, uint32_t end,
                                      uint32_t size, uint32_t *off)
{
    struct otter_sector sector;

    if (size == 0 || size > end ||
        otter_io_sector(&device->io, OTTER_REGION_STAGING, end - size, &sector) !=
            OTTER_OK) {
        return OTTER_E_NO_SPACE;
    }
    *off = sector.off;
    return OTTER_OK;
}

/* From the end of staging down. A region that a system does not use takes no room. */
static const uint8_t saved_regions[] = {
    OTTER_REGION_APPLICATION,
    OTTER_REGION_MANAGER,
    OTTER_REGION_RESOURCES,
    OTTER_REGION_FONT,
};

enum { SAVED_COUNT = sizeof(saved_regions) / sizeof(saved_regions[0]) };

enum otter_result otter_plan_saved(const struct otter_device *device,
                                   const struct otter_system *old, uint8_t region,
                                   uint32_t *off, struct otter_member *member)
{
    const struct otter_region *staging =
        otter_map_find(&device->table.map, OTTER_REGION_STAGING);
    size_t first = otter_device_is_ab(device) ? 1 : 0;

    if (otter_device_is_on_card(device)) {
        *off = 0;
        return otter_system_in_region(device, old, region, member);
    }
    *off = staging == NULL ? 0 : staging->size;
    for (size_t i = first; i < SAVED_COUNT; i++) {
        bool is_wanted = saved_regions[i] == region;
        enum otter_result result =
            otter_system_in_region(device, old, saved_regions[i], member);

        if (result == OTTER_OK) {
            result = place_before(device, *off, member->installed_size, off);
        } else if (result == OTTER_E_CONTROL_MISSING && !is_wanted) {
            continue;
        }
        if (is_wanted || result != OTTER_OK) {
            return result;
        }
    }
    return OTTER_E_CONTROL_MISSING;
}

/* Does what is saved of the system lie under the storage key? 24-16 if nothing may be
 * saved of it, or the device has no such key. */
static enum otter_result check_saved_cipher(const struct otter_device *device,
                                            const struct otter_system *old,
                                            bool *is_stored)
{
    uint8_t policy = device->table.policy.saved_copies;
    enum otter_result result = otter_system_is_encrypted(old, is_stored);

    if (result != OTTER_OK || !*is_stored) {
        return result;
    }
    *is_stored = policy == OTTER_SAVED_ENCRYPTED;
    if (policy == OTTER_SAVED_CLEAR) {
        return OTTER_OK;
    }
    return *is_stored ? otter_cipher_check_stored(device->ports.crypto)
                      : OTTER_E_STORAGE_KEY;
}

enum otter_result otter_plan_saved_cipher(const struct otter_device *device,
                                          const struct otter_system *old,
                                          const struct otter_member *member,
                                          struct otter_cipher *cipher)
{
    bool is_stored = false;
    enum otter_result result = check_saved_cipher(device, old, &is_stored);

    otter_cipher_close(cipher);
    return result == OTTER_OK && is_stored
               ? otter_cipher_open_stored(cipher, device->ports.crypto,
                                          member->installed_sha)
               : result;
}

#if OTTER_TREES

/* An archive that came in clear is no secret, whatever else its system holds. */
enum otter_result otter_plan_tree_cipher(const struct otter_device *device,
                                         const struct otter_member *member,
                                         struct otter_cipher *cipher)
{
    uint8_t policy = device->table.policy.saved_copies;

    otter_cipher_close(cipher);
    if ((member->flags & OTTER_MEMBER_ENCRYPTED) == 0 || policy == OTTER_SAVED_CLEAR) {
        return OTTER_OK;
    }
    return policy == OTTER_SAVED_ENCRYPTED
               ? otter_cipher_open_stored(cipher, device->ports.crypto,
                                          member->installed_sha)
               : OTTER_E_STORAGE_KEY;
}

#endif

/* Takes `size` bytes of staging, from a sector on. */
static enum otter_result take_staging(struct planning *planning, uint32_t size,
                                      uint32_t *off)
{
    const struct otter_region *staging =
        otter_map_find(&planning->device->table.map, OTTER_REGION_STAGING);

    if (staging == NULL || size > staging->size - planning->staged) {
        return OTTER_E_NO_SPACE;
    }
    *off = planning->staged;
    planning->staged = next_sector(planning->device, planning->staged + size);
    return OTTER_OK;
}

/* On a card the member lies where the package's file has it. */
static enum otter_result place_in_file(const struct planning *planning,
                                       struct otter_placement *placement)
{
    placement->store_region = OTTER_REGION_PACKAGE_FILE;
    placement->save_region = OTTER_REGION_SAVED_FILE;
    return otter_control_member_off(planning->source, planning->control,
                                    planning->index, &placement->store_off);
}

static enum otter_result place_store(struct planning *planning,
                                     const struct otter_member *member,
                                     struct otter_placement *placement)
{
    if (otter_device_is_on_card(planning->device)) {
        return place_in_file(planning, placement);
    }
    placement->store_region = OTTER_REGION_STAGING;
    placement->save_region = OTTER_REGION_STAGING;
    enum otter_result result =
        take_staging(planning, member->stored_size, &placement->store_off);

    placement->raw_off = placement->store_off;
    return result;
}

/* Stages the member and reserves the copy of what it replaces. */
static enum otter_result place_staged(struct planning *planning,
                                      const struct otter_member *member,
                                      struct otter_placement *placement)
{
    struct otter_device *device = planning->device;
    struct otter_member old;
    enum otter_result result = place_store(planning, member, placement);
    /* Where there is no way back nothing is saved for it; a manager has its own. */
    bool is_lost = planning->is_one_way && member->role != OTTER_ROLE_MANAGER;

    if (result != OTTER_OK || !planning->has_current || is_lost) {
        return result;
    }
    result = otter_plan_saved(device, &planning->current, placement->target_region,
                              &placement->save_off, &old);
    if (result == OTTER_E_CONTROL_MISSING &&
        otter_region_flag(placement->target_region) != 0) {
        return OTTER_OK; /* the region holds nothing of the old system */
    }
    if (result != OTTER_OK) {
        return OTTER_E_NO_SPACE;
    }
    placement->save_size = old.installed_size;
    if (placement->save_region == OTTER_REGION_STAGING &&
        placement->save_off < planning->saved_from) {
        planning->saved_from = placement->save_off;
    }
    bool is_stored = false;

    /* A copy that nobody could read later is found out before the transfer. */
    return check_saved_cipher(device, &planning->current, &is_stored);
}

/* Version of the manager that the current system names (K6). */
static uint16_t manager_version(const struct planning *planning)
{
    uint16_t version = planning->device->table.manager_version;
    struct otter_member manager;
    uint8_t index;

    if (planning->has_current &&
        otter_system_member(&planning->current, OTTER_ROLE_MANAGER, &manager, &index) ==
            OTTER_OK &&
        manager.version > version) {
        version = manager.version;
    }
    return version;
}

/* Boot has no key of a package: the manager encrypts what it decrypts under the storage
 * key, for boot. */
static enum otter_result place_raw(struct planning *planning,
                                   const struct otter_member *member,
                                   struct otter_placement *placement)
{
    const struct otter_device *device = planning->device;
    enum otter_result result =
        device->table.policy.saved_copies == OTTER_SAVED_ENCRYPTED
            ? otter_cipher_check_stored(device->ports.crypto)
            : OTTER_E_STORAGE_KEY;

    return result == OTTER_OK
               ? take_staging(planning, member->installed_size, &placement->raw_off)
               : result;
}

/* Is it the manager that runs? Stage 34 then replaces nothing (K15). */
static bool is_same_manager(const struct planning *planning,
                            const struct otter_member *member)
{
    struct otter_member running;
    uint8_t index;

    return otter_system_member(&planning->current, OTTER_ROLE_MANAGER, &running,
                               &index) == OTTER_OK &&
           running.installed_size == member->installed_size &&
           memcmp(running.installed_sha, member->installed_sha, OTTER_SHA256_SIZE) == 0;
}

/* The manager is replaced by boot, while an application stands that can run. */
static enum otter_result place_manager(struct planning *planning,
                                       const struct otter_member *member,
                                       struct otter_placement *placement)
{
    const struct otter_region *target =
        otter_map_find(&planning->device->table.map, OTTER_REGION_MANAGER);
    enum otter_result result = check_carried(planning->device, member, target);

    if (result != OTTER_OK) {
        return result;
    }
    if (member->version < manager_version(planning)) {
        return OTTER_E_MANAGER_OLDER;
    }
    if (!planning->has_current || otter_device_is_on_card(planning->device)) {
        return OTTER_E_STRATEGY; /* boot, which writes it, cannot read files */
    }
    if (planning->is_in_place) {
        return OTTER_E_IN_PLACE_MANAGER;
    }
    if ((planning->device->journal.state.flags & OTTER_FLAG_CLOSED) != 0 &&
        !is_same_manager(planning, member)) {
        return OTTER_E_MANAGER_ALONE;
    }
    placement->strategy = OTTER_STRATEGY_BY_BOOT;
    placement->target_region = OTTER_REGION_MANAGER;
    result = place_staged(planning, member, placement);
    if (result == OTTER_OK && (member->flags & OTTER_MEMBER_ENCRYPTED) != 0) {
        return place_raw(planning, member, placement);
    }
    if (result == OTTER_OK && member->coding != OTTER_CODING_RAW) {
        result = take_staging(planning, member->installed_size, &placement->raw_off);
    }
    return result;
}

static enum otter_result place_firmware(struct planning *planning,
                                        const struct otter_member *member,
                                        struct otter_placement *placement)
{
    struct otter_device *device = planning->device;
    uint8_t slot = (uint8_t)(1 - device->journal.state.current);
    uint8_t id = otter_system_region(device, slot, OTTER_ROLE_FIRMWARE);
    enum otter_result result =
        check_carried(device, member, otter_map_find(&device->table.map, id));

    if (result != OTTER_OK) {
        return result;
    }
    placement->target_region = id;
    bool is_plain = member->coding == OTTER_CODING_RAW &&
                    (member->flags & OTTER_MEMBER_ENCRYPTED) == 0;

    if (otter_device_is_ab(device) && !is_plain) {
        /* The slot is where it runs, so what is stored cannot lie there (K14). */
        placement->strategy = OTTER_STRATEGY_INTO_SLOT;
        return place_store(planning, member, placement);
    }
    if (otter_device_is_ab(device)) {
        placement->strategy = OTTER_STRATEGY_OTHER_SLOT;
        placement->store_region = id;
        return OTTER_OK;
    }
    placement->strategy = OTTER_STRATEGY_SAVED_COPY;
    return place_staged(planning, member, placement);
}

/* It is received into its region; what lies there is not saved. */
static enum otter_result place_in_place(const struct planning *planning,
                                        const struct otter_member *member,
                                        struct otter_placement *placement)
{
    if (member->coding != OTTER_CODING_RAW) {
        return OTTER_E_CODING_IN_PLACE;
    }
    if (otter_device_is_on_card(planning->device)) {
        return OTTER_E_STRATEGY; /* its packages are not received, but read */
    }
    placement->strategy = OTTER_STRATEGY_IN_PLACE;
    placement->store_region = placement->target_region;
    return OTTER_OK;
}

/* Resources and fonts. Both systems share the region, so what lies there is saved. */
static enum otter_result place_data(struct planning *planning,
                                    const struct otter_member *member,
                                    struct otter_placement *placement)
{
    struct otter_device *device = planning->device;
    uint8_t id = otter_member_region(device, 0, member);
    const struct otter_region *target = otter_map_find(&device->table.map, id);

    if (target == NULL) {
        return OTTER_E_REGION;
    }
    if (otter_region_flag(id) == 0) {
        return OTTER_E_STRATEGY;
    }
    enum otter_result result = check_carried(device, member, target);

    if (result == OTTER_OK) {
        result = take_region(planning, id);
    }
    if (result != OTTER_OK) {
        return result;
    }
    placement->strategy = OTTER_STRATEGY_REGION;
    placement->target_region = id;
    return (member->flags & OTTER_MEMBER_IN_PLACE) != 0
               ? place_in_place(planning, member, placement)
               : place_staged(planning, member, placement);
}

/* Whether some member is written in place concerns all the others. */
static enum otter_result survey_in_place(struct planning *planning,
                                         const struct otter_source *source,
                                         const struct otter_control *control)
{
    struct otter_member member;

    for (uint8_t i = 0; i < control->member_count; i++) {
        enum otter_result result = otter_control_member(source, control, i, &member);

        if (result != OTTER_OK) {
            return result;
        }
        if ((member.flags & OTTER_MEMBER_IN_PLACE) != 0) {
            planning->is_in_place = true;
            planning->is_one_way =
                planning->is_one_way || (member.flags & OTTER_MEMBER_COMPATIBLE) == 0;
        }
    }
    return OTTER_OK;
}

#if OTTER_TREES

/* Files: nothing of the old ones is saved, as their archive lies on the card. */
static enum otter_result place_tree(struct planning *planning,
                                    const struct otter_member *member,
                                    struct otter_placement *placement)
{
    struct otter_device *device = planning->device;
    struct otter_cipher cipher = {.crypto = NULL};

    if (!otter_device_is_on_card(device)) {
        return OTTER_E_STRATEGY;
    }
    if ((member->flags & ~OTTER_MEMBER_ENCRYPTED) != 0) {
        return OTTER_E_CONTROL_FLAGS; /* an archive is never written in place */
    }
    enum otter_result result = check_form(device, member);

    if (result == OTTER_OK) {
        result = otter_plan_tree_cipher(device, member, &cipher);
        otter_cipher_close(&cipher);
    }
    if (result != OTTER_OK) {
        return result;
    }
    placement->strategy = OTTER_STRATEGY_TREE;
    placement->target_region = OTTER_REGION_TREE;
    result = place_in_file(planning, placement);
    placement->save_region = OTTER_REGION_NONE;
    return result;
}

#else

static enum otter_result place_tree(struct planning *planning,
                                    const struct otter_member *member,
                                    struct otter_placement *placement)
{
    (void)planning;
    (void)member;
    (void)placement;
    return OTTER_E_STRATEGY;
}

#endif

/* The flash table lies at the begin of the store, wherever it stands in the package:
 * there a device finds it that has lost its copy (K8). A card is no such place. */
static enum otter_result reserve_table(struct planning *planning,
                                       const struct otter_source *source,
                                       const struct otter_control *control)
{
    struct otter_member table;
    uint32_t off = 0;
    uint8_t index;
    enum otter_result result =
        otter_control_find(source, control, OTTER_ROLE_TABLE, &table, &index);

    return result != OTTER_OK || (table.flags & OTTER_MEMBER_KEPT) != 0 ||
                   otter_device_is_on_card(planning->device)
               ? result
               : take_staging(planning, table.stored_size, &off);
}

/* A copy of the table is the way back, so there must be a system that it belongs to. */
static enum otter_result place_table(const struct planning *planning,
                                     const struct otter_member *member,
                                     struct otter_placement *placement)
{
    const struct otter_ports *ports = &planning->device->ports;
    const uint32_t room =
        otter_table_place_size(ports->flash, ports->table_addr, ports->table_size);

    if (member->coding != OTTER_CODING_RAW) {
        return OTTER_E_CONTROL_CODING;
    }
    if (member->flags != 0) {
        return OTTER_E_CONTROL_FLAGS;
    }
    if (!planning->has_current || otter_device_is_on_card(planning->device) ||
        (member->region != OTTER_REGION_NONE && member->region != OTTER_REGION_TABLE)) {
        return OTTER_E_STRATEGY;
    }
    if (member->installed_size > OTTER_TABLE_MAX - OTTER_TABLE_CONTENT_OFF ||
        member->installed_size > room - OTTER_TABLE_CONTENT_OFF) {
        return OTTER_E_TOO_LARGE;
    }
    if (!otter_table_has_place(ports->flash, ports->table_addr, ports->table_size, 1)) {
        return OTTER_E_TABLE_ROOM;
    }
    placement->strategy = OTTER_STRATEGY_TABLE;
    placement->store_region = OTTER_REGION_STAGING;
    placement->target_region = OTTER_REGION_TABLE;
    return OTTER_OK;
}

/* Boot runs it from RAM as it is stored, and opens no packages (K15). */
static enum otter_result place_loader(struct planning *planning,
                                      const struct otter_member *member,
                                      struct otter_placement *placement)
{
    const struct otter_region *target =
        otter_map_find(&planning->device->table.map, OTTER_REGION_LOADER);

    if (target == NULL) {
        return OTTER_E_REGION;
    }
    if (member->coding != OTTER_CODING_RAW) {
        return OTTER_E_CONTROL_CODING;
    }
    if (member->flags != 0) {
        return OTTER_E_CONTROL_FLAGS;
    }
    enum otter_result result = check_carried(planning->device, member, target);

    placement->strategy = OTTER_STRATEGY_LOADER;
    placement->target_region = OTTER_REGION_LOADER;
    return result == OTTER_OK ? place_store(planning, member, placement) : result;
}

static enum otter_result place(struct planning *planning,
                               const struct otter_member *member,
                               struct otter_placement *placement)
{
    if ((member->flags & OTTER_MEMBER_KEPT) != 0) {
        return place_kept(planning, member, placement);
    }
    if ((member->flags & OTTER_MEMBER_IN_PLACE) != 0 &&
        member->role != OTTER_ROLE_RESOURCES && member->role != OTTER_ROLE_FONT) {
        return OTTER_E_IN_PLACE_ROLE;
    }
    switch (member->role) {
    case OTTER_ROLE_FIRMWARE:
        return place_firmware(planning, member, placement);
    case OTTER_ROLE_MANAGER:
        return place_manager(planning, member, placement);
    case OTTER_ROLE_TABLE:
        return place_table(planning, member, placement);
    case OTTER_ROLE_LOADER:
        return place_loader(planning, member, placement);
    case OTTER_ROLE_RESOURCES:
    case OTTER_ROLE_FONT:
        return member->region == OTTER_REGION_TREE
                   ? place_tree(planning, member, placement)
                   : place_data(planning, member, placement);
    default:
        return OTTER_E_STRATEGY;
    }
}

/* What is in place is there first, then come programs (stage 10), then resources and
 * fonts (stage 15): a member that waits for a later one would wait for ever. */
static enum otter_result check_order(struct planning *planning,
                                     const struct otter_member *member, uint8_t index)
{
    uint8_t strategy = planning->plan.members[index].strategy;
    uint32_t later = strategy == OTTER_STRATEGY_IN_PLACE ? planning->late
                     : strategy == OTTER_STRATEGY_REGION ? 0
                                                         : planning->data;

    if (strategy == OTTER_STRATEGY_KEPT) {
        return OTTER_OK;
    }
    if (strategy == OTTER_STRATEGY_REGION || strategy == OTTER_STRATEGY_TREE) {
        planning->data |= 1U << index;
    }
    if (strategy != OTTER_STRATEGY_IN_PLACE) {
        planning->late |= 1U << index;
    }
    return (member->depends & later) == 0 ? OTTER_OK : OTTER_E_STRATEGY;
}

static enum otter_result plan_once(struct planning *planning,
                                   const struct otter_source *source,
                                   const struct otter_control *control,
                                   struct otter_plan *plan)
{
    struct otter_device *device = planning->device;
    enum otter_result result = check_target(device, control);

    planning->source = source;
    planning->control = control;
    if (result != OTTER_OK) {
        return result;
    }
    const struct otter_region *staging =
        otter_map_find(&device->table.map, OTTER_REGION_STAGING);

    planning->saved_from = staging == NULL ? 0 : staging->size;
    planning->has_current = otter_system_peek(device, device->journal.state.current,
                                              &planning->current) == OTTER_OK;
    if (manager_version(planning) < control->manager_min) {
        return OTTER_E_MANAGER_TOO_OLD;
    }
    result = check_follows(planning, control);
    if (result == OTTER_OK) {
        result = survey_in_place(planning, source, control);
    }
    if (result == OTTER_OK) {
        result = reserve_table(planning, source, control);
    }
    if (result != OTTER_OK) {
        return result;
    }
    planning->plan.count = control->member_count;
    for (uint8_t i = 0; i < control->member_count; i++) {
        struct otter_member member;

        planning->index = i;
        result = otter_control_member(source, control, i, &member);
        if (result == OTTER_OK) {
            result = place(planning, &member, &planning->plan.members[i]);
        }
        if (result == OTTER_OK) {
            result = check_order(planning, &member, i);
        }
        if (result != OTTER_OK) {
            return result;
        }
    }
    if (planning->staged > planning->saved_from) {
        return OTTER_E_NO_SPACE;
    }
    planning->plan.staging_used =
        planning->staged + (staging == NULL ? 0 : staging->size - planning->saved_from);
    *plan = planning->plan;
    return OTTER_OK;
}

bool otter_plan_is_in_place(const struct otter_plan *plan)
{
    for (uint8_t i = 0; i < plan->count; i++) {
        if (plan->members[i].strategy == OTTER_STRATEGY_IN_PLACE) {
            return true;
        }
    }
    return false;
}

enum otter_result otter_plan_make(struct otter_device *device,
                                  const struct otter_source *source,
                                  const struct otter_control *control,
                                  struct otter_plan *plan)
{
    struct planning planning = {.device = device};
    enum otter_result result = plan_once(&planning, source, control, plan);

    /* What was read of the current system counts if its receipt reads whole afterwards,
     * too; else its other copy is asked. */
    if (planning.has_current && otter_system_is_stale(device, &planning.current)) {
        memset(&planning, 0, sizeof(planning));
        planning.device = device;
        result = plan_once(&planning, source, control, plan);
    }
    return result;
}
