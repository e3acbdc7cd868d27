/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help from the pages of help.h.
 */
#include "help.h"

#include "verbs.h"

#include <string.h>

const struct help_page *help_find(const char *name)
{
    for (const struct help_page *page = help_pages; page->name != NULL; page++) {
        if (strcmp(page->name, name) == 0) {
            return page;
        }
    }
    return NULL;
}

static void print_usage(FILE *out, const struct help_page *page)
{
    const char *prefix = "usage: ";

    for (const char *const *line = page->usage; *line != NULL; line++) {
        /* A line that goes on with the one before it is indented already. */
        (void)fprintf(out, "%s%s\n", (*line)[0] == ' ' ? "" : prefix, *line);
        prefix = "       ";
    }
}

int help_print(const char *name)
{
    const struct help_page *page = help_find(name);

    if (page == NULL) {
        return TOOL_FAILED;
    }
    print_usage(stdout, page);
    (void)fputc('\n', stdout);
    for (const char *const *line = page->body; *line != NULL; line++) {
        (void)fprintf(stdout, "%s\n", *line);
    }
    return TOOL_DONE;
}

int help_usage(const char *name)
{
    const struct help_page *page = help_find(name);

    if (page != NULL) {
        print_usage(stderr, page);
    }
    return TOOL_USAGE;
}
