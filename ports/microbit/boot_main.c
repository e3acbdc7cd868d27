/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot of this board: examples/boot, and what happens goes to the console.
 */
#include "console.h"
#include "otter/boot.h"
#include "port.h"
#include "qemu.h"
#include "uart.h"

enum { AGAIN_MS = 5000 };

static const char *const causes[] = {
    [OTTER_RESET_POWER_ON] = "power on", [OTTER_RESET_BROWN_OUT] = "brown-out",
    [OTTER_RESET_UNKNOWN] = "unknown",   [OTTER_RESET_SOFTWARE] = "software",
    [OTTER_RESET_WATCHDOG] = "watchdog", [OTTER_RESET_LOCKUP] = "lockup",
    [OTTER_RESET_FAULT] = "fault",
};

static void tell_start(const struct otter_boot_result *chosen)
{
    console_text(chosen->target == OTTER_BOOT_TO_MANAGER
                     ? "boot: starts the manager after "
                     : "boot: starts the application after ");
    console_number(port_time_ms());
    console_text(" ms, stack ");
    console_number(port_stack_peak());
    console_text("\n");
}

/* Whatever comes over the line meanwhile: nobody here reads it. */
static void wait_to_try_again(void)
{
    uint32_t start_ms = port_time_ms();
    uint8_t byte;

    while (port_time_ms() - start_ms < AGAIN_MS) {
        port_wait(AGAIN_MS);
        while (uart_take(&byte)) {
        }
    }
}

int main(void)
{
    static struct otter_boot boot;

    port_init();
    qemu_start();
    port_take_cause();
    console_text("boot: reset by ");
    console_text(causes[port_board.reset_cause(port_board.context)]);
    console_text("\n");
    for (;;) {
        struct otter_boot_result chosen = otter_boot_run(&boot, &port_ports);

        console_events(&boot.device.events, "boot");
        if (chosen.target != OTTER_BOOT_TO_NOTHING) {
            tell_start(&chosen);
            port_start(&chosen);
        }
        console_text("boot: nothing to start\n");
        wait_to_try_again();
    }
}
