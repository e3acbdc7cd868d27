/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way through options: each verb's own table, each row given twice. What may be
 * repeated is what the manual pages say; that the verbs take this way is told by
 * tests/e2e/options.sh.
 */
#include "options.h"
#include "verbs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *verb;
    const char *action;
    const char *options; /* divided by spaces */
} repeated[] = {
    {"factory", NULL, " key policy device-key encrypt-to "},
    {"device", "new", " key policy device-key encrypt-to "},
    {"pack", NULL, " key member sign-with public encrypt-to revoke table-keys "},
    {"inspect", NULL, " key decrypt-with "},
    {"verify", NULL, " key decrypt-with "},
};

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool may_be_repeated(const struct verb *verb, const char *option)
{
    char wanted[64];

    (void)snprintf(wanted, sizeof(wanted), " %s ", option);
    for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++) {
        if (strcmp(repeated[i].verb, verb->name) == 0 &&
            is_same(repeated[i].action, verb->action)) {
            return strstr(repeated[i].options, wanted) != NULL;
        }
    }
    return false;
}

static void walk_twice(const struct verb *verb, const struct option *row)
{
    char option[64];
    char name[] = "verb";
    char value[] = "x";
    const bool has_value = row->has_arg == required_argument;
    char *argv[] = {name, option, has_value ? value : option, option, value, NULL};
    const bool is_taken = !has_value || may_be_repeated(verb, row->name);
    struct option_walk walk = {
        .verb = verb->name, .letters = "", .options = verb->options};

    print_message("%s --%s\n", verb->name, row->name);
    (void)snprintf(option, sizeof(option), "--%s", row->name);
    optind = 0;
    assert_int_equal(option_next(&walk, has_value ? 5 : 3, argv), option_name(row));
    assert_ptr_equal(walk.row, row);
    assert_int_equal(option_next(&walk, has_value ? 5 : 3, argv),
                     is_taken ? option_name(row) : OPTION_BAD);
}

static void what_takes_one_value_is_taken_once(void **state)
{
    (void)state;
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        for (size_t i = 0; verb->options != NULL && verb->options[i].name != NULL;
             i++) {
            assert_true(i < OPTION_ROWS_MAX);
            walk_twice(verb, &verb->options[i]);
        }
    }
}

static void what_is_not_known_is_refused(void **state)
{
    char name[] = "verb";
    char option[] = "--unheard-of";
    char *argv[] = {name, option, NULL};

    (void)state;
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        struct option_walk walk = {
            .verb = verb->name, .letters = "", .options = verb->options};

        if (verb->options != NULL) {
            optind = 0;
            assert_int_equal(option_next(&walk, 2, argv), OPTION_BAD);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_one_value_is_taken_once),
        cmocka_unit_test(what_is_not_known_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
