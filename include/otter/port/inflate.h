/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inflate port: decodes streams of RFC 1950 (zlib), one after another, in memory that
 * the caller lends. ports/common/inflate_zlib.c is the supplied implementation. Needed
 * by a manager that is compiled with OTTER_ZLIB 1.
 */
#ifndef OTTER_PORT_INFLATE_H
#define OTTER_PORT_INFLATE_H

#include "otter/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one call reads and writes. It moves the pointers on and lowers the counts. */
struct otter_inflate_work {
    const uint8_t *in;
    size_t in_left;
    uint8_t *out;
    size_t out_left;
    bool is_end; /* the stream is at its end, and its checksum is right */
};

struct otter_inflate {
    void *context;

    /* Starts a stream with a window of at most 2^window_bits bytes (9 to 15). All state
     * lies in `arena`, `size` bytes aligned to 8, until the next begin: no other memory
     * is taken. 35-15 if that is too little; OTTER_INFLATE_MEMORY and the window are
     * always enough. */
    enum otter_result (*begin)(void *context, void *arena, size_t size,
                               uint8_t window_bits);

    /* Decodes until the input is used up, the output is full or the stream ends. Called
     * with any piece of input, also of one byte, and any room, also none. 35-14 if the
     * stream is malformed; the arena is then good for begin only. */
    enum otter_result (*run)(void *context, void *arena,
                             struct otter_inflate_work *work);
};

enum { OTTER_INFLATE_MEMORY = 7680 };

#endif
