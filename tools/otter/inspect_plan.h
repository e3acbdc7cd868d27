/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device would do with a package: the plan of otter inspect --device (K13).
 */
#ifndef OTTER_TOOL_INSPECT_PLAN_H
#define OTTER_TOOL_INSPECT_PLAN_H

#include "package_read.h"

#include <jansson.h>

/* The plan that the powered-off virtual device of directory `path` makes for the
 * package: {"code", "text"} if it would refuse it, else {"members", "has_way_back",
 * "staging_used", "staging_size"}. New reference; NULL after a message if the device
 * cannot be opened. */
json_t *inspect_plan(const struct package_file *package, const char *path);

/* Prints it for people. */
void inspect_plan_print(const struct package_file *package, const json_t *plan);

#endif
