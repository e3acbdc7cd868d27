/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of bytes that can be read at any offset: a file on the host, a span of flash
 * on the device, a buffer in a test. Parsers of big things read through it, so that
 * no program needs the whole thing in RAM.
 */
#ifndef OTTER_SOURCE_H
#define OTTER_SOURCE_H

#include "otter/error.h"

#include <stddef.h>
#include <stdint.h>

struct otter_source {
    const void *context;
    uint32_t size; /* bytes that can be read */

    /* Reads exactly `len` bytes at `off`; the caller keeps off + len <= size. */
    enum otter_result (*read)(const void *context, uint32_t off, void *data,
                              size_t len);
};

#endif
