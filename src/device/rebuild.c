/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do when no journal can be read (K2): the receipts and what is installed
 * prove the state. A receipt without its system counts for nothing.
 */
#include "otter/device.h"

#include <string.h>

struct proof {
    bool has_receipt;
    bool is_whole;
    struct otter_version version;
    uint32_t counter;
};

/* Which keys were revoked is lost with the journal; what the system's own package says
 * stands in its receipt (K17). */
static void find_keys(struct otter_device *device, uint8_t slot)
{
    struct otter_state *state = &device->journal.state;
    struct otter_system system;

    state->key_mask = UINT32_MAX;
    if (otter_system_peek(device, slot, &system) == OTTER_OK) {
        /* If it cannot be read any more, nothing is revoked. */
        (void)!otter_keys_of(device, &system, &state->key_mask);
    }
}

/* The table, and the keys, of the system that is the current one from now on. */
static void settle_table(struct otter_device *device)
{
    struct otter_state *state = &device->journal.state;
    bool is_twice = otter_device_choose_table(device) && otter_table_is_twice(device);

    state->flags = is_twice ? 0 : OTTER_FLAG_NEW_TABLE;
    find_keys(device, state->current);
}

static void prove(struct otter_device *device, uint8_t slot, struct proof *proof)
{
    struct otter_system system;

    memset(proof, 0, sizeof(*proof));
    if (!otter_device_use_table(device, slot)) {
        return;
    }
    find_keys(device, slot);
    if (otter_system_open(device, slot, &system) != OTTER_OK) {
        return;
    }
    proof->has_receipt = true;
    proof->version = system.control.version;
    proof->counter = system.control.counter;
    proof->is_whole =
        otter_system_check(device, &system, OTTER_ROLE_FIRMWARE) == OTTER_OK &&
        otter_system_check_regions(device, &system, OTTER_FLAG_NEW_REGIONS) == OTTER_OK;
}

/* The newer of two proofs: by version, then by counter. */
static uint8_t newer(const struct proof proofs[2])
{
    int order = otter_version_compare(&proofs[1].version, &proofs[0].version);

    return order > 0 || (order == 0 && proofs[1].counter > proofs[0].counter);
}

/* Both systems are whole (A/B): the newer one is on trial again. */
static void settle_both(struct otter_state *state, const struct proof proofs[2])
{
    uint8_t slot = newer(proofs);

    state->phase = OTTER_PHASE_TRIAL;
    state->current = (uint8_t)(1 - slot);
    state->counter =
        proofs[0].counter < proofs[1].counter ? proofs[0].counter : proofs[1].counter;
}

enum otter_result otter_device_rebuild(struct otter_device *device)
{
    struct otter_state *state = &device->journal.state;
    struct proof proofs[2];
    bool is_proved = true;

    memset(state, 0, sizeof(*state));
    state->flags = OTTER_FLAG_NEW_TABLE; /* there may be two */
    prove(device, 0, &proofs[0]);
    prove(device, 1, &proofs[1]);
    state->outcome.kind = OTTER_OUTCOME_REBUILT;
    state->outcome.code = otter_code(OTTER_E_JOURNAL_LOST);
    state->phase = OTTER_PHASE_CONFIRMED;
    otter_device_event(device, OTTER_EVENT_FAILED, device->program, 0,
                       otter_code(OTTER_E_JOURNAL_LOST));
    if (proofs[0].is_whole && proofs[1].is_whole) {
        settle_both(state, proofs);
    } else if (proofs[0].is_whole || proofs[1].is_whole) {
        state->current = proofs[1].is_whole ? 1 : 0;
        state->counter = proofs[state->current].counter;
    } else {
        is_proved = false;
        state->current = proofs[0].has_receipt ? 0 : 1;
        state->counter = proofs[0].counter > proofs[1].counter ? proofs[0].counter
                                                               : proofs[1].counter;
    }
    settle_table(device);
    if (!is_proved) {
        /* Whose these are nobody knows: no application is run without looking. */
        state->flags |= OTTER_FLAG_NEW_REGIONS;
    }
    otter_device_open_regions(device);
    return is_proved ? OTTER_OK : OTTER_E_BOOT_NOTHING;
}
