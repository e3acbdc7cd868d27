/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saving the old application, stage 10 and stage 11. The order is what keeps the
 * promise: the copy of the old application stands and is verified, then "the
 * application is open" stands in two sectors of the journal, then the first of its
 * sectors is erased (K3, K13).
 */
#include "stages.h"

#include <string.h>

enum save_substep {
    SAVE_BEGIN = 0, /* is there anything to save, or is it saved already? */
    SAVE_HASH_OLD,  /* is the old application whole? */
    SAVE_OPEN,      /* seal that saving begins */
    SAVE_COPY,      /* copy it */
    SAVE_HASH_COPY, /* does the copy match the old receipt? */
    SAVE_CLOSE,     /* two sectors of the journal say that writing begins */
    SAVE_DONE,
};

enum write_substep {
    WRITE_BEGIN = 0,
    WRITE_COPY,
};

static const struct otter_placement *placement_of(const struct otter_install *install)
{
    return &install->plan.members[install->member];
}

static enum otter_step more_or_fail(struct otter_install *install,
                                    enum otter_result result, enum otter_result failure)
{
    return result == OTTER_OK ? OTTER_STEP_MORE : otter_stage_fail(install, failure);
}

/* ---- saving ---- */

/* After a cut: once "writing begins" stands, the application may be half written and
 * its copy is the truth. */
static enum otter_step begin_save(struct otter_install *install)
{
    struct otter_device *device = install->device;
    uint8_t index;
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_SAVED);

    if (found != OTTER_STEP_MORE) {
        return found;
    }
    const struct otter_placement *placement = placement_of(install);

    if (device->journal.state.part == OTTER_PART_WRITE) {
        install->substep = SAVE_DONE;
        return OTTER_STEP_MORE;
    }
    if (placement->save_size == 0 ||
        otter_system_open(device, device->journal.state.current, &install->old) !=
            OTTER_OK ||
        otter_system_member(&install->old, OTTER_ROLE_FIRMWARE, &install->current,
                            &index) != OTTER_OK) {
        install->substep = SAVE_CLOSE; /* no system is there to go back to */
        return OTTER_STEP_MORE;
    }
    otter_hashing_start(device, &install->hashing, placement->target_region, 0,
                        placement->save_size);
    install->substep = SAVE_HASH_OLD;
    return OTTER_STEP_MORE;
}

/* An application that is damaged is no way back; what was saved before is left alone.
 */
static enum otter_step check_old(struct otter_install *install)
{
    bool is_done = false;
    bool matches = false;
    enum otter_result result =
        otter_stage_hash(install, install->current.installed_sha, &is_done, &matches);

    if (result != OTTER_OK || (is_done && !matches)) {
        install->substep = SAVE_CLOSE;
    } else if (is_done) {
        install->substep = SAVE_OPEN;
    }
    return OTTER_STEP_MORE;
}

static enum otter_step open_save(struct otter_install *install)
{
    const struct otter_placement *placement = placement_of(install);
    enum otter_result result = OTTER_OK;

    if (install->device->journal.state.part != OTTER_PART_SAVE) {
        result = otter_stage_put(install, OTTER_PART_SAVE, OTTER_SEALED);
    }
    install->copying = (struct otter_copying){
        .device = install->device,
        .from_region = placement->target_region,
        .to_region = OTTER_REGION_STAGING,
        .to_off = placement->save_off,
        .size = placement->save_size,
    };
    otter_copying_open(&install->copying);
    install->substep = SAVE_COPY;
    return more_or_fail(install, result, OTTER_E_SAVE_WRITE);
}

static enum otter_step copy_old(struct otter_install *install)
{
    bool is_done = false;
    enum otter_result result = otter_copying_step(&install->copying, &is_done);

    install->percent =
        otter_stage_percent(install->copying.cursor, install->copying.size);
    if (result == OTTER_E_FLASH_READ) {
        return otter_stage_fail(install, OTTER_E_SAVE_READ);
    }
    if (is_done) {
        otter_hashing_start(install->device, &install->hashing, OTTER_REGION_STAGING,
                            placement_of(install)->save_off,
                            placement_of(install)->save_size);
        install->substep = SAVE_HASH_COPY;
    }
    return more_or_fail(install, result, OTTER_E_SAVE_WRITE);
}

static enum otter_step check_copy(struct otter_install *install)
{
    bool is_done = false;
    bool matches = false;
    enum otter_result result =
        otter_stage_hash(install, install->current.installed_sha, &is_done, &matches);

    if (result != OTTER_OK || (is_done && !matches)) {
        return otter_stage_fail(install, OTTER_E_SAVE_DAMAGED);
    }
    if (is_done) {
        install->substep = SAVE_CLOSE;
    }
    return OTTER_STEP_MORE;
}

enum otter_step otter_stage_save(struct otter_install *install)
{
    switch ((enum save_substep)install->substep) {
    case SAVE_BEGIN:
        return begin_save(install);
    case SAVE_HASH_OLD:
        return check_old(install);
    case SAVE_OPEN:
        return open_save(install);
    case SAVE_COPY:
        return copy_old(install);
    case SAVE_HASH_COPY:
        return check_copy(install);
    case SAVE_CLOSE:
        /* Order matters: this stands in two sectors before the first erase below. */
        install->substep = SAVE_DONE;
        return more_or_fail(install,
                            otter_stage_put(install, OTTER_PART_WRITE, OTTER_LASTING),
                            OTTER_E_SAVE_WRITE);
    case SAVE_DONE:
        break;
    }
    return OTTER_STEP_DONE;
}

/* ---- writing ---- */

static enum otter_step fail_at(struct otter_install *install, enum otter_result base)
{
    return otter_stage_fail(install, otter_error_at(base, install->percent));
}

enum otter_step otter_stage_write(struct otter_install *install)
{
    const struct otter_placement *placement = placement_of(install);
    bool is_done = false;

    if (install->substep == WRITE_BEGIN) {
        enum otter_step found =
            otter_stage_find_member(install, OTTER_STRATEGIES_SAVED);

        if (found != OTTER_STEP_MORE) {
            return found;
        }
        install->copying = (struct otter_copying){
            .device = install->device,
            .from_region = placement->store_region,
            .from_off = placement->store_off,
            .to_region = placement->target_region,
            .size = install->current.installed_size,
        };
        otter_copying_open(&install->copying);
        install->substep = WRITE_COPY;
    }
    enum otter_result result = otter_copying_step(&install->copying, &is_done);

    install->percent =
        otter_stage_percent(install->copying.cursor, install->copying.size);
    if (result != OTTER_OK) {
        return fail_at(install, OTTER_E_WRITE);
    }
    return is_done ? OTTER_STEP_DONE : OTTER_STEP_MORE;
}

/* ---- validating ---- */

/* A mismatch is written once more from the store, then given up (K5). */
static enum otter_step repeat_write(struct otter_install *install)
{
    if (install->repeats > 0 ||
        placement_of(install)->strategy != OTTER_STRATEGY_SAVED_COPY) {
        return fail_at(install, OTTER_E_VALIDATE);
    }
    install->repeats++;
    install->stage--;
    install->member = 0;
    install->substep = WRITE_BEGIN;
    return more_or_fail(install,
                        otter_stage_put(install, OTTER_PART_WRITE, OTTER_SEALED),
                        OTTER_E_VALIDATE);
}

enum otter_step otter_stage_validate(struct otter_install *install)
{
    struct otter_device *device = install->device;
    const struct otter_placement *placement = placement_of(install);
    uint8_t digest[OTTER_SHA256_SIZE];
    bool is_done = false;

    if (install->substep == 0) {
        enum otter_step found = otter_stage_find_member(
            install, OTTER_STRATEGIES_SLOT | OTTER_STRATEGIES_SAVED);

        if (found != OTTER_STEP_MORE) {
            return found;
        }
        placement = placement_of(install);
        otter_hashing_start(device, &install->hashing, placement->target_region, 0,
                            install->current.installed_size);
        install->substep = 1;
    }
    enum otter_result result = otter_hashing_step(device, &install->hashing, &is_done);

    install->percent =
        otter_stage_percent(install->hashing.done, install->hashing.size);
    if (result == OTTER_OK && !is_done) {
        return OTTER_STEP_MORE;
    }
    if (result != OTTER_OK) {
        return repeat_write(install);
    }
    otter_hashing_final(device, &install->hashing, digest);
    if (memcmp(digest, install->current.installed_sha, sizeof(digest)) != 0) {
        return repeat_write(install);
    }
    result = otter_vectors_check(
        device, placement->target_region, 0,
        otter_map_find(&device->table.map, placement->target_region),
        install->current.installed_size);
    install->member++;
    install->substep = 0;
    return more_or_fail(install, result, result);
}
