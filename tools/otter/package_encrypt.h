/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypting a package's members, and decrypting them to check their content (K26).
 * Functions print what went wrong to stderr and return the tool's exit status.
 */
#ifndef OTTER_TOOL_PACKAGE_ENCRYPT_H
#define OTTER_TOOL_PACKAGE_ENCRYPT_H

#include "device_keys.h"
#include "package_read.h"

/* For whom a package is encrypted. */
struct package_encryption {
    struct host_recipient recipients[HOST_WRAPS_MAX];
    uint8_t count;
    bool is_reproducible; /* all keys follow from the secret; else they are random */
    uint8_t secret[HOST_ROOT_SIZE];
    uint8_t *content_key; /* where the package's is wanted; NULL: nobody asks */
};

/* What is made while a package is encrypted; stays in use until the file is built. */
struct package_ciphers {
    uint8_t *stored[OTTER_MEMBERS_MAX];
    uint8_t wraps[HOST_WRAPS_MAX * HOST_WRAP_ENTRY_MAX];
    uint8_t content_key[OTTER_AES_KEY_SIZE];
};

/* Bytes of the wraps' extension, its head included. */
size_t package_wraps_size(const struct package_encryption *encryption);

/* Encrypts what the members with the flag hold, and puts the wraps into `extension`,
 * which is one of the package's. Everything else of the package is final. Free with
 * package_ciphers_free(), which wipes, whatever is returned. */
int package_encrypt(const struct package_encryption *encryption,
                    struct host_package *package, struct host_member *members,
                    struct host_extension *extension, struct package_ciphers *ciphers);
void package_ciphers_free(struct package_ciphers *ciphers);

/* The content key of a whole package that holds wraps, by one of the device's keys:
 * 24-11 to 24-14. */
OTTER_MUST_CHECK enum otter_result package_content_key(
    const struct package_file *package, const struct otter_key_store *store,
    uint8_t key[OTTER_AES_KEY_SIZE]);

/* Opens the package with one of the keys, as a device does, and compares what its
 * encrypted members decrypt, and decode, to with their hashes; a tree of files is then
 * in `tree`. OTTER_OK, also if nothing is encrypted; 24-11 to 24-14; 24-17, 35-xx,
 * 38-xx and 21-21 with `member_index`. The package is whole. */
OTTER_MUST_CHECK enum otter_result package_check_content(
    struct package_file *package, const struct device_ring *ring);

#endif
