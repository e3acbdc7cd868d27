/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: every reason to refuse a package before it is transferred, and where each
 * of its members goes.
 */
#include "plan_inner.h"

#include <string.h>

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

static enum otter_result place(struct planning *planning,
                               const struct otter_member *member,
                               struct otter_placement *placement)
{
    if ((member->flags & OTTER_MEMBER_KEPT) != 0) {
        return plan_place_kept(planning, member, placement);
    }
    if ((member->flags & OTTER_MEMBER_IN_PLACE) != 0 &&
        member->role != OTTER_ROLE_RESOURCES && member->role != OTTER_ROLE_FONT) {
        return OTTER_E_IN_PLACE_ROLE;
    }
    switch (member->role) {
    case OTTER_ROLE_FIRMWARE:
        return plan_place_firmware(planning, member, placement);
    case OTTER_ROLE_MANAGER:
        return plan_place_manager(planning, member, placement);
    case OTTER_ROLE_TABLE:
        return plan_place_table(planning, member, placement);
    case OTTER_ROLE_LOADER:
        return plan_place_loader(planning, member, placement);
    case OTTER_ROLE_RESOURCES:
    case OTTER_ROLE_FONT:
        return member->region == OTTER_REGION_TREE
                   ? plan_place_tree(planning, member, placement)
                   : plan_place_data(planning, member, placement);
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

static enum otter_result place_members(struct planning *planning)
{
    const struct otter_control *control = planning->control;

    planning->plan.count = control->member_count;
    for (uint8_t i = 0; i < control->member_count; i++) {
        struct otter_member member;

        planning->index = i;
        enum otter_result result =
            otter_control_member(planning->source, control, i, &member);

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
    return OTTER_OK;
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
    plan_find_systems(planning);
    if (plan_manager_version(planning) < control->manager_min) {
        return OTTER_E_MANAGER_TOO_OLD;
    }
    result = check_follows(planning, control);
    if (result == OTTER_OK) {
        result = plan_check_manager(planning);
    }
    if (result == OTTER_OK) {
        result = plan_survey_in_place(planning, source, control);
    }
    if (result == OTTER_OK) {
        result = plan_reserve_table(planning, source, control);
    }
    if (result == OTTER_OK) {
        result = place_members(planning);
    }
    if (result != OTTER_OK) {
        return result;
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
