/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs are kept as 64-bit hashes in a table of open places: a false alarm is one in
 * 2^40 searches of a small device.
 */
#include "secrecy.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_run(const uint8_t *run)
{
    uint64_t first;
    uint64_t second;

    memcpy(&first, run, sizeof(first));
    memcpy(&second, run + sizeof(first), sizeof(second));
    first = (first ^ 0x9E3779B97F4A7C15U) * 0xBF58476D1CE4E5B9U;
    second = (second ^ first >> 29) * 0x94D049BB133111EBU;
    first ^= second ^ second >> 31;
    return first == 0 ? 1 : first;
}

static bool is_distinct(const uint8_t *run)
{
    size_t distinct = 0;

    for (size_t i = 0; i < SECRECY_RUN; i++) {
        distinct += memchr(run, run[i], i) == NULL;
    }
    return distinct >= SECRECY_DISTINCT;
}

/* The first two bytes of a run, which rule most places out. */
static unsigned pair_of(const uint8_t *run)
{
    return (unsigned)run[0] << 8 | run[1];
}

static bool is_filtered(const struct secrecy *secrecy, uint64_t hash)
{
    return (secrecy->filter[hash >> 54] >> (hash >> 48 & 63U) & 1U) != 0;
}

/* Where the hash is, or where it would be. */
static size_t place_of(const struct secrecy *secrecy, uint64_t hash)
{
    size_t place = (size_t)(hash % SECRECY_PLACES);

    while (secrecy->places[place] != 0 && secrecy->places[place] != hash) {
        place = (place + 1) % SECRECY_PLACES;
    }
    return place;
}

void secrecy_add(struct secrecy *secrecy, const uint8_t *bytes, size_t size)
{
    memset(secrecy->clean, 0, sizeof(secrecy->clean));
    for (size_t i = 0; i + SECRECY_RUN <= size; i++) {
        uint64_t hash = hash_run(bytes + i);

        if (!is_distinct(bytes + i)) {
            continue;
        }
        size_t place = place_of(secrecy, hash);

        if (secrecy->places[place] == 0 && ++secrecy->count >= SECRECY_PLACES / 2) {
            abort();
        }
        secrecy->places[place] = hash;
        secrecy->pairs[pair_of(bytes + i)] = true;
        secrecy->filter[hash >> 54] |= (uint64_t)1 << (hash >> 48 & 63U);
    }
}

bool secrecy_finds(const struct secrecy *secrecy, const uint8_t *bytes, size_t size,
                   size_t *at)
{
    for (size_t i = 0; i + SECRECY_RUN <= size; i++) {
        if (!secrecy->pairs[pair_of(bytes + i)]) {
            continue;
        }
        uint64_t hash = hash_run(bytes + i);

        if (is_filtered(secrecy, hash) &&
            secrecy->places[place_of(secrecy, hash)] == hash) {
            *at = i;
            return true;
        }
    }
    return false;
}

static bool is_clean(struct secrecy *secrecy, struct vflash *flash, uint32_t addr,
                     uint32_t size)
{
    uint64_t hash = vflash_hash_sector(flash, addr) | 1; /* 0 is an empty place */
    uint64_t *clean = &secrecy->clean[hash % SECRECY_CLEAN];
    size_t at = 0;

    if (*clean != hash) {
        if (secrecy_finds(secrecy, vflash_peek(flash, addr, size), size, &at)) {
            return false;
        }
        *clean = hash;
    }
    return true;
}

bool secrecy_finds_in_flash(struct secrecy *secrecy, struct vflash *flash,
                            uint32_t addr, uint32_t size)
{
    enum { BEFORE = SECRECY_RUN - 1, AROUND = 2 * BEFORE };
    uint32_t sector = 0;
    size_t at = 0;

    for (uint32_t done = 0; done < size; done += sector) {
        sector = vflash_sector_size(flash, addr + done);
        if (!is_clean(secrecy, flash, addr + done, sector)) {
            return true;
        }
        /* Runs that begin in one sector and end in the next. */
        if (done > 0 &&
            secrecy_finds(secrecy, vflash_peek(flash, addr + done - BEFORE, AROUND),
                          AROUND, &at)) {
            return true;
        }
    }
    return false;
}
