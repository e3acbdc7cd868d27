/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of the verbs. Facts: getopt_long(3).
 */
#include "options.h"

#include "say.h"

#include <stddef.h>

int option_name(const struct option *row)
{
    return row->val & ~OPTION_REPEATED;
}

/* Names the option that getopt_long() has just refused, with opterr 0. */
static void complain_unknown(const struct option_walk *walk, char *const *argv)
{
    const char *next = argv[optind];
    char letter[3] = {'-', (char)optopt, '\0'};
    /* In the middle of "-abc" getopt has not moved on to the next argument. */
    const bool is_inside = next != NULL && next[0] == '-' && next[1] != '\0' &&
                           next[1] != '-' && next[2] != '\0' && optopt != 0;

    (void)complain_usage("%s: option %s is not known or lacks its value; "
                         "see otter %s --help",
                         walk->verb, is_inside ? letter : argv[optind - 1], walk->verb);
}

static size_t find_row(const struct option *options, int name)
{
    size_t at = 0;

    while (options[at].name != NULL && option_name(&options[at]) != name) {
        at++;
    }
    return at;
}

int option_next(struct option_walk *walk, int argc, char **argv)
{
    opterr = 0;
    int name = getopt_long(argc, argv, walk->letters, walk->options, NULL);

    if (name == OPTION_END) {
        return OPTION_END;
    }
    if (name == OPTION_BAD) {
        complain_unknown(walk, argv);
        return OPTION_BAD;
    }
    name &= ~OPTION_REPEATED;
    size_t at = find_row(walk->options, name);

    walk->row = &walk->options[at];
    if (walk->row->has_arg == no_argument || (walk->row->val & OPTION_REPEATED) != 0) {
        return name;
    }
    if (walk->seen[at]) {
        (void)complain_usage("%s: option --%s is given twice; give it once", walk->verb,
                             walk->row->name);
        return OPTION_BAD;
    }
    walk->seen[at] = true;
    return name;
}
