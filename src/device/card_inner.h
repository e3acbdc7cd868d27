/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files of the card that have the form of a pointer. Private to src/device.
 */
#ifndef OTTER_CARD_INNER_H
#define OTTER_CARD_INNER_H

#include "otter/device.h"

/* Where the pointers lie. */
extern const char *const card_pointer_paths[OTTER_POINTER_COUNT];

/* Reads the file `path`. 36-16 for anything but a valid pointer, also if it is not
 * there; 36-10, 36-13 where the card cannot tell. */
OTTER_MUST_CHECK enum otter_result card_read_pointer(const struct otter_device *device,
                                                     const char *path,
                                                     struct otter_pointer *pointer);

/* Writes it, from its first byte, and makes sure of it. */
OTTER_MUST_CHECK enum otter_result card_write_bytes(
    const struct otter_files *files, const char *path,
    const uint8_t bytes[OTTER_POINTER_SIZE]);

#endif
