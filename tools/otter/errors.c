/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter errors: the table of public codes, as text, JSON or Markdown.
 * docs/ERRORS.md is the last. docs/man/otter-errors.1.scd.
 */
#include "help.h"
#include "names.h"
#include "options.h"
#include "otter/error.h"
#include "say.h"
#include "verbs.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { RANGE_SIZE = 24 };

struct options {
    bool is_json;
    bool is_markdown;
    const char *code; /* NULL: all */
};

const struct option errors_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"markdown", no_argument, NULL, 'm'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int parse_options(int argc, char **argv, struct options *options)
{
    struct option_walk walk = {
        .verb = "errors", .letters = "h", .options = errors_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        switch (name) {
        case 'j':
            options->is_json = true;
            break;
        case 'm':
            options->is_markdown = true;
            break;
        case 'h':
            (void)help_print("errors");
            return -1;
        default:
            return TOOL_USAGE;
        }
    }
    if (argc - optind > 1 || (options->is_json && options->is_markdown)) {
        return complain_usage("errors takes one code and one format; "
                              "see otter errors --help");
    }
    options->code = argv[optind];
    return TOOL_DONE;
}

/* "20-15" or, for a row that spans percentages, "10-00 to 10-100". */
static const char *range_of(const struct otter_error *row, char text[RANGE_SIZE])
{
    const uint16_t stage = (uint16_t)(row->stage << 8);
    char first[NAME_CODE_SIZE];
    char last[NAME_CODE_SIZE];

    (void)name_of_code((uint16_t)(stage | row->first), first);
    (void)name_of_code((uint16_t)(stage | row->last), last);
    (void)snprintf(text, RANGE_SIZE, "%s%s%s", first,
                   row->first == row->last ? "" : " to ",
                   row->first == row->last ? "" : last);
    return text;
}

static json_t *json_of(const struct otter_error *row)
{
    return json_pack("{s:i, s:i, s:i, s:s, s:b, s:s, s:s}", "stage", (int)row->stage,
                     "first", (int)row->first, "last", (int)row->last, "name",
                     row->name, "reserved", row->kind == OTTER_ERROR_RESERVED ? 1 : 0,
                     "text", row->text, "remedy", row->remedy);
}

static void print_row(const struct otter_error *row)
{
    char range[RANGE_SIZE];

    (void)printf("[%s] %s%s\n        %s\n", range_of(row, range), row->text,
                 row->kind == OTTER_ERROR_RESERVED ? " (reserved)" : "", row->remedy);
}

static void print_markdown(void)
{
    const struct otter_error *row = NULL;
    char range[RANGE_SIZE];

    (void)fputs(
        "# otter: codes\n\n"
        "Every failure has one code `[XX-YY]`: XX is the stage or the part that "
        "found it, YY the\ndetail. Where YY is a range it is the percentage at "
        "which the fault was found. A code never\nchanges its meaning. "
        "\"Reserved\" codes keep a number for a stage that this version does "
        "not\nhave. `otter errors XX-YY` explains one; this page is printed by "
        "`otter errors --markdown`.\n\n"
        "| code | what it says | what to do | |\n|---|---|---|---|\n",
        stdout);
    for (size_t i = 0; (row = otter_error_row(i)) != NULL; i++) {
        (void)printf("| %s | %s | %s | %s |\n", range_of(row, range), row->text,
                     row->remedy, row->kind == OTTER_ERROR_RESERVED ? "reserved" : "");
    }
}

static void print_json(json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)printf("\n");
    json_decref(value);
}

static void print_all(bool is_json)
{
    const struct otter_error *row = NULL;
    json_t *all = is_json ? json_array() : NULL;

    for (size_t i = 0; (row = otter_error_row(i)) != NULL; i++) {
        if (is_json) {
            (void)json_array_append_new(all, json_of(row));
        } else {
            print_row(row);
        }
    }
    if (is_json) {
        print_json(all);
    }
}

/* "20-15" or "[20-15]". */
static bool parse_code(const char *text, uint16_t *code)
{
    unsigned stage = 0;
    unsigned detail = 0;
    int end = 0;

    if (text[0] == '[') {
        text++;
    }
    /* NOLINTNEXTLINE(cert-err34-c): three digits at most, so nothing overflows */
    if (sscanf(text, "%3u-%3u%n", &stage, &detail, &end) != 2 || text[0] == '+' ||
        text[0] == '-' || stage > UINT8_MAX || detail > UINT8_MAX) {
        return false;
    }
    if (text[end] != '\0' && strcmp(text + end, "]") != 0) {
        return false;
    }
    *code = (uint16_t)(stage << 8 | detail);
    return true;
}

static int explain(const struct options *options)
{
    const struct otter_error *row = NULL;
    uint16_t code = 0;

    if (!parse_code(options->code, &code)) {
        return complain_usage("\"%s\" is not a code; write it as XX-YY, for instance "
                              "20-15",
                              options->code);
    }
    row = otter_error_find(code);
    if (row == NULL) {
        return complain("there is no code %s; otter errors lists all, "
                        "a newer otter may know more",
                        options->code);
    }
    if (options->is_json) {
        print_json(json_of(row));
    } else {
        print_row(row);
    }
    return TOOL_DONE;
}

int verb_errors(int argc, char **argv)
{
    struct options options = {0};
    const int status = parse_options(argc, argv, &options);

    if (status != TOOL_DONE) {
        return status < 0 ? TOOL_DONE : status;
    }
    if (options.is_markdown) {
        if (options.code != NULL) {
            return complain_usage("--markdown prints all codes; leave the code out");
        }
        print_markdown();
        return TOOL_DONE;
    }
    if (options.code != NULL) {
        return explain(&options);
    }
    print_all(options.is_json);
    return TOOL_DONE;
}
