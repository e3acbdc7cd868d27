/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of every verb through its arguments: getopt_long() over the verb's table of
 * options, with the tool's own words for what is wrong. What takes one value is taken
 * once; rows of what may be repeated say so.
 */
#ifndef OTTER_TOOL_OPTIONS_H
#define OTTER_TOOL_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

enum {
    OPTION_END = -1,
    OPTION_BAD = '?',            /* it has been complained of: TOOL_USAGE */
    OPTION_REPEATED = 0x1000000, /* in a row, beside the name: may be given again */
    OPTION_ROWS_MAX = 64,
};

/* Where a verb is in its arguments. It begins with the first three set and the rest 0;
 * a program walks through one verb's arguments. */
struct option_walk {
    const char *verb;    /* whose --help complaints point to */
    const char *letters; /* as getopt() takes them: those of rows of the table */
    const struct option *options;
    const struct option *row; /* of what option_next() gave last */
    bool seen[OPTION_ROWS_MAX];
};

/* The name of the next option, its value in optarg; OPTION_END behind the last one,
 * with optind at the first argument that is none; OPTION_BAD for one that is not known,
 * lacks its value, or has come before and is not to be repeated. */
int option_next(struct option_walk *walk, int argc, char **argv);

/* The name of a row, without OPTION_REPEATED. */
int option_name(const struct option *row);

#endif
