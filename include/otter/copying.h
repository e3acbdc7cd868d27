/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying a stored member, or a span of flash, into a region, sector by sector, so that
 * any cut can be followed by going on: the engine's write and save, and boot's restore
 * (K15), are this one machine. It writes `cursor` and `erased` of the journal's state
 * and keeps the rest of it.
 */
#ifndef OTTER_COPYING_H
#define OTTER_COPYING_H

#include "otter/device.h"
#include "otter/stream.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct otter_copying {
    struct otter_device *device;
    struct otter_stream *stream; /* gives the bytes; NULL: flash, raw, from here: */
    uint8_t from_region;
    uint32_t from_off;
    const struct otter_cipher *from_cipher; /* NULL: lies there in clear */
    uint8_t to_region;
    uint32_t to_off;                      /* begins a sector */
    const struct otter_cipher *to_cipher; /* NULL: is to lie there in clear */
    uint32_t size;

    /* Private. */
    uint8_t step;
    uint32_t cursor;         /* bytes that stand */
    struct otter_span span;  /* of raw flash */
    struct otter_stream raw; /* on it */
    struct otter_sector sector;
    uint32_t taken; /* bytes in device->page */
    uint32_t given; /* of them programmed */
};

/* Starts from the journal's cursor: what lies before it stands, the sector at it is
 * erased and written again whatever it holds (K5). The caller has set the addresses
 * and sealed the record that permits the writing. */
void otter_copying_open(struct otter_copying *copying);

/* At most one flash operation, or a step of decoding. A failed one is repeated from its
 * sector's erase by calling open again. */
OTTER_MUST_CHECK enum otter_result otter_copying_step(struct otter_copying *copying,
                                                      bool *is_done);

#ifdef __cplusplus
}
#endif

#endif
