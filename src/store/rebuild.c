/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do when no journal can be read (K2): the receipts and what is installed
 * prove the state. A receipt without its system counts for nothing.
 */
#include "otter/rebuild.h"

#include "otter/plan.h"

#include <string.h>

struct proof {
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

static void judge(struct otter_device *device, const struct otter_system *system,
                  struct proof *proof)
{
    proof->version = system->control.version;
    proof->counter = system->control.counter;
    proof->is_whole =
        otter_system_check(device, system, OTTER_ROLE_FIRMWARE) == OTTER_OK &&
        otter_system_check_regions(device, system, OTTER_FLAG_NEW_REGIONS) == OTTER_OK;
    proof->has_manager =
        otter_system_check(device, system, OTTER_ROLE_MANAGER) == OTTER_OK;
    proof->is_saved =
        proof->is_whole && !proof->has_manager && is_manager_saved(device, system);
}

/* What was read counts if the receipt reads whole afterwards, too: else false. */
static bool look_at(struct otter_device *device, uint8_t slot, struct proof *proof)
{
    struct otter_system system = {.slot = slot};

    memset(proof, 0, sizeof(*proof));
    if (otter_system_open(device, slot, &system) == OTTER_OK) {
        judge(device, &system, proof);
    }
    return !otter_system_is_stale(device, &system);
}

/* Proves the system in `slot` with the table and the keys of the one in `under`. */
static void prove(struct otter_device *device, uint8_t slot, uint8_t under,
                  struct proof *proof)
{
    memset(proof, 0, sizeof(*proof));
    if (!otter_device_use_table(device, under)) {
        return; /* it has none */
    }
    find_keys(device, under);
    if (!look_at(device, slot, proof)) {
        (void)look_at(device, slot, proof); /* in the other copy */
    }
}

static void prove_each(struct otter_device *device, struct proof proofs[2])
{
    prove(device, 0, 0, &proofs[0]);
    prove(device, 1, 1, &proofs[1]);
}

/* The system is the current one, with its counter: confirmed, or the one to go back to
 * while the other is on trial. If its manager is not there, but its copy is, boot was
 * at work on the manager: it takes that back, now or after the trial (K15). */
static void settle(struct otter_state *state, uint8_t slot, const struct proof *proof,
                   bool is_trial)
{
    state->current = slot;
    state->counter = proof->counter;
    if (proof->is_saved) {
        state->flags |= OTTER_FLAG_NEW_MANAGER;
    }
    if (is_trial) {
        state->phase = OTTER_PHASE_TRIAL;
    } else if (proof->is_saved) {
        state->phase = OTTER_PHASE_INSTALLING;
        state->part = OTTER_PART_TAKE_BACK;
    }
}

/* Boot had begun to replace the system's manager, so it was the current one. */
static bool was_current(const struct proof *proof, const struct proof *other)
{
    return proof->is_saved && !other->is_saved;
}

/* Is the system in `slot` still whole if it has to follow the other one? Then that one
 * trusts the key that signed it, and has the table that it keeps. */
static bool may_follow(struct otter_device *device, uint8_t slot)
{
    struct otter_state *state = &device->journal.state;
    struct proof proof;

    state->current = (uint8_t)(1 - slot);
    state->phase = OTTER_PHASE_TRIAL;
    prove(device, slot, state->current, &proof);
    state->phase = OTTER_PHASE_CONFIRMED;
    return proof.is_whole;
}

/* The slot of the system that came last. A package below the counter of the system
 * before it is refused; of equal counters the version tells, unless what is there
 * contradicts it. */
static uint8_t came_last(struct otter_device *device, const struct proof proofs[2])
{
    if (proofs[0].counter != proofs[1].counter) {
        return proofs[1].counter > proofs[0].counter;
    }
    int order = otter_version_compare(&proofs[1].version, &proofs[0].version);
    uint8_t next = order > 0;
    bool is_contradicted =
        was_current(&proofs[next], &proofs[1 - next]) || !may_follow(device, next);

    return is_contradicted ? (uint8_t)(1 - next) : next;
}

/* Both systems are whole: those of two slots, or of one slot if their programs, but for
 * the manager, are the same. `next` came last, `now` is the system before it. */
static void settle_both(struct otter_device *device, const struct proof proofs[2])
{
    struct otter_state *state = &device->journal.state;
    uint8_t slot = came_last(device, proofs);
    const struct proof *next = &proofs[slot];
    const struct proof *now = &proofs[1 - slot];
    bool has_way_back = otter_device_is_ab(device) &&
                        (now->has_manager || now->is_saved || !next->has_manager);

    if (!next->has_manager && (now->has_manager || was_current(now, next))) {
        settle(state, (uint8_t)(1 - slot), now, false); /* not tried yet, or failed */
    } else if (has_way_back) {
        settle(state, (uint8_t)(1 - slot), now, true);
    } else {
        settle(state, slot, next, false); /* nothing to try, or to go back to */
    }
}

/* No system is whole: the next package must not overwrite the receipt that alone
 * vouches for the manager. If both do, nobody knows which system was confirmed: the
 * lower counter counts (K17). */
static void settle_none(struct otter_state *state, const struct proof proofs[2])
{
    uint8_t slot = proofs[0].has_manager == proofs[1].has_manager
                       ? proofs[1].counter < proofs[0].counter
                       : proofs[1].has_manager;

    settle(state, slot, &proofs[slot], false);
}

/* False: no system is whole. */
static bool settle_any(struct otter_device *device, const struct proof proofs[2])
{
    struct otter_state *state = &device->journal.state;
    uint8_t slot = proofs[1].is_whole ? 1 : 0;

    if (proofs[0].is_whole && proofs[1].is_whole) {
        settle_both(device, proofs);
    } else if (proofs[slot].is_whole) {
        settle(state, slot, &proofs[slot], false);
    } else {
        settle_none(state, proofs);
    }
    return proofs[slot].is_whole;
}

static bool verifies_manager(struct otter_device *device, uint8_t slot)
{
    struct otter_system system;

    return otter_system_verify(device, slot, OTTER_ROLE_MANAGER, 0, &system) ==
           OTTER_OK;
}

/* The manager that stands may be that of a package that failed: flag 1, as before. */
static void find_manager(struct otter_device *device)
{
    struct otter_state *state = &device->journal.state;
    const uint8_t flags = state->flags;

    if (verifies_manager(device, state->current)) {
        return;
    }
    state->flags |= OTTER_FLAG_NEW_MANAGER;
    if (!verifies_manager(device, (uint8_t)(1 - state->current))) {
        state->flags = flags;
    }
}

enum otter_result otter_rebuild(struct otter_device *device)
{
    struct otter_state *state = &device->journal.state;
    struct proof proofs[2];

    memset(state, 0, sizeof(*state));
    prove_each(device, proofs);
    /* There may be two tables, one of them in the store. */
    state->flags = OTTER_FLAG_NEW_TABLE;
    if (!proofs[0].is_whole && !proofs[1].is_whole) {
        prove_each(device, proofs);
    }
    state->outcome.kind = OTTER_OUTCOME_REBUILT;
    state->outcome.code = otter_code(OTTER_E_JOURNAL_LOST);
    state->phase = OTTER_PHASE_CONFIRMED;
    otter_device_event(device, OTTER_EVENT_FAILED, device->program, 0,
                       otter_code(OTTER_E_JOURNAL_LOST));
    bool is_proved = settle_any(device, proofs);

    settle_table(device);
    find_manager(device);
    if (!is_proved) {
        /* Whose these are nobody knows: no application is run without looking. */
        state->flags |= OTTER_FLAG_NEW_REGIONS;
    }
    otter_device_open_regions(device);
    return is_proved ? OTTER_OK : OTTER_E_BOOT_NOTHING;
}
