/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of signature checks: a table, each place holding its last question.
 * Hashes are OpenSSL's, whose context is copied as bytes; only the old names allow
 * that.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "memo.h"

#include "crypto_bearssl.h"

#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

enum { MEMO_SIZE = 4096 }; /* so that hardly ever two share a place in turn */

static struct memo {
    uint8_t
        question[OTTER_P256_KEY_SIZE + OTTER_SHA256_SIZE + OTTER_P256_SIGNATURE_SIZE];
    enum otter_result answer;
    bool is_used;
} memos[MEMO_SIZE];

static enum otter_result verify_with_memo(void *context, const uint8_t *key,
                                          const uint8_t *digest,
                                          const uint8_t *signature)
{
    struct memo wanted = {.is_used = true};
    uint32_t place = (digest[0] ^ signature[1]) | (uint32_t)digest[1] << 8;
    struct memo *memo = &memos[place % MEMO_SIZE];

    memcpy(wanted.question, key, OTTER_P256_KEY_SIZE);
    memcpy(wanted.question + OTTER_P256_KEY_SIZE, digest, OTTER_SHA256_SIZE);
    memcpy(wanted.question + OTTER_P256_KEY_SIZE + OTTER_SHA256_SIZE, signature,
           OTTER_P256_SIGNATURE_SIZE);
    if (!memo->is_used ||
        memcmp(memo->question, wanted.question, sizeof(wanted.question)) != 0) {
        wanted.answer =
            otter_crypto_bearssl.verify_p256(context, key, digest, signature);
        *memo = wanted;
    }
    return memo->answer;
}

/* --- hashes --- */

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct otter_sha256),
               "a running hash has the room of the port's");

static void fast_init(void *context, struct otter_sha256 *sha)
{
    (void)context;
    (void)SHA256_Init((SHA256_CTX *)sha->space);
}

static void fast_update(void *context, struct otter_sha256 *sha, const void *data,
                        size_t size)
{
    (void)context;
    (void)SHA256_Update((SHA256_CTX *)sha->space, data, size);
}

static void fast_final(void *context, struct otter_sha256 *sha,
                       uint8_t digest[OTTER_SHA256_SIZE])
{
    (void)context;
    (void)SHA256_Final(digest, (SHA256_CTX *)sha->space);
}

void memo_crypto(struct otter_crypto *crypto)
{
    crypto->verify_p256 = verify_with_memo;
    crypto->sha256_init = fast_init;
    crypto->sha256_update = fast_update;
    crypto->sha256_final = fast_final;
}
