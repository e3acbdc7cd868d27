/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of signature checks: a small table, each place holding its last question.
 */
#include "memo.h"

#include "crypto_bearssl.h"

#include <stdbool.h>
#include <string.h>

enum { MEMO_SIZE = 64 };

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
    struct memo *memo = &memos[(digest[0] ^ signature[1]) % MEMO_SIZE];

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

void memo_crypto(struct otter_crypto *crypto)
{
    crypto->verify_p256 = verify_with_memo;
}
