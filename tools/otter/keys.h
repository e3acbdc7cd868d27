/* SPDX-License-Identifier: Apache-2.0 */
/*
 * P-256 keys in PEM files, by OpenSSL: PKCS#8 or SEC 1 private keys, SPKI public keys.
 * Functions print what went wrong to stderr and return the tool's exit status.
 */
#ifndef OTTER_TOOL_KEYS_H
#define OTTER_TOOL_KEYS_H

#include "files.h"
#include "host_sign.h"
#include "otter/control.h"

/* A private key with its public half. Wipe it with key_wipe(). */
struct signing_key {
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE]; /* big-endian */
    struct otter_key key;
};

/* Loads a private key. */
int key_load_private(const char *path, struct signing_key *key);

/* Loads a public key; a private key's file gives its public half. */
int key_load_public(const char *path, struct otter_key *key);

/* The same; `is_private` tells which kind of file it is. */
int key_load_any(const char *path, struct otter_key *key, bool *is_private);

/* The key as PEM (SPKI). Free it. */
int key_public_pem(const struct otter_key *key, struct bytes *pem);

/* Makes a new key: PEM of the private key (PKCS#8) and of the public one (SPKI). */
int key_generate(struct bytes *private_pem, struct bytes *public_pem,
                 struct signing_key *key);

/* Checks a signature with OpenSSL, which has no part in making it (host_sign.h). */
int key_check_signature(const struct otter_key *key,
                        const uint8_t digest[OTTER_SHA256_SIZE],
                        const uint8_t signature[OTTER_P256_SIGNATURE_SIZE]);

/* True if the key's private half made the signature. */
bool key_has_signed(const struct otter_key *key,
                    const uint8_t digest[OTTER_SHA256_SIZE],
                    const uint8_t signature[OTTER_P256_SIGNATURE_SIZE]);

/* Reads r and s from DER that has nothing behind it; false if it is none. */
bool key_signature_of_der(const uint8_t *der, size_t len,
                          uint8_t signature[OTTER_P256_SIGNATURE_SIZE]);

void key_wipe(struct signing_key *key);

#endif
