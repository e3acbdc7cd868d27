/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager of a device whose store is a card. A card that is gone is waited for:
 * once something of the old system is overwritten for as long as it takes, with its
 * code; before that as long as the manager waits for anything, and then the old system
 * runs. When it is back the work goes on from the journal, as after a power cut. The
 * link is served while it waits; the store is locked, so it takes no package.
 */
#include "manager_inner.h"

enum {
    ASK_MS = 500,     /* between two looks for the card */
    FAILURES_MAX = 3, /* of a card that is there but cannot be used, in a row */
};

void manager_say(struct otter_manager *manager, enum otter_result why)
{
    const struct otter_board *board = manager->device.ports.board;

    if (why != manager->result) {
        otter_device_event(&manager->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_MANAGER,
                           0, otter_code(why));
    }
    manager->result = why;
    board->report(board->context, otter_code(why));
}

/* Waits: the card is looked for again after a while. A card that was out is a new one.
 */
static void wait_for_card(struct otter_manager *manager, enum otter_result why)
{
    if (why == OTTER_E_CARD_NONE) {
        manager->card_failures = 0;
    } else if (otter_card_may_mend(why) && manager->card_failures < FAILURES_MAX) {
        manager->card_failures++;
    }
    manager->is_without_card = true;
    manager->card_since_ms = manager_now(manager);
    otter_card_close(&manager->device);
    manager_say(manager, why);
}

/* Answers what is asked meanwhile: what is missing, above all. */
static enum otter_poll serve(struct otter_manager *manager)
{
    bool is_busy = otter_smp_poll(&manager->smp);

    if (otter_smp_take_wish(&manager->smp) == OTTER_WISH_RESET) {
        return manager_reset(manager, false);
    }
    return is_busy ? OTTER_POLL_BUSY : OTTER_POLL_IDLE;
}

static bool is_early(const struct otter_manager *manager)
{
    return manager->is_without_card &&
           manager_now(manager) - manager->card_since_ms < ASK_MS;
}

void manager_lose_card(struct otter_manager *manager, enum otter_result why)
{
    manager->mode = MANAGER_CARD;
    manager->waiting_since_ms = manager_now(manager);
    wait_for_card(manager, why);
}

/* Whether the copy that the roll back needs is on this card. */
static enum otter_result look_for_saved(struct otter_manager *manager)
{
    struct otter_device *device = &manager->device;
    struct otter_system old;
    struct otter_member member;
    enum otter_result result =
        otter_system_peek(device, device->journal.state.current, &old);

    if (result == OTTER_OK) {
        result =
            otter_system_in_region(device, &old, OTTER_REGION_APPLICATION, &member);
    }
    if (result == OTTER_OK) {
        result = otter_card_open_saved(device, OTTER_REGION_APPLICATION,
                                       member.installed_size);
    }
    otter_card_close(device);
    return result;
}

/* Whether to wait for the card, or for another one. With the old system overwritten,
 * only a roll back that can be done is better than to wait; where there was no system
 * to begin with, only another package is. */
static bool has_to_wait(struct otter_manager *manager, enum otter_result why)
{
    const struct otter_device *device = &manager->device;
    uint32_t patience_ms = (uint32_t)device->table.policy.manager_wait_s * 1000U;
    bool is_readable = why != OTTER_E_CARD_NONE && why != OTTER_E_CARD_READ;
    bool is_late = manager_now(manager) - manager->waiting_since_ms >= patience_ms;
    bool is_tried = manager->card_failures >= FAILURES_MAX;

    if ((device->journal.state.flags & OTTER_FLAG_CLOSED) != 0) {
        return !otter_card_is_other(why);
    }
    if (device->journal.state.part == OTTER_PART_WRITE) {
        return !((is_readable || is_tried) && look_for_saved(manager) == OTTER_OK);
    }
    return !is_readable && !is_late && !is_tried;
}

enum otter_poll manager_poll_card(struct otter_manager *manager)
{
    struct otter_device *device = &manager->device;

    if (otter_journal_is_busy(&device->journal)) {
        /* A journal that fails is found out by whoever writes next. */
        (void)!otter_journal_step(&device->journal);
        return OTTER_POLL_BUSY;
    }
    if (is_early(manager)) {
        return serve(manager);
    }
    enum otter_result result = otter_card_find_package(device);

    if (result == OTTER_OK && manager->card_failures < FAILURES_MAX) {
        manager->is_without_card = false;
        manager_open_install(manager);
        return OTTER_POLL_BUSY;
    }
    if (result == OTTER_OK) {
        result = OTTER_E_CARD_READ; /* so it was, three times */
    }
    wait_for_card(manager, result);
    if (has_to_wait(manager, result)) {
        return OTTER_POLL_IDLE;
    }
    if (otter_install_abort(device, result) != OTTER_OK) {
        manager->cannot_install = true; /* no journal: find out what runs */
        manager->mode = MANAGER_INSTALL;
        return OTTER_POLL_BUSY;
    }
    return manager_reset(manager, false);
}

/* Flash or journal fail: boot would only come back here. */
static enum otter_poll give_up(struct otter_manager *manager)
{
    (void)!manager_give_up(manager); /* without a journal it stays as it is */
    manager->card_failures = 0;      /* what comes now is another piece of work */
    manager_open_wait(manager);
    return OTTER_POLL_BUSY;
}

/* The copies were whole, and files could not be written: that is for a few tries to
 * mend, not for ever. */
static bool may_leave_files(const struct otter_manager *manager)
{
    return manager->card_failures == FAILURES_MAX &&
           otter_restore_is_unwritable(manager->result);
}

/* The copy is missing, or was found to be damaged. */
static bool is_copy_lost(const struct otter_manager *manager, enum otter_result copy)
{
    return copy == OTTER_E_CARD_SAVED ||
           (copy == OTTER_OK && manager->result == OTTER_E_CARD_SAVED);
}

/* Goes on when the copy is there, unless it could not be read whole again and again. */
static bool may_restore(struct otter_manager *manager, enum otter_result result)
{
    if (result == OTTER_E_CARD_NONE || result == OTTER_E_CARD_SAVED) {
        manager->card_failures = 0;
    }
    return result == OTTER_OK &&
           (manager->card_failures < FAILURES_MAX || may_leave_files(manager));
}

enum otter_poll manager_poll_restore(struct otter_manager *manager)
{
    if (is_early(manager)) {
        return serve(manager);
    }
    if (manager->is_without_card) {
        enum otter_result copy = look_for_saved(manager);

        manager->card_since_ms = manager_now(manager);
        if (is_copy_lost(manager, copy) && manager_has_cure(manager)) {
            return give_up(manager);
        }
        if (!may_restore(manager, copy)) {
            return OTTER_POLL_IDLE;
        }
        bool leaves_files = may_leave_files(manager);

        manager->is_without_card = false;
        otter_restore_open(&manager->restore, &manager->device);
        manager->restore.leaves_files = leaves_files;
    }
    switch (otter_restore_step(&manager->restore)) {
    case OTTER_STEP_MORE:
        return OTTER_POLL_BUSY;
    case OTTER_STEP_CARD:
        wait_for_card(manager, manager->restore.result);
        return OTTER_POLL_IDLE;
    case OTTER_STEP_FAILED:
        otter_card_close(&manager->device);
        manager_say(manager, manager->restore.result);
        return give_up(manager);
    case OTTER_STEP_DONE:
    case OTTER_STEP_RESET:
        break;
    }
    return manager_reset(manager, false);
}
