/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter device new, a verb of `otter device`.
 */
#ifndef OTTER_TOOL_DEVICE_NEW_H
#define OTTER_TOOL_DEVICE_NEW_H

/* otter device new ... */
int device_new(int argc, char **argv);

#endif
