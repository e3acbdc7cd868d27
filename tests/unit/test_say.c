/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts from outside on a terminal: what passes and what is escaped. The characters are
 * those of the Unicode standard, chapter 23 (controls, direction, invisible operators).
 */
#include "files.h"
#include "say.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *what;
    const char *text;
    const char *shown;
} texts[] = {
    {"plain text passes", "otter 1.2", "otter 1.2"},
    {"letters of other scripts pass", "L\xC3\xB6we \xE6\xB0\xB4 \xF0\x9F\xA6\xA6",
     "L\xC3\xB6we \xE6\xB0\xB4 \xF0\x9F\xA6\xA6"},
    {"a line feed is what the caller says", "a\nb", "a|b"},
    {"a tab is a space", "a\tb", "a b"},
    {"an escape sequence is escaped", "\x1B[2J", "\\x1B[2J"},
    {"a carriage return is escaped", "a\rb",
     "a\\x0D"
     "b"},
    {"a C1 control is escaped",
     "\xC2\x9B"
     "2J",
     "\\xC2\\x9B2J"},
    {"a right-to-left override is escaped",
     "a\xE2\x80\xAE"
     "b",
     "a\\xE2\\x80\\xAE"
     "b"},
    {"an isolate is escaped", "\xE2\x81\xA6", "\\xE2\\x81\\xA6"},
    {"an Arabic letter mark is escaped", "\xD8\x9C", "\\xD8\\x9C"},
    {"a zero width space is escaped", "\xE2\x80\x8B", "\\xE2\\x80\\x8B"},
    {"a tag character is escaped", "\xF3\xA0\x81\x81", "\\xF3\\xA0\\x81\\x81"},
    {"a stray continuation byte is escaped", "a\x80", "a\\x80"},
    {"a cut character is escaped", "\xE6\xB0", "\\xE6\\xB0"},
    {"an overlong form is escaped", "\xC0\xAF", "\\xC0\\xAF"},
};

static void texts_cannot_steer_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *shown = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&shown, &len);

        assert_non_null(out);
        print_text(out, (const uint8_t *)texts[i].text, strlen(texts[i].text), "|");
        assert_int_equal(fclose(out), 0);
        print_message("%s\n", texts[i].what);
        assert_string_equal(shown, texts[i].shown);
        free(shown);
    }
}

static void numbers_are_decimal_or_hex_and_in_range(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool is_number;
        uint64_t number;
    } cases[] = {
        {"0", 9, true, 0},
        {"0x1f", 255, true, 31},
        {"0XFF", 255, true, 255},
        {"256", 255, false, 0},
        {"010", 255, true, 10}, /* no octal */
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"", 9, false, 0},
        {"0x", 9, false, 0},
        {"-1", UINT64_MAX, false, 0},
        {"+1", 9, false, 0},
        {" 1", 9, false, 0},
        {"1 ", 9, false, 0},
        {"0x-1", 9, false, 0},
        {"1k", 9999, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t number = 0;

        print_message("\"%s\"\n", cases[i].text);
        assert_int_equal(parse_number(cases[i].text, cases[i].max, &number),
                         cases[i].is_number);
        assert_true(number == cases[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_cannot_steer_a_terminal),
        cmocka_unit_test(numbers_are_decimal_or_hex_and_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
