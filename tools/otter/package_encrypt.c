/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypting and decrypting a package's members: host_wrap.h encrypts, the device's own
 * crypto port decrypts. Random numbers are OpenSSL's.
 */
#include "package_encrypt.h"

#include "crypto_bearssl.h"
#include "host_coding.h"
#include "verbs.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { EXTENSION_HEAD = 4, SCALAR_TRIES = 8 };

static bool is_encrypted(uint8_t flags)
{
    return (flags & (OTTER_MEMBER_ENCRYPTED | OTTER_MEMBER_KEPT)) ==
           OTTER_MEMBER_ENCRYPTED;
}

/* ---- encrypting ---- */

static size_t wrap_size(const struct host_recipient *recipient)
{
    enum { HEAD = HOST_WRAP_ENTRY_MAX - OTTER_WRAP_SIZE, WRAPPED = 24 };

    return recipient->kind == OTTER_WRAP_ECIES_P256 ? HOST_WRAP_ENTRY_MAX
                                                    : (size_t)HEAD + WRAPPED;
}

size_t package_wraps_size(const struct package_encryption *encryption)
{
    size_t size = EXTENSION_HEAD;

    for (uint8_t i = 0; i < encryption->count; i++) {
        size += wrap_size(&encryption->recipients[i]);
    }
    return size;
}

/* What is to be encrypted, in memory of its own. */
static bool copy_stored(const struct host_package *package, struct host_member *members,
                        struct package_ciphers *ciphers)
{
    for (uint8_t i = 0; i < package->member_count; i++) {
        struct host_member *member = &members[i];
        struct host_image plain =
            member->stored.data != NULL ? member->stored : member->image;

        if (!is_encrypted(member->flags)) {
            continue;
        }
        ciphers->stored[i] = malloc(plain.size);
        if (ciphers->stored[i] == NULL) {
            return false;
        }
        memcpy(ciphers->stored[i], plain.data, plain.size);
        member->stored = (struct host_image){ciphers->stored[i], plain.size};
    }
    return true;
}

/* A random scalar is out of range once in 2^32 times. */
static enum otter_result wrap_random(const struct host_recipient *recipient,
                                     const uint8_t *key, struct otter_wrap *wrap)
{
    enum otter_result result = OTTER_E_SIGNATURE_FORM;
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE];

    for (int i = 0; i < SCALAR_TRIES && result == OTTER_E_SIGNATURE_FORM; i++) {
        if (RAND_priv_bytes(scalar, (int)sizeof(scalar)) == 1) {
            result = host_wrap(recipient, scalar, key, wrap);
        }
    }
    OPENSSL_cleanse(scalar, sizeof(scalar));
    return result;
}

static enum otter_result wrap_for(const struct package_encryption *encryption,
                                  const struct host_recipient *recipient,
                                  const uint8_t *key, struct otter_wrap *wrap)
{
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE];

    if (!encryption->is_reproducible) {
        return wrap_random(recipient, key, wrap);
    }
    host_ephemeral(encryption->secret, sizeof(encryption->secret), key, recipient->id,
                   scalar);
    enum otter_result result = host_wrap(recipient, scalar, key, wrap);

    OPENSSL_cleanse(scalar, sizeof(scalar));
    return result;
}

static int put_wraps(const struct package_encryption *encryption,
                     struct package_ciphers *ciphers)
{
    size_t size = 0;

    for (uint8_t i = 0; i < encryption->count; i++) {
        struct otter_wrap wrap;
        enum otter_result result = wrap_for(encryption, &encryption->recipients[i],
                                            ciphers->content_key, &wrap);

        if (result != OTTER_OK) {
            return complain_code("a key to encrypt to", result, TOOL_FAILED);
        }
        size += host_wrap_put(&wrap, ciphers->wraps + size);
    }
    return TOOL_DONE;
}

int package_encrypt(const struct package_encryption *encryption,
                    struct host_package *package, struct host_member *members,
                    struct host_extension *extension, struct package_ciphers *ciphers)
{
    *extension = (struct host_extension){
        .type = OTTER_EXTENSION_WRAPS | OTTER_EXTENSION_CRITICAL,
        .len = (uint16_t)(package_wraps_size(encryption) - EXTENSION_HEAD),
        .data = ciphers->wraps,
    };
    if (!copy_stored(package, members, ciphers)) {
        return complain("out of memory");
    }
    if (encryption->is_reproducible) {
        host_content_key(encryption->secret, sizeof(encryption->secret), package,
                         ciphers->content_key);
    } else if (RAND_priv_bytes(ciphers->content_key,
                               (int)sizeof(ciphers->content_key)) != 1) {
        return complain("OpenSSL has no random numbers");
    }
    if (encryption->content_key != NULL) {
        memcpy(encryption->content_key, ciphers->content_key, OTTER_AES_KEY_SIZE);
    }
    int status = put_wraps(encryption, ciphers);

    for (uint8_t i = 0; status == TOOL_DONE && i < package->member_count; i++) {
        if (ciphers->stored[i] != NULL) {
            host_encrypt(ciphers->content_key, i, ciphers->stored[i],
                         members[i].stored.size);
        }
    }
    return status;
}

void package_ciphers_free(struct package_ciphers *ciphers)
{
    for (size_t i = 0; i < OTTER_MEMBERS_MAX; i++) {
        free(ciphers->stored[i]);
    }
    OPENSSL_cleanse(ciphers, sizeof(*ciphers));
}

/* ---- decrypting ---- */

/* What a package is opened with. */
struct opened {
    struct otter_crypto crypto;
    struct otter_aes aes;
};

/* Decrypts the stored bytes and decodes them; what is in the file is not changed. */
static enum otter_result check_stored(const struct opened *opened,
                                      struct package_file *package,
                                      const struct otter_member *member, uint32_t off)
{
    const struct otter_crypto *crypto = &opened->crypto;
    uint8_t nonce[OTTER_AES_NONCE_SIZE];
    uint8_t *plain = malloc(member->stored_size);
    const struct host_image image = {plain, member->stored_size};
    const struct otter_source source = host_image_source(&image);

    if (plain == NULL) {
        return OTTER_E_DECRYPTED_HASH;
    }
    memcpy(plain, package->file.data + off, member->stored_size);
    otter_control_nonce(package->member_index, nonce);
    crypto->aes_ctr(crypto->context, &opened->aes, nonce, 0, plain,
                    member->stored_size);
    enum otter_result result = member->region == OTTER_REGION_TREE
                                   ? package_take_tree(package, &source, member)
                                   : host_decode(&source, member, NULL);

    OPENSSL_cleanse(plain, member->stored_size);
    free(plain);
    /* Of raw bytes the hash tells that the key was a wrong one. */
    return result == OTTER_E_CODING_HASH && member->coding == OTTER_CODING_RAW
               ? OTTER_E_DECRYPTED_HASH
               : result;
}

static enum otter_result check_member(const struct opened *opened,
                                      struct package_file *package)
{
    const struct otter_source inner = package_file_inner(package);
    struct otter_member member;
    uint8_t index = package->member_index;
    uint32_t off = 0;
    enum otter_result result =
        otter_control_member(&inner, &package->control, index, &member);

    if (result == OTTER_OK) {
        result = otter_control_member_off(&inner, &package->control, index, &off);
    }
    return result != OTTER_OK || !is_encrypted(member.flags)
               ? result
               : check_stored(opened, package, &member, off);
}

enum otter_result package_content_key(const struct package_file *package,
                                      const struct otter_key_store *store,
                                      uint8_t key[OTTER_AES_KEY_SIZE])
{
    const struct otter_source inner = package_file_inner(package);
    struct otter_crypto crypto;
    struct otter_wrap wrap;

    otter_crypto_bearssl_keys(&crypto, store);
    enum otter_result result =
        otter_control_find_wrap(&inner, &package->control, &crypto, &wrap);

    return result == OTTER_OK ? crypto.unwrap(crypto.context, &wrap, key) : result;
}

static enum otter_result open_package(const struct package_file *package,
                                      const struct otter_key_store *store,
                                      struct opened *opened)
{
    struct otter_crypto *crypto = &opened->crypto;
    uint8_t key[OTTER_AES_KEY_SIZE];
    enum otter_result result = package_content_key(package, store, key);

    otter_crypto_bearssl_keys(crypto, store);
    if (result == OTTER_OK) {
        crypto->aes_init(crypto->context, &opened->aes, key);
        OPENSSL_cleanse(key, sizeof(key));
    }
    return result;
}

enum otter_result package_check_content(struct package_file *package,
                                        const struct device_ring *ring)
{
    const struct otter_key_store store = {ring->keys, ring->count};
    struct opened opened;

    if (package->control.wrap_count == 0) {
        return OTTER_OK;
    }
    enum otter_result result = open_package(package, &store, &opened);

    for (uint8_t i = 0; result == OTTER_OK && i < package->control.member_count; i++) {
        package->member_index = i;
        result = check_member(&opened, package);
    }
    OPENSSL_cleanse(&opened, sizeof(opened));
    return result;
}
