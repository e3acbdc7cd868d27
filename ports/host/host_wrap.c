/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content keys, key wraps, ciphertext. Facts: RFC 3394 (AES key wrap), RFC 5869 (HKDF),
 * NIST SP 800-56A (ECDH), FIPS 186-5, A.2.1 (a scalar from more bits than it has).
 */
#include "host_wrap.h"

#include "crypto_bearssl.h"
#include "crypto_bearssl_inner.h"
#include "crypto_bearssl_keys.h"
#include "otter/bytes.h"

#include <string.h>

enum {
    BLOCK = 16,
    HALF = 8,
    ROUNDS = 6,
    HALVES = OTTER_AES_KEY_SIZE / HALF,
    WIDE_SCALAR = 48, /* bytes from which a scalar is made */
};

static const char root_label[] = "otter root key";
static const char content_label[] = "otter content key";
static const char ephemeral_label[] = "otter ephemeral key";

static void hash(struct otter_sha256 *sha, const void *data, size_t size)
{
    otter_crypto_bearssl.sha256_update(NULL, sha, data, size);
}

static void hash_le32(struct otter_sha256 *sha, uint32_t number)
{
    uint8_t bytes[4];

    otter_store_le32(bytes, number);
    hash(sha, bytes, sizeof(bytes));
}

/* ---- recipients ---- */

void host_recipient_id(struct host_recipient *recipient)
{
    static const uint8_t uncompressed = 4;
    struct otter_sha256 sha;
    uint8_t digest[OTTER_SHA256_SIZE];

    otter_crypto_bearssl.sha256_init(NULL, &sha);
    if (recipient->kind == OTTER_WRAP_ECIES_P256) {
        hash(&sha, &uncompressed, 1);
        hash(&sha, recipient->point, sizeof(recipient->point));
    } else {
        hash(&sha, root_label, sizeof(root_label) - 1);
        hash(&sha, recipient->root, sizeof(recipient->root));
    }
    otter_crypto_bearssl.sha256_final(NULL, &sha, digest);
    memcpy(recipient->id, digest, sizeof(recipient->id));
}

/* ---- wraps ---- */

/* RFC 3394, 2.2.1, in the form of index-based wrapping. */
static void aes_wrap(const uint8_t kek[BEARSSL_KEK_SIZE],
                     const uint8_t key[OTTER_AES_KEY_SIZE],
                     uint8_t wrapped[BEARSSL_WRAPPED_SIZE])
{
    br_aes_ct_cbcenc_keys aes;
    uint8_t block[BLOCK];

    memset(wrapped, 0xA6, HALF);
    memcpy(wrapped + HALF, key, OTTER_AES_KEY_SIZE);
    br_aes_ct_cbcenc_init(&aes, kek, BEARSSL_KEK_SIZE);
    for (unsigned t = 1; t <= ROUNDS * HALVES; t++) {
        uint8_t *half = wrapped + HALF + (size_t)((t - 1) % HALVES) * HALF;
        uint8_t none[BLOCK] = {0};

        memcpy(block, wrapped, HALF);
        memcpy(block + HALF, half, HALF);
        br_aes_ct_cbcenc_run(&aes, none, block, BLOCK);
        block[HALF - 1] = (uint8_t)(block[HALF - 1] ^ t);
        memcpy(wrapped, block, HALF);
        memcpy(half, block + HALF, HALF);
    }
}

static enum otter_result wrap_p256(const struct host_recipient *recipient,
                                   const uint8_t *scalar, const uint8_t *key,
                                   struct otter_wrap *wrap)
{
    uint8_t secret[BEARSSL_SECRET_SIZE];
    uint8_t kek[BEARSSL_KEK_SIZE];
    enum otter_result result = host_sign_public(scalar, wrap->bytes);

    if (result == OTTER_OK) {
        result = bearssl_ecdh(scalar, recipient->point, secret);
    }
    if (result == OTTER_OK) {
        bearssl_wrapping_key(secret, recipient->id, wrap->bytes, kek);
        aes_wrap(kek, key, wrap->bytes + OTTER_P256_KEY_SIZE);
        bearssl_wipe(secret, sizeof(secret));
        bearssl_wipe(kek, sizeof(kek));
    }
    return result;
}

enum otter_result host_wrap(const struct host_recipient *recipient,
                            const uint8_t scalar[HOST_SIGN_SCALAR_SIZE],
                            const uint8_t key[OTTER_AES_KEY_SIZE],
                            struct otter_wrap *wrap)
{
    memset(wrap, 0, sizeof(*wrap));
    memcpy(wrap->key_id, recipient->id, sizeof(wrap->key_id));
    wrap->kind = recipient->kind;
    if (recipient->kind == OTTER_WRAP_ECIES_P256) {
        wrap->size = OTTER_P256_KEY_SIZE + BEARSSL_WRAPPED_SIZE;
        return wrap_p256(recipient, scalar, key, wrap);
    }
    wrap->size = BEARSSL_WRAPPED_SIZE;
    aes_wrap(recipient->root, key, wrap->bytes);
    return OTTER_OK;
}

size_t host_wrap_put(const struct otter_wrap *wrap, uint8_t *out)
{
    struct otter_writer writer = otter_writer_of(out, HOST_WRAP_ENTRY_MAX);

    otter_writer_bytes(&writer, wrap->key_id, sizeof(wrap->key_id));
    otter_writer_u8(&writer, wrap->kind);
    otter_writer_u8(&writer, 0);
    otter_writer_le16(&writer, wrap->size);
    otter_writer_bytes(&writer, wrap->bytes, wrap->size);
    return writer.off;
}

/* ---- members ---- */

void host_encrypt(const uint8_t key[OTTER_AES_KEY_SIZE], uint8_t index, uint8_t *data,
                  size_t size)
{
    static const struct otter_key_store none = {.keys = NULL, .count = 0};
    struct otter_crypto crypto;
    struct otter_aes aes;
    uint8_t nonce[OTTER_AES_NONCE_SIZE];

    otter_crypto_bearssl_keys(&crypto, &none);
    crypto.aes_init(crypto.context, &aes, key);
    otter_control_nonce(index, nonce);
    crypto.aes_ctr(crypto.context, &aes, nonce, 0, data, size);
    bearssl_wipe(&aes, sizeof(aes));
}

/* ---- from a secret ---- */

void host_content_key(const uint8_t *secret, size_t secret_size,
                      const struct host_package *package,
                      uint8_t key[OTTER_AES_KEY_SIZE])
{
    enum { LABEL_SIZE = sizeof(content_label) - 1 };
    struct otter_sha256 sha;
    uint8_t info[LABEL_SIZE + OTTER_SHA256_SIZE];
    uint8_t header[OTTER_IMAGE_HEADER_SIZE];

    otter_crypto_bearssl.sha256_init(NULL, &sha);
    for (uint8_t i = 0; i < package->member_count; i++) {
        const struct host_member *member = &package->members[i];

        if ((member->flags & (OTTER_MEMBER_ENCRYPTED | OTTER_MEMBER_KEPT)) ==
            OTTER_MEMBER_ENCRYPTED) {
            hash_le32(&sha, i);
            hash_le32(&sha, member->stored.size);
            hash(&sha, member->stored.data, member->stored.size);
        }
    }
    host_package_header(package, header);
    hash(&sha, header, sizeof(header));
    memcpy(info, content_label, LABEL_SIZE);
    otter_crypto_bearssl.sha256_final(NULL, &sha, info + LABEL_SIZE);
    bearssl_hkdf(secret, secret_size, info, sizeof(info), key, OTTER_AES_KEY_SIZE);
}

/* `number` - `other` if that is not below 0; all are big-endian. */
static void reduce(uint8_t *number, const uint8_t *other, size_t size)
{
    uint8_t difference[HOST_SIGN_SCALAR_SIZE + 1] = {0};
    int borrow = 0;

    for (size_t i = size; i > 0; i--) {
        int digit = number[i - 1] - other[i - 1] - borrow;

        borrow = digit < 0;
        difference[i - 1] = (uint8_t)(digit + (borrow << 8));
    }
    if (borrow == 0) {
        memcpy(number, difference, size);
    }
}

/* wide mod (n - 1), plus 1: bit by bit, since it is done once for a recipient. */
static void scalar_of(const uint8_t wide[WIDE_SCALAR],
                      uint8_t scalar[HOST_SIGN_SCALAR_SIZE])
{
    /* n - 1 of P-256 (NIST SP 800-186, 3.2.1.3), in one byte more. */
    static const uint8_t limit[HOST_SIGN_SCALAR_SIZE + 1] = {
        0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7,
        0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x50};
    uint8_t rest[sizeof(limit)] = {0};

    for (size_t bit = 0; bit < 8 * (size_t)WIDE_SCALAR; bit++) {
        unsigned carry = wide[bit / 8] >> (7 - bit % 8) & 1U;

        for (size_t i = sizeof(rest); i > 0; i--) {
            carry |= (unsigned)rest[i - 1] << 1;
            rest[i - 1] = (uint8_t)carry;
            carry >>= 8;
        }
        reduce(rest, limit, sizeof(rest));
    }
    for (size_t i = sizeof(rest); i > 1 && ++rest[i - 1] == 0; i--) {
    }
    memcpy(scalar, rest + 1, HOST_SIGN_SCALAR_SIZE);
}

void host_ephemeral(const uint8_t *secret, size_t secret_size,
                    const uint8_t key[OTTER_AES_KEY_SIZE],
                    const uint8_t recipient[OTTER_KEY_ID_SIZE],
                    uint8_t scalar[HOST_SIGN_SCALAR_SIZE])
{
    enum { LABEL_SIZE = sizeof(ephemeral_label) - 1 };
    uint8_t info[LABEL_SIZE + OTTER_AES_KEY_SIZE + OTTER_KEY_ID_SIZE];
    uint8_t wide[WIDE_SCALAR];

    memcpy(info, ephemeral_label, LABEL_SIZE);
    memcpy(info + LABEL_SIZE, key, OTTER_AES_KEY_SIZE);
    memcpy(info + LABEL_SIZE + OTTER_AES_KEY_SIZE, recipient, OTTER_KEY_ID_SIZE);
    bearssl_hkdf(secret, secret_size, info, sizeof(info), wide, sizeof(wide));
    scalar_of(wide, scalar);
    bearssl_wipe(wide, sizeof(wide));
    bearssl_wipe(info, sizeof(info));
}
