/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tool says to people: complaints, codes with their remedies, progress, and
 * texts from outside, which cannot steer a terminal whatever they hold. All but
 * say() and print_text() write to stderr. Colour only on a terminal and without
 * NO_COLOR.
 */
#ifndef OTTER_TOOL_SAY_H
#define OTTER_TOOL_SAY_H

#include "otter/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* printf() for what comes from outside, in part: all but line feeds is printed as
 * print_text() does. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* "otter: " and the message: what happened: why; what to do. complain() returns
 * TOOL_FAILED, complain_usage() TOOL_USAGE (verbs.h). */
__attribute__((format(printf, 1, 2))) int complain(const char *format, ...);
__attribute__((format(printf, 1, 2))) int complain_usage(const char *format, ...);

/* What stands before each complaint from now on: where its reason is written, for
 * instance "recipe.yaml:3:1: ". NULL: nothing. `place` stays in use. */
void complain_at(const char *place);

/* Prints "otter: SUBJECT: [20-15] text" and the remedy; returns `status`. */
int complain_code(const char *subject, enum otter_result result, int status);

/* Prints a text from outside so that it cannot steer a terminal: control, direction
 * and invisible characters and broken UTF-8 come as \xNN; line feeds come as
 * `line_feed`. */
void print_text(FILE *out, const uint8_t *text, size_t len, const char *line_feed);

/* A progress bar; silent when stderr is not a terminal. */
struct progress {
    const char *what;
    int shown; /* percent on the screen, -1: nothing yet */
    bool is_shown;
};

void progress_begin(struct progress *progress, const char *what);
void progress_show(struct progress *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *progress);

#endif
