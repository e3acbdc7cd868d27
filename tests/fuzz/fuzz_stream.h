/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream over the fuzzer's bytes: opened, read in pieces, read again from another
 * offset. Ends the program if it goes on without end, reads outside the bytes, gives
 * more than was asked for, or gives other bytes the second time.
 */
#ifndef OTTER_FUZZ_STREAM_H
#define OTTER_FUZZ_STREAM_H

#include "fuzz_source.h"
#include "inflate_zlib.h"
#include "otter/bytes.h"
#include "otter/stream.h"

enum { FUZZ_SIZE_MAX = 8192, FUZZ_ARENA = 40960, FUZZ_HEAD = 4 };

static inline void fuzz_need(int is_true)
{
    if (!is_true) {
        abort();
    }
}

/* Reads from `off` to the end; answers how far it came. */
static inline uint32_t fuzz_read_on(struct otter_stream *stream, uint32_t off,
                                    uint32_t piece, uint8_t *out)
{
    uint32_t steps = 0;

    otter_stream_seek(stream, off);
    while (off < stream->size) {
        uint32_t left = stream->size - off;
        uint32_t wanted = left < piece ? left : piece;
        uint32_t got = 0;

        fuzz_need(steps++ < 100000);
        if (otter_stream_read(stream, out + off, wanted, &got) != OTTER_OK) {
            break;
        }
        fuzz_need(got <= wanted && got <= OTTER_STEP_BYTES);
        off += got;
    }
    return off;
}

/* The first bytes: installed size, size of the pieces, offset of the second reading. */
static inline void fuzz_stream(uint8_t coding, const uint8_t *data, size_t size)
{
    static uint64_t arena[FUZZ_ARENA / 8];
    static uint8_t first[FUZZ_SIZE_MAX];
    static uint8_t second[FUZZ_SIZE_MAX];
    struct otter_decoding decoding = {
        .inflate = &otter_inflate_zlib, .arena = arena, .arena_size = sizeof(arena)};
    struct otter_member member = {.coding = coding, .memory = sizeof(arena)};
    struct otter_stream stream;
    struct fuzz_bytes bytes;

    if (size < FUZZ_HEAD) {
        return;
    }
    uint32_t piece = 1U + data[2];
    const struct otter_source source =
        fuzz_source(&bytes, data + FUZZ_HEAD, size - FUZZ_HEAD);

    member.installed_size = 1U + otter_load_le16(data) % FUZZ_SIZE_MAX;
    uint32_t off = data[3] * member.installed_size / 256;

    if (otter_stream_open(&stream, &source, &member, &decoding) != OTTER_OK) {
        return;
    }
    uint32_t end = fuzz_read_on(&stream, 0, piece, first);
    bool is_done = false;

    if (end == member.installed_size) {
        while (!is_done && otter_stream_end(&stream, &is_done) == OTTER_OK) {
        }
    }
    if (end <= off ||
        otter_stream_open(&stream, &source, &member, &decoding) != OTTER_OK) {
        return;
    }
    uint32_t again = fuzz_read_on(&stream, off, OTTER_STEP_BYTES, second);

    if (end == member.installed_size) {
        fuzz_need(again == end);
        fuzz_need(memcmp(first + off, second + off, end - off) == 0);
    }
}

#endif
