/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts as bytes and places: docs/SPEC.md, "Receipts". The head is programmed after
 * the control packet was verified, so a head that is right vouches for a copy that was
 * finished; whom to trust is the signature's matter.
 */
#include "otter/receipt.h"

#include "otter/bytes.h"
#include "otter/crc32.h"

#include <string.h>

enum {
    HEAD_MAGIC = 0x4352544F, /* "OTRC" */
    HASH_MAGIC = 0x4852544F, /* "OTRH" */
    RECEIPT_VERSION = 1,

    HEAD_OFF_MAGIC = 0,
    HEAD_OFF_VERSION = 4,
    HEAD_OFF_LENGTH = 6,
    HEAD_OFF_CONTROL_CRC = 8,
    HEAD_OFF_RESERVED = 12,
    HEAD_OFF_CRC = 28,

    HASH_OFF_MAGIC = 0,
    HASH_OFF_HASH = 4,
    HASH_OFF_RESERVED = 36,
    HASH_OFF_CRC = 60,
};

enum otter_result otter_receipt_place(const struct otter_io *io, uint8_t slot,
                                      uint8_t copy, uint32_t *off, uint32_t *size)
{
    const struct otter_region *region = otter_map_find(io->map, OTTER_REGION_RECEIPTS);

    if (region == NULL || slot > 1 || copy >= OTTER_RECEIPT_COPIES) {
        return OTTER_E_MAP_MISSING;
    }
    uint32_t index = (uint32_t)slot * OTTER_RECEIPT_COPIES + copy;
    uint32_t bounds[2] = {
        0, 0}; /* the quarter's begin and end, each rounded down to a sector */

    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = region->size / 4 * (index + i);
        struct otter_sector sector;

        if (index + i == 4) {
            bounds[i] = region->size;
            break;
        }
        if (otter_io_sector(io, OTTER_REGION_RECEIPTS, at, &sector) != OTTER_OK) {
            return OTTER_E_MAP_MISSING;
        }
        bounds[i] = sector.off;
    }
    if (bounds[1] - bounds[0] < OTTER_RECEIPT_SIZE) {
        return OTTER_E_MAP_MISSING;
    }
    *off = bounds[0];
    *size = bounds[1] - bounds[0];
    return OTTER_OK;
}

void otter_receipt_head(uint16_t control_length, uint32_t control_crc,
                        uint8_t head[OTTER_RECEIPT_HEAD_SIZE])
{
    memset(head, 0, OTTER_RECEIPT_HEAD_SIZE);
    otter_store_le32(head + HEAD_OFF_MAGIC, HEAD_MAGIC);
    otter_store_le16(head + HEAD_OFF_VERSION, RECEIPT_VERSION);
    otter_store_le16(head + HEAD_OFF_LENGTH, control_length);
    otter_store_le32(head + HEAD_OFF_CONTROL_CRC, control_crc);
    otter_store_le32(head + HEAD_OFF_CRC, otter_crc32(0, head, HEAD_OFF_CRC));
}

void otter_receipt_hash_unit(const uint8_t hash[OTTER_SHA256_SIZE],
                             uint8_t unit[OTTER_RECEIPT_HASH_SIZE])
{
    memset(unit, 0, OTTER_RECEIPT_HASH_SIZE);
    otter_store_le32(unit + HASH_OFF_MAGIC, HASH_MAGIC);
    memcpy(unit + HASH_OFF_HASH, hash, OTTER_SHA256_SIZE);
    otter_store_le32(unit + HASH_OFF_CRC, otter_crc32(0, unit, HASH_OFF_CRC));
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool is_head(const uint8_t head[OTTER_RECEIPT_HEAD_SIZE])
{
    uint16_t length = otter_load_le16(head + HEAD_OFF_LENGTH);

    return otter_load_le32(head + HEAD_OFF_MAGIC) == HEAD_MAGIC &&
           otter_load_le16(head + HEAD_OFF_VERSION) == RECEIPT_VERSION &&
           length >= OTTER_CONTROL_HEAD_SIZE && length <= OTTER_CONTROL_MAX &&
           is_zero(head + HEAD_OFF_RESERVED, HEAD_OFF_CRC - HEAD_OFF_RESERVED) &&
           otter_load_le32(head + HEAD_OFF_CRC) == otter_crc32(0, head, HEAD_OFF_CRC);
}

static bool control_matches(const struct otter_receipt *receipt, uint32_t wanted)
{
    uint8_t part[64];
    uint32_t crc = 0;

    for (uint32_t off = 0; off < receipt->length; off += sizeof(part)) {
        size_t len =
            receipt->length - off < sizeof(part) ? receipt->length - off : sizeof(part);

        if (otter_io_read(receipt->span.io, receipt->span.region,
                          receipt->span.off + off, part, len) != OTTER_OK) {
            return false;
        }
        crc = otter_crc32(crc, part, len);
    }
    return crc == wanted;
}

/* The package hash stands in a unit of its own: known only at the transfer's end. */
static void read_hash(struct otter_receipt *receipt, uint32_t off)
{
    uint8_t unit[OTTER_RECEIPT_HASH_SIZE];

    receipt->has_hash =
        otter_io_read(receipt->span.io, OTTER_REGION_RECEIPTS, off, unit,
                      sizeof(unit)) == OTTER_OK &&
        otter_load_le32(unit + HASH_OFF_MAGIC) == HASH_MAGIC &&
        is_zero(unit + HASH_OFF_RESERVED, HASH_OFF_CRC - HASH_OFF_RESERVED) &&
        otter_load_le32(unit + HASH_OFF_CRC) == otter_crc32(0, unit, HASH_OFF_CRC);
    if (receipt->has_hash) {
        memcpy(receipt->hash, unit + HASH_OFF_HASH, OTTER_SHA256_SIZE);
    }
}

enum otter_result otter_receipt_open(const struct otter_io *io, uint8_t slot,
                                     uint8_t copy, struct otter_receipt *receipt)
{
    uint8_t head[OTTER_RECEIPT_HEAD_SIZE];
    uint32_t off;
    uint32_t size;
    enum otter_result result = otter_receipt_place(io, slot, copy, &off, &size);

    if (result != OTTER_OK) {
        return result;
    }
    if (otter_io_read(io, OTTER_REGION_RECEIPTS, off, head, sizeof(head)) != OTTER_OK ||
        !is_head(head)) {
        return OTTER_E_RECEIPT_COPY;
    }
    memset(receipt, 0, sizeof(*receipt));
    receipt->length = otter_load_le16(head + HEAD_OFF_LENGTH);
    receipt->span = (struct otter_span){.io = io,
                                        .region = OTTER_REGION_RECEIPTS,
                                        .off = off + OTTER_RECEIPT_HEAD_SIZE};
    if (!control_matches(receipt, otter_load_le32(head + HEAD_OFF_CONTROL_CRC))) {
        return OTTER_E_RECEIPT_COPY;
    }
    read_hash(receipt, off + OTTER_RECEIPT_HASH_OFF);
    return OTTER_OK;
}
