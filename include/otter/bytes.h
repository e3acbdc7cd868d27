/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of formats: numbers at named offsets, and a reader and a writer that know
 * their end. No format is ever read by casting a buffer to a struct.
 *
 * Reader and writer fail once and stay failed: later calls move nothing and give
 * zeros, so a parser may take many fields and ask `is_failed` at its end.
 */
#ifndef OTTER_BYTES_H
#define OTTER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Loads and stores: any alignment; `bytes` holds as many bytes as the name says. */
static inline uint16_t otter_load_le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | (uint32_t)bytes[1] << 8);
}

static inline uint32_t otter_load_le32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline uint64_t otter_load_le64(const uint8_t *bytes)
{
    return otter_load_le32(bytes) | (uint64_t)otter_load_le32(bytes + 4) << 32;
}

static inline uint16_t otter_load_be16(const uint8_t *bytes)
{
    return (uint16_t)((uint32_t)bytes[0] << 8 | bytes[1]);
}

static inline void otter_store_le16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void otter_store_le32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
    bytes[2] = (uint8_t)(value >> 16);
    bytes[3] = (uint8_t)(value >> 24);
}

static inline void otter_store_le64(uint8_t *bytes, uint64_t value)
{
    otter_store_le32(bytes, (uint32_t)value);
    otter_store_le32(bytes + 4, (uint32_t)(value >> 32));
}

static inline void otter_store_be16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

/* Reads from the front of `data`, which stays in use. */
struct otter_reader {
    const uint8_t *data;
    size_t size;    /* bytes of data */
    size_t off;     /* next byte to take; never above size */
    bool is_failed; /* something was taken that is not there */
};

struct otter_reader otter_reader_of(const void *data, size_t size);

/* Bytes not taken yet; 0 after a failure. */
size_t otter_reader_left(const struct otter_reader *reader);

/* True if nothing failed and everything was taken. */
bool otter_reader_is_done(const struct otter_reader *reader);

/* Takes one number; 0 if too few bytes are left. */
uint8_t otter_reader_u8(struct otter_reader *reader);
uint16_t otter_reader_le16(struct otter_reader *reader);
uint32_t otter_reader_le32(struct otter_reader *reader);
uint64_t otter_reader_le64(struct otter_reader *reader);

/* Takes `size` bytes and returns where they lie in the reader's data; NULL if too few
 * are left. */
const uint8_t *otter_reader_bytes(struct otter_reader *reader, size_t size);

/* Passes over `size` bytes. */
void otter_reader_skip(struct otter_reader *reader, size_t size);

/* Writes to the front of `data`, which stays in use. */
struct otter_writer {
    uint8_t *data;
    size_t size;    /* room in data */
    size_t off;     /* bytes written; never above size */
    bool is_failed; /* something did not fit */
};

struct otter_writer otter_writer_of(void *data, size_t size);

/* Room that is left; 0 after a failure. */
size_t otter_writer_left(const struct otter_writer *writer);

/* Puts one number, whole or not at all. */
void otter_writer_u8(struct otter_writer *writer, uint8_t value);
void otter_writer_le16(struct otter_writer *writer, uint16_t value);
void otter_writer_le32(struct otter_writer *writer, uint32_t value);
void otter_writer_le64(struct otter_writer *writer, uint64_t value);

/* Puts `size` bytes of `bytes`, or `size` times `value`; all or nothing. */
void otter_writer_bytes(struct otter_writer *writer, const void *bytes, size_t size);
void otter_writer_fill(struct otter_writer *writer, uint8_t value, size_t size);

#ifdef __cplusplus
}
#endif

#endif
