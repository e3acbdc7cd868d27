/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key store of a virtual device as a file of its own: docs/SPEC.md, "Key store". It
 * stands for the memory that only a chip's crypto port can read, so nothing else of a
 * device holds what it holds.
 */
#ifndef OTTER_HOST_KEYS_H
#define OTTER_HOST_KEYS_H

#include "crypto_bearssl_keys.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    HOST_KEYS_MAX = 8,
    HOST_KEY_ENTRY = 44,
    HOST_KEYS_SIZE_MAX = 8 + HOST_KEYS_MAX * HOST_KEY_ENTRY + 4,
};

/* Keys in memory. Must not move while a store points into it. */
struct host_keys {
    struct otter_device_key keys[HOST_KEYS_MAX];
    struct otter_key_store store; /* of them */
};

/* Adds a key; false if there is no room. */
bool host_keys_add(struct host_keys *keys, const struct otter_device_key *key);

/* Writes the file's bytes; answers how many. */
size_t host_keys_encode(const struct otter_key_store *store,
                        uint8_t out[HOST_KEYS_SIZE_MAX]);

/* Reads them; false if they are no key store of this version, or damaged. */
bool host_keys_decode(const uint8_t *bytes, size_t size, struct host_keys *keys);

#ifdef __cplusplus
}
#endif

#endif
