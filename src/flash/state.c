/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state's rules: which program may lead which phase into which (K7, K10). The
 * table below is the one in docs/SPEC.md, "Who writes what".
 */
#include "otter/state.h"

#include "otter/error.h"

#include <stddef.h>
#include <string.h>

enum {
    BOOT = 1U << OTTER_PROGRAM_BOOT,
    MANAGER = 1U << OTTER_PROGRAM_MANAGER | 1U << OTTER_PROGRAM_LOADER,
    AGENT = 1U << OTTER_PROGRAM_AGENT,
};

struct transition {
    uint8_t from;
    uint8_t to;
    uint8_t programs; /* bit: enum otter_program */
};

static const struct transition transitions[] = {
    {OTTER_PHASE_CONFIRMED, OTTER_PHASE_CONFIRMED, MANAGER | AGENT},
    {OTTER_PHASE_CONFIRMED, OTTER_PHASE_RECEIVING, MANAGER | AGENT},
    {OTTER_PHASE_RECEIVING, OTTER_PHASE_RECEIVING, MANAGER | AGENT},
    {OTTER_PHASE_RECEIVING, OTTER_PHASE_COMPLETE, MANAGER | AGENT},
    {OTTER_PHASE_RECEIVING, OTTER_PHASE_CONFIRMED, MANAGER | AGENT},
    {OTTER_PHASE_COMPLETE, OTTER_PHASE_RECEIVING, MANAGER | AGENT},
    {OTTER_PHASE_COMPLETE, OTTER_PHASE_CONFIRMED, MANAGER | AGENT},
    {OTTER_PHASE_COMPLETE, OTTER_PHASE_REQUESTED, MANAGER | AGENT},
    {OTTER_PHASE_REQUESTED, OTTER_PHASE_CONFIRMED, MANAGER},
    {OTTER_PHASE_REQUESTED, OTTER_PHASE_INSTALLING, MANAGER},
    {OTTER_PHASE_INSTALLING, OTTER_PHASE_INSTALLING, MANAGER | BOOT}, /* K15 */
    {OTTER_PHASE_INSTALLING, OTTER_PHASE_CONFIRMED, MANAGER | BOOT},
    {OTTER_PHASE_INSTALLING, OTTER_PHASE_TRIAL, MANAGER},
    {OTTER_PHASE_INSTALLING, OTTER_PHASE_ROLLING_BACK, MANAGER | BOOT},
    {OTTER_PHASE_TRIAL, OTTER_PHASE_TRIAL, BOOT},
    {OTTER_PHASE_TRIAL, OTTER_PHASE_CONFIRMED, MANAGER}, /* neither system runs */
    {OTTER_PHASE_TRIAL, OTTER_PHASE_ROLLING_BACK, BOOT},
    {OTTER_PHASE_ROLLING_BACK, OTTER_PHASE_ROLLING_BACK, MANAGER | BOOT}, /* a card */
    {OTTER_PHASE_ROLLING_BACK, OTTER_PHASE_CONFIRMED, MANAGER}, /* it cannot be done */
    {OTTER_PHASE_ROLLED_BACK, OTTER_PHASE_ROLLED_BACK, MANAGER | AGENT},
    {OTTER_PHASE_ROLLED_BACK, OTTER_PHASE_RECEIVING, MANAGER | AGENT},
};

bool otter_phase_locks_store(uint8_t phase)
{
    return phase >= OTTER_PHASE_REQUESTED && phase <= OTTER_PHASE_ROLLING_BACK;
}

bool otter_state_equal(const struct otter_state *a, const struct otter_state *b)
{
    return a->phase == b->phase && a->part == b->part && a->current == b->current &&
           a->erased == b->erased && a->member == b->member && a->faults == b->faults &&
           a->powers == b->powers && a->roll_backs == b->roll_backs &&
           a->flags == b->flags && a->cursor == b->cursor && a->counter == b->counter &&
           a->key_mask == b->key_mask && a->outcome.kind == b->outcome.kind &&
           a->outcome.code == b->outcome.code &&
           memcmp(a->outcome.id, b->outcome.id, sizeof(a->outcome.id)) == 0 &&
           memcmp(a->session, b->session, sizeof(a->session)) == 0 &&
           a->tlv_size == b->tlv_size && memcmp(a->tlv, b->tlv, a->tlv_size) == 0;
}

void otter_state_begin(struct otter_state *state, enum otter_part part)
{
    state->part = (uint8_t)part;
    state->member = 0;
    state->cursor = 0;
    state->erased = 0;
}

bool otter_is_session(const uint8_t *session)
{
    static const uint8_t none[OTTER_SESSION_SIZE] = {0};

    return memcmp(session, none, sizeof(none)) != 0;
}

bool otter_state_has_session(const struct otter_state *state)
{
    return otter_is_session(state->session);
}

bool otter_state_has_former(const struct otter_state *state)
{
    return state->phase == OTTER_PHASE_CONFIRMED &&
           state->outcome.kind == OTTER_OUTCOME_CONFIRMED &&
           otter_state_has_session(state);
}

bool otter_state_is_given_up(const struct otter_state *state)
{
    return state->outcome.kind == OTTER_OUTCOME_FAILED &&
           state->outcome.code == otter_code(OTTER_E_ROLL_BACK);
}

bool otter_state_has_unknown(const struct otter_state *state)
{
    for (size_t off = 0; off + 2 <= state->tlv_size; off += 2U + state->tlv[off + 1]) {
        if ((state->tlv[off] & 0x80U) != 0) {
            return true;
        }
    }
    return false;
}

/* What only one act may change: the current system, the counter and the keys (K17). */
static bool keeps_system(const struct otter_state *before,
                         const struct otter_state *after)
{
    return before->current == after->current && before->counter == after->counter &&
           before->key_mask == after->key_mask;
}

static bool is_confirm(const struct otter_state *before,
                       const struct otter_state *after)
{
    return before->phase == OTTER_PHASE_TRIAL &&
           after->phase == OTTER_PHASE_CONFIRMED && before->current != after->current &&
           before->counter <= after->counter &&
           ((after->key_mask & ~before->key_mask) == 0 ||
            (before->flags & OTTER_FLAG_NEW_TABLE) != 0);
}

/* Neither system runs, and the manager that is there belongs to the new one: that one's
 * receipt must stay, so it becomes the current one. */
static bool is_giving_up(const struct otter_state *before,
                         const struct otter_state *after)
{
    return (before->phase == OTTER_PHASE_TRIAL ||
            before->phase == OTTER_PHASE_ROLLING_BACK) &&
           (before->flags & OTTER_FLAG_NEW_MANAGER) != 0 &&
           after->phase == OTTER_PHASE_CONFIRMED && before->counter == after->counter &&
           before->key_mask == after->key_mask;
}

/* The current system's receipt is lost, and the other one vouches for the manager: it
 * must not be overwritten by the next package, so its system becomes the current one.
 */
static bool is_adopting(const struct otter_state *before,
                        const struct otter_state *after)
{
    return !otter_phase_locks_store(before->phase) &&
           after->phase == OTTER_PHASE_CONFIRMED &&
           after->outcome.kind >= OTTER_OUTCOME_FAILED &&
           before->counter == after->counter && before->key_mask == after->key_mask;
}

/* Boot alone says which system is the current one when the journal's own does not
 * verify, whose manager it may have to take back then, and ends a roll back. */
static bool is_switch(const struct otter_state *before, const struct otter_state *after)
{
    bool takes_back = after->phase == OTTER_PHASE_INSTALLING &&
                      after->part == OTTER_PART_TAKE_BACK &&
                      after->outcome.kind == OTTER_OUTCOME_DAMAGED;

    return (after->phase == OTTER_PHASE_ROLLED_BACK || takes_back) &&
           before->counter == after->counter && before->key_mask == after->key_mask;
}

/* "The application is closed" is the manager's to say and to take back; for others it
 * ends with the system that it is about. */
static bool keeps_closed(const struct otter_state *before,
                         const struct otter_state *after)
{
    return ((before->flags ^ after->flags) & OTTER_FLAG_CLOSED) == 0;
}

bool otter_state_may_change(const struct otter_state *before,
                            const struct otter_state *after, uint8_t program)
{
    if (program == OTTER_PROGRAM_FACTORY || otter_state_equal(before, after)) {
        return true;
    }
    if (program == OTTER_PROGRAM_BOOT && is_switch(before, after)) {
        return true;
    }
    if (program == OTTER_PROGRAM_AGENT && is_confirm(before, after)) {
        return true;
    }
    if ((1U << program & MANAGER) != 0 &&
        (is_giving_up(before, after) || is_adopting(before, after))) {
        return true;
    }
    if (!keeps_system(before, after) || program > OTTER_PROGRAM_AGENT ||
        (!keeps_closed(before, after) && (MANAGER >> program & 1U) == 0)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++) {
        const struct transition *row = &transitions[i];

        if (row->from == before->phase && row->to == after->phase &&
            (row->programs & (1U << program)) != 0) {
            return true;
        }
    }
    return false;
}
