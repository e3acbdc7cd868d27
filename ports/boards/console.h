/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of text for people, on the console that also carries SMP messages.
 */
#ifndef BOARDS_CONSOLE_H
#define BOARDS_CONSOLE_H

#include "otter/events.h"

#include <stdint.h>

void console_text(const char *text);
void console_number(uint32_t number);
void console_hex(uint32_t number); /* eight digits */
void console_code(uint16_t code);  /* [23-12] */

/* Prints and takes what waits in a program's ring, one line each; of progress only
 * some. */
void console_events(struct otter_events *events, const char *program);

#endif
