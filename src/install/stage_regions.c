/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 15: resources and fonts go from the store to their regions, one after another
 * in the package's order, then all are hashed. Their way back was saved with the
 * application's, and "writing begins" speaks of them, too (stage_write.c). One that
 * does not match is written once more from the store; then the old system comes back,
 * whole (K5).
 */
#include "stages.h"

enum regions_substep {
    REGIONS_BEGIN = 0, /* for each member: does it stand already? */
    REGIONS_COPY,
    REGIONS_BEGIN_HASH,
    REGIONS_HASH,
};

static enum otter_step more_or_fail(struct otter_install *install,
                                    enum otter_result result)
{
    return result == OTTER_OK ? OTTER_STEP_MORE
                              : otter_stage_fail_at(install, OTTER_E_UNPACK);
}

/* The journal names the member under way; those before it stand. */
static enum otter_step begin(struct otter_install *install)
{
    const struct otter_state *state = &install->device->journal.state;
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_REGION);

    if (found == OTTER_STEP_DONE) {
        install->member = 0;
        install->substep = REGIONS_BEGIN_HASH;
        return OTTER_STEP_MORE;
    }
    if (found == OTTER_STEP_FAILED) {
        return found;
    }
    if (otter_stage_writes(install, OTTER_STRATEGY_TREE) ||
        (otter_stage_writes(install, OTTER_STRATEGY_REGION) &&
         install->member < state->member)) {
        install->member++;
        return OTTER_STEP_MORE;
    }
    install->substep = REGIONS_COPY;
    install->work =
        2 * otter_stage_sum(install, OTTER_STRATEGIES_UNPACKED, install->plan.count);
    install->worked =
        otter_stage_sum(install, OTTER_STRATEGIES_REGION, install->member);
    return more_or_fail(
        install, otter_stage_open_write(install, state->member != install->member));
}

static enum otter_step copy(struct otter_install *install)
{
    bool is_done = false;
    enum otter_result result = otter_copying_step(&install->copying, &is_done);

    otter_stage_progress(install, install->copying.cursor);
    if (is_done) {
        install->member = install->region_repeats > 0 ? install->plan.count
                                                      : (uint8_t)(install->member + 1);
        install->substep = REGIONS_BEGIN;
    }
    return more_or_fail(install, result);
}

static enum otter_step begin_hash(struct otter_install *install)
{
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_REGION);

    if (found == OTTER_STEP_MORE) {
        install->work = 2 * otter_stage_sum(install, OTTER_STRATEGIES_UNPACKED,
                                            install->plan.count);
        install->worked =
            otter_stage_sum(install, OTTER_STRATEGIES_REGION, install->plan.count) +
            otter_stage_sum(install, OTTER_STRATEGIES_REGION, install->member);
        otter_hashing_start(install->device, &install->hashing,
                            otter_stage_placement(install)->target_region, 0,
                            install->current.installed_size);
        install->substep = REGIONS_HASH;
    }
    return found;
}

static enum otter_step repeat(struct otter_install *install)
{
    if (install->region_repeats > 0) {
        return otter_stage_fail_at(install, OTTER_E_UNPACK);
    }
    install->region_repeats++;
    install->substep = REGIONS_COPY;
    return more_or_fail(install, otter_stage_open_write(install, true));
}

static enum otter_step hash(struct otter_install *install)
{
    bool is_done = false;
    bool matches = false;
    enum otter_result result =
        otter_stage_hash(install, install->current.installed_sha, &is_done, &matches);

    otter_stage_progress(install, install->hashing.done);
    if (result != OTTER_OK || (is_done && !matches)) {
        return repeat(install);
    }
    if (is_done) {
        install->member++;
        install->substep = REGIONS_BEGIN_HASH;
    }
    return OTTER_STEP_MORE;
}

enum otter_step otter_stage_regions(struct otter_install *install)
{
    switch ((enum regions_substep)install->substep) {
    case REGIONS_BEGIN:
        return begin(install);
    case REGIONS_COPY:
        return copy(install);
    case REGIONS_BEGIN_HASH:
        return begin_hash(install);
    case REGIONS_HASH:
        break;
    }
    return hash(install);
}
