/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of encryption in files. The label of a root's PEM block is our own: it is no key
 * that another program knows.
 */
#include "device_keys.h"

#include "keys.h"
#include "verbs.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { ROOT_PEM_LIMIT = 65536 };

static const char root_label[] = "OTTER ROOT KEY";

static bool is_root_file(const struct bytes *pem)
{
    static const char begin[] = "-----BEGIN OTTER ROOT KEY-----";

    return memmem(pem->data, pem->size, begin, sizeof(begin) - 1) != NULL;
}

int root_key_generate(struct bytes *pem, uint8_t id[OTTER_KEY_ID_SIZE])
{
    struct host_recipient recipient = {.kind = OTTER_WRAP_AES256};
    BIO *out = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long len = 0;

    if (out != NULL &&
        RAND_priv_bytes(recipient.root, (int)sizeof(recipient.root)) == 1 &&
        PEM_write_bio(out, root_label, "", recipient.root,
                      (long)sizeof(recipient.root)) > 0) {
        len = BIO_get_mem_data(out, &text);
    }
    *pem = (struct bytes){.data = len > 0 ? malloc((size_t)len) : NULL};
    if (pem->data != NULL && text != NULL) {
        memcpy(pem->data, text, (size_t)len);
        pem->size = (size_t)len;
    }
    host_recipient_id(&recipient);
    memcpy(id, recipient.id, OTTER_KEY_ID_SIZE);
    OPENSSL_cleanse(&recipient, sizeof(recipient));
    BIO_free_all(out);
    return pem->data != NULL ? TOOL_DONE : complain("OpenSSL cannot make a key");
}

/* The bytes of the first PEM block, if it is a root's. */
static bool parse_root(const struct bytes *pem, uint8_t root[HOST_ROOT_SIZE])
{
    BIO *in = BIO_new_mem_buf(pem->data, (int)pem->size);
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    bool is_root = false;

    if (in != NULL && PEM_read_bio(in, &name, &header, &data, &len) == 1) {
        is_root = strcmp(name, root_label) == 0 && len == HOST_ROOT_SIZE;
    }
    if (is_root) {
        memcpy(root, data, HOST_ROOT_SIZE);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, len > 0 ? (size_t)len : 0);
    BIO_free_all(in);
    return is_root;
}

/* `is_root` tells what kind the file is of; `root` is filled if it is a root's. */
static int load_root(const char *path, bool *is_root, uint8_t root[HOST_ROOT_SIZE])
{
    struct bytes pem;
    int status = file_read(path, ROOT_PEM_LIMIT, &pem);

    *is_root = status == TOOL_DONE && is_root_file(&pem);
    if (*is_root && !parse_root(&pem, root)) {
        status =
            complain("%s: the root key is damaged: it is not one block of %d bytes",
                     path, HOST_ROOT_SIZE);
    }
    if (pem.data != NULL) {
        OPENSSL_cleanse(pem.data, pem.size);
    }
    bytes_free(&pem);
    return status;
}

int root_key_load(const char *path, uint8_t root[HOST_ROOT_SIZE])
{
    bool is_root = false;
    int status = load_root(path, &is_root, root);

    return status == TOOL_DONE && !is_root
               ? complain("%s: holds no root key; make one with otter keygen --root",
                          path)
               : status;
}

static int recipient_load(const char *path, struct host_recipient *recipient)
{
    bool is_root = false;
    struct otter_key key;

    memset(recipient, 0, sizeof(*recipient));
    int status = load_root(path, &is_root, recipient->root);

    if (status != TOOL_DONE) {
        return status;
    }
    recipient->kind = is_root ? OTTER_WRAP_AES256 : OTTER_WRAP_ECIES_P256;
    if (!is_root) {
        status = key_load_public(path, &key);
        if (status != TOOL_DONE) {
            return status;
        }
        memcpy(recipient->point, key.point, sizeof(recipient->point));
    }
    host_recipient_id(recipient);
    return TOOL_DONE;
}

int recipients_load(const char *const *paths, size_t count,
                    struct host_recipient *recipients)
{
    for (size_t i = 0; i < count; i++) {
        const int status = recipient_load(paths[i], &recipients[i]);

        if (status != TOOL_DONE) {
            return status;
        }
        for (size_t k = 0; k < i; k++) {
            if (memcmp(recipients[k].id, recipients[i].id, OTTER_KEY_ID_SIZE) == 0) {
                return complain_usage("--encrypt-to %s: this key is given already, as "
                                      "%s; give it once",
                                      paths[i], paths[k]);
            }
        }
    }
    return TOOL_DONE;
}

int device_key_load(const char *path, struct otter_device_key *key)
{
    struct host_recipient root = {.kind = OTTER_WRAP_AES256};
    struct signing_key pair;
    bool is_root = false;

    memset(key, 0, sizeof(*key));
    int status = load_root(path, &is_root, root.root);

    if (status == TOOL_DONE && is_root) {
        host_recipient_id(&root);
        key->kind = OTTER_DEVICE_KEY_ROOT;
        memcpy(key->id, root.id, sizeof(key->id));
        memcpy(key->secret, root.root, sizeof(key->secret));
    } else if (status == TOOL_DONE) {
        status = key_load_private(path, &pair);
        if (status == TOOL_DONE) {
            key->kind = OTTER_DEVICE_KEY_P256;
            memcpy(key->id, pair.key.id, sizeof(key->id));
            memcpy(key->secret, pair.scalar, sizeof(key->secret));
            key_wipe(&pair);
        }
    }
    OPENSSL_cleanse(&root, sizeof(root));
    return status;
}

int device_ring_add(struct device_ring *ring, const char *path)
{
    if (ring->count == DEVICE_KEYS_MAX) {
        return complain_usage("at most %d keys can be given", (int)DEVICE_KEYS_MAX);
    }
    int status = device_key_load(path, &ring->keys[ring->count]);

    ring->count += status == TOOL_DONE;
    return status;
}

void device_ring_wipe(struct device_ring *ring)
{
    OPENSSL_cleanse(ring, sizeof(*ring));
}
