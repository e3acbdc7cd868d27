/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs of a board share. Copy this folder, fill every function, and keep
 * the names: examples/ compiles against them. docs/PORTING.md gives the order.
 *
 * As it is here every function compiles and does the safe nothing: flash fails,
 * signatures are bad, no message comes.
 */
#ifndef PORT_H
#define PORT_H

#include "otter/boot.h"
#include "otter/device.h"
#include "otter/port/files.h"
#include "otter/port/link.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct otter_flash port_flash;   /* flash.c */
extern const struct otter_board port_board;   /* board.c */
extern const struct otter_crypto port_crypto; /* crypto.c */
extern const struct otter_link port_link;     /* link.c */
extern const struct otter_files port_files;   /* files.c: only with a card */
extern const struct otter_ports port_ports;   /* board.c: all but the link */

/* Clocks, pins and drivers, before anything else is called. Must leave a watchdog that
 * an earlier program started alone. */
void port_init(void);

/* Jumps to the program that boot chose: makes the region at `addr` appear at `exec` if
 * they differ, stops interrupts and everything that boot started, sets the vector
 * table, loads the stack pointer from its first word, and branches to its second.
 * Never returns on a board; where it does, boot decides again. Boot only. */
void port_start(const struct otter_boot_result *chosen);

/* Waits about `ms` and feeds the watchdog meanwhile. */
void port_wait(uint32_t ms);

#ifdef __cplusplus
}
#endif

#endif
