/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the receiver would refuse a package for when its control packet stands in flash
 * already: keys and programs (a card's device takes no table). The card door has the
 * whole file before it, so it asks first, and a package that is refused costs no flash.
 */
#include "card_judge.h"

#include "otter/plan.h"

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
