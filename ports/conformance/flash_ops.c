/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs, erases and comparisons for the checks, inside scratch. Every byte that is
 * programmed follows from its address and a salt, so no copy of what must be there is
 * needed, and bytes that went to a wrong place are seen.
 */
#include "check_inner.h"

#include <stddef.h>

enum { PIECE = 32 };

uint8_t port_check_byte(uint32_t addr, uint8_t salt)
{
    uint32_t mixed = (addr + (uint32_t)salt * 0x01000193U) * 0x9E3779B1U;

    return (uint8_t)((mixed ^ mixed >> 15) >> 8);
}

const struct otter_flash_area *port_check_area(const struct port_check *check)
{
    const struct otter_flash *flash = check->ports->flash;

    for (size_t i = 0; i < flash->area_count; i++) {
        const struct otter_flash_area *area = &flash->areas[i];
        uint32_t size = area->sector_size * area->sector_count;
        uint32_t off = check->scratch_addr - area->addr;

        if (check->scratch_addr >= area->addr && off < size &&
            check->scratch_size <= size - off && off % area->sector_size == 0 &&
            check->scratch_size % area->sector_size == 0 &&
            check->scratch_size / area->sector_size >= 2) {
            return area;
        }
    }
    return NULL;
}

/* --- operations --- */

static void note_time(const struct port_check *check, uint32_t start_ms,
                      uint32_t *longest_ms)
{
    uint32_t ms = port_check_ms(check) - start_ms;

    if (ms > *longest_ms) {
        *longest_ms = ms;
    }
}

uint32_t port_check_page(const struct port_check *check)
{
    const struct otter_flash_area *area = port_check_area(check);
    uint32_t page = area->page_size;

    page = page < OTTER_PAGE_MAX ? page : OTTER_PAGE_MAX;
    return page < area->sector_size ? page : area->sector_size;
}

/* One call of the port. */
static bool program_page(struct port_check *check, uint32_t addr, const uint8_t *data,
                         uint32_t size)
{
    const struct otter_flash *flash = check->ports->flash;
    uint32_t start_ms = port_check_ms(check);
    enum otter_result result = flash->program(flash->context, addr, data, size);

    note_time(check, start_ms, &check->program_ms);
    if (result != OTTER_OK) {
        (void)port_check_fail(check, addr);
    }
    return result == OTTER_OK;
}

bool port_check_program(struct port_check *check, uint32_t addr, uint32_t size,
                        uint8_t salt, unsigned shift)
{
    uint32_t page = port_check_page(check);

    while (size != 0) {
        uint32_t left = page - addr % page;
        uint32_t len = size < left ? size : left;

        for (uint32_t i = 0; i < len; i++) {
            check->data[shift + i] = port_check_byte(addr + i, salt);
        }
        if (!program_page(check, addr, check->data + shift, len)) {
            return false;
        }
        addr += len;
        size -= len;
    }
    return true;
}

bool port_check_erase(struct port_check *check, uint32_t addr)
{
    const struct otter_flash *flash = check->ports->flash;

    port_check_feed(check);
    uint32_t start_ms = port_check_ms(check);
    enum otter_result result = flash->erase(flash->context, addr);

    note_time(check, start_ms, &check->erase_ms);
    if (result != OTTER_OK) {
        (void)port_check_fail(check, addr);
    }
    return result == OTTER_OK;
}

/* --- comparisons --- */

/* What a byte must be: erased, or as a salt has it. */
struct wanted {
    bool is_erased;
    uint8_t value; /* erased: the value; else the salt */
};

static bool compare(struct port_check *check, uint32_t addr, uint32_t size,
                    struct wanted wanted)
{
    const struct otter_flash *flash = check->ports->flash;
    uint8_t piece[PIECE];

    for (uint32_t done = 0; done < size;) {
        uint32_t len = size - done < PIECE ? size - done : PIECE;

        if (flash->read(flash->context, addr + done, piece, len) != OTTER_OK) {
            (void)port_check_fail(check, addr + done);
            return false;
        }
        for (uint32_t i = 0; i < len; i++, done++) {
            if (piece[i] != (wanted.is_erased
                                 ? wanted.value
                                 : port_check_byte(addr + done, wanted.value))) {
                (void)port_check_fail(check, addr + done);
                return false;
            }
        }
    }
    return true;
}

bool port_check_holds(struct port_check *check, uint32_t addr, uint32_t size,
                      uint8_t salt)
{
    return compare(check, addr, size, (struct wanted){false, salt});
}

bool port_check_is_erased(struct port_check *check, uint32_t addr, uint32_t size)
{
    return compare(check, addr, size,
                   (struct wanted){true, port_check_area(check)->erased});
}
