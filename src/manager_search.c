/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager of a device whose store is a card and whose application is not whole:
 * nobody else can ask for a package, so it looks for one itself, in the folder "update"
 * of the card, and gives it to the card door. One time through that folder after
 * power-on, and one each time the card is put in; in between it only asks whether there
 * is a card. What must not be tried again is not proposed (card_search.c), and all that
 * is tried is recorded, so a power-on costs no flash but for what is new.
 */
#include "manager_inner.h"

#if OTTER_CARD_SEARCH

enum { LOOK_MS = 2000 }; /* between two looks for the card */

enum manager_search {
    SEARCH_REST = 0,
    SEARCH_LOOK, /* at the next file */
    SEARCH_TIDY, /* what an earlier update has left may take the room */
    SEARCH_DOOR,
};

bool manager_is_at_card_door(const struct otter_manager *manager)
{
    return manager->searching == SEARCH_DOOR;
}

static enum otter_poll rest(struct otter_manager *manager, enum otter_result why)
{
    manager->searching = SEARCH_REST;
    manager->is_without_card = why == OTTER_E_CARD_NONE;
    manager->card_since_ms = manager_now(manager);
    otter_card_close(&manager->device);
    manager_say(manager, why);
    return OTTER_POLL_IDLE;
}

static enum otter_poll begin(struct otter_manager *manager)
{
    struct otter_manager_doors *doors = &manager->doors;

    otter_card_door_open(&doors->card, &manager->device, &manager->receive);
    doors->card.is_last_resort = true;
    otter_card_search_open(&doors->search, &manager->device, manager->is_card_new);
    manager->has_searched = true;
    manager->tidied = 0;
    manager->searching = SEARCH_LOOK;
    return OTTER_POLL_BUSY;
}

/* Nothing is under way: is the card there, and is it one that was not searched yet? */
static enum otter_poll ask(struct otter_manager *manager)
{
    const struct otter_board *board = manager->device.ports.board;

    if (manager->has_asked &&
        manager_now(manager) - manager->card_since_ms < (uint32_t)LOOK_MS) {
        return OTTER_POLL_IDLE;
    }
    enum otter_result result = otter_card_ask(&manager->device);

    manager->has_asked = true;
    manager->card_since_ms = manager_now(manager);
    if (result != OTTER_OK) {
        return rest(manager, result);
    }
    if (manager->is_without_card) {
        manager->is_without_card = false;
        manager->is_card_new = true;
        manager->has_searched = false;
    }
    if (manager->has_searched) {
        return OTTER_POLL_IDLE;
    }
    return board->allows_update(board->context) ? begin(manager)
                                                : rest(manager, OTTER_E_POSTPONED);
}

static enum otter_poll look(struct otter_manager *manager)
{
    struct otter_manager_doors *doors = &manager->doors;
    bool is_found = false;
    enum otter_result result =
        otter_card_search_step(&doors->search, &doors->card, &is_found);

    if (result != OTTER_OK) {
        return rest(manager, result == OTTER_E_CARD_NONE ? result : doors->search.why);
    }
    manager->searching = is_found ? SEARCH_TIDY : SEARCH_LOOK;
    return OTTER_POLL_BUSY;
}

/* Of an update that is over: of one that a cut has ended the files may be needed. */
static enum otter_poll tidy(struct otter_manager *manager)
{
    struct otter_manager_doors *doors = &manager->doors;
    uint8_t phase = manager->device.journal.state.phase;
    bool is_over = phase == OTTER_PHASE_CONFIRMED || phase == OTTER_PHASE_ROLLED_BACK;

    if (is_over && otter_card_tidy(&manager->device, &manager->tidied)) {
        return OTTER_POLL_BUSY;
    }
    enum otter_result result = otter_card_door_begin(&doors->card, doors->search.path);

    if (result != OTTER_OK) {
        return rest(manager, result);
    }
    manager->searching = SEARCH_DOOR;
    return OTTER_POLL_BUSY;
}

/* Flash or the card has failed in the middle of the work: the next package would fare
 * no better. */
static bool is_fault(const struct otter_manager *manager, enum otter_result why)
{
    bool is_flash = why <= OTTER_E_FLASH_READ && why >= OTTER_E_JOURNAL_CRITICAL;

    return why == OTTER_E_CARD_NONE ||
           (manager->doors.card.is_fed && (is_flash || otter_card_may_mend(why)));
}

/* A package that was refused for what it is leaves the next one its chance. */
static enum otter_poll refuse(struct otter_manager *manager, enum otter_result why)
{
    if (is_fault(manager, why)) {
        return rest(manager, why);
    }
    otter_card_search_note(&manager->doors.search, why);
    manager->searching = SEARCH_LOOK;
    return OTTER_POLL_BUSY;
}

static enum otter_poll work(struct otter_manager *manager)
{
    struct otter_card_door *door = &manager->doors.card;
    enum otter_result result = otter_card_door_step(door);

    if (result != OTTER_OK) {
        return refuse(manager, result);
    }
    if (!otter_card_door_is_busy(door)) {
        manager->searching = SEARCH_REST; /* requested */
    }
    return OTTER_POLL_BUSY;
}

/* The package of the old system itself lies here, and can be installed: that brings the
 * old system back as well as its copy would. */
bool manager_has_cure(struct otter_manager *manager)
{
    struct otter_device *device = &manager->device;
    struct otter_card_door *door = &manager->doors.card;
    struct otter_system old;
    char path[OTTER_PATH_SIZE];

    otter_card_door_open(door, device, &manager->receive);
    return otter_system_open(device, device->journal.state.current, &old) == OTTER_OK &&
           otter_card_find_update(device, &old, path) == OTTER_OK &&
           otter_card_door_may_take(door, path) == OTTER_OK;
}

enum otter_poll manager_poll_search(struct otter_manager *manager)
{
    switch ((enum manager_search)manager->searching) {
    case SEARCH_LOOK:
        return look(manager);
    case SEARCH_TIDY:
        return tidy(manager);
    case SEARCH_DOOR:
        return work(manager);
    case SEARCH_REST:
        break;
    }
    return ask(manager);
}

#else

bool manager_is_at_card_door(const struct otter_manager *manager)
{
    (void)manager;
    return false;
}

bool manager_has_cure(struct otter_manager *manager)
{
    (void)manager;
    return false;
}

enum otter_poll manager_poll_search(struct otter_manager *manager)
{
    (void)manager;
    return OTTER_POLL_IDLE;
}

#endif
