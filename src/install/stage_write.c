/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saving the old system, stage 10 and stage 11. The order is what keeps the promise:
 * the copies of all that will be replaced stand and are verified, then "the application
 * is open", with the flags of the regions that stop being the old system's, stands in
 * two sectors of the journal, then the first sector of all these is erased (K3, K13).
 */
#include "stages.h"

#include <string.h>

enum save_substep {
    SAVE_BEGIN = 0, /* for each member: is there anything to save that is not yet? */
    SAVE_HASH_OLD,  /* is the old one whole? */
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

const struct otter_placement *otter_stage_placement(const struct otter_install *install)
{
    return &install->plan.members[install->member];
}

static enum otter_step more_or_fail(struct otter_install *install,
                                    enum otter_result result, enum otter_result failure)
{
    return result == OTTER_OK ? OTTER_STEP_MORE : otter_stage_fail(install, failure);
}

/* ---- saving ---- */

/* The system that is to be saved, opened once. */
static bool open_old(struct otter_install *install)
{
    struct otter_device *device = install->device;

    if (!install->has_old) {
        install->has_old = otter_system_open(device, device->journal.state.current,
                                             &install->old) == OTTER_OK;
    }
    return install->has_old;
}

/* What that system has in `region`. What is read counts only if its receipt reads whole
 * afterwards, too. */
static bool look_up_old(struct otter_install *install, uint8_t region)
{
    return open_old(install) &&
           otter_system_in_region(install->device, &install->old, region,
                                  &install->current) == OTTER_OK &&
           !otter_system_is_stale(install->device, &install->old);
}

/* A word that dies in one copy of the receipt must not cost the way back. */
static bool find_old(struct otter_install *install, uint8_t region)
{
    if (look_up_old(install, region)) {
        return true;
    }
    install->has_old = false;
    return look_up_old(install, region);
}

/* After a cut: once "writing begins" stands, the old system may be half overwritten and
 * its copies are the truth; and what comes before the member that the journal names is
 * saved and verified. */
static enum otter_step begin_save(struct otter_install *install)
{
    struct otter_device *device = install->device;
    const struct otter_state *state = &device->journal.state;

    if (state->part == OTTER_PART_WRITE) {
        install->substep = SAVE_DONE;
        return OTTER_STEP_MORE;
    }
    if ((state->flags & OTTER_FLAG_CLOSED) != 0) {
        install->substep = SAVE_CLOSE; /* there is no way back that it would serve */
        return OTTER_STEP_MORE;
    }
    enum otter_step found = otter_stage_find_member(
        install, OTTER_STRATEGIES_SAVED | OTTER_STRATEGIES_REGION);

    if (found == OTTER_STEP_DONE) {
        install->substep = SAVE_CLOSE;
        return OTTER_STEP_MORE;
    }
    if (found == OTTER_STEP_FAILED) {
        return found;
    }
    const struct otter_placement *placement = otter_stage_placement(install);
    /* A card may be another one by now: there everything is saved again. */
    bool is_saved = state->part == OTTER_PART_SAVE && install->member < state->member &&
                    !otter_device_is_on_card(device);

    if (placement->save_size == 0 || is_saved) {
        install->member++;
        return OTTER_STEP_MORE;
    }
    if (!find_old(install, placement->target_region)) {
        install->substep = SAVE_CLOSE; /* no system is there to go back to */
        return OTTER_STEP_MORE;
    }
    enum otter_result result = otter_plan_saved_cipher(
        device, &install->old, &install->current, &install->save_cipher);

    otter_hashing_start(device, &install->hashing, placement->target_region, 0,
                        placement->save_size);
    install->substep = SAVE_HASH_OLD;
    return more_or_fail(install, result, result);
}

/* A system that is damaged is no way back; what was saved before is left alone. */
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
    const struct otter_placement *placement = otter_stage_placement(install);
    const struct otter_state *state = &install->device->journal.state;
    enum otter_result result = OTTER_OK;

    if (state->part != OTTER_PART_SAVE || state->member != install->member) {
        result = otter_stage_put(install, OTTER_PART_SAVE, OTTER_SEALED);
    }
    if (otter_device_is_on_card(install->device)) {
        otter_saving_open(&install->saving, install->device, placement->target_region,
                          placement->save_size, &install->save_cipher);
    } else {
        install->copying = (struct otter_copying){
            .device = install->device,
            .from_region = placement->target_region,
            .to_region = OTTER_REGION_STAGING,
            .to_off = placement->save_off,
            .to_cipher = &install->save_cipher,
            .size = placement->save_size,
        };
        otter_copying_open(&install->copying);
    }
    install->substep = SAVE_COPY;
    return more_or_fail(install, result, OTTER_E_SAVE_WRITE);
}

static enum otter_result save_on(struct otter_install *install, bool *is_done)
{
    bool is_on_card = otter_device_is_on_card(install->device);
    enum otter_result result = is_on_card
                                   ? otter_saving_step(&install->saving, is_done)
                                   : otter_copying_step(&install->copying, is_done);
    uint32_t done = is_on_card ? install->saving.cursor : install->copying.cursor;

    install->percent =
        otter_stage_percent(done, otter_stage_placement(install)->save_size);
    return result;
}

static enum otter_step copy_old(struct otter_install *install)
{
    const struct otter_placement *placement = otter_stage_placement(install);
    bool is_done = false;
    enum otter_result result = save_on(install, &is_done);

    if (result == OTTER_E_FLASH_READ) {
        return otter_stage_fail(install, OTTER_E_SAVE_READ);
    }
    if (is_done) {
        otter_hashing_start(install->device, &install->hashing, placement->save_region,
                            placement->save_off, placement->save_size);
        install->hashing.cipher = &install->save_cipher;
        install->substep = SAVE_HASH_COPY;
    }
    /* A card says by its own codes what is wrong with it. */
    return more_or_fail(install, result,
                        otter_device_is_on_card(install->device) ? result
                                                                 : OTTER_E_SAVE_WRITE);
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
        install->member++;
        install->substep = SAVE_BEGIN;
    }
    return OTTER_STEP_MORE;
}

/* The first member that is written: programs come before resources and fonts. */
static uint8_t first_written(const struct otter_install *install)
{
    uint8_t first = 0;

    for (uint8_t i = install->plan.count; i > 0; i--) {
        uint8_t strategy = install->plan.members[i - 1].strategy;

        if ((OTTER_STRATEGIES_WRITTEN >> strategy & 1U) != 0) {
            return (uint8_t)(i - 1);
        }
        if (strategy == OTTER_STRATEGY_REGION ||
            (strategy == OTTER_STRATEGY_TREE && first == 0)) {
            first = (uint8_t)(i - 1);
        }
    }
    return first;
}

/* Order matters: this stands in two sectors before the first erase of what the old
 * system is made of. A region in which that has nothing needs no way back. */
static enum otter_result close_save(struct otter_install *install)
{
    struct otter_state state = install->device->journal.state;

    otter_state_begin(&state, OTTER_PART_WRITE);
    state.member = first_written(install);
    state.flags = (uint8_t)(state.flags & ~OTTER_FLAG_NEW_TREE);
    for (uint8_t i = 0; i < install->plan.count; i++) {
        const struct otter_placement *placement = &install->plan.members[i];

        if (placement->strategy == OTTER_STRATEGY_REGION &&
            (placement->save_size > 0 || (state.flags & OTTER_FLAG_CLOSED) != 0)) {
            state.flags |= otter_region_flag(placement->target_region);
        }
        if (placement->strategy == OTTER_STRATEGY_TREE) {
            state.flags |= OTTER_FLAG_NEW_TREE;
        }
    }
    return otter_journal_put(&install->device->journal, &state, OTTER_LASTING);
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
        install->substep = SAVE_DONE;
        return more_or_fail(install, close_save(install), OTTER_E_SAVE_WRITE);
    case SAVE_DONE:
        break;
    }
    return OTTER_STEP_DONE;
}

/* ---- writing ---- */

enum otter_step otter_stage_fail_at(struct otter_install *install,
                                    enum otter_result base)
{
    return otter_stage_fail(install, otter_error_at(base, install->percent));
}

bool otter_stage_writes(const struct otter_install *install, uint8_t strategy)
{
    const struct otter_state *state = &install->device->journal.state;

    return state->member < install->plan.count &&
           install->plan.members[state->member].strategy == strategy;
}

enum otter_result otter_stage_open_write(struct otter_install *install, bool begins)
{
    /* Order matters: while a record is being written a failure cannot be recorded. */
    enum otter_result result = otter_stage_open_store(install);

    if (result == OTTER_OK && begins) {
        result = otter_stage_put(install, OTTER_PART_WRITE, OTTER_SEALED);
    }
    install->copying = (struct otter_copying){
        .device = install->device,
        .stream = &install->stream,
        .to_region = otter_stage_placement(install)->target_region,
        .size = install->current.installed_size,
    };
    otter_copying_open(&install->copying);
    return result;
}

/* The free slot is nobody's way back: that it is being written needs no more than a
 * record. */
static bool begins_slot(const struct otter_install *install)
{
    return otter_stage_placement(install)->strategy == OTTER_STRATEGY_INTO_SLOT &&
           install->device->journal.state.part != OTTER_PART_WRITE;
}

static enum otter_step begin_write(struct otter_install *install)
{
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_WRITTEN);

    if (found != OTTER_STEP_MORE) {
        return found;
    }
    if (otter_stage_writes(install, OTTER_STRATEGY_REGION) ||
        otter_stage_writes(install, OTTER_STRATEGY_TREE)) {
        return OTTER_STEP_DONE; /* it stood before stage 15 began */
    }
    enum otter_result result = otter_stage_open_write(install, begins_slot(install));

    install->substep = WRITE_COPY;
    return more_or_fail(install, result, OTTER_E_WRITE);
}

enum otter_step otter_stage_write(struct otter_install *install)
{
    bool is_done = false;

    if (install->substep == WRITE_BEGIN) {
        return begin_write(install);
    }
    enum otter_result result = otter_copying_step(&install->copying, &is_done);

    install->percent =
        otter_stage_percent(install->copying.cursor, install->copying.size);
    if (result != OTTER_OK) {
        return otter_stage_fail_at(install, OTTER_E_WRITE);
    }
    return is_done ? OTTER_STEP_DONE : OTTER_STEP_MORE;
}

/* ---- validating ---- */

/* A mismatch is written once more from the store, then given up (K5). */
static enum otter_step repeat_write(struct otter_install *install)
{
    uint8_t strategy = otter_stage_placement(install)->strategy;

    if (install->repeats > 0 || (OTTER_STRATEGIES_WRITTEN >> strategy & 1U) == 0) {
        return otter_stage_fail_at(install, OTTER_E_VALIDATE);
    }
    install->repeats++;
    install->stage--;
    install->substep = WRITE_BEGIN;
    return more_or_fail(install,
                        otter_stage_put(install, OTTER_PART_WRITE, OTTER_SEALED),
                        OTTER_E_VALIDATE);
}

enum otter_step otter_stage_validate(struct otter_install *install)
{
    struct otter_device *device = install->device;
    const struct otter_placement *placement = otter_stage_placement(install);
    uint8_t digest[OTTER_SHA256_SIZE];
    bool is_done = false;

    if (install->substep == 0) {
        enum otter_step found = otter_stage_find_member(
            install, OTTER_STRATEGIES_SLOT | OTTER_STRATEGIES_WRITTEN);

        if (found != OTTER_STEP_MORE) {
            return found;
        }
        placement = otter_stage_placement(install);
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
