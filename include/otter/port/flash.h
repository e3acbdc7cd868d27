/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flash port: the memory that otter reads, programs and erases.
 *
 * Rules of the memory: an erase sets a whole sector to its erased value; a program
 * changes bits away from it and never back; a word is programmed at most once
 * between two erases. The library keeps to them; a port may stop hard on a breach.
 */
#ifndef OTTER_PORT_FLASH_H
#define OTTER_PORT_FLASH_H

#include "otter/error.h"

#include <stddef.h>
#include <stdint.h>

/* A run of sectors of one size. Areas are listed in rising order and do not overlap. */
struct otter_flash_area {
    uint32_t addr;         /* device address of the first sector */
    uint32_t sector_size;  /* erase unit in bytes, 256 to 128 KiB */
    uint32_t sector_count; /* sectors in this run */
    uint16_t word_size;    /* program unit in bytes: 1, 2, 4, 8, 16 or 32 */
    uint16_t page_size;    /* most bytes of one program call; a power of two, a
                              multiple of word_size; a call never crosses a multiple
                              of it */
    uint8_t erased;        /* value of an erased byte: 0xFF or 0x00 */
};

/* All functions return only when the whole flash can be read again (K23). Outside the
 * areas they do nothing and answer OTTER_E_FLASH_BOUNDS. */
struct otter_flash {
    void *context;
    const struct otter_flash_area *areas;
    size_t area_count;

    /* Reads `size` bytes, any alignment. OTTER_E_FLASH_READ where the memory cannot
     * tell its content (ECC); `data` is then undefined. */
    enum otter_result (*read)(void *context, uint32_t addr, void *data, size_t size);

    /* Programs whole words of one page. OTTER_E_FLASH_PROGRAM on a failure that the
     * memory reports; the words then hold anything. */
    enum otter_result (*program)(void *context, uint32_t addr, const void *data,
                                 size_t size);

    /* Erases the one sector that begins at `addr`. OTTER_E_FLASH_ERASE on a failure
     * that the memory reports; the sector then holds anything. */
    enum otter_result (*erase)(void *context, uint32_t addr);
};

#endif
