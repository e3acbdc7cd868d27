/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crypto port: SHA-256 and ECDSA P-256 verification. ports/common/crypto_bearssl.c is
 * the supplied implementation.
 */
#ifndef OTTER_PORT_CRYPTO_H
#define OTTER_PORT_CRYPTO_H

#include "otter/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    OTTER_SHA256_SIZE = 32,
    OTTER_P256_KEY_SIZE = 64,       /* public point, X then Y, big-endian */
    OTTER_P256_SIGNATURE_SIZE = 64, /* r then s, big-endian */
};

/* Room for any implementation's running SHA-256; never looked into by otter. */
struct otter_sha256 {
    uint64_t space[16];
};

struct otter_crypto {
    void *context;

    /* Starts, feeds and ends one hash. Any number may run at once. After final the
     * struct must be started again. */
    void (*sha256_init)(void *context, struct otter_sha256 *sha);
    void (*sha256_update)(void *context, struct otter_sha256 *sha, const void *data,
                          size_t size);
    void (*sha256_final)(void *context, struct otter_sha256 *sha,
                         uint8_t digest[OTTER_SHA256_SIZE]);

    /* OTTER_OK if `signature` over `digest` is by `key`, else OTTER_E_SIGNATURE_BAD. A
     * key that is no point of the curve never verifies. */
    enum otter_result (*verify_p256)(
        void *context, const uint8_t key[OTTER_P256_KEY_SIZE],
        const uint8_t digest[OTTER_SHA256_SIZE],
        const uint8_t signature[OTTER_P256_SIGNATURE_SIZE]);
};

#endif
