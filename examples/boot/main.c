/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A boot program: the first one after a reset, never replaced. It asks otter what to
 * run and jumps there; if nothing verifies it says the code and tries again (K18).
 */
#include "otter/boot.h"
#include "port.h"

enum { AGAIN_MS = 5000 };

int main(void)
{
    static struct otter_boot boot;

    port_init();
    for (;;) {
        struct otter_boot_result chosen = otter_boot_run(&boot, &port_ports);

        if (chosen.target != OTTER_BOOT_TO_NOTHING) {
            port_start(&chosen);
        }
        port_wait(AGAIN_MS);
    }
}
