/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointer files and names on the card. The vectors come from
 * tests/vectors/make_card.py, which knows docs/SPEC.md and nothing of the library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../vectors/card_vectors.h"
#include "otter/bytes.h"
#include "otter/card.h"
#include "otter/crc32.h"

#include <string.h>

static void the_frozen_pointer_is_read(void **state)
{
    struct otter_pointer pointer;

    (void)state;
    assert_true(otter_pointer_decode(vector_pointer, &pointer));
    assert_int_equal(pointer.sequence, 0x01020304);
    assert_int_equal(pointer.file_length, 0x00ABCDEF);
    assert_int_equal(pointer.package_id[0], 0x10);
    assert_int_equal(pointer.package_id[15], 0x1F);
    assert_int_equal(pointer.hash[0], 0x80);
    assert_int_equal(pointer.hash[31], 0x9F);
    assert_string_equal(pointer.path, "update/release-1.2/next.otter");
    assert_true(otter_pointer_decode(vector_pointer_longest, &pointer));
    assert_int_equal(strlen(pointer.path), OTTER_PATH_MAX);
}

static void what_is_read_is_written_the_same(void **state)
{
    const uint8_t *const vectors[] = {vector_pointer, vector_pointer_longest};
    struct otter_pointer pointer;
    uint8_t bytes[OTTER_POINTER_SIZE];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(otter_pointer_decode(vectors[i], &pointer));
        otter_pointer_encode(&pointer, bytes);
        assert_memory_equal(bytes, vectors[i], sizeof(bytes));
    }
}

static void k20_every_flipped_bit_makes_a_pointer_invalid(void **state)
{
    struct otter_pointer pointer;
    uint8_t bytes[OTTER_POINTER_SIZE];

    (void)state;
    for (size_t bit = 0; bit < 8U * sizeof(bytes); bit++) {
        memcpy(bytes, vector_pointer, sizeof(bytes));
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(otter_pointer_decode(bytes, &pointer));
    }
}

/* With the CRC made right again: the form itself is refused. */
static bool is_taken(size_t off, uint8_t value)
{
    struct otter_pointer pointer;
    uint8_t bytes[OTTER_POINTER_SIZE];

    memcpy(bytes, vector_pointer, sizeof(bytes));
    bytes[off] = value;
    otter_store_le32(bytes + 192, otter_crc32(0, bytes, 192));
    return otter_pointer_decode(bytes, &pointer);
}

static void a_pointer_of_another_form_is_refused(void **state)
{
    (void)state;
    assert_false(is_taken(0, 'o'));   /* magic */
    assert_false(is_taken(4, 2));     /* version */
    assert_false(is_taken(5, 1));     /* version */
    assert_false(is_taken(6, 0));     /* a name of no length */
    assert_false(is_taken(6, 28));    /* shorter than it is */
    assert_false(is_taken(6, 30));    /* longer */
    assert_false(is_taken(6, 128));   /* too long */
    assert_false(is_taken(7, 1));     /* far too long */
    assert_false(is_taken(64, '/'));  /* from the root */
    assert_false(is_taken(64, 0));    /* ends too early */
    assert_false(is_taken(191, 'x')); /* something after its end */
    assert_true(is_taken(64, 'U'));
    assert_true(is_taken(8, 0xFF)); /* any sequence */
}

static void k20_names_do_not_leave_the_card(void **state)
{
    static const struct {
        const char *path;
        bool is_good;
    } rows[] = {
        {"a", true},
        {"update/next.otter", true},
        {"a..b/.c/d.", true},
        {"...", true},
        {"\xC3\xA4.otter", true},
        {"", false},
        {"/a", false},
        {"a/", false},
        {"a//b", false},
        {".", false},
        {"..", false},
        {"../a", false},
        {"a/../b", false},
        {"a/..", false},
        {"a/./b", false},
        {"a\\..\\b", false},
        {"c:a", false},
        {"a\nb", false},
        {"a\x7F", false},
    };
    char longest[OTTER_PATH_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(otter_path_is_good(rows[i].path), rows[i].is_good);
    }
    memset(longest, 'x', sizeof(longest));
    longest[OTTER_PATH_SIZE] = '\0';
    assert_false(otter_path_is_good(longest));
    longest[OTTER_PATH_MAX] = '\0';
    assert_true(otter_path_is_good(longest));
}

static void a_saved_copy_has_the_name_of_its_region(void **state)
{
    char path[OTTER_PATH_SIZE];

    (void)state;
    otter_card_saved_path(6, path);
    assert_string_equal(path, "otter/saved6.bin");
    otter_card_saved_path(10, path);
    assert_string_equal(path, "otter/saved10.bin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frozen_pointer_is_read),
        cmocka_unit_test(what_is_read_is_written_the_same),
        cmocka_unit_test(k20_every_flipped_bit_makes_a_pointer_invalid),
        cmocka_unit_test(a_pointer_of_another_form_is_refused),
        cmocka_unit_test(k20_names_do_not_leave_the_card),
        cmocka_unit_test(a_saved_copy_has_the_name_of_its_region),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
