/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's RAM, as its linker script has drawn it: image_stack_start and _top,
 * image_data_load, _start and _end, image_bss_start and _end. port.h declares
 * port_stack_peak().
 */
#ifndef BOARDS_MEMORY_H
#define BOARDS_MEMORY_H

#include <stdint.h>

extern uint32_t image_stack_top[];

/* First thing after a reset: paints the stack, fills data, clears the rest. */
void memory_set_up(void);

#endif
