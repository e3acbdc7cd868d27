/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inflate port by zlib, which takes all its memory from the arena: it allocates its
 * state at the beginning and its window once, and what it frees is forgotten with the
 * stream. Needs no C library: zlib may be compiled with Z_SOLO.
 */
#include "inflate_zlib.h"

#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

/* Lies at the start of the arena. */
struct stream {
    z_stream z;
    uint8_t *next; /* memory that is left */
    size_t left;
};

enum { ALIGNMENT = 8 };

static size_t rounded(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static voidpf take(voidpf opaque, uInt items, uInt size)
{
    struct stream *stream = opaque;
    size_t wanted = rounded((size_t)items * size);
    uint8_t *memory = stream->next;

    if (wanted > stream->left) {
        return Z_NULL;
    }
    stream->next += wanted;
    stream->left -= wanted;
    return memory;
}

static void give_back(voidpf opaque, voidpf memory)
{
    (void)opaque;
    (void)memory;
}

static enum otter_result begin(void *context, void *arena, size_t size,
                               uint8_t window_bits)
{
    struct stream *stream = arena;

    (void)context;
    if (size < rounded(sizeof(*stream))) {
        return OTTER_E_CODING_DECLARED;
    }
    memset(stream, 0, sizeof(*stream));
    stream->next = (uint8_t *)arena + rounded(sizeof(*stream));
    stream->left = size - rounded(sizeof(*stream));
    stream->z.zalloc = take;
    stream->z.zfree = give_back;
    stream->z.opaque = stream;
    return inflateInit2(&stream->z, window_bits) == Z_OK ? OTTER_OK
                                                         : OTTER_E_CODING_DECLARED;
}

static enum otter_result run(void *context, void *arena,
                             struct otter_inflate_work *work)
{
    struct stream *stream = arena;

    (void)context;
    stream->z.next_in = work->in;
    stream->z.avail_in = (uInt)work->in_left;
    stream->z.next_out = work->out;
    stream->z.avail_out = (uInt)work->out_left;
    int status = inflate(&stream->z, Z_NO_FLUSH);

    work->in = stream->z.next_in;
    work->in_left = stream->z.avail_in;
    work->out = stream->z.next_out;
    work->out_left = stream->z.avail_out;
    work->is_end = status == Z_STREAM_END;
    switch (status) {
    case Z_OK:
    case Z_STREAM_END:
    case Z_BUF_ERROR: /* nothing to read, or no room: no failure */
        return OTTER_OK;
    case Z_MEM_ERROR:
        return OTTER_E_CODING_DECLARED;
    default:
        return OTTER_E_CODING_DATA;
    }
}

const struct otter_inflate otter_inflate_zlib = {.begin = begin, .run = run};
