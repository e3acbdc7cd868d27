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
extern const struct otter_board port_board; /* board.c */
extern const struct otter_link port_link;   /* ports/boards/link.c */
extern const struct otter_ports port_ports; /* board.c: all but the link */

/* Clock and console. Leaves a running watchdog alone. */
void port_init(void);

/* Takes the cause of this reset out of chip and mailbox; boot only, once, after
 * port_init(). */
void port_take_cause(void);

/* Leaves the running program for one that boot chose. Never returns. */
_Noreturn void port_start(const struct otter_boot_result *chosen);

/* Waits until `ms` have passed or a byte has come; feeds the watchdog. */
void port_wait(uint32_t ms);

/* --- between the files of the port --- */

/* Milliseconds since this program began. */
uint32_t port_time_ms(void);

/* Most bytes of stack that this program has used so far. */
uint32_t port_stack_peak(void);

/* Leaves the cause FAULT and resets. */
_Noreturn void port_fault(void);

/* Resets with no word about the cause, as a reset button does. */
_Noreturn void port_reset_unsaid(void);

#endif
