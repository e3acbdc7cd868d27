/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bench for the tests of K6: puts into a device's journal what a newer program would
 * have written there, and watches every record that the programs of this tree write
 * after it. Works on bytes alone, at the offsets of docs/SPEC.md, "Journal"; it shares
 * no code with src/flash.
 */
#ifndef OTTER_TEST_OUTLIVE_BENCH_H
#define OTTER_TEST_OUTLIVE_BENCH_H

#include "world.h"

#include "../vectors/flash_vectors.h"

#include <string.h>

enum {
    BENCH_RECORD = 128,
    BENCH_WRITER = 3,
    BENCH_TLV_SIZE = 31,
    BENCH_TLV = 80,
    BENCH_TLV_ROOM = 40,
    BENCH_CRC = 124,
    BENCH_SECTOR = 512,
    BENCH_PROGRAMS = 6,
};

/* Extensions as bytes: no more than their size and their place in a record. */
struct extensions {
    uint8_t size;
    uint8_t bytes[BENCH_TLV_ROOM];
};

/* Looks at every program of the journal. */
struct watch {
    const struct otter_region *journal;
    struct extensions wanted;
    uint32_t records[BENCH_PROGRAMS]; /* begun, by the program that wrote them */
    uint32_t wrong;                   /* bytes that are not as wanted */
};

/* The flash's hook has one context, and the virtual device has taken it. */
static struct watch watch;

static inline void watch_byte(uint32_t off, uint8_t byte)
{
    if (off == BENCH_WRITER && byte < BENCH_PROGRAMS) {
        watch.records[byte]++;
    }
    if (off == BENCH_TLV_SIZE) {
        watch.wrong += byte != watch.wanted.size;
    }
    if (off >= BENCH_TLV && off < BENCH_TLV + BENCH_TLV_ROOM) {
        watch.wrong += byte != watch.wanted.bytes[off - BENCH_TLV];
    }
}

static inline void watch_op(void *context, const struct vflash_op *op)
{
    (void)context;
    if (op->is_erase || op->addr < watch.journal->addr ||
        op->addr - watch.journal->addr >= watch.journal->size) {
        return;
    }
    for (uint32_t i = 0; i < op->size; i++) {
        watch_byte((op->addr + i - watch.journal->addr) % BENCH_RECORD, op->data[i]);
    }
}

/* From now on every record is to hold `wanted`. */
static inline void watch_start(struct world *world, const struct extensions *wanted)
{
    memset(&watch, 0, sizeof(watch));
    watch.journal = world_region(world, OTTER_REGION_JOURNAL);
    watch.wanted = *wanted;
    world->device.flash.hooks.on_op = watch_op;
}

static inline struct extensions extensions_of(const uint8_t record[BENCH_RECORD])
{
    struct extensions found = {.size = record[BENCH_TLV_SIZE]};

    memcpy(found.bytes, record + BENCH_TLV, BENCH_TLV_ROOM);
    return found;
}

static inline bool state_has(const struct otter_state *state,
                             const struct extensions *wanted)
{
    return state->tlv_size == wanted->size &&
           memcmp(state->tlv, wanted->bytes, wanted->size) == 0;
}

static inline void erase_sectors(struct world *world, uint32_t addr, uint32_t size)
{
    static uint8_t erased[BENCH_SECTOR];

    memset(erased, world->sample.profile.areas[0].erased, sizeof(erased));
    for (uint32_t off = 0; off < size; off += BENCH_SECTOR) {
        vflash_provision(&world->device.flash, addr + off, erased, sizeof(erased));
    }
}

/* The journal as a newer manager has left it: two sectors of three records each. */
static inline void put_newer(struct world *world,
                             const uint8_t records[2][BENCH_RECORD])
{
    const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);

    erase_sectors(world, journal->addr, journal->size);
    for (uint32_t i = 0; i < 6; i++) {
        vflash_provision(&world->device.flash,
                         journal->addr + i / 3 * BENCH_SECTOR + i % 3 * BENCH_RECORD,
                         records[i / 3], BENCH_RECORD);
    }
}

/* CRC-32 (IEEE 802.3), bit by bit. */
static inline uint32_t bench_crc(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFFU;

    for (size_t i = 0; i < size * 8; i++) {
        uint32_t bit = (crc ^ (uint32_t)bytes[i / 8] >> i % 8) & 1U;

        crc = crc >> 1 ^ (bit != 0 ? 0xEDB88320U : 0);
    }
    return ~crc;
}

static inline void bench_seal(uint8_t record[BENCH_RECORD])
{
    uint32_t crc = bench_crc(record, BENCH_CRC);

    for (unsigned i = 0; i < 4; i++) {
        record[BENCH_CRC + i] = (uint8_t)(crc >> 8 * i);
    }
}

/* Gives every record in the journal other extensions, as if a newer program had written
 * them all; nothing else changes. Answers how many there were. */
static inline uint32_t give_extensions(struct world *world,
                                       const struct extensions *extensions)
{
    const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);
    uint32_t count = 0;

    for (uint32_t off = 0; off < journal->size; off += BENCH_RECORD) {
        uint8_t record[BENCH_RECORD];
        uint8_t sealed[BENCH_RECORD];

        memcpy(record,
               vflash_peek(&world->device.flash, journal->addr + off, BENCH_RECORD),
               BENCH_RECORD);
        memcpy(sealed, record, BENCH_RECORD);
        bench_seal(sealed);
        if (record[0] != 'O' || record[1] != 'J' ||
            memcmp(record, sealed, BENCH_RECORD) != 0) {
            continue;
        }
        record[BENCH_TLV_SIZE] = extensions->size;
        memcpy(record + BENCH_TLV, extensions->bytes, BENCH_TLV_ROOM);
        bench_seal(record);
        vflash_provision(&world->device.flash, journal->addr + off, record,
                         BENCH_RECORD);
        count++;
    }
    return count;
}

/* A whole update in one power-on, which `fault` may cut. */
static inline enum vdevice_end run_update(struct world *world,
                                          struct vflash_fault fault)
{
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_OK;
    enum vdevice_end end = vdevice_power_on(device, fault);

    if (end == VDEVICE_IDLE && device->program == OTTER_PROGRAM_AGENT) {
        end = vdevice_feed(device, world->next.bytes, world->next.size, 200, &result);
    }
    if (end == VDEVICE_IDLE && result == OTTER_OK) {
        end = vdevice_request(device, &result);
    }
    return end == VDEVICE_IDLE ? vdevice_reset(device, OTTER_RESET_SOFTWARE) : end;
}

#endif
