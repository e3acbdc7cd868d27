/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, streams and numbers of the command line: what every verb needs. "-" is
 * standard input or output. Functions that return an int print what went wrong to
 * stderr (say.h) and return the tool's exit status (verbs.h).
 */
#ifndef OTTER_TOOL_FILES_H
#define OTTER_TOOL_FILES_H

#include "otter/error.h"
#include "otter/source.h"
#include "say.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes in memory of their own. {0} holds none. */
struct bytes {
    uint8_t *data;
    size_t size;
};

void bytes_free(struct bytes *bytes);

/* A source over bytes, which stay in use. They are shorter than 4 GiB. */
struct otter_source bytes_source(const struct bytes *bytes);

/* Reads a whole file. Refuses what is longer than `limit`. */
int file_read(const char *path, size_t limit, struct bytes *bytes);

enum { FILE_ANY_SIZE = 256 * 1024 * 1024 }; /* more than any package or image */

/* Writes a file whole or not at all: under another name first, then renamed. What is
 * not a regular file, a device for instance, is written as it is. */
int file_write(const char *path, const void *data, size_t size);

/* Writes a new file that only its owner can read; refuses one that exists. */
int file_write_secret(const char *path, const void *data, size_t size);

/* Reads a number, decimal or 0x hex, that is at most `max`; false for anything else. */
bool parse_number(const char *text, uint64_t max, uint64_t *number);

#endif
