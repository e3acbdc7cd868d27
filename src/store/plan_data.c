/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything else goes: resources and fonts in regions of their own, written in
 * place, or files on a card; and what a package keeps of the current system.
 */
#include "plan_inner.h"

#include <string.h>

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
enum otter_result plan_place_kept(struct planning *planning,
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
    if (plan_find_installed(planning, member, region, &installed) != OTTER_OK ||
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
    return region == OTTER_REGION_TREE ? OTTER_OK : plan_take_region(planning, region);
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
enum otter_result plan_place_data(struct planning *planning,
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
    enum otter_result result = plan_check_carried(device, member, target);

    if (result == OTTER_OK) {
        result = plan_take_region(planning, id);
    }
    if (result != OTTER_OK) {
        return result;
    }
    placement->strategy = OTTER_STRATEGY_REGION;
    placement->target_region = id;
    return (member->flags & OTTER_MEMBER_IN_PLACE) != 0
               ? place_in_place(planning, member, placement)
               : plan_place_staged(planning, member, placement);
}

/* Whether some member is written in place concerns all the others. */
enum otter_result plan_survey_in_place(struct planning *planning,
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
enum otter_result plan_place_tree(struct planning *planning,
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
    enum otter_result result = plan_check_form(device, member);

    if (result == OTTER_OK) {
        result = otter_plan_tree_cipher(device, member, &cipher);
        otter_cipher_close(&cipher);
    }
    if (result != OTTER_OK) {
        return result;
    }
    placement->strategy = OTTER_STRATEGY_TREE;
    placement->target_region = OTTER_REGION_TREE;
    result = plan_place_in_file(planning, placement);
    placement->save_region = OTTER_REGION_NONE;
    return result;
}

#else

enum otter_result plan_place_tree(struct planning *planning,
                                  const struct otter_member *member,
                                  struct otter_placement *placement)
{
    (void)planning;
    (void)member;
    (void)placement;
    return OTTER_E_STRATEGY;
}

#endif
