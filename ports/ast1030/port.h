/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs of this board share; the names are those of ports/template/port.h,
 * so that examples/ compile against either.
 */
#ifndef PORT_H
#define PORT_H

#include "otter/boot.h"
#include "otter/device.h"
#include "otter/port/link.h"

extern const struct otter_flash port_flash; /* flash.c */
extern const struct otter_files port_files; /* files.c: the external store */
extern const struct otter_board port_board; /* board.c */
extern const struct otter_link port_link;   /* link.c */
extern const struct otter_ports port_ports; /* board.c: all but the link */

extern const struct otter_loader port_loader; /* load.c; of boot alone */

/* Clock, console, memory protection. Leaves a running watchdog alone. */
void port_init(void);

/* Takes the cause of this reset out of the mailbox; boot only, once, after
 * port_init(). */
void port_take_cause(void);

/* Leaves the running program for one that stands in RAM at chosen->exec. Never returns.
 */
_Noreturn void port_start(const struct otter_boot_result *chosen);

/* Waits until `ms` have passed or a byte has come; feeds the watchdog. */
void port_wait(uint32_t ms);

/* --- between the files of the port --- */

/* Milliseconds since this program began; the same in microseconds. */
uint32_t port_time_ms(void);
uint32_t port_time_us(void);

/* Microseconds of it that it did not wait. */
uint32_t port_busy_us(void);

/* Most bytes of stack that this program has used so far, interrupts included. */
uint32_t port_stack_peak(void);

/* Leaves the cause FAULT and resets. */
_Noreturn void port_fault(void);

#endif
