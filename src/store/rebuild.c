/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do when no journal can be read (K2): the receipts and what is installed
 * prove the state. A receipt without its system counts for nothing.
 */
#include "otter/rebuild.h"

#include "otter/plan.h"

#include <string.h>

struct proof {
    bool has_receipt;
    bool is_whole;    /* its application, with resources and fonts */
    bool has_manager; /* the manager that it names is installed */
    bool is_saved;    /* it is not, but staging holds the copy that boot goes back to */
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

    if (otter_device_choose_table(device) && otter_table_is_twice(device)) {
        state->flags = (uint8_t)(state->flags & ~OTTER_FLAG_NEW_TABLE);
    }
    find_keys(device, state->current);
}

/* Does staging hold the copy of the system's manager? */
static bool is_manager_saved(struct otter_device *device,
                             const struct otter_system *system)
{
    struct otter_span span = {.io = &device->io, .region = OTTER_REGION_STAGING};
    struct otter_cipher cipher = {0};
    struct otter_member member;
    bool matches = false;

    if (otter_device_is_on_card(device) ||
        otter_plan_saved(device, system, OTTER_REGION_MANAGER, &span.off, &member) !=
            OTTER_OK ||
        otter_plan_saved_cipher(device, system, &member, &cipher) != OTTER_OK) {
        return false; /* a device with a card replaces no manager */
    }
    enum otter_result result = otter_hash_matches(
        device, &span, &cipher, member.installed_size, member.installed_sha, &matches);

    otter_cipher_close(&cipher);
    return result == OTTER_OK && matches;
}

/* Each system is looked at under its own table and keys. False: it has no table. */
static bool use_slot(struct otter_device *device, uint8_t slot)
{
    if (!otter_device_use_table(device, slot)) {
        return false;
    }
    find_keys(device, slot);
    return true;
}

static void prove(struct otter_device *device, uint8_t slot, struct proof *proof)
{
    struct otter_system system;

    if (otter_system_open(device, slot, &system) != OTTER_OK) {
        return;
    }
    proof->has_receipt = true;
    proof->version = system.control.version;
    proof->counter = system.control.counter;
    proof->is_whole =
        otter_system_check(device, &system, OTTER_ROLE_FIRMWARE) == OTTER_OK &&
        otter_system_check_regions(device, &system, OTTER_FLAG_NEW_REGIONS) == OTTER_OK;
    proof->has_manager =
        otter_system_check(device, &system, OTTER_ROLE_MANAGER) == OTTER_OK;
    proof->is_saved =
        proof->is_whole && !proof->has_manager && is_manager_saved(device, &system);
}

/* The newer of two proofs: by version, then by counter. */
static uint8_t newer(const struct proof proofs[2])
{
    int order = otter_version_compare(&proofs[1].version, &proofs[0].version);

    return order > 0 || (order == 0 && proofs[1].counter > proofs[0].counter);
}

/* The system is confirmed. If its manager is not there, but its copy is, boot was at
 * work on the manager: it takes that back, which needs no other manager (K15). */
static void settle_one(struct otter_state *state, uint8_t slot,
                       const struct proof *proof)
{
    state->current = slot;
    state->counter = proof->counter;
    if (proof->is_saved) {
        state->phase = OTTER_PHASE_INSTALLING;
        state->part = OTTER_PART_TAKE_BACK;
        state->flags |= OTTER_FLAG_NEW_MANAGER;
    }
}

/* A system is on trial: the one that is not `state->current`, whose copies stay. */
static void settle_trial(struct otter_state *state, const struct proof *proof)
{
    state->phase = OTTER_PHASE_TRIAL;
    state->part = OTTER_PART_NONE;
    if (proof->counter < state->counter) {
        state->counter = proof->counter;
    }
}

/* Boot had begun to replace the system's manager, so it was the current one. */
static bool was_current(const struct proof *proof, const struct proof *other)
{
    return proof->is_saved && !other->is_saved;
}

/* Both systems are whole (A/B): the newer one came last, but for one of an older
 * version that has come as far as its manager. What came last is on trial again if its
 * manager stands; else it has not come to its trial, or has failed. */
static void settle_both(struct otter_state *state, const struct proof proofs[2])
{
    uint8_t next = newer(proofs);

    if (was_current(&proofs[next], &proofs[1 - next])) {
        next = (uint8_t)(1 - next);
    }
    const struct proof *now = &proofs[1 - next];

    settle_one(state, (uint8_t)(1 - next), now);
    if (proofs[next].has_manager ||
        (!now->has_manager && !was_current(now, &proofs[next]))) {
        settle_trial(state, &proofs[next]);
    }
}

/* No system is whole: the next package must not overwrite the receipt that alone
 * vouches for the manager. */
static void settle_none(struct otter_state *state, const struct proof proofs[2])
{
    bool is_second = proofs[0].has_manager == proofs[1].has_manager
                         ? !proofs[0].has_receipt
                         : proofs[1].has_manager;

    state->current = is_second ? 1 : 0;
    state->counter =
        proofs[0].counter > proofs[1].counter ? proofs[0].counter : proofs[1].counter;
}

enum otter_result otter_rebuild(struct otter_device *device)
{
    struct otter_state *state = &device->journal.state;
    struct proof proofs[2] = {{0}};
    bool is_proved = true;

    memset(state, 0, sizeof(*state));
    state->flags = OTTER_FLAG_NEW_TABLE; /* there may be two */
    if (use_slot(device, 0)) {
        prove(device, 0, &proofs[0]);
    }
    if (use_slot(device, 1)) {
        prove(device, 1, &proofs[1]);
    }
    state->outcome.kind = OTTER_OUTCOME_REBUILT;
    state->outcome.code = otter_code(OTTER_E_JOURNAL_LOST);
    state->phase = OTTER_PHASE_CONFIRMED;
    otter_device_event(device, OTTER_EVENT_FAILED, device->program, 0,
                       otter_code(OTTER_E_JOURNAL_LOST));
    if (proofs[0].is_whole && proofs[1].is_whole) {
        settle_both(state, proofs);
    } else if (proofs[0].is_whole || proofs[1].is_whole) {
        uint8_t slot = proofs[1].is_whole ? 1 : 0;

        settle_one(state, slot, &proofs[slot]);
    } else {
        is_proved = false;
        settle_none(state, proofs);
    }
    settle_table(device);
    if (!is_proved) {
        /* Whose these are nobody knows: no application is run without looking. */
        state->flags |= OTTER_FLAG_NEW_REGIONS;
    }
    otter_device_open_regions(device);
    return is_proved ? OTTER_OK : OTTER_E_BOOT_NOTHING;
}
