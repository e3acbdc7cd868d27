/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 37: the package's flash table goes over one copy of the installed one (K8). The
 * other copy stays, and counts, until the new system is confirmed (K17); both systems
 * have the same regions, so what comes next needs neither. That the copies differ
 * stands in the journal first; whoever runs when the update is over makes them alike.
 */
#include "stages.h"

enum table_substep {
    TABLE_BEGIN = 0,
    TABLE_WRITE,
    TABLE_CHECK, /* does it read as the package's? */
    TABLE_DONE,
};

static enum otter_step more_or_fail(struct otter_install *install,
                                    enum otter_result result)
{
    return result == OTTER_OK ? OTTER_STEP_MORE
                              : otter_stage_fail(install, OTTER_E_TABLE_WRITE);
}

/* It stood before a cut, or a later stage has begun. */
static bool stands(const struct otter_state *state)
{
    return state->part == OTTER_PART_SAVE || state->part == OTTER_PART_WRITE ||
           (state->part == OTTER_PART_TABLE && state->cursor > 0);
}

/* Where the table goes; after a cut the same place again, even if it reads right (K5);
 * but not where a sector has failed. */
static bool find_place(const struct otter_device *device, uint8_t *place)
{
    const struct otter_state *state = &device->journal.state;

    if (state->part == OTTER_PART_TABLE && state->member < OTTER_TABLE_PLACES &&
        (device->table_failed >> state->member & 1U) == 0) {
        *place = state->member;
        return true;
    }
    return otter_table_spare(device, place);
}

static enum otter_step begin(struct otter_install *install)
{
    struct otter_device *device = install->device;
    struct otter_state state = device->journal.state;
    struct otter_table table;
    uint8_t place = 0;
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_TABLE);

    if (found != OTTER_STEP_MORE) {
        return found;
    }
    if (stands(&state)) {
        return OTTER_STEP_DONE;
    }
    const struct otter_placement *placement = otter_stage_placement(install);
    const struct otter_span content = {.io = &device->io,
                                       .region = placement->store_region,
                                       .off = placement->store_off};
    enum otter_result result =
        otter_table_check_new(device, &content, &install->current, &table);

    if (result == OTTER_OK && !find_place(device, &place)) {
        result = OTTER_E_TABLE_ROOM;
    }
    if (result == OTTER_OK) {
        result = otter_rewriting_table(&install->rewriting, device, place, &content,
                                       install->current.installed_size,
                                       device->table.sequence + 1);
    }
    if (result != OTTER_OK) {
        return otter_stage_fail(install, result);
    }
    otter_state_begin(&state, OTTER_PART_TABLE);
    state.member = place;
    state.flags |= OTTER_FLAG_NEW_TABLE;
    install->substep = TABLE_WRITE;
    return more_or_fail(install,
                        otter_journal_put(&device->journal, &state, OTTER_SEALED));
}

static enum otter_step write(struct otter_install *install)
{
    bool is_done = false;
    enum otter_result result = otter_rewriting_step(&install->rewriting, &is_done);

    if (otter_rewriting_finds_other(&install->rewriting, result)) {
        install->substep = TABLE_BEGIN;
        return OTTER_STEP_MORE;
    }
    install->substep = is_done ? TABLE_CHECK : TABLE_WRITE;
    return more_or_fail(install, result);
}

static enum otter_step check(struct otter_install *install)
{
    struct otter_device *device = install->device;
    struct otter_state state = device->journal.state;
    struct otter_table table;
    struct otter_span content;

    if (otter_table_find(device, install->current.installed_sha,
                         install->current.installed_size, &table,
                         &content) != OTTER_OK ||
        content.region != OTTER_REGION_TABLE) {
        return otter_stage_fail(install, OTTER_E_TABLE_WRITE);
    }
    state.cursor = table.length;
    state.erased = 0;
    install->substep = TABLE_DONE;
    return more_or_fail(install,
                        otter_journal_put(&device->journal, &state, OTTER_SEALED));
}

enum otter_step otter_stage_table(struct otter_install *install)
{
    switch ((enum table_substep)install->substep) {
    case TABLE_BEGIN:
        return begin(install);
    case TABLE_WRITE:
        return write(install);
    case TABLE_CHECK:
        return check(install);
    case TABLE_DONE:
        break;
    }
    return OTTER_STEP_DONE;
}
