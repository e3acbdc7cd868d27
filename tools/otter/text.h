/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which characters of a text may be shown to people as they are. One rule for what the
 * tool prints (say.h) and for what it puts into packages.
 */
#ifndef OTTER_TOOL_TEXT_H
#define OTTER_TOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that begins the text, and its code point; 0 for broken UTF-8
 * and control characters. `len` is not 0. */
size_t text_character(const uint8_t *text, size_t len, uint32_t *point);

/* True for characters that turn the direction of a line, break it or are not seen. */
bool text_is_deceiving(uint32_t point);

/* True if such a character is in the text; `point` is then the first one. */
bool text_find_deceiving(const void *text, size_t len, uint32_t *point);

#endif
