/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the command line: each option with a value says what completes it, and
 * none is said for nothing; each verb has its manual page, which explains its options.
 */
#include "completion.h"
#include "help.h"
#include "verbs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Rows behind "help" are for tests. */
static bool is_last(const struct option *option)
{
    return option->name == NULL || strcmp(option->name, "help") == 0;
}

static bool has_value(const char *name)
{
    for (size_t i = 0; completion_values[i].option != NULL; i++) {
        if (strcmp(completion_values[i].option, name) == 0) {
            return true;
        }
    }
    return false;
}

static void each_option_with_a_value_says_what_completes_it(void **state)
{
    (void)state;
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        for (const struct option *option = verb->options;
             option != NULL && !is_last(option); option++) {
            if (option->has_arg != no_argument && !has_value(option->name)) {
                fail_msg("%s --%s has no row in completion_values", verb->name,
                         option->name);
            }
        }
    }
}

static bool is_used(const char *name)
{
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        for (const struct option *option = verb->options;
             option != NULL && !is_last(option); option++) {
            if (option->has_arg != no_argument && strcmp(option->name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void no_row_is_there_for_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; completion_values[i].option != NULL; i++) {
        if (!is_used(completion_values[i].option)) {
            fail_msg("no verb has --%s", completion_values[i].option);
        }
        assert_int_equal(completion_values[i].kind == COMPLETION_WORDS,
                         completion_values[i].words != NULL);
    }
}

static bool explains(const struct help_page *page, const char *option)
{
    char wanted[64];

    (void)snprintf(wanted, sizeof(wanted), "--%s", option);
    for (size_t i = 0; page->body[i] != NULL; i++) {
        const char *found = strstr(page->body[i], wanted);

        if (found != NULL && strchr(" ,.;:)=", found[strlen(wanted)]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Actions of one verb share its page; what makes a device is the factory's. */
static void each_verb_has_a_page_that_explains_its_options(void **state)
{
    (void)state;
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        const struct help_page *page = help_find(verb->name);

        assert_non_null(page);
        for (const struct option *option = verb->options;
             option != NULL && !is_last(option); option++) {
            if (!explains(page, option->name) &&
                !(verb->action != NULL &&
                  explains(help_find("factory"), option->name))) {
                fail_msg("otter-%s(1) does not explain --%s", verb->name, option->name);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_with_a_value_says_what_completes_it),
        cmocka_unit_test(no_row_is_there_for_nothing),
        cmocka_unit_test(each_verb_has_a_page_that_explains_its_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
