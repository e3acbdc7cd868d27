/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters that deceive a reader. Facts: the Unicode standard, chapter 23 (layout
 * controls, deprecated format characters, tags).
 */
#include "text.h"

#include "otter/utf8.h"

static uint32_t code_point(const uint8_t *text, size_t size)
{
    uint32_t point = size == 1 ? text[0] : text[0] & (0x7FU >> size);

    for (size_t i = 1; i < size; i++) {
        point = point << 6 | (text[i] & 0x3FU);
    }
    return point;
}

size_t text_character(const uint8_t *text, size_t len, uint32_t *point)
{
    for (size_t size = 1; size <= 4 && size <= len; size++) {
        if (otter_utf8_is_valid(text, size)) {
            *point = code_point(text, size);
            return size;
        }
    }
    return 0;
}

bool text_is_deceiving(uint32_t point)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x061C, 0x061C}, {0x200B, 0x200F}, {0x2028, 0x202E},
        {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xE0000, 0xE007F},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (point >= ranges[i].first && point <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

bool text_find_deceiving(const void *text, size_t len, uint32_t *point)
{
    const uint8_t *bytes = text;
    size_t size = 0;

    for (size_t i = 0; i<len; i += size> 0 ? size : 1) {
        size = text_character(bytes + i, len - i, point);
        if (size > 0 && text_is_deceiving(*point)) {
            return true;
        }
    }
    return false;
}
