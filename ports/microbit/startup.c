/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program of this board begins with: the vector table, RAM set up, then
 * main(). The core always takes the vector table at address 0, which is boot's: a fault
 * of any program ends in boot's handler, and in a reset that counts against a system on
 * trial.
 */
#include "console.h"
#include "port.h"

#include <stddef.h>

/* From microbit.ld. */
extern uint32_t image_stack_start[], image_stack_top[];
extern const uint32_t image_data_load[];
extern uint32_t image_data_start[], image_data_end[];
extern uint32_t image_bss_start[], image_bss_end[];

int main(void);
_Noreturn void startup_reset(void);
void startup_fault(void);
_Noreturn void startup_report(void);

enum { EXCEPTIONS = 15 };

struct vectors {
    uint32_t *stack;
    void (*handlers[EXCEPTIONS])(void);
};

extern const struct vectors startup_vectors;
__attribute__((section(".vectors"), used)) const struct vectors startup_vectors = {
    .stack = image_stack_top,
    .handlers =
        {
            [0] = startup_reset,
            [1] = startup_fault,  /* NMI */
            [2] = startup_fault,  /* HardFault */
            [10] = startup_fault, /* SVCall */
            [13] = startup_fault, /* PendSV */
            [14] = startup_fault, /* SysTick */
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

/* The stack may be what is broken: the report gets a fresh one. */
__attribute__((naked)) void startup_fault(void)
{
    __asm__ volatile("ldr r1, =image_stack_top\n"
                     "mov sp, r1\n"
                     "bl startup_report\n");
}

void startup_report(void)
{
    console_text("\nfault\n");
    port_fault();
}
