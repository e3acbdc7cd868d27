/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which packages of a card a device without a whole application tries by itself. What
 * failed is not tried again, or two packages that fail would take turns for ever: one
 * that is passed over for that takes a person, who puts the card in.
 */
#include "otter/card_search.h"

#include "otter/port/files.h"

#include <string.h>

void otter_card_search_open(struct otter_card_search *search,
                            struct otter_device *device, bool is_asked_for)
{
    memset(search, 0, sizeof(*search));
    search->device = device;
    search->why = OTTER_E_CARD_NOT_FOUND;
    search->is_asked_for = is_asked_for;
}

/* ---- what is worth a try ---- */

/* The last update ended because the card was another one: nothing was wrong with the
 * package. */
static bool was_elsewhere(const struct otter_outcome *outcome)
{
    return otter_card_is_other(otter_result_of(outcome->code));
}

/* The last update ended because power was lost again and again: that says nothing about
 * the package either. */
static bool was_cut(const struct otter_outcome *outcome)
{
    return outcome->code == otter_code(OTTER_E_TRIAL_POWER);
}

/* The last update ended with this package, and not well. */
static bool has_failed(const struct otter_state *state,
                       const struct otter_control *control)
{
    const struct otter_outcome *outcome = &state->outcome;

    return outcome->kind >= OTTER_OUTCOME_ROLLED_BACK &&
           outcome->kind <= OTTER_OUTCOME_FAILED && !was_elsewhere(outcome) &&
           !was_cut(outcome) &&
           memcmp(outcome->id, control->package_id, sizeof(outcome->id)) == 0;
}

/* A package that this device took by itself has failed, or one was refused when its
 * receipt was being written: which one, that receipt says. */
static bool has_tried(const struct otter_state *state)
{
    bool is_one_way = (state->flags & OTTER_FLAG_CLOSED) != 0;
    bool was_refused = state->outcome.kind == OTTER_OUTCOME_REFUSED;

    return (is_one_way || was_refused) && state->phase == OTTER_PHASE_CONFIRMED &&
           !was_elsewhere(&state->outcome);
}

static bool is_older(const struct otter_control *control,
                     const struct otter_system *system)
{
    return otter_version_compare(&control->version, &system->control.version) < 0;
}

/* Versions of what is tried only rise, so there is an end to it. A receipt that was not
 * finished says nothing: then a person is needed. */
static bool is_above_tried(const struct otter_card_search *search,
                           const struct otter_control *control)
{
    const struct otter_device *device = search->device;
    struct otter_system tried;

    return otter_system_peek(device, (uint8_t)(1 - device->journal.state.current),
                             &tried) == OTTER_OK &&
           otter_version_compare(&control->version, &tried.control.version) > 0;
}

/* Why it is not to be tried: what the last outcome says, or 31-15; 36-22 for its age;
 * OTTER_OK: it is. */
static enum otter_result judge(const struct otter_card_search *search,
                               const struct otter_control *control,
                               const struct otter_system *current)
{
    const struct otter_state *state = &search->device->journal.state;

    if (search->is_asked_for) {
        return OTTER_OK;
    }
    if (has_failed(state, control)) {
        return otter_result_of(state->outcome.code);
    }
    if (has_tried(state) && !is_above_tried(search, control)) {
        return state->outcome.kind == OTTER_OUTCOME_REFUSED
                   ? otter_result_of(state->outcome.code)
                   : OTTER_E_ONE_WAY;
    }
    return is_older(control, current) ? OTTER_E_CARD_OLDER : OTTER_OK;
}

/* ---- what to tell ---- */

/* What a person can act on best is told: what became of the system's own package, then
 * of one that is another's, then an age. Of two that are equal it is the later one. */
enum weight { WEIGHT_NONE = 0, WEIGHT_AGE, WEIGHT_ANY, WEIGHT_OWN };

static void note(struct otter_card_search *search, enum weight weight,
                 enum otter_result why)
{
    if ((uint8_t)weight >= search->weight) {
        search->weight = (uint8_t)weight;
        search->why = why;
    }
}

void otter_card_search_note(struct otter_card_search *search, enum otter_result why)
{
    note(search, search->is_for_any ? WEIGHT_ANY : WEIGHT_OWN, why);
}

/* ---- the search ---- */

static enum otter_result look_at(struct otter_card_search *search,
                                 struct otter_card_door *door, bool *is_found)
{
    const struct otter_device *device = search->device;
    struct otter_system current;
    enum otter_result result = otter_card_door_look(door, search->path);

    if (result == OTTER_OK) {
        result = otter_system_peek(device, device->journal.state.current, &current);
    }
    if (result != OTTER_OK) {
        note(search, WEIGHT_ANY, result); /* whose it is is not known */
        return result == OTTER_E_CARD_NONE ? result : OTTER_OK;
    }
    bool is_own = memcmp(door->control.package_id, current.control.package_id,
                         sizeof(current.control.package_id)) == 0;

    if (is_own == search->is_for_any) {
        return OTTER_OK; /* of the other time through */
    }
    result = judge(search, &door->control, &current);
    *is_found = result == OTTER_OK;
    if (result == OTTER_E_CARD_OLDER) {
        note(search, WEIGHT_AGE, result);
    } else if (result != OTTER_OK) {
        otter_card_search_note(search, result);
    }
    return OTTER_OK;
}

static enum otter_result end_pass(struct otter_card_search *search)
{
    if (search->is_for_any) {
        return OTTER_E_CARD_NOT_FOUND;
    }
    search->is_for_any = true;
    search->index = 0;
    return OTTER_OK;
}

enum otter_result otter_card_search_step(struct otter_card_search *search,
                                         struct otter_card_door *door, bool *is_found)
{
    const struct otter_files *files = otter_card_files(search->device);
    struct otter_file_entry entry;

    *is_found = false;
    if (files == NULL) {
        return OTTER_E_CARD_NONE;
    }
    if (search->index == (uint8_t)OTTER_CARD_UPDATE_ENTRIES) {
        return end_pass(search);
    }
    enum otter_result result =
        files->list(files->context, OTTER_CARD_UPDATE, search->index, &entry);

    if (result == OTTER_E_CARD_NOT_FOUND) {
        return end_pass(search);
    }
    if (result != OTTER_OK) {
        search->why = result;
        return result;
    }
    search->index++;
    return otter_card_update_path(&entry, search->path)
               ? look_at(search, door, is_found)
               : OTTER_OK;
}
