/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of files and folders of a card. What FAT takes and what it means by it:
 * Microsoft's FAT specification, "Long Directory Entries": case is kept, and ignored.
 */
#include "otter/path.h"

#include "otter/utf8.h"

#include <stddef.h>
#include <stdint.h>

static bool is_dots(const char *part, size_t len)
{
    return (len == 1 && part[0] == '.') ||
           (len == 2 && part[0] == '.' && part[1] == '.');
}

bool otter_path_is_good(const char *path)
{
    size_t begin = 0; /* of the part under way */

    for (size_t i = 0; i <= (size_t)OTTER_PATH_MAX; i++) {
        uint8_t c = (uint8_t)path[i];

        if (c == '/' || c == '\0') {
            if (i == begin || is_dots(path + begin, i - begin)) {
                return false;
            }
            if (c == '\0') {
                return true;
            }
            begin = i + 1;
        } else if (c < ' ' || c == 0x7F || c == '\\' || c == ':') {
            return false;
        }
    }
    return false;
}

size_t otter_path_length(const char *path)
{
    size_t len = 0;

    while (len <= (size_t)OTTER_PATH_MAX && path[len] != '\0') {
        len++;
    }
    return len;
}

static bool is_for_fat(const char *path)
{
    static const char others[] = "\"*<>?|";

    for (size_t i = 0; path[i] != '\0'; i++) {
        bool is_last = path[i + 1] == '\0' || path[i + 1] == '/';

        if (is_last && (path[i] == '.' || path[i] == ' ')) {
            return false;
        }
        for (size_t j = 0; others[j] != '\0'; j++) {
            if (path[i] == others[j]) {
                return false;
            }
        }
    }
    return true;
}

bool otter_path_is_for_files(const char *path)
{
    return otter_path_is_good(path) && is_for_fat(path) &&
           otter_utf8_is_valid((const uint8_t *)path, otter_path_length(path));
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool otter_path_has_ending(const char *path, const char *ending)
{
    size_t len = otter_path_length(path);
    size_t size = otter_path_length(ending);

    for (size_t i = 0; i < size && size <= len; i++) {
        if (small(path[len - size + i]) != ending[i]) {
            return false;
        }
    }
    return size <= len;
}

bool otter_path_is_inside(const char *path, const char *folder)
{
    size_t i = 0;

    while (folder[i] != '\0' && small(path[i]) == small(folder[i])) {
        i++;
    }
    return folder[i] == '\0' && (path[i] == '\0' || path[i] == '/');
}
