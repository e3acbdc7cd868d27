/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board port: time, the cause of the last reset, the watchdog, the jump.
 *
 * No register of the emulated chip tells why it was reset, so the programs say it
 * beforehand in the mailbox: SOFTWARE or FAULT just before such a reset, WATCHDOG as
 * soon as a watchdog runs.
 *
 * Facts: "AST1030 A1 datasheet", WDT; "ARMv7-M Architecture Reference Manual", B3.
 */
#include "console.h"
#include "crypto_bearssl.h"
#include "mailbox.h"
#include "mpu.h"
#include "otter/memory_map.h"
#include "port.h"
#include "registers.h"
#include "spi_nor.h"
#include "uart.h"

#ifndef PORT_NAME
#define PORT_NAME "program"
#endif
#ifndef PORT_LOADER
#define PORT_LOADER NULL /* boot: &port_loader */
#endif

enum {
    WDT_RELOAD = 0x04,
    WDT_RESTART = 0x08,
    WDT_CONTROL = 0x0C,
    WDT_RESTART_KEY = 0x4755,
    WDT_START = 0x13, /* on, resets the system, counts microseconds */
    WDT_ON = 0x01,
    TICK_MS = 1,
    SYSTICK_ON = 7, /* on, interrupts, the core's clock */
};

static volatile uint32_t now_ms;
static uint32_t idle_us; /* spent in port_wait() */

void board_tick(void);

void board_tick(void)
{
    now_ms += TICK_MS;
}

uint32_t port_time_ms(void)
{
    return now_ms;
}

uint32_t port_time_us(void)
{
    uint32_t ms;
    uint32_t left;

    do {
        ms = now_ms;
        left = REG32(SYSTICK_VALUE);
    } while (ms != now_ms);
    return ms * 1000u + 1000u * TICK_MS - 1u - left / (CORE_HZ / 1000000u);
}

void port_take_cause(void)
{
    mailbox_take(mailbox_is_whole() ? mailbox_left() : OTTER_RESET_POWER_ON);
}

/* ---- resets ---- */

static _Noreturn void reset(enum otter_reset_cause cause)
{
    mailbox_leave(cause);
    __asm__ volatile("dsb" ::: "memory");
    REG32(SCB_AIRCR) = AIRCR_RESET;
    for (;;) {
    }
}

void port_fault(void)
{
    reset(OTTER_RESET_FAULT);
}

static void board_reset(void *context)
{
    (void)context;
    console_text(PORT_NAME ": reset, stack ");
    console_number(port_stack_peak());
    console_text("\n");
    reset(OTTER_RESET_SOFTWARE);
}

/* ---- the watchdog ---- */

static void board_watchdog_start(void *context, uint32_t period_ms)
{
    (void)context;
    mailbox_leave(OTTER_RESET_WATCHDOG);
    REG32(WDT_BASE + WDT_RELOAD) = period_ms * 1000u;
    REG32(WDT_BASE + WDT_RESTART) = WDT_RESTART_KEY;
    REG32(WDT_BASE + WDT_CONTROL) = WDT_START;
}

static void board_watchdog_feed(void *context)
{
    (void)context;
    if ((REG32(WDT_BASE + WDT_CONTROL) & WDT_ON) != 0) {
        REG32(WDT_BASE + WDT_RESTART) = WDT_RESTART_KEY;
    }
}

/* ---- the rest ---- */

static uint32_t board_time_ms(void *context)
{
    (void)context;
    return now_ms;
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
    .files = &port_files,
    .loader = PORT_LOADER,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
};

void port_init(void)
{
    now_ms = 0;
    spi_nor_init();
    mpu_start();
    uart_init();
    REG32(SYSTICK_RELOAD) = CORE_HZ / 1000u * TICK_MS - 1u;
    REG32(SYSTICK_VALUE) = 0;
    REG32(SYSTICK_CONTROL) = SYSTICK_ON;
    __asm__ volatile("cpsie i" ::: "memory");
    console_text("\n"); /* ends a line that a former program left open */
}

/* Interrupts are off from here until the next program's port_init(). */
void port_start(const struct otter_boot_result *chosen)
{
    __asm__ volatile("cpsid i" ::: "memory");
    uart_stop();
    REG32(SYSTICK_CONTROL) = 0;
    REG32(SCB_ICSR) = ICSR_UNPEND_SYSTICK;
    mpu_stop();
    REG32(SCB_VTOR) = chosen->exec;
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

uint32_t port_busy_us(void)
{
    return port_time_us() - idle_us;
}

void port_wait(uint32_t ms)
{
    uint32_t start_ms = now_ms;
    uint32_t start_us = port_time_us();

    while (now_ms - start_ms < ms && !uart_has_byte()) {
        board_watchdog_feed(NULL);
        __asm__ volatile("wfi" ::: "memory");
    }
    idle_us += port_time_us() - start_us;
}
