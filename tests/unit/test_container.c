/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The package file. Vectors and their codes: tests/vectors/make_package.py, an encoder
 * of its own made from docs/SPEC.md.
 */
#include "crypto_bearssl.h"
#include "otter/bytes.h"
#include "otter/container.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum otter_result check(const uint8_t *data, size_t size, uint8_t *index)
{
    struct watched watched;
    struct otter_control control;
    uint8_t hash[OTTER_SHA256_SIZE];

    watched_init(&watched, data, size);
    struct otter_source source = watched_source(&watched);

    return otter_container_check(&source, &otter_crypto_bearssl, &control, hash, index);
}

static void every_vector_gives_the_code_that_its_generator_names(void **state)
{
    struct vector list;
    struct vector vector;
    unsigned count = 0;

    (void)state;
    vector_load("packages.txt", &list);
    list.data[list.size] = '\0';
    for (char *line = strtok((char *)list.data, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        char name[64];
        unsigned stage = 0;
        unsigned detail = 0;

        if (line[0] == '#') {
            continue;
        }
        assert_int_equal(sscanf(line, "%63s %2u-%2u", name, &stage, &detail), 3);
        vector_load(name, &vector);
        uint16_t code = otter_code(check(vector.data, vector.size, NULL));

        if (code != stage * 256 + detail) {
            fail_msg("%s: %u-%u, expected %u-%u", name, code / 256U, code % 256U, stage,
                     detail);
        }
        count++;
    }
    assert_true(count >= 40);
}

static void a_file_cut_at_any_byte_is_truncated(void **state)
{
    struct vector vector;

    (void)state;
    vector_load("full.otter", &vector);
    for (size_t size = 0; size < vector.size; size++) {
        assert_int_equal(check(vector.data, size, NULL), OTTER_E_PACKAGE_TRUNCATED);
    }
    assert_int_equal(check(vector.data, vector.size, NULL), OTTER_OK);
}

static void a_byte_after_the_trailer_is_refused(void **state)
{
    struct vector vector;

    (void)state;
    vector_load("plain.otter", &vector);
    vector.data[vector.size] = 0;
    assert_int_equal(check(vector.data, vector.size + 1, NULL), OTTER_E_PACKAGE_LENGTH);
}

/* The code of a flipped bit outside the control packet. */
static enum otter_result expected_at(size_t off, size_t control_end, size_t trailer)
{
    if (off < 4) {
        return OTTER_E_PACKAGE_MAGIC;
    }
    if (off < OTTER_IMAGE_HEADER_SIZE) {
        /* Payload size and version: any value is valid, but the packet has another. */
        return (off >= 12 && off < 16) || (off >= 20 && off < 28)
                   ? OTTER_E_CONTROL_HEADER
                   : OTTER_E_PACKAGE_HEADER;
    }
    if (off >= control_end && off < trailer) {
        return OTTER_E_MEMBER_HASH;
    }
    return off < trailer + 8 ? OTTER_E_PACKAGE_TRAILER : OTTER_E_PACKAGE_HASH;
}

static void every_flipped_bit_has_the_code_of_its_place(void **state)
{
    struct vector vector;

    (void)state;
    vector_load("full.otter", &vector);
    size_t control_end =
        OTTER_IMAGE_HEADER_SIZE + (size_t)otter_load_le16(vector.data + 38);
    size_t trailer = vector.size - OTTER_TRAILER_SIZE;

    for (size_t bit = 0; bit < vector.size * 8; bit++) {
        size_t off = bit / 8;
        uint8_t index = 99;

        vector.data[off] ^= (uint8_t)(1U << bit % 8);
        enum otter_result result = check(vector.data, vector.size, &index);

        if (off >= OTTER_IMAGE_HEADER_SIZE && off < control_end) {
            /* 24-10: a type that turns into the key wraps'. */
            assert_in_range(otter_code(result) >> 8, 20, 24);
        } else if (result != expected_at(off, control_end, trailer)) {
            fail_msg("byte %zu: code %04X", off, otter_code(result));
        }
        if (result == OTTER_E_MEMBER_HASH && off >= control_end) {
            assert_int_equal(index, off < control_end + 300   ? 0
                                    : off < control_end + 500 ? 1
                                                              : 2);
        }
        vector.data[off] ^= (uint8_t)(1U << bit % 8);
    }
}

static void stored_sizes_that_wrap_or_do_not_fill_the_file_are_refused(void **state)
{
    /* Stored and installed size of full.otter's members: 8 and 12 in each entry. */
    static const struct {
        unsigned member;
        uint32_t size;
    } cases[] = {{0, 301}, {0, 299}, {1, 0xFFFFFFFF}, {2, 0x80000000}, {0, 0xFFFFFE00}};
    struct vector vector;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        vector_load("full.otter", &vector);
        uint8_t *entry =
            vector.data + OTTER_IMAGE_HEADER_SIZE + 96 + 96 * cases[i].member;

        otter_store_le32(entry + 8, cases[i].size);
        otter_store_le32(entry + 12, cases[i].size);
        assert_int_equal(check(vector.data, vector.size, NULL), OTTER_E_PACKAGE_LENGTH);
    }
}

static void the_hash_given_is_the_one_in_the_trailer(void **state)
{
    struct vector vector;
    struct watched watched;
    struct otter_control control;
    uint8_t hash[OTTER_SHA256_SIZE];

    (void)state;
    vector_load("plain.otter", &vector);
    watched_init(&watched, vector.data, vector.size);
    struct otter_source source = watched_source(&watched);

    assert_int_equal(
        otter_container_check(&source, &otter_crypto_bearssl, &control, hash, NULL),
        OTTER_OK);
    assert_memory_equal(hash, vector.data + vector.size - 32, 32);
}

static void a_read_error_passes_through(void **state)
{
    struct vector vector;
    struct watched watched;
    struct otter_control control;
    uint8_t hash[OTTER_SHA256_SIZE];

    (void)state;
    vector_load("full.otter", &vector);
    watched_init(&watched, vector.data, vector.size);
    struct otter_source source = watched_source(&watched);

    assert_int_equal(
        otter_container_check(&source, &otter_crypto_bearssl, &control, hash, NULL),
        OTTER_OK);
    unsigned reads = watched.reads;

    for (unsigned at = 1; at <= reads; at++) {
        watched_init(&watched, vector.data, vector.size);
        watched.fail_at = at;
        assert_int_equal(
            otter_container_check(&source, &otter_crypto_bearssl, &control, hash, NULL),
            OTTER_E_FLASH_READ);
    }
}

static void an_image_header_gives_its_size_and_version(void **state)
{
    static const uint8_t bytes[OTTER_IMAGE_HEADER_SIZE] = {
        0x3D, 0xB8, 0xF3, 0x96, 0, 0, 0, 0, 32, 0, 0, 0, 0x78, 0x56, 0x34, 0x12,
        0,    0,    0,    0,    1, 2, 4, 3, 8,  7, 6, 5, 0,    0,    0,    0};
    struct otter_image_header header;

    (void)state;
    assert_int_equal(otter_image_header_parse(bytes, &header), OTTER_OK);
    assert_int_equal(header.payload_size, 0x12345678);
    assert_int_equal(header.version.major, 1);
    assert_int_equal(header.version.minor, 2);
    assert_int_equal(header.version.revision, 0x0304);
    assert_int_equal(header.version.build, 0x05060708);
}

static void a_trailer_is_exactly_one_sha256_entry(void **state)
{
    uint8_t bytes[OTTER_TRAILER_SIZE] = {0x07, 0x69, 40, 0, 0x10, 0, 32, 0, 0xAA};
    uint8_t hash[OTTER_SHA256_SIZE] = {0};

    (void)state;
    bytes[39] = 0xBB;
    assert_int_equal(otter_trailer_parse(bytes, hash), OTTER_OK);
    assert_int_equal(hash[0], 0xAA);
    assert_int_equal(hash[31], 0xBB);
    for (size_t bit = 0; bit < 64; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(otter_trailer_parse(bytes, hash), OTTER_E_PACKAGE_TRAILER);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gives_the_code_that_its_generator_names),
        cmocka_unit_test(a_file_cut_at_any_byte_is_truncated),
        cmocka_unit_test(a_byte_after_the_trailer_is_refused),
        cmocka_unit_test(every_flipped_bit_has_the_code_of_its_place),
        cmocka_unit_test(stored_sizes_that_wrap_or_do_not_fill_the_file_are_refused),
        cmocka_unit_test(the_hash_given_is_the_one_in_the_trailer),
        cmocka_unit_test(a_read_error_passes_through),
        cmocka_unit_test(an_image_header_gives_its_size_and_version),
        cmocka_unit_test(a_trailer_is_exactly_one_sha256_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
