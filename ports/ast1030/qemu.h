/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only an emulated board needs: flash operations that are over when the file
 * behind the chip holds them, and faults on demand. Both speak to QEMU by semihosting;
 * qemu_none.c stands for this on a real board.
 *
 * QEMU's command line for the guest, -semihosting-config arg=...:
 *     cut=N          power goes off before flash operation N, counted from 0 since
 *                    QEMU began; resets do not matter
 *     cut=N:after    after it
 *     cut=N:torn     in the middle of it: a half of a page is programmed; an erase is
 *                    done
 *     busy=N         from flash operation N on the chip says that it is busy, for ever
 *     button=1       the button is pressed when the power comes
 *     lose=N         every Nth byte that the console receives is lost
 */
#ifndef AST1030_QEMU_H
#define AST1030_QEMU_H

#include "spi_nor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before an operation: how many of its bytes are to be done. */
size_t qemu_before(size_t size);

/* After it. False if the chip's file did not take it in time. */
bool qemu_after(const struct spi_nor *chip, uint32_t off, size_t size);

/* True if the board's button was pressed when the power came. */
bool qemu_has_button(void);

/* True if the chip is stuck. */
bool qemu_is_busy(void);

/* True if the byte just received is lost. Called by the console's interrupt. */
bool qemu_loses_byte(void);

#endif
