/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decryption on BearSSL: AES in counter mode (bearssl_block.h, constant time), ECDH
 * (bearssl_ec.h), HKDF (bearssl_kdf.h); AES key unwrap is made here from single blocks.
 * Facts: RFC 3394 (key wrap), RFC 5869 (HKDF), NIST SP 800-56A (ECDH), SP 800-38A
 * (counter mode); labels and layouts: docs/SPEC.md, "Key wraps".
 */
#include "crypto_bearssl_keys.h"

#include "crypto_bearssl.h"
#include "crypto_bearssl_inner.h"

#include <string.h>

enum {
    BLOCK = 16,
    AES128_ROUNDS = 10,                              /* FIPS 197, 5 */
    AES128_ROUND_KEYS = (AES128_ROUNDS + 1) * BLOCK, /* bytes; BearSSL's are as long */
    HALF = 8,   /* of a block: what RFC 3394 works on */
    ROUNDS = 6, /* of RFC 3394 over all halves */
    HALVES = OTTER_AES_KEY_SIZE / HALF,
    P256_WRAP_SIZE = OTTER_P256_KEY_SIZE + BEARSSL_WRAPPED_SIZE,
};

_Static_assert(AES128_ROUND_KEYS <= sizeof(struct otter_aes),
               "the round keys fit the port's room");
_Static_assert((int)P256_WRAP_SIZE == (int)OTTER_WRAP_SIZE, "the longest wrap");

static const char wrap_label[] = "otter key wrap";
static const char storage_label[] = "otter saved copy";

void bearssl_wipe(void *secret, size_t size)
{
    volatile uint8_t *bytes = secret;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = 0;
    }
}

/* ---- primitives ---- */

void bearssl_hkdf(const uint8_t *secret, size_t secret_size, const void *info,
                  size_t info_size, uint8_t *out, size_t size)
{
    br_hkdf_context hkdf;

    br_hkdf_init(&hkdf, &br_sha256_vtable, NULL, 0);
    br_hkdf_inject(&hkdf, secret, secret_size);
    br_hkdf_flip(&hkdf);
    (void)br_hkdf_produce(&hkdf, info, info_size, out, size);
    bearssl_wipe(&hkdf, sizeof(hkdf));
}

enum otter_result bearssl_ecdh(const uint8_t scalar[BEARSSL_SECRET_SIZE],
                               const uint8_t point[OTTER_P256_KEY_SIZE],
                               uint8_t secret[BEARSSL_SECRET_SIZE])
{
    uint8_t product[1 + OTTER_P256_KEY_SIZE] = {0x04}; /* uncompressed: SEC 1, 2.3.3 */

    memcpy(product + 1, point, OTTER_P256_KEY_SIZE);
    if (P256_CURVE->mul(product, sizeof(product), scalar, BEARSSL_SECRET_SIZE,
                        BR_EC_secp256r1) != 1) {
        return OTTER_E_WRAP_DAMAGED;
    }
    memcpy(secret, product + 1, BEARSSL_SECRET_SIZE);
    bearssl_wipe(product, sizeof(product));
    return OTTER_OK;
}

void bearssl_wrapping_key(const uint8_t secret[BEARSSL_SECRET_SIZE],
                          const uint8_t key_id[OTTER_KEY_ID_SIZE],
                          const uint8_t ephemeral[OTTER_P256_KEY_SIZE],
                          uint8_t kek[BEARSSL_KEK_SIZE])
{
    enum { LABEL_SIZE = sizeof(wrap_label) - 1 };
    uint8_t info[LABEL_SIZE + OTTER_KEY_ID_SIZE + OTTER_P256_KEY_SIZE];

    memcpy(info, wrap_label, LABEL_SIZE);
    memcpy(info + LABEL_SIZE, key_id, OTTER_KEY_ID_SIZE);
    memcpy(info + LABEL_SIZE + OTTER_KEY_ID_SIZE, ephemeral, OTTER_P256_KEY_SIZE);
    bearssl_hkdf(secret, BEARSSL_SECRET_SIZE, info, sizeof(info), kek,
                 BEARSSL_KEK_SIZE);
}

/* RFC 3394, 2.2.3.1: what the first half must come out as. */
static bool is_check_value(const uint8_t half[HALF])
{
    uint8_t difference = 0;

    for (size_t i = 0; i < HALF; i++) {
        difference = (uint8_t)(difference | (half[i] ^ 0xA6U));
    }
    return difference == 0;
}

enum otter_result bearssl_unwrap(const uint8_t kek[BEARSSL_KEK_SIZE],
                                 const uint8_t wrapped[BEARSSL_WRAPPED_SIZE],
                                 uint8_t key[OTTER_AES_KEY_SIZE])
{
    br_aes_ct_cbcdec_keys aes;
    uint8_t halves[BEARSSL_WRAPPED_SIZE]; /* A, R[1], R[2] */
    uint8_t block[BLOCK];

    memcpy(halves, wrapped, sizeof(halves));
    br_aes_ct_cbcdec_init(&aes, kek, BEARSSL_KEK_SIZE);
    for (unsigned t = ROUNDS * HALVES; t > 0; t--) {
        uint8_t *half = halves + HALF + (size_t)((t - 1) % HALVES) * HALF;
        uint8_t none[BLOCK] = {0}; /* chained to nothing: one block decrypted alone */

        memcpy(block, halves, HALF);
        block[HALF - 1] = (uint8_t)(block[HALF - 1] ^ t);
        memcpy(block + HALF, half, HALF);
        br_aes_ct_cbcdec_run(&aes, none, block, BLOCK);
        memcpy(halves, block, HALF);
        memcpy(half, block + HALF, HALF);
    }
    bool is_key = is_check_value(halves);

    if (is_key) {
        memcpy(key, halves + HALF, OTTER_AES_KEY_SIZE);
    }
    bearssl_wipe(halves, sizeof(halves));
    bearssl_wipe(block, sizeof(block));
    bearssl_wipe(&aes, sizeof(aes));
    return is_key ? OTTER_OK : OTTER_E_KEY_WRONG;
}

/* Copied out of the port's room, as the running hash is: see crypto_bearssl.c. Only the
 * round keys are kept there: the rest of BearSSL's struct is for longer keys. */
void bearssl_ctr(const struct otter_aes *aes, const uint8_t nonce[OTTER_AES_NONCE_SIZE],
                 uint32_t counter, uint8_t *data, size_t size)
{
    br_aes_ct_ctr_keys keys;

    memset(&keys, 0, sizeof(keys));
    memcpy(keys.skey, aes->space, AES128_ROUND_KEYS);
    keys.num_rounds = AES128_ROUNDS;
    (void)br_aes_ct_ctr_run(&keys, nonce, counter, data, size);
    bearssl_wipe(&keys, sizeof(keys));
}

/* ---- the port ---- */

static void aes_init(void *context, struct otter_aes *aes,
                     const uint8_t key[OTTER_AES_KEY_SIZE])
{
    br_aes_ct_ctr_keys keys;

    (void)context;
    memset(&keys, 0, sizeof(keys));
    br_aes_ct_ctr_init(&keys, key, OTTER_AES_KEY_SIZE);
    memcpy(aes->space, keys.skey, AES128_ROUND_KEYS);
    bearssl_wipe(&keys, sizeof(keys));
}

static void aes_ctr(void *context, const struct otter_aes *aes,
                    const uint8_t nonce[OTTER_AES_NONCE_SIZE], uint32_t off,
                    uint8_t *data, size_t size)
{
    uint32_t skipped = off % BLOCK; /* bytes of the first block that lie before */

    (void)context;
    if (skipped != 0) {
        uint8_t block[BLOCK] = {0};
        size_t len = size < BLOCK - skipped ? size : BLOCK - skipped;

        memcpy(block + skipped, data, len);
        bearssl_ctr(aes, nonce, off / BLOCK, block, BLOCK);
        memcpy(data, block + skipped, len);
        data += len;
        size -= len;
        off += (uint32_t)len;
    }
    if (size > 0) {
        bearssl_ctr(aes, nonce, off / BLOCK, data, size);
    }
}

/* The device's key of that id and kind, or NULL. */
static const struct otter_device_key *look_up(const struct otter_key_store *store,
                                              const uint8_t id[OTTER_KEY_ID_SIZE],
                                              uint8_t kind)
{
    for (size_t i = 0; i < store->count; i++) {
        if (store->keys[i].kind == kind &&
            memcmp(store->keys[i].id, id, OTTER_KEY_ID_SIZE) == 0) {
            return &store->keys[i];
        }
    }
    return NULL;
}

static enum otter_result find_key(void *context, const uint8_t id[OTTER_KEY_ID_SIZE],
                                  uint8_t kind)
{
    const struct otter_device_key *key =
        kind == OTTER_DEVICE_KEY_STORAGE ? NULL : look_up(context, id, kind);

    if (key == NULL) {
        return OTTER_E_KEY_MISSING;
    }
    return key->is_revoked ? OTTER_E_KEY_REVOKED : OTTER_OK;
}

static enum otter_result unwrap_p256(const struct otter_device_key *own,
                                     const struct otter_wrap *wrap,
                                     uint8_t key[OTTER_AES_KEY_SIZE])
{
    uint8_t secret[BEARSSL_SECRET_SIZE];
    uint8_t kek[BEARSSL_KEK_SIZE];
    enum otter_result result = bearssl_ecdh(own->secret, wrap->bytes, secret);

    if (result == OTTER_OK) {
        bearssl_wrapping_key(secret, wrap->key_id, wrap->bytes, kek);
        result = bearssl_unwrap(kek, wrap->bytes + OTTER_P256_KEY_SIZE, key);
        bearssl_wipe(secret, sizeof(secret));
        bearssl_wipe(kek, sizeof(kek));
    }
    return result;
}

static enum otter_result unwrap(void *context, const struct otter_wrap *wrap,
                                uint8_t key[OTTER_AES_KEY_SIZE])
{
    enum otter_result result = find_key(context, wrap->key_id, wrap->kind);

    if (result != OTTER_OK) {
        return result;
    }
    const struct otter_device_key *own = look_up(context, wrap->key_id, wrap->kind);

    if (wrap->kind == OTTER_WRAP_ECIES_P256 && wrap->size == P256_WRAP_SIZE) {
        return unwrap_p256(own, wrap, key);
    }
    if (wrap->kind == OTTER_WRAP_AES256 && wrap->size == BEARSSL_WRAPPED_SIZE) {
        return bearssl_unwrap(own->secret, wrap->bytes, key);
    }
    return OTTER_E_WRAP_DAMAGED;
}

static enum otter_result storage_key(void *context,
                                     const uint8_t number[OTTER_SHA256_SIZE],
                                     uint8_t key[OTTER_AES_KEY_SIZE])
{
    enum { LABEL_SIZE = sizeof(storage_label) - 1 };
    const struct otter_key_store *store = context;
    uint8_t info[LABEL_SIZE + OTTER_SHA256_SIZE];

    memcpy(info, storage_label, LABEL_SIZE);
    memcpy(info + LABEL_SIZE, number, OTTER_SHA256_SIZE);
    for (size_t i = 0; i < store->count; i++) {
        if (store->keys[i].kind == OTTER_DEVICE_KEY_STORAGE) {
            bearssl_hkdf(store->keys[i].secret, OTTER_DEVICE_SECRET_SIZE, info,
                         sizeof(info), key, OTTER_AES_KEY_SIZE);
            return OTTER_OK;
        }
    }
    return OTTER_E_STORAGE_KEY;
}

void otter_crypto_bearssl_storage(struct otter_crypto *crypto,
                                  const struct otter_key_store *store)
{
    *crypto = otter_crypto_bearssl;
    /* Never written through: the port's context is not const. */
    memcpy(&crypto->context, &store, sizeof(crypto->context));
    crypto->aes_init = aes_init;
    crypto->aes_ctr = aes_ctr;
    crypto->storage_key = storage_key;
}

void otter_crypto_bearssl_keys(struct otter_crypto *crypto,
                               const struct otter_key_store *store)
{
    otter_crypto_bearssl_storage(crypto, store);
    crypto->find_key = find_key;
    crypto->unwrap = unwrap;
}
