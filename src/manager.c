/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager: mend, then install what is requested, else wait for an update and go
 * back to the application. Each mode is one function that does one bounded step.
 */
#include "otter/manager.h"

#include "otter/rebuild.h"

#include "manager_inner.h"

#include <string.h>

enum {
    LEAVE_DELAY_MS = 2000, /* so that the refusal's answer reaches the remote */
    RECEIPT_COPIES = 4,
    ALL_COPIES = 5, /* and one of the table */
};

uint32_t manager_now(const struct otter_manager *manager)
{
    const struct otter_board *board = manager->device.ports.board;

    return board->time_ms(board->context);
}

enum otter_poll manager_reset(struct otter_manager *manager, bool wants_manager)
{
    const struct otter_board *board = manager->device.ports.board;

    board->request_manager(board->context, wants_manager);
    board->reset(board->context);
    return OTTER_POLL_RESET;
}

/* Boot left the copying to the manager, because the copies are files. */
static bool has_to_restore(const struct otter_manager *manager)
{
    const struct otter_state *state = &manager->device.journal.state;

    return otter_device_is_on_card(&manager->device) &&
           state->phase == OTTER_PHASE_ROLLING_BACK &&
           state->roll_backs < OTTER_ROLL_BACK_LIMIT && !otter_state_has_unknown(state);
}

static bool has_to_install(const struct otter_manager *manager)
{
    const struct otter_state *state = &manager->device.journal.state;

    return !manager->cannot_install && !otter_state_has_unknown(state) &&
           (state->phase == OTTER_PHASE_REQUESTED ||
            state->phase == OTTER_PHASE_INSTALLING);
}

/* "Complete" may have opened the application that boot has read to be closed: one of
 * the two is said once more, or each program might see its own truth for ever (K3). */
static void seal_complete(struct otter_manager *manager)
{
    struct otter_state state = manager->device.journal.state;

    if (state.phase != OTTER_PHASE_COMPLETE || otter_state_has_unknown(&state) ||
        !otter_plan_is_in_place(&manager->receive.plan)) {
        return;
    }
    enum otter_result result =
        otter_device_record(&manager->device, &state, OTTER_SEALED);

    if (result != OTTER_OK) {
        manager->result = result;
    }
}

/* Its room is the install's and the restore's, too. */
static void open_receiver(struct otter_manager *manager)
{
    memset(&manager->doors, 0, sizeof(manager->doors));
    otter_receive_open(&manager->receive, &manager->device);
    manager->receive.in_place = &manager->doors.in_place;
}

static enum otter_result open_as(struct otter_manager *manager,
                                 enum otter_program program,
                                 const struct otter_ports *ports,
                                 const struct otter_link *link)
{
    memset(manager, 0, sizeof(*manager));
    manager->device.ports = *ports;
    enum otter_result result = otter_device_open(&manager->device, ports, program);

    otter_card_attach(&manager->device, &manager->card_files);
    if (result != OTTER_OK) {
        manager->result = result;
        return result;
    }
    if (manager->device.journal.is_lost) {
        manager->result = otter_rebuild(&manager->device);
    }
    if (!has_to_install(manager) && !has_to_restore(manager)) {
        manager_look_around(manager);
    }
    open_receiver(manager);
    seal_complete(manager);
    otter_smp_init(&manager->smp, &manager->device, &manager->receive, link);
    manager->smp.why = &manager->result;
    manager->waiting_since_ms = manager_now(manager);
    manager->mode = MANAGER_REPAIR;
    return OTTER_OK;
}

enum otter_result otter_manager_open(struct otter_manager *manager,
                                     const struct otter_ports *ports,
                                     const struct otter_link *link)
{
    return open_as(manager, OTTER_PROGRAM_MANAGER, ports, link);
}

enum otter_result otter_loader_open(struct otter_manager *manager,
                                    const struct otter_ports *ports,
                                    const struct otter_link *link)
{
    return open_as(manager, OTTER_PROGRAM_LOADER, ports, link);
}

/* ---- repair ---- */

/* Copies are mended only while nothing is under way that may be writing one. */
static bool may_repair(const struct otter_manager *manager)
{
    uint8_t phase = manager->device.journal.state.phase;

    return phase == OTTER_PHASE_CONFIRMED || phase == OTTER_PHASE_ROLLED_BACK;
}

/* Is there one copy of the table only? Another table than the current system's is not
 * repeated while the right one may come back. */
static bool is_table_alone(struct otter_device *device)
{
    bool is_split = otter_table_is_split(device);

    return (device->table_damaged != 0 || is_split) &&
           (otter_device_choose_table(device) || !is_split) &&
           !otter_table_is_twice(device);
}

/* The other system's receipt is worth nothing without its system, but it may vouch for
 * the manager (flag 1). A package that was refused has left its second copy alone then;
 * that one is mended before it is overwritten. */
static bool is_worth_mending(const struct otter_state *state, uint8_t slot,
                             uint8_t copy)
{
    return slot == state->current ||
           (copy == 0 && (state->flags & OTTER_FLAG_NEW_MANAGER) != 0);
}

/* Prepares the rewriting of copy number `index` if it is damaged and its twin is not.
 */
static bool is_damaged(struct otter_manager *manager, uint8_t index)
{
    struct otter_device *device = &manager->device;
    struct otter_receipt receipt;
    uint8_t slot = index / OTTER_RECEIPT_COPIES;
    uint8_t copy = index % OTTER_RECEIPT_COPIES;
    uint8_t place = 0;

    if (index >= RECEIPT_COPIES) {
        return is_table_alone(device) && otter_table_spare(device, &place) &&
               otter_rewriting_own(&manager->rewriting, device, place) == OTTER_OK;
    }
    return is_worth_mending(&device->journal.state, slot, copy) &&
           otter_receipt_open(&device->io, slot, copy, &receipt) != OTTER_OK &&
           otter_rewriting_receipt(&manager->rewriting, device, slot, copy, true) ==
               OTTER_OK;
}

void manager_open_wait(struct otter_manager *manager)
{
    manager->mode = MANAGER_WAIT;
    open_receiver(manager);
}

void manager_open_install(struct otter_manager *manager)
{
    manager->mode = MANAGER_INSTALL;
    manager->result = otter_install_open(&manager->install, &manager->device);
    manager->cannot_install = manager->result != OTTER_OK;
}

static void end_repair(struct otter_manager *manager)
{
    if (manager->mode == MANAGER_REPAIR && may_repair(manager)) {
        enum otter_result result = otter_table_settle(&manager->device);

        manager->result = result == OTTER_OK ? manager->result : result;
    }
    if (has_to_restore(manager)) {
        manager->mode = MANAGER_RESTORE;
        otter_restore_open(&manager->restore, &manager->device);
    } else if (!has_to_install(manager)) {
        manager->mode = MANAGER_WAIT;
    } else if (otter_device_is_on_card(&manager->device)) {
        manager->mode = MANAGER_CARD;
    } else {
        manager_open_install(manager);
    }
}

static void go_on_repairing(struct otter_manager *manager)
{
    struct otter_device *device = &manager->device;
    bool is_table = manager->repair >= RECEIPT_COPIES;
    enum otter_result damage = is_table ? OTTER_E_TABLE_COPY : OTTER_E_RECEIPT_COPY;
    bool is_done = false;
    enum otter_result result = otter_rewriting_step(&manager->rewriting, &is_done);

    if (result == OTTER_OK && !is_done) {
        return;
    }
    otter_device_event(device, is_done ? OTTER_EVENT_REPAIRED : OTTER_EVENT_FAILED,
                       OTTER_PROGRAM_MANAGER, 0, otter_code(is_done ? damage : result));
    if (is_done && is_table) {
        device->table_damaged = 0;
    }
    manager->is_repairing = false;
    if (!otter_rewriting_finds_other(&manager->rewriting, result)) {
        manager->repair++;
    }
}

static enum otter_poll poll_repair(struct otter_manager *manager)
{
    if (manager->is_repairing) {
        go_on_repairing(manager);
    } else if (!may_repair(manager) || manager->repair == ALL_COPIES) {
        end_repair(manager);
    } else if (is_damaged(manager, manager->repair)) {
        manager->is_repairing = true;
    } else {
        manager->repair++;
    }
    return OTTER_POLL_BUSY;
}

/* ---- install ---- */

/* True if no record can be written: found out by sealing what stands. */
static bool is_journal_dead(struct otter_manager *manager)
{
    struct otter_state state = manager->device.journal.state;
    enum otter_result result =
        otter_journal_is_busy(&manager->device.journal)
            ? OTTER_OK
            : otter_device_record(&manager->device, &state, OTTER_SEALED);

    if (result != OTTER_OK) {
        manager->result = result;
    }
    return result != OTTER_OK;
}

/* Will boot run the current application? Not what is being overwritten, even if it
 * reads right (K5). */
static bool is_application_next(struct otter_manager *manager)
{
    const struct otter_state *state = &manager->device.journal.state;
    bool is_overwritten = state->phase == OTTER_PHASE_INSTALLING &&
                          state->part == OTTER_PART_WRITE &&
                          manager_has_to_copy(manager);

    return !is_overwritten && manager_runs(manager, state->current);
}

/* Boot decides what else there is. If it does not run the application and the journal
 * takes no record, it could only come back here, for ever: the manager stays and says
 * why. */
static enum otter_poll end_install(struct otter_manager *manager)
{
    if (is_application_next(manager) || !is_journal_dead(manager)) {
        return manager_reset(manager, false);
    }
    manager->cannot_install = true;
    manager->mode = MANAGER_WAIT;
    return OTTER_POLL_BUSY;
}

static enum otter_poll poll_install(struct otter_manager *manager)
{
    if (manager->cannot_install) {
        return end_install(manager);
    }
    switch (otter_install_step(&manager->install)) {
    case OTTER_STEP_MORE:
        return OTTER_POLL_BUSY;
    case OTTER_STEP_FAILED:
        manager->result = manager->install.result;
        return end_install(manager);
    case OTTER_STEP_CARD:
        manager_lose_card(manager, manager->install.result);
        return OTTER_POLL_BUSY;
    case OTTER_STEP_DONE:
    case OTTER_STEP_RESET:
        break;
    }
    return manager_reset(manager, false);
}

/* ---- wait ---- */

/* No whole application is there to go back to, and no update is under way: a package
 * may lie on the card. */
static bool has_to_search(const struct otter_manager *manager)
{
    const struct otter_state *state = &manager->device.journal.state;

    return otter_device_is_on_card(&manager->device) &&
           (!manager->has_application || manager_is_closed(manager)) &&
           !otter_phase_locks_store(state->phase) && !otter_state_has_unknown(state);
}

/* Time without a message after which the application runs again. */
static uint32_t patience_ms(const struct otter_manager *manager)
{
    return manager->is_leaving
               ? (uint32_t)LEAVE_DELAY_MS
               : (uint32_t)manager->device.table.policy.manager_wait_s * 1000U;
}

static void note_refusal(struct otter_manager *manager)
{
    if (manager->receive.refusal == OTTER_OK) {
        manager->is_leaving = false;
    } else if (!manager->is_leaving) {
        manager->is_leaving = true;
        manager->result = manager->receive.refusal;
        manager->waiting_since_ms = manager_now(manager);
    }
}

static enum otter_poll leave_if_idle(struct otter_manager *manager)
{
    bool is_kept = manager_is_closed(manager) &&
                   manager->device.journal.state.phase != OTTER_PHASE_TRIAL;

    if (!manager->has_application || is_kept ||
        manager_now(manager) - manager->waiting_since_ms < patience_ms(manager)) {
        return OTTER_POLL_IDLE;
    }
    otter_device_event(
        &manager->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_MANAGER, 0,
        otter_code(manager->is_leaving ? manager->result : OTTER_E_LINK_TIMEOUT));
    return manager_reset(manager, false);
}

static enum otter_poll poll_wait(struct otter_manager *manager)
{
    if (manager_is_at_card_door(manager)) {
        return manager_poll_search(manager); /* messages wait in the link */
    }
    bool is_busy = otter_smp_poll(&manager->smp);
    enum otter_wish wish = otter_smp_take_wish(&manager->smp);

    note_refusal(manager);
    if (wish == OTTER_WISH_RESET) {
        return manager_reset(manager, false);
    }
    if (wish == OTTER_WISH_MANAGER) {
        manager->waiting_since_ms = manager_now(manager);
    }
    if (is_busy) {
        if (!manager->is_leaving) {
            manager->waiting_since_ms = manager_now(manager);
        }
        return OTTER_POLL_BUSY;
    }
    if (has_to_install(manager)) {
        end_repair(manager);
        return OTTER_POLL_BUSY;
    }
    return has_to_search(manager) ? manager_poll_search(manager)
                                  : leave_if_idle(manager);
}

enum otter_poll otter_manager_poll(struct otter_manager *manager)
{
    const struct otter_board *board = manager->device.ports.board;

    board->watchdog_feed(board->context);
    switch ((enum manager_mode)manager->mode) {
    case MANAGER_REPAIR:
        return poll_repair(manager);
    case MANAGER_INSTALL:
        return poll_install(manager);
    case MANAGER_CARD:
        return manager_poll_card(manager);
    case MANAGER_RESTORE:
        return manager_poll_restore(manager);
    case MANAGER_WAIT:
        return poll_wait(manager);
    case MANAGER_DEAD:
        break;
    }
    return OTTER_POLL_IDLE;
}
