/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manager finds when it starts and nothing is to be installed: is there a
 * system to go back to, is a trial over, does the journal name the right receipt? What
 * it decides is one record; from then on it waits, or leaves.
 */
#include "manager_inner.h"

#include <string.h>

enum { SPOIL_TRIES = 4 };

static bool verifies(struct otter_manager *manager, uint8_t slot, uint8_t role)
{
    struct otter_system system;

    return otter_system_verify(&manager->device, slot, role, 0, &system) == OTTER_OK;
}

/* Resources and fonts that may not be the current system's any more are looked at. */
bool manager_runs(struct otter_manager *manager, uint8_t slot)
{
    const struct otter_state *state = &manager->device.journal.state;
    struct otter_system system;

    return otter_system_verify(&manager->device, slot, OTTER_ROLE_FIRMWARE,
                               slot == state->current ? state->flags : 0,
                               &system) == OTTER_OK;
}

bool manager_is_closed(const struct otter_manager *manager)
{
    return (manager->device.journal.state.flags & OTTER_FLAG_CLOSED) != 0;
}

/* Why it stays, for people. */
static void tell_failure(struct otter_manager *manager, enum otter_result why)
{
    manager->result = why;
    otter_device_event(&manager->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_MANAGER, 0,
                       otter_code(why));
}

/* Zeros if the slot's receipt cannot be read. */
static void package_of(const struct otter_manager *manager, uint8_t slot,
                       uint8_t id[OTTER_PACKAGE_ID_SIZE])
{
    struct otter_system system;

    memset(id, 0, OTTER_PACKAGE_ID_SIZE);
    if (otter_system_peek(&manager->device, slot, &system) == OTTER_OK) {
        memcpy(id, system.control.package_id, OTTER_PACKAGE_ID_SIZE);
    }
}

/* The outcome is about the package of the other receipt, if that can be read. */
static void name_other(const struct otter_manager *manager,
                       struct otter_outcome *outcome)
{
    uint8_t id[OTTER_PACKAGE_ID_SIZE];

    package_of(manager, (uint8_t)(1 - manager->device.journal.state.current), id);
    memcpy(outcome->id, id, sizeof(outcome->id));
}

/* No update is under way any more: `state`, with what the caller has put in, is the end
 * of it, and the store is opened for another package. */
static enum otter_result end_with(struct otter_manager *manager,
                                  struct otter_state *state)
{
    state->phase = OTTER_PHASE_CONFIRMED;
    otter_state_begin(state, OTTER_PART_NONE);
    state->faults = 0;
    state->powers = 0;
    enum otter_result result =
        otter_device_record(&manager->device, state, OTTER_LASTING);

    (void)otter_device_choose_table(&manager->device);
    otter_device_open_regions(&manager->device);
    return result;
}

/* The application of the system in `slot` is erased in part, so that it never verifies:
 * its first sector, or one of the next that can be erased. Else the outcome alone says
 * that it failed. Bounded, as no watchdog is fed meanwhile. */
static void spoil(struct otter_manager *manager, uint8_t slot)
{
    struct otter_io *io = &manager->device.io;
    uint8_t id = otter_system_region(&manager->device, slot, OTTER_ROLE_FIRMWARE);
    struct otter_sector sector = {0};
    bool is_done = false;

    otter_io_open(io, id);
    for (int tries = 0; tries < SPOIL_TRIES && !is_done; tries++) {
        is_done =
            otter_io_sector(io, id, sector.off + sector.size, &sector) != OTTER_OK ||
            otter_io_erase(io, id, sector.off) == OTTER_OK;
    }
}

/* Boot gave a roll back up, or a trial is over and the old system is damaged, or cannot
 * come back because there is none: nothing swaps again (K16). */
enum otter_result manager_give_up(struct otter_manager *manager)
{
    struct otter_state state = manager->device.journal.state;
    enum otter_result why =
        manager_is_closed(manager) ? OTTER_E_ONE_WAY : OTTER_E_ROLL_BACK;

    if ((state.flags & OTTER_FLAG_NEW_MANAGER) != 0 &&
        !verifies(manager, state.current, OTTER_ROLE_MANAGER)) {
        /* Only the new system's receipt names the manager that runs: it must stay. Its
         * application must not run again, whatever the journal says later. */
        state.current = (uint8_t)(1 - state.current);
        spoil(manager, state.current);
    }
    state.flags = (uint8_t)(state.flags & ~OTTER_FLAG_NEW_MANAGER);
    state.outcome.kind = OTTER_OUTCOME_FAILED;
    state.outcome.code = otter_code(why);
    name_other(manager, &state.outcome);
    manager->result = why;
    return end_with(manager, &state);
}

/* Neither copy of the current system's receipt can be read, and only the other receipt
 * says that this manager may run. The next package must not take its place; nor can a
 * transfer that was under way go on, as what its package keeps is not known. */
static bool has_to_adopt(struct otter_manager *manager)
{
    const struct otter_state *state = &manager->device.journal.state;
    struct otter_system system;

    return !otter_phase_locks_store(state->phase) && !otter_state_has_unknown(state) &&
           !manager->device.journal.is_lost &&
           otter_system_open(&manager->device, state->current, &system) ==
               OTTER_E_RECEIPT_LOST &&
           verifies(manager, (uint8_t)(1 - state->current), OTTER_ROLE_MANAGER);
}

/* The other system becomes the current one. Its application may be gone; a package that
 * follows it is taken, and with one slot installed without a way back. The security
 * counter stays. */
static enum otter_result adopt_other(struct otter_manager *manager)
{
    struct otter_state state = manager->device.journal.state;
    bool is_fit = otter_state_has_former(&state);

    state.current = (uint8_t)(1 - state.current);
    if (otter_device_is_ab(&manager->device) && !is_fit) {
        spoil(manager, state.current); /* it never ran, or has failed */
    }
    state.flags = (uint8_t)(state.flags & ~OTTER_FLAG_NEW_MANAGER);
    state.flags |= OTTER_FLAG_NEW_REGIONS; /* they may be the lost system's */
    state.flags |= OTTER_FLAG_NEW_TABLE;   /* and the one of this one not there yet */
    if (!otter_state_is_given_up(&state)) {
        state.outcome.kind = OTTER_OUTCOME_DAMAGED;
        state.outcome.code = otter_code(OTTER_E_RECEIPT_LOST);
        name_other(manager, &state.outcome);
    }
    tell_failure(manager, OTTER_E_RECEIPT_LOST);
    return end_with(manager, &state);
}

/* Counted as boot counts (K16): it would not try the new system once more. */
static bool is_out_of_attempts(const struct otter_manager *manager)
{
    const struct otter_board *board = manager->device.ports.board;
    const struct otter_state *state = &manager->device.journal.state;
    const struct otter_policy *policy = &manager->device.table.policy;

    return board->reset_cause(board->context) >= OTTER_RESET_SOFTWARE
               ? state->faults >= policy->trial_faults
               : state->powers >= policy->trial_powers;
}

static bool is_trial_over(struct otter_manager *manager)
{
    const struct otter_state *state = &manager->device.journal.state;

    return state->phase == OTTER_PHASE_TRIAL &&
           (is_out_of_attempts(manager) ||
            !manager_runs(manager, (uint8_t)(1 - state->current)));
}

/* What was on trial is the package of the current system once more, brought to mend it,
 * and nothing but lost power has ended the trial: what was confirmed stands again. */
static bool is_mended(struct otter_manager *manager)
{
    const struct otter_device *device = &manager->device;
    const uint8_t current = device->journal.state.current;
    uint8_t id[OTTER_PACKAGE_ID_SIZE];
    uint8_t next[OTTER_PACKAGE_ID_SIZE];

    package_of(manager, current, id);
    package_of(manager, (uint8_t)(1 - current), next);
    return memcmp(id, next, sizeof(id)) == 0 &&
           device->journal.state.faults < device->table.policy.trial_faults &&
           manager_runs(manager, current) &&
           verifies(manager, current, OTTER_ROLE_MANAGER);
}

/* The current system runs again: it is open, as after any roll back. */
static enum otter_result open_again(struct otter_manager *manager)
{
    struct otter_state state = manager->device.journal.state;

    state.flags = (uint8_t)(state.flags & ~OTTER_FLAG_NEW_SYSTEM);
    state.outcome.kind = OTTER_OUTCOME_ROLLED_BACK;
    state.outcome.code = otter_code(OTTER_E_TRIAL_POWER);
    name_other(manager, &state.outcome);
    return end_with(manager, &state);
}

/* The old system does not stand any more: only its saved copies do. */
bool manager_has_to_copy(const struct otter_manager *manager)
{
    return !otter_device_is_ab(&manager->device) ||
           (manager->device.journal.state.flags & OTTER_FLAG_NEW_REGIONS) != 0;
}

/* There is no whole system. The application is not run before the update has come to
 * its end: the manager stays, and says why, but for a trial that goes on. */
static enum otter_result look_closed(struct otter_manager *manager)
{
    bool is_trial = manager->device.journal.state.phase == OTTER_PHASE_TRIAL;

    /* Once the application is open again, boot decides whether it runs. */
    manager->has_application = true;
    if (is_trial && is_trial_over(manager)) {
        return is_mended(manager) ? open_again(manager) : manager_give_up(manager);
    }
    if (is_trial) {
        return OTTER_OK;
    }
    tell_failure(manager, OTTER_E_BOOT_CLOSED);
    return OTTER_OK;
}

/* Finds out what there is to go back to. In the trial of a system that has overwritten
 * the old one boot knows the way: to the new system, or to the saved copies. */
static enum otter_result look_around(struct otter_manager *manager)
{
    const struct otter_state *state = &manager->device.journal.state;

    if (otter_state_is_given_up(state) && !otter_phase_locks_store(state->phase)) {
        manager->result = OTTER_E_ROLL_BACK;
        return OTTER_OK; /* it stays until a package comes */
    }
    if (otter_state_has_unknown(state)) {
        /* Boot would only come back here, for ever (K6). */
        manager->result = OTTER_E_JOURNAL_CRITICAL;
        return OTTER_OK;
    }
    if (manager_is_closed(manager)) {
        return look_closed(manager);
    }
    if (state->phase == OTTER_PHASE_TRIAL && manager_has_to_copy(manager)) {
        manager->has_application = true;
        return OTTER_OK;
    }
    manager->has_application =
        state->phase == OTTER_PHASE_TRIAL
            ? manager_runs(manager, (uint8_t)(1 - state->current)) ||
                  manager_runs(manager, state->current)
            : manager_runs(manager, state->current);
    if (state->phase == OTTER_PHASE_ROLLING_BACK) {
        manager->has_application = false;
        return manager_give_up(manager);
    }
    if (is_trial_over(manager) && !manager_runs(manager, state->current)) {
        manager->has_application = false;
        return manager_give_up(manager);
    }
    if (!manager->has_application) {
        tell_failure(manager, OTTER_E_BOOT_APPLICATION);
    }
    return OTTER_OK;
}

void manager_look_around(struct otter_manager *manager)
{
    enum otter_result result = look_around(manager);

    if (result == OTTER_OK && has_to_adopt(manager)) {
        result = adopt_other(manager);
    }
    if (result != OTTER_OK) {
        manager->result = result;
    }
}
