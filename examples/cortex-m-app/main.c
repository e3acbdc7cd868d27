/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest program a Cortex-M runs: a vector table, RAM set up, and a main loop.
 * It stands for a product's firmware in the demo and the tests: `make` it twice with
 * another APP_VERSION and there are two systems to go between.
 */
#include <stddef.h>
#include <stdint.h>

#ifndef APP_VERSION
#define APP_VERSION 1
#endif
#define APP_TEXT_OF(number) #number
#define APP_TEXT(number)    APP_TEXT_OF(number)

/* From the linker script. */
extern uint32_t app_stack_top;
extern const uint32_t app_data_load;
extern uint32_t app_data_start, app_data_end, app_bss_start, app_bss_end;

void app_reset(void);
void app_trap(void);

/* What a Cortex-M reads first: the stack pointer, then one handler per exception. */
struct vectors {
    uint32_t *stack;
    void (*handlers[15])(void);
};

extern const struct vectors app_vectors;
__attribute__((section(".vectors"), used)) const struct vectors app_vectors = {
    &app_stack_top,
    {app_reset, app_trap, app_trap},
};

/* Found again in the image; says which build runs. */
extern const char app_name[];
__attribute__((used)) const char app_name[] =
    "otter example application, version " APP_TEXT(APP_VERSION);

static volatile uint32_t beats = APP_VERSION;

void app_trap(void)
{
    for (;;) {
    }
}

static size_t words_between(const uint32_t *start, const uint32_t *end)
{
    return ((uintptr_t)end - (uintptr_t)start) / sizeof(uint32_t);
}

void app_reset(void)
{
    const uint32_t *load = &app_data_load;
    uint32_t *data = &app_data_start;
    uint32_t *bss = &app_bss_start;

    for (size_t i = 0; i < words_between(&app_data_start, &app_data_end); i++) {
        data[i] = load[i];
    }
    for (size_t i = 0; i < words_between(&app_bss_start, &app_bss_end); i++) {
        bss[i] = 0;
    }
    for (;;) {
        beats = beats + 1;
    }
}
