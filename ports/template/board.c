/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template of the board port (otter/port/board.h): time, resets, watchdog, the jump.
 */
#include "port.h"

#include "otter/memory_map.h"

/* Milliseconds; must go on while flash is written, or a trial's deadline is late. */
static uint32_t board_time_ms(void *context)
{
    (void)context;
    return 0;
}

/* Read once from the reset controller at start and kept, because reading often clears
 * it; the program that boot jumps to asks again. If more than one cause is set, the
 * one that counts as a failure wins only if power was not lost. What cannot be told is
 * UNKNOWN, which counts as lost power: the milder of the two (K16). */
static enum otter_reset_cause board_reset_cause(void *context)
{
    (void)context;
    return OTTER_RESET_UNKNOWN;
}

/* A button held down at start, or the word that request_manager() left. Boot asks
 * before it verifies anything, so this must be fast and must not hang. */
static bool board_wants_manager(void *context)
{
    (void)context;
    return false;
}

/* A word in RAM that start-up code does not clear, or a backup register. Random RAM
 * after power-on must not look like it: 32 bits or more of a fixed value. */
static void board_request_manager(void *context, bool wanted)
{
    (void)context;
    (void)wanted;
}

/* The product's veto: battery, user, a duty that must not be interrupted. */
static bool board_allows_update(void *context)
{
    (void)context;
    return true;
}

/* Resets the processor, not the peripherals that keep power; never returns. */
static void board_reset(void *context)
{
    (void)context;
}

/* Longer than the longest step: one erase, or one signature check (K22). A watchdog
 * that can be stopped by software must be locked here. */
static void board_watchdog_start(void *context, uint32_t period_ms)
{
    (void)context;
    (void)period_ms;
}

static void board_watchdog_feed(void *context)
{
    (void)context;
}

/* LED, console or nothing; `code` is XX * 256 + YY. May be called in every program. */
static void board_report(void *context, uint16_t code)
{
    (void)context;
    (void)code;
}

const struct otter_board port_board = {
    .context = NULL,
    .time_ms = board_time_ms,
    .reset_cause = board_reset_cause,
    .wants_manager = board_wants_manager,
    .request_manager = board_request_manager,
    .allows_update = board_allows_update,
    .reset = board_reset,
    .watchdog_start = board_watchdog_start,
    .watchdog_feed = board_watchdog_feed,
    .report = board_report,
};

const struct otter_ports port_ports = {
    .flash = &port_flash,
    .board = &port_board,
    .crypto = &port_crypto,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
};

void port_init(void)
{
}

void port_start(const struct otter_boot_result *chosen)
{
    (void)chosen;
}

void port_wait(uint32_t ms)
{
    (void)ms;
    board_watchdog_feed(NULL);
}
