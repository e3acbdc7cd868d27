/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in PEM files, read and made by OpenSSL 3. Signing is deterministic (K26) and
 * therefore done by host_sign.h; OpenSSL checks what came out.
 *
 * Facts: RFC 7468 (PEM labels), RFC 5958 (PKCS#8), RFC 5480 (public keys).
 */
#include "keys.h"

#include "factory.h"
#include "verbs.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum {
    PEM_LIMIT = 65536,
    COORDINATE = OTTER_P256_KEY_SIZE / 2,
    GROUP_NAME_SIZE = 64,
    POINT_SIZE = 1 + OTTER_P256_KEY_SIZE,
    POINT_UNCOMPRESSED = 4,
};

void key_wipe(struct signing_key *key)
{
    OPENSSL_cleanse(key, sizeof(*key));
}

/* --- reading PEM --- */

/* Nobody is asked for a passphrase. */
/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL gives the signature */
static int no_passphrase(char *text, int size, int is_writing, void *context)
{
    (void)text;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static bool has_label(const struct bytes *pem, const char *label)
{
    return memmem(pem->data, pem->size, label, strlen(label)) != NULL;
}

static EVP_PKEY *parse_pem(const struct bytes *pem, bool is_private)
{
    BIO *in = BIO_new_mem_buf(pem->data, (int)pem->size);
    EVP_PKEY *pkey = NULL;

    if (in == NULL) {
        return NULL;
    }
    pkey = is_private ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL)
                      : PEM_read_bio_PUBKEY(in, NULL, no_passphrase, NULL);
    BIO_free_all(in);
    return pkey;
}

static int check_curve(const char *path, const EVP_PKEY *pkey)
{
    char group[GROUP_NAME_SIZE] = "";

    if (EVP_PKEY_is_a(pkey, "EC") == 0) {
        return complain("%s: the key is not an elliptic curve key; "
                        "make a P-256 key with otter keygen",
                        path);
    }
    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                       sizeof(group), NULL) == 0 ||
        strcmp(group, SN_X9_62_prime256v1) != 0) {
        return complain("%s: the key is on the curve %s, not on P-256; "
                        "make a P-256 key with otter keygen",
                        path, group[0] != '\0' ? group : "(unnamed)");
    }
    return TOOL_DONE;
}

/* What is wrong with a PEM file for the wanted kind of key, by its labels. */
static int check_labels(const char *path, const struct bytes *pem, bool is_private)
{
    if (!has_label(pem, "-----BEGIN ")) {
        return complain("%s: not a PEM file; give a key made by otter keygen", path);
    }
    if (has_label(pem, "ENCRYPTED")) {
        return complain("%s: the key is encrypted; decrypt it first with openssl pkey",
                        path);
    }
    if (has_label(pem, "PRIVATE KEY-----") ||
        (!is_private && has_label(pem, "PUBLIC KEY-----"))) {
        return TOOL_DONE;
    }
    return complain("%s: holds no %s; give %s", path,
                    is_private ? "private key" : "key",
                    is_private ? "the private key's file" : "a public key's PEM file");
}

/* `is_private`: only a private key will do; afterwards: it is one. */
static int load(const char *path, bool *is_private, EVP_PKEY **pkey)
{
    struct bytes pem;
    int status = file_read(path, PEM_LIMIT, &pem);

    *pkey = NULL;
    if (status == TOOL_DONE) {
        status = check_labels(path, &pem, *is_private);
    }
    if (status == TOOL_DONE) {
        *is_private = has_label(&pem, "PRIVATE KEY-----");
        *pkey = parse_pem(&pem, *is_private);
        status = *pkey == NULL ? complain("%s: the key cannot be read: it is damaged "
                                          "or of an unknown kind",
                                          path)
                               : check_curve(path, *pkey);
    }
    if (status != TOOL_DONE) {
        EVP_PKEY_free(*pkey);
        *pkey = NULL;
    }
    if (pem.data != NULL) {
        OPENSSL_cleanse(pem.data, pem.size);
    }
    bytes_free(&pem);
    return status;
}

/* --- from OpenSSL's key to ours --- */

static bool take_number(const EVP_PKEY *pkey, const char *name, uint8_t *bytes)
{
    BIGNUM *number = NULL;
    const bool is_taken = EVP_PKEY_get_bn_param(pkey, name, &number) != 0 &&
                          BN_bn2binpad(number, bytes, COORDINATE) == COORDINATE;

    BN_clear_free(number);
    return is_taken;
}

static bool take_public(const EVP_PKEY *pkey, struct otter_key *key)
{
    if (!take_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, key->point) ||
        !take_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key->point + COORDINATE)) {
        return false;
    }
    host_key_id(key);
    return true;
}

static bool take_private(const EVP_PKEY *pkey, struct signing_key *key)
{
    struct otter_key named;

    return take_number(pkey, OSSL_PKEY_PARAM_PRIV_KEY, key->scalar) &&
           take_public(pkey, &named) &&
           host_key_of(key->scalar, &key->key) == OTTER_OK &&
           memcmp(named.point, key->key.point, sizeof(named.point)) == 0;
}

int key_load_private(const char *path, struct signing_key *key)
{
    EVP_PKEY *pkey = NULL;
    bool is_private = true;
    int status = load(path, &is_private, &pkey);

    if (status == TOOL_DONE && !take_private(pkey, key)) {
        key_wipe(key);
        status = complain("%s: the private key is not valid: its halves do not belong "
                          "together",
                          path);
    }
    EVP_PKEY_free(pkey);
    return status;
}

int key_load_public(const char *path, struct otter_key *key)
{
    bool is_private = false;

    return key_load_any(path, key, &is_private);
}

int key_load_any(const char *path, struct otter_key *key, bool *is_private)
{
    EVP_PKEY *pkey = NULL;

    *is_private = false;
    int status = load(path, is_private, &pkey);

    if (status == TOOL_DONE && !take_public(pkey, key)) {
        status = complain("%s: the public key is not valid", path);
    }
    EVP_PKEY_free(pkey);
    return status;
}

/* --- making keys --- */

static bool copy_out(BIO *out, struct bytes *bytes)
{
    char *text = NULL;
    const long len = BIO_get_mem_data(out, &text);

    bytes->data = len > 0 ? malloc((size_t)len) : NULL;
    if (bytes->data == NULL) {
        return false;
    }
    memcpy(bytes->data, text, (size_t)len);
    bytes->size = (size_t)len;
    return true;
}

static bool write_pem(EVP_PKEY *pkey, bool is_private, struct bytes *pem)
{
    BIO *out = BIO_new(is_private ? BIO_s_secmem() : BIO_s_mem());
    bool is_done = out != NULL;

    if (is_done) {
        is_done = (is_private ? PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0,
                                                              NULL, NULL)
                              : PEM_write_bio_PUBKEY(out, pkey)) == 1 &&
                  copy_out(out, pem);
    }
    BIO_free_all(out);
    return is_done;
}

int key_generate(struct bytes *private_pem, struct bytes *public_pem,
                 struct signing_key *key)
{
    EVP_PKEY *pkey = EVP_EC_gen(SN_X9_62_prime256v1);
    const bool is_done = pkey != NULL && take_private(pkey, key) &&
                         write_pem(pkey, true, private_pem) &&
                         write_pem(pkey, false, public_pem);

    EVP_PKEY_free(pkey);
    return is_done ? TOOL_DONE : complain("OpenSSL cannot make a key");
}

/* --- signing --- */

static EVP_PKEY *public_of(const struct otter_key *key)
{
    uint8_t point[POINT_SIZE] = {POINT_UNCOMPRESSED};
    char group[] = SN_X9_62_prime256v1;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
                                          sizeof(point)),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pkey = NULL;

    memcpy(point + 1, key->point, sizeof(key->point));
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return pkey;
}

int key_public_pem(const struct otter_key *key, struct bytes *pem)
{
    EVP_PKEY *pkey = public_of(key);
    const bool is_done = pkey != NULL && write_pem(pkey, false, pem);

    EVP_PKEY_free(pkey);
    return is_done ? TOOL_DONE : complain("OpenSSL cannot write the key");
}

/* r and s as the DER that OpenSSL reads; its length, 0 on failure. */
static size_t der_of(const uint8_t *signature, uint8_t **der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, COORDINATE, NULL);
    BIGNUM *s = BN_bin2bn(signature + COORDINATE, COORDINATE, NULL);
    int len = 0;

    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else {
        len = i2d_ECDSA_SIG(pair, der);
    }
    ECDSA_SIG_free(pair);
    return len > 0 ? (size_t)len : 0;
}

bool key_has_signed(const struct otter_key *key,
                    const uint8_t digest[OTTER_SHA256_SIZE],
                    const uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    uint8_t *der = NULL;
    const size_t len = der_of(signature, &der);
    EVP_PKEY *pkey = public_of(key);
    EVP_PKEY_CTX *context = pkey == NULL ? NULL : EVP_PKEY_CTX_new(pkey, NULL);
    const bool is_good =
        len > 0 && context != NULL && EVP_PKEY_verify_init(context) == 1 &&
        EVP_PKEY_verify(context, der, len, digest, OTTER_SHA256_SIZE) == 1;

    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(pkey);
    OPENSSL_free(der);
    return is_good;
}

int key_check_signature(const struct otter_key *key,
                        const uint8_t digest[OTTER_SHA256_SIZE],
                        const uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    return key_has_signed(key, digest, signature)
               ? TOOL_DONE
               : complain("the signature that was made does not verify");
}

bool key_signature_of_der(const uint8_t *der, size_t len,
                          uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    const uint8_t *end = der;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &end, (long)len);
    const bool is_read =
        pair != NULL && end == der + len &&
        BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, COORDINATE) == COORDINATE &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + COORDINATE, COORDINATE) ==
            COORDINATE;

    ECDSA_SIG_free(pair);
    return is_read;
}
