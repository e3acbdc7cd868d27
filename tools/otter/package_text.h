/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people read about a system, from options to extensions of its package. Functions
 * print what is wrong to stderr and return the tool's exit status.
 */
#ifndef OTTER_TOOL_PACKAGE_TEXT_H
#define OTTER_TOOL_PACKAGE_TEXT_H

#include "package_write.h"

enum {
    PACKAGE_LINE_SIZE_MAX = 64,
    PACKAGE_NOTES_SIZE_MAX = 512,
};

/* Sets the text of option `name`: extension `type` (vendor to notes). "@FILE" names the
 * file of notes. */
int package_take_text(struct package *package, const char *name, uint16_t type,
                      const char *value);

/* Sets the least battery, a percentage. */
int package_take_battery(struct package *package, const char *value);

#endif
