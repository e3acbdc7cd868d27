/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlib in independent chunks: a head, then for each chunk its length and one stream of
 * RFC 1950 that decodes to a fixed number of bytes, the last one to the rest. Layout:
 * docs/SPEC.md, "Codings". Any offset is one chunk away: those before it are passed
 * over by their lengths.
 */
#include "codec_inner.h"
#include "otter/bytes.h"

#include <string.h>

enum {
    HEAD_CHUNK = 0,
    HEAD_WINDOW = 1,
    HEAD_RESERVED = 2,
    HEAD_SIZE = 4,

    BITS_MIN = 9,
    BITS_MAX = 15,

    LENGTH_SIZE = 2,
    PASSED_MAX = 16, /* chunks that one step passes over */
    PARTS_MAX = OTTER_STEP_BYTES / OTTER_DECODING_IN + 2, /* of input in one step */
};

static bool is_in_range(uint8_t bits)
{
    return bits >= BITS_MIN && bits <= BITS_MAX;
}

static enum otter_result open(struct otter_stream *stream)
{
    struct otter_decoding *decoding = stream->decoding;
    struct otter_chunks *chunks = &decoding->chunks;
    uint8_t head[HEAD_SIZE];
    enum otter_result result =
        codec_take(stream, head, sizeof(head), OTTER_E_CODING_SHORT);

    if (result != OTTER_OK) {
        return result;
    }
    memset(chunks, 0, sizeof(*chunks));
    chunks->chunk_bits = head[HEAD_CHUNK];
    chunks->window_bits = head[HEAD_WINDOW];
    if (!is_in_range(chunks->chunk_bits) || !is_in_range(chunks->window_bits) ||
        otter_load_le16(head + HEAD_RESERVED) != 0) {
        return OTTER_E_CODING_HEAD;
    }
    if (OTTER_INFLATE_MEMORY + (1U << chunks->window_bits) > decoding->memory) {
        return OTTER_E_CODING_DECLARED;
    }
    return decoding->inflate == NULL ? OTTER_E_CONTROL_CODING : OTTER_OK;
}

/* Reads the length of the next chunk: its stored bytes end at `next_off`. */
static enum otter_result find_chunk(struct otter_stream *stream)
{
    struct otter_chunks *chunks = &stream->decoding->chunks;
    uint8_t bytes[LENGTH_SIZE];
    enum otter_result result =
        codec_take(stream, bytes, sizeof(bytes), OTTER_E_CODING_SHORT);

    if (result != OTTER_OK) {
        return result;
    }
    uint32_t length = otter_load_le16(bytes);

    if (length > stream->source.size - stream->stored_off) {
        return OTTER_E_CODING_SHORT;
    }
    chunks->next_off = stream->stored_off + length;
    return OTTER_OK;
}

/* Leaves the chunk, decoded or not. */
static void close_chunk(struct otter_stream *stream)
{
    struct otter_chunks *chunks = &stream->decoding->chunks;

    stream->stored_off = chunks->next_off;
    stream->decoding->in_used = stream->decoding->in_len;
    chunks->begin += 1U << chunks->chunk_bits;
    chunks->is_open = false;
}

static enum otter_result skip(struct otter_stream *stream, bool *is_skipping)
{
    struct otter_chunks *chunks = &stream->decoding->chunks;

    for (int i = 0; i < PASSED_MAX; i++) {
        *is_skipping = stream->target - chunks->begin >= 1U << chunks->chunk_bits;
        if (!*is_skipping) {
            return OTTER_OK;
        }
        enum otter_result result = chunks->is_open ? OTTER_OK : find_chunk(stream);

        if (result != OTTER_OK) {
            return result;
        }
        close_chunk(stream);
        stream->position = chunks->begin;
    }
    return OTTER_OK;
}

static enum otter_result open_chunk(struct otter_stream *stream)
{
    struct otter_decoding *decoding = stream->decoding;
    const struct otter_inflate *inflate = decoding->inflate;
    enum otter_result result = find_chunk(stream);

    if (result == OTTER_OK) {
        result = inflate->begin(inflate->context, decoding->arena, decoding->memory,
                                decoding->chunks.window_bits);
    }
    decoding->chunks.is_open = result == OTTER_OK;
    return result;
}

/* Bytes that the open chunk has still to give, `at` being the next one's offset. */
static uint32_t room_in(const struct otter_stream *stream, uint32_t at)
{
    const struct otter_chunks *chunks = &stream->decoding->chunks;
    uint32_t left = stream->size - chunks->begin;
    uint32_t size = 1U << chunks->chunk_bits;

    return (left < size ? left : size) - (at - chunks->begin);
}

/* One part of the input, to at most `capacity` bytes, all of the open chunk. At the
 * chunk's end it is closed: it must have used all its input and given all its bytes. */
static enum otter_result run_part(struct otter_stream *stream, uint8_t *out,
                                  uint32_t capacity, uint32_t *made)
{
    struct otter_decoding *decoding = stream->decoding;
    uint32_t room = room_in(stream, stream->position + *made);
    uint32_t wanted = capacity - *made < room ? capacity - *made : room;
    enum otter_result result = codec_fill(stream, decoding->chunks.next_off);
    struct otter_inflate_work work = {
        .in = decoding->in + decoding->in_used,
        .in_left = (size_t)decoding->in_len - decoding->in_used,
        .out_left = wanted,
    };
    size_t before = work.in_left;

    work.out = out + *made;
    if (result == OTTER_OK) {
        result =
            decoding->inflate->run(decoding->inflate->context, decoding->arena, &work);
    }
    if (result != OTTER_OK) {
        return result;
    }
    uint32_t given = wanted - (uint32_t)work.out_left;

    decoding->in_used = (uint8_t)(decoding->in_len - work.in_left);
    *made += given;
    if (work.is_end) {
        bool is_whole = given == room && work.in_left == 0 &&
                        stream->stored_off == decoding->chunks.next_off;

        close_chunk(stream);
        return is_whole ? OTTER_OK : OTTER_E_CODING_DATA;
    }
    bool is_stuck = work.in_left == before && given == 0 && (before == 0 || room == 0);

    return is_stuck ? OTTER_E_CODING_DATA : OTTER_OK;
}

static enum otter_result decode(struct otter_stream *stream, uint8_t *out,
                                uint32_t capacity, uint32_t *made)
{
    const struct otter_chunks *chunks = &stream->decoding->chunks;

    for (int i = 0; i < PARTS_MAX; i++) {
        enum otter_result result = OTTER_OK;
        bool is_full = *made == capacity;

        /* The end of a chunk is read with its last byte. */
        if (is_full &&
            (!chunks->is_open || room_in(stream, stream->position + *made) > 0)) {
            return OTTER_OK;
        }
        if (!chunks->is_open) {
            result = open_chunk(stream);
        }
        if (result == OTTER_OK) {
            result = run_part(stream, out, capacity, made);
        }
        if (result != OTTER_OK) {
            return result;
        }
    }
    return OTTER_OK;
}

static enum otter_result end(struct otter_stream *stream, bool *is_done)
{
    uint8_t none[1];
    uint32_t made = 0;
    enum otter_result result = decode(stream, none, 0, &made);

    *is_done = !stream->decoding->chunks.is_open;
    if (result == OTTER_OK && *is_done && stream->stored_off != stream->source.size) {
        result = OTTER_E_CODING_LONG;
    }
    return result;
}

const struct otter_decoder otter_decoder_zlib = {
    .open = open,
    .skip = skip,
    .decode = decode,
    .end = end,
};
