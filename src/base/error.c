/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups in the one table of public codes, otter/error.h.
 *
 * Two tables are made from it: the texts, and the ranges alone. A boot program that
 * only makes codes and never prints them does not link the texts.
 */
#include "otter/error.h"

struct range {
    uint16_t first; /* code of the row's first YY */
    uint8_t last;   /* its last YY */
};

#define RANGE(name, xx, first, last, kind, text, remedy) {(xx)*256 + (first), (last)},
static const struct range ranges[] = {OTTER_ERROR_TABLE(RANGE)};

#define ROW(name, xx, first, last, kind, text, remedy) \
    {#name, (xx), (first), (last), OTTER_ERROR_##kind, text, remedy},
static const struct otter_error rows[] = {OTTER_ERROR_TABLE(ROW)};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

enum otter_result otter_error_at(enum otter_result base, uint8_t yy)
{
    const uint16_t code = otter_code(base);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (ranges[i].first != code) {
            continue;
        }
        const uint8_t first = (uint8_t)code;
        const uint8_t below_last = yy < ranges[i].last ? yy : ranges[i].last;
        const uint8_t inside = below_last > first ? below_last : first;
        return otter_result_of((uint16_t)(code - first + inside));
    }
    return base;
}

const struct otter_error *otter_error_find(uint16_t code)
{
    const uint8_t stage = (uint8_t)(code >> 8);
    const uint8_t yy = (uint8_t)code;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].stage == stage && yy >= rows[i].first && yy <= rows[i].last) {
            return &rows[i];
        }
    }
    return NULL;
}

const struct otter_error *otter_error_row(size_t index)
{
    return index < ROW_COUNT ? &rows[index] : NULL;
}
