/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of systems as people write them.
 */
#ifndef OTTER_TOOL_VERSION_H
#define OTTER_TOOL_VERSION_H

#include "otter/control.h"

#include <stdbool.h>

/* Reads "1.2.3" or "1.2.3+4", decimal; false for anything else. */
bool parse_version(const char *text, struct otter_version *version);

#endif
