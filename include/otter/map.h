/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map: which span of flash is which region. It comes from the flash table; the
 * program itself only knows where that table lies (memory_map.h).
 */
#ifndef OTTER_MAP_H
#define OTTER_MAP_H

#include "otter/config.h"
#include "otter/error.h"
#include "otter/port/flash.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Region ids are part of the formats of table and control packet. */
enum otter_region_id {
    OTTER_REGION_NONE = 0,
    OTTER_REGION_BOOT = 1,
    OTTER_REGION_TABLE = 2,
    OTTER_REGION_RECEIPTS = 3,
    OTTER_REGION_JOURNAL = 4,
    OTTER_REGION_MANAGER = 5,
    OTTER_REGION_APPLICATION = 6, /* the only application, or slot A */
    OTTER_REGION_SLOT_B = 7,      /* present on an A/B device only */
    OTTER_REGION_STAGING = 8,     /* "upgrade bin" of other systems */
    OTTER_REGION_RESOURCES = 9,   /* what a system has besides programs: both systems */
    OTTER_REGION_FONT = 10,       /* of a device share these two */
    OTTER_REGION_ID_COUNT,

    /* No flash: RAM in which boot runs a loader that a package brings. It begins where
     * it runs; nobody erases or programs it (K15). */
    OTTER_REGION_LOADER = OTTER_REGION_ID_COUNT,

    /* 0xE0 is OTTER_REGION_TREE of control.h, which is no span of flash.
     *
     * No spans of flash and in no format: files on the card, read as if they were
     * regions while the device has them open (card.h). */
    OTTER_REGION_PACKAGE_FILE = 0xF0,
    OTTER_REGION_SAVED_FILE = 0xF1,
    OTTER_REGION_TREE_FILE = 0xF2,
};

enum {
    OTTER_REGION_WINDOW = 1, /* hardware shows the active slot at `exec` (K14) */
    OTTER_REGION_CARD = 2,   /* of the application: its packages and the copy of the
                                old system are files on a card, not in staging */
};

/* A named span of flash, whole sectors. */
struct otter_region {
    uint8_t id; /* enum otter_region_id, or one not known here */
    uint8_t flags;
    uint32_t addr; /* device address of its first byte */
    uint32_t size; /* bytes */
    uint32_t exec; /* address at which a program in it runs */
};

struct otter_map {
    struct otter_region regions[OTTER_REGIONS_MAX];
    uint8_t count;
};

/* A sector: where it begins inside its region, and its size. */
struct otter_sector {
    uint32_t off;
    uint32_t size;
};

/* The region with `id`, or NULL. */
const struct otter_region *otter_map_find(const struct otter_map *map, uint8_t id);

/* True if the store is a card: the application says so, and there is neither a second
 * slot nor staging. */
bool otter_map_is_on_card(const struct otter_map *map);

/* The area that holds `addr`, or NULL. */
const struct otter_flash_area *otter_flash_area_at(const struct otter_flash *flash,
                                                   uint32_t addr);

/* The sector of `region` that holds offset `off`. 26-14 outside the region. */
OTTER_MUST_CHECK enum otter_result otter_map_sector(const struct otter_flash *flash,
                                                    const struct otter_region *region,
                                                    uint32_t off,
                                                    struct otter_sector *sector);

/* Checks a map against the memory: every region but the loader's lies in flash and
 * consists of whole sectors with one word size and one erased value, and the loader's
 * lies where there is no flash (28-15), no two overlap (28-14), no
 * id twice, and the regions that every device needs are there and large enough: boot,
 * table (2 sectors or more), receipts (each copy fits: otter_receipt_place()), journal
 * (4 or more of its first 32 sectors hold three records each), manager, application,
 * and one of slot B, staging and a card (28-16). Device and factory check the same. */
OTTER_MUST_CHECK enum otter_result otter_map_check(const struct otter_map *map,
                                                   const struct otter_flash *flash);

#ifdef __cplusplus
}
#endif

#endif
