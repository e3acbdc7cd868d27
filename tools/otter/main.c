/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter: one program, one verb per file. Finds the verb, gives help, and sees that
 * what went to standard output arrived.
 */
#include "help.h"
#include "say.h"
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void print_help(FILE *out)
{
    (void)fputs("usage: otter VERB [arguments]\n"
                "       otter help [VERB] | VERB --help | --version\n\n",
                out);
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        if (verb == verbs || strcmp(verb[-1].name, verb->name) != 0) {
            (void)fprintf(out, "  %-10s  %s\n", verb->name,
                          help_find(verb->name)->summary);
        }
    }
    (void)fputs(
        "\nExit status: 0 done, 1 failed, 2 usage, 3 refused by verification,\n"
        "4 refused by the device, 5 timeout. See otter help otter, or otter(1).\n",
        out);
}

static const struct verb *find_verb(const char *name)
{
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        if (strcmp(verb->name, name) == 0) {
            return verb;
        }
    }
    return NULL;
}

static int run_verb(const char *name, int argc, char **argv)
{
    const struct verb *verb = find_verb(name);

    if (verb == NULL) {
        return complain_usage("there is no verb \"%s\"; otter help lists them", name);
    }
    return verb->run(argc, argv);
}

/* Pages that belong to no verb have help, too. */
static int help(int argc, char **argv)
{
    if (argc > 2) {
        return complain_usage("help takes one verb; otter help lists them");
    }
    if (argc < 2) {
        print_help(stdout);
        return TOOL_DONE;
    }
    return help_find(argv[1]) != NULL
               ? help_print(argv[1])
               : complain_usage("there is no verb \"%s\"; otter help lists them",
                                argv[1]);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return TOOL_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("otter %s\n", OTTER_VERSION);
        return TOOL_DONE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        return help(argc - 1, argv + 1);
    }
    return run_verb(argv[1], argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    const int status = run(argc, argv);

    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        const int failed =
            complain("standard output cannot be written: %s", strerror(errno));

        return status == TOOL_DONE ? failed : status;
    }
    return status;
}
