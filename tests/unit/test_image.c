/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of .bin, Intel HEX and ELF, and what is done with their images. Expected
 * bytes: GNU objcopy's, from tests/vectors/images/make_images.sh; HEX records with
 * wrong parts are made by hand from the format's specification (1988).
 */
#include "image.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LOW = 0x00018000, HIGH = 0x10060000 };

static struct image read_vector(const char *name)
{
    struct vector vector;
    struct image image;

    vector_load(name, &vector);
    if (!image_parse(name, vector.data, vector.size, &image)) {
        fail_msg("%s: %s", name, image.message);
    }
    return image;
}

static void assert_flat(struct image *image, const uint8_t *data, size_t size)
{
    struct bytes flat = {0};

    assert_true(image_flatten(image, &flat));
    assert_int_equal(flat.size, size);
    assert_memory_equal(flat.data, data, size);
    bytes_free(&flat);
}

static bool parse_hex(const char *text, struct image *image)
{
    return image_parse_hex((const uint8_t *)text, strlen(text), image);
}

/* ---- reading ---- */

static void hex_and_elf_give_the_bytes_that_objcopy_writes_as_binary(void **state)
{
    static const struct {
        const char *name, *bin;
        uint32_t addr;
    } cases[] = {
        {"images/low.hex", "images/low.bin", LOW},
        {"images/low.elf", "images/low.bin", LOW},
        {"images/high.hex", "images/high.bin", HIGH},
        {"images/high.elf", "images/high.bin", HIGH},
    };
    struct vector bin;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct image image = read_vector(cases[i].name);

        vector_load(cases[i].bin, &bin);
        assert_true(image.has_addr);
        assert_int_equal(image.count, 2); /* the gap is no data */
        assert_int_equal(image_span(&image).first, cases[i].addr);
        assert_int_equal(image_span(&image).last, cases[i].addr + bin.size - 1);
        assert_flat(&image, bin.data, bin.size);
        image_free(&image);
    }
}

static void a_bin_file_has_no_address(void **state)
{
    struct vector bin;
    struct image image = read_vector("images/low.bin");

    (void)state;
    vector_load("images/low.bin", &bin);
    assert_false(image.has_addr);
    assert_int_equal(image_span(&image).first, 0);
    assert_flat(&image, bin.data, bin.size);
    image_free(&image);
    assert_false(image_parse_bin(bin.data, 0, &image));
}

static void the_format_is_told_by_magic_and_name(void **state)
{
    static const char hex[] = ":0100000041BE\n:00000001FF\n";
    static const struct {
        const char *name;
        size_t size; /* of the image that `hex` gives */
    } cases[] = {{"a.hex", 1},
                 {"A.HEX", 1},
                 {"a.ihex", 1},
                 {"a.bin", sizeof(hex) - 1},
                 {"hex", sizeof(hex) - 1},
                 {"-", sizeof(hex) - 1}};
    struct image image;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(
            image_parse(cases[i].name, (const uint8_t *)hex, sizeof(hex) - 1, &image));
        assert_int_equal(image_span(&image).last - image_span(&image).first + 1,
                         cases[i].size);
        image_free(&image);
    }
}

static void hex_files_are_read_as_their_specification_says(void **state)
{
    static const struct {
        const char *text;
        uint32_t addr; /* of the byte 0x41, or of the first of two */
    } good[] = {
        {":0100000041BE\n:00000001FF\n", 0},
        {":0100000041BE\r\n:00000001FF\r\n", 0},
        {"\n:0100000041BE  \n\n:00000001FF\n\n", 0},
        {":0100000041BE\n:00000001FF", 0},
        {":0100000041be\n:00000001ff\n", 0},
        {":0100FF0041BF\n:00000001FF\n", 0xFF},
        {":020000021000EC\n:0100000041BE\n:00000001FF\n", 0x10000},
        {":02000002FFFFFE\n:0100000041BE\n:00000001FF\n", 0xFFFF0},
        {":020000040800F2\n:0100000041BE\n:00000001FF\n", 0x08000000},
        {":02000004FFFFFC\n:01FFFF0041C0\n:00000001FF\n", 0xFFFFFFFF},
        {":020000040001F9\n:02FFFF0041427D\n:00000001FF\n", 0x1FFFF},
        {":020000021000EC\n:020000040000FA\n:0100000041BE\n:00000001FF\n", 0},
        {":0400000300003800C1\n:0400000508000131BD\n:0100000041BE\n:00000001FF\n", 0},
        {":0000000000\n:0100000041BE\n:00000001FF\n", 0},
    };
    struct image image;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!parse_hex(good[i].text, &image)) {
            fail_msg("case %zu: %s", i, image.message);
        }
        assert_int_equal(image.count, 1);
        assert_int_equal(image.segments[0].addr, good[i].addr);
        assert_int_equal(image.segments[0].data[0], 0x41);
        image_free(&image);
    }
}

static void hex_files_with_a_wrong_part_are_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "has no end record"},
        {":0100000041BE\n", "has no end record"},
        {":00000001FF\n", "holds no data"},
        {":0100000041BF\n:00000001FF\n", "line 1: the checksum is wrong"},
        {":0100000041BE\n:00000001FE\n", "line 2: the checksum is wrong"},
        {":0200000041BD\n:00000001FF\n", "line 1: the record's length is wrong"},
        {":000000004100BF\n:00000001FF\n", "line 1: the record's length is wrong"},
        {"0100000041BE\n:00000001FF\n", "line 1: is no Intel HEX record"},
        {":0100000041B\n:00000001FF\n", "line 1: is no Intel HEX record"},
        {":01000000G1BE\n:00000001FF\n", "line 1: is no Intel HEX record"},
        {":\n:00000001FF\n", "line 1: is no Intel HEX record"},
        {":00000001FF\n:0100000041BE\n", "line 2: text after the end record"},
        {":0100000641B8\n:00000001FF\n", "line 1: unknown record type 6"},
        {":0100000141BD\n", "line 1: a record of type 1 has 1 bytes"},
        {":01000002419C\n", "line 1: the checksum is wrong"},
        {":0100000241BC\n", "line 1: a record of type 2 has 1 bytes"},
        {":03000004080000F1\n", "line 1: a record of type 4 has 3 bytes"},
        {":03000005080000F0\n", "line 1: a record of type 5 has 3 bytes"},
        {":020000021000EC\n:02FFFF0041427D\n:00000001FF\n",
         "line 2: the record leaves its segment"},
        {":02000004FFFFFC\n:02FFFF0041427D\n:00000001FF\n",
         "data at 0xFFFFFFFF goes past the last address"},
        {":0100000041BE\n:0100000042BD\n:00000001FF\n",
         "gives the byte at 0x00000000 twice"},
    };
    struct image image;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(parse_hex(bad[i].text, &image));
        assert_string_equal(image.message, bad[i].message);
        assert_int_equal(image.count, 0);
    }
}

static void records_in_any_order_make_one_image(void **state)
{
    static const uint8_t expected[] = {'A', 'B', 0xFF, 'D'};
    struct image image;

    (void)state;
    assert_true(parse_hex(":0100030044B8\n:0100010042BC\n:0100000041BE\n:00000001FF\n",
                          &image));
    assert_int_equal(image.count, 2);
    assert_flat(&image, expected, sizeof(expected));
    image_free(&image);
}

/* Cut anywhere or with any bit flipped, a file is refused or read, never more. */
static void damaged_files_never_do_harm(void **state)
{
    static const char *const names[] = {"images/low.hex", "images/high.elf"};
    struct vector vector;
    struct image image;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        vector_load(names[i], &vector);
        for (size_t size = 0; size < vector.size; size++) {
            if (image_parse(names[i], vector.data, size, &image)) {
                assert_true(image.count > 0);
            } else {
                assert_true(image.message[0] != '\0');
            }
            image_free(&image);
        }
        for (size_t bit = 0; bit < vector.size * 8; bit++) {
            vector.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            (void)image_parse(names[i], vector.data, vector.size, &image);
            image_free(&image);
            vector.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

static void a_hex_file_with_any_bit_of_a_digit_flipped_is_refused(void **state)
{
    struct vector vector;
    struct image image;

    (void)state;
    vector_load("images/high.hex", &vector);
    for (size_t at = 0; at < vector.size; at++) {
        uint8_t before = vector.data[at];

        if (before == '\r' || before == '\n') {
            continue;
        }
        vector.data[at] = before == '0' ? '1' : '0';
        assert_false(image_parse_hex(vector.data, vector.size, &image));
        vector.data[at] = before;
    }
}

/* ---- cutting, moving, comparing ---- */

static void only_keeps_a_range_across_segments(void **state)
{
    struct vector bin;
    struct image image = read_vector("images/high.hex");

    (void)state;
    vector_load("images/high.bin", &bin);
    assert_true(image_only(&image, (struct image_range){HIGH + 4, HIGH + 0x83}));
    assert_int_equal(image_span(&image).first, HIGH + 4);
    assert_int_equal(image_span(&image).last, HIGH + 0x83);
    assert_flat(&image, bin.data + 4, 0x80);
    assert_false(image_only(&image, (struct image_range){HIGH + 0x30, HIGH + 0x7F}));
    assert_string_equal(image.message, "has nothing in 0x10060030-0x1006007F");
    image_free(&image);
}

static void rebase_moves_the_lowest_address_and_all_others_with_it(void **state)
{
    struct vector bin;
    struct image image = read_vector("images/high.elf");

    (void)state;
    vector_load("images/high.bin", &bin);
    assert_true(image_rebase(&image, 0));
    assert_int_equal(image_span(&image).first, 0);
    assert_flat(&image, bin.data, bin.size);
    assert_true(image_rebase(&image, (uint32_t)(0x100000000 - bin.size)));
    assert_int_equal(image_span(&image).last, 0xFFFFFFFF);
    assert_false(image_rebase(&image, (uint32_t)(0x100000001 - bin.size)));
    image_free(&image);
}

static void bytes_outside_a_range_are_named(void **state)
{
    static const struct {
        struct image_range range, hit;
        bool is_outside;
    } cases[] = {
        {{HIGH, HIGH + 0x9C}, {0, 0}, false},
        {{0, 0xFFFFFFFF}, {0, 0}, false},
        {{HIGH + 1, HIGH + 0x9C}, {HIGH, HIGH}, true},
        {{HIGH + 0x40, HIGH + 0x9C}, {HIGH, HIGH + 0x2F}, true},
        {{HIGH, HIGH + 0x9B}, {HIGH + 0x9C, HIGH + 0x9C}, true},
        {{HIGH, HIGH + 0x2F}, {HIGH + 0x80, HIGH + 0x9C}, true},
        {{HIGH, HIGH + 0x0F}, {HIGH + 0x10, HIGH + 0x2F}, true},
        {{0, 0xFF}, {HIGH, HIGH + 0x2F}, true},
    };
    struct image image = read_vector("images/high.hex");
    struct image_range hit;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&hit, 0, sizeof(hit));
        assert_int_equal(image_outside(&image, cases[i].range, &hit),
                         cases[i].is_outside);
        assert_int_equal(hit.first, cases[i].hit.first);
        assert_int_equal(hit.last, cases[i].hit.last);
    }
    image_free(&image);
}

static void an_image_that_is_far_too_long_is_not_laid_out(void **state)
{
    struct image image;
    struct bytes flat = {0};

    (void)state;
    /* As firmware with UICR words is: code at 0, one word at 0x10001014. */
    assert_true(parse_hex(
        ":0100000041BE\n:020000041000EA\n:011014004299\n:00000001FF\n", &image));
    assert_false(image_flatten(&image, &flat));
    assert_non_null(strstr(image.message, "0x00000000 to 0x10001014"));
    assert_null(flat.data);
    image_free(&image);
}

static void ranges_are_read_in_both_forms(void **state)
{
    static const struct {
        const char *text;
        struct image_range range;
        bool is_good;
    } cases[] = {
        {"0-255", {0, 255}, true},
        {"0x100-0x1FF", {0x100, 0x1FF}, true},
        {"0x100+0x100", {0x100, 0x1FF}, true},
        {"5-5", {5, 5}, true},
        {"5+1", {5, 5}, true},
        {"0xFFFFFFFF+1", {0xFFFFFFFF, 0xFFFFFFFF}, true},
        {"0+0x100000000", {0, 0xFFFFFFFF}, true},
        {"5+0", {0, 0}, false},
        {"0+0", {0, 0}, false},
        {"5-4", {0, 0}, false},
        {"0xFFFFFFFF+2", {0, 0}, false},
        {"0x100000000-0x100000001", {0, 0}, false},
        {"5", {0, 0}, false},
        {"5-", {0, 0}, false},
        {"-5", {0, 0}, false},
        {"5-x", {0, 0}, false},
        {"5--6", {0, 0}, false},
        {"5-6-7", {0, 0}, false},
        {"", {0, 0}, false},
    };
    struct image_range range;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&range, 0, sizeof(range));
        if (image_parse_range(cases[i].text, &range) != cases[i].is_good) {
            fail_msg("\"%s\"", cases[i].text);
        }
        assert_int_equal(range.first, cases[i].range.first);
        assert_int_equal(range.last, cases[i].range.last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_and_elf_give_the_bytes_that_objcopy_writes_as_binary),
        cmocka_unit_test(a_bin_file_has_no_address),
        cmocka_unit_test(the_format_is_told_by_magic_and_name),
        cmocka_unit_test(hex_files_are_read_as_their_specification_says),
        cmocka_unit_test(hex_files_with_a_wrong_part_are_refused_with_its_line),
        cmocka_unit_test(records_in_any_order_make_one_image),
        cmocka_unit_test(damaged_files_never_do_harm),
        cmocka_unit_test(a_hex_file_with_any_bit_of_a_digit_flipped_is_refused),
        cmocka_unit_test(only_keeps_a_range_across_segments),
        cmocka_unit_test(rebase_moves_the_lowest_address_and_all_others_with_it),
        cmocka_unit_test(bytes_outside_a_range_are_named),
        cmocka_unit_test(an_image_that_is_far_too_long_is_not_laid_out),
        cmocka_unit_test(ranges_are_read_in_both_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
