/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the receiver would refuse a package for when its control packet stands in flash
 * already: keys and programs (a card's device takes no table). The card door has the
 * whole file before it, so it asks first, and a package that is refused costs no flash.
 */
#include "card_judge.h"

/* Files must not be unpacked over the package that they come from. */
static enum otter_result judge_root(const struct otter_source *source,
                                    const struct otter_control *control,
                                    const char *path)
{
    char root[OTTER_PATH_SIZE];
    enum otter_result result = otter_control_root(source, control, root);

    return result == OTTER_OK && otter_path_is_inside(path, root) ? OTTER_E_CARD_INSIDE
                                                                  : result;
}

/* An archive, and its files, which are no longer than that. */
static enum otter_result tree_needs(const struct otter_source *source,
                                    const struct otter_control *control, uint8_t index,
                                    uint64_t *needs)
{
    struct otter_member member;
    enum otter_result result = otter_control_member(source, control, index, &member);

    if (result == OTTER_OK) {
        *needs += 2 * (uint64_t)member.installed_size;
    }
    return result;
}

enum otter_result card_judge_needs(const struct otter_source *source,
                                   const struct otter_control *control,
                                   const struct otter_plan *plan, const char *path,
                                   bool is_saved, uint64_t *needs)
{
    enum otter_result result = OTTER_OK;

    *needs = 0;
    for (uint8_t i = 0; result == OTTER_OK && i < plan->count; i++) {
        const struct otter_placement *placement = &plan->members[i];

        if (is_saved && placement->save_region == OTTER_REGION_SAVED_FILE) {
            *needs += placement->save_size;
        }
        if (placement->strategy == OTTER_STRATEGY_TREE) {
            result = tree_needs(source, control, i, needs);
            result = result == OTTER_OK ? judge_root(source, control, path) : result;
        }
    }
    return result;
}

enum otter_result card_judge_wraps(const struct otter_device *device,
                                   const struct otter_source *source,
                                   const struct otter_control *control)
{
    struct otter_wrap wrap;

    return control->wrap_count == 0
               ? OTTER_OK
               : otter_control_find_wrap(source, control, device->ports.crypto, &wrap);
}

static enum otter_result judge_member(const struct otter_device *device,
                                      const struct otter_source *source,
                                      const struct otter_control *control,
                                      const struct otter_placement *placement,
                                      uint8_t index)
{
    struct otter_member member;
    enum otter_result result = otter_control_member(source, control, index, &member);

    /* Of what is kept nothing is stored. */
    return result != OTTER_OK || member.stored_size == 0
               ? result
               : otter_plan_check_vectors(device, &member, placement);
}

enum otter_result card_judge_content(struct otter_device *device,
                                     const struct otter_source *source,
                                     const struct otter_control *control)
{
    struct otter_plan plan;
    enum otter_result result = otter_plan_make(device, source, control, &plan);

    if (result == OTTER_OK) {
        result = otter_keys_check_early(device, source, control);
    }
    for (uint8_t i = 0; result == OTTER_OK && i < plan.count; i++) {
        result = judge_member(device, source, control, &plan.members[i], i);
    }
    return result;
}
