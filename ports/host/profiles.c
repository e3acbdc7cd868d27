/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of profiles, and the small twins: the same kinds of devices in a few KiB,
 * so that a sweep can cut every one of their flash operations.
 */
#include "profiles.h"

#include "otter/receipt.h"
#include "profiles_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct host_profile *const profiles[] = {
    &host_profile_link,
    &host_profile_ab,
    &host_profile_full,
    &host_profile_sd,
};

/* Boards that exist; they are no kinds of virtual devices that sweeps go through. */
static const struct host_profile *const boards[] = {
    &host_profile_ast1030,
    &host_profile_ast1030_card,
    &host_profile_microbit,
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
    for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
        if (strcmp(boards[i]->name, name) == 0) {
            return boards[i];
        }
    }
    return NULL;
}

enum { KIB = 1024 };

/* Small sectors of two sizes in every region but boot's. Firmware, manager, font and
 * their saved copies span both, and staging is full to the last sector. */
static const struct host_small_part mixed_link[] = {
    {OTTER_REGION_TABLE, {{512, 2}, {1024, 1}}},
    {OTTER_REGION_BOOT, {{512, 1}}},
    {OTTER_REGION_MANAGER, {{512, 1}, {1024, 1}}},
    {OTTER_REGION_APPLICATION, {{1024, 1}, {512, 3}}},
    {OTTER_REGION_RECEIPTS, {{512, 4}, {1024, 9}, {512, 2}}},
    {OTTER_REGION_JOURNAL, {{512, 2}, {1024, 2}}},
    {OTTER_REGION_STAGING, {{512, 3}, {1024, 7}, {512, 4}}},
    {OTTER_REGION_RESOURCES, {{512, 1}}},
    {OTTER_REGION_FONT, {{512, 1}, {1024, 1}}},
    {OTTER_REGION_NONE, {{0, 0}}},
};

/* The same with two slots, whose sectors differ, and journal sectors of three sizes. */
static const struct host_small_part mixed_ab[] = {
    {OTTER_REGION_TABLE, {{1024, 1}, {512, 2}}},
    {OTTER_REGION_BOOT, {{512, 1}}},
    {OTTER_REGION_MANAGER, {{512, 1}, {2048, 1}}},
    {OTTER_REGION_APPLICATION, {{1024, 1}, {2048, 1}}},
    {OTTER_REGION_SLOT_B, {{512, 2}, {2048, 1}}},
    {OTTER_REGION_RECEIPTS, {{4096, 2}, {2048, 4}}},
    {OTTER_REGION_JOURNAL, {{512, 1}, {1024, 1}, {2048, 1}, {512, 1}}},
    {OTTER_REGION_STAGING, {{512, 1}, {1024, 7}, {512, 2}}},
    {OTTER_REGION_FONT, {{512, 1}, {1024, 1}}},
    {OTTER_REGION_RESOURCES, {{1024, 1}}},
    {OTTER_REGION_NONE, {{0, 0}}},
};

/* The sectors of an STM32F42x with two banks (RM0090, "Flash module - 2 Mbyte dual
 * bank"), all but the second bank's last five: four of 16 KiB, one of 64 KiB, seven of
 * 128 KiB, and again. */
static const struct host_small_part f4[] = {
    {OTTER_REGION_BOOT, {{16 * KIB, 1}}},
    {OTTER_REGION_JOURNAL, {{16 * KIB, 3}, {64 * KIB, 1}}},
    {OTTER_REGION_TABLE, {{128 * KIB, 2}}},
    {OTTER_REGION_RECEIPTS, {{128 * KIB, 4}}},
    {OTTER_REGION_APPLICATION, {{128 * KIB, 1}, {16 * KIB, 2}}},
    {OTTER_REGION_MANAGER, {{16 * KIB, 1}}},
    {OTTER_REGION_STAGING, {{16 * KIB, 1}, {64 * KIB, 1}, {128 * KIB, 2}}},
    {OTTER_REGION_NONE, {{0, 0}}},
};

/* 8 and 16 KiB mixed in each large region. */
static const struct host_small_part mixed_8k[] = {
    {OTTER_REGION_TABLE, {{8 * KIB, 2}}},
    {OTTER_REGION_BOOT, {{8 * KIB, 1}}},
    {OTTER_REGION_MANAGER, {{8 * KIB, 1}, {16 * KIB, 1}}},
    {OTTER_REGION_APPLICATION, {{16 * KIB, 1}, {8 * KIB, 1}}},
    {OTTER_REGION_SLOT_B, {{8 * KIB, 1}, {16 * KIB, 1}}},
    {OTTER_REGION_RECEIPTS, {{8 * KIB, 2}, {16 * KIB, 2}}},
    {OTTER_REGION_JOURNAL, {{8 * KIB, 2}, {16 * KIB, 2}}},
    {OTTER_REGION_STAGING, {{8 * KIB, 3}, {16 * KIB, 3}}},
    {OTTER_REGION_RESOURCES, {{8 * KIB, 1}}},
    {OTTER_REGION_FONT, {{16 * KIB, 1}}},
    {OTTER_REGION_NONE, {{0, 0}}},
};

/* The sixteen sectors of an STM32H743 (RM0433: 128 KiB each, words of 32 bytes with
 * ECC), all of them in use. */
static const struct host_small_part h7[] = {
    {OTTER_REGION_BOOT, {{128 * KIB, 1}}},
    {OTTER_REGION_TABLE, {{128 * KIB, 2}}},
    {OTTER_REGION_MANAGER, {{128 * KIB, 1}}},
    {OTTER_REGION_APPLICATION, {{128 * KIB, 1}}},
    {OTTER_REGION_SLOT_B, {{128 * KIB, 1}}},
    {OTTER_REGION_RECEIPTS, {{128 * KIB, 4}}},
    {OTTER_REGION_JOURNAL, {{128 * KIB, 4}}},
    {OTTER_REGION_STAGING, {{128 * KIB, 2}}},
    {OTTER_REGION_NONE, {{0, 0}}},
};

/* Sweeps give those with odd numbers ECC, of the large ones, too. */
static const struct host_small smalls[] = {
    {.is_ab = false,
     .has_loader = true,
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
     .erased = 0x00,
     .more_journal = 1},
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
    {.is_ab = true,
     .word_size = 8,
     .page_size = 256,
     .erased = 0xFF,
     .parts = mixed_8k,
     .layout = "8k-16k"},
    {.is_ab = false,
     .word_size = 2,
     .page_size = 128,
     .sector_size = 4096,
     .erased = 0xFF},
    {.is_ab = false,
     .word_size = 1,
     .page_size = 64,
     .erased = 0x00,
     .parts = mixed_link,
     .layout = "mix-link"},
    {.is_ab = true,
     .word_size = 16,
     .page_size = 256,
     .erased = 0xFF,
     .parts = mixed_ab,
     .layout = "mix-ab"},
};

static const struct host_small on_cards[] = {
    {.is_on_card = true,
     .has_loader = true,
     .word_size = 8,
     .page_size = 256,
     .sector_size = 1024,
     .erased = 0xFF},
    {.is_on_card = true,
     .has_loader = true,
     .word_size = 2,
     .page_size = 128,
     .sector_size = 512,
     .erased = 0x00},
};

static const struct host_small larges[] = {
    {.is_ab = false,
     .word_size = 4,
     .page_size = 256,
     .erased = 0xFF,
     .parts = f4,
     .layout = "f4"},
    {.is_ab = true,
     .word_size = 32,
     .page_size = 32,
     .erased = 0xFF,
     .parts = h7,
     .layout = "h7"},
};

const struct host_small *host_small_at(size_t index)
{
    return index < sizeof(smalls) / sizeof(smalls[0]) ? &smalls[index] : NULL;
}

const struct host_small *host_on_card_at(size_t index)
{
    return index < sizeof(on_cards) / sizeof(on_cards[0]) ? &on_cards[index] : NULL;
}

const struct host_small *host_large_at(size_t index)
{
    return index < sizeof(larges) / sizeof(larges[0]) ? &larges[index] : NULL;
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
    uint32_t piece; /* least bytes of one copy */
    uint32_t count; /* copies, each in sectors of its own */
};

static const struct small_region single_regions[] = {
    {OTTER_REGION_TABLE, 512, 4},
    {OTTER_REGION_BOOT, 512, 1},
    {OTTER_REGION_MANAGER, 1024, 1},
    {OTTER_REGION_APPLICATION, 2048, 1},
    {OTTER_REGION_RECEIPTS, OTTER_RECEIPT_SIZE, 4},
    {OTTER_REGION_JOURNAL, 512, 4},
    {OTTER_REGION_STAGING, 1024, 10},
    {OTTER_REGION_RESOURCES, 512, 1},
    {OTTER_REGION_FONT, 1024, 1},
};

/* Its package and saved copies are files. */
static const struct small_region card_regions[] = {
    {OTTER_REGION_APPLICATION, 2048, 1},
    {OTTER_REGION_TABLE, OTTER_TABLE_MAX, 2},
    {OTTER_REGION_RECEIPTS, OTTER_RECEIPT_SIZE, 4},
    {OTTER_REGION_JOURNAL, 512, 4},
    {OTTER_REGION_RESOURCES, 512, 1},
    {OTTER_REGION_FONT, 1024, 1},
    {OTTER_REGION_BOOT, 512, 1},
    {OTTER_REGION_MANAGER, 1024, 1},
};

static const struct small_region ab_regions[] = {
    {OTTER_REGION_TABLE, 512, 4},     {OTTER_REGION_BOOT, 512, 1},
    {OTTER_REGION_MANAGER, 1024, 1},  {OTTER_REGION_APPLICATION, 2048, 1},
    {OTTER_REGION_SLOT_B, 2048, 1},   {OTTER_REGION_RECEIPTS, OTTER_RECEIPT_SIZE, 4},
    {OTTER_REGION_JOURNAL, 512, 4},   {OTTER_REGION_STAGING, 1024, 8},
    {OTTER_REGION_RESOURCES, 512, 1}, {OTTER_REGION_FONT, 1024, 1},
};

static void start_small(const struct host_small *small, struct host_profile *profile)
{
    static const struct otter_policy policy =
        HOST_PROFILE_POLICY(SMALL_RAM_ADDR, SMALL_RAM_SIZE);
    const char *layout = small->parts != NULL ? small->layout
                         : small->is_ab       ? "ab"
                         : small->is_on_card  ? "sd"
                                              : "link";

    memset(profile, 0, sizeof(*profile));
    (void)snprintf(profile->name, sizeof(profile->name), "small-%s-%u-%02x", layout,
                   small->word_size, small->erased);
    profile->policy = policy;
}

/* Appends sectors to the flash; those of the same size as the last ones join their
 * area. Returns their bytes. */
static uint32_t add_run(const struct host_small *small,
                        const struct host_small_run *run, uint32_t addr,
                        struct host_profile *profile)
{
    struct otter_flash_area *areas = profile->areas;

    if (profile->area_count > 0 &&
        areas[profile->area_count - 1].sector_size == run->sector_size) {
        areas[profile->area_count - 1].sector_count += run->sector_count;
        return run->sector_size * run->sector_count;
    }
    if (profile->area_count == HOST_PROFILE_AREAS_MAX) {
        abort(); /* the tables above say more than a device can have */
    }
    areas[profile->area_count++] = (struct otter_flash_area){
        .addr = addr,
        .sector_size = run->sector_size,
        .sector_count = run->sector_count,
        .word_size = small->word_size,
        .page_size = small->page_size,
        .erased = small->erased,
    };
    return run->sector_size * run->sector_count;
}

/* Appends a region after all that is there; `addr` moves on to its end. */
static void add_part(const struct host_small *small, const struct host_small_part *part,
                     uint32_t *addr, struct host_profile *profile)
{
    bool is_window =
        part->region == OTTER_REGION_APPLICATION || part->region == OTTER_REGION_SLOT_B;
    struct otter_region *region = &profile->map.regions[profile->map.count++];

    region->id = part->region;
    region->flags = is_window ? OTTER_REGION_WINDOW : 0;
    if (small->is_on_card && part->region == OTTER_REGION_APPLICATION) {
        region->flags |= OTTER_REGION_CARD;
    }
    region->addr = *addr;
    region->exec = is_window ? 0 : *addr;
    for (size_t i = 0; i < HOST_SMALL_RUNS_MAX && part->runs[i].sector_count > 0; i++) {
        uint32_t size = add_run(small, &part->runs[i], *addr, profile);

        region->size += size;
        *addr += size;
    }
    if (part->region == OTTER_REGION_TABLE) {
        profile->table_addr = region->addr;
        profile->table_size = region->size;
    }
}

/* The regions of a twin whose sectors have one size. */
static void add_uniform(const struct host_small *small, struct host_profile *profile)
{
    const struct small_region *regions = small->is_ab        ? ab_regions
                                         : small->is_on_card ? card_regions
                                                             : single_regions;
    size_t count = small->is_ab ? sizeof(ab_regions) / sizeof(ab_regions[0])
                   : small->is_on_card
                       ? sizeof(card_regions) / sizeof(card_regions[0])
                       : sizeof(single_regions) / sizeof(single_regions[0]);
    uint32_t addr = SMALL_ADDR;

    for (size_t i = 0; i < count; i++) {
        uint32_t piece =
            (regions[i].piece + small->sector_size - 1) / small->sector_size;
        uint32_t more = regions[i].id == OTTER_REGION_JOURNAL ? small->more_journal : 0;
        const struct host_small_part part = {
            .region = regions[i].id,
            .runs = {{small->sector_size, (uint8_t)(piece * regions[i].count + more)}},
        };

        add_part(small, &part, &addr, profile);
    }
}

static void add_loader(struct host_profile *profile)
{
    profile->map.regions[profile->map.count++] =
        (struct otter_region){.id = OTTER_REGION_LOADER,
                              .addr = SMALL_RAM_ADDR + SMALL_RAM_SIZE / 2,
                              .size = SMALL_RAM_SIZE / 2,
                              .exec = SMALL_RAM_ADDR + SMALL_RAM_SIZE / 2};
}

void host_profile_small(const struct host_small *small, struct host_profile *profile)
{
    uint32_t addr = SMALL_ADDR;

    start_small(small, profile);
    if (small->parts == NULL) {
        add_uniform(small, profile);
        if (small->has_loader) {
            add_loader(profile);
        }
        return;
    }
    for (const struct host_small_part *part = small->parts;
         part->region != OTTER_REGION_NONE; part++) {
        add_part(small, part, &addr, profile);
    }
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
