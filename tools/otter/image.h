/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: bytes at device addresses, read from .bin, Intel HEX or ELF files, cut and
 * moved as the command line says, and laid out flat.
 *
 * Facts: Intel Hexadecimal Object File Format Specification, revision A (1988); the
 * ELF specification's program headers (PT_LOAD at p_paddr).
 */
#ifndef OTTER_TOOL_IMAGE_H
#define OTTER_TOOL_IMAGE_H

#include "files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IMAGE_MESSAGE_SIZE = 256,
    IMAGE_FLAT_MAX = 16 * 1024 * 1024, /* more than the flash of any device here */
    IMAGE_FILLER = 0xFF,               /* between segments */
};

/* Addresses from `first` to `last`, both included. */
struct image_range {
    uint32_t first;
    uint32_t last;
};

struct image_segment {
    uint32_t addr;
    uint32_t size; /* above 0; addr + size is at most 2^32 */
    uint8_t *data;
};

/* Segments by ascending address; they neither touch nor overlap. */
struct image {
    struct image_segment *segments;
    size_t count;
    bool has_addr;                    /* false: a .bin, which begins at address 0 */
    char message[IMAGE_MESSAGE_SIZE]; /* why the last call returned false */
};

/* Each returns false with a message when it cannot; the image is then empty. */
bool image_parse_bin(const uint8_t *data, size_t size, struct image *image);
bool image_parse_hex(const uint8_t *data, size_t size, struct image *image);
bool image_parse_elf(const uint8_t *data, size_t size, struct image *image);

/* By content: ELF magic; Intel HEX if the name ends in .hex or .ihex; else .bin. */
bool image_parse(const char *name, const uint8_t *data, size_t size,
                 struct image *image);

/* Reads a file; prints what is wrong and returns the tool's exit status. */
int image_read(const char *path, struct image *image);

void image_free(struct image *image);

/* Lowest and highest address used. The image has a segment. */
struct image_range image_span(const struct image *image);

/* Keeps only what lies in the range; false if nothing does. */
bool image_only(struct image *image, struct image_range range);

/* Moves the lowest address to `addr`; false if it does not fit below 2^32. */
bool image_rebase(struct image *image, uint32_t addr);

/* The first run of bytes that lies outside the range; false if there is none. */
bool image_outside(const struct image *image, struct image_range range,
                   struct image_range *hit);

/* One run of bytes from the lowest to the highest address, gaps filled; false if that
 * is more than IMAGE_FLAT_MAX. */
bool image_flatten(struct image *image, struct bytes *flat);

/* "ADDR-ADDR" (both included) or "ADDR+SIZE"; false for anything else. */
bool image_parse_range(const char *text, struct image_range *range);

#endif
