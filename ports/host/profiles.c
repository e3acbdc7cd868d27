/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of profiles, and the small twins: the same kinds of devices in a few KiB,
 * so that a sweep can cut every one of their flash operations.
 */
#include "profiles.h"

#include "otter/receipt.h"
#include "profiles_policy.h"

#include <stdio.h>
#include <string.h>

static const struct host_profile *const profiles[] = {
    &host_profile_link,
    &host_profile_ab,
};

const struct host_profile *host_profile_at(size_t index)
{
    return index < sizeof(profiles) / sizeof(profiles[0]) ? profiles[index] : NULL;
}

const struct host_profile *host_profile_find(const char *name)
{
    for (size_t i = 0; host_profile_at(i) != NULL; i++) {
        if (strcmp(profiles[i]->name, name) == 0) {
            return profiles[i];
        }
    }
    return NULL;
}

static const struct host_small smalls[] = {
    {.is_ab = false,
     .word_size = 1,
     .page_size = 256,
     .sector_size = 512,
     .erased = 0xFF},
    {.is_ab = true,
     .word_size = 8,
     .page_size = 256,
     .sector_size = 1024,
     .erased = 0xFF},
    {.is_ab = false,
     .word_size = 4,
     .page_size = 128,
     .sector_size = 1024,
     .erased = 0x00},
    {.is_ab = true,
     .word_size = 16,
     .page_size = 64,
     .sector_size = 512,
     .erased = 0xFF},
    {.is_ab = false,
     .word_size = 32,
     .page_size = 128,
     .sector_size = 512,
     .erased = 0xFF},
    {.is_ab = true,
     .word_size = 2,
     .page_size = 256,
     .sector_size = 512,
     .erased = 0x00},
};

const struct host_small *host_small_at(size_t index)
{
    return index < sizeof(smalls) / sizeof(smalls[0]) ? &smalls[index] : NULL;
}

enum {
    SMALL_ADDR = 0x10000000,
    SMALL_RAM_ADDR = 0x20000000,
    SMALL_RAM_SIZE = 0x4000,
};

/* Regions in the order of their addresses, with the least size each needs. A receipt's
 * copy is 2,144 bytes. A store takes the package and the copy of the old system. */
struct small_region {
    uint8_t id;
    uint8_t flags;
    uint32_t piece; /* least bytes of one copy */
    uint32_t count; /* copies, each in sectors of its own */
};

static const struct small_region single_regions[] = {
    {OTTER_REGION_TABLE, 0, OTTER_TABLE_MAX, 2},
    {OTTER_REGION_BOOT, 0, 512, 1},
    {OTTER_REGION_MANAGER, 0, 1024, 1},
    {OTTER_REGION_APPLICATION, OTTER_REGION_WINDOW, 2048, 1},
    {OTTER_REGION_RECEIPTS, 0, OTTER_RECEIPT_SIZE, 4},
    {OTTER_REGION_JOURNAL, 0, 512, 5},
    {OTTER_REGION_STAGING, 0, 1024, 8},
};

static const struct small_region ab_regions[] = {
    {OTTER_REGION_TABLE, 0, OTTER_TABLE_MAX, 2},
    {OTTER_REGION_BOOT, 0, 512, 1},
    {OTTER_REGION_MANAGER, 0, 1024, 1},
    {OTTER_REGION_APPLICATION, OTTER_REGION_WINDOW, 2048, 1},
    {OTTER_REGION_SLOT_B, OTTER_REGION_WINDOW, 2048, 1},
    {OTTER_REGION_RECEIPTS, 0, OTTER_RECEIPT_SIZE, 4},
    {OTTER_REGION_JOURNAL, 0, 512, 5},
    {OTTER_REGION_STAGING, 0, 1024, 4},
};

static uint32_t whole_sectors(uint32_t size, uint32_t sector_size)
{
    return (size + sector_size - 1) / sector_size * sector_size;
}

void host_profile_small(const struct host_small *small, struct host_profile *profile)
{
    static const struct otter_policy policy =
        HOST_PROFILE_POLICY(SMALL_RAM_ADDR, SMALL_RAM_SIZE);
    const struct small_region *regions = small->is_ab ? ab_regions : single_regions;
    size_t count = small->is_ab ? sizeof(ab_regions) / sizeof(ab_regions[0])
                                : sizeof(single_regions) / sizeof(single_regions[0]);
    uint32_t addr = SMALL_ADDR;

    memset(profile, 0, sizeof(*profile));
    (void)snprintf(profile->name, sizeof(profile->name), "small-%s-%u-%02x",
                   small->is_ab ? "ab" : "link", small->word_size, small->erased);
    profile->policy = policy;
    for (size_t i = 0; i < count; i++) {
        struct otter_region *region = &profile->map.regions[profile->map.count++];
        bool is_window = regions[i].flags == OTTER_REGION_WINDOW;

        region->id = regions[i].id;
        region->flags = regions[i].flags;
        region->addr = addr;
        region->size =
            whole_sectors(regions[i].piece, small->sector_size) * regions[i].count;
        region->exec = is_window ? 0 : addr;
        addr += region->size;
    }
    profile->area_count = 1;
    profile->areas[0].addr = SMALL_ADDR;
    profile->areas[0].sector_size = small->sector_size;
    profile->areas[0].sector_count = (addr - SMALL_ADDR) / small->sector_size;
    profile->areas[0].word_size = small->word_size;
    profile->areas[0].page_size = small->page_size;
    profile->areas[0].erased = small->erased;
    profile->table_addr = SMALL_ADDR;
    profile->table_size = profile->map.regions[0].size;
}

void host_profile_table(const struct host_profile *profile, uint32_t target,
                        uint16_t hardware, struct otter_table *table)
{
    memset(table, 0, sizeof(*table));
    table->sequence = 1;
    table->target = target;
    table->hardware = hardware;
    table->policy = profile->policy;
    table->map = profile->map;
}
