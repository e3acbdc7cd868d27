/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Board port: time, resets, the watchdog, the jump, and the few questions that only
 * the product can answer.
 */
#ifndef OTTER_PORT_BOARD_H
#define OTTER_PORT_BOARD_H

#include "otter/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Why the processor started. Those from SOFTWARE on count as failures of a system on
 * trial; those before it count as lost power (K16). */
enum otter_reset_cause {
    OTTER_RESET_POWER_ON = 0,
    OTTER_RESET_BROWN_OUT,
    OTTER_RESET_UNKNOWN,
    OTTER_RESET_SOFTWARE,
    OTTER_RESET_WATCHDOG,
    OTTER_RESET_LOCKUP,
    OTTER_RESET_FAULT,
};

struct otter_board {
    void *context;

    /* Milliseconds since power-on; may wrap. */
    uint32_t (*time_ms)(void *context);

    /* Cause of the reset that started this run; the same answer until the next one. */
    enum otter_reset_cause (*reset_cause)(void *context);

    /* True if somebody asked for the manager: a button, or the word that
     * request_manager(true) left. Asked by boot, once. */
    bool (*wants_manager)(void *context);

    /* Leaves (true) or removes (false) a word that survives a reset, though not a
     * power cut, and makes wants_manager() true. */
    void (*request_manager)(void *context, bool wanted);

    /* False while the user, the battery or the product's duty forbid an update. Asked
     * when a control packet is offered and when an installation is requested. */
    bool (*allows_update)(void *context);

    /* Resets the processor; the next cause is OTTER_RESET_SOFTWARE. On a virtual
     * device it returns, and the caller's poll then answers OTTER_POLL_RESET. */
    void (*reset)(void *context);

    /* Starts the watchdog with a period in ms, longer than the longest step; it cannot
     * be stopped. A second start sets a new period. */
    void (*watchdog_start)(void *context, uint32_t period_ms);

    /* Feeds the watchdog; harmless when it does not run. */
    void (*watchdog_feed)(void *context);

    /* Says a public code where somebody can see it: LED, console, nothing (K18). */
    void (*report)(void *context, uint16_t code);
};

#endif
