/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port check on this board, started in place of boot: the store is its scratch,
 * the console takes its lines. Without the files port: the second chip has places for
 * the four files of an update and no others, so the check's would find none.
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
    static struct otter_ports ports;
    static struct port_check check = {
        .ports = &ports,
        .scratch_addr = OTTER_STAGING_ADDR,
        .scratch_size = 16 * OTTER_SECTOR_SIZE,
        .program_ms_max = 100,
        .erase_ms_max = 500,
        .verify_ms_max = 2000,
        .print = print_line,
    };

    port_init();
    port_take_cause();
    ports = port_ports;
    ports.files = NULL;
    bool is_good = port_check_resets(&check) == PORT_CHECK_RESETS_DONE;

    is_good &= port_check_run(&check);
    console_text(is_good ? "port check: sound\n" : "port check: NOT SOUND\n");
    for (;;) {
        port_wait(AGAIN_MS);
    }
}
