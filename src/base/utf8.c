/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict UTF-8 check. The table is "Well-Formed UTF-8 Byte Sequences" of the Unicode
 * standard (table 3-7); the two rows that could hold control characters leave them out.
 */
#include "otter/utf8.h"

/* One kind of sequence: its first byte, its second one, and how many bytes follow the
 * first. Third and fourth bytes are always 0x80 to 0xBF. */
struct sequence {
    uint8_t first_min, first_max;
    uint8_t second_min, second_max;
    uint8_t more;
};

static const struct sequence sequences[] = {
    {'\t', '\n', 0, 0, 0},
    {0x20, 0x7E, 0, 0, 0},
    {0xC2, 0xC2, 0xA0, 0xBF, 1}, /* from 0x80: the controls U+0080 to U+009F */
    {0xC3, 0xDF, 0x80, 0xBF, 1},
    {0xE0, 0xE0, 0xA0, 0xBF, 2}, /* lower ones would be overlong */
    {0xE1, 0xEC, 0x80, 0xBF, 2},
    {0xED, 0xED, 0x80, 0x9F, 2}, /* higher ones would be surrogates */
    {0xEE, 0xEF, 0x80, 0xBF, 2},
    {0xF0, 0xF0, 0x90, 0xBF, 3}, /* lower ones would be overlong */
    {0xF1, 0xF3, 0x80, 0xBF, 3},
    {0xF4, 0xF4, 0x80, 0x8F, 3}, /* higher ones would lie above U+10FFFF */
};

static const struct sequence *find_sequence(uint8_t first)
{
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        if (first >= sequences[i].first_min && first <= sequences[i].first_max) {
            return &sequences[i];
        }
    }
    return NULL;
}

/* Bytes of the character that begins `text`, 0 if it is not valid. `len` is not 0. */
static size_t character_size(const uint8_t *text, size_t len)
{
    const struct sequence *sequence = find_sequence(text[0]);
    if (sequence == NULL || sequence->more > len - 1) {
        return 0;
    }
    for (size_t i = 1; i <= sequence->more; i++) {
        const uint8_t min = i == 1 ? sequence->second_min : 0x80;
        const uint8_t max = i == 1 ? sequence->second_max : 0xBF;
        if (text[i] < min || text[i] > max) {
            return 0;
        }
    }
    return (size_t)sequence->more + 1;
}

bool otter_utf8_is_valid(const uint8_t *text, size_t len)
{
    for (size_t off = 0; off < len;) {
        const size_t size = character_size(text + off, len - off);
        if (size == 0) {
            return false;
        }
        off += size;
    }
    return true;
}
