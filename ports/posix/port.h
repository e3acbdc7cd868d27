/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board made of processes: examples/ run on the development machine as they would on
 * a board, each program out of the flash, and `otter send udp://...` updates them.
 *
 *     flash     the file flash.bin of profile "link" in the current folder, under the
 *               rules of the virtual flash
 *     jump      a program's image in flash is 16 bytes (stack pointer, reset vector,
 *               size of what follows, 0), then an executable of this machine, which is
 *               copied to memory and executed; tests/e2e/examples.sh makes such images
 *     reset     boot is executed again; what survives it travels in the environment
 *     link      UDP, at OTTER_BOARD_UDP, by default 127.0.0.1:1337
 *     watchdog  an interval timer; a crash is a reset by fault
 *     time      OTTER_BOARD_SPEED (1 to 1000) milliseconds a millisecond
 *
 * The names are those of ports/template/port.h.
 */
#ifndef PORT_H
#define PORT_H

#include "otter/boot.h"
#include "otter/device.h"
#include "otter/port/link.h"

extern const struct otter_flash port_flash; /* flash.c */
extern const struct otter_board port_board; /* board.c */
extern const struct otter_link port_link;   /* link.c */
extern const struct otter_ports port_ports; /* board.c: all but the link */

void port_init(void);
void port_start(const struct otter_boot_result *chosen);
void port_wait(uint32_t ms);

/* --- between the files of the port --- */

/* Opens flash.bin; ends the process with a message if that fails. */
void port_open_flash(void);

#endif
