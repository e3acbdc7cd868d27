/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one caller of the flash port (but for the table, which is read before there is
 * a map). Checks region, bounds and permission, splits at pages, reads back every
 * program, counts erases. Files of the card are read through it, too, so that whoever
 * reads a store need not know what it is.
 */
#include "otter/io.h"

#include <string.h>

void otter_io_init(struct otter_io *io, const struct otter_flash *flash,
                   const struct otter_map *map)
{
    memset(io, 0, sizeof(*io));
    io->flash = flash;
    io->map = map;
}

void otter_io_open(struct otter_io *io, uint8_t id)
{
    if (id < OTTER_REGION_ID_COUNT) {
        io->open_regions = (uint16_t)(io->open_regions | (1U << id));
    }
}

void otter_io_close(struct otter_io *io, uint8_t id)
{
    if (id < OTTER_REGION_ID_COUNT) {
        io->open_regions = (uint16_t)(io->open_regions & ~(1U << id));
    }
}

static const struct otter_region *find_span(const struct otter_io *io, uint8_t id,
                                            uint32_t off, size_t size)
{
    const struct otter_region *region = otter_map_find(io->map, id);

    if (region == NULL || off > region->size || size > region->size - off) {
        return NULL;
    }
    return region;
}

static bool is_open(const struct otter_io *io, uint8_t id)
{
    return id < OTTER_REGION_ID_COUNT && (io->open_regions & (1U << id)) != 0;
}

static enum otter_result read_open_file(const struct otter_io *io,
                                        enum otter_card_files which, uint32_t off,
                                        void *data, size_t size)
{
    if (io->card_files == NULL || io->card_files[which].read == NULL) {
        return OTTER_E_CARD_NONE;
    }
    const struct otter_source *file = &io->card_files[which];

    if (off > file->size || size > file->size - off) {
        return OTTER_E_FLASH_BOUNDS;
    }
    return file->read(file->context, off, data, size);
}

enum otter_result otter_io_read(const struct otter_io *io, uint8_t id, uint32_t off,
                                void *data, size_t size)
{
    if (id == OTTER_REGION_PACKAGE_FILE) {
        return read_open_file(io, OTTER_CARD_PACKAGE, off, data, size);
    }
    if (id == OTTER_REGION_SAVED_FILE) {
        return read_open_file(io, OTTER_CARD_SAVED, off, data, size);
    }
    if (id == OTTER_REGION_TREE_FILE) {
        return read_open_file(io, OTTER_CARD_TREE, off, data, size);
    }
    const struct otter_region *region = find_span(io, id, off, size);

    if (region == NULL) {
        return OTTER_E_FLASH_BOUNDS;
    }
    return io->flash->read(io->flash->context, region->addr + off, data, size);
}

enum otter_result otter_io_erase(struct otter_io *io, uint8_t id, uint32_t off)
{
    const struct otter_region *region = find_span(io, id, off, 1);
    struct otter_sector sector;

    if (region == NULL ||
        otter_map_sector(io->flash, region, off, &sector) != OTTER_OK) {
        return OTTER_E_FLASH_BOUNDS;
    }
    if (!is_open(io, id)) {
        return OTTER_E_FLASH_FORBIDDEN;
    }
    io->erases[id]++;
    return io->flash->erase(io->flash->context, region->addr + sector.off);
}

/* Reads back what was just programmed, 32 bytes at a time. */
static enum otter_result verify(const struct otter_io *io, uint32_t addr,
                                const uint8_t *data, size_t size)
{
    uint8_t back[32];

    for (size_t done = 0; done < size;) {
        size_t len = size - done < sizeof(back) ? size - done : sizeof(back);

        if (io->flash->read(io->flash->context, addr + (uint32_t)done, back, len) !=
                OTTER_OK ||
            memcmp(back, data + done, len) != 0) {
            return OTTER_E_FLASH_VERIFY;
        }
        done += len;
    }
    return OTTER_OK;
}

enum otter_result otter_io_program(struct otter_io *io, uint8_t id, uint32_t off,
                                   const void *data, size_t size, size_t *done)
{
    const struct otter_region *region = find_span(io, id, off, size);
    const struct otter_flash_area *area =
        region == NULL ? NULL : otter_flash_area_at(io->flash, region->addr + off);

    *done = 0;
    if (area == NULL || off % area->word_size != 0 || size % area->word_size != 0) {
        return OTTER_E_FLASH_BOUNDS;
    }
    if (!is_open(io, id)) {
        return OTTER_E_FLASH_FORBIDDEN;
    }
    if (size == 0) {
        return OTTER_OK; /* the port's program takes one word or more */
    }
    uint32_t addr = region->addr + off;
    size_t rest = area->page_size - (addr - area->addr) % area->page_size;
    size_t len = size < rest ? size : rest;
    enum otter_result result = io->flash->program(io->flash->context, addr, data, len);

    if (result != OTTER_OK) {
        return result;
    }
    *done = len;
    return verify(io, addr, data, len);
}

enum otter_result otter_io_sector(const struct otter_io *io, uint8_t id, uint32_t off,
                                  struct otter_sector *sector)
{
    const struct otter_region *region = otter_map_find(io->map, id);

    return region == NULL ? OTTER_E_FLASH_BOUNDS
                          : otter_map_sector(io->flash, region, off, sector);
}

static const struct otter_flash_area *area_of(const struct otter_io *io, uint8_t id)
{
    const struct otter_region *region = otter_map_find(io->map, id);

    return region == NULL ? NULL : otter_flash_area_at(io->flash, region->addr);
}

uint32_t otter_io_word_size(const struct otter_io *io, uint8_t id)
{
    const struct otter_flash_area *area = area_of(io, id);

    return area == NULL ? 1 : area->word_size;
}

uint8_t otter_io_erased(const struct otter_io *io, uint8_t id)
{
    const struct otter_flash_area *area = area_of(io, id);

    return area == NULL ? 0xFF : area->erased;
}

static enum otter_result span_read(const void *context, uint32_t off, void *data,
                                   size_t len)
{
    const struct otter_span *span = context;

    return otter_io_read(span->io, span->region, span->off + off, data, len);
}

struct otter_source otter_span_source(const struct otter_span *span, uint32_t size)
{
    return (struct otter_source){.context = span, .size = size, .read = span_read};
}
