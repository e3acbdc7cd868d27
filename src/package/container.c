/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The .otter file: docs/SPEC.md, "Package file". The MCUboot image format's facts
 * (magic numbers, field order, TLV area) are public; otter uses the plainest form of
 * it, so that every client that sends MCUboot images can send a package.
 */
#include "otter/container.h"

#include "otter/bytes.h"

#include <string.h>

enum {
    HEADER_MAGIC = 0,
    HEADER_LOAD_ADDR = 4,
    HEADER_SIZE = 8,
    HEADER_PROTECTED_SIZE = 10,
    HEADER_PAYLOAD_SIZE = 12,
    HEADER_FLAGS = 16,
    HEADER_VERSION = 20,
    HEADER_RESERVED = 28,

    TRAILER_MAGIC = 0,
    TRAILER_SIZE = 2,
    TRAILER_TYPE = 4,
    TRAILER_LENGTH = 6,
    TRAILER_HASH = 8,
    TYPE_SHA256 = 0x10,

    PART = 256,
};

static const uint32_t image_magic = 0x96F3B83DU;
static const uint16_t trailer_magic = 0x6907U;

enum otter_result otter_image_header_parse(const uint8_t bytes[OTTER_IMAGE_HEADER_SIZE],
                                           struct otter_image_header *header)
{
    if (otter_load_le32(bytes + HEADER_MAGIC) != image_magic) {
        return OTTER_E_PACKAGE_MAGIC;
    }
    if (otter_load_le32(bytes + HEADER_LOAD_ADDR) != 0 ||
        otter_load_le16(bytes + HEADER_SIZE) != OTTER_IMAGE_HEADER_SIZE ||
        otter_load_le16(bytes + HEADER_PROTECTED_SIZE) != 0 ||
        otter_load_le32(bytes + HEADER_FLAGS) != 0 ||
        otter_load_le32(bytes + HEADER_RESERVED) != 0) {
        return OTTER_E_PACKAGE_HEADER;
    }
    header->payload_size = otter_load_le32(bytes + HEADER_PAYLOAD_SIZE);
    header->version.major = bytes[HEADER_VERSION];
    header->version.minor = bytes[HEADER_VERSION + 1];
    header->version.revision = otter_load_le16(bytes + HEADER_VERSION + 2);
    header->version.build = otter_load_le32(bytes + HEADER_VERSION + 4);
    return OTTER_OK;
}

enum otter_result otter_trailer_parse(const uint8_t bytes[OTTER_TRAILER_SIZE],
                                      uint8_t hash[OTTER_SHA256_SIZE])
{
    if (otter_load_le16(bytes + TRAILER_MAGIC) != trailer_magic ||
        otter_load_le16(bytes + TRAILER_SIZE) != OTTER_TRAILER_SIZE ||
        otter_load_le16(bytes + TRAILER_TYPE) != TYPE_SHA256 ||
        otter_load_le16(bytes + TRAILER_LENGTH) != OTTER_SHA256_SIZE) {
        return OTTER_E_PACKAGE_TRAILER;
    }
    memcpy(hash, bytes + TRAILER_HASH, OTTER_SHA256_SIZE);
    return OTTER_OK;
}

/* A source that begins `base` bytes into another one. */
struct shifted {
    const struct otter_source *source;
    uint32_t base;
};

static enum otter_result shifted_read(const void *context, uint32_t off, void *data,
                                      size_t len)
{
    const struct shifted *shifted = context;

    return shifted->source->read(shifted->source->context, shifted->base + off, data,
                                 len);
}

static enum otter_result hash_span(const struct otter_source *source, uint32_t off,
                                   uint32_t end, const struct otter_crypto *crypto,
                                   uint8_t digest[OTTER_SHA256_SIZE])
{
    struct otter_sha256 sha;
    uint8_t part[PART];

    crypto->sha256_init(crypto->context, &sha);
    while (off < end) {
        size_t len = end - off < sizeof(part) ? end - off : sizeof(part);
        enum otter_result result = source->read(source->context, off, part, len);

        if (result != OTTER_OK) {
            return result;
        }
        crypto->sha256_update(crypto->context, &sha, part, len);
        off += (uint32_t)len;
    }
    crypto->sha256_final(crypto->context, &sha, digest);
    return OTTER_OK;
}

static enum otter_result check_header(const struct otter_source *source,
                                      uint8_t bytes[OTTER_IMAGE_HEADER_SIZE])
{
    struct otter_image_header header;

    if (source->size < OTTER_IMAGE_HEADER_SIZE) {
        return OTTER_E_PACKAGE_TRUNCATED;
    }
    enum otter_result result =
        source->read(source->context, 0, bytes, OTTER_IMAGE_HEADER_SIZE);

    return result == OTTER_OK ? otter_image_header_parse(bytes, &header) : result;
}

/* A file that ends inside its control packet is a truncated file, not a malformed one.
 */
static enum otter_result check_room(const struct otter_source *inner)
{
    uint8_t head[8];
    uint16_t length = 0;

    if (inner->size < OTTER_CONTROL_HEAD_SIZE) {
        return OTTER_E_PACKAGE_TRUNCATED;
    }
    enum otter_result result = inner->read(inner->context, 0, head, sizeof(head));

    if (result == OTTER_OK) {
        result = otter_control_length(head, &length);
    }
    return result == OTTER_OK && length > inner->size ? OTTER_E_PACKAGE_TRUNCATED
                                                      : result;
}

/* Opens the control packet behind the header and checks that it fits the file. */
static enum otter_result check_control(const struct otter_source *source,
                                       const struct otter_source *inner,
                                       struct otter_control *control)
{
    uint8_t bytes[OTTER_IMAGE_HEADER_SIZE];
    uint32_t end = 0;
    enum otter_result result = check_header(source, bytes);

    if (result == OTTER_OK) {
        result = check_room(inner);
    }
    if (result == OTTER_OK) {
        result = otter_control_open(inner, control);
    }
    if (result == OTTER_OK &&
        memcmp(bytes, control->image_header, OTTER_IMAGE_HEADER_SIZE) != 0) {
        result = OTTER_E_CONTROL_HEADER;
    }
    if (result == OTTER_OK) {
        result = otter_control_member_off(inner, control, control->member_count, &end);
    }
    if (result != OTTER_OK) {
        return result;
    }
    if (source->size < control->file_length) {
        return OTTER_E_PACKAGE_TRUNCATED;
    }
    return source->size == control->file_length &&
                   end == control->file_length - OTTER_TRAILER_SIZE
               ? OTTER_OK
               : OTTER_E_PACKAGE_LENGTH;
}

static enum otter_result check_members(const struct otter_source *source,
                                       const struct otter_source *inner,
                                       const struct otter_control *control,
                                       const struct otter_crypto *crypto,
                                       uint8_t *index)
{
    struct otter_member member;
    uint8_t digest[OTTER_SHA256_SIZE];
    uint32_t off = 0;

    for (*index = 0; *index < control->member_count; (*index)++) {
        enum otter_result result =
            otter_control_member(inner, control, *index, &member);

        if (result == OTTER_OK) {
            result = otter_control_member_off(inner, control, *index, &off);
        }
        if (result == OTTER_OK) {
            result = hash_span(source, off, off + member.stored_size, crypto, digest);
        }
        if (result != OTTER_OK) {
            return result;
        }
        if (member.stored_size > 0 &&
            memcmp(digest, member.stored_sha, sizeof(digest)) != 0) {
            return OTTER_E_MEMBER_HASH;
        }
    }
    return OTTER_OK;
}

static enum otter_result check_trailer(const struct otter_source *source,
                                       const struct otter_crypto *crypto,
                                       uint8_t hash[OTTER_SHA256_SIZE])
{
    uint32_t end = source->size - OTTER_TRAILER_SIZE;
    uint8_t trailer[OTTER_TRAILER_SIZE];
    uint8_t digest[OTTER_SHA256_SIZE];
    enum otter_result result =
        source->read(source->context, end, trailer, sizeof(trailer));

    if (result == OTTER_OK) {
        result = otter_trailer_parse(trailer, hash);
    }
    if (result == OTTER_OK) {
        result = hash_span(source, 0, end, crypto, digest);
    }
    if (result == OTTER_OK && memcmp(digest, hash, sizeof(digest)) != 0) {
        result = OTTER_E_PACKAGE_HASH;
    }
    return result;
}

enum otter_result otter_container_check(const struct otter_source *source,
                                        const struct otter_crypto *crypto,
                                        struct otter_control *control,
                                        uint8_t hash[OTTER_SHA256_SIZE],
                                        uint8_t *member_index)
{
    const struct shifted shifted = {.source = source, .base = OTTER_IMAGE_HEADER_SIZE};
    const struct otter_source inner = {
        .context = &shifted,
        .size = source->size < OTTER_IMAGE_HEADER_SIZE
                    ? 0
                    : source->size - OTTER_IMAGE_HEADER_SIZE,
        .read = shifted_read,
    };
    uint8_t index = 0;
    enum otter_result result = check_control(source, &inner, control);

    if (result == OTTER_OK) {
        result = check_members(source, &inner, control, crypto, &index);
    }
    if (member_index != NULL) {
        *member_index = index;
    }
    return result == OTTER_OK ? check_trailer(source, crypto, hash) : result;
}
