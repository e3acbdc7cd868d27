/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that come from outside: UTF-8 that may be shown on a screen or a terminal.
 */
#ifndef OTTER_UTF8_H
#define OTTER_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* True if the `len` bytes are well-formed UTF-8 (Unicode, table 3-7) without control
 * characters: none of U+0000 to U+001F but tab and newline, none of U+007F to U+009F.
 * An empty text is valid. */
bool otter_utf8_is_valid(const uint8_t *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
