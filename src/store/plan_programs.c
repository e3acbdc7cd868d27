/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where programs and the flash table go: firmware, manager, loader.
 */
#include "plan_inner.h"

#include <string.h>

/* The old manager could not come back. */
static bool is_of_other(const struct planning *planning)
{
    return (planning->device->journal.state.flags & OTTER_FLAG_NEW_MANAGER) != 0;
}

static bool peek(struct planning *planning, uint8_t slot)
{
    return otter_system_peek(planning->device, slot, &planning->current) == OTTER_OK;
}

/* The manager that the receipt names that was read last. */
static bool names_manager(struct planning *planning)
{
    uint8_t index;

    return otter_system_member(&planning->current, OTTER_ROLE_MANAGER,
                               &planning->manager, &index) == OTTER_OK;
}

/* The manager that stands may be that of the package that had brought it, whose receipt
 * is overwritten by a package alone that names the same one. */
void plan_find_systems(struct planning *planning)
{
    const uint8_t current = planning->device->journal.state.current;
    const bool is_other = is_of_other(planning);

    if (is_other) {
        planning->has_manager =
            peek(planning, (uint8_t)(1 - current)) && names_manager(planning);
    }
    planning->has_current = peek(planning, current);
    if (!is_other) {
        planning->has_manager = planning->has_current && names_manager(planning);
    }
}

/* Its version (K6). */
uint16_t plan_manager_version(const struct planning *planning)
{
    uint16_t version = planning->device->table.manager_version;

    return planning->has_manager && planning->manager.version > version
               ? planning->manager.version
               : version;
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

    return result == OTTER_OK ? plan_take_staging(planning, member->installed_size,
                                                  &placement->raw_off)
                              : result;
}

/* Is it the manager that runs? Stage 34 then replaces nothing (K15). */
static bool is_same_manager(const struct planning *planning,
                            const struct otter_member *member)
{
    return planning->has_manager &&
           planning->manager.installed_size == member->installed_size &&
           memcmp(planning->manager.installed_sha, member->installed_sha,
                  OTTER_SHA256_SIZE) == 0;
}

enum otter_result plan_check_manager(const struct planning *planning)
{
    struct otter_member member;
    uint8_t index;

    if (!is_of_other(planning)) {
        return OTTER_OK;
    }
    enum otter_result result = otter_control_find(planning->source, planning->control,
                                                  OTTER_ROLE_MANAGER, &member, &index);

    return result == OTTER_OK && is_same_manager(planning, &member)
               ? OTTER_OK
               : OTTER_E_MANAGER_OTHER;
}

/* The manager is replaced by boot, while an application stands that can run. */
enum otter_result plan_place_manager(struct planning *planning,
                                     const struct otter_member *member,
                                     struct otter_placement *placement)
{
    const struct otter_region *target =
        otter_map_find(&planning->device->table.map, OTTER_REGION_MANAGER);
    enum otter_result result = plan_check_carried(planning->device, member, target);

    if (result != OTTER_OK) {
        return result;
    }
    if (member->version < plan_manager_version(planning)) {
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
    result = plan_place_staged(planning, member, placement);
    if (result == OTTER_OK && (member->flags & OTTER_MEMBER_ENCRYPTED) != 0) {
        return place_raw(planning, member, placement);
    }
    if (result == OTTER_OK && member->coding != OTTER_CODING_RAW) {
        result =
            plan_take_staging(planning, member->installed_size, &placement->raw_off);
    }
    return result;
}

/* Is it stored as it runs? */
static bool is_plain(const struct otter_member *member)
{
    return member->coding == OTTER_CODING_RAW &&
           (member->flags & OTTER_MEMBER_ENCRYPTED) == 0;
}

enum otter_result otter_plan_check_vectors(const struct otter_device *device,
                                           const struct otter_member *member,
                                           const struct otter_placement *placement)
{
    return otter_role_is_program(member->role) && is_plain(member)
               ? otter_vectors_check(
                     device, placement->store_region, placement->store_off,
                     otter_map_find(&device->table.map, placement->target_region),
                     member->installed_size)
               : OTTER_OK;
}

enum otter_result plan_place_firmware(struct planning *planning,
                                      const struct otter_member *member,
                                      struct otter_placement *placement)
{
    struct otter_device *device = planning->device;
    uint8_t slot = (uint8_t)(1 - device->journal.state.current);
    uint8_t id = otter_system_region(device, slot, OTTER_ROLE_FIRMWARE);
    enum otter_result result =
        plan_check_carried(device, member, otter_map_find(&device->table.map, id));

    if (result != OTTER_OK) {
        return result;
    }
    placement->target_region = id;
    if (otter_device_is_ab(device) && !is_plain(member)) {
        /* The slot is where it runs, so what is stored cannot lie there (K14). */
        placement->strategy = OTTER_STRATEGY_INTO_SLOT;
        return plan_place_store(planning, member, placement);
    }
    if (otter_device_is_ab(device)) {
        placement->strategy = OTTER_STRATEGY_OTHER_SLOT;
        placement->store_region = id;
        return OTTER_OK;
    }
    placement->strategy = OTTER_STRATEGY_SAVED_COPY;
    return plan_place_staged(planning, member, placement);
}

/* The flash table lies at the begin of the store, wherever it stands in the package:
 * there a device finds it that has lost its copy (K8). Only flash is such a place: a
 * device with a card and no staging takes no table. */
static bool takes_tables(const struct planning *planning)
{
    return otter_map_find(&planning->device->table.map, OTTER_REGION_STAGING) != NULL;
}

enum otter_result plan_reserve_table(struct planning *planning,
                                     const struct otter_source *source,
                                     const struct otter_control *control)
{
    struct otter_member table;
    uint32_t off = 0;
    uint8_t index;
    enum otter_result result =
        otter_control_find(source, control, OTTER_ROLE_TABLE, &table, &index);

    return result != OTTER_OK || (table.flags & OTTER_MEMBER_KEPT) != 0 ||
                   !takes_tables(planning)
               ? result
               : plan_take_staging(planning, table.stored_size, &off);
}

/* A copy of the table is the way back, so there must be a system that it belongs to. */
enum otter_result plan_place_table(const struct planning *planning,
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
    if (!planning->has_current || !takes_tables(planning) ||
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
enum otter_result plan_place_loader(struct planning *planning,
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
    enum otter_result result = plan_check_carried(planning->device, member, target);

    placement->strategy = OTTER_STRATEGY_LOADER;
    placement->target_region = OTTER_REGION_LOADER;
    return result == OTTER_OK ? plan_place_store(planning, member, placement) : result;
}
