/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointer files on the card, as values. Byte layout: docs/SPEC.md, "Card".
 */
#include "otter/bytes.h"
#include "otter/card.h"
#include "otter/crc32.h"

#include <string.h>

enum { POINTER_VERSION = 1, CRC_OFF = OTTER_POINTER_SIZE - 4 };

static const uint8_t magic[4] = {'O', 'T', 'T', 'P'};

void otter_pointer_encode(const struct otter_pointer *pointer,
                          uint8_t bytes[OTTER_POINTER_SIZE])
{
    struct otter_writer writer = otter_writer_of(bytes, OTTER_POINTER_SIZE);
    size_t len = otter_path_length(pointer->path);

    otter_writer_bytes(&writer, magic, sizeof(magic));
    otter_writer_le16(&writer, POINTER_VERSION);
    otter_writer_le16(&writer, (uint16_t)len);
    otter_writer_le32(&writer, pointer->sequence);
    otter_writer_le32(&writer, pointer->file_length);
    otter_writer_bytes(&writer, pointer->package_id, sizeof(pointer->package_id));
    otter_writer_bytes(&writer, pointer->hash, sizeof(pointer->hash));
    otter_writer_bytes(&writer, pointer->path, len);
    otter_writer_fill(&writer, 0, OTTER_PATH_SIZE - len);
    otter_writer_le32(&writer, otter_crc32(0, bytes, CRC_OFF));
}

bool otter_pointer_decode(const uint8_t bytes[OTTER_POINTER_SIZE],
                          struct otter_pointer *pointer)
{
    struct otter_reader reader = otter_reader_of(bytes, OTTER_POINTER_SIZE);

    if (memcmp(otter_reader_bytes(&reader, sizeof(magic)), magic, sizeof(magic)) != 0 ||
        otter_reader_le16(&reader) != POINTER_VERSION ||
        otter_load_le32(bytes + CRC_OFF) != otter_crc32(0, bytes, CRC_OFF)) {
        return false;
    }
    uint16_t len = otter_reader_le16(&reader);

    pointer->sequence = otter_reader_le32(&reader);
    pointer->file_length = otter_reader_le32(&reader);
    memcpy(pointer->package_id,
           otter_reader_bytes(&reader, sizeof(pointer->package_id)),
           sizeof(pointer->package_id));
    memcpy(pointer->hash, otter_reader_bytes(&reader, sizeof(pointer->hash)),
           sizeof(pointer->hash));
    memcpy(pointer->path, otter_reader_bytes(&reader, OTTER_PATH_SIZE),
           OTTER_PATH_SIZE);
    for (size_t i = len; i < (size_t)OTTER_PATH_SIZE; i++) {
        if (pointer->path[i] != '\0') {
            return false;
        }
    }
    return otter_path_length(pointer->path) == len && otter_path_is_good(pointer->path);
}
