/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the one way to flash: bounds, permission, pages, reading back. Expected
 * values follow from otter/io.h and otter/port/flash.h; a breach of the memory's rules
 * aborts the test.
 */
#include "otter/io.h"

#include "flash_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ID = OTTER_REGION_STAGING, SIZE = 4 * 512 };

static const struct bench_shape usual = {512, 4, 8, 64, 0xFF, false, 0};

/* A region that lies in the middle of its flash, so that what is around it is seen. */
static struct bench *inner_bench(void)
{
    struct bench_shape shape = usual;

    shape.sectors = 8;
    struct bench *bench = bench_new(&shape, ID);

    bench->map.regions[0].addr += 2 * 512;
    bench->map.regions[0].size = SIZE;
    return bench;
}

static int setup(void **state)
{
    *state = inner_bench();
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    return 0;
}

static void accesses_are_held_inside_the_region_at_every_edge(void **state)
{
    static const struct {
        uint32_t off;
        size_t size;
        bool is_inside;
    } cases[] = {
        {0, 8, true},
        {0, SIZE, true},
        {SIZE - 8, 8, true},
        {SIZE, 0, true},
        {0, SIZE + 8, false},
        {SIZE - 8, 16, false},
        {SIZE, 8, false},
        {SIZE + 8, 0, false},
        {UINT32_MAX - 7, 8, false},
        {UINT32_MAX - 7, 16, false},
        {8, SIZE_MAX - 7, false},
        {0, SIZE_MAX - 7, false},
    };
    struct bench *bench = *state;
    static uint8_t data[SIZE + 16];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum otter_result expected =
            cases[i].is_inside ? OTTER_OK : OTTER_E_FLASH_BOUNDS;
        size_t done = 99;

        vflash_power_on(&bench->flash, (struct vflash_fault){.kind = VFLASH_NONE});
        assert_int_equal(
            otter_io_read(&bench->io, ID, cases[i].off, data, cases[i].size), expected);
        if (!cases[i].is_inside || cases[i].size == 0) {
            assert_int_equal(otter_io_program(&bench->io, ID, cases[i].off, data,
                                              cases[i].size, &done),
                             expected);
            assert_int_equal(done, 0);
            assert_int_equal(bench->flash.op, 0);
        }
    }
}

static void a_region_that_is_not_in_the_map_is_out_of_bounds(void **state)
{
    struct bench *bench = *state;
    struct otter_sector sector;
    uint8_t data[8] = {0};
    size_t done;

    assert_int_equal(otter_io_read(&bench->io, 1, 0, data, 0), OTTER_E_FLASH_BOUNDS);
    assert_int_equal(otter_io_erase(&bench->io, 1, 0), OTTER_E_FLASH_BOUNDS);
    assert_int_equal(otter_io_program(&bench->io, 1, 0, data, 8, &done),
                     OTTER_E_FLASH_BOUNDS);
    assert_int_equal(otter_io_sector(&bench->io, 1, 0, &sector), OTTER_E_FLASH_BOUNDS);
    assert_int_equal(otter_io_word_size(&bench->io, 1), 1);
    assert_int_equal(otter_io_erased(&bench->io, 1), 0xFF);
    assert_int_equal(otter_io_word_size(&bench->io, ID), 8);
}

static void k23_a_closed_region_is_neither_erased_nor_programmed(void **state)
{
    struct bench *bench = *state;
    uint8_t data[8] = {0};
    size_t done = 99;

    otter_io_close(&bench->io, ID);
    for (uint8_t other = 0; other < 255; other++) { /* opens all others */
        if (other != ID) {
            otter_io_open(&bench->io, other);
        }
    }
    assert_int_equal(otter_io_erase(&bench->io, ID, 0), OTTER_E_FLASH_FORBIDDEN);
    assert_int_equal(otter_io_program(&bench->io, ID, 0, data, 8, &done),
                     OTTER_E_FLASH_FORBIDDEN);
    assert_int_equal(done, 0);
    assert_int_equal(bench->flash.op, 0);
    assert_int_equal(bench->io.erases[ID], 0);
    assert_int_equal(otter_io_read(&bench->io, ID, 0, data, 8), OTTER_OK);
    otter_io_open(&bench->io, ID);
    assert_int_equal(otter_io_erase(&bench->io, ID, 0), OTTER_OK);
    for (uint8_t other = 0; other < 255; other++) {
        if (other != ID) {
            otter_io_close(&bench->io, other);
        }
    }
    assert_int_equal(otter_io_erase(&bench->io, ID, 0), OTTER_OK);
}

static void a_region_whose_id_is_not_known_is_never_written(void **state)
{
    struct bench *bench = *state;
    static const uint8_t ids[] = {OTTER_REGION_ID_COUNT, 15, 16, 31, 32, 40, 255};
    uint8_t data[8] = {0};
    size_t done;

    for (size_t i = 0; i < sizeof(ids); i++) {
        bench->map.regions[0].id = ids[i];
        otter_io_open(&bench->io, ids[i]);
        assert_int_equal(otter_io_erase(&bench->io, ids[i], 0),
                         OTTER_E_FLASH_FORBIDDEN);
        assert_int_equal(otter_io_program(&bench->io, ids[i], 0, data, 8, &done),
                         OTTER_E_FLASH_FORBIDDEN);
        assert_int_equal(otter_io_read(&bench->io, ids[i], 0, data, 8), OTTER_OK);
    }
    assert_int_equal(bench->flash.op, 0);
}

static void an_erase_takes_the_one_sector_that_holds_the_offset(void **state)
{
    static const struct {
        uint32_t off;
        uint32_t sector;
        enum otter_result result;
    } cases[] = {
        {0, 0, OTTER_OK},
        {511, 0, OTTER_OK},
        {512, 1, OTTER_OK},
        {SIZE - 1, 3, OTTER_OK},
        {SIZE, 0, OTTER_E_FLASH_BOUNDS},
        {UINT32_MAX, 0, OTTER_E_FLASH_BOUNDS},
    };
    struct bench *bench = *state;
    uint32_t good = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        vflash_measure_reset(&bench->flash);
        assert_int_equal(otter_io_erase(&bench->io, ID, cases[i].off), cases[i].result);
        good += cases[i].result == OTTER_OK;
        for (uint32_t k = 0; k < 8; k++) {
            assert_int_equal(vflash_erases(&bench->flash, BENCH_BASE + k * 512),
                             cases[i].result == OTTER_OK && k == cases[i].sector + 2);
        }
        assert_int_equal(bench->io.erases[ID], good);
    }
}

static void a_program_stops_at_the_pages_end_and_says_how_far_it_came(void **state)
{
    static const struct {
        uint32_t off;
        size_t size;
        size_t done;
    } cases[] = {
        {0, 8, 8},   {64, 64, 64},  {128, 72, 64},  {200, 64, 56},
        {312, 8, 8}, {376, 512, 8}, {448, 128, 64}, {1024, 1024, 64},
    };
    struct bench *bench = *state;
    uint8_t data[1024];
    size_t done;

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 5 + 1);
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t op = bench->flash.op;

        assert_int_equal(
            otter_io_program(&bench->io, ID, cases[i].off, data, cases[i].size, &done),
            OTTER_OK);
        assert_int_equal(done, cases[i].done);
        assert_int_equal(bench->flash.op, op + 1);
        assert_memory_equal(
            vflash_peek(&bench->flash, BENCH_BASE + 1024 + cases[i].off, done), data,
            done);
    }
}

static void a_program_of_parts_of_words_is_refused(void **state)
{
    static const struct {
        uint32_t off;
        size_t size;
    } cases[] = {{0, 1}, {0, 7}, {0, 9}, {4, 8}, {1, 8}, {7, 1}};
    struct bench *bench = *state;
    uint8_t data[16] = {0};
    size_t done = 99;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
            otter_io_program(&bench->io, ID, cases[i].off, data, cases[i].size, &done),
            OTTER_E_FLASH_BOUNDS);
        assert_int_equal(done, 0);
    }
    assert_int_equal(bench->flash.op, 0);
}

/* A memory that says it programmed but left one bit as it was. */
static uint32_t weak_addr;
static enum otter_result (*plain_program)(void *context, uint32_t addr,
                                          const void *data, size_t size);

static enum otter_result weak_program(void *context, uint32_t addr, const void *data,
                                      size_t size)
{
    struct bench *bench = ((struct vflash *)context)->hooks.context;
    enum otter_result result = plain_program(context, addr, data, size);

    vflash_flip(&bench->flash, weak_addr, 3);
    return result;
}

static void k4_what_does_not_read_back_is_a_code(void **state)
{
    struct bench *bench = *state;
    uint8_t data[64];
    size_t done;

    memset(data, 0x5A, sizeof(data));
    plain_program = bench->port.program;
    bench->port.program = weak_program;
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(otter_io_erase(&bench->io, ID, 0), OTTER_OK);
        weak_addr = BENCH_BASE + 1024 + i;
        assert_int_equal(otter_io_program(&bench->io, ID, 0, data, 64, &done),
                         OTTER_E_FLASH_VERIFY);
    }
    assert_int_equal(otter_io_erase(&bench->io, ID, 0), OTTER_OK);
    weak_addr = BENCH_BASE + 1024 + 64; /* not part of it */
    assert_int_equal(otter_io_program(&bench->io, ID, 0, data, 64, &done), OTTER_OK);
}

static void failures_of_the_memory_come_out_by_their_codes(void **state)
{
    struct bench *bench = *state;
    uint8_t data[8] = {0};
    size_t done = 99;

    vflash_kill_word(&bench->flash, BENCH_BASE + 1024 + 40);
    assert_int_equal(otter_io_read(&bench->io, ID, 32, data, 8), OTTER_OK);
    assert_int_equal(otter_io_read(&bench->io, ID, 36, data, 8), OTTER_E_FLASH_READ);
    vflash_set_bad(&bench->flash, BENCH_BASE + 1024, true);
    assert_int_equal(otter_io_program(&bench->io, ID, 0, data, 8, &done),
                     OTTER_E_FLASH_PROGRAM);
    assert_int_equal(done, 0);
    assert_int_equal(otter_io_erase(&bench->io, ID, 0), OTTER_E_FLASH_ERASE);
}

static void a_span_reads_from_its_offset_and_not_past_its_region(void **state)
{
    struct bench *bench = *state;
    struct otter_span span = {.io = &bench->io, .region = ID, .off = 512};
    struct otter_source source = otter_span_source(&span, SIZE - 512);
    uint8_t data[4];

    vflash_provision(&bench->flash, BENCH_BASE + 1024 + 512 + 10, "otter", 5);
    assert_int_equal(source.size, SIZE - 512);
    assert_int_equal(source.read(source.context, 11, data, 4), OTTER_OK);
    assert_memory_equal(data, "tter", 4);
    assert_int_equal(source.read(source.context, SIZE - 512 - 4, data, 4), OTTER_OK);
    assert_int_equal(source.read(source.context, SIZE - 512 - 3, data, 4),
                     OTTER_E_FLASH_BOUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            accesses_are_held_inside_the_region_at_every_edge, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_region_that_is_not_in_the_map_is_out_of_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(
            k23_a_closed_region_is_neither_erased_nor_programmed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_region_whose_id_is_not_known_is_never_written,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_erase_takes_the_one_sector_that_holds_the_offset, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_program_stops_at_the_pages_end_and_says_how_far_it_came, setup, teardown),
        cmocka_unit_test_setup_teardown(a_program_of_parts_of_words_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(k4_what_does_not_read_back_is_a_code, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(failures_of_the_memory_come_out_by_their_codes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_span_reads_from_its_offset_and_not_past_its_region, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
