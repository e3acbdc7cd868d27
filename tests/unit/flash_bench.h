/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bench for tests of src/flash: a virtual flash of up to three areas with a map on
 * it, whose power can be cut and comes back to the place of setjmp.
 */
#ifndef OTTER_TEST_FLASH_BENCH_H
#define OTTER_TEST_FLASH_BENCH_H

#include "vflash.h"

#include "otter/io.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { BENCH_BASE = 0x10000000, BENCH_JOURNAL_SECTORS_MAX = 40 };

struct bench {
    struct otter_flash_area areas[3];
    struct vflash flash;
    struct otter_flash port;
    struct otter_map map;
    struct otter_io io;
    jmp_buf power;
};

/* A flash of `sectors` sectors that is one region, `id`, open for writing. */
struct bench_shape {
    uint32_t sector_size;
    uint32_t sectors;
    uint16_t word_size;
    uint16_t page_size;
    uint8_t erased;
    bool is_ecc;
    uint32_t large_sectors; /* that many more, of twice the size, behind them */
};

static inline void bench_cut(void *context)
{
    struct bench *bench = context;

    longjmp(bench->power, 1);
}

/* Another power-on of the device: nothing in RAM is left. */
static inline void bench_start(struct bench *bench, struct vflash_fault fault,
                               uint8_t id)
{
    otter_io_init(&bench->io, &bench->port, &bench->map);
    otter_io_open(&bench->io, id);
    vflash_power_on(&bench->flash, fault);
}

static inline struct bench *bench_new(const struct bench_shape *shape, uint8_t id)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    if (bench == NULL) {
        abort();
    }
    bench->areas[0] = (struct otter_flash_area){.addr = BENCH_BASE,
                                                .sector_size = shape->sector_size,
                                                .sector_count = shape->sectors,
                                                .word_size = shape->word_size,
                                                .page_size = shape->page_size,
                                                .erased = shape->erased};
    bench->map.count = 1;
    bench->map.regions[0] = (struct otter_region){
        .id = id,
        .addr = BENCH_BASE,
        .size = shape->sector_size * (shape->sectors + 2 * shape->large_sectors)};
    bench->areas[1] = bench->areas[0];
    bench->areas[1].addr += shape->sector_size * shape->sectors;
    bench->areas[1].sector_size *= 2;
    bench->areas[1].sector_count = shape->large_sectors;
    struct vflash_config config = {.areas = bench->areas,
                                   .area_count = shape->large_sectors == 0 ? 1 : 2,
                                   .is_ecc = shape->is_ecc};

    if (vflash_create(&bench->flash, &config) != OTTER_OK) {
        abort();
    }
    bench->flash.hooks = (struct vflash_hooks){.context = bench, .cut = bench_cut};
    vflash_port(&bench->flash, &bench->port);
    bench->port.area_count = config.area_count;
    bench_start(bench, (struct vflash_fault){.kind = VFLASH_NONE}, id);
    return bench;
}

static inline void bench_free(struct bench *bench)
{
    vflash_destroy(&bench->flash);
    free(bench);
}

#endif
