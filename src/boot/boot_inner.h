/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot's parts, shared by its two files of acts. Private to src/boot.
 */
#ifndef OTTER_BOOT_INNER_H
#define OTTER_BOOT_INNER_H

#include "otter/boot.h"

void boot_feed(const struct otter_boot *boot);

/* Takes the journal's state over into the facts. */
void boot_load_state(struct otter_boot *boot);

/* Writes a record; one that cannot be written becomes a fact. */
void boot_record(struct otter_boot *boot, const struct otter_state *state,
                 enum otter_firmness firmness);

/* Fills the outcome with the incoming package's id. */
void boot_take_outcome(struct otter_boot *boot, struct otter_state *state, uint8_t kind,
                       uint16_t code);
void boot_clear_work(struct otter_state *state);

/* The manager's region belongs to the system of `slot` again, if it holds its manager.
 * If not, the flag stays: the other receipt vouches for what is there. */
void boot_settle_manager(struct otter_boot *boot, struct otter_state *state,
                         uint8_t slot);

/* The acts that copy (copies.c): does the one of `decision`, which is one kind of the
 * work that boot can finish by itself (K15), records it, and sets the facts that the
 * next decision needs. */
void boot_copy_act(struct otter_boot *boot, const struct otter_boot_decision *decision);

/* Does staging hold the copy of the manager that the system in `slot` names? */
bool boot_has_saved_manager(struct otter_boot *boot, uint8_t slot);

#endif
