/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of otter/utf8.h. The limits are those of the Unicode standard, table 3-7
 * "Well-Formed UTF-8 Byte Sequences", and of its definition of control characters
 * (general category Cc).
 */
#include "otter/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct text_case {
    const char *name;
    const char *text;
};

static bool is_valid(const char *text)
{
    return otter_utf8_is_valid((const uint8_t *)text, strlen(text));
}

static void well_formed_text_is_valid(void **state)
{
    static const struct text_case cases[] = {
        {"empty", ""},
        {"ASCII from space to tilde", " !09AZaz~"},
        {"tab and newline", "\t\n"},
        {"first of two bytes that is no control, U+00A0", "\xC2\xA0"},
        {"U+00BF", "\xC2\xBF"},
        {"last of two bytes, U+07FF", "\xDF\xBF"},
        {"first of three bytes, U+0800", "\xE0\xA0\x80"},
        {"last before the surrogates, U+D7FF", "\xED\x9F\xBF"},
        {"first after the surrogates, U+E000", "\xEE\x80\x80"},
        {"last of three bytes, U+FFFF", "\xEF\xBF\xBF"},
        {"first of four bytes, U+10000", "\xF0\x90\x80\x80"},
        {"last of all, U+10FFFF", "\xF4\x8F\xBF\xBF"},
        {"mixed", "Gr\xC3\xBC\xC3\x9F\x65 \xF0\x9F\xA6\xA6"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!is_valid(cases[i].text)) {
            fail_msg("refused: %s", cases[i].name);
        }
    }
}

static void malformed_text_is_refused(void **state)
{
    static const struct text_case cases[] = {
        {"lone following byte", "\x80"},
        {"overlong two bytes", "\xC0\xAF"},
        {"overlong two bytes, largest", "\xC1\xBF"},
        {"overlong three bytes", "\xE0\x9F\xBF"},
        {"overlong four bytes", "\xF0\x8F\xBF\xBF"},
        {"first surrogate", "\xED\xA0\x80"},
        {"last surrogate", "\xED\xBF\xBF"},
        {"U+110000", "\xF4\x90\x80\x80"},
        {"first byte F5", "\xF5\x80\x80\x80"},
        {"first byte FF", "\xFF"},
        {"end after 1 of 2", "a\xC3"},
        {"end after 2 of 3", "a\xE2\x82"},
        {"end after 3 of 4", "a\xF0\x9F\xA6"},
        {"third byte is no following byte", "\xE2\x82\x41"},
        {"fourth byte is no following byte", "\xF0\x9F\xA6\xC0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (is_valid(cases[i].text)) {
            fail_msg("accepted: %s", cases[i].name);
        }
    }
}

static void control_characters_but_tab_and_newline_are_refused(void **state)
{
    (void)state;
    for (unsigned character = 0; character <= 0x7F; character++) {
        const uint8_t text = (uint8_t)character;
        const bool is_control = character < 0x20 || character == 0x7F;
        const bool is_allowed = text == '\t' || text == '\n';
        assert_int_equal(otter_utf8_is_valid(&text, 1), !is_control || is_allowed);
    }
    for (unsigned following = 0x80; following <= 0x9F; following++) {
        const uint8_t text[2] = {0xC2, (uint8_t)following};
        assert_false(otter_utf8_is_valid(text, sizeof(text)));
    }
}

static void nothing_after_the_length_is_read(void **state)
{
    static const uint8_t text[] = {'o', 'k', 0xFF};
    (void)state;
    assert_true(otter_utf8_is_valid(text, 2));
    assert_false(otter_utf8_is_valid(text, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_is_valid),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(control_characters_but_tab_and_newline_are_refused),
        cmocka_unit_test(nothing_after_the_length_is_read),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
