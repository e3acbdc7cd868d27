/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of otter/error.h and its table. The list of stages 1 to 16 is the table of
 * "OTA update error codes" in the documentation of the Flipper Zero firmware, with
 * the numbers that users read on the screen.
 */
#include "otter/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 100 }; /* columns of a terminal that codes, text and remedy share */

static uint16_t code_of(unsigned stage, unsigned yy)
{
    return (uint16_t)(stage * 256 + yy);
}

static bool is_printable_ascii(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~') {
            return false;
        }
    }
    return text[0] != '\0' && strlen(text) <= TEXT_MAX;
}

static void every_code_belongs_to_one_row_and_rows_are_sorted(void **state)
{
    (void)state;
    uint16_t end = 0;
    for (size_t i = 0; otter_error_row(i) != NULL; i++) {
        const struct otter_error *row = otter_error_row(i);
        const uint16_t first = code_of(row->stage, row->first);
        const uint16_t last = code_of(row->stage, row->last);
        if (first < end || last < first) {
            fail_msg("%s [%u-%u] is out of order", row->name, row->stage, row->first);
        }
        end = (uint16_t)(last + 1);
    }
    assert_true(end > code_of(20, 0));
}

static void every_row_has_a_name_a_text_and_a_remedy_in_ascii(void **state)
{
    (void)state;
    for (size_t i = 0; otter_error_row(i) != NULL; i++) {
        const struct otter_error *row = otter_error_row(i);
        if (!is_printable_ascii(row->name) || !is_printable_ascii(row->text) ||
            !is_printable_ascii(row->remedy)) {
            fail_msg("row %zu (%s)", i, row->name);
        }
    }
}

static void no_two_rows_have_the_same_name(void **state)
{
    (void)state;
    for (size_t i = 0; otter_error_row(i) != NULL; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(otter_error_row(i)->name, otter_error_row(k)->name);
        }
    }
}

static void stages_1_to_16_keep_the_numbers_of_the_flipper_updater(void **state)
{
    static const struct {
        uint8_t stage, first, last;
    } published[] = {
        {1, 13, 13},  {1, 20, 20},  {1, 30, 30},   {1, 40, 40},  {1, 50, 50},
        {1, 60, 60},  {1, 80, 80},  {2, 0, 100},   {3, 0, 99},   {3, 100, 100},
        {4, 0, 0},    {4, 80, 80},  {5, 0, 100},   {6, 10, 10},  {6, 80, 80},
        {7, 10, 10},  {7, 20, 20},  {7, 30, 30},   {7, 50, 50},  {9, 0, 0},
        {9, 1, 98},   {9, 99, 99},  {9, 100, 100}, {10, 0, 100}, {11, 0, 100},
        {12, 0, 100}, {13, 0, 100}, {14, 0, 100},  {15, 0, 100},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        const uint8_t stage = published[i].stage;
        const struct otter_error *row =
            otter_error_find(code_of(stage, published[i].first));
        if (row == NULL) {
            fail_msg("[%u-%u] has no row", stage, published[i].first);
            return;
        }
        assert_ptr_equal(row, otter_error_find(code_of(stage, published[i].last)));
        assert_int_equal(row->stage, stage);
    }
}

static void a_published_range_is_not_split_or_joined_with_its_neighbour(void **state)
{
    (void)state;
    assert_ptr_not_equal(otter_error_find(code_of(9, 0)),
                         otter_error_find(code_of(9, 1)));
    assert_ptr_not_equal(otter_error_find(code_of(9, 98)),
                         otter_error_find(code_of(9, 99)));
    assert_ptr_not_equal(otter_error_find(code_of(3, 99)),
                         otter_error_find(code_of(3, 100)));
    assert_null(otter_error_find(code_of(1, 14)));
    assert_null(otter_error_find(code_of(10, 101)));
}

static void a_code_outside_the_table_has_no_row(void **state)
{
    (void)state;
    assert_null(otter_error_find(0));
    assert_null(otter_error_find(code_of(17, 0)));
    assert_null(otter_error_find(UINT16_MAX));
}

static void a_result_and_its_code_stand_for_each_other(void **state)
{
    (void)state;
    assert_int_equal(otter_code(OTTER_OK), 0);
    assert_int_equal(otter_code(OTTER_E_CHECK_DAMAGED), code_of(9, 99));
    assert_int_equal(otter_result_of(code_of(9, 99)), OTTER_E_CHECK_DAMAGED);
    for (size_t i = 0; otter_error_row(i) != NULL; i++) {
        const struct otter_error *row = otter_error_row(i);
        const uint16_t code = code_of(row->stage, row->first);
        assert_true(otter_result_of(code) < 0);
        assert_int_equal(otter_code(otter_result_of(code)), code);
        assert_ptr_equal(otter_error_find(code), row);
    }
}

/* A receiver tells failures of flash and journal from refusals by their range. */
static void failures_of_flash_and_journal_lie_side_by_side(void **state)
{
    (void)state;
    for (size_t i = 0; otter_error_row(i) != NULL; i++) {
        const struct otter_error *row = otter_error_row(i);
        const enum otter_result result =
            otter_result_of(code_of(row->stage, row->first));
        const bool is_between =
            result <= OTTER_E_FLASH_READ && result >= OTTER_E_JOURNAL_CRITICAL;

        if (row->kind == OTTER_ERROR_LIVE) {
            assert_int_equal(is_between, row->stage == 26 || row->stage == 27);
        }
    }
}

static void a_percentage_is_held_inside_its_row(void **state)
{
    static const struct {
        enum otter_result base;
        uint8_t yy;
        uint8_t stage, expected;
    } cases[] = {
        {OTTER_E_WRITE, 0, 10, 0},           {OTTER_E_WRITE, 57, 10, 57},
        {OTTER_E_WRITE, 100, 10, 100},       {OTTER_E_WRITE, 101, 10, 100},
        {OTTER_E_CHECK_READ, 0, 9, 1},       {OTTER_E_CHECK_READ, 50, 9, 50},
        {OTTER_E_CHECK_READ, 99, 9, 98},     {OTTER_E_CHECK_DAMAGED, 3, 9, 99},
        {OTTER_E_PACKAGE_MAGIC, 77, 20, 10}, {OTTER_OK, 5, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const enum otter_result result = otter_error_at(cases[i].base, cases[i].yy);
        assert_int_equal(otter_code(result),
                         code_of(cases[i].stage, cases[i].expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_belongs_to_one_row_and_rows_are_sorted),
        cmocka_unit_test(every_row_has_a_name_a_text_and_a_remedy_in_ascii),
        cmocka_unit_test(no_two_rows_have_the_same_name),
        cmocka_unit_test(stages_1_to_16_keep_the_numbers_of_the_flipper_updater),
        cmocka_unit_test(a_published_range_is_not_split_or_joined_with_its_neighbour),
        cmocka_unit_test(a_code_outside_the_table_has_no_row),
        cmocka_unit_test(a_result_and_its_code_stand_for_each_other),
        cmocka_unit_test(failures_of_flash_and_journal_lie_side_by_side),
        cmocka_unit_test(a_percentage_is_held_inside_its_row),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
