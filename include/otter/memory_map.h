/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory map: where each region of the device lies, as macros
 *
 *     OTTER_<REGION>_ADDR   device address of its first byte
 *     OTTER_<REGION>_SIZE   bytes, whole sectors; 0: this device has no such region
 *     OTTER_<REGION>_EXEC   address at which a program in it runs; default: _ADDR
 *     OTTER_<REGION>_FLAGS  OTTER_REGION_WINDOW, OTTER_REGION_CARD (application), or 0
 *
 * for BOOT, TABLE, RECEIPTS, JOURNAL, MANAGER, APPLICATION, SLOT_B, STAGING, RESOURCES
 * and FONT. A project overrides what it needs in a header of its own,
 * custom_memory_map.h, found on the include path, or in the file that
 * OTTER_CUSTOM_MEMORY_MAP names (with its quotes). What that header does not define
 * keeps the default: the flash table at the start of a 4 MiB NOR flash, the manager 128
 * KiB on, the application after it, the store ("upgrade bin") at the end of flash.
 *
 * Only the address and size of TABLE are compiled into the device programs; the rest
 * reaches them through the flash table, made by `otter factory` from these macros.
 * Overlap and alignment are checked here at compile time, and by otter_map_check()
 * when a device starts.
 */
#ifndef OTTER_MEMORY_MAP_H
#define OTTER_MEMORY_MAP_H

#include "otter/map.h"

#ifdef OTTER_CUSTOM_MEMORY_MAP
#include OTTER_CUSTOM_MEMORY_MAP
#elif defined(__has_include)
#if __has_include("custom_memory_map.h")
#include "custom_memory_map.h"
#endif
#endif

/* Erase unit that the alignment checks use, in bytes; the largest of the device. */
#ifndef OTTER_SECTOR_SIZE
#define OTTER_SECTOR_SIZE 0x1000u
#endif

#ifndef OTTER_TABLE_ADDR
#define OTTER_TABLE_ADDR 0x10000000u
#endif
#ifndef OTTER_TABLE_SIZE
#define OTTER_TABLE_SIZE 0x4000u
#endif
#ifndef OTTER_TABLE_EXEC
#define OTTER_TABLE_EXEC OTTER_TABLE_ADDR
#endif
#ifndef OTTER_TABLE_FLAGS
#define OTTER_TABLE_FLAGS 0
#endif

#ifndef OTTER_BOOT_ADDR
#define OTTER_BOOT_ADDR 0x10010000u
#endif
#ifndef OTTER_BOOT_SIZE
#define OTTER_BOOT_SIZE 0x10000u
#endif
#ifndef OTTER_BOOT_EXEC
#define OTTER_BOOT_EXEC OTTER_BOOT_ADDR
#endif
#ifndef OTTER_BOOT_FLAGS
#define OTTER_BOOT_FLAGS 0
#endif

#ifndef OTTER_MANAGER_ADDR
#define OTTER_MANAGER_ADDR 0x10020000u
#endif
#ifndef OTTER_MANAGER_SIZE
#define OTTER_MANAGER_SIZE 0x40000u
#endif
#ifndef OTTER_MANAGER_EXEC
#define OTTER_MANAGER_EXEC OTTER_MANAGER_ADDR
#endif
#ifndef OTTER_MANAGER_FLAGS
#define OTTER_MANAGER_FLAGS 0
#endif

#ifndef OTTER_APPLICATION_ADDR
#define OTTER_APPLICATION_ADDR 0x10060000u
#endif
#ifndef OTTER_APPLICATION_SIZE
#define OTTER_APPLICATION_SIZE 0x80000u
#endif
#ifndef OTTER_APPLICATION_EXEC
#define OTTER_APPLICATION_EXEC OTTER_APPLICATION_ADDR
#endif
#ifndef OTTER_APPLICATION_FLAGS
#define OTTER_APPLICATION_FLAGS 0
#endif

/* Only an A/B device has a second slot. */
#ifndef OTTER_SLOT_B_SIZE
#define OTTER_SLOT_B_SIZE 0
#endif
#ifndef OTTER_SLOT_B_ADDR
#define OTTER_SLOT_B_ADDR 0
#endif
#ifndef OTTER_SLOT_B_EXEC
#define OTTER_SLOT_B_EXEC OTTER_SLOT_B_ADDR
#endif
#ifndef OTTER_SLOT_B_FLAGS
#define OTTER_SLOT_B_FLAGS 0
#endif

#ifndef OTTER_RECEIPTS_ADDR
#define OTTER_RECEIPTS_ADDR 0x102B4000u
#endif
#ifndef OTTER_RECEIPTS_SIZE
#define OTTER_RECEIPTS_SIZE 0x4000u
#endif
#ifndef OTTER_RECEIPTS_EXEC
#define OTTER_RECEIPTS_EXEC OTTER_RECEIPTS_ADDR
#endif
#ifndef OTTER_RECEIPTS_FLAGS
#define OTTER_RECEIPTS_FLAGS 0
#endif

#ifndef OTTER_JOURNAL_ADDR
#define OTTER_JOURNAL_ADDR 0x102B8000u
#endif
#ifndef OTTER_JOURNAL_SIZE
#define OTTER_JOURNAL_SIZE 0x8000u
#endif
#ifndef OTTER_JOURNAL_EXEC
#define OTTER_JOURNAL_EXEC OTTER_JOURNAL_ADDR
#endif
#ifndef OTTER_JOURNAL_FLAGS
#define OTTER_JOURNAL_FLAGS 0
#endif

#ifndef OTTER_STAGING_ADDR
#define OTTER_STAGING_ADDR 0x102C0000u
#endif
#ifndef OTTER_STAGING_SIZE
#define OTTER_STAGING_SIZE 0x140000u
#endif
#ifndef OTTER_STAGING_EXEC
#define OTTER_STAGING_EXEC OTTER_STAGING_ADDR
#endif
#ifndef OTTER_STAGING_FLAGS
#define OTTER_STAGING_FLAGS 0
#endif

/* Regions for resources and fonts; a device without them has size 0. */
#ifndef OTTER_RESOURCES_SIZE
#define OTTER_RESOURCES_SIZE 0
#endif
#ifndef OTTER_RESOURCES_ADDR
#define OTTER_RESOURCES_ADDR 0
#endif
#ifndef OTTER_RESOURCES_EXEC
#define OTTER_RESOURCES_EXEC OTTER_RESOURCES_ADDR
#endif
#ifndef OTTER_RESOURCES_FLAGS
#define OTTER_RESOURCES_FLAGS 0
#endif
#ifndef OTTER_FONT_SIZE
#define OTTER_FONT_SIZE 0
#endif
#ifndef OTTER_FONT_ADDR
#define OTTER_FONT_ADDR 0
#endif
#ifndef OTTER_FONT_EXEC
#define OTTER_FONT_EXEC OTTER_FONT_ADDR
#endif
#ifndef OTTER_FONT_FLAGS
#define OTTER_FONT_FLAGS 0
#endif

/* RAM in which boot runs loaders, on a board that does (K15). */
#ifndef OTTER_LOADER_SIZE
#define OTTER_LOADER_SIZE 0
#endif
#ifndef OTTER_LOADER_ADDR
#define OTTER_LOADER_ADDR 0
#endif
#define OTTER_LOADER_EXEC  OTTER_LOADER_ADDR
#define OTTER_LOADER_FLAGS 0

/* RAM in which a program's first stack pointer must lie. */
#ifndef OTTER_RAM_ADDR
#define OTTER_RAM_ADDR 0x20000000u
#endif
#ifndef OTTER_RAM_SIZE
#define OTTER_RAM_SIZE 0x4000u
#endif

/* --- checks at compile time --- */

#define OTTER_MEMORY_MAP_WHOLE(region)                                               \
    OTTER_STATIC_ASSERT((region##_ADDR) % (OTTER_SECTOR_SIZE) == 0 &&                \
                            (region##_SIZE) % (OTTER_SECTOR_SIZE) == 0,              \
                        #region " does not begin and end at a sector");              \
    OTTER_STATIC_ASSERT((uint64_t)(region##_ADDR) + (region##_SIZE) <= 0x100000000u, \
                        #region " reaches past the end of the address space")

#define OTTER_MEMORY_MAP_APART(a, b)                                                   \
    OTTER_STATIC_ASSERT((a##_SIZE) == 0 || (b##_SIZE) == 0 ||                          \
                            (uint64_t)(a##_ADDR) + (a##_SIZE) <=                       \
                                (uint64_t)(b##_ADDR) ||                                \
                            (uint64_t)(b##_ADDR) + (b##_SIZE) <= (uint64_t)(a##_ADDR), \
                        #a " and " #b " overlap")

OTTER_MEMORY_MAP_WHOLE(OTTER_BOOT);
OTTER_MEMORY_MAP_WHOLE(OTTER_TABLE);
OTTER_MEMORY_MAP_WHOLE(OTTER_RECEIPTS);
OTTER_MEMORY_MAP_WHOLE(OTTER_JOURNAL);
OTTER_MEMORY_MAP_WHOLE(OTTER_MANAGER);
OTTER_MEMORY_MAP_WHOLE(OTTER_APPLICATION);
OTTER_MEMORY_MAP_WHOLE(OTTER_SLOT_B);
OTTER_MEMORY_MAP_WHOLE(OTTER_STAGING);
OTTER_MEMORY_MAP_WHOLE(OTTER_RESOURCES);
OTTER_MEMORY_MAP_WHOLE(OTTER_FONT);

OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_TABLE);
OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_RECEIPTS);
OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_JOURNAL);
OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_MANAGER);
OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_APPLICATION);
OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_SLOT_B);
OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_STAGING);
OTTER_MEMORY_MAP_APART(OTTER_TABLE, OTTER_RECEIPTS);
OTTER_MEMORY_MAP_APART(OTTER_TABLE, OTTER_JOURNAL);
OTTER_MEMORY_MAP_APART(OTTER_TABLE, OTTER_MANAGER);
OTTER_MEMORY_MAP_APART(OTTER_TABLE, OTTER_APPLICATION);
OTTER_MEMORY_MAP_APART(OTTER_TABLE, OTTER_SLOT_B);
OTTER_MEMORY_MAP_APART(OTTER_TABLE, OTTER_STAGING);
OTTER_MEMORY_MAP_APART(OTTER_RECEIPTS, OTTER_JOURNAL);
OTTER_MEMORY_MAP_APART(OTTER_RECEIPTS, OTTER_MANAGER);
OTTER_MEMORY_MAP_APART(OTTER_RECEIPTS, OTTER_APPLICATION);
OTTER_MEMORY_MAP_APART(OTTER_RECEIPTS, OTTER_SLOT_B);
OTTER_MEMORY_MAP_APART(OTTER_RECEIPTS, OTTER_STAGING);
OTTER_MEMORY_MAP_APART(OTTER_JOURNAL, OTTER_MANAGER);
OTTER_MEMORY_MAP_APART(OTTER_JOURNAL, OTTER_APPLICATION);
OTTER_MEMORY_MAP_APART(OTTER_JOURNAL, OTTER_SLOT_B);
OTTER_MEMORY_MAP_APART(OTTER_JOURNAL, OTTER_STAGING);
OTTER_MEMORY_MAP_APART(OTTER_MANAGER, OTTER_APPLICATION);
OTTER_MEMORY_MAP_APART(OTTER_MANAGER, OTTER_SLOT_B);
OTTER_MEMORY_MAP_APART(OTTER_MANAGER, OTTER_STAGING);
OTTER_MEMORY_MAP_APART(OTTER_APPLICATION, OTTER_SLOT_B);
OTTER_MEMORY_MAP_APART(OTTER_APPLICATION, OTTER_STAGING);
OTTER_MEMORY_MAP_APART(OTTER_SLOT_B, OTTER_STAGING);
OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_RESOURCES);
OTTER_MEMORY_MAP_APART(OTTER_BOOT, OTTER_FONT);
OTTER_MEMORY_MAP_APART(OTTER_TABLE, OTTER_RESOURCES);
OTTER_MEMORY_MAP_APART(OTTER_TABLE, OTTER_FONT);
OTTER_MEMORY_MAP_APART(OTTER_RECEIPTS, OTTER_RESOURCES);
OTTER_MEMORY_MAP_APART(OTTER_RECEIPTS, OTTER_FONT);
OTTER_MEMORY_MAP_APART(OTTER_JOURNAL, OTTER_RESOURCES);
OTTER_MEMORY_MAP_APART(OTTER_JOURNAL, OTTER_FONT);
OTTER_MEMORY_MAP_APART(OTTER_MANAGER, OTTER_RESOURCES);
OTTER_MEMORY_MAP_APART(OTTER_MANAGER, OTTER_FONT);
OTTER_MEMORY_MAP_APART(OTTER_APPLICATION, OTTER_RESOURCES);
OTTER_MEMORY_MAP_APART(OTTER_APPLICATION, OTTER_FONT);
OTTER_MEMORY_MAP_APART(OTTER_SLOT_B, OTTER_RESOURCES);
OTTER_MEMORY_MAP_APART(OTTER_SLOT_B, OTTER_FONT);
OTTER_MEMORY_MAP_APART(OTTER_STAGING, OTTER_RESOURCES);
OTTER_MEMORY_MAP_APART(OTTER_STAGING, OTTER_FONT);
OTTER_MEMORY_MAP_APART(OTTER_RESOURCES, OTTER_FONT);

OTTER_STATIC_ASSERT(OTTER_TABLE_SIZE >= 2 * OTTER_SECTOR_SIZE,
                    "The table's region holds two copies, each in sectors of its own");
OTTER_STATIC_ASSERT(
    OTTER_RECEIPTS_SIZE >= 4 * OTTER_SECTOR_SIZE,
    "The receipts' region holds four copies, each in sectors of its own");
OTTER_STATIC_ASSERT(OTTER_JOURNAL_SIZE >= 4 * OTTER_SECTOR_SIZE,
                    "The journal has four sectors or more");
OTTER_STATIC_ASSERT(OTTER_SLOT_B_SIZE != 0 || OTTER_STAGING_SIZE != 0 ||
                        /* NOLINTNEXTLINE(misc-redundant-expression): the only flag */
                        ((OTTER_APPLICATION_FLAGS)&OTTER_REGION_CARD) != 0,
                    "A device needs a second slot or a staging region, or a card");

/* --- the map --- */

#define OTTER_MEMORY_MAP_REGION(region, region_id)                         \
    {                                                                      \
        .id = (region_id), .flags = region##_FLAGS, .addr = region##_ADDR, \
        .size = region##_SIZE, .exec = region##_EXEC                       \
    }

#if OTTER_SLOT_B_SIZE
#define OTTER_MEMORY_MAP_SLOT_B \
    OTTER_MEMORY_MAP_REGION(OTTER_SLOT_B, OTTER_REGION_SLOT_B),
#else
#define OTTER_MEMORY_MAP_SLOT_B
#endif
#if OTTER_STAGING_SIZE
#define OTTER_MEMORY_MAP_STAGING \
    OTTER_MEMORY_MAP_REGION(OTTER_STAGING, OTTER_REGION_STAGING),
#else
#define OTTER_MEMORY_MAP_STAGING
#endif
#if OTTER_RESOURCES_SIZE
#define OTTER_MEMORY_MAP_RESOURCES \
    OTTER_MEMORY_MAP_REGION(OTTER_RESOURCES, OTTER_REGION_RESOURCES),
#else
#define OTTER_MEMORY_MAP_RESOURCES
#endif
#if OTTER_FONT_SIZE
#define OTTER_MEMORY_MAP_FONT OTTER_MEMORY_MAP_REGION(OTTER_FONT, OTTER_REGION_FONT),
#else
#define OTTER_MEMORY_MAP_FONT
#endif
#if OTTER_LOADER_SIZE
#define OTTER_MEMORY_MAP_LOADER \
    OTTER_MEMORY_MAP_REGION(OTTER_LOADER, OTTER_REGION_LOADER),
#else
#define OTTER_MEMORY_MAP_LOADER
#endif

/* Initialiser of a struct otter_map. */
#define OTTER_MEMORY_MAP                                                            \
    {                                                                               \
        .regions = {OTTER_MEMORY_MAP_REGION(OTTER_BOOT, OTTER_REGION_BOOT),         \
                    OTTER_MEMORY_MAP_REGION(OTTER_TABLE, OTTER_REGION_TABLE),       \
                    OTTER_MEMORY_MAP_REGION(OTTER_RECEIPTS, OTTER_REGION_RECEIPTS), \
                    OTTER_MEMORY_MAP_REGION(OTTER_JOURNAL, OTTER_REGION_JOURNAL),   \
                    OTTER_MEMORY_MAP_REGION(OTTER_MANAGER, OTTER_REGION_MANAGER),   \
                    OTTER_MEMORY_MAP_REGION(OTTER_APPLICATION,                      \
                                            OTTER_REGION_APPLICATION),              \
                    OTTER_MEMORY_MAP_SLOT_B OTTER_MEMORY_MAP_STAGING                \
                        OTTER_MEMORY_MAP_RESOURCES OTTER_MEMORY_MAP_FONT            \
                            OTTER_MEMORY_MAP_LOADER},                               \
        .count = 6 + (OTTER_SLOT_B_SIZE != 0) + (OTTER_STAGING_SIZE != 0) +         \
                 (OTTER_RESOURCES_SIZE != 0) + (OTTER_FONT_SIZE != 0) +             \
                 (OTTER_LOADER_SIZE != 0)                                           \
    }

#endif
