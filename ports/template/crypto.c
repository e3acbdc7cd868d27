/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template of the crypto port (otter/port/crypto.h) for a board with hardware or a
 * library of its own. A board without takes ports/common/crypto_bearssl.c instead and
 * names otter_crypto_bearssl in its struct otter_ports; if it has keys of its own,
 * crypto_bearssl_keys.c, whose struct otter_key_store says where they are.
 *
 * Any number of hashes may run at once: hardware with one unit saves and loads its
 * state in `sha`. Keys and signatures of verify_p256 are public, so its time need not
 * be constant. That of the others must not depend on the keys: they are secret.
 *
 * A board that takes no encrypted packages leaves all functions after verify_p256 out
 * (NULL): such a package is refused [24-15] before its transfer.
 */
#include "port.h"

#include <string.h>

/* Starts a hash in `sha`, whatever it held. */
static void sha256_init(void *context, struct otter_sha256 *sha)
{
    (void)context;
    memset(sha, 0, sizeof(*sha));
}

/* Any size, 0 included; `data` may be unaligned. */
static void sha256_update(void *context, struct otter_sha256 *sha, const void *data,
                          size_t size)
{
    (void)context;
    (void)sha;
    (void)data;
    (void)size;
}

static void sha256_final(void *context, struct otter_sha256 *sha,
                         uint8_t digest[OTTER_SHA256_SIZE])
{
    (void)context;
    (void)sha;
    memset(digest, 0, OTTER_SHA256_SIZE);
}

/* Must refuse: a key that is no point of the curve, r or s of 0 or not below the order.
 * Must answer within the watchdog's period. */
static enum otter_result verify_p256(void *context,
                                     const uint8_t key[OTTER_P256_KEY_SIZE],
                                     const uint8_t digest[OTTER_SHA256_SIZE],
                                     const uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    (void)context;
    (void)key;
    (void)digest;
    (void)signature;
    return OTTER_E_SIGNATURE_BAD;
}

/* Hardware that holds one key at a time keeps the key, not a schedule, in `aes`. */
static void aes_init(void *context, struct otter_aes *aes,
                     const uint8_t key[OTTER_AES_KEY_SIZE])
{
    (void)context;
    memset(aes, 0, sizeof(*aes));
    memcpy(aes->space, key, OTTER_AES_KEY_SIZE);
}

/* Begins in the middle of a block if `off` is no multiple of 16. */
static void aes_ctr(void *context, const struct otter_aes *aes,
                    const uint8_t nonce[OTTER_AES_NONCE_SIZE], uint32_t off,
                    /* NOLINTNEXTLINE(readability-non-const-parameter): it is written */
                    uint8_t *data, size_t size)
{
    (void)context;
    (void)aes;
    (void)nonce;
    (void)off;
    (void)data;
    (void)size;
}

/* Looks in the board's key store; asked often, so without any curve operation. */
static enum otter_result find_key(void *context, const uint8_t id[OTTER_KEY_ID_SIZE],
                                  uint8_t kind)
{
    (void)context;
    (void)id;
    (void)kind;
    return OTTER_E_KEY_MISSING;
}

/* The only use of the device's private keys: they never leave the port. Must check
 * that an ephemeral point is one of the curve, and leave `key` alone on a failure. */
static enum otter_result unwrap(void *context, const struct otter_wrap *wrap,
                                /* NOLINTNEXTLINE(readability-non-const-parameter) */
                                uint8_t key[OTTER_AES_KEY_SIZE])
{
    (void)key;
    return find_key(context, wrap->key_id, wrap->kind);
}

/* Must give the same key for the same number for ever, on this device alone: derive it
 * from a secret that was made on the device. */
static enum otter_result storage_key(
    void *context, const uint8_t number[OTTER_SHA256_SIZE],
    /* NOLINTNEXTLINE(readability-non-const-parameter) */
    uint8_t key[OTTER_AES_KEY_SIZE])
{
    (void)context;
    (void)number;
    (void)key;
    return OTTER_E_STORAGE_KEY;
}

const struct otter_crypto port_crypto = {
    .context = NULL,
    .sha256_init = sha256_init,
    .sha256_update = sha256_update,
    .sha256_final = sha256_final,
    .verify_p256 = verify_p256,
    .aes_init = aes_init,
    .aes_ctr = aes_ctr,
    .find_key = find_key,
    .unwrap = unwrap,
    .storage_key = storage_key,
};
