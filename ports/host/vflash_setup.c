/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual flash at rest: places and words, creation, the backing file, faults at
 * rest, provisioning, and looking without counting.
 */
#include "vflash_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Failures of the harness itself, never of what is tested. */
void vflash_stop(const char *what)
{
    fprintf(stderr, "vflash: %s\n", what);
    abort();
}

void *vflash_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        vflash_stop("out of memory");
    }
    return memory;
}

/* --- places --- */

const struct vflash_bank *vflash_bank_at(const struct vflash *flash, uint32_t addr)
{
    for (size_t i = 0; i < flash->config.area_count; i++) {
        const struct vflash_bank *bank = &flash->banks[i];

        if (addr >= bank->area->addr && addr - bank->area->addr < bank->size) {
            return bank;
        }
    }
    return NULL;
}

bool vflash_find(const struct vflash *flash, uint32_t addr, struct vflash_place *place)
{
    const struct vflash_bank *bank = vflash_bank_at(flash, addr);

    if (bank == NULL) {
        return false;
    }
    uint32_t sector_size = bank->area->sector_size;
    uint32_t number = (addr - bank->area->addr) / sector_size;

    place->bank = bank;
    place->index = bank->first_sector + number;
    place->sector = &flash->sectors[place->index];
    place->addr = bank->area->addr + number * sector_size;
    place->off = bank->base + (size_t)number * sector_size;
    place->word_count = sector_size / bank->area->word_size;
    place->word = bank->first_word + number * place->word_count;
    return true;
}

struct vflash_place vflash_must_find(const struct vflash *flash, uint32_t addr)
{
    struct vflash_place place;

    if (!vflash_find(flash, addr, &place)) {
        vflash_stop("an address outside all areas");
    }
    return place;
}

/* --- words --- */

void vflash_set_flags(struct vflash *flash, const struct vflash_word_place *word,
                      unsigned flags)
{
    size_t was_odd = (*word->flags & VFLASH_FLAGS_ODD) != 0;
    size_t is_odd = (flags & VFLASH_FLAGS_ODD) != 0;

    word->sector->odd_count = (uint32_t)(word->sector->odd_count + is_odd - was_odd);
    flash->odd_count += is_odd - was_odd;
    *word->flags = (uint8_t)flags;
}

bool vflash_is_erased(const uint8_t *bytes, size_t size, uint8_t erased)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != erased) {
            return false;
        }
    }
    return true;
}

/* --- faults at rest, provisioning, looking --- */

void vflash_flip(struct vflash *flash, uint32_t addr, unsigned bit)
{
    struct vflash_place place = vflash_must_find(flash, addr);
    size_t off = place.off + (addr - place.addr);

    vflash_touch(flash, place.sector);
    flash->content[off] = (uint8_t)(flash->content[off] ^ 1U << (bit & 7));
    vflash_file_write(flash, off, 1);
}

static struct vflash_word_place word_at(struct vflash *flash, uint32_t addr,
                                        struct vflash_place *place)
{
    *place = vflash_must_find(flash, addr);
    return vflash_word_of(flash, place,
                          (addr - place->addr) / place->bank->area->word_size);
}

void vflash_kill_word(struct vflash *flash, uint32_t addr)
{
    struct vflash_place place;
    struct vflash_word_place word = word_at(flash, addr, &place);

    vflash_touch(flash, place.sector);
    vflash_set_flags(flash, &word,
                     VFLASH_FLAG_PROGRAMMED | VFLASH_FLAG_TORN | VFLASH_FLAG_DEAD);
}

void vflash_set_bad(struct vflash *flash, uint32_t addr, bool is_bad)
{
    vflash_must_find(flash, addr).sector->is_bad = is_bad;
}

void vflash_provision(struct vflash *flash, uint32_t addr, const void *data,
                      size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        struct vflash_place place;
        struct vflash_word_place word = word_at(flash, addr, &place);
        size_t skip = (size_t)(addr - place.addr) + place.off - word.off;
        size_t len = size < word.size - skip ? size : word.size - skip;

        vflash_touch(flash, place.sector);
        memcpy(word.content + skip, from, len);
        vflash_set_flags(flash, &word,
                         vflash_is_erased(word.content, word.size, word.erased)
                             ? 0U
                             : (unsigned)VFLASH_FLAG_PROGRAMMED);
        vflash_file_write(flash, word.off + skip, len);
        addr += (uint32_t)len;
        from += len;
        size -= len;
    }
}

const uint8_t *vflash_peek(const struct vflash *flash, uint32_t addr, size_t size)
{
    const struct vflash_bank *bank = vflash_must_find(flash, addr).bank;
    size_t off = bank->base + (addr - bank->area->addr);

    /* The next area's bytes follow in `content`; it must follow in addresses, too. */
    for (size_t end = bank->base + bank->size; size > end - off; end += bank->size) {
        uint32_t next_addr = bank->area->addr + bank->size;

        if (++bank == flash->banks + flash->config.area_count ||
            bank->area->addr != next_addr) {
            vflash_stop("a look past an area's end");
        }
    }
    return flash->content + off;
}

enum vflash_word vflash_word_at(const struct vflash *flash, uint32_t addr)
{
    struct vflash_place place = vflash_must_find(flash, addr);
    unsigned flags =
        flash->words[place.word + (addr - place.addr) / place.bank->area->word_size];

    if ((flags & VFLASH_FLAG_DEAD) != 0) {
        return VFLASH_WORD_DEAD;
    }
    if ((flags & VFLASH_FLAGS_UNSTABLE) != 0) {
        return VFLASH_WORD_UNSTABLE;
    }
    if ((flags & VFLASH_FLAG_TORN) != 0) {
        return VFLASH_WORD_TORN;
    }
    return (flags & VFLASH_FLAG_PROGRAMMED) != 0 ? VFLASH_WORD_PROGRAMMED
                                                 : VFLASH_WORD_ERASED;
}

size_t vflash_sector_index(const struct vflash *flash, uint32_t addr)
{
    return vflash_must_find(flash, addr).index;
}

uint32_t vflash_sector_size(const struct vflash *flash, uint32_t addr)
{
    return vflash_must_find(flash, addr).bank->area->sector_size;
}

uint32_t vflash_erases(const struct vflash *flash, uint32_t addr)
{
    return vflash_must_find(flash, addr).sector->erases;
}

uint32_t vflash_erases_max(const struct vflash *flash, uint32_t addr, uint32_t size)
{
    uint32_t most = 0;

    for (uint32_t done = 0; done < size;) {
        struct vflash_place place = vflash_must_find(flash, addr + done);

        most = place.sector->erases > most ? place.sector->erases : most;
        done += place.bank->area->sector_size;
    }
    return most;
}

void vflash_measure_reset(struct vflash *flash)
{
    memset(&flash->counts, 0, sizeof(flash->counts));
    for (size_t i = 0; i < flash->sector_count; i++) {
        flash->sectors[i].erases = 0;
    }
}

/* --- the file --- */

void vflash_file_write(const struct vflash *flash, size_t off, size_t size)
{
    if (flash->file < 0) {
        return;
    }
    while (size > 0) {
        ssize_t done = pwrite(flash->file, flash->content + off, size, (off_t)off);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            vflash_stop("the backing file cannot be written");
        }
        off += (size_t)done;
        size -= (size_t)done;
    }
}

static bool file_read(const struct vflash *flash)
{
    for (size_t off = 0; off < flash->size;) {
        ssize_t done =
            pread(flash->file, flash->content + off, flash->size - off, (off_t)off);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        off += (size_t)done;
    }
    return true;
}

/* Opens the file and fills the content from it, or makes it from the content. */
static bool file_open(struct vflash *flash)
{
    struct stat status;

    flash->file = open(flash->config.path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (flash->file < 0 || fstat(flash->file, &status) != 0) {
        return false;
    }
    if (status.st_size == 0) {
        vflash_file_write(flash, 0, flash->size);
        return true;
    }
    return (uintmax_t)status.st_size == flash->size && file_read(flash);
}

/* --- creation --- */

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static bool is_area_good(const struct otter_flash_area *area)
{
    return area->sector_size >= 256 && area->sector_size <= 131072 &&
           area->sector_count > 0 &&
           area->sector_count <= (UINT32_MAX - area->addr) / area->sector_size &&
           is_power_of_two(area->word_size) && area->word_size <= VFLASH_WORD_MAX &&
           is_power_of_two(area->page_size) && area->page_size >= area->word_size &&
           area->sector_size % area->page_size == 0 &&
           area->addr % area->page_size == 0 &&
           (area->erased == 0xFF || area->erased == 0x00);
}

/* Lays the areas out one after another in the arrays. */
static bool lay_out(struct vflash *flash)
{
    uint64_t end = 0;

    for (size_t i = 0; i < flash->config.area_count; i++) {
        const struct otter_flash_area *area = &flash->config.areas[i];

        if (!is_area_good(area) || area->addr < end) {
            return false;
        }
        flash->banks[i] = (struct vflash_bank){
            .area = area,
            .size = area->sector_size * area->sector_count,
            .base = flash->size,
            .first_sector = flash->sector_count,
            .first_word = flash->word_count,
        };
        end = (uint64_t)area->addr + flash->banks[i].size;
        flash->size += flash->banks[i].size;
        flash->sector_count += area->sector_count;
        flash->word_count += flash->banks[i].size / area->word_size;
    }
    return true;
}

/* A word counts as programmed if it is not erased. */
static void derive_words(struct vflash *flash)
{
    for (size_t i = 0; i < flash->config.area_count; i++) {
        const struct vflash_bank *bank = &flash->banks[i];
        size_t size = bank->area->word_size;

        for (size_t j = 0; j < bank->size / size; j++) {
            const uint8_t *word = flash->content + bank->base + j * size;

            flash->words[bank->first_word + j] =
                vflash_is_erased(word, size, bank->area->erased)
                    ? 0
                    : VFLASH_FLAG_PROGRAMMED;
        }
    }
}

static void set_timing(struct vflash_timing *timing)
{
    if (timing->program_ns == 0 && timing->byte_ns == 0 && timing->erase_ns == 0) {
        *timing = (struct vflash_timing){.program_ns = VFLASH_PROGRAM_NS,
                                         .byte_ns = VFLASH_BYTE_NS,
                                         .erase_ns = VFLASH_ERASE_NS};
    }
}

enum otter_result vflash_create(struct vflash *flash,
                                const struct vflash_config *config)
{
    memset(flash, 0, sizeof(*flash));
    flash->config = *config;
    flash->file = -1;
    set_timing(&flash->config.timing);
    if (config->area_count == 0 || config->area_count > VFLASH_AREAS_MAX ||
        !lay_out(flash)) {
        return OTTER_E_FLASH_BOUNDS;
    }
    flash->content = vflash_alloc(flash->size);
    flash->words = vflash_alloc(flash->word_count);
    flash->sectors = vflash_alloc(flash->sector_count * sizeof(flash->sectors[0]));
    for (size_t i = 0; i < config->area_count; i++) {
        memset(flash->content + flash->banks[i].base, config->areas[i].erased,
               flash->banks[i].size);
    }
    if (config->path != NULL && !file_open(flash)) {
        vflash_destroy(flash);
        return OTTER_E_FLASH_READ;
    }
    derive_words(flash);
    return OTTER_OK;
}

void vflash_destroy(struct vflash *flash)
{
    for (size_t i = 0; i < flash->sector_count; i++) {
        vflash_touch(flash, &flash->sectors[i]);
    }
    free(flash->content);
    free(flash->later);
    free(flash->words);
    free(flash->sectors);
    if (flash->file >= 0) {
        (void)close(flash->file);
    }
    memset(flash, 0, sizeof(*flash));
    flash->file = -1;
}
