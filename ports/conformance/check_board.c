/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the board port (otter/port/board.h) that need no reset.
 */
#include "check_inner.h"

#include <stddef.h>

enum {
    TICKS = 20,          /* changes of the clock that are waited for */
    ASKS_MAX = 20000000, /* questions until a clock counts as standing still */
};

/* Also learns whether times can be measured. */
static enum check_verdict check_clock(struct port_check *check)
{
    uint32_t last_ms = port_check_ms(check);
    uint32_t ticks = 0;

    for (uint32_t i = 0; i < ASKS_MAX && ticks < TICKS; i++) {
        uint32_t ms = port_check_ms(check);

        if (ms - last_ms > UINT32_MAX / 2) {
            return port_check_fail_number(check, last_ms - ms, "ms back");
        }
        if (ms != last_ms) {
            ticks++;
            port_check_feed(check);
        }
        last_ms = ms;
    }
    check->has_clock = ticks == TICKS;
    return port_check_verdict(check->has_clock);
}

static enum check_verdict check_cause(struct port_check *check)
{
    const struct otter_board *board = check->ports->board;
    enum otter_reset_cause cause = board->reset_cause(board->context);

    if ((unsigned)cause > OTTER_RESET_FAULT ||
        board->reset_cause(board->context) != cause) {
        return port_check_fail_number(check, (uint32_t)cause, "was the first answer");
    }
    return CHECK_PASSED;
}

/* Both ways, and gone at the end; a button that is held down looks like a failure. */
static enum check_verdict check_manager_word(struct port_check *check)
{
    const struct otter_board *board = check->ports->board;
    bool is_good = true;

    for (unsigned i = 0; i < 2; i++) {
        board->request_manager(board->context, true);
        is_good &= board->wants_manager(board->context);
        board->request_manager(board->context, false);
        is_good &= !board->wants_manager(board->context);
    }
    return port_check_verdict(is_good);
}

const struct check_row port_check_board[] = {
    {"time goes on, and never back", check_clock, false},
    {"the cause of the last reset is the same each time", check_cause, false},
    {"the manager can be asked for, and the word taken back", check_manager_word,
     false},
    {NULL, NULL, false},
};
