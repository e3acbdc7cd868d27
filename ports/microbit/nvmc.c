/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words and pages by the controller's registers. Facts: "nRF51 Series Reference
 * Manual", NVMC: CONFIG opens flash for writing or erasing, a word's write is its
 * program.
 */
#include "nvmc.h"

#include "registers.h"

enum { READ_ONLY = 0, CAN_WRITE = 1, CAN_ERASE = 2, WORD = 4 };

/* Ends: the controller has a time for each operation and reports no failure. */
static void wait_ready(void)
{
    while (REG32(NVMC_READY) == 0) {
    }
}

static void open_for(uint32_t what)
{
    REG32(NVMC_CONFIG) = what;
    wait_ready();
}

void nvmc_program(uint32_t addr, const uint8_t *data, size_t size)
{
    open_for(CAN_WRITE);
    for (size_t i = 0; i < size; i += WORD) {
        REG32(addr + i) = (uint32_t)data[i] | (uint32_t)data[i + 1] << 8 |
                          (uint32_t)data[i + 2] << 16 | (uint32_t)data[i + 3] << 24;
        wait_ready();
    }
    open_for(READ_ONLY);
}

void nvmc_erase(uint32_t addr)
{
    open_for(CAN_ERASE);
    REG32(NVMC_ERASE) = addr;
    wait_ready();
    open_for(READ_ONLY);
}
