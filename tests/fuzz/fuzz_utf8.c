/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a text, checked against a decoder that follows the definition of UTF-8
 * (RFC 3629, section 3) instead of a table: each character in its shortest form, none
 * that is a surrogate or above U+10FFFF, and no control characters but two.
 */
#include "otter/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that a character with this first byte has; 0: no first byte. */
static size_t length_of(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC0) {
        return 0;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 0;
}

static bool is_allowed(uint32_t character, size_t length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
    bool is_control = character < 0x20 || (character >= 0x7F && character < 0xA0);

    return character >= least[length] && character <= 0x10FFFF && !is_surrogate &&
           (!is_control || character == '\t' || character == '\n');
}

static bool is_text(const uint8_t *data, size_t size)
{
    for (size_t off = 0; off < size;) {
        size_t length = length_of(data[off]);

        if (length == 0 || length > size - off) {
            return false;
        }
        uint32_t character = length == 1 ? data[off] : data[off] & (0x7FU >> length);

        for (size_t i = 1; i < length; i++) {
            if ((data[off + i] & 0xC0) != 0x80) {
                return false;
            }
            character = character << 6 | (data[off + i] & 0x3FU);
        }
        if (!is_allowed(character, length)) {
            return false;
        }
        off += length;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *text = malloc(size + (size == 0)); /* just so many: a checker sees */

    if (text == NULL) {
        return 0;
    }
    if (size != 0) {
        memcpy(text, data, size);
    }
    if (otter_utf8_is_valid(text, size) != is_text(text, size)) {
        abort();
    }
    free(text);
    return 0;
}
