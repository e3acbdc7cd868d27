/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program of this board begins with: the vector table, RAM set up, then
 * main(). A fault, of whatever kind and on whatever stack, says where it happened and
 * ends in a reset that counts against a system on trial.
 */
#include "console.h"
#include "memory.h"
#include "otter/memory_map.h"
#include "port.h"
#include "registers.h"
#include "uart.h"

#include <stddef.h>

int main(void);
_Noreturn void startup_reset(void);
void startup_fault(void);
_Noreturn void startup_report(uint32_t *frame);
void board_tick(void); /* board.c */

enum { EXCEPTIONS = 15, INTERRUPTS = 16 };

struct vectors {
    uint32_t *stack;
    void (*handlers[EXCEPTIONS + INTERRUPTS])(void);
};

extern const struct vectors startup_vectors;
__attribute__((section(".vectors"), used)) const struct vectors startup_vectors = {
    .stack = image_stack_top,
    .handlers =
        {
            [0] = startup_reset,
            [1] = startup_fault, /* NMI */
            [2] = startup_fault, /* HardFault */
            [3] = startup_fault, /* MemManage */
            [4] = startup_fault, /* BusFault */
            [5] = startup_fault, /* UsageFault */
            [10] = startup_fault,
            [11] = startup_fault,
            [13] = startup_fault,
            [14] = board_tick,
            [EXCEPTIONS + UART5_IRQ] = uart_interrupt,
        },
};

void startup_reset(void)
{
    memory_set_up();
    (void)main();
    port_fault();
}

/* The stack may be what is broken: the report gets a fresh one, and the old stack
 * pointer only to look at. */
__attribute__((naked)) void startup_fault(void)
{
    __asm__ volatile("mrs r0, msp\n"
                     "ldr r1, =image_stack_top\n"
                     "mov sp, r1\n"
                     "b startup_report\n");
}

/* The frame's word 6 is the address of the instruction. */
void startup_report(uint32_t *frame)
{
    uintptr_t at = (uintptr_t)frame;

    console_text("\nfault: status ");
    console_hex(REG32(SCB_CFSR));
    console_text(" address ");
    console_hex(REG32(SCB_MMFAR));
    if (at % sizeof(uint32_t) == 0 && at < (OTTER_RAM_ADDR + OTTER_RAM_SIZE) - 32) {
        console_text(" instruction ");
        console_hex(frame[6]);
    }
    console_text("\n");
    port_fault();
}
