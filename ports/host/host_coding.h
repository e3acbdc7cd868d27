/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coding members on the host, and decoding them with the device's own code. Byte
 * layouts: docs/SPEC.md, "Codings".
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

/* One heatshrink stream with a window of 4 to 15 bits; the lookahead is the one that
 * makes it shortest. False as above. */
bool host_code_heatshrink(const struct host_image *image, uint8_t window_bits,
                          struct host_coded *coded);

/* Decodes all of `member`, raw or coded, whose stored bytes are `source`, to `out`,
 * which has room for its installed size, or to nowhere if that is NULL. The codes of
 * otter_stream_open() and otter_stream_read(); 35-10 also where more than 64 KiB of
 * memory are declared, 35-16 if the content is not what the member's hash names. */
OTTER_MUST_CHECK enum otter_result host_decode(const struct otter_source *source,
                                               const struct otter_member *member,
                                               uint8_t *out);

#ifdef __cplusplus
}
#endif

#endif
