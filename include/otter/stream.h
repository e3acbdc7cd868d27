/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoded bytes of a stored member, from any offset on: store, then decoder, then
 * bytes. Byte layouts: docs/SPEC.md, "Codings". Every call does a bounded piece of work
 * (K22), so that what lies far away takes many calls:
 *
 *     otter_stream_open(&stream, &source, &member, &decoding);
 *     otter_stream_seek(&stream, off);
 *     do { otter_stream_read(&stream, part, len, &got); } while (got == 0);
 */
#ifndef OTTER_STREAM_H
#define OTTER_STREAM_H

#include "otter/control.h"
#include "otter/port/inflate.h"
#include "otter/source.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bit i: this library is compiled with enum otter_coding i. */
#define OTTER_CODINGS                                                     \
    (1U << OTTER_CODING_RAW | (uint32_t)OTTER_ZLIB << OTTER_CODING_ZLIB | \
     (uint32_t)OTTER_HEATSHRINK << OTTER_CODING_HEATSHRINK)

struct otter_decoder; /* src/codec/codec_inner.h */

/* A heatshrink stream under way. */
struct otter_heatshrink {
    uint8_t window_bits;
    uint8_t lookahead_bits;
    uint8_t bit_count; /* bits in `bits`, the next one first */
    uint32_t bits;
    uint32_t head;     /* where the next byte goes in the window */
    uint32_t distance; /* of the bytes that are repeated */
    uint32_t run;      /* so many of them are left */
};

/* A sequence of zlib chunks under way. */
struct otter_chunks {
    uint8_t chunk_bits;
    uint8_t window_bits;
    bool is_open;      /* a chunk is being decoded */
    uint32_t begin;    /* it decodes to the bytes from here on */
    uint32_t next_off; /* its stored bytes end here */
};

enum { OTTER_DECODING_IN = 64 };

/* What decoding needs in RAM, lent to a stream; may be used by one at a time. */
struct otter_decoding {
    /* Set by the owner. */
    const struct otter_inflate *inflate; /* NULL: no zlib */
    void *arena;                         /* for windows, aligned to 8 */
    uint32_t arena_size;

    /* Private. */
    uint32_t memory; /* bytes of the arena that the member declares */
    uint8_t in[OTTER_DECODING_IN];
    uint8_t in_len;
    uint8_t in_used;
    struct otter_heatshrink heatshrink;
    struct otter_chunks chunks;
};

/* Private but for `size`. */
struct otter_stream {
    struct otter_source source;          /* the stored bytes */
    uint32_t size;                       /* decoded bytes */
    const struct otter_decoder *decoder; /* NULL: raw */
    struct otter_decoding *decoding;
    uint32_t stored_off; /* of the next stored byte to be read */
    uint32_t position;   /* decoded bytes behind it */
    uint32_t target;     /* offset of the next byte that is wanted */
};

/* Opens raw bytes: all of `source`. Never fails. */
void otter_stream_open_raw(struct otter_stream *stream,
                           const struct otter_source *source);

/* Opens the stored bytes of `member`, whose first is at 0 of `source`, at its first
 * decoded byte. `decoding` stays in use and may be NULL if the member is raw. Reads the
 * head of a coded member. 21-21 for a coding that is not compiled in, 35-11 for a
 * malformed head, 35-15 if that needs more memory than the member declares, 35-10 if
 * the member declares more than there is; read errors pass. */
OTTER_MUST_CHECK enum otter_result otter_stream_open(struct otter_stream *stream,
                                                     const struct otter_source *source,
                                                     const struct otter_member *member,
                                                     struct otter_decoding *decoding);

/* The next read gives the bytes at `off` <= size. Costs nothing itself: raw goes there
 * at once, zlib begins at the chunk that holds it, heatshrink decodes from where it is,
 * or from the start if that lies behind `off`. */
void otter_stream_seek(struct otter_stream *stream, uint32_t off);

/* Decodes up to `len` bytes, at most OTTER_STEP_BYTES, to `data`: `got` of them, and 0
 * if it is still on its way to the offset (`data` is then undefined). The caller keeps
 * the offset and `len` inside `size`. 35-12 if the stored bytes end too early, 35-14 if
 * they are malformed; read errors pass. After a failure open it again. */
OTTER_MUST_CHECK enum otter_result otter_stream_read(struct otter_stream *stream,
                                                     void *data, uint32_t len,
                                                     uint32_t *got);

/* After the last byte: is it the end of the stored bytes, too? True in `is_done` when
 * that is found out; 35-13 if there are more, 35-12, 35-14. */
OTTER_MUST_CHECK enum otter_result otter_stream_end(struct otter_stream *stream,
                                                    bool *is_done);

#ifdef __cplusplus
}
#endif

#endif
