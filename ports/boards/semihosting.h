/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to whoever emulates the board. Facts: "Semihosting for AArch32 and AArch64",
 * calls and their blocks.
 */
#ifndef BOARDS_SEMIHOSTING_H
#define BOARDS_SEMIHOSTING_H

#include <stdint.h>

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_READ = 0x06,
    SYS_SEEK = 0x0A,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT = 0x18,
    MODE_READ_BINARY = 1, /* of SYS_OPEN */
};

/* An address, as a call's block has it. */
static inline uint32_t word_of(const void *memory)
{
    return (uint32_t)(uintptr_t)memory;
}

static inline uint32_t semihosting_call(uint32_t operation, const void *block)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

#endif
