/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the flash port (otter/port/flash.h), inside scratch.
 */
#include "check_inner.h"

#include <stddef.h>
#include <string.h>

enum { SECTOR_MIN = 256, SECTOR_MAX = 128 * 1024, WORD_MAX = 32 };

/* Salts of bytes that are written; another one for each time. */
enum { SALT_WORD = 1, SALT_BESIDE, SALT_PAGE, SALT_UNALIGNED, SALT_SECTOR, SALT_KEPT };

/* --- what most checks need --- */

static uint32_t sector_at(const struct port_check *check, uint32_t index)
{
    return check->scratch_addr + index * port_check_area(check)->sector_size;
}

/* Programs a whole sector, page by page. */
static bool fill(struct port_check *check, uint32_t addr, uint8_t salt)
{
    return port_check_program(check, addr, port_check_area(check)->sector_size, salt,
                              0);
}

/* --- the checks --- */

static bool is_power_of_two(uint32_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static bool is_area_sound(const struct otter_flash_area *area)
{
    return area->sector_size >= SECTOR_MIN && area->sector_size <= SECTOR_MAX &&
           area->sector_count != 0 && is_power_of_two(area->word_size) &&
           area->word_size <= WORD_MAX && is_power_of_two(area->page_size) &&
           area->page_size >= area->word_size &&
           area->sector_size % area->word_size == 0 &&
           (area->erased == 0xFF || area->erased == 0x00) &&
           area->sector_count - 1 <= (UINT32_MAX - area->addr) / area->sector_size;
}

static enum check_verdict check_areas(struct port_check *check)
{
    const struct otter_flash *flash = check->ports->flash;
    uint64_t end = 0;

    for (size_t i = 0; i < flash->area_count; i++) {
        const struct otter_flash_area *area = &flash->areas[i];

        if (!is_area_sound(area) || area->addr < end) {
            return port_check_fail(check, area->addr);
        }
        end = area->addr + (uint64_t)area->sector_size * area->sector_count;
    }
    return port_check_verdict(flash->area_count != 0);
}

static enum check_verdict check_scratch(struct port_check *check)
{
    check->has_scratch = port_check_area(check) != NULL;
    return check->has_scratch ? CHECK_PASSED
                              : port_check_fail(check, check->scratch_addr);
}

/* Erases sector `index` and looks at all of it. */
static bool blank(struct port_check *check, uint32_t index)
{
    return port_check_erase(check, sector_at(check, index)) &&
           port_check_is_erased(check, sector_at(check, index),
                                port_check_area(check)->sector_size);
}

/* When it is blank; when only its last word is not, so that a glance at its begin says
 * blank; when it is full, and was read as such (caches). */
static bool erases(struct port_check *check, uint32_t index)
{
    const struct otter_flash_area *area = port_check_area(check);
    uint32_t sector = sector_at(check, index);
    uint32_t last = sector + area->sector_size - area->word_size;

    return blank(check, index) &&
           port_check_program(check, last, area->word_size, SALT_WORD, 0) &&
           blank(check, index) && fill(check, sector, SALT_WORD) &&
           port_check_holds(check, sector, area->sector_size, SALT_WORD) &&
           blank(check, index);
}

static enum check_verdict check_erase(struct port_check *check)
{
    bool is_good = true;

    for (uint32_t i = 0; i < 2 && is_good; i++) {
        is_good = blank(check, i) && erases(check, i); /* blank: whatever it held */
    }
    return port_check_verdict(is_good);
}

/* Two words in the middle of an erased sector, and nothing else. */
static enum check_verdict check_word(struct port_check *check)
{
    const struct otter_flash_area *area = port_check_area(check);
    uint32_t sector = sector_at(check, 0);
    uint32_t word = area->word_size;
    uint32_t at = sector + area->sector_size / 2;
    uint32_t after = at + 2 * word;

    return port_check_verdict(
        port_check_erase(check, sector) &&
        port_check_program(check, at, word, SALT_WORD, 0) &&
        port_check_holds(check, at, word, SALT_WORD) &&
        port_check_is_erased(check, sector, at - sector) &&
        port_check_is_erased(check, at + word,
                             sector + area->sector_size - at - word) &&
        port_check_program(check, at + word, word, SALT_BESIDE, 0) &&
        port_check_holds(check, at, word, SALT_WORD) &&
        port_check_holds(check, at + word, word, SALT_BESIDE) &&
        port_check_is_erased(check, sector, at - sector) &&
        port_check_is_erased(check, after, sector + area->sector_size - after));
}

static enum check_verdict check_pages(struct port_check *check)
{
    uint32_t sector = sector_at(check, 1);

    return port_check_verdict(
        port_check_erase(check, sector) && fill(check, sector, SALT_PAGE) &&
        port_check_holds(check, sector, port_check_area(check)->sector_size,
                         SALT_PAGE));
}

/* All of a page but its first word, from an odd address. */
static enum check_verdict check_unaligned(struct port_check *check)
{
    const struct otter_flash_area *area = port_check_area(check);
    uint32_t sector = sector_at(check, 1);
    uint32_t page = port_check_page(check);
    uint32_t word = page > area->word_size ? area->word_size : 0;

    return port_check_verdict(
        port_check_erase(check, sector) &&
        port_check_program(check, sector + word, page - word, SALT_UNALIGNED, 1) &&
        port_check_is_erased(check, sector, word) &&
        port_check_holds(check, sector + word, page - word, SALT_UNALIGNED) &&
        port_check_is_erased(check, sector + page, area->sector_size - page));
}

/* Any first address, any size, and no byte beside those asked for. */
static enum check_verdict check_reads(struct port_check *check)
{
    enum { OFFS = 9, SIZES = 11, GUARD = 0x5A };
    const struct otter_flash *flash = check->ports->flash;
    uint32_t sector = sector_at(check, 1);
    uint8_t bytes[SIZES + 2];

    if (!port_check_erase(check, sector) || !fill(check, sector, SALT_PAGE)) {
        return CHECK_FAILED;
    }
    for (uint32_t off = 0; off < OFFS; off++) {
        for (uint32_t size = 1; size <= SIZES; size++) {
            memset(bytes, GUARD, sizeof(bytes));
            bool is_good = flash->read(flash->context, sector + off, bytes + 1, size) ==
                               OTTER_OK &&
                           bytes[0] == GUARD && bytes[size + 1] == GUARD;

            for (uint32_t i = 0; i < size; i++) {
                is_good &= bytes[1 + i] == port_check_byte(sector + off + i, SALT_PAGE);
            }
            if (!is_good) {
                return port_check_fail(check, sector + off);
            }
        }
    }
    return CHECK_PASSED;
}

/* All sectors of scratch differ in their first bytes, and still do at the end. */
static enum check_verdict check_places(struct port_check *check)
{
    enum { MARK_SIZE = 32 };
    uint32_t size = port_check_area(check)->sector_size;
    uint32_t count = check->scratch_size / size;
    bool is_good = true;

    for (uint32_t i = 0; i < count && is_good; i++) {
        is_good = port_check_erase(check, sector_at(check, i));
    }
    for (uint32_t i = 0; i < count && is_good; i++) {
        is_good =
            port_check_program(check, sector_at(check, i), MARK_SIZE, SALT_SECTOR, 0);
    }
    for (uint32_t i = 0; i < count && is_good; i++) {
        uint32_t sector = sector_at(check, i);

        is_good = port_check_holds(check, sector, MARK_SIZE, SALT_SECTOR) &&
                  port_check_is_erased(check, sector + MARK_SIZE, size - MARK_SIZE);
    }
    return port_check_verdict(is_good);
}

static enum check_verdict check_neighbours(struct port_check *check)
{
    uint32_t size = port_check_area(check)->sector_size;

    for (uint32_t i = 0; i < 2; i++) {
        if (!port_check_erase(check, sector_at(check, i)) ||
            !fill(check, sector_at(check, i), SALT_KEPT)) {
            return CHECK_FAILED;
        }
    }
    return port_check_verdict(
        port_check_erase(check, sector_at(check, 0)) &&
        port_check_holds(check, sector_at(check, 1), size, SALT_KEPT) &&
        fill(check, sector_at(check, 0), SALT_WORD) &&
        port_check_erase(check, sector_at(check, 1)) &&
        port_check_holds(check, sector_at(check, 0), size, SALT_WORD));
}

static bool is_in_areas(const struct otter_flash *flash, uint32_t addr)
{
    for (size_t i = 0; i < flash->area_count; i++) {
        const struct otter_flash_area *area = &flash->areas[i];

        if (addr >= area->addr &&
            addr - area->addr < area->sector_size * area->sector_count) {
            return true;
        }
    }
    return false;
}

/* An address outside that is scratch's but for a bit above the chip's size: a port that
 * drops it does no harm. 0 if there is none. */
static uint32_t outside_of(const struct port_check *check)
{
    const struct otter_flash_area *area = port_check_area(check);

    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        uint32_t addr = check->scratch_addr + bit;

        if (bit >= area->sector_size * area->sector_count &&
            addr > check->scratch_addr && !is_in_areas(check->ports->flash, addr)) {
            return addr;
        }
    }
    return 0;
}

static enum check_verdict check_outside(struct port_check *check)
{
    const struct otter_flash *flash = check->ports->flash;
    const struct otter_flash_area *area = port_check_area(check);
    uint32_t outside = outside_of(check);
    uint32_t end = area->addr + area->sector_size * area->sector_count;
    uint32_t word = area->word_size;

    memset(check->data, area->erased, word);
    if (outside != 0 &&
        (flash->read(flash->context, outside, check->data + word, 1) == OTTER_OK ||
         flash->program(flash->context, outside, check->data, word) == OTTER_OK ||
         flash->erase(flash->context, outside) == OTTER_OK)) {
        return port_check_fail(check, outside);
    }
    if (!is_in_areas(flash, end) &&
        flash->read(flash->context, end - 1, check->data, 2) == OTTER_OK) {
        return port_check_fail(check, end - 1);
    }
    return CHECK_PASSED;
}

static enum check_verdict check_time(struct port_check *check, uint32_t ms,
                                     uint32_t ms_max)
{
    if (ms_max == 0 || !check->has_clock) {
        return CHECK_SKIPPED;
    }
    enum check_verdict verdict = port_check_verdict(ms <= ms_max);

    check->detail = ms;
    check->unit = "ms at most were seen";
    return verdict;
}

static enum check_verdict check_program_time(struct port_check *check)
{
    return check_time(check, check->program_ms, check->program_ms_max);
}

static enum check_verdict check_erase_time(struct port_check *check)
{
    return check_time(check, check->erase_ms, check->erase_ms_max);
}

const struct check_row port_check_flash[] = {
    {"the areas rise and have sizes that otter takes", check_areas, false},
    {"scratch is two or more whole sectors of one area", check_scratch, false},
    {"an erase leaves every byte of its sector erased", check_erase, true},
    {"a program of one word leaves all others", check_word, true},
    {"each page can be programmed in one call", check_pages, true},
    {"data may lie at an odd address", check_unaligned, true},
    {"any bytes can be read, and no others are touched", check_reads, true},
    {"every sector has a place of its own", check_places, true},
    {"an erase leaves the sectors beside it", check_neighbours, true},
    {"nothing outside the areas is read, programmed or erased", check_outside, true},
    {"no program takes longer than stated", check_program_time, true},
    {"no erase takes longer than stated", check_erase_time, true},
    {NULL, NULL, false},
};
