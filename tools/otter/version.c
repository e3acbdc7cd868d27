/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions: major and minor up to 255, revision up to 65535, build up to 2^32 - 1, as
 * the image header holds them.
 */
#include "version.h"

#include <errno.h>
#include <stdlib.h>

bool parse_version(const char *text, struct otter_version *version)
{
    static const uint64_t limits[] = {UINT8_MAX, UINT8_MAX, UINT16_MAX, UINT32_MAX};
    static const char marks[] = {'.', '.', '+', '\0'}; /* after each number */
    uint64_t numbers[4] = {0};
    const char *at = text;

    for (size_t i = 0; i < 4; i++) {
        char *end = NULL;

        if (*at < '0' || *at > '9') {
            return false;
        }
        errno = 0;
        numbers[i] = strtoull(at, &end, 10);
        if (errno != 0 || numbers[i] > limits[i]) {
            return false;
        }
        if (*end == '\0' && i >= 2) {
            *version =
                (struct otter_version){(uint8_t)numbers[0], (uint8_t)numbers[1],
                                       (uint16_t)numbers[2], (uint32_t)numbers[3]};
            return true;
        }
        if (marks[i] == '\0' || *end != marks[i]) {
            return false;
        }
        at = end + 1;
    }
    return false;
}
