/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manager's files share: manager.c, manager_look.c, and for devices whose
 * store is a card manager_card.c and manager_search.c.
 */
#ifndef OTTER_MANAGER_INNER_H
#define OTTER_MANAGER_INNER_H

#include "otter/manager.h"

enum manager_mode {
    MANAGER_DEAD = 0, /* the device cannot be opened */
    MANAGER_REPAIR,   /* rewrite damaged copies of receipts and table */
    MANAGER_CARD,     /* find the package on the card, or wait for the card */
    MANAGER_INSTALL,
    MANAGER_RESTORE, /* roll back from the card */
    MANAGER_WAIT,
};

uint32_t manager_now(const struct otter_manager *manager);
enum otter_poll manager_reset(struct otter_manager *manager, bool wants_manager);

/* Opens the engine; the mode is INSTALL. */
void manager_open_install(struct otter_manager *manager);

/* Opens the receiver anew; the mode is WAIT. */
void manager_open_wait(struct otter_manager *manager);

/* ---- manager_look.c ---- */

/* Finds out what there is to go back to, ends what cannot go on, and says why the
 * manager stays. At most one record. */
void manager_look_around(struct otter_manager *manager);

/* Does the slot's system verify? Of the current one resources and fonts that may not be
 * its own any more are looked at, too. */
bool manager_runs(struct otter_manager *manager, uint8_t slot);

/* The current system is not to be run (OTTER_FLAG_CLOSED). */
bool manager_is_closed(const struct otter_manager *manager);

/* The old system does not stand any more: only its saved copies do. */
bool manager_has_to_copy(const struct otter_manager *manager);

/* Ends a roll back, or a trial, that has no system to go back to: the store is opened
 * for another package. */
OTTER_MUST_CHECK enum otter_result manager_give_up(struct otter_manager *manager);

/* ---- manager_card.c ---- */

/* The card cannot be read in the middle of the work: wait for it. */
void manager_lose_card(struct otter_manager *manager, enum otter_result why);

/* Tells why the work stands still: an event when that changes, the board each time. */
void manager_say(struct otter_manager *manager, enum otter_result why);

/* One step of the modes CARD and RESTORE. */
enum otter_poll manager_poll_card(struct otter_manager *manager);
enum otter_poll manager_poll_restore(struct otter_manager *manager);

/* ---- manager_search.c ---- */

/* True while the card door works: no other one is served then. */
bool manager_is_at_card_door(const struct otter_manager *manager);

/* For a roll back whose copy is lost: the package of the old system itself lies on the
 * card, and can be installed, as far as that can be said without its content. The
 * doors' room is used. */
bool manager_has_cure(struct otter_manager *manager);

/* One step of the search for a package, of a device that has no application: an entry
 * of a folder, or a step of the card door. */
enum otter_poll manager_poll_search(struct otter_manager *manager);

#endif
