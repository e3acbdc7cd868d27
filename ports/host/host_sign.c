/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic ECDSA P-256 by BearSSL, whose signer follows RFC 6979.
 */
#include "host_sign.h"

#include <bearssl.h>
#include <string.h>

/* Order of the P-256 group, big-endian: SP 800-186, section 3.2.1.3. */
static const uint8_t p256_order[HOST_SIGN_SCALAR_SIZE] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
    0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

/* BearSSL does not promise to notice a scalar out of range, so it is checked here. */
static int is_scalar(const uint8_t *scalar)
{
    static const uint8_t zero[HOST_SIGN_SCALAR_SIZE];

    return memcmp(scalar, zero, sizeof(zero)) != 0 &&
           memcmp(scalar, p256_order, sizeof(p256_order)) < 0;
}

enum otter_result host_sign_public(const uint8_t scalar[HOST_SIGN_SCALAR_SIZE],
                                   uint8_t key[OTTER_P256_KEY_SIZE])
{
    uint8_t copy[HOST_SIGN_SCALAR_SIZE];
    uint8_t point[BR_EC_KBUF_PUB_MAX_SIZE];
    br_ec_private_key private_key = {
        .curve = BR_EC_secp256r1, .x = copy, .xlen = sizeof(copy)};

    if (!is_scalar(scalar)) {
        return OTTER_E_SIGNATURE_FORM;
    }
    memcpy(copy, scalar, sizeof(copy));
    if (br_ec_compute_pub(&br_ec_p256_m31, NULL, point, &private_key) !=
        1 + OTTER_P256_KEY_SIZE) {
        return OTTER_E_SIGNATURE_FORM;
    }
    memcpy(key, point + 1, OTTER_P256_KEY_SIZE);
    return OTTER_OK;
}

enum otter_result host_sign_p256(const uint8_t scalar[HOST_SIGN_SCALAR_SIZE],
                                 const uint8_t digest[OTTER_SHA256_SIZE],
                                 uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    uint8_t copy[HOST_SIGN_SCALAR_SIZE];
    uint8_t made[OTTER_P256_SIGNATURE_SIZE];
    br_ec_private_key private_key = {
        .curve = BR_EC_secp256r1, .x = copy, .xlen = sizeof(copy)};

    if (!is_scalar(scalar)) {
        return OTTER_E_SIGNATURE_FORM;
    }
    memcpy(copy, scalar, sizeof(copy));
    if (br_ecdsa_i31_sign_raw(&br_ec_p256_m31, &br_sha256_vtable, digest, &private_key,
                              made) != sizeof(made)) {
        return OTTER_E_SIGNATURE_FORM;
    }
    memcpy(signature, made, sizeof(made));
    return OTTER_OK;
}
