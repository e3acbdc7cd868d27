/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded reader and writer of otter/bytes.h. Every move passes through one
 * function each, which holds the only comparison with the end.
 */
#include "otter/bytes.h"

#include <string.h>

struct otter_reader otter_reader_of(const void *data, size_t size)
{
    static const uint8_t nothing[1]; /* no arithmetic on NULL, even of 0 bytes */
    return (struct otter_reader){.data = data == NULL ? nothing : data, .size = size};
}

size_t otter_reader_left(const struct otter_reader *reader)
{
    return reader->is_failed ? 0 : reader->size - reader->off;
}

bool otter_reader_is_done(const struct otter_reader *reader)
{
    return !reader->is_failed && reader->off == reader->size;
}

const uint8_t *otter_reader_bytes(struct otter_reader *reader, size_t size)
{
    if (reader->is_failed || size > reader->size - reader->off) {
        reader->is_failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->data + reader->off;
    reader->off += size;
    return bytes;
}

void otter_reader_skip(struct otter_reader *reader, size_t size)
{
    (void)otter_reader_bytes(reader, size);
}

uint8_t otter_reader_u8(struct otter_reader *reader)
{
    const uint8_t *bytes = otter_reader_bytes(reader, 1);
    return bytes == NULL ? 0 : bytes[0];
}

uint16_t otter_reader_le16(struct otter_reader *reader)
{
    const uint8_t *bytes = otter_reader_bytes(reader, 2);
    return bytes == NULL ? 0 : otter_load_le16(bytes);
}

uint32_t otter_reader_le32(struct otter_reader *reader)
{
    const uint8_t *bytes = otter_reader_bytes(reader, 4);
    return bytes == NULL ? 0 : otter_load_le32(bytes);
}

uint64_t otter_reader_le64(struct otter_reader *reader)
{
    const uint8_t *bytes = otter_reader_bytes(reader, 8);
    return bytes == NULL ? 0 : otter_load_le64(bytes);
}

struct otter_writer otter_writer_of(void *data, size_t size)
{
    return (struct otter_writer){.data = data, .size = size};
}

size_t otter_writer_left(const struct otter_writer *writer)
{
    return writer->is_failed ? 0 : writer->size - writer->off;
}

/* Room for `size` more bytes. NULL if there is none, and failed; NULL for 0 bytes. */
static uint8_t *room(struct otter_writer *writer, size_t size)
{
    if (writer->is_failed || size > writer->size - writer->off) {
        writer->is_failed = true;
        return NULL;
    }
    if (size == 0) {
        return NULL;
    }
    uint8_t *bytes = writer->data + writer->off;
    writer->off += size;
    return bytes;
}

void otter_writer_u8(struct otter_writer *writer, uint8_t value)
{
    otter_writer_bytes(writer, &value, 1);
}

void otter_writer_le16(struct otter_writer *writer, uint16_t value)
{
    uint8_t bytes[2];
    otter_store_le16(bytes, value);
    otter_writer_bytes(writer, bytes, sizeof(bytes));
}

void otter_writer_le32(struct otter_writer *writer, uint32_t value)
{
    uint8_t bytes[4];
    otter_store_le32(bytes, value);
    otter_writer_bytes(writer, bytes, sizeof(bytes));
}

void otter_writer_le64(struct otter_writer *writer, uint64_t value)
{
    uint8_t bytes[8];
    otter_store_le64(bytes, value);
    otter_writer_bytes(writer, bytes, sizeof(bytes));
}

void otter_writer_bytes(struct otter_writer *writer, const void *bytes, size_t size)
{
    uint8_t *to = room(writer, size);
    if (to != NULL) {
        memcpy(to, bytes, size);
    }
}

void otter_writer_fill(struct otter_writer *writer, uint8_t value, size_t size)
{
    uint8_t *to = room(writer, size);
    if (to != NULL) {
        memset(to, value, size);
    }
}
