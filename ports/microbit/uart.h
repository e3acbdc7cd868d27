/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial console: the UART of the nRF51822, polled. A core without a vector table
 * of its own for each program is better off without interrupts.
 */
#ifndef MICROBIT_UART_H
#define MICROBIT_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_init(void);

/* Takes the oldest byte; false if there is none. */
bool uart_take(uint8_t *byte);

/* True if a byte waits. */
bool uart_has_byte(void);

/* A whole message is there: what comes next may wait on the peer's side until somebody
 * looks for a byte again. */
void uart_pause(void);

/* Sends bytes. A line that takes none for too long loses them. */
void uart_put(const void *bytes, size_t size);

#endif
