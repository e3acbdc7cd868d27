/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a device is silent because its journal takes no record: in simulated time of
 * its flash, from power-on to the first answer over the link, and around a transfer's
 * first part. Expected: each sector of the journal is tried once by each program that
 * has to write (otter/journal.h), and then no more until the next power-on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote.h"
#include "smp_bench.h"

#include <string.h>

enum { CHUNK = 400, SECTORS_MAX = 32 };

enum journal_damage {
    LOST,       /* nothing can be read, and no sector takes a record */
    BAD,        /* all can be read, and no sector takes a record */
    OPENS_ONLY, /* all can be read; a sector takes two records and not one more */
};

/* Passes over the journal's sectors: by boot, and by the agent that says a request once
 * more, before the first answer; and for a transfer's first part. */
static const struct {
    const char *name;
    enum journal_damage damage;
    bool is_requested;
    uint8_t at_start;
    uint8_t in_transfer;
} cases[] = {
    {"lost", LOST, false, 1, 0}, /* the agent, which has to guess, tries none */
    {"bad", BAD, false, 0, 1},
    {"bad, requested", BAD, true, 2, 0},
    {"opens only", OPENS_ONLY, false, 0, 1},
    {"opens only, requested", OPENS_ONLY, true, 2, 0},
};

/* Programs of each sector since its erase. */
static struct {
    struct smp_bench *bench;
    uint8_t programs[SECTORS_MAX];
} opening;

static const struct otter_region *journal_of(const struct smp_bench *bench)
{
    return otter_map_find(&bench->sample.profile.map, OTTER_REGION_JOURNAL);
}

static uint32_t sector_of(const struct smp_bench *bench)
{
    return bench->sample.profile.areas[0].sector_size;
}

/* A sector is good until it holds two records. */
static void on_op(void *context, const struct vflash_op *op)
{
    const struct otter_region *journal = journal_of(opening.bench);
    struct vdevice *device = context;

    if (op->addr < journal->addr || op->addr - journal->addr >= journal->size) {
        return;
    }
    uint32_t index = (op->addr - journal->addr) / sector_of(opening.bench);

    assert_true(index < SECTORS_MAX);
    if (op->is_erase) {
        opening.programs[index] = 0;
    } else {
        opening.programs[index]++;
    }
    vflash_set_bad(&device->flash, op->addr, opening.programs[index] > 2);
}

static void damage(struct smp_bench *bench, enum journal_damage how)
{
    static uint8_t erased[65536];
    const struct otter_region *journal = journal_of(bench);
    uint32_t sector = sector_of(bench);

    memset(erased, 0xFF, sizeof(erased));
    assert_true(sector <= sizeof(erased));
    if (how == OPENS_ONLY) {
        memset(&opening, 0, sizeof(opening));
        opening.bench = bench;
        bench->device.flash.hooks.on_op = on_op;
        return;
    }
    for (uint32_t off = 0; off < journal->size; off += sector) {
        if (how == LOST) {
            vflash_provision(&bench->device.flash, journal->addr + off, erased, sector);
        }
        vflash_set_bad(&bench->device.flash, journal->addr + off, true);
    }
}

static struct remote remote_of(struct smp_bench *bench)
{
    struct smp_transport transport = smp_bench_transport(bench);
    struct remote remote;

    memset(&remote, 0, sizeof(remote));
    smp_client_init(&remote.client, &transport);
    return remote;
}

static void request_next(struct smp_bench *bench)
{
    static struct sample_package package;
    enum otter_result result = OTTER_OK;

    sample_next(&bench->sample, 2, &package);
    sample_build(&package);
    (void)vdevice_feed(&bench->device, package.bytes, package.size, CHUNK, &result);
    assert_int_equal(result, OTTER_OK);
    (void)vdevice_request(&bench->device, &result);
    assert_int_equal(result, OTTER_OK);
}

/* A first part of a transfer; what a status asked at once after it has to wait for is
 * counted as its time. */
static enum otter_result begin_transfer(struct smp_bench *bench, struct remote *remote)
{
    static const uint8_t sha[REMOTE_HASH_SIZE] = {1};
    const struct remote_chunk chunk = {.data = bench->sample.first.bytes,
                                       .size = CHUNK,
                                       .len = (uint32_t)bench->sample.first.size,
                                       .sha = sha};
    struct remote_status status;
    uint32_t next = 0;
    enum otter_result result = remote_upload(remote, &chunk, &next);

    assert_int_equal(remote_status(remote, &status), OTTER_OK);
    return result;
}

/* No more than so many passes over all sectors: an erase of each, and what of the
 * records is tried, in simulated milliseconds. */
static void check(const struct smp_bench *bench, const char *what, uint64_t from_ns,
                  unsigned passes)
{
    uint64_t took_ns = bench->device.flash.counts.time_ns - from_ns;
    uint32_t sectors = journal_of(bench)->size / sector_of(bench);
    uint64_t pass_ns = (uint64_t)sectors * (VFLASH_ERASE_NS + VFLASH_ERASE_NS / 10);

    print_message("%-24s %5u ms in %u passes over %u sectors\n", what,
                  (unsigned)(took_ns / 1000000), passes, (unsigned)sectors);
    assert_true(took_ns <= passes * pass_ns);
    assert_true(took_ns >= (uint64_t)passes * (sectors - 2) * VFLASH_ERASE_NS);
}

static void check_silence(struct smp_bench *bench, size_t i)
{
    struct remote remote = remote_of(bench);
    const struct vflash_counts *counts = &bench->device.flash.counts;
    struct remote_status status;
    uint64_t from_ns = counts->time_ns;

    (void)vdevice_power_on(&bench->device, (struct vflash_fault){.kind = VFLASH_NONE});
    assert_int_equal(remote_status(&remote, &status), OTTER_OK);
    check(bench, cases[i].name, from_ns, cases[i].at_start);
    from_ns = counts->time_ns;
    (void)!begin_transfer(bench, &remote);
    check(bench, "  a transfer", from_ns, cases[i].in_transfer);
    from_ns = counts->time_ns;
    (void)!begin_transfer(bench, &remote);
    check(bench, "  another one", from_ns, 0);
}

static void k22_a_journal_that_takes_nothing_costs_few_tries_of_each_sector(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct smp_bench bench;

        smp_bench_start(&bench, false, NULL);
        if (cases[i].is_requested) {
            request_next(&bench);
        }
        vdevice_power_off(&bench.device);
        damage(&bench, cases[i].damage);
        check_silence(&bench, i);
        smp_bench_stop(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            k22_a_journal_that_takes_nothing_costs_few_tries_of_each_sector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
