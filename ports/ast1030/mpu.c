/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions of the memory protection unit. What no region covers is as the processor
 * has it by default. PORT_IS_BOOT is 1 in boot, whose image lies where the others have
 * a hole, PORT_IS_LOADER in a loader, whose image lies below everybody's stack. Facts:
 * "ARMv7-M Architecture Reference Manual", B3.5; of two regions that overlap the higher
 * number counts.
 */
#include "mpu.h"

#include "registers.h"

#include <stddef.h>

#ifndef PORT_IS_BOOT
#define PORT_IS_BOOT 0
#endif
#ifndef PORT_IS_LOADER
#define PORT_IS_LOADER 0
#endif

enum {
    ACCESS_NONE = 0,
    ACCESS_WRITE = 3, /* read and write */
    ACCESS_READ = 6,
    REGION_ON = 1,
    CONTROL_ON = 5, /* and the default map elsewhere */
    FLASH_NUMBER = 0,
};

/* XN, AP, TEX/S/C/B of plain memory or of a device, and log2(size) - 1. */
#define REGION(never, access, kind, bits)                                          \
    ((uint32_t)(never) << 28 | (uint32_t)(access) << 24 | (uint32_t)(kind) << 16 | \
     ((uint32_t)(bits)-1u) << 1 | (uint32_t)REGION_ON)
#define KIND_MEMORY 6u /* shareable, write-through */
#define KIND_DEVICE 5u /* shareable */

#if PORT_IS_LOADER
#define LOADER_REGION                                        \
    {                                                        \
        0x00060000u, REGION(0, ACCESS_READ, KIND_MEMORY, 17) \
    }
#else
#define LOADER_REGION                                        \
    {                                                        \
        0x00060000u, REGION(1, ACCESS_NONE, KIND_MEMORY, 17) \
    }
#endif

struct region {
    uint32_t addr;
    uint32_t attributes;
};

static const struct region regions[] = {
    [FLASH_NUMBER] = {0x80000000u, REGION(1, ACCESS_READ, KIND_DEVICE, 29)},
#if PORT_IS_BOOT
    {0x00000000u, REGION(0, ACCESS_READ, KIND_MEMORY, 16)},
    {0x00010000u, REGION(1, ACCESS_WRITE, KIND_MEMORY, 16)},
#else
    {0x00000000u, REGION(1, ACCESS_NONE, KIND_MEMORY, 17)},
    {0x00020000u, REGION(0, ACCESS_READ, KIND_MEMORY, 17)},
    {0x00040000u, REGION(0, ACCESS_READ, KIND_MEMORY, 17)},
    LOADER_REGION, /* below the stack */
#endif
    {0x00080000u, REGION(1, ACCESS_WRITE, KIND_MEMORY, 18)},
};

static void barrier(void)
{
    __asm__ volatile("dsb\nisb" ::: "memory");
}

static void set(size_t number, uint32_t addr, uint32_t attributes)
{
    REG32(MPU_NUMBER) = (uint32_t)number;
    REG32(MPU_ADDR) = addr;
    REG32(MPU_ATTRIBUTES) = attributes;
}

void mpu_start(void)
{
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        set(i, regions[i].addr, regions[i].attributes);
    }
    REG32(MPU_CONTROL) = CONTROL_ON;
    barrier();
}

void mpu_stop(void)
{
    REG32(MPU_CONTROL) = 0;
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        set(i, 0, 0);
    }
    barrier();
}

void mpu_open_flash(bool is_open)
{
    const struct region *flash = &regions[FLASH_NUMBER];
    uint32_t access = is_open ? ACCESS_WRITE : ACCESS_READ;

    set(FLASH_NUMBER, flash->addr, (flash->attributes & ~(7u << 24)) | access << 24);
    barrier();
}
