/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ciphers of strings of bytes in flash. With OTTER_ENCRYPTION 0 none can be opened.
 */
#include "otter/cipher.h"

#include <string.h>

void otter_wipe(void *secret, size_t size)
{
    volatile uint8_t *bytes = secret;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = 0;
    }
}

void otter_cipher_close(struct otter_cipher *cipher)
{
    otter_wipe(cipher, sizeof(*cipher));
}

static enum otter_result ciphered_read(const void *context, uint32_t off, void *data,
                                       size_t len)
{
    const struct otter_ciphered *ciphered = context;
    const struct otter_span *span = &ciphered->span;
    enum otter_result result =
        otter_io_read(span->io, span->region, span->off + off, data, len);

    if (result == OTTER_OK) {
        otter_cipher_apply(ciphered->cipher, off, data, len);
    }
    return result;
}

struct otter_source otter_ciphered_source(const struct otter_ciphered *ciphered,
                                          uint32_t size)
{
    return (struct otter_source){
        .context = ciphered, .size = size, .read = ciphered_read};
}

#if OTTER_ENCRYPTION

bool otter_cipher_is_possible(const struct otter_crypto *crypto)
{
    return crypto->aes_ctr != NULL;
}

void otter_cipher_open(struct otter_cipher *cipher, const struct otter_crypto *crypto,
                       const uint8_t key[OTTER_AES_KEY_SIZE],
                       const uint8_t nonce[OTTER_AES_NONCE_SIZE])
{
    otter_cipher_close(cipher);
    cipher->crypto = crypto;
    crypto->aes_init(crypto->context, &cipher->aes, key);
    memcpy(cipher->nonce, nonce, sizeof(cipher->nonce));
}

/* Makes the key, and no schedule of it. */
static enum otter_result make_key(const struct otter_crypto *crypto,
                                  const uint8_t number[OTTER_SHA256_SIZE],
                                  uint8_t key[OTTER_AES_KEY_SIZE])
{
    return otter_cipher_is_possible(crypto) &&
                   crypto->storage_key(crypto->context, number, key) == OTTER_OK
               ? OTTER_OK
               : OTTER_E_STORAGE_KEY;
}

enum otter_result otter_cipher_check_stored(const struct otter_crypto *crypto)
{
    static const uint8_t number[OTTER_SHA256_SIZE] = {0};
    uint8_t key[OTTER_AES_KEY_SIZE];
    enum otter_result result = make_key(crypto, number, key);

    otter_wipe(key, sizeof(key));
    return result;
}

enum otter_result otter_cipher_open_stored(struct otter_cipher *cipher,
                                           const struct otter_crypto *crypto,
                                           const uint8_t number[OTTER_SHA256_SIZE])
{
    static const uint8_t nonce[OTTER_AES_NONCE_SIZE] = {0};
    uint8_t key[OTTER_AES_KEY_SIZE];

    enum otter_result result = make_key(crypto, number, key);

    otter_cipher_close(cipher);
    if (result == OTTER_OK) {
        otter_cipher_open(cipher, crypto, key, nonce);
        otter_wipe(key, sizeof(key));
    }
    return result;
}

void otter_cipher_apply(const struct otter_cipher *cipher, uint32_t off, uint8_t *data,
                        size_t len)
{
    const struct otter_crypto *crypto = cipher == NULL ? NULL : cipher->crypto;

    if (crypto != NULL) {
        crypto->aes_ctr(crypto->context, &cipher->aes, cipher->nonce, off, data, len);
    }
}

#else

bool otter_cipher_is_possible(const struct otter_crypto *crypto)
{
    (void)crypto;
    return false;
}

void otter_cipher_open(struct otter_cipher *cipher, const struct otter_crypto *crypto,
                       const uint8_t key[OTTER_AES_KEY_SIZE],
                       const uint8_t nonce[OTTER_AES_NONCE_SIZE])
{
    (void)crypto;
    (void)key;
    (void)nonce;
    otter_cipher_close(cipher);
}

enum otter_result otter_cipher_open_stored(struct otter_cipher *cipher,
                                           const struct otter_crypto *crypto,
                                           const uint8_t number[OTTER_SHA256_SIZE])
{
    (void)crypto;
    (void)number;
    otter_cipher_close(cipher);
    return OTTER_E_STORAGE_KEY;
}

enum otter_result otter_cipher_check_stored(const struct otter_crypto *crypto)
{
    (void)crypto;
    return OTTER_E_STORAGE_KEY;
}

void otter_cipher_apply(const struct otter_cipher *cipher, uint32_t off, uint8_t *data,
                        size_t len)
{
    (void)cipher;
    (void)off;
    (void)data;
    (void)len;
}

#endif
