/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encryption in the crypto port on BearSSL and on the host (K26). Published vectors:
 * RFC 3394 (AES key wrap), RFC 5869 (HKDF), NIST SP 800-38A (counter mode), NIST CAVS
 * 14.1 (ECDH on P-256). The whole wrap: tests/vectors/make_encrypted.py, made from
 * docs/SPEC.md with another library.
 */
#include "../vectors/wrap_vectors.h"
#include "crypto_bearssl.h"
#include "crypto_bearssl_inner.h"
#include "crypto_bearssl_keys.h"
#include "host_wrap.h"
#include "otter/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { P256_ENTRY = 100, ENTRY_HEAD = 12, TEXT_SIZE = sizeof(vector_plain) };

static void from_hex(const char *hex, uint8_t *bytes, size_t size)
{
    assert_int_equal(strlen(hex), 2 * size);
    for (size_t i = 0; i < size; i++) {
        unsigned value = 0;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
}

/* The keys of a device: the vectors' P-256 key and root, and a storage key. */
struct keys {
    struct otter_device_key keys[3];
    struct otter_key_store store;
    struct otter_crypto crypto;
};

static void open_keys(struct keys *keys)
{
    memset(keys, 0, sizeof(*keys));
    keys->keys[0].kind = OTTER_DEVICE_KEY_P256;
    memcpy(keys->keys[0].id, vector_device_id, OTTER_KEY_ID_SIZE);
    memcpy(keys->keys[0].secret, vector_device_scalar, OTTER_DEVICE_SECRET_SIZE);
    keys->keys[1].kind = OTTER_DEVICE_KEY_ROOT;
    memcpy(keys->keys[1].id, vector_root_id, OTTER_KEY_ID_SIZE);
    memcpy(keys->keys[1].secret, vector_root, OTTER_DEVICE_SECRET_SIZE);
    keys->keys[2].kind = OTTER_DEVICE_KEY_STORAGE;
    memcpy(keys->keys[2].secret, vector_storage_secret, OTTER_DEVICE_SECRET_SIZE);
    keys->store = (struct otter_key_store){keys->keys, 3};
    otter_crypto_bearssl_keys(&keys->crypto, &keys->store);
}

/* The vectors' wrap for the P-256 key, or for the root. */
static struct otter_wrap wrap_of(enum otter_wrap_kind kind)
{
    struct otter_wrap wrap = {.kind = (uint8_t)kind};
    const uint8_t *entry =
        kind == OTTER_WRAP_ECIES_P256 ? vector_wraps : vector_wraps + P256_ENTRY;

    wrap.size = entry[10];
    memcpy(wrap.key_id, entry, OTTER_KEY_ID_SIZE);
    memcpy(wrap.bytes, entry + ENTRY_HEAD, wrap.size);
    return wrap;
}

static enum otter_result unwrap(const struct keys *keys, const struct otter_wrap *wrap,
                                uint8_t *key)
{
    return keys->crypto.unwrap(keys->crypto.context, wrap, key);
}

/* ---- published vectors ---- */

/* RFC 3394, 4.3: 128 bits of key data under a 256-bit key. */
static void aes_key_wrap_matches_rfc_3394(void **state)
{
    struct host_recipient root = {.kind = OTTER_WRAP_AES256};
    uint8_t kek[BEARSSL_KEK_SIZE];
    uint8_t wrapped[BEARSSL_WRAPPED_SIZE];
    uint8_t expected[OTTER_AES_KEY_SIZE];
    uint8_t key[OTTER_AES_KEY_SIZE];
    struct otter_wrap wrap;

    (void)state;
    from_hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", kek,
             sizeof(kek));
    from_hex("64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7", wrapped,
             sizeof(wrapped));
    from_hex("00112233445566778899AABBCCDDEEFF", expected, sizeof(expected));
    assert_int_equal(bearssl_unwrap(kek, wrapped, key), OTTER_OK);
    assert_memory_equal(key, expected, sizeof(key));

    memcpy(root.root, kek, sizeof(kek));
    host_recipient_id(&root);
    assert_int_equal(host_wrap(&root, kek, expected, &wrap), OTTER_OK);
    assert_int_equal(wrap.size, sizeof(wrapped));
    assert_memory_equal(wrap.bytes, wrapped, sizeof(wrapped));
}

static void any_flipped_bit_of_a_wrapped_key_is_noticed(void **state)
{
    struct keys keys;
    struct otter_wrap wrap = wrap_of(OTTER_WRAP_AES256);
    uint8_t key[OTTER_AES_KEY_SIZE] = {0x5A};

    (void)state;
    open_keys(&keys);
    for (size_t bit = 0; bit < 8U * wrap.size; bit++) {
        wrap.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(unwrap(&keys, &wrap, key), OTTER_E_KEY_WRONG);
        wrap.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(key[0], 0x5A);
}

/* RFC 5869, A.3: no salt, no info; A.2 and A.1 have salts, which are not used here. */
static void hkdf_matches_rfc_5869(void **state)
{
    uint8_t secret[22];
    uint8_t expected[42];
    uint8_t made[42];

    (void)state;
    memset(secret, 0x0B, sizeof(secret));
    from_hex("8DA4E775A563C18F715F802A063C5A31B8A11F5C5EE1879EC3454E5F3C738D2D"
             "9D201395FAA4B61A96C8",
             expected, sizeof(expected));
    bearssl_hkdf(secret, sizeof(secret), NULL, 0, made, sizeof(made));
    assert_memory_equal(made, expected, sizeof(made));
}

/* SP 800-38A, F.5.1 and F.5.2: CTR-AES128. */
static void counter_mode_matches_sp_800_38a(void **state)
{
    static const char plain_hex[] =
        "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51"
        "30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710";
    static const char cipher_hex[] =
        "874D6191B620E3261BEF6864990DB6CE9806F66B7970FDFF8617187BB9FFFDFF"
        "5AE4DF3EDBD5D35E5B4F09020DB03EAB1E031DDA2FBE03D1792170A0F3009CEE";
    struct keys keys;
    struct otter_aes aes;
    uint8_t key[OTTER_AES_KEY_SIZE];
    uint8_t nonce[OTTER_AES_NONCE_SIZE];
    uint8_t plain[64];
    uint8_t data[64];

    (void)state;
    open_keys(&keys);
    from_hex("2B7E151628AED2A6ABF7158809CF4F3C", key, sizeof(key));
    from_hex("F0F1F2F3F4F5F6F7F8F9FAFB", nonce, sizeof(nonce));
    from_hex(plain_hex, plain, sizeof(plain));
    from_hex(cipher_hex, data, sizeof(data));
    keys.crypto.aes_init(keys.crypto.context, &aes, key);
    bearssl_ctr(&aes, nonce, 0xFCFDFEFF, data, sizeof(data));
    assert_memory_equal(data, plain, sizeof(data));
}

struct cavs {
    const char *x, *y, *scalar, *secret;
};

/* NIST CAVS 14.1, KAS_ECC_CDH_PrimitiveTest, P-256, COUNT = 0 and 1. */
static const struct cavs cavs[] = {
    {"700C48F77F56584C5CC632CA65640DB91B6BACCE3A4DF6B42CE7CC838833D287",
     "DB71E509E3FD9B060DDB20BA5C51DCC5948D46FBF640DFE0441782CAB85FA4AC",
     "7D7DC5F71EB29DDAF80D6214632EEAE03D9058AF1FB6D22ED80BADB62BC1A534",
     "46FC62106420FF012E54A434FBDD2D25CCC5852060561E68040DD7778997BD7B"},
    {"809F04289C64348C01515EB03D5CE7AC1A8CB9498F5CAA50197E58D43A86A7AE",
     "B29D84E811197F25EBA8F5194092CB6FF440E26D4421011372461F579271CDA3",
     "38F65D6DCE47676044D58CE5139582D568F64BB16098D179DBAB07741DD5CAF5",
     "057D636096CB80B67A8C038C890E887D1ADFA4195E9B3CE241C8A778C59CDA67"},
};

static void ecdh_matches_nist_cavs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cavs) / sizeof(cavs[0]); i++) {
        uint8_t point[OTTER_P256_KEY_SIZE];
        uint8_t scalar[BEARSSL_SECRET_SIZE];
        uint8_t expected[BEARSSL_SECRET_SIZE];
        uint8_t secret[BEARSSL_SECRET_SIZE];

        from_hex(cavs[i].x, point, 32);
        from_hex(cavs[i].y, point + 32, 32);
        from_hex(cavs[i].scalar, scalar, sizeof(scalar));
        from_hex(cavs[i].secret, expected, sizeof(expected));
        assert_int_equal(bearssl_ecdh(scalar, point, secret), OTTER_OK);
        assert_memory_equal(secret, expected, sizeof(secret));
        point[63] ^= 1; /* no point of the curve any more */
        assert_int_equal(bearssl_ecdh(scalar, point, secret), OTTER_E_WRAP_DAMAGED);
    }
}

/* ---- the whole wrap, by another implementation ---- */

static void k26_either_wrap_of_the_vectors_gives_the_content_key(void **state)
{
    static const enum otter_wrap_kind kinds[] = {OTTER_WRAP_ECIES_P256,
                                                 OTTER_WRAP_AES256};
    struct keys keys;

    (void)state;
    open_keys(&keys);
    for (size_t i = 0; i < 2; i++) {
        struct otter_wrap wrap = wrap_of(kinds[i]);
        uint8_t key[OTTER_AES_KEY_SIZE];

        assert_int_equal(
            keys.crypto.find_key(keys.crypto.context, wrap.key_id, wrap.kind),
            OTTER_OK);
        assert_int_equal(unwrap(&keys, &wrap, key), OTTER_OK);
        assert_memory_equal(key, vector_content_key, sizeof(key));
    }
}

static void k26_the_host_makes_the_wraps_of_the_vectors(void **state)
{
    struct host_recipient device = {.kind = OTTER_WRAP_ECIES_P256};
    struct host_recipient root = {.kind = OTTER_WRAP_AES256};
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE];
    uint8_t entry[HOST_WRAP_ENTRY_MAX];
    struct otter_wrap wrap;

    (void)state;
    memcpy(device.point, vector_device_point, sizeof(device.point));
    memcpy(root.root, vector_root, sizeof(root.root));
    host_recipient_id(&device);
    host_recipient_id(&root);
    assert_memory_equal(device.id, vector_device_id, sizeof(device.id));
    assert_memory_equal(root.id, vector_root_id, sizeof(root.id));
    host_ephemeral(vector_secret, sizeof(vector_secret), vector_content_key, device.id,
                   scalar);
    assert_memory_equal(scalar, vector_ephemeral, sizeof(scalar));
    assert_int_equal(host_wrap(&device, scalar, vector_content_key, &wrap), OTTER_OK);
    assert_int_equal(host_wrap_put(&wrap, entry), P256_ENTRY);
    assert_memory_equal(entry, vector_wraps, P256_ENTRY);
    assert_int_equal(host_wrap(&root, NULL, vector_content_key, &wrap), OTTER_OK);
    assert_int_equal(host_wrap_put(&wrap, entry), sizeof(vector_wraps) - P256_ENTRY);
    assert_memory_equal(entry, vector_wraps + P256_ENTRY,
                        sizeof(vector_wraps) - P256_ENTRY);
}

static void a_recipient_or_scalar_that_is_none_is_refused(void **state)
{
    struct host_recipient device = {.kind = OTTER_WRAP_ECIES_P256};
    const uint8_t zero[HOST_SIGN_SCALAR_SIZE] = {0};
    struct otter_wrap wrap;

    (void)state;
    memcpy(device.point, vector_device_point, sizeof(device.point));
    assert_int_equal(host_wrap(&device, zero, vector_content_key, &wrap),
                     OTTER_E_SIGNATURE_FORM);
    device.point[0] ^= 1;
    assert_int_equal(host_wrap(&device, vector_ephemeral, vector_content_key, &wrap),
                     OTTER_E_WRAP_DAMAGED);
}

/* ---- codes ---- */

static void wrong_missing_and_revoked_keys_have_their_codes(void **state)
{
    struct keys keys;
    struct otter_wrap wrap = wrap_of(OTTER_WRAP_ECIES_P256);
    uint8_t key[OTTER_AES_KEY_SIZE] = {0x5A};

    (void)state;
    open_keys(&keys);
    memcpy(keys.keys[0].secret, vector_other_scalar, OTTER_DEVICE_SECRET_SIZE);
    assert_int_equal(unwrap(&keys, &wrap, key), OTTER_E_KEY_WRONG);
    keys.keys[0].is_revoked = true;
    assert_int_equal(unwrap(&keys, &wrap, key), OTTER_E_KEY_REVOKED);
    assert_int_equal(keys.crypto.find_key(keys.crypto.context, wrap.key_id, wrap.kind),
                     OTTER_E_KEY_REVOKED);
    keys.keys[0].id[7] ^= 1;
    assert_int_equal(unwrap(&keys, &wrap, key), OTTER_E_KEY_MISSING);
    assert_int_equal(keys.crypto.find_key(keys.crypto.context, wrap.key_id, wrap.kind),
                     OTTER_E_KEY_MISSING);
    open_keys(&keys);
    wrap.kind = OTTER_WRAP_AES256; /* the id is right, the kind is not */
    assert_int_equal(unwrap(&keys, &wrap, key), OTTER_E_KEY_MISSING);
    assert_int_equal(key[0], 0x5A);
}

static void a_storage_key_opens_no_package(void **state)
{
    const uint8_t no_id[OTTER_KEY_ID_SIZE] = {0};
    struct keys keys;

    (void)state;
    open_keys(&keys);
    assert_int_equal(
        keys.crypto.find_key(keys.crypto.context, no_id, OTTER_DEVICE_KEY_STORAGE),
        OTTER_E_KEY_MISSING);
}

/* Any bit of point and wrapped key; a flipped point is nearly never one of the curve.
 */
static void any_flipped_bit_of_an_ecies_wrap_is_noticed(void **state)
{
    struct keys keys;
    struct otter_wrap wrap = wrap_of(OTTER_WRAP_ECIES_P256);
    uint8_t key[OTTER_AES_KEY_SIZE];

    (void)state;
    open_keys(&keys);
    for (size_t bit = 0; bit < 8U * wrap.size; bit += 5) {
        bool is_point = bit < 8U * OTTER_P256_KEY_SIZE;

        wrap.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(unwrap(&keys, &wrap, key),
                         is_point ? OTTER_E_WRAP_DAMAGED : OTTER_E_KEY_WRONG);
        wrap.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void a_wrap_of_another_length_is_damaged(void **state)
{
    static const enum otter_wrap_kind kinds[] = {OTTER_WRAP_ECIES_P256,
                                                 OTTER_WRAP_AES256};
    struct keys keys;

    (void)state;
    open_keys(&keys);
    for (size_t i = 0; i < 2; i++) {
        struct otter_wrap wrap = wrap_of(kinds[i]);
        uint8_t key[OTTER_AES_KEY_SIZE];

        wrap.size--;
        assert_int_equal(unwrap(&keys, &wrap, key), OTTER_E_WRAP_DAMAGED);
    }
}

/* ---- members ---- */

static void k26_a_member_is_encrypted_under_its_index(void **state)
{
    uint8_t data[TEXT_SIZE];

    (void)state;
    memcpy(data, vector_plain, sizeof(data));
    host_encrypt(vector_content_key, 0, data, sizeof(data));
    assert_memory_equal(data, vector_cipher, sizeof(data));
    host_encrypt(vector_content_key, 0, data, sizeof(data));
    host_encrypt(vector_content_key, 7, data, sizeof(data));
    assert_memory_equal(data, vector_cipher_7, sizeof(data));
}

/* Every part of the text, decrypted alone, is what it is in the whole. */
static void k26_decryption_is_addressable_by_offset(void **state)
{
    enum { AROUND = 70 };
    struct keys keys;
    struct otter_aes aes;
    uint8_t nonce[OTTER_AES_NONCE_SIZE];

    (void)state;
    open_keys(&keys);
    keys.crypto.aes_init(keys.crypto.context, &aes, vector_content_key);
    otter_control_nonce(0, nonce);
    for (uint32_t off = 0; off < AROUND; off++) {
        for (uint32_t len = 0; len <= AROUND; len++) {
            uint8_t part[AROUND + 1];

            memcpy(part, vector_cipher + off, sizeof(part));
            keys.crypto.aes_ctr(keys.crypto.context, &aes, nonce, off, part, len);
            assert_memory_equal(part, vector_plain + off, len);
            assert_memory_equal(part + len, vector_cipher + off + len,
                                sizeof(part) - len);
        }
    }
}

/* ---- what lies outside the processor's flash ---- */

static void the_storage_key_belongs_to_device_and_content(void **state)
{
    struct keys keys;
    uint8_t number[OTTER_SHA256_SIZE];
    uint8_t key[OTTER_AES_KEY_SIZE];

    (void)state;
    open_keys(&keys);
    assert_int_equal(
        keys.crypto.storage_key(keys.crypto.context, vector_storage_number, key),
        OTTER_OK);
    assert_memory_equal(key, vector_storage_key, sizeof(key));
    memcpy(number, vector_storage_number, sizeof(number));
    number[31] ^= 1;
    assert_int_equal(keys.crypto.storage_key(keys.crypto.context, number, key),
                     OTTER_OK);
    assert_memory_not_equal(key, vector_storage_key, sizeof(key));
    keys.store.count = 2;
    assert_int_equal(keys.crypto.storage_key(keys.crypto.context, number, key),
                     OTTER_E_STORAGE_KEY);
}

static void the_port_without_keys_offers_no_decryption(void **state)
{
    (void)state;
    assert_null(otter_crypto_bearssl.aes_init);
    assert_null(otter_crypto_bearssl.aes_ctr);
    assert_null(otter_crypto_bearssl.find_key);
    assert_null(otter_crypto_bearssl.unwrap);
    assert_null(otter_crypto_bearssl.storage_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_key_wrap_matches_rfc_3394),
        cmocka_unit_test(any_flipped_bit_of_a_wrapped_key_is_noticed),
        cmocka_unit_test(hkdf_matches_rfc_5869),
        cmocka_unit_test(counter_mode_matches_sp_800_38a),
        cmocka_unit_test(ecdh_matches_nist_cavs),
        cmocka_unit_test(k26_either_wrap_of_the_vectors_gives_the_content_key),
        cmocka_unit_test(k26_the_host_makes_the_wraps_of_the_vectors),
        cmocka_unit_test(a_recipient_or_scalar_that_is_none_is_refused),
        cmocka_unit_test(wrong_missing_and_revoked_keys_have_their_codes),
        cmocka_unit_test(a_storage_key_opens_no_package),
        cmocka_unit_test(any_flipped_bit_of_an_ecies_wrap_is_noticed),
        cmocka_unit_test(a_wrap_of_another_length_is_damaged),
        cmocka_unit_test(k26_a_member_is_encrypted_under_its_index),
        cmocka_unit_test(k26_decryption_is_addressable_by_offset),
        cmocka_unit_test(the_storage_key_belongs_to_device_and_content),
        cmocka_unit_test(the_port_without_keys_offers_no_decryption),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
