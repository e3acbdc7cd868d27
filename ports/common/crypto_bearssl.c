/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crypto port on BearSSL (bearssl_hash.h, bearssl_ec.h). Shared by host and boards.
 */
#include "crypto_bearssl.h"

#include "crypto_bearssl_inner.h"

#include <string.h>

_Static_assert(sizeof(br_sha256_context) <= sizeof(struct otter_sha256),
               "a running SHA-256 fits the port's room");
_Static_assert(_Alignof(br_sha256_context) <= _Alignof(struct otter_sha256),
               "the port's room is aligned for a running SHA-256");

/* The running hash is copied out of the port's room and back rather than used in
 * place: an access through another struct's type is undefined, and a link-time
 * optimiser may make use of that. */
static br_sha256_context load_sha(const struct otter_sha256 *sha)
{
    br_sha256_context running;

    memcpy(&running, sha->space, sizeof(running));
    return running;
}

static void store_sha(struct otter_sha256 *sha, const br_sha256_context *running)
{
    memcpy(sha->space, running, sizeof(*running));
}

static void sha256_init(void *context, struct otter_sha256 *sha)
{
    br_sha256_context running;

    (void)context;
    memset(&running, 0, sizeof(running));
    br_sha256_init(&running);
    store_sha(sha, &running);
}

static void sha256_update(void *context, struct otter_sha256 *sha, const void *data,
                          size_t size)
{
    br_sha256_context running = load_sha(sha);

    (void)context;
    br_sha256_update(&running, data, size);
    store_sha(sha, &running);
}

static void sha256_final(void *context, struct otter_sha256 *sha,
                         uint8_t digest[OTTER_SHA256_SIZE])
{
    br_sha256_context running = load_sha(sha);

    (void)context;
    br_sha256_out(&running, digest);
}

static enum otter_result verify_p256(void *context,
                                     const uint8_t key[OTTER_P256_KEY_SIZE],
                                     const uint8_t digest[OTTER_SHA256_SIZE],
                                     const uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    uint8_t point[1 + OTTER_P256_KEY_SIZE];
    br_ec_public_key public_key = {
        .curve = BR_EC_secp256r1, .q = point, .qlen = sizeof(point)};

    (void)context;
    point[0] = 0x04; /* uncompressed: SEC 1, section 2.3.3 */
    memcpy(point + 1, key, OTTER_P256_KEY_SIZE);
    if (P256_VERIFY(P256_CURVE, digest, OTTER_SHA256_SIZE, &public_key, signature,
                    OTTER_P256_SIGNATURE_SIZE) != 1) {
        return OTTER_E_SIGNATURE_BAD;
    }
    return OTTER_OK;
}

const struct otter_crypto otter_crypto_bearssl = {
    .context = NULL,
    .sha256_init = sha256_init,
    .sha256_update = sha256_update,
    .sha256_final = sha256_final,
    .verify_p256 = verify_p256,
};
