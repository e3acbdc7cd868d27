/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saving to a file on the card: what the old system has in a region, or the archive of
 * a tree of files. The way back of a
 * device without room for it in flash. A cut leaves a file that is not looked at: it is
 * written again from its start.
 */
#ifndef OTTER_SAVING_H
#define OTTER_SAVING_H

#include "otter/device.h"
#include "otter/stream.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct otter_saving {
    struct otter_device *device;
    struct otter_stream *stream; /* gives the bytes, of an archive; NULL: the region */
    const uint8_t *sha;          /* of that archive */
    uint8_t region;
    uint32_t size;
    const struct otter_cipher *cipher; /* under which it is to lie; NULL: in clear */

    /* Private. */
    uint8_t step;
    int file;
    uint32_t cursor; /* bytes that are written */
};

/* Starts with the first byte of `region`; writes nothing yet. */
void otter_saving_open(struct otter_saving *saving, struct otter_device *device,
                       uint8_t region, uint32_t size,
                       const struct otter_cipher *cipher);

/* The same for the archive of a tree, whose SHA-256 is `sha` and whose bytes the stream
 * gives; it stands at the first of them. After `is_done` the file is open as the region
 * SAVED_FILE, too. */
void otter_saving_open_archive(struct otter_saving *saving, struct otter_device *device,
                               struct otter_stream *stream,
                               const uint8_t sha[OTTER_SHA256_SIZE],
                               const struct otter_cipher *cipher);

/* At most one page read and written, a step of decoding, or one other file operation.
 * After `is_done` the file is synced and closed, and open for reading as the region
 * SAVED_FILE. A failure closes it: 36-10, 36-12, 36-14, or 26-10 where flash cannot be
 * read. */
OTTER_MUST_CHECK enum otter_result otter_saving_step(struct otter_saving *saving,
                                                     bool *is_done);

#ifdef __cplusplus
}
#endif

#endif
