/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board port: time, the cause of the last reset, the watchdog, the jump.
 *
 * The chip tells resets by its watchdog and by a lockup; whether a program asked for
 * one or crashed the programs say themselves, in the mailbox. QEMU has neither the
 * register of reset causes nor the watchdog: there the mailbox tells all, and a program
 * that hangs hangs for ever.
 *
 * Facts: "nRF51 Series Reference Manual", POWER, TIMER, WDT.
 */
#include "console.h"
#include "crypto_bearssl.h" /* manager and application: boot's */
#include "mailbox.h"
#include "otter/memory_map.h"
#include "port.h"
#include "registers.h"
#include "uart.h"

#ifndef PORT_NAME
#define PORT_NAME "program"
#endif

enum {
    TIMER_START = 0x000,
    TIMER_CLEAR = 0x00C,
    TIMER_CAPTURE = 0x040,
    TIMER_BITS = 0x508,
    TIMER_PRESCALER = 0x510,
    TIMER_VALUE = 0x540,
    BITS_32 = 3,
    MICROSECONDS = 4, /* 16 MHz by 2 to the power of it */

    WDT_START = 0x000,
    WDT_IS_RUNNING = 0x400,
    WDT_RELOAD = 0x504,
    WDT_FEED = 0x600,
    WDT_TICKS = 32768, /* of a second */
};

static const uint32_t wdt_feed_key = 0x6E524635;
static struct {
    uint32_t seen_us; /* the timer, when last read */
    uint32_t us;      /* since then of a millisecond not full yet */
    uint32_t ms;
} clock;

/* ---- time ---- */

static void clock_start(void)
{
    REG32(TIMER_BASE + TIMER_BITS) = BITS_32;
    REG32(TIMER_BASE + TIMER_PRESCALER) = MICROSECONDS;
    REG32(TIMER_BASE + TIMER_CLEAR) = 1;
    REG32(TIMER_BASE + TIMER_START) = 1;
}

/* Right if it is called once an hour at least. */
uint32_t port_time_ms(void)
{
    REG32(TIMER_BASE + TIMER_CAPTURE) = 1;
    uint32_t now_us = REG32(TIMER_BASE + TIMER_VALUE);

    clock.us += now_us - clock.seen_us;
    clock.seen_us = now_us;
    clock.ms += clock.us / 1000U;
    clock.us %= 1000U;
    return clock.ms;
}

/* ---- the cause ---- */

static enum otter_reset_cause cause_told(void)
{
    uint32_t reasons = REG32(POWER_RESET_REASON);

    REG32(POWER_RESET_REASON) = reasons; /* a one clears it */
    if ((reasons & REASON_WATCHDOG) != 0) {
        return OTTER_RESET_WATCHDOG;
    }
    if ((reasons & REASON_LOCKUP) != 0) {
        return OTTER_RESET_LOCKUP;
    }
    return mailbox_is_whole() ? mailbox_left() : OTTER_RESET_POWER_ON;
}

void port_take_cause(void)
{
    mailbox_take(cause_told());
}

/* ---- resets ---- */

void port_reset_unsaid(void)
{
    __asm__ volatile("dsb" ::: "memory");
    REG32(SCB_AIRCR) = AIRCR_RESET;
    for (;;) {
    }
}

void port_fault(void)
{
    mailbox_leave(OTTER_RESET_FAULT);
    port_reset_unsaid();
}

static void board_reset(void *context)
{
    (void)context;
    console_text(PORT_NAME ": reset, stack ");
    console_number(port_stack_peak());
    console_text("\n");
    mailbox_leave(OTTER_RESET_SOFTWARE);
    port_reset_unsaid();
}

/* ---- the watchdog ---- */

/* Its period cannot change while it runs. */
static void board_watchdog_start(void *context, uint32_t period_ms)
{
    (void)context;
    REG32(WDT_BASE + WDT_RELOAD) =
        (uint32_t)((uint64_t)period_ms * WDT_TICKS / 1000U) - 1U;
    REG32(WDT_BASE + WDT_START) = 1;
}

static void board_watchdog_feed(void *context)
{
    (void)context;
    if (REG32(WDT_BASE + WDT_IS_RUNNING) != 0) {
        REG32(WDT_BASE + WDT_FEED) = wdt_feed_key;
    }
}

/* ---- the rest ---- */

static uint32_t board_time_ms(void *context)
{
    (void)context;
    return port_time_ms();
}

static bool board_allows_update(void *context)
{
    (void)context;
    return true;
}

static void board_report(void *context, uint16_t code)
{
    (void)context;
    console_text(PORT_NAME ": ");
    console_code(code);
    console_text("\n");
}

const struct otter_board port_board = {
    .context = NULL,
    .time_ms = board_time_ms,
    .reset_cause = mailbox_cause,
    .wants_manager = mailbox_wants_manager,
    .request_manager = mailbox_request_manager,
    .allows_update = board_allows_update,
    .reset = board_reset,
    .watchdog_start = board_watchdog_start,
    .watchdog_feed = board_watchdog_feed,
    .report = board_report,
};

const struct otter_ports port_ports = {
    .flash = &port_flash,
    .board = &port_board,
    .crypto = &otter_crypto_bearssl,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
};

void port_init(void)
{
    clock_start();
    uart_init();
    console_text("\n"); /* ends a line that a former program left open */
}

/* No interrupt is ever on, so there is nothing to stop. */
void port_start(const struct otter_boot_result *chosen)
{
    uint32_t stack = REG32(chosen->exec);
    uint32_t start = REG32(chosen->exec + 4);

    __asm__ volatile("dsb\n"
                     "isb\n"
                     "msr msp, %0\n"
                     "bx %1\n" ::"r"(stack),
                     "r"(start)
                     : "memory");
    __builtin_unreachable();
}

void port_wait(uint32_t ms)
{
    uint32_t start_ms = port_time_ms();

    while (port_time_ms() - start_ms < ms && !uart_has_byte()) {
        board_watchdog_feed(NULL);
    }
}
