/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every member needs: a form that the device takes, a region of its own, and room
 * in the store. Staging is filled from its start with stored members, each from a
 * sector on, and from its end with the saved copies of the old system.
 */
#include "plan_inner.h"

#include "otter/stream.h"

/* Two members cannot lie in one region. */
enum otter_result plan_take_region(struct planning *planning, uint8_t region)
{
    uint16_t bit =
        otter_region_flag(region) == 0 ? 0 : (uint16_t)(1U << (unsigned)region);

    if ((planning->taken & bit) != 0) {
        return OTTER_E_CONTROL_DOUBLED;
    }
    planning->taken = (uint16_t)(planning->taken | bit);
    return OTTER_OK;
}

/* The member of the current system that a kept one must be; or the manager that
 * stands. */
enum otter_result plan_find_installed(const struct planning *planning,
                                      const struct otter_member *member, uint8_t region,
                                      struct otter_member *installed)
{
    uint8_t index;

    if (!planning->has_current) {
        return OTTER_E_KEPT;
    }
    if (member->role == OTTER_ROLE_MANAGER && planning->has_manager) {
        *installed = planning->manager;
        return OTTER_OK;
    }
    return otter_region_flag(region) != 0 || region == OTTER_REGION_TREE
               ? otter_system_in_region(planning->device, &planning->current, region,
                                        installed)
               : otter_system_member(&planning->current, member->role, installed,
                                     &index);
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
enum otter_result plan_check_form(const struct otter_device *device,
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

enum otter_result plan_check_carried(const struct otter_device *device,
                                     const struct otter_member *member,
                                     const struct otter_region *target)
{
    enum otter_result result = plan_check_form(device, member);

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

/* Takes `size` bytes of staging, from a sector on. */
enum otter_result plan_take_staging(struct planning *planning, uint32_t size,
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
enum otter_result plan_place_in_file(const struct planning *planning,
                                     struct otter_placement *placement)
{
    placement->store_region = OTTER_REGION_PACKAGE_FILE;
    placement->save_region = OTTER_REGION_SAVED_FILE;
    return otter_control_member_off(planning->source, planning->control,
                                    planning->index, &placement->store_off);
}

enum otter_result plan_place_store(struct planning *planning,
                                   const struct otter_member *member,
                                   struct otter_placement *placement)
{
    if (otter_device_is_on_card(planning->device)) {
        return plan_place_in_file(planning, placement);
    }
    placement->store_region = OTTER_REGION_STAGING;
    placement->save_region = OTTER_REGION_STAGING;
    enum otter_result result =
        plan_take_staging(planning, member->stored_size, &placement->store_off);

    placement->raw_off = placement->store_off;
    return result;
}

/* Stages the member and reserves the copy of what it replaces. */
enum otter_result plan_place_staged(struct planning *planning,
                                    const struct otter_member *member,
                                    struct otter_placement *placement)
{
    struct otter_device *device = planning->device;
    struct otter_member old;
    enum otter_result result = plan_place_store(planning, member, placement);

    /* Where there is no way back nothing is saved for it; no manager comes so (K15). */
    if (result != OTTER_OK || !planning->has_current || planning->is_one_way) {
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
    return plan_check_saved_cipher(device, &planning->current, &is_stored);
}
