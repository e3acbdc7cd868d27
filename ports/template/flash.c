/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template of the flash port (otter/port/flash.h): to be filled for a board.
 *
 * What the library counts on:
 *   - a function returns only when all flash can be read again. Flash that cannot be
 *     read while it is written is driven by code in RAM, with interrupts and other bus
 *     masters stopped; say in the board's notes for how long (K23)
 *   - no cache holds old bytes when program or erase returns: a read must see flash
 *   - what power loss leaves in a sector may be anything; a read of it may fail, never
 *     trap. A bus fault on an uncorrectable word becomes OTTER_E_FLASH_READ
 *   - an address outside the areas is refused with OTTER_E_FLASH_BOUNDS, also one
 *     whose low bits would be inside
 *   - nothing is retried and nothing is remembered here
 *
 * ports/conformance tries it on the hardware.
 */
#include "port.h"

/* Every run of sectors of one size, in rising order, and nothing that otter must not
 * know. The geometry of a serial NOR chip of 4 MiB stands here. */
static const struct otter_flash_area areas[] = {
    {
        .addr = 0x10000000,
        .sector_size = 0x1000,
        .sector_count = 1024,
        .word_size = 1, /* what one program may write at least; ECC flash: its word */
        .page_size = 256,
        .erased = 0xFF,
    },
};

/* Any address and size inside the areas. `data` may be unaligned. */
static enum otter_result flash_read(void *context, uint32_t addr, void *data,
                                    size_t size)
{
    (void)context;
    (void)addr;
    (void)data;
    (void)size;
    return OTTER_E_FLASH_READ;
}

/* Whole words inside one page, not programmed since their erase. `data` may be
 * unaligned, and lies in RAM. OTTER_OK needs the hardware's own verdict only: the
 * library reads back. */
static enum otter_result flash_program(void *context, uint32_t addr, const void *data,
                                       size_t size)
{
    (void)context;
    (void)addr;
    (void)data;
    (void)size;
    return OTTER_E_FLASH_PROGRAM;
}

/* The one sector that begins at `addr`, also if it seems blank: a blank sector may be
 * one whose erase was cut (K4). */
static enum otter_result flash_erase(void *context, uint32_t addr)
{
    (void)context;
    (void)addr;
    return OTTER_E_FLASH_ERASE;
}

const struct otter_flash port_flash = {
    .context = NULL,
    .areas = areas,
    .area_count = sizeof(areas) / sizeof(areas[0]),
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
};
