/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that people read for the numbers of the formats, and codes with their
 * texts. All strings live for ever unless a buffer is given.
 */
#ifndef OTTER_TOOL_NAMES_H
#define OTTER_TOOL_NAMES_H

#include "otter/control.h"
#include "otter/state.h"

#include <stdint.h>

const char *name_of_phase(uint8_t phase);
const char *name_of_program(uint8_t program);
const char *name_of_role(uint8_t role);
const char *name_of_coding(uint8_t coding);
const char *name_of_region(uint8_t region);
const char *name_of_outcome(uint8_t kind);

/* Name of an update's stage by its public number. */
const char *name_of_stage(uint8_t stage);

enum { NAME_CODE_SIZE = 8, NAME_VERSION_SIZE = 32 };

/* "23-12" of a public code. */
const char *name_of_code(uint16_t code, char text[NAME_CODE_SIZE]);

/* "1.2.3+4". */
const char *name_of_version(const struct otter_version *version,
                            char text[NAME_VERSION_SIZE]);

/* What a code says and what to do; never NULL. */
const char *text_of_code(uint16_t code);
const char *remedy_of_code(uint16_t code);

/* Lower-case hex of `size` bytes; `text` has room for 2 * size + 1. */
const char *hex_of(const uint8_t *bytes, size_t size, char *text);

#endif
