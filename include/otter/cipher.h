/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A string of bytes that lies encrypted in flash (K26): what of it is read or written
 * passes through its cipher, part by part, from any offset on. A cipher that is closed,
 * or filled with zeros, changes nothing, so callers need not ask.
 */
#ifndef OTTER_CIPHER_H
#define OTTER_CIPHER_H

#include "otter/config.h"
#include "otter/io.h"
#include "otter/port/crypto.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct otter_cipher {
    const struct otter_crypto *crypto; /* NULL: closed */
#if OTTER_ENCRYPTION
    struct otter_aes aes;
    uint8_t nonce[OTTER_AES_NONCE_SIZE];
#endif
};

/* True if the port can decrypt, and this library is compiled to. */
bool otter_cipher_is_possible(const struct otter_crypto *crypto);

/* Opens a cipher; what it held before is wiped. Only where it is possible. */
void otter_cipher_open(struct otter_cipher *cipher, const struct otter_crypto *crypto,
                       const uint8_t key[OTTER_AES_KEY_SIZE],
                       const uint8_t nonce[OTTER_AES_NONCE_SIZE]);

/* Opens the cipher of the string of bytes whose SHA-256 is `number`, under the device's
 * storage key. The number is of the content, so key and nonce never cover another one.
 * 24-16 if the device has no such key; the cipher is then closed. */
OTTER_MUST_CHECK enum otter_result otter_cipher_open_stored(
    struct otter_cipher *cipher, const struct otter_crypto *crypto,
    const uint8_t number[OTTER_SHA256_SIZE]);

/* 24-16 if otter_cipher_open_stored() would say so. */
OTTER_MUST_CHECK enum otter_result otter_cipher_check_stored(
    const struct otter_crypto *crypto);

/* Wipes the key. */
void otter_cipher_close(struct otter_cipher *cipher);

/* Encrypts or decrypts, in place, the `len` bytes that lie at `off` of the string.
 * `cipher` may be NULL: then nothing is done. */
void otter_cipher_apply(const struct otter_cipher *cipher, uint32_t off, uint8_t *data,
                        size_t len);

/* A span of flash that is read through a cipher, as a source. The structs stay in use
 * as long as it is. */
struct otter_ciphered {
    struct otter_span span;
    const struct otter_cipher *cipher; /* NULL: none */
};
struct otter_source otter_ciphered_source(const struct otter_ciphered *ciphered,
                                          uint32_t size);

/* Zeros, also where the compiler sees no further use of them. */
void otter_wipe(void *secret, size_t size);

#ifdef __cplusplus
}
#endif

#endif
