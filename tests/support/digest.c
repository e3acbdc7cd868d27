/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of bytes that lie together.
 */
#include "digest.h"

#include "crypto_bearssl.h"

void digest_of(const void *bytes, size_t size, uint8_t digest[OTTER_SHA256_SIZE])
{
    const struct otter_crypto *crypto = &otter_crypto_bearssl;
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, bytes, size);
    crypto->sha256_final(crypto->context, &sha, digest);
}
