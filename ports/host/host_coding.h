/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coding members on the host: what src/codec decodes. Byte layouts: docs/SPEC.md,
 * "Codings".
 */
#ifndef OTTER_HOST_CODING_H
#define OTTER_HOST_CODING_H

#include "factory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The stored form of an image. */
struct host_coded {
    uint8_t *data; /* from malloc(); the owner frees it */
    uint32_t size;
    uint32_t memory; /* RAM that the device needs to decode it */
};

/* zlib chunks of 2^chunk_bits bytes with a window of 2^window_bits, both 9 to 15. False
 * if there is no memory; `coded` is then empty. */
bool host_code_zlib(const struct host_image *image, uint8_t chunk_bits,
                    uint8_t window_bits, struct host_coded *coded);

/* One heatshrink stream; window 4 to 15 bits, lookahead 3 to window - 1. False as
 * above. The shortest stream that longest matches allow. */
bool host_code_heatshrink(const struct host_image *image, uint8_t window_bits,
                          uint8_t lookahead_bits, struct host_coded *coded);

#ifdef __cplusplus
}
#endif

#endif
