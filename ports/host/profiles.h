/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of virtual devices: their memory, their map and the flash table that a
 * factory starts from. docs/SPEC.md, "Profiles".
 */
#ifndef OTTER_HOST_PROFILES_H
#define OTTER_HOST_PROFILES_H

#include "otter/table.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { HOST_PROFILE_AREAS_MAX = 16 };

struct host_profile {
    char name[24];
    struct otter_flash_area areas[HOST_PROFILE_AREAS_MAX];
    size_t area_count;
    uint32_t table_addr; /* what the device programs are compiled with */
    uint32_t table_size;
    struct otter_map map;
    struct otter_policy policy; /* default policy, RAM included */
    uint32_t codings;           /* bit i: its manager takes enum otter_coding i, */
    uint32_t coding_memory;     /* in so many bytes of RAM; 0: raw alone */
};

/* The profiles that have a name on the command line. */
extern const struct host_profile host_profile_link;
extern const struct host_profile host_profile_ab;
extern const struct host_profile host_profile_full;
extern const struct host_profile host_profile_sd;
extern const struct host_profile host_profile_ast1030;
extern const struct host_profile host_profile_ast1030_card;
extern const struct host_profile host_profile_microbit;

/* The profile called `name`, or NULL. */
const struct host_profile *host_profile_find(const char *name);

/* Profile `index` of those with a name, or NULL past their end. */
const struct host_profile *host_profile_at(size_t index);

/* Sectors of one size, one after another. */
struct host_small_run {
    uint32_t sector_size;
    uint8_t sector_count; /* 0: no more runs */
};

enum { HOST_SMALL_RUNS_MAX = 4 };

/* A region of a twin whose sectors differ in size. */
struct host_small_part {
    uint8_t region; /* OTTER_REGION_NONE: no more parts */
    struct host_small_run runs[HOST_SMALL_RUNS_MAX];
};

/* A twin of a profile for sweeps: the same regions in a few KiB, or in the sectors
 * that a real chip has. */
struct host_small {
    bool is_ab;
    bool is_on_card;      /* one slot, no staging: the store is a card */
    bool has_loader;      /* boot runs loaders from RAM */
    uint16_t word_size;   /* 1, 2, 4, 8, 16 or 32 */
    uint16_t page_size;   /* 32 to 256 */
    uint32_t sector_size; /* of a twin without parts: 512 to 4096 */
    uint8_t erased;       /* 0xFF or 0x00 */
    uint8_t more_journal; /* sectors of a twin without parts beyond the least four */

    /* NULL, or its regions in the order of their addresses, ended by one of no region,
     * and what it is called then. */
    const struct host_small_part *parts;
    const char *layout;
};

/* Fills `profile`. Application and slots have room for 2 KiB, the manager for 1 KiB. */
void host_profile_small(const struct host_small *small, struct host_profile *profile);

/* The kinds of small twins that every sweep goes through; NULL past their end. */
const struct host_small *host_small_at(size_t index);

/* The small twins whose store is a card. NULL past their end. */
const struct host_small *host_on_card_at(size_t index);

/* Twins with all the sectors of a real chip, up to 128 KiB each: their power-ons take
 * milliseconds, so only sweeps that may be long go through them. NULL past their end.
 */
const struct host_small *host_large_at(size_t index);

/* A flash table of this profile with `target`, `hardware` and no keys. */
void host_profile_table(const struct host_profile *profile, uint32_t target,
                        uint16_t hardware, struct otter_table *table);

#ifdef __cplusplus
}
#endif

#endif
