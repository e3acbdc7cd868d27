/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key store's file: docs/SPEC.md, "Key store".
 */
#include "host_keys.h"

#include "otter/bytes.h"
#include "otter/crc32.h"

#include <string.h>

enum {
    KEYS_MAGIC = 0x534B544F, /* "OTKS" */
    KEYS_VERSION = 1,
    HEAD_SIZE = 8,
    CRC_SIZE = 4,
    FLAG_REVOKED = 1,
    RESERVED_SIZE = 2,
};

bool host_keys_add(struct host_keys *keys, const struct otter_device_key *key)
{
    if (keys->store.count == HOST_KEYS_MAX) {
        return false;
    }
    keys->keys[keys->store.count++] = *key;
    keys->store.keys = keys->keys;
    return true;
}

size_t host_keys_encode(const struct otter_key_store *store,
                        uint8_t out[HOST_KEYS_SIZE_MAX])
{
    struct otter_writer writer = otter_writer_of(out, HOST_KEYS_SIZE_MAX);

    otter_writer_le32(&writer, KEYS_MAGIC);
    otter_writer_le16(&writer, KEYS_VERSION);
    otter_writer_le16(&writer, (uint16_t)store->count);
    for (size_t i = 0; i < store->count; i++) {
        const struct otter_device_key *key = &store->keys[i];

        otter_writer_u8(&writer, key->kind);
        otter_writer_u8(&writer, key->is_revoked ? FLAG_REVOKED : 0);
        otter_writer_fill(&writer, 0, RESERVED_SIZE);
        otter_writer_bytes(&writer, key->id, sizeof(key->id));
        otter_writer_bytes(&writer, key->secret, sizeof(key->secret));
    }
    otter_writer_le32(&writer, otter_crc32(0, out, writer.off));
    return writer.is_failed ? 0 : writer.off;
}

static bool decode_key(const uint8_t *entry, struct otter_device_key *key)
{
    key->kind = entry[0];
    key->is_revoked = (entry[1] & FLAG_REVOKED) != 0;
    memcpy(key->id, entry + 4, sizeof(key->id));
    memcpy(key->secret, entry + 4 + sizeof(key->id), sizeof(key->secret));
    return key->kind >= OTTER_DEVICE_KEY_P256 &&
           key->kind <= OTTER_DEVICE_KEY_STORAGE && (entry[1] & ~FLAG_REVOKED) == 0 &&
           entry[2] == 0 && entry[3] == 0;
}

bool host_keys_decode(const uint8_t *bytes, size_t size, struct host_keys *keys)
{
    memset(keys, 0, sizeof(*keys));
    if (size < HEAD_SIZE + CRC_SIZE || otter_load_le32(bytes) != KEYS_MAGIC ||
        otter_load_le16(bytes + 4) != KEYS_VERSION) {
        return false;
    }
    size_t count = otter_load_le16(bytes + 6);

    if (count > HOST_KEYS_MAX ||
        size != HEAD_SIZE + count * HOST_KEY_ENTRY + CRC_SIZE ||
        otter_crc32(0, bytes, size - CRC_SIZE) !=
            otter_load_le32(bytes + size - CRC_SIZE)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct otter_device_key key;

        if (!decode_key(bytes + HEAD_SIZE + i * HOST_KEY_ENTRY, &key) ||
            !host_keys_add(keys, &key)) {
            return false;
        }
    }
    keys->store.keys = keys->keys;
    return true;
}
