/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of receipts: bytes and places. Expected bytes come from
 * tests/vectors/make_flash.py, which was written from docs/SPEC.md, "Receipts".
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/receipt.h"

#include "flash_bench.h"

#include "../vectors/flash_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { RECEIPTS = OTTER_REGION_RECEIPTS };

static const struct bench_shape usual = {4096, 4, 8, 256, 0xFF, false, 0};

/* The frozen copy at `addr`; with what is damaged or left out. */
static void provision(struct bench *bench, uint32_t addr)
{
    vflash_provision(&bench->flash, addr, vector_receipt_head, 32);
    vflash_provision(&bench->flash, addr + 32, vector_receipt_control,
                     sizeof(vector_receipt_control));
    vflash_provision(&bench->flash, addr + 2080, vector_receipt_hash, 64);
}

static void k6_head_and_hash_unit_encode_to_the_frozen_bytes(void **state)
{
    uint8_t head[OTTER_RECEIPT_HEAD_SIZE];
    uint8_t unit[OTTER_RECEIPT_HASH_SIZE];
    uint8_t hash[32];

    (void)state;
    for (uint8_t i = 0; i < 32; i++) {
        hash[i] = (uint8_t)(0xC0 + i);
    }
    otter_receipt_head(
        sizeof(vector_receipt_control),
        otter_crc32(0, vector_receipt_control, sizeof(vector_receipt_control)), head);
    otter_receipt_hash_unit(hash, unit);
    assert_memory_equal(head, vector_receipt_head, sizeof(head));
    assert_memory_equal(unit, vector_receipt_hash, sizeof(unit));
    assert_int_equal(OTTER_RECEIPT_HASH_OFF, 2080);
    assert_int_equal(OTTER_RECEIPT_SIZE, 2144);
}

static void k1_every_copy_has_sectors_of_its_own(void **state)
{
    static const struct {
        struct bench_shape shape;
        uint32_t offs[4];
        uint32_t sizes[4];
        enum otter_result result;
    } cases[] = {
        {{4096, 4, 8, 256, 0xFF, false, 0},
         {0, 4096, 8192, 12288},
         {4096, 4096, 4096, 4096},
         OTTER_OK},
        {{4096, 6, 8, 256, 0xFF, false, 0},
         {0, 4096, 12288, 16384},
         {4096, 8192, 4096, 8192},
         OTTER_OK},
        {{512, 20, 8, 256, 0xFF, false, 0},
         {0, 2560, 5120, 7680},
         {2560, 2560, 2560, 2560},
         OTTER_OK},
        {{4096, 2, 8, 256, 0xFF, false, 2},
         {0, 4096, 8192, 16384},
         {4096, 4096, 8192, 8192},
         OTTER_OK},
        {{2048, 4, 8, 256, 0xFF, false, 0}, {0}, {0}, OTTER_E_MAP_MISSING},
        {{4096, 3, 8, 256, 0xFF, false, 0}, {0}, {0}, OTTER_E_MAP_MISSING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = bench_new(&cases[i].shape, RECEIPTS);
        int good = 0;

        for (uint8_t k = 0; k < 4; k++) {
            uint32_t off = 0;
            uint32_t size = 0;
            enum otter_result result =
                otter_receipt_place(&bench->io, k / 2, k % 2, &off, &size);

            good += result == OTTER_OK;
            assert_true(result == OTTER_OK || result == OTTER_E_MAP_MISSING);
            if (cases[i].result == OTTER_OK) {
                assert_int_equal(result, OTTER_OK);
                assert_int_equal(off, cases[i].offs[k]);
                assert_int_equal(size, cases[i].sizes[k]);
            }
        }
        assert_true((good == 4) == (cases[i].result == OTTER_OK));
        bench_free(bench);
    }
}

static void a_slot_or_copy_that_does_not_exist_is_refused(void **state)
{
    struct bench *bench = bench_new(&usual, RECEIPTS);
    struct bench *other = bench_new(&usual, OTTER_REGION_STAGING);
    uint32_t off;
    uint32_t size;

    (void)state;
    assert_int_equal(otter_receipt_place(&bench->io, 2, 0, &off, &size),
                     OTTER_E_MAP_MISSING);
    assert_int_equal(otter_receipt_place(&bench->io, 0, 2, &off, &size),
                     OTTER_E_MAP_MISSING);
    assert_int_equal(otter_receipt_place(&other->io, 0, 0, &off, &size),
                     OTTER_E_MAP_MISSING);
    bench_free(bench);
    bench_free(other);
}

static void k6_the_frozen_copy_opens_at_each_place(void **state)
{
    (void)state;
    for (uint8_t k = 0; k < 4; k++) {
        struct bench *bench = bench_new(&usual, RECEIPTS);
        struct otter_receipt receipt;
        uint8_t control[sizeof(vector_receipt_control)];

        provision(bench, BENCH_BASE + k * 4096U);
        for (uint8_t other = 0; other < 4; other++) {
            assert_int_equal(
                otter_receipt_open(&bench->io, other / 2, other % 2, &receipt),
                other == k ? OTTER_OK : OTTER_E_RECEIPT_COPY);
        }
        assert_int_equal(otter_receipt_open(&bench->io, k / 2, k % 2, &receipt),
                         OTTER_OK);
        assert_int_equal(receipt.length, sizeof(control));
        assert_true(receipt.has_hash);
        assert_memory_equal(receipt.hash, vector_receipt_hash + 4, 32);
        struct otter_source source = otter_span_source(&receipt.span, receipt.length);

        assert_int_equal(source.read(source.context, 0, control, sizeof(control)),
                         OTTER_OK);
        assert_memory_equal(control, vector_receipt_control, sizeof(control));
        bench_free(bench);
    }
}

static void a_copy_with_any_bit_flipped_is_refused_or_lacks_its_hash(void **state)
{
    struct bench *bench = bench_new(&usual, RECEIPTS);
    struct vflash_image image = {0};
    struct otter_receipt receipt;

    (void)state;
    provision(bench, BENCH_BASE);
    vflash_save(&bench->flash, &image);
    for (uint32_t off = 0; off < OTTER_RECEIPT_SIZE; off++) {
        bool is_used = off < 32 + sizeof(vector_receipt_control) || off >= 2080;

        for (unsigned bit = 0; bit < 8 && is_used; bit++) {
            vflash_restore(&bench->flash, &image);
            vflash_flip(&bench->flash, BENCH_BASE + off, bit);
            enum otter_result result = otter_receipt_open(&bench->io, 0, 0, &receipt);

            assert_int_equal(result, off < 2080 ? OTTER_E_RECEIPT_COPY : OTTER_OK);
            assert_true(off < 2080 || !receipt.has_hash);
        }
    }
    vflash_image_free(&image);
    bench_free(bench);
}

static void a_copy_that_cannot_be_read_is_refused_or_lacks_its_hash(void **state)
{
    static const struct {
        uint32_t off;
        bool is_open;
        bool has_hash;
    } cases[] = {
        {0, false, false},   {24, false, false},  {32, false, false},
        {328, false, false}, {336, true, true},   {2072, true, true},
        {2080, true, false}, {2136, true, false}, {2144, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = bench_new(&usual, RECEIPTS);
        struct otter_receipt receipt = {.length = 0};

        provision(bench, BENCH_BASE);
        vflash_kill_word(&bench->flash, BENCH_BASE + cases[i].off);
        assert_int_equal(otter_receipt_open(&bench->io, 0, 0, &receipt),
                         cases[i].is_open ? OTTER_OK : OTTER_E_RECEIPT_COPY);
        assert_int_equal(receipt.has_hash, cases[i].has_hash);
        bench_free(bench);
    }
}

static void a_head_with_a_right_crc_and_a_wrong_field_is_refused(void **state)
{
    static const struct {
        uint8_t off;
        uint16_t value;
        enum otter_result result;
    } cases[] = {
        {4, 2, OTTER_E_RECEIPT_COPY},
        {4, 0, OTTER_E_RECEIPT_COPY},
        {6, 0, OTTER_E_RECEIPT_COPY},
        {6, 95, OTTER_E_RECEIPT_COPY},
        {6, 2049, OTTER_E_RECEIPT_COPY},
        {6, 65535, OTTER_E_RECEIPT_COPY},
        {12, 1, OTTER_E_RECEIPT_COPY},
        {26, 256, OTTER_E_RECEIPT_COPY},
        {6, 96, OTTER_OK},
        {6, 2048, OTTER_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = bench_new(&usual, RECEIPTS);
        struct otter_receipt receipt;
        uint8_t head[OTTER_RECEIPT_HEAD_SIZE];

        provision(bench, BENCH_BASE);
        memcpy(head, vector_receipt_head, sizeof(head));
        otter_store_le16(head + cases[i].off, cases[i].value);
        uint16_t length = otter_load_le16(head + 6);

        if (length <= 2048) { /* the CRC of what then is the control packet */
            otter_store_le32(
                head + 8,
                otter_crc32(0, vflash_peek(&bench->flash, BENCH_BASE + 32, length),
                            length));
        }
        otter_store_le32(head + 28, otter_crc32(0, head, 28));
        vflash_provision(&bench->flash, BENCH_BASE, head, sizeof(head));
        assert_int_equal(otter_receipt_open(&bench->io, 0, 0, &receipt),
                         cases[i].result);
        bench_free(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k6_head_and_hash_unit_encode_to_the_frozen_bytes),
        cmocka_unit_test(k1_every_copy_has_sectors_of_its_own),
        cmocka_unit_test(a_slot_or_copy_that_does_not_exist_is_refused),
        cmocka_unit_test(k6_the_frozen_copy_opens_at_each_place),
        cmocka_unit_test(a_copy_with_any_bit_flipped_is_refused_or_lacks_its_hash),
        cmocka_unit_test(a_copy_that_cannot_be_read_is_refused_or_lacks_its_hash),
        cmocka_unit_test(a_head_with_a_right_crc_and_a_wrong_field_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
