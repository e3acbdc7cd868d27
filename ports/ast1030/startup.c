/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program of this board begins with: the vector table, RAM set up, then
 * main(). A fault, of whatever kind and on whatever stack, says where it happened and
 * ends in a reset that counts against a system on trial.
 */
#include "console.h"
#include "otter/memory_map.h"
#include "port.h"
#include "registers.h"
#include "uart.h"

#include <stddef.h>

/* From ast1030.ld. */
extern uint32_t image_stack_start[], image_stack_top[];
extern const uint32_t image_data_load[];
extern uint32_t image_data_start[], image_data_end[];
extern uint32_t image_bss_start[], image_bss_end[];

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

static size_t words_between(const uint32_t *start, const uint32_t *end)
{
    return ((uintptr_t)end - (uintptr_t)start) / sizeof(uint32_t);
}

/* What a stack holds that nothing was written to yet. */
static const uint32_t paint = 0xC5C5C5C5;

/* Up to a little below the caller's frame. */
static void paint_stack(void)
{
    enum { MARGIN = 16 };
    uint32_t here = 0;
    size_t free = words_between(image_stack_start, &here);

    for (size_t i = 0; i + MARGIN < free; i++) {
        image_stack_start[i] = paint;
    }
}

uint32_t port_stack_peak(void)
{
    size_t count = words_between(image_stack_start, image_stack_top);
    size_t unused = 0;

    while (unused < count && image_stack_start[unused] == paint) {
        unused++;
    }
    return (uint32_t)((count - unused) * sizeof(uint32_t));
}

void startup_reset(void)
{
    paint_stack();
    size_t data = words_between(image_data_start, image_data_end);
    size_t bss = words_between(image_bss_start, image_bss_end);

    for (size_t i = 0; i < data; i++) {
        image_data_start[i] = image_data_load[i];
    }
    for (size_t i = 0; i < bss; i++) {
        image_bss_start[i] = 0;
    }
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
