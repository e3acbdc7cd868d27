/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives of files. The vectors come from tests/vectors/make_tar.py, which is Python's
 * tarfile, and tree_gnu.tar from GNU tar 1.34:
 *     tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -b1
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../vectors/tar_vectors.h"
#include "otter/tar.h"
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOT_LEN = 3 };
enum { CHECKSUM = 148, CHECKSUM_SIZE = 8, LINK = 157 }; /* of a header */

/* All of an archive, in parts of `part` bytes. */
static enum otter_result check_in_parts(const uint8_t *data, size_t size, size_t part)
{
    struct otter_tar_check checked;
    enum otter_result result = OTTER_OK;

    otter_tar_check_open(&checked, (uint32_t)size, ROOT_LEN);
    for (size_t off = 0; off < size && result == OTTER_OK; off += part) {
        size_t len = size - off < part ? size - off : part;

        result = otter_tar_check_take(&checked, data + off, len);
    }
    return result == OTTER_OK ? otter_tar_check_end(&checked) : result;
}

static enum otter_result check(const uint8_t *data, size_t size)
{
    return check_in_parts(data, size, size);
}

/* What tarfile put into the tree, in its order. */
static const struct {
    const char *name;
    bool is_folder;
    uint32_t size;
    const char *content;
} tree[] = {
    {"a", true, 0, ""},
    {"a/b.txt", false, 2, "b\n"},
    {"a.txt", false, 700, "aaaa"},
    {"docs", true, 0, ""},
    {"docs/ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", true, 0, ""},
    {"docs/ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff/"
     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
     false, 4, "long"},
    {"empty", false, 0, ""},
    {"\303\274n\303\257.txt", false, 5, "utf-8"},
};

static void a_tree_that_another_program_made_is_read(void **state)
{
    struct otter_tar tar;

    (void)state;
    otter_tar_open(&tar, sizeof(tar_tree), ROOT_LEN);
    for (size_t i = 0; i < sizeof(tree) / sizeof(tree[0]); i++) {
        assert_int_equal(otter_tar_take(&tar, tar_tree + tar.next), OTTER_OK);
        assert_false(otter_tar_is_at_end(&tar));
        assert_string_equal(tar.entry.name, tree[i].name);
        assert_int_equal(tar.entry.is_folder, tree[i].is_folder);
        assert_int_equal(tar.entry.size, tree[i].size);
        assert_memory_equal(tar_tree + tar.content, tree[i].content,
                            strlen(tree[i].content));
    }
    assert_int_equal(otter_tar_take(&tar, tar_tree + tar.next), OTTER_OK);
    assert_true(otter_tar_is_at_end(&tar));
}

static void it_may_come_in_parts_of_any_size(void **state)
{
    static const size_t parts[] = {1, 7, 256, 511, 512, 513, sizeof(tar_tree)};

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        assert_int_equal(check_in_parts(tar_tree, sizeof(tar_tree), parts[i]),
                         OTTER_OK);
    }
}

static void what_gnu_tar_sorts_is_in_order(void **state)
{
    uint8_t bytes[8192];
    FILE *file = fopen(OTTER_TEST_VECTORS "/tree_gnu.tar", "rb");

    (void)state;
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);

    assert_int_equal(fclose(file), 0);
    assert_int_equal(size, 5632);
    assert_int_equal(check(bytes, size), OTTER_OK);
}

static void a_tree_may_be_empty(void **state)
{
    (void)state;
    assert_int_equal(check(tar_none, sizeof(tar_none)), OTTER_OK);
}

static const struct {
    const char *why;
    const uint8_t *data;
    size_t size;
    enum otter_result result;
} bad[] = {
    {"..", tar_up, sizeof(tar_up), OTTER_E_TAR_NAME},
    {"a/../..", tar_up_inside, sizeof(tar_up_inside), OTTER_E_TAR_NAME},
    {"a/..", tar_up_last, sizeof(tar_up_last), OTTER_E_TAR_NAME},
    {"./", tar_dot, sizeof(tar_dot), OTTER_E_TAR_NAME},
    {"absolute", tar_absolute, sizeof(tar_absolute), OTTER_E_TAR_NAME},
    {"hard link", tar_hard_link, sizeof(tar_hard_link), OTTER_E_TAR_TYPE},
    {"link", tar_soft_link, sizeof(tar_soft_link), OTTER_E_TAR_TYPE},
    {"device", tar_device, sizeof(tar_device), OTTER_E_TAR_TYPE},
    {"pipe", tar_pipe, sizeof(tar_pipe), OTTER_E_TAR_TYPE},
    {"GNU's own", tar_gnu, sizeof(tar_gnu), OTTER_E_TAR_FORMAT},
    {"pax", tar_pax, sizeof(tar_pax), OTTER_E_TAR_TYPE},
    {"twice", tar_twice, sizeof(tar_twice), OTTER_E_TAR_ORDER},
    {"backwards", tar_backwards, sizeof(tar_backwards), OTTER_E_TAR_ORDER},
    {"no folder", tar_homeless, sizeof(tar_homeless), OTTER_E_TAR_FOLDER},
    {"in a file", tar_in_a_file, sizeof(tar_in_a_file), OTTER_E_TAR_FOLDER},
};

static void p8_names_never_leave_their_root_and_nothing_but_files_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (check(bad[i].data, bad[i].size) != bad[i].result) {
            fail_msg("%s", bad[i].why);
        }
    }
}

/* ---- changes of one header ---- */

static void p8_every_flipped_bit_of_a_header_is_refused(void **state)
{
    uint8_t block[OTTER_TAR_BLOCK];
    struct otter_tar_entry entry;

    (void)state;
    for (size_t bit = 0; bit < 8U * sizeof(block); bit++) {
        memcpy(block, tar_tree + OTTER_TAR_BLOCK, sizeof(block));
        assert_int_equal(otter_tar_header(block, ROOT_LEN, &entry), OTTER_OK);
        block[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_not_equal(otter_tar_header(block, ROOT_LEN, &entry), OTTER_OK);
    }
}

static void p8_an_archive_that_ends_anywhere_else_is_refused(void **state)
{
    uint8_t *copy = NULL;

    (void)state;
    for (size_t size = 0; size < sizeof(tar_tree); size++) {
        copy = malloc(size + 1); /* just so many, so that a checker sees */
        assert_non_null(copy);
        memcpy(copy, tar_tree, size);
        assert_int_not_equal(check(copy, size), OTTER_OK);
        free(copy);
    }
}

static enum otter_result header(const char *name, char type, uint32_t size)
{
    struct otter_tar_entry entry;
    uint8_t block[OTTER_TAR_BLOCK];

    tree_header(name, type, size, block);
    return otter_tar_header(block, ROOT_LEN, &entry);
}

static void k20_names_that_a_card_does_not_take_are_refused(void **state)
{
    static const char *const names[] = {
        "a\\b", "c:x", "a//b", "a/", "",   "tab\t", "del\177", "a*",   "a?",
        "a<b",  "a>b", "a|b",  "\"", "a.", "a ",    "a./b",    "b /c", "\377\376",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (header(names[i], '0', 0) != OTTER_E_TAR_NAME) {
            fail_msg("\"%s\"", names[i]);
        }
    }
    assert_int_equal(header("a/b.c d", '0', 0), OTTER_OK);
    assert_int_equal(header("a/", '5', 0), OTTER_OK);
    assert_int_equal(header("a//", '5', 0), OTTER_E_TAR_NAME);
    assert_int_equal(header("/", '5', 0), OTTER_E_TAR_NAME);
    assert_int_equal(header("", '5', 0), OTTER_E_TAR_NAME);
}

/* Other writers' forms of the right sum, which has five digits here: only one is taken,
 * so that every bit counts. */
static void p8_a_checksum_is_six_digits_a_zero_and_a_space(void **state)
{
    static const struct {
        const char *before; /* the digits */
        size_t before_len;
        const char *behind;
        enum otter_result result;
    } forms[] = {
        {"0", 1, "\0 ", OTTER_OK},
        {"0", 1, "  ", OTTER_E_TAR_CHECKSUM},
        {"0", 1, "\0\0", OTTER_E_TAR_CHECKSUM},
        {"0", 1, " \0", OTTER_E_TAR_CHECKSUM},
        {"", 0, "\0\0 ", OTTER_E_TAR_CHECKSUM},
        {"", 0, " \0 ", OTTER_E_TAR_CHECKSUM},
        {" ", 1, "\0 ", OTTER_E_TAR_CHECKSUM},
    };
    struct otter_tar_entry entry;
    uint8_t block[OTTER_TAR_BLOCK];
    char digits[5];

    (void)state;
    tree_header("a", '0', 0, block);
    memcpy(digits, block + CHECKSUM + 1, sizeof(digits));
    assert_memory_equal(block + CHECKSUM, "0", 1);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        uint8_t *sum = block + CHECKSUM;
        size_t len = forms[i].before_len;

        memcpy(sum, forms[i].before, len);
        memcpy(sum + len, digits, sizeof(digits));
        len += sizeof(digits);
        memcpy(sum + len, forms[i].behind, CHECKSUM_SIZE - len);
        assert_int_equal(otter_tar_header(block, ROOT_LEN, &entry), forms[i].result);
    }
}

/* A file is none that names what it links to. */
static void p8_a_header_with_a_link_is_refused(void **state)
{
    static const char types[] = {'0', '5'};
    struct otter_tar_entry entry;
    uint8_t block[OTTER_TAR_BLOCK];

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        tree_header("a", types[i], 0, block);
        assert_int_equal(otter_tar_header(block, ROOT_LEN, &entry), OTTER_OK);
        memcpy(block + LINK, "b", 2);
        tree_seal(block);
        assert_int_equal(otter_tar_header(block, ROOT_LEN, &entry), OTTER_E_TAR_TYPE);
    }
}

/* The longest name together with its root: 127 bytes, "res/" among them. */
static void a_name_that_is_too_long_for_the_card_is_refused(void **state)
{
    uint8_t block[OTTER_TAR_BLOCK];
    struct otter_tar_entry entry;

    (void)state;
    for (size_t prefix = 22; prefix <= 155; prefix++) {
        tree_header("n", '0', 0, block);
        memset(block, 'n', 100);
        memset(block + 345, 'p', prefix);
        tree_seal(block);
        assert_int_equal(otter_tar_header(block, ROOT_LEN, &entry),
                         prefix == 22 ? OTTER_OK : OTTER_E_TAR_LONG);
    }
}

static enum otter_result with_size(const char *digits)
{
    struct otter_tar_entry entry;
    uint8_t block[OTTER_TAR_BLOCK];

    tree_header("a", '0', 0, block);
    memset(block + 124, 0, 12);
    memcpy(block + 124, digits, strlen(digits));
    tree_seal(block);
    return otter_tar_header(block, ROOT_LEN, &entry);
}

static void a_size_is_an_octal_number_and_no_more_than_32_bits(void **state)
{
    (void)state;
    assert_int_equal(with_size("37777777777"), OTTER_OK);
    assert_int_equal(with_size("40000000000"), OTTER_E_TAR_SIZE);
    assert_int_equal(with_size("777777777777"), OTTER_E_TAR_SIZE);
    assert_int_equal(with_size("0"), OTTER_OK);
    assert_int_equal(with_size(""), OTTER_E_TAR_NUMBER);
    assert_int_equal(with_size(" 0"), OTTER_E_TAR_NUMBER);
    assert_int_equal(with_size("8"), OTTER_E_TAR_NUMBER);
    assert_int_equal(with_size("-1"), OTTER_E_TAR_NUMBER);
    assert_int_equal(with_size("\200\0"), OTTER_E_TAR_NUMBER);
    assert_int_equal(header("a/", '5', 1), OTTER_E_TAR_SIZE);
}

static void p8_content_that_goes_beyond_the_end_is_refused(void **state)
{
    static const struct {
        uint32_t content;
        enum otter_result result;
    } cases[] = {
        {0, OTTER_OK},
        {512, OTTER_OK},
        {513, OTTER_OK},
        {1024, OTTER_OK},
        {1025, OTTER_E_TAR_SIZE}, /* it would fit, but not its last block */
        {1500, OTTER_E_TAR_SIZE},
        {UINT32_MAX, OTTER_E_TAR_SIZE},
        {UINT32_MAX - 511, OTTER_E_TAR_SIZE},
    };
    uint8_t block[OTTER_TAR_BLOCK];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct otter_tar tar;

        otter_tar_open(&tar, OTTER_TAR_BLOCK + 1400, ROOT_LEN);
        tree_header("a", '0', cases[i].content, block);
        assert_int_equal(otter_tar_take(&tar, block), cases[i].result);
    }
}

static void p8_nothing_follows_the_end(void **state)
{
    uint8_t bytes[sizeof(tar_none) + 2 * OTTER_TAR_BLOCK] = {0};

    (void)state;
    assert_int_equal(check(bytes, sizeof(bytes)), OTTER_OK);
    for (size_t off = OTTER_TAR_BLOCK; off < sizeof(bytes); off += 100) {
        memset(bytes, 0, sizeof(bytes));
        bytes[off] = 1;
        assert_int_equal(check(bytes, sizeof(bytes)), OTTER_E_TAR_END);
    }
    memset(bytes, 0, sizeof(bytes));
    tree_header("a", '0', 0, bytes + OTTER_TAR_BLOCK);
    assert_int_equal(check(bytes, sizeof(bytes)), OTTER_E_TAR_END);
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(check(bytes, OTTER_TAR_BLOCK), OTTER_E_TAR_END);
    assert_int_equal(check(bytes, 0), OTTER_E_TAR_END);
    assert_int_equal(check(bytes, 1025), OTTER_E_TAR_END);
}

/* A header that does not fit is not looked at, and bytes that are missing are an end
 * that has not come. */
static void p8_what_is_cut_off_is_no_end(void **state)
{
    static const uint8_t block[OTTER_TAR_BLOCK] = {0};
    struct otter_tar_check checked;
    struct otter_tar tar;

    (void)state;
    for (uint32_t size = 0; size <= (uint32_t)OTTER_TAR_BLOCK; size++) {
        otter_tar_open(&tar, size, ROOT_LEN);
        assert_int_equal(otter_tar_take(&tar, block),
                         size < (uint32_t)OTTER_TAR_BLOCK ? OTTER_E_TAR_END : OTTER_OK);
    }
    assert_int_equal(otter_tar_take(&tar, block), OTTER_E_TAR_END);
    otter_tar_check_open(&checked, sizeof(tar_none) + 1, ROOT_LEN);
    assert_int_equal(otter_tar_check_take(&checked, tar_none, sizeof(tar_none)),
                     OTTER_OK);
    assert_int_equal(otter_tar_check_end(&checked), OTTER_E_TAR_END);
}

/* Its folder is there if the entry before it is that folder, or lies in it. */
static void a_folder_stands_in_the_archive_before_what_is_in_it(void **state)
{
    static const struct {
        const char *before; /* a folder if it ends with '/' */
        const char *name;
        enum otter_result result;
    } cases[] = {
        {"a/", "a/b", OTTER_OK},
        {"a/", "b", OTTER_OK},
        {"a/", "b/c", OTTER_E_TAR_FOLDER},
        {"a/", "ab/c", OTTER_E_TAR_FOLDER},
        {"ab/", "b/c", OTTER_E_TAR_FOLDER},
        {"a", "a/b", OTTER_E_TAR_FOLDER},
        {"a-", "a/b", OTTER_E_TAR_ORDER}, /* '/' counts less */
        {"a-/", "a/b", OTTER_E_TAR_ORDER},
        {"ab", "a/b", OTTER_E_TAR_ORDER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *before = cases[i].before;
        bool is_folder = before[strlen(before) - 1] == '/';
        uint8_t block[OTTER_TAR_BLOCK];
        struct otter_tar tar;

        otter_tar_open(&tar, sizeof(tar_tree), ROOT_LEN);
        tree_header(before, is_folder ? '5' : '0', 0, block);
        assert_int_equal(otter_tar_take(&tar, block), OTTER_OK);
        tree_header(cases[i].name, '0', 0, block);
        assert_int_equal(otter_tar_take(&tar, block), cases[i].result);
    }
}

static void order_is_that_of_a_tree_walked_by_name(void **state)
{
    static const char *const names[] = {"a",     "a/b", "a/b/c", "a/c",     "a b",
                                        "a.txt", "a0",  "b",     "\303\244"};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            int order = otter_tar_compare(names[i], names[j]);

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_that_another_program_made_is_read),
        cmocka_unit_test(it_may_come_in_parts_of_any_size),
        cmocka_unit_test(what_gnu_tar_sorts_is_in_order),
        cmocka_unit_test(a_tree_may_be_empty),
        cmocka_unit_test(
            p8_names_never_leave_their_root_and_nothing_but_files_is_taken),
        cmocka_unit_test(p8_every_flipped_bit_of_a_header_is_refused),
        cmocka_unit_test(p8_an_archive_that_ends_anywhere_else_is_refused),
        cmocka_unit_test(k20_names_that_a_card_does_not_take_are_refused),
        cmocka_unit_test(p8_a_checksum_is_six_digits_a_zero_and_a_space),
        cmocka_unit_test(p8_a_header_with_a_link_is_refused),
        cmocka_unit_test(a_name_that_is_too_long_for_the_card_is_refused),
        cmocka_unit_test(a_size_is_an_octal_number_and_no_more_than_32_bits),
        cmocka_unit_test(p8_content_that_goes_beyond_the_end_is_refused),
        cmocka_unit_test(p8_nothing_follows_the_end),
        cmocka_unit_test(p8_what_is_cut_off_is_no_end),
        cmocka_unit_test(a_folder_stands_in_the_archive_before_what_is_in_it),
        cmocka_unit_test(order_is_that_of_a_tree_walked_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
