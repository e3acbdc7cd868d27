/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32 of IEEE 802.3 (reflected, polynomial 0x04C11DB7), as zlib computes it.
 */
#ifndef OTTER_CRC32_H
#define OTTER_CRC32_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The CRC-32 of `size` bytes after those that gave `crc`; start with 0. */
uint32_t otter_crc32(uint32_t crc, const void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
