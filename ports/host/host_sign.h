/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing on the host: deterministic ECDSA P-256 with SHA-256 (RFC 6979), so that the
 * same key and content always give the same bytes (K26). For tests and tools; no
 * device holds a private key of this kind.
 */
#ifndef OTTER_HOST_SIGN_H
#define OTTER_HOST_SIGN_H

#include "otter/error.h"
#include "otter/port/crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HOST_SIGN_SCALAR_SIZE = 32 }; /* private scalar, big-endian */

/* The public key of `scalar`. OTTER_E_SIGNATURE_FORM unless 0 < scalar < the order of
 * the group; `key` is then untouched. */
OTTER_MUST_CHECK enum otter_result host_sign_public(
    const uint8_t scalar[HOST_SIGN_SCALAR_SIZE], uint8_t key[OTTER_P256_KEY_SIZE]);

/* Signs `digest`. Fails as host_sign_public() does; `signature` is then untouched. */
OTTER_MUST_CHECK enum otter_result host_sign_p256(
    const uint8_t scalar[HOST_SIGN_SCALAR_SIZE],
    const uint8_t digest[OTTER_SHA256_SIZE],
    uint8_t signature[OTTER_P256_SIGNATURE_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
