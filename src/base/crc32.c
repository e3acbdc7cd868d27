/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32 by half bytes: 64 bytes of table instead of 1 KiB, for small boot programs.
 */
#include "otter/crc32.h"

/* Entry i is the remainder of the four bits i; 0xEDB88320 is the reflected
 * polynomial. */
static const uint32_t remainders[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
    0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
    0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t otter_crc32(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t rest = ~crc;
    for (size_t i = 0; i < size; i++) {
        rest ^= bytes[i];
        rest = rest >> 4 ^ remainders[rest & 0x0F];
        rest = rest >> 4 ^ remainders[rest & 0x0F];
    }
    return ~rest;
}
