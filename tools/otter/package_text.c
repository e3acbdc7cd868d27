/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts and the least battery of a package: limits, UTF-8 without what deceives a
 * reader, and files for notes. Facts: docs/SPEC.md, "Control packet", extensions 1
 * to 6.
 */
#include "package_text.h"

#include "otter/utf8.h"
#include "text.h"
#include "verbs.h"

#include <string.h>

enum { PERCENT_MAX = 100 };

static int set_text(struct package *package, const char *name, uint16_t type,
                    const void *text, size_t len)
{
    uint32_t point = 0;
    size_t max =
        type == OTTER_EXTENSION_NOTES ? PACKAGE_NOTES_SIZE_MAX : PACKAGE_LINE_SIZE_MAX;

    if (len > max) {
        return complain_usage("--%s: %zu bytes are too many (limit %zu)", name, len,
                              max);
    }
    if (!otter_utf8_is_valid(text, len) ||
        (type != OTTER_EXTENSION_NOTES && memchr(text, '\n', len) != NULL)) {
        return complain_usage("--%s: not UTF-8, or control characters in it", name);
    }
    if (text_find_deceiving(text, len, &point)) {
        return complain_usage("--%s: U+%04X in it is not seen, or turns the direction "
                              "of what stands beside it; leave it out",
                              name, (unsigned)point);
    }
    return package_set_extension(package, type, text, len) == OTTER_OK
               ? TOOL_DONE
               : complain("too many extensions");
}

int package_take_text(struct package *package, const char *name, uint16_t type,
                      const char *value)
{
    struct bytes file = {0};

    if (type != OTTER_EXTENSION_NOTES || value[0] != '@') {
        return set_text(package, name, type, value, strlen(value));
    }
    int status = file_read(value + 1, FILE_ANY_SIZE, &file);

    if (status == TOOL_DONE) {
        status = set_text(package, name, type, file.data, file.size);
    }
    bytes_free(&file);
    return status;
}

int package_take_battery(struct package *package, const char *value)
{
    uint64_t number = 0;

    if (!parse_number(value, PERCENT_MAX, &number)) {
        return complain_usage("--battery takes a number up to %d, not \"%s\"",
                              PERCENT_MAX, value);
    }
    uint8_t percent = (uint8_t)number;

    return package_set_extension(package, OTTER_EXTENSION_BATTERY, &percent, 1) ==
                   OTTER_OK
               ? TOOL_DONE
               : complain("too many extensions");
}
