/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions and sectors: where things lie, from a map and the port's list of areas. All
 * pure; a list of areas is short, so every look-up walks it and no table is built.
 */
#include "otter/map.h"

#include "otter/journal.h"
#include "otter/receipt.h"

static uint32_t area_size(const struct otter_flash_area *area)
{
    return area->sector_size * area->sector_count;
}

const struct otter_region *otter_map_find(const struct otter_map *map, uint8_t id)
{
    for (uint8_t i = 0; i < map->count; i++) {
        if (map->regions[i].id == id) {
            return &map->regions[i];
        }
    }
    return NULL;
}

bool otter_map_is_on_card(const struct otter_map *map)
{
    const struct otter_region *application =
        otter_map_find(map, OTTER_REGION_APPLICATION);

    return application != NULL && (application->flags & OTTER_REGION_CARD) != 0 &&
           otter_map_find(map, OTTER_REGION_SLOT_B) == NULL &&
           otter_map_find(map, OTTER_REGION_STAGING) == NULL;
}

const struct otter_flash_area *otter_flash_area_at(const struct otter_flash *flash,
                                                   uint32_t addr)
{
    for (size_t i = 0; i < flash->area_count; i++) {
        const struct otter_flash_area *area = &flash->areas[i];

        if (addr >= area->addr && addr - area->addr < area_size(area)) {
            return area;
        }
    }
    return NULL;
}

enum otter_result otter_map_sector(const struct otter_flash *flash,
                                   const struct otter_region *region, uint32_t off,
                                   struct otter_sector *sector)
{
    if (off >= region->size) {
        return OTTER_E_FLASH_BOUNDS;
    }
    uint32_t addr = region->addr + off;
    const struct otter_flash_area *area = otter_flash_area_at(flash, addr);

    if (area == NULL) {
        return OTTER_E_FLASH_BOUNDS;
    }
    sector->size = area->sector_size;
    sector->off = off - (addr - area->addr) % area->sector_size;
    return OTTER_OK;
}

/* RAM: no byte of it is flash, and a program that begins there runs there. */
static enum otter_result check_loader(const struct otter_region *region,
                                      const struct otter_flash *flash)
{
    bool is_good = region->size != 0 && region->size <= UINT32_MAX - region->addr &&
                   region->exec == region->addr;

    for (size_t i = 0; i < flash->area_count && is_good; i++) {
        const struct otter_flash_area *area = &flash->areas[i];

        is_good = region->addr < area->addr
                      ? area->addr - region->addr >= region->size
                      : region->addr - area->addr >= area_size(area);
    }
    return is_good ? OTTER_OK : OTTER_E_MAP_ALIGNMENT;
}

/* The region is made of whole sectors with one word size and one erased value. */
static enum otter_result check_region(const struct otter_region *region,
                                      const struct otter_flash *flash)
{
    const struct otter_flash_area *first = otter_flash_area_at(flash, region->addr);
    uint32_t off = 0;

    if (region->size == 0 || region->size > UINT32_MAX - region->addr ||
        first == NULL) {
        return OTTER_E_MAP_ALIGNMENT;
    }
    while (off < region->size) {
        uint32_t addr = region->addr + off;
        const struct otter_flash_area *area = otter_flash_area_at(flash, addr);

        if (area == NULL || (addr - area->addr) % area->sector_size != 0 ||
            area->word_size != first->word_size || area->erased != first->erased) {
            return OTTER_E_MAP_ALIGNMENT;
        }
        uint32_t rest = area_size(area) - (addr - area->addr);
        uint32_t wanted = region->size - off;

        if (wanted < rest && wanted % area->sector_size != 0) {
            return OTTER_E_MAP_ALIGNMENT;
        }
        off += wanted < rest ? wanted : rest;
    }
    return OTTER_OK;
}

static bool regions_overlap(const struct otter_region *a, const struct otter_region *b)
{
    return a->addr < b->addr ? b->addr - a->addr < a->size
                             : a->addr - b->addr < b->size;
}

static enum otter_result check_pairs(const struct otter_map *map)
{
    for (uint8_t i = 0; i < map->count; i++) {
        for (uint8_t k = (uint8_t)(i + 1); k < map->count; k++) {
            if (map->regions[i].id == map->regions[k].id ||
                regions_overlap(&map->regions[i], &map->regions[k])) {
                return OTTER_E_MAP_OVERLAP;
            }
        }
    }
    return OTTER_OK;
}

static uint32_t count_sectors(const struct otter_map *map,
                              const struct otter_flash *flash, uint8_t id)
{
    const struct otter_region *region = otter_map_find(map, id);
    uint32_t count = 0;
    struct otter_sector sector;

    if (region == NULL) {
        return 0;
    }
    for (uint32_t off = 0; otter_map_sector(flash, region, off, &sector) == OTTER_OK;
         off = sector.off + sector.size) {
        count++;
    }
    return count;
}

/* Each copy of a receipt fits into sectors of its own (K1). */
static bool has_receipts(const struct otter_map *map, const struct otter_flash *flash)
{
    struct otter_io io;
    uint32_t off;
    uint32_t size;

    otter_io_init(&io, flash, map);
    for (uint8_t slot = 0; slot < 2; slot++) {
        for (uint8_t copy = 0; copy < (uint8_t)OTTER_RECEIPT_COPIES; copy++) {
            if (otter_receipt_place(&io, slot, copy, &off, &size) != OTTER_OK) {
                return false;
            }
        }
    }
    return true;
}

/* Enough of the sectors that the journal looks at can hold what makes one certain (K2).
 */
static bool has_journal(const struct otter_map *map, const struct otter_flash *flash)
{
    const struct otter_region *journal = otter_map_find(map, OTTER_REGION_JOURNAL);
    struct otter_sector sector = {0, 0};
    uint32_t count = 0;

    for (uint8_t i = 0; i < (uint8_t)OTTER_JOURNAL_SECTORS_MAX; i++) {
        if (otter_map_sector(flash, journal, sector.off + sector.size, &sector) !=
            OTTER_OK) {
            break;
        }
        count += sector.size / OTTER_RECORD_SIZE >= OTTER_JOURNAL_CERTAIN_RECORDS;
    }
    return count >= OTTER_JOURNAL_SECTORS_MIN;
}

/* The table's second copy lies in whole sectors of its own (K8). */
static bool has_halves(const struct otter_map *map, const struct otter_flash *flash)
{
    const struct otter_region *table = otter_map_find(map, OTTER_REGION_TABLE);
    struct otter_sector sector;

    return otter_map_sector(flash, table, table->size / 2, &sector) == OTTER_OK &&
           sector.off == table->size / 2;
}

/* What every device has, with the fewest sectors it needs. */
static const struct {
    uint8_t id;
    uint8_t sectors;
} needed[] = {
    {OTTER_REGION_BOOT, 1},     {OTTER_REGION_TABLE, 2},
    {OTTER_REGION_RECEIPTS, 4}, {OTTER_REGION_JOURNAL, OTTER_JOURNAL_SECTORS_MIN},
    {OTTER_REGION_MANAGER, 1},  {OTTER_REGION_APPLICATION, 1},
};

enum otter_result otter_map_check(const struct otter_map *map,
                                  const struct otter_flash *flash)
{
    if (map->count == 0 || map->count > OTTER_REGIONS_MAX) {
        return OTTER_E_MAP_MISSING;
    }
    for (uint8_t i = 0; i < map->count; i++) {
        enum otter_result result = map->regions[i].id == OTTER_REGION_LOADER
                                       ? check_loader(&map->regions[i], flash)
                                       : check_region(&map->regions[i], flash);

        if (result != OTTER_OK) {
            return result;
        }
    }
    enum otter_result result = check_pairs(map);

    if (result != OTTER_OK) {
        return result;
    }
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (count_sectors(map, flash, needed[i].id) < needed[i].sectors) {
            return OTTER_E_MAP_MISSING;
        }
    }
    if (otter_map_find(map, OTTER_REGION_SLOT_B) == NULL &&
        otter_map_find(map, OTTER_REGION_STAGING) == NULL &&
        !otter_map_is_on_card(map)) {
        return OTTER_E_MAP_MISSING;
    }
    if (!has_receipts(map, flash) || !has_journal(map, flash)) {
        return OTTER_E_MAP_MISSING;
    }
    return has_halves(map, flash) ? OTTER_OK : OTTER_E_MAP_ALIGNMENT;
}
