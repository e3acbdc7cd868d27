/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program of this board begins with: the vector table, RAM set up, then
 * main(). The core always takes the vector table at address 0, which is boot's: a fault
 * of any program ends in boot's handler, and in a reset that counts against a system on
 * trial.
 */
#include "console.h"
#include "memory.h"
#include "port.h"

#include <stddef.h>

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

void startup_reset(void)
{
    memory_set_up();
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
