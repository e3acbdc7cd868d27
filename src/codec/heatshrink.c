/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heatshrink: LZSS with a window of a power of two, read bit by bit from the highest
 * one. A bit 1 and 8 bits are a byte; a bit 0, a distance less 1 in the window's bits
 * and a length less 1 in the lookahead's bits repeat what was decoded before; before
 * the first byte there are zeros. Layout: docs/SPEC.md, "Codings". The window lies in
 * the arena.
 */
#include "codec_inner.h"
#include "otter/bytes.h"

#include <string.h>

enum {
    HEAD_MAGIC = 0x53445348, /* "HSDS" */
    HEAD_VERSION = 4,
    HEAD_WINDOW = 5,
    HEAD_LOOKAHEAD = 6,
    HEAD_SIZE = 7,

    VERSION = 1,
    WINDOW_MIN = 4,
    WINDOW_MAX = 15,
    LOOKAHEAD_MIN = 3,

    BITS_ROOM = 32,
};

static uint8_t *window_of(const struct otter_stream *stream)
{
    return stream->decoding->arena;
}

static enum otter_result open(struct otter_stream *stream)
{
    struct otter_heatshrink *state = &stream->decoding->heatshrink;
    uint8_t head[HEAD_SIZE];
    enum otter_result result =
        codec_take(stream, head, sizeof(head), OTTER_E_CODING_SHORT);

    if (result != OTTER_OK) {
        return result;
    }
    memset(state, 0, sizeof(*state));
    state->window_bits = head[HEAD_WINDOW];
    state->lookahead_bits = head[HEAD_LOOKAHEAD];
    if (otter_load_le32(head) != HEAD_MAGIC || head[HEAD_VERSION] != VERSION ||
        state->window_bits < WINDOW_MIN || state->window_bits > WINDOW_MAX ||
        state->lookahead_bits < LOOKAHEAD_MIN ||
        state->lookahead_bits >= state->window_bits) {
        return OTTER_E_CODING_HEAD;
    }
    if (1U << state->window_bits > stream->decoding->memory) {
        return OTTER_E_CODING_DECLARED;
    }
    memset(window_of(stream), 0, (size_t)1 << state->window_bits);
    return OTTER_OK;
}

/* The next `count` <= 15 bits. */
static enum otter_result take_bits(struct otter_stream *stream, uint8_t count,
                                   uint32_t *value)
{
    struct otter_decoding *decoding = stream->decoding;
    struct otter_heatshrink *state = &decoding->heatshrink;

    while (state->bit_count < count) {
        enum otter_result result = codec_fill(stream, stream->source.size);

        if (result != OTTER_OK) {
            return result;
        }
        if (decoding->in_len == 0) {
            return OTTER_E_CODING_SHORT;
        }
        state->bits |= (uint32_t)decoding->in[decoding->in_used++]
                       << (BITS_ROOM - 8 - state->bit_count);
        state->bit_count = (uint8_t)(state->bit_count + 8);
    }
    *value = state->bits >> (BITS_ROOM - count);
    state->bits <<= count;
    state->bit_count = (uint8_t)(state->bit_count - count);
    return OTTER_OK;
}

static void put_byte(struct otter_stream *stream, uint8_t byte)
{
    struct otter_heatshrink *state = &stream->decoding->heatshrink;

    window_of(stream)[state->head] = byte;
    state->head = (state->head + 1) & ((1U << state->window_bits) - 1);
}

/* Reads one token: a byte, which it answers, or the beginning of a run. */
static enum otter_result take_token(struct otter_stream *stream, uint8_t *byte)
{
    struct otter_heatshrink *state = &stream->decoding->heatshrink;
    uint32_t value = 0;
    enum otter_result result = take_bits(stream, 1, &value);

    if (result == OTTER_OK && value == 1) {
        result = take_bits(stream, 8, &value);
        *byte = (uint8_t)value;
        return result;
    }
    if (result == OTTER_OK) {
        result = take_bits(stream, state->window_bits, &value);
        state->distance = value + 1;
    }
    if (result == OTTER_OK) {
        result = take_bits(stream, state->lookahead_bits, &value);
        state->run = value + 1;
    }
    return result;
}

static enum otter_result decode(struct otter_stream *stream, uint8_t *out,
                                uint32_t capacity, uint32_t *made)
{
    struct otter_heatshrink *state = &stream->decoding->heatshrink;
    const uint8_t *window = window_of(stream);
    uint32_t mask = (1U << state->window_bits) - 1;

    while (*made < capacity) {
        uint8_t byte = 0;

        if (state->run == 0) {
            enum otter_result result = take_token(stream, &byte);

            if (result != OTTER_OK) {
                return result;
            }
        }
        if (state->run > 0) {
            byte = window[(state->head - state->distance) & mask];
            state->run--;
        }
        put_byte(stream, byte);
        out[(*made)++] = byte;
    }
    return OTTER_OK;
}

/* What fills up the last byte are zeros. */
static enum otter_result end(struct otter_stream *stream, bool *is_done)
{
    const struct otter_decoding *decoding = stream->decoding;
    const struct otter_heatshrink *state = &decoding->heatshrink;

    *is_done = true;
    return state->run == 0 && state->bit_count < 8 && state->bits == 0 &&
                   decoding->in_used == decoding->in_len &&
                   stream->stored_off == stream->source.size
               ? OTTER_OK
               : OTTER_E_CODING_LONG;
}

const struct otter_decoder otter_decoder_heatshrink = {
    .open = open,
    .decode = decode,
    .end = end,
};
