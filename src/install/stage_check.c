/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages 1 and 9: the package's receipt is opened, verified and planned again, every
 * stored member is hashed again, and so are resources and fonts that the package keeps:
 * nobody else looks at these (K1). They only read.
 */
#include "stages.h"

#include <string.h>

enum otter_step otter_stage_package(struct otter_install *install)
{
    struct otter_device *device = install->device;
    uint8_t slot = (uint8_t)(1 - device->journal.state.current);
    enum otter_result result = otter_system_open(device, slot, &install->incoming);

    if (result == OTTER_OK && !install->incoming.receipt.has_hash) {
        result = OTTER_E_NOT_COMPLETE;
    }
    if (result == OTTER_OK) {
        struct otter_source source = otter_span_source(
            &install->incoming.receipt.span, install->incoming.receipt.length);

        result = otter_plan_make(device, &source, &install->incoming.control,
                                 &install->plan);
    }
    return result == OTTER_OK ? OTTER_STEP_DONE : otter_stage_fail(install, result);
}

/* Errors of stage 9 say how far it came: [09-00] to [09-98] reading, [09-99] damage. */
static enum otter_step fail_reading(struct otter_install *install)
{
    uint8_t percent = install->percent > 98 ? 98 : install->percent;

    return percent == 0
               ? otter_stage_fail(install, OTTER_E_CHECK_OPEN)
               : otter_stage_fail(install, otter_error_at(OTTER_E_CHECK_READ, percent));
}

/* Starts the hash of the member under way where it is stored; of resources or a font
 * that the package keeps, where it is installed. False if there is nothing to check:
 * boot looks at the programs. */
static bool open_hash(struct otter_install *install)
{
    const struct otter_placement *placement = otter_stage_placement(install);
    bool is_kept = placement->strategy == OTTER_STRATEGY_KEPT;

    if (is_kept && otter_region_flag(placement->target_region) == 0) {
        return false;
    }
    otter_hashing_start(install->device, &install->hashing,
                        is_kept ? placement->target_region : placement->store_region,
                        is_kept ? 0 : placement->store_off,
                        is_kept ? install->current.installed_size
                                : install->current.stored_size);
    return true;
}

static enum otter_step compare(struct otter_install *install)
{
    bool is_kept = otter_stage_placement(install)->strategy == OTTER_STRATEGY_KEPT;
    uint8_t digest[OTTER_SHA256_SIZE];

    otter_hashing_final(install->device, &install->hashing, digest);
    if (memcmp(digest,
               is_kept ? install->current.installed_sha : install->current.stored_sha,
               sizeof(digest)) != 0) {
        return otter_stage_fail(install,
                                is_kept ? OTTER_E_KEPT : OTTER_E_CHECK_DAMAGED);
    }
    install->member++;
    install->substep = 0;
    return OTTER_STEP_MORE;
}

enum otter_step otter_stage_check(struct otter_install *install)
{
    bool is_done = false;

    if (install->substep == 0) {
        enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_ALL);

        if (found != OTTER_STEP_MORE) {
            return found;
        }
        if (!open_hash(install)) {
            install->member++;
            return OTTER_STEP_MORE;
        }
        install->substep = 1;
    }
    enum otter_result result =
        otter_hashing_step(install->device, &install->hashing, &is_done);

    if (result != OTTER_OK) {
        return fail_reading(install);
    }
    install->percent =
        otter_stage_percent(install->hashing.done, install->hashing.size);
    return is_done ? compare(install) : OTTER_STEP_MORE;
}
