/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flash port: the chip's own flash, which lies in the address space. The controller
 * reports no failures; the library reads back what it wrote.
 *
 * Under QEMU resets come at flash operations: qemu.h.
 */
#include "nvmc.h"
#include "otter/memory_map.h"
#include "port.h"
#include "qemu.h"
#include "registers.h"

#include <string.h>

static const struct otter_flash_area areas[] = {
    {
        .addr = MICROBIT_FLASH_ADDR,
        .sector_size = OTTER_SECTOR_SIZE,
        .sector_count = MICROBIT_FLASH_SECTORS,
        .word_size = MICROBIT_FLASH_WORD,
        .page_size = MICROBIT_FLASH_PAGE,
        .erased = 0xFF,
    },
};

/* Flash begins at address 0. */
static bool is_inside(uint32_t addr, size_t size)
{
    uint32_t whole = OTTER_SECTOR_SIZE * MICROBIT_FLASH_SECTORS;

    return addr <= whole && size <= whole - addr;
}

static enum otter_result flash_read(void *context, uint32_t addr, void *data,
                                    size_t size)
{
    (void)context;
    if (!is_inside(addr, size)) {
        return OTTER_E_FLASH_BOUNDS;
    }
    uintptr_t at = addr;

    /* The compiler must not take address 0 for "nothing there". */
    __asm__ volatile("" : "+r"(at));
    memcpy(data, (const void *)at, size);
    return OTTER_OK;
}

static enum otter_result flash_program(void *context, uint32_t addr, const void *data,
                                       size_t size)
{
    (void)context;
    if (!is_inside(addr, size) || addr % MICROBIT_FLASH_WORD != 0 ||
        size % MICROBIT_FLASH_WORD != 0 ||
        size > MICROBIT_FLASH_PAGE - addr % MICROBIT_FLASH_PAGE) {
        return OTTER_E_FLASH_BOUNDS;
    }
    nvmc_program(addr, data, qemu_before(QEMU_PROGRAM, addr, size));
    qemu_after();
    return OTTER_OK;
}

static enum otter_result flash_erase(void *context, uint32_t addr)
{
    (void)context;
    if (!is_inside(addr, OTTER_SECTOR_SIZE) || addr % OTTER_SECTOR_SIZE != 0) {
        return OTTER_E_FLASH_BOUNDS;
    }
    if (qemu_before(QEMU_ERASE, addr, OTTER_SECTOR_SIZE) == OTTER_SECTOR_SIZE) {
        nvmc_erase(addr);
    }
    qemu_after();
    return OTTER_OK;
}

const struct otter_flash port_flash = {
    .context = NULL,
    .areas = areas,
    .area_count = sizeof(areas) / sizeof(areas[0]),
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
};
