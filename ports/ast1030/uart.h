/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial console: UART5, a 16550. Received bytes wait in a ring that an interrupt
 * fills; when it is full the interrupt stops, and the sender waits or bytes are lost.
 */
#ifndef AST1030_UART_H
#define AST1030_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_init(void);

/* Stops everything that init started. */
void uart_stop(void);

/* Takes the oldest byte; false if there is none. */
bool uart_take(uint8_t *byte);

/* True if a byte waits. */
bool uart_has_byte(void);

/* A whole message is there: what comes next may wait on the peer's side until somebody
 * looks for a byte again. */
void uart_pause(void);

/* Sends bytes. A line that takes none for too long loses them. */
void uart_put(const void *bytes, size_t size);

/* For the vector table. */
void uart_interrupt(void);

#endif
