/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures by an external command, so that a private key may stay in a security
 * module. The command is run by sh. It gets the SHA-256 that is to be signed, 32 bytes
 * as they are, on standard input (and as hex in OTTER_DIGEST, with the key's id in
 * OTTER_KEY_ID) and gives the signature on standard output: r and s, 32 bytes each,
 * big-endian, or the same as DER. Nothing is used that the public key does not verify.
 */
#ifndef OTTER_TOOL_SIGN_WITH_H
#define OTTER_TOOL_SIGN_WITH_H

#include "files.h"
#include "otter/control.h"

enum { SIGN_WITH_TIMEOUT_S = 60, SIGN_WITH_TIMEOUT_MAX_S = 3600 };

struct external_signer {
    const char *command;
    const char *public_path; /* NULL: not given yet */
    unsigned timeout_s;
    struct otter_key key; /* after external_signer_load() */
};

/* Loads the public key. Prints what is wrong and returns the tool's exit status. */
int external_signer_load(struct external_signer *signer);

/* Runs the command. Prints what is wrong and returns the tool's exit status; then
 * `signature` is untouched. */
int external_signer_sign(const struct external_signer *signer,
                         const uint8_t digest[OTTER_SHA256_SIZE],
                         uint8_t signature[OTTER_P256_SIGNATURE_SIZE]);

#endif
