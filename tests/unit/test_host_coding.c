/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tool codes, the device's decoder gives back, at every limit of the formats;
 * zlib itself reads our chunks; the heatshrink coder finds what there is to find.
 */
#include "digest.h"
#include "host_coding.h"
#include "otter/bytes.h"
#include "otter/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>

enum { IMAGE_MAX = 70000 };

static uint8_t image_bytes[IMAGE_MAX];

/* Kinds of content: noise, zeros, text that repeats itself near and far. */
enum { KINDS = 3 };

static struct host_image make_image(int kind, uint32_t size)
{
    static const char words[] = "otter river weir bank holt fish stone water ";
    uint32_t seed = 12345;

    for (uint32_t i = 0; i < size; i++) {
        seed = seed * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        image_bytes[i] = kind == 0   ? (uint8_t)(seed >> 24)
                         : kind == 1 ? 0
                                     : (uint8_t)words[(i + i / 97 * 11) % 44];
    }
    return (struct host_image){image_bytes, size};
}

static void assert_decodes(const struct host_image *image, uint8_t coding,
                           const struct host_coded *coded)
{
    const struct host_image stored = {coded->data, coded->size};
    struct otter_source source = host_image_source(&stored);
    struct otter_member member = {.coding = coding,
                                  .stored_size = coded->size,
                                  .installed_size = image->size,
                                  .memory = coded->memory};
    uint8_t *out = malloc(image->size);

    assert_non_null(out);
    digest_of(image->data, image->size, member.installed_sha);
    assert_int_equal(host_decode(&source, &member, out), OTTER_OK);
    assert_memory_equal(out, image->data, image->size);
    member.installed_sha[31] ^= 1;
    assert_int_equal(host_decode(&source, &member, out), OTTER_E_CODING_HASH);
    free(out);
}

static const uint32_t sizes[] = {1,   2,    3,    255,  256,  257,   511,
                                 512, 1024, 4095, 4096, 4097, 20001, 66000};

enum { SIZE_COUNT = sizeof(sizes) / sizeof(sizes[0]) };

static void every_zlib_member_decodes_at_every_chunk_and_window(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE_COUNT * KINDS; i++) {
        const struct host_image image = make_image((int)(i % KINDS), sizes[i / KINDS]);

        for (uint8_t chunk = 9; chunk <= 15; chunk++) {
            for (uint8_t window = 9; window <= 15; window += 3) {
                struct host_coded coded;

                assert_true(host_code_zlib(&image, chunk, window, &coded));
                assert_int_equal(coded.memory, 7680 + (1 << window));
                assert_decodes(&image, OTTER_CODING_ZLIB, &coded);
                free(coded.data);
            }
        }
    }
}

static void zlib_reads_the_chunks_that_the_tool_makes(void **state)
{
    static uint8_t out[4096];
    const struct host_image image = make_image(2, 66000);
    struct host_coded coded;
    uint32_t at = 0;

    (void)state;
    assert_true(host_code_zlib(&image, 12, 12, &coded));
    for (uint32_t off = 4; off < coded.size;) {
        uLongf len = sizeof(out);
        uint16_t length = otter_load_le16(coded.data + off);

        assert_int_equal(uncompress(out, &len, coded.data + off + 2, length), Z_OK);
        assert_int_equal(len, at + 4096 <= image.size ? 4096 : image.size - at);
        assert_memory_equal(out, image.data + at, len);
        at += (uint32_t)len;
        off += 2U + length;
    }
    assert_int_equal(at, image.size);
    free(coded.data);
}

static void every_heatshrink_member_decodes_at_every_window(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE_COUNT * KINDS; i++) {
        const struct host_image image = make_image((int)(i % KINDS), sizes[i / KINDS]);

        for (uint8_t window = 4; window <= 15; window++) {
            struct host_coded coded;

            assert_true(host_code_heatshrink(&image, window, &coded));
            assert_int_equal(coded.memory, 1 << window);
            assert_decodes(&image, OTTER_CODING_HEATSHRINK, &coded);
            /* Never more than nine bits a byte. */
            assert_true(coded.size <= 7 + (image.size * 9 + 7) / 8);
            free(coded.data);
        }
    }
}

static void heatshrink_finds_what_lies_a_whole_window_back(void **state)
{
    struct host_image image = make_image(0, 4096 + 200);
    struct host_coded near_coded;
    struct host_coded far_coded;

    (void)state;
    memcpy(image_bytes + 4096, image_bytes, 200);
    assert_true(host_code_heatshrink(&image, 11, &near_coded));
    assert_true(host_code_heatshrink(&image, 12, &far_coded));
    assert_true(far_coded.size + 150 < near_coded.size);
    free(near_coded.data);
    free(far_coded.data);
}

/* 64 KiB of zeros: one byte, then repeats of the longest kind. */
static void heatshrink_does_not_take_long_for_zeros(void **state)
{
    const struct host_image image = make_image(1, 65536);
    struct host_coded coded;

    (void)state;
    assert_true(host_code_heatshrink(&image, 15, &coded));
    assert_true(coded.size <= 7 + (65536 / 256 + 1) * 24 / 8 + 2);
    free(coded.data);
}

static void a_member_for_more_memory_than_64_kib_is_refused(void **state)
{
    static const uint8_t stored[] = {'H', 'S', 'D', 'S', 1, 4, 3, 0x80, 0x00};
    const struct host_image image = {stored, sizeof(stored)};
    struct otter_source source = host_image_source(&image);
    struct otter_member member = {.coding = OTTER_CODING_HEATSHRINK,
                                  .stored_size = sizeof(stored),
                                  .installed_size = 1,
                                  .memory = 65536};

    (void)state;
    assert_int_equal(host_decode(&source, &member, NULL), OTTER_E_CODING_HASH);
    member.memory++;
    assert_int_equal(host_decode(&source, &member, NULL), OTTER_E_CODING_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zlib_member_decodes_at_every_chunk_and_window),
        cmocka_unit_test(zlib_reads_the_chunks_that_the_tool_makes),
        cmocka_unit_test(every_heatshrink_member_decodes_at_every_window),
        cmocka_unit_test(heatshrink_finds_what_lies_a_whole_window_back),
        cmocka_unit_test(heatshrink_does_not_take_long_for_zeros),
        cmocka_unit_test(a_member_for_more_memory_than_64_kib_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
