/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crypto port on BearSSL: SHA-256 and ECDSA P-256 verification. Constant time,
 * no allocation, any number of hashes at once; `context` is not used. It decrypts
 * nothing: crypto_bearssl_keys.h does.
 *
 * Compile crypto_bearssl.c with -DOTTER_BEARSSL_I15=1 for cores without a fast
 * 32 x 32 -> 64 multiplication (Cortex-M0, M0+, M3): more stack, fewer cycles there.
 */
#ifndef OTTER_CRYPTO_BEARSSL_H
#define OTTER_CRYPTO_BEARSSL_H

#include "otter/port/crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct otter_crypto otter_crypto_bearssl;

#ifdef __cplusplus
}
#endif

#endif
