/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the readers of image formats and the image they fill.
 */
#ifndef OTTER_TOOL_IMAGE_INNER_H
#define OTTER_TOOL_IMAGE_INNER_H

#include "image.h"

/* Sets the message; returns false. */
__attribute__((format(printf, 2, 3))) bool image_fail(struct image *image,
                                                      const char *format, ...);

/* Empties the image but for its message; returns false. */
bool image_discard(struct image *image);

/* Adds a copy of bytes, in any order. */
bool image_add(struct image *image, uint32_t addr, const uint8_t *data, uint32_t size);

/* Sorts and joins what was added; false if there is nothing, or bytes overlap. */
bool image_arrange(struct image *image);

#endif
