/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help of the verbs. It is the text of the manual pages (docs/man), which the build
 * turns into the table below (scripts/help_of_man.awk), so that the two cannot differ.
 */
#ifndef OTTER_TOOL_HELP_H
#define OTTER_TOOL_HELP_H

#include <stdio.h>

/* A manual page as plain text; lists of lines end with NULL. */
struct help_page {
    const char *name;         /* of the verb; "otter" is the tool's own page */
    const char *summary;      /* what stands behind the name */
    const char *const *usage; /* the synopsis */
    const char *const *body;  /* everything behind it */
};

/* Ends with a row whose name is NULL. */
extern const struct help_page help_pages[];

/* NULL if there is none of that name. */
const struct help_page *help_find(const char *name);

/* Prints the whole page to standard output; gives TOOL_DONE. */
int help_print(const char *name);

/* Prints the synopsis to standard error; gives TOOL_USAGE. */
int help_usage(const char *name);

#endif
