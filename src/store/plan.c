/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: every reason to refuse a package before it is transferred, and where each
 * of its members goes. Staging is filled from its start with stored members, each from
 * a sector on, and from its end with the saved copy of the old application, whose place
 * depends on the old system alone: so boot finds it without the new system's receipt.
 */
#include "otter/plan.h"

#include <string.h>

struct planning {
    struct otter_device *device;
    bool has_current;
    struct otter_system current;
    struct otter_plan plan;
    uint32_t staged; /* bytes of staging taken from its start */
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
    if (table->manager_version < control->manager_min) {
        return OTTER_E_MANAGER_TOO_OLD;
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

/* A kept member is the one that the current system's receipt names. */
static enum otter_result check_kept(const struct planning *planning,
                                    const struct otter_member *member)
{
    struct otter_member installed;
    uint8_t index;

    if (member->role == OTTER_ROLE_FIRMWARE) {
        return OTTER_E_STRATEGY; /* a trial needs an image of its own and a way back */
    }
    if (!planning->has_current ||
        otter_system_member(&planning->current, member->role, &installed, &index) !=
            OTTER_OK ||
        installed.installed_size != member->installed_size ||
        memcmp(installed.installed_sha, member->installed_sha, OTTER_SHA256_SIZE) !=
            0) {
        return OTTER_E_KEPT;
    }
    return OTTER_OK;
}

static enum otter_result check_carried(const struct otter_device *device,
                                       const struct otter_member *member,
                                       const struct otter_region *target)
{
    if (member->coding != OTTER_CODING_RAW) {
        return OTTER_E_CONTROL_CODING;
    }
    if (member->flags != 0) {
        return OTTER_E_CONTROL_FLAGS;
    }
    if (member->role != OTTER_ROLE_FIRMWARE) {
        return OTTER_E_STRATEGY;
    }
    if (member->region != OTTER_REGION_NONE && member->region != target->id &&
        otter_map_find(&device->table.map, member->region) == NULL) {
        return OTTER_E_REGION;
    }
    if (member->link_addr != target->exec ||
        (member->region != OTTER_REGION_NONE && member->region != target->id)) {
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

enum otter_result otter_plan_saved_off(const struct otter_device *device, uint32_t size,
                                       uint32_t *off)
{
    const struct otter_region *staging =
        otter_map_find(&device->table.map, OTTER_REGION_STAGING);
    struct otter_sector sector;

    if (staging == NULL || size == 0 || size > staging->size ||
        otter_io_sector(&device->io, OTTER_REGION_STAGING, staging->size - size,
                        &sector) != OTTER_OK) {
        return OTTER_E_NO_SPACE;
    }
    *off = sector.off;
    return OTTER_OK;
}

/* Stages the member and reserves the copy of what it replaces. */
static enum otter_result place_staged(struct planning *planning,
                                      const struct otter_member *member,
                                      struct otter_placement *placement)
{
    struct otter_device *device = planning->device;
    const struct otter_region *staging =
        otter_map_find(&device->table.map, OTTER_REGION_STAGING);
    struct otter_member old;
    uint8_t index;

    if (staging == NULL || member->stored_size > staging->size - planning->staged) {
        return OTTER_E_NO_SPACE;
    }
    placement->strategy = OTTER_STRATEGY_SAVED_COPY;
    placement->store_region = OTTER_REGION_STAGING;
    placement->store_off = planning->staged;
    planning->staged = next_sector(device, planning->staged + member->stored_size);
    planning->plan.staging_used = planning->staged;
    if (!planning->has_current || otter_system_member(&planning->current, member->role,
                                                      &old, &index) != OTTER_OK) {
        return OTTER_OK;
    }
    placement->save_size = old.installed_size;
    enum otter_result result =
        otter_plan_saved_off(device, old.installed_size, &placement->save_off);

    if (result != OTTER_OK || placement->save_off < planning->staged) {
        return OTTER_E_NO_SPACE;
    }
    planning->plan.staging_used += staging->size - placement->save_off;
    return OTTER_OK;
}

static enum otter_result place(struct planning *planning,
                               const struct otter_member *member,
                               struct otter_placement *placement)
{
    struct otter_device *device = planning->device;

    if ((member->flags & OTTER_MEMBER_KEPT) != 0) {
        placement->strategy = OTTER_STRATEGY_KEPT;
        return check_kept(planning, member);
    }
    uint8_t slot = (uint8_t)(1 - device->journal.state.current);
    uint8_t id = otter_system_region(device, slot, OTTER_ROLE_FIRMWARE);
    const struct otter_region *target = otter_map_find(&device->table.map, id);
    enum otter_result result = check_carried(device, member, target);

    if (result != OTTER_OK) {
        return result;
    }
    placement->target_region = id;
    if (otter_device_is_ab(device)) {
        placement->strategy = OTTER_STRATEGY_OTHER_SLOT;
        placement->store_region = id;
        return OTTER_OK;
    }
    return place_staged(planning, member, placement);
}

enum otter_result otter_plan_make(struct otter_device *device,
                                  const struct otter_source *source,
                                  const struct otter_control *control,
                                  struct otter_plan *plan)
{
    struct planning planning = {.device = device};
    enum otter_result result = check_target(device, control);

    if (result != OTTER_OK) {
        return result;
    }
    planning.has_current = otter_system_peek(device, device->journal.state.current,
                                             &planning.current) == OTTER_OK;
    result = check_follows(&planning, control);
    if (result != OTTER_OK) {
        return result;
    }
    planning.plan.count = control->member_count;
    for (uint8_t i = 0; i < control->member_count; i++) {
        struct otter_member member;

        result = otter_control_member(source, control, i, &member);
        if (result == OTTER_OK) {
            result = place(&planning, &member, &planning.plan.members[i]);
        }
        if (result != OTTER_OK) {
            return result;
        }
    }
    *plan = planning.plan;
    return OTTER_OK;
}
