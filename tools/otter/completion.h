/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shells complete behind an option. Options of one name take the same kind of
 * value in every verb.
 */
#ifndef OTTER_TOOL_COMPLETION_H
#define OTTER_TOOL_COMPLETION_H

enum completion_kind {
    COMPLETION_TEXT, /* nothing to offer */
    COMPLETION_FILE, /* or a folder */
    COMPLETION_WORDS,
};

struct completion_value {
    const char *option;
    enum completion_kind kind;
    const char *words; /* COMPLETION_WORDS: divided by spaces */
};

/* A row for each option with a value; ends with a NULL option. */
extern const struct completion_value completion_values[];

#endif
