/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of encryption in files: recipients of packages, and the private halves that a
 * device, or whoever checks a package, has. P-256 keys are PEM as keys.h reads it; a
 * symmetric root is a PEM block "OTTER ROOT KEY" of 32 bytes. Functions print what went
 * wrong to stderr and return the tool's exit status.
 */
#ifndef OTTER_TOOL_DEVICE_KEYS_H
#define OTTER_TOOL_DEVICE_KEYS_H

#include "crypto_bearssl_keys.h"
#include "files.h"
#include "host_wrap.h"

enum { DEVICE_KEYS_MAX = 8 };

/* Makes a root: its PEM, and its id. */
int root_key_generate(struct bytes *pem, uint8_t id[OTTER_KEY_ID_SIZE]);

/* Reads the 32 bytes of a root. */
int root_key_load(const char *path, uint8_t root[HOST_ROOT_SIZE]);

/* Reads keys for which packages can be encrypted: P-256 keys, of which the public half
 * is enough, or roots. Refuses one that comes twice: no device takes a package with two
 * wraps for one key. */
int recipients_load(const char *const *paths, size_t count,
                    struct host_recipient *recipients);

/* Reads a key with which packages can be decrypted: a private P-256 key, or a root. */
int device_key_load(const char *path, struct otter_device_key *key);

/* Keys with which a package is opened. Wipe with device_ring_wipe(). */
struct device_ring {
    struct otter_device_key keys[DEVICE_KEYS_MAX];
    size_t count;
};
int device_ring_add(struct device_ring *ring, const char *path);
void device_ring_wipe(struct device_ring *ring);

#endif
