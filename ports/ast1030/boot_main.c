/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot of this board: examples/boot, and what happens goes to the console; programs run
 * from RAM, so what otter chose is copied there before it is started.
 */
#include "console.h"
#include "load.h"
#include "otter/boot.h"
#include "port.h"

enum { AGAIN_MS = 5000 };

static const char *const causes[] = {
    [OTTER_RESET_POWER_ON] = "power on", [OTTER_RESET_BROWN_OUT] = "brown-out",
    [OTTER_RESET_UNKNOWN] = "unknown",   [OTTER_RESET_SOFTWARE] = "software",
    [OTTER_RESET_WATCHDOG] = "watchdog", [OTTER_RESET_LOCKUP] = "lockup",
    [OTTER_RESET_FAULT] = "fault",
};

static const char *const targets[] = {
    [OTTER_BOOT_TO_APPLICATION] = "application",
    [OTTER_BOOT_TO_MANAGER] = "manager",
    [OTTER_BOOT_TO_LOADER] = "loader",
};

static void tell_start(const struct otter_boot_result *chosen)
{
    console_text("boot: starts the ");
    console_text(targets[chosen->target]);
    console_text(" after ");
    console_number(port_time_us());
    console_text(" us, stack ");
    console_number(port_stack_peak());
    console_text("\n");
}

int main(void)
{
    static struct otter_boot boot;

    port_init();
    port_take_cause();
    console_text("boot: reset by ");
    console_text(causes[port_board.reset_cause(port_board.context)]);
    console_text("\n");
    for (;;) {
        struct otter_boot_result chosen = otter_boot_run(&boot, &port_ports);

        console_events(&boot.device.events, "boot");
        if (chosen.target != OTTER_BOOT_TO_NOTHING && load_program(&boot, &chosen)) {
            tell_start(&chosen);
            port_start(&chosen);
        }
        console_text("boot: nothing to start\n");
        port_wait(AGAIN_MS);
    }
}
