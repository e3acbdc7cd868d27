/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flash port: the serial NOR chip at its window. Reads go through the window; the
 * controller makes read commands of them. Nothing is cached and programs run from RAM,
 * so all flash can be read as soon as the chip is not busy (K23).
 */
#include "otter/memory_map.h"
#include "port.h"
#include "spi_nor.h"

static const struct otter_flash_area areas[] = {
    {
        .addr = AST1030_FLASH_ADDR,
        .sector_size = OTTER_SECTOR_SIZE,
        .sector_count = AST1030_FLASH_SECTORS,
        .word_size = 1,
        .page_size = AST1030_FLASH_PAGE,
        .erased = 0xFF,
    },
};

static bool is_inside(uint32_t addr, size_t size)
{
    uint32_t whole = OTTER_SECTOR_SIZE * AST1030_FLASH_SECTORS;

    return addr >= AST1030_FLASH_ADDR && addr - AST1030_FLASH_ADDR <= whole &&
           size <= whole - (addr - AST1030_FLASH_ADDR);
}

static enum otter_result flash_read(void *context, uint32_t addr, void *data,
                                    size_t size)
{
    (void)context;
    if (!is_inside(addr, size)) {
        return OTTER_E_FLASH_BOUNDS;
    }
    spi_nor_read(&spi_nor_flash, addr - AST1030_FLASH_ADDR, data, size);
    return OTTER_OK;
}

/* The chip would begin at the page's start again (or, under QEMU, go on in the next
 * one): a program that crosses its end is a defect. */
static enum otter_result flash_program(void *context, uint32_t addr, const void *data,
                                       size_t size)
{
    uint32_t off = addr - AST1030_FLASH_ADDR;

    (void)context;
    if (!is_inside(addr, size) ||
        size > AST1030_FLASH_PAGE - off % AST1030_FLASH_PAGE) {
        return OTTER_E_FLASH_BOUNDS;
    }
    return spi_nor_program(&spi_nor_flash, off, data, size);
}

static enum otter_result flash_erase(void *context, uint32_t addr)
{
    uint32_t off = addr - AST1030_FLASH_ADDR;

    (void)context;
    if (!is_inside(addr, OTTER_SECTOR_SIZE) || off % OTTER_SECTOR_SIZE != 0) {
        return OTTER_E_FLASH_BOUNDS;
    }
    return spi_nor_erase(&spi_nor_flash, off);
}

const struct otter_flash port_flash = {
    .context = NULL,
    .areas = areas,
    .area_count = sizeof(areas) / sizeof(areas[0]),
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
};
