/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only an emulated board needs: the first content of its flash, and resets at its
 * flash operations; qemu_none.c stands for this on a real board.
 *
 * QEMU cannot keep this flash in a file, and writes what it loaded back at each reset.
 * So it loads boot alone, and boot programs the rest, by the controller, out of the
 * file factory.bin as its first deed.
 *
 * QEMU sees that the UART's receiver is on again only when something wakes its main
 * loop: a timer does.
 *
 * QEMU's command line for the guest, -semihosting-config arg=otter,arg=resets=N: the
 * processor is reset at each flash operation, once. N, 0 to 2, is how the first reset
 * comes; each further one comes in the next way:
 *     0  before the operation
 *     1  in its middle: half of the words are programmed; of a page under erase half of
 *        the words read 0
 *     2  after it
 * An operation is known by the program that does it, its kind and its place, to 32
 * bytes. Each is done undisturbed when it comes again, so an update always gets on; the
 * journal comes round to its places several times in an update.
 */
#ifndef MICROBIT_QEMU_H
#define MICROBIT_QEMU_H

#include <stddef.h>
#include <stdint.h>

enum qemu_operation { QEMU_PROGRAM, QEMU_ERASE };

/* Boot only, first: fills the flash of a board that has just been powered on. */
void qemu_start(void);

/* After the UART's receiver was switched on. */
void qemu_wake(void);

/* Before an operation of `size` bytes: how many of them are to be done. */
size_t qemu_before(enum qemu_operation kind, uint32_t addr, size_t size);

/* After it. */
void qemu_after(void);

/* Prints how many flash operations and resets at them there were since power-on. */
void qemu_report(void);

#endif
