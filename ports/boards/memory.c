/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAM before main(). The stack is painted, so that what was used of it can be told.
 */
#include "memory.h"

#include "port.h"

#include <stddef.h>

extern uint32_t image_stack_start[];
extern const uint32_t image_data_load[];
extern uint32_t image_data_start[], image_data_end[];
extern uint32_t image_bss_start[], image_bss_end[];

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

void memory_set_up(void)
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
}
