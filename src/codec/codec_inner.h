/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the decoders share. Private to src/codec.
 */
#ifndef OTTER_CODEC_INNER_H
#define OTTER_CODEC_INNER_H

#include "otter/stream.h"

/* One coding. All that a decoder knows lies in the stream's `decoding`. */
struct otter_decoder {
    /* Reads the head; the stream stands at its first byte. */
    enum otter_result (*open)(struct otter_stream *stream);

    /* Moves `position` towards `target`, which lies before it, as far as that goes
     * without decoding in one step; NULL if nothing does. True: call again. */
    enum otter_result (*skip)(struct otter_stream *stream, bool *is_skipping);

    /* Decodes the next bytes, `made` <= `capacity` of them; 0 is no failure. */
    enum otter_result (*decode)(struct otter_stream *stream, uint8_t *out,
                                uint32_t capacity, uint32_t *made);

    /* What otter_stream_end() does. */
    enum otter_result (*end)(struct otter_stream *stream, bool *is_done);
};

extern const struct otter_decoder otter_decoder_heatshrink;
extern const struct otter_decoder otter_decoder_zlib;

/* The one way to stored bytes: reads `len` of them at `off`, which lie in the source.
 */
OTTER_MUST_CHECK enum otter_result codec_read_stored(const struct otter_stream *stream,
                                                     uint32_t off, void *data,
                                                     uint32_t len);

/* Reads the next `len` stored bytes past the input buffer, which is empty. `missing` if
 * there are not so many. */
OTTER_MUST_CHECK enum otter_result codec_take(struct otter_stream *stream, void *data,
                                              uint32_t len, enum otter_result missing);

/* Fills the input buffer, if it is empty, with stored bytes before `end`. It stays
 * empty if there are none. */
OTTER_MUST_CHECK enum otter_result codec_fill(struct otter_stream *stream,
                                              uint32_t end);

#endif
