/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crypto port: SHA-256 and ECDSA P-256 verification; and, for devices that take
 * encrypted packages, AES-128 in counter mode and the device's own keys, which are
 * reached only through it (K26). ports/common/crypto_bearssl.c and
 * crypto_bearssl_keys.c are the supplied implementation.
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
    OTTER_KEY_ID_SIZE = 8,          /* first bytes of a hash: docs/SPEC.md */
    OTTER_AES_KEY_SIZE = 16,
    OTTER_AES_NONCE_SIZE = 12,
    OTTER_WRAP_SIZE = 88, /* bytes of the longest wrap of a content key */
};

/* How a content key is wrapped. Numbers are part of the format. */
enum otter_wrap_kind {
    OTTER_WRAP_ECIES_P256 = 1, /* ephemeral point (64), wrapped key (24) */
    OTTER_WRAP_AES256 = 2,     /* wrapped key (24): RFC 3394 under a symmetric root */
};

/* A content key, wrapped for one recipient: docs/SPEC.md, "Key wraps". */
struct otter_wrap {
    uint8_t key_id[OTTER_KEY_ID_SIZE]; /* of the recipient's key */
    uint8_t kind;                      /* enum otter_wrap_kind */
    uint8_t size;                      /* bytes used of `bytes` */
    uint8_t bytes[OTTER_WRAP_SIZE];
};

/* Room for any implementation's prepared AES-128 key, whose 11 round keys are 176
 * bytes; never looked into by otter. */
struct otter_aes {
    uint64_t space[24];
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

    /* The rest is NULL, all of it, in a port that cannot decrypt; find_key and unwrap
     * alone in that of a boot program. */

    /* Prepares a key once. The struct is wiped by whoever owns it. */
    void (*aes_init)(void *context, struct otter_aes *aes,
                     const uint8_t key[OTTER_AES_KEY_SIZE]);

    /* Encrypts or decrypts (it is the same) `size` bytes in place, which lie at `off`
     * of the string that `nonce` belongs to: NIST SP 800-38A, 6.5, counter block i =
     * nonce, then i in 4 bytes, big-endian, from 0 on. Any offset, any size. */
    void (*aes_ctr)(void *context, const struct otter_aes *aes,
                    const uint8_t nonce[OTTER_AES_NONCE_SIZE], uint32_t off,
                    uint8_t *data, size_t size);

    /* OTTER_OK if the device has the key of that id and kind, 24-11 if it does not,
     * 24-13 if it must not be used any more. Fast. */
    enum otter_result (*find_key)(void *context, const uint8_t id[OTTER_KEY_ID_SIZE],
                                  uint8_t kind);

    /* Unwraps a content key with the device's key of the wrap's id. 24-11 and 24-13 as
     * above; 24-12 if what comes out is no key: the wrap was made for another key, or
     * changed; 24-14 if its bytes are malformed. `key` is written only on success. As
     * long as a signature check. */
    enum otter_result (*unwrap)(void *context, const struct otter_wrap *wrap,
                                uint8_t key[OTTER_AES_KEY_SIZE]);

    /* The key for the one string of bytes whose SHA-256 is `number`, kept outside the
     * processor's own flash: derived from a secret that no other device has. 24-16 if
     * the device has none. */
    enum otter_result (*storage_key)(void *context,
                                     const uint8_t number[OTTER_SHA256_SIZE],
                                     uint8_t key[OTTER_AES_KEY_SIZE]);
};

#endif
