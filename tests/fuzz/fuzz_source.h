/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source over the fuzzer's bytes that ends the program on a read outside them.
 */
#ifndef OTTER_FUZZ_SOURCE_H
#define OTTER_FUZZ_SOURCE_H

#include "otter/source.h"

#include <stdlib.h>
#include <string.h>

struct fuzz_bytes {
    const uint8_t *data;
    size_t size;
};

static inline enum otter_result fuzz_read(const void *context, uint32_t off, void *data,
                                          size_t len)
{
    const struct fuzz_bytes *bytes = context;

    if (off > bytes->size || len > bytes->size - off) {
        abort();
    }
    memcpy(data, bytes->data + off, len);
    return OTTER_OK;
}

/* `bytes` is filled and stays in use. */
static inline struct otter_source fuzz_source(struct fuzz_bytes *bytes,
                                              const uint8_t *data, size_t size)
{
    static const uint8_t nothing;

    *bytes = (struct fuzz_bytes){size == 0 ? &nothing : data, size};
    return (struct otter_source){
        .context = bytes, .size = (uint32_t)size, .read = fuzz_read};
}

#endif
