/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of recipes: what it finds and where, and that no damage of a recipe does
 * more than give a place and a reason. Lines and columns were counted by hand.
 */
#include "recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char sample[] = "recipe: 1\n"
                             "vendor: \"Lutra \\u20ac\" # why\n"
                             "notes: |\n"
                             "  one\n"
                             "  two\n"
                             "keys: [a.pem,\n"
                             "       b.pem]\n"
                             "members:\n"
                             "  - {role: firmware, file: app.elf}\n"
                             "  - role: radio\n"
                             "    file: r.bin\n"
                             "variants:\n"
                             "- name: full\n"
                             "  members: [firmware, radio]\n";

struct row {
    const char *key, *field, *text;
    size_t item, line, column;
};

static const struct row rows[] = {
    {"recipe", NULL, "1", 0, 1, 9},
    {"vendor", NULL, "Lutra \xE2\x82\xAC", 0, 2, 9},
    {"notes", NULL, "one\ntwo\n", 0, 3, 8},
    {"keys", NULL, "a.pem", 0, 6, 8},
    {"keys", NULL, "b.pem", 1, 7, 8},
    {"members", NULL, NULL, 0, 9, 5},
    {"members", "role", "firmware", 0, 9, 12},
    {"members", "file", "app.elf", 0, 9, 28},
    {"members", NULL, NULL, 1, 10, 5},
    {"members", "role", "radio", 1, 10, 11},
    {"members", "file", "r.bin", 1, 11, 11},
    {"variants", NULL, NULL, 0, 13, 3},
    {"variants", "name", "full", 0, 13, 9},
    {"variants", "members", "firmware", 0, 14, 13},
    {"variants", "members", "radio", 0, 14, 23},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void assert_text(const char *seen, const char *wanted)
{
    if (wanted == NULL) {
        assert_null(seen);
    } else {
        assert_non_null(seen);
        assert_string_equal(seen, wanted);
    }
}

static void every_text_comes_with_its_place(void **state)
{
    struct recipe *recipe = malloc(sizeof(*recipe));

    (void)state;
    assert_non_null(recipe);
    assert_true(recipe_parse((const uint8_t *)sample, sizeof(sample) - 1, recipe));
    assert_int_equal(recipe->count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        const struct recipe_value *value = &recipe->values[i];

        assert_string_equal(value->key->name, rows[i].key);
        assert_text(value->field == NULL ? NULL : value->field->name, rows[i].field);
        assert_text(value->text, rows[i].text);
        assert_int_equal(value->item, rows[i].item);
        assert_int_equal(value->line, rows[i].line);
        assert_int_equal(value->column, rows[i].column);
    }
    recipe_free(recipe);
    free(recipe);
}

/* A part of a recipe is a recipe, too, or has a fault in or right behind it. */
static void check_part(const char *text, size_t size, struct recipe *recipe)
{
    const bool is_whole = recipe_parse((const uint8_t *)text, size, recipe);

    assert_true(is_whole || (recipe->line >= 1 && recipe->line <= 16 &&
                             recipe->column >= 1 && recipe->message[0] != '\0'));
    assert_true(!is_whole || recipe->count <= ROWS + 2);
    recipe_free(recipe);
}

static void a_recipe_cut_off_anywhere_is_read_or_refused(void **state)
{
    struct recipe *recipe = malloc(sizeof(*recipe));

    (void)state;
    assert_non_null(recipe);
    for (size_t size = 0; size < sizeof(sample); size++) {
        char *part = malloc(size + 1); /* of its own: a byte too far is seen */

        assert_non_null(part);
        memcpy(part, sample, size);
        check_part(part, size, recipe);
        free(part);
    }
    free(recipe);
}

static void a_recipe_with_any_bit_flipped_is_read_or_refused(void **state)
{
    struct recipe *recipe = malloc(sizeof(*recipe));
    char text[sizeof(sample)];

    (void)state;
    assert_non_null(recipe);
    for (size_t bit = 0; bit < (sizeof(sample) - 1) * 8; bit++) {
        memcpy(text, sample, sizeof(sample));
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        check_part(text, sizeof(sample) - 1, recipe);
    }
    free(recipe);
}

/* `count` keys, in all with "recipe: 1" one more value. */
static bool reads_keys(size_t count, struct recipe *recipe)
{
    static const char head[] = "recipe: 1\nkeys: [";
    const size_t size = sizeof(head) - 1 + 2 * count;
    char *text = malloc(size + 1);

    assert_non_null(text);
    memcpy(text, head, sizeof(head));
    for (size_t i = 0; i < count; i++) {
        memcpy(text + sizeof(head) - 1 + 2 * i, i + 1 < count ? "a," : "a]", 2);
    }
    const bool is_read = recipe_parse((const uint8_t *)text, size, recipe);

    recipe_free(recipe);
    free(text);
    return is_read;
}

/* A vendor of that many bytes. */
static bool reads_text(size_t len, struct recipe *recipe)
{
    static const char head[] = "recipe: 1\nvendor: ";
    char *text = malloc(sizeof(head) + len);

    assert_non_null(text);
    memcpy(text, head, sizeof(head));
    memset(text + sizeof(head) - 1, 'a', len);
    const bool is_read =
        recipe_parse((const uint8_t *)text, sizeof(head) - 1 + len, recipe);

    recipe_free(recipe);
    free(text);
    return is_read;
}

static void limits_hold_to_the_last_one(void **state)
{
    struct recipe *recipe = malloc(sizeof(*recipe));

    (void)state;
    assert_non_null(recipe);
    assert_true(reads_keys(RECIPE_VALUES_MAX - 1, recipe));
    assert_false(reads_keys(RECIPE_VALUES_MAX, recipe));
    assert_true(reads_text(RECIPE_TEXT_MAX, recipe));
    assert_false(reads_text(RECIPE_TEXT_MAX + 1, recipe));
    assert_false(reads_text(RECIPE_SIZE_MAX, recipe));
    assert_string_equal(recipe->message, "a recipe has at most 65536 bytes");
    free(recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_comes_with_its_place),
        cmocka_unit_test(a_recipe_cut_off_anywhere_is_read_or_refused),
        cmocka_unit_test(a_recipe_with_any_bit_flipped_is_read_or_refused),
        cmocka_unit_test(limits_hold_to_the_last_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
