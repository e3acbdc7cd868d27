/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kept vectors of tests/vectors, and sources over bytes that count and fail.
 */
#ifndef OTTER_TEST_VECTORS_H
#define OTTER_TEST_VECTORS_H

#include "otter/source.h"

#include <stddef.h>
#include <stdint.h>

enum { VECTOR_MAX = 4096 };

struct vector {
    uint8_t data[VECTOR_MAX];
    size_t size;
};

/* Loads tests/vectors/NAME; aborts if it is not there or too large. */
void vector_load(const char *name, struct vector *vector);

/* A run of bytes that can be watched: how often each byte was read, and after how many
 * reads reading fails with 26-10 (0: never). */
struct watched {
    struct watched *self; /* a source's context is const, its counts are not */
    const uint8_t *data;
    uint32_t size;
    unsigned fail_at;
    unsigned reads;
    unsigned longest;             /* bytes of the longest read */
    uint8_t seen[VECTOR_MAX + 1]; /* reads of each byte */
};

/* Aborts on a read outside the bytes. `watched` stays in use. */
struct otter_source watched_source(struct watched *watched);

/* Fills `watched` for these bytes. */
void watched_init(struct watched *watched, const uint8_t *data, size_t size);

#endif
