/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of files and folders of a card: which ones otter takes. Parts are joined by
 * '/', and no name leads out of the folder that it is put behind. Pure functions.
 */
#ifndef OTTER_PATH_H
#define OTTER_PATH_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OTTER_PATH_MAX = 127, OTTER_PATH_SIZE = OTTER_PATH_MAX + 1 };

/* The folder in which otter keeps its own files on a card. */
#define OTTER_CARD_FOLDER "otter"

/* True if `path` is a name that otter takes: relative, at most OTTER_PATH_MAX bytes, no
 * empty part, no "." or "..", no backslash, colon or control character. */
bool otter_path_is_good(const char *path);

/* Bytes of `path` before its end, at most OTTER_PATH_MAX + 1. */
size_t otter_path_length(const char *path);

/* True if `path` can name a tree of files, or a file or folder in it:
 * otter_path_is_good(), UTF-8, and no part for which FAT has no name: none with one of
 * `"*<>?|` in it, none that ends in a dot or a space. */
bool otter_path_is_for_files(const char *path);

/* True if `path` ends with `ending`, which has small letters. A card may have made
 * capitals of them. */
bool otter_path_has_ending(const char *path, const char *ending);

/* True if `path` is `folder` or lies in it. Letters A to Z count as a to z: so a card's
 * file system takes them. */
bool otter_path_is_inside(const char *path, const char *folder);

#ifdef __cplusplus
}
#endif

#endif
