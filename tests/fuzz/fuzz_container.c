/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package file of any bytes. Hashes would stop the fuzzer at once, so the crypto
 * port here "hashes" to zeros: with zeros in their hash fields, files pass all but
 * what a hash decides.
 */
#include "fuzz_source.h"
#include "otter/container.h"

#include <stdlib.h>
#include <string.h>

static void start(void *context, struct otter_sha256 *sha)
{
    (void)context;
    memset(sha, 0, sizeof(*sha));
}

static void feed(void *context, struct otter_sha256 *sha, const void *data, size_t size)
{
    const volatile uint8_t *bytes = data;

    (void)context;
    (void)sha;
    for (size_t i = 0; i < size; i++) {
        (void)bytes[i]; /* the sanitizer sees every byte read */
    }
}

static void end(void *context, struct otter_sha256 *sha,
                uint8_t digest[OTTER_SHA256_SIZE])
{
    (void)context;
    (void)sha;
    memset(digest, 0, OTTER_SHA256_SIZE);
}

static enum otter_result verify(void *context, const uint8_t *key,
                                const uint8_t *digest, const uint8_t *signature)
{
    (void)context;
    (void)key;
    (void)digest;
    (void)signature;
    return OTTER_E_SIGNATURE_BAD;
}

static const struct otter_crypto zeros = {
    .sha256_init = start,
    .sha256_update = feed,
    .sha256_final = end,
    .verify_p256 = verify,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes bytes;
    struct otter_control control;
    uint8_t hash[OTTER_SHA256_SIZE];
    uint8_t index = 0;
    const struct otter_source source = fuzz_source(&bytes, data, size);
    enum otter_result result =
        otter_container_check(&source, &zeros, &control, hash, &index);

    if (result == OTTER_OK && control.file_length != size) {
        abort();
    }
    if (result == OTTER_E_MEMBER_HASH && index >= control.member_count) {
        abort();
    }
    return 0;
}
