/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template of the crypto port (otter/port/crypto.h) for a board with hardware or a
 * library of its own. A board without takes ports/common/crypto_bearssl.c instead and
 * names otter_crypto_bearssl in its struct otter_ports.
 *
 * Any number of hashes may run at once: hardware with one unit saves and loads its
 * state in `sha`. Keys and signatures are public, so time need not be constant.
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

const struct otter_crypto port_crypto = {
    .context = NULL,
    .sha256_init = sha256_init,
    .sha256_update = sha256_update,
    .sha256_final = sha256_final,
    .verify_p256 = verify_p256,
};
