/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few words in RAM that no reset clears: why the next reset will have come, and
 * whether somebody wants the manager. What a chip's registers do not tell the programs
 * say here, before it happens. A mailbox whose check does not fit is one that lost
 * power, or was overwritten: both are told as lost power, the milder answer (K16).
 */
#ifndef BOARDS_MAILBOX_H
#define BOARDS_MAILBOX_H

#include "otter/port/board.h"

#include <stdbool.h>

/* True if it came through the last reset. */
bool mailbox_is_whole(void);

/* The cause that was left for this run; of one that is whole. */
enum otter_reset_cause mailbox_left(void);

/* Boot, once: this run's cause. What comes next is UNKNOWN until somebody says it. */
void mailbox_take(enum otter_reset_cause cause);

/* The cause that a reset from now on has. */
void mailbox_leave(enum otter_reset_cause cause);

/* As struct otter_board has them. */
enum otter_reset_cause mailbox_cause(void *context);
bool mailbox_wants_manager(void *context);
void mailbox_request_manager(void *context, bool wanted);

#endif
