/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form of a device's flash (K27): states that a device cannot tell apart
 * get the same form, so that a closure over states closes.
 *
 * - Journal records: sequence numbers become ranks, writers and erase counts go. Of the
 *   records of a sector the last two stay, that there is a third, and whether remains
 *   of something else follow. Of a sector that tells nothing counts whether it has
 *   three: others become garbage, as does the one that is begun next. The log goes
 *   round: its newest certain sector comes first, if all are of one size. In a bad
 *   sector the place of a record may count. Where any bit may flip, so does every
 *   sector that holds two.
 * - A record, a receipt's part, or any other sector that an interrupted operation
 *   touched, and that reads neither as erased, nor as a record, nor as anything that an
 *   update puts there, becomes garbage. Unstable records keep both readings, each in
 *   this form; other unstable things stay as they are, and so does a bad sector.
 * - A sector that every power-on from here erases before it reads it becomes garbage.
 *   Which sectors these are depends on the log; the caller finds out by watching a run.
 * - Everything else stays as it is.
 *
 * canon_hash() is the hash of what canon_make() would leave. The closure runs states in
 * both forms and compares what the device does.
 */
#ifndef OTTER_TEST_CANON_H
#define OTTER_TEST_CANON_H

#include "otter/map.h"
#include "vflash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CANON_SECTORS_MAX = 2048 };

/* In place of a bad sector's address: none is; none is, but any bit may flip. */
#define CANON_NOT_BAD  UINT32_MAX
#define CANON_MAY_FLIP (UINT32_MAX - 1)

/* A set of sectors, by their index in the flash. */
struct canon_set {
    uint64_t bits[CANON_SECTORS_MAX / 64];
};

/* One log: its hash in canonical form, and where that begins. */
struct canon_log {
    uint64_t hash;
    uint32_t first; /* address of the sector that comes first */
};

/* The last form of a sector that was asked for. */
struct canon_last {
    uint64_t raw;
    uint64_t form;
    bool is_set;
};

struct canon_table; /* 64-bit keys, each with a 64-bit value */
struct vflash_place;

struct canon {
    struct vflash *flash;               /* stays in use */
    const struct otter_region *journal; /* stays in use */
    const struct otter_region *receipts;
    uint32_t copies[4];          /* addresses of the receipts' copies, ascending */
    struct vflash_place *places; /* of each sector */
    struct canon_last *lasts;
    struct canon_table *known;   /* contents that an update puts where they are */
    struct canon_table *sectors; /* what sectors are made from -> form */
    struct canon_table *records; /* bytes -> whether they are one, and its sequence */
    size_t log_at;               /* index of the log's first sector */
    size_t log_sectors;
    struct canon_table *raws; /* log as it is -> index in logs */
    struct canon_log *logs;
    size_t log_count;
    struct canon_log log; /* the one of `log_raw`, and of `log_version` of the flash */
    uint64_t log_raw;
    uint64_t log_version;
    uint32_t log_bad;
    struct canon_table *answers; /* log in canonical form -> index in dead */
    uint64_t around; /* by the caller: hash of what the answers depend on, too */
    uint32_t bad;    /* by the caller: address of the sector whose operations fail, */
    bool is_bad_in_part; /* and what of it a failed erase takes depends on the place */
    uint64_t whole;      /* canonical hash of `whole_version` with `whole_answer` */
    uint64_t whole_version;
    uint32_t whole_bad;
    size_t whole_answer; /* index in dead; SIZE_MAX: none */
    struct canon_set *dead;
    size_t dead_count;
    uint64_t asked; /* the question asked last, and its answer: index in dead */
    size_t answer;  /* SIZE_MAX: none */
    uint8_t *work;  /* room for one form */
    size_t sector_max;
};

/* Aborts without memory. */
void canon_open(struct canon *canon, struct vflash *flash, const struct otter_map *map);
void canon_close(struct canon *canon);

/* What the sector at `addr` holds in whole words now is what an update puts there. To
 * be told before the first hash. */
void canon_learn(struct canon *canon, uint32_t addr);

/* Hash of the canonical form. Looks without reading: unstable words stay as they are.
 */
uint64_t canon_hash(struct canon *canon);

/* Brings the flash itself into canonical form. */
void canon_make(struct canon *canon);

/* As canon_make(), then adds `offset` to the sequence number of every journal record
 * (for tests: order alone counts). */
void canon_shift_sequences(struct canon *canon, uint32_t offset);

/* Whether the caller must find out which sectors are dead, for the log as it is now and
 * what is around it; its answer; and a hash of the question. */
uint64_t canon_question(struct canon *canon);
bool canon_asks(struct canon *canon);
void canon_answer(struct canon *canon, const struct canon_set *dead);

/* The dead sectors, NULL if none is known to be. */
const struct canon_set *canon_dead(struct canon *canon);
bool canon_set_has(const struct canon_set *set, size_t index);
void canon_set_add(struct canon_set *set, size_t index);

/* Sectors that are unstable, or cannot be read, in canonical form. */
size_t canon_unstable(struct canon *canon);

/* Address of the sector that holds `addr`. */
uint32_t canon_sector(const struct canon *canon, uint32_t addr);

/* The journal sector that comes first in canonical form. */
uint32_t canon_first(struct canon *canon);

/* Prints the log in canonical form, a line: phase.part@cursor of each record, "_" for
 * nothing, "#" for remains, "a~b" reads in turn, "a>b" once as a. */
void canon_print_log(struct canon *canon, FILE *out);

/* `items`, `count` of them of `size` bytes, moved to where one more has room: twice as
 * many do, each time that `count` is a power of two. NULL: none yet. Aborts without
 * memory. */
void *canon_room(void *items, size_t count, size_t size);

/* A set of 64-bit keys with values, for whoever needs one. */
struct canon_table *canon_table_make(void);
void canon_table_free(struct canon_table *table);

/* The value of `key`, or NULL. Valid until the next put. */
const uint64_t *canon_table_find(const struct canon_table *table, uint64_t key);
void canon_table_put(struct canon_table *table, uint64_t key, uint64_t value);

#endif
