/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crypto port on BearSSL with the device's own keys: otter_crypto_bearssl, and
 * what encrypted packages need (K26): AES-128 in counter mode, unwrapping a content
 * key, keys for what lies outside the processor's flash.
 *
 * Where the keys are kept is the product's own business (flash that is locked against
 * reading, one-time programmable memory, fuses): it hands over a struct otter_key_store
 * that stays in use. Nothing here copies a secret anywhere but to the stack.
 */
#ifndef OTTER_CRYPTO_BEARSSL_KEYS_H
#define OTTER_CRYPTO_BEARSSL_KEYS_H

#include "otter/port/crypto.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OTTER_DEVICE_SECRET_SIZE = 32 };

/* What a key of the device is for. The first two are those of enum otter_wrap_kind. */
enum otter_device_key_kind {
    OTTER_DEVICE_KEY_P256 = OTTER_WRAP_ECIES_P256,
    OTTER_DEVICE_KEY_ROOT = OTTER_WRAP_AES256,
    OTTER_DEVICE_KEY_STORAGE = 3, /* one, made on the device and known to nobody else */
};

struct otter_device_key {
    uint8_t id[OTTER_KEY_ID_SIZE]; /* docs/SPEC.md, "Key wraps"; storage: not used */
    uint8_t kind;                  /* enum otter_device_key_kind */
    bool is_revoked;               /* no package may use it any more */
    uint8_t secret[OTTER_DEVICE_SECRET_SIZE]; /* P-256: scalar, big-endian, 1 to n-1 */
};

struct otter_key_store {
    const struct otter_device_key *keys;
    size_t count;
};

/* Fills `crypto`; `store` stays in use. A store without keys is allowed: such a device
 * decrypts nothing, and says so with 24-11 rather than 24-15. */
void otter_crypto_bearssl_keys(struct otter_crypto *crypto,
                               const struct otter_key_store *store);

/* The same without unwrapping: all that boot needs, and less code. */
void otter_crypto_bearssl_storage(struct otter_crypto *crypto,
                                  const struct otter_key_store *store);

#ifdef __cplusplus
}
#endif

#endif
