/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the canonical form and the closure hash: keys of 64 bits in tables of the
 * harness, fast, and against accidents only.
 */
#ifndef OTTER_TEST_CANON_HASH_H
#define OTTER_TEST_CANON_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A key made of a key and one more value; the order counts. Two that are equal do not
 * give 0, which stands for nothing. */
static inline uint64_t canon_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ (value + 0x632BE59BD9B4E019U)) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 29;
}

static inline uint64_t canon_mix_bytes(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t off = 0;

    for (; size - off >= 8; off += 8) {
        uint64_t part;

        memcpy(&part, bytes + off, sizeof(part));
        hash = canon_mix(hash, part);
    }
    for (; off < size; off++) {
        hash = canon_mix(hash, bytes[off]);
    }
    return hash;
}

#endif
