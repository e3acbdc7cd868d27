/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encrypting side of encrypted packages, on the host (K26): content keys, key
 * wraps, members' ciphertext. Bytes: docs/SPEC.md, "Key wraps" and "Encrypted members".
 * Makes no random numbers: the caller gives them, or a secret from which all of them
 * follow.
 */
#ifndef OTTER_HOST_WRAP_H
#define OTTER_HOST_WRAP_H

#include "factory.h"
#include "otter/port/crypto.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    HOST_WRAPS_MAX = 8,
    HOST_ROOT_SIZE = 32,
    HOST_WRAP_ENTRY_MAX = 12 + OTTER_WRAP_SIZE, /* bytes of one wrap's entry */
};

/* Somebody for whom a content key is wrapped. */
struct host_recipient {
    uint8_t kind; /* enum otter_wrap_kind */
    uint8_t id[OTTER_KEY_ID_SIZE];
    uint8_t point[OTTER_P256_KEY_SIZE]; /* OTTER_WRAP_ECIES_P256 */
    uint8_t root[HOST_ROOT_SIZE];       /* OTTER_WRAP_AES256 */
};

/* Fills the id from the point or the root. */
void host_recipient_id(struct host_recipient *recipient);

/* Wraps `key`. `scalar`, 1 to n-1 and used once, is the ephemeral one of ECIES; a root
 * needs none. 22-13 for a scalar out of range, 24-14 for a point that is none. */
OTTER_MUST_CHECK enum otter_result host_wrap(
    const struct host_recipient *recipient, const uint8_t scalar[HOST_SIGN_SCALAR_SIZE],
    const uint8_t key[OTTER_AES_KEY_SIZE], struct otter_wrap *wrap);

/* Writes a wrap's entry; answers its size, up to HOST_WRAP_ENTRY_MAX. */
size_t host_wrap_put(const struct otter_wrap *wrap, uint8_t *out);

/* Encrypts or decrypts, in place, what member `index` has in the file. */
void host_encrypt(const uint8_t key[OTTER_AES_KEY_SIZE], uint8_t index, uint8_t *data,
                  size_t size);

/* --reproducible: the content key from a secret and all that it will encrypt: members
 * of `package` with the flag "encrypted", whose `stored` holds what is to be encrypted.
 * Their number and lengths are final, and so is the image header. */
void host_content_key(const uint8_t *secret, size_t secret_size,
                      const struct host_package *package,
                      uint8_t key[OTTER_AES_KEY_SIZE]);

/* --reproducible: the ephemeral scalar of one recipient's wrap. */
void host_ephemeral(const uint8_t *secret, size_t secret_size,
                    const uint8_t key[OTTER_AES_KEY_SIZE],
                    const uint8_t recipient[OTTER_KEY_ID_SIZE],
                    uint8_t scalar[HOST_SIGN_SCALAR_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
