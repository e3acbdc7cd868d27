/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port check on this board, started in place of boot: the store is its scratch, the
 * console takes its lines. QEMU has no watchdog here, so the resets are not tried.
 */
#include "port_check.h"

#include "console.h"
#include "otter/memory_map.h"
#include "port.h"

enum { AGAIN_MS = 5000 };

static void print_line(void *context, const char *line)
{
    (void)context;
    console_text(line);
    console_text("\n");
}

int main(void)
{
    static struct port_check check = {
        .ports = &port_ports,
        .scratch_addr = OTTER_STAGING_ADDR,
        .scratch_size = 16 * OTTER_SECTOR_SIZE,
        .program_ms_max = 100,
        .erase_ms_max = 500,
        .verify_ms_max = 5000,
        .print = print_line,
    };

    port_init();
    port_take_cause();
    console_text(port_check_run(&check) ? "port check: sound\n"
                                        : "port check: NOT SOUND\n");
    for (;;) {
        port_wait(AGAIN_MS);
    }
}
