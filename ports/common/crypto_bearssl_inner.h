/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the crypto port on BearSSL is made of, for the host's encrypting side and for
 * tests against published vectors.
 */
#ifndef OTTER_CRYPTO_BEARSSL_INNER_H
#define OTTER_CRYPTO_BEARSSL_INNER_H

#include "otter/port/crypto.h"

#include <bearssl.h>

#ifndef OTTER_BEARSSL_I15
#define OTTER_BEARSSL_I15 0
#endif

#if OTTER_BEARSSL_I15
#define P256_CURVE  (&br_ec_p256_m15)
#define P256_VERIFY br_ecdsa_i15_vrfy_raw
#else
#define P256_CURVE  (&br_ec_p256_m31)
#define P256_VERIFY br_ecdsa_i31_vrfy_raw
#endif

enum {
    BEARSSL_KEK_SIZE = 32,     /* key that wraps: AES-256 */
    BEARSSL_WRAPPED_SIZE = 24, /* a content key, wrapped */
    BEARSSL_SECRET_SIZE = 32,  /* that ECDH gives; a scalar */
};

/* HKDF with SHA-256 and no salt: RFC 5869. `size` up to 8,160. */
void bearssl_hkdf(const uint8_t *secret, size_t secret_size, const void *info,
                  size_t info_size, uint8_t *out, size_t size);

/* X of scalar * point: NIST SP 800-56A, 5.7.1.2. 24-14 if it is no point of the
 * curve. The scalar is 1 to n-1. */
OTTER_MUST_CHECK enum otter_result bearssl_ecdh(
    const uint8_t scalar[BEARSSL_SECRET_SIZE], const uint8_t point[OTTER_P256_KEY_SIZE],
    uint8_t secret[BEARSSL_SECRET_SIZE]);

/* The key that wraps a content key for `key_id`: docs/SPEC.md, "Key wraps". */
void bearssl_wrapping_key(const uint8_t secret[BEARSSL_SECRET_SIZE],
                          const uint8_t key_id[OTTER_KEY_ID_SIZE],
                          const uint8_t ephemeral[OTTER_P256_KEY_SIZE],
                          uint8_t kek[BEARSSL_KEK_SIZE]);

/* AES-256 key unwrap: RFC 3394, 2.2.2. 24-12 if the check value is wrong. */
OTTER_MUST_CHECK enum otter_result bearssl_unwrap(
    const uint8_t kek[BEARSSL_KEK_SIZE], const uint8_t wrapped[BEARSSL_WRAPPED_SIZE],
    uint8_t key[OTTER_AES_KEY_SIZE]);

/* Counter mode from the block counter `counter` on. */
void bearssl_ctr(const struct otter_aes *aes, const uint8_t nonce[OTTER_AES_NONCE_SIZE],
                 uint32_t counter, uint8_t *data, size_t size);

/* Wipes a secret from memory, also where the compiler sees no further use of it. */
void bearssl_wipe(void *secret, size_t size);

#endif
