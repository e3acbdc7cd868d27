/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crypto port on BearSSL and the host's signer against published vectors: SHA-256
 * from FIPS 180-4 (NIST's example values and short-message set), P-256 from RFC 6979
 * appendix A.2.5.
 */
#include "crypto_bearssl.h"
#include "host_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct otter_crypto *const crypto = &otter_crypto_bearssl;

/* RFC 6979 A.2.5: x, then Ux and Uy. */
#define SCALAR "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define KEY                                                            \
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6" \
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"

/* Order of the group: SP 800-186, section 3.2.1.3. */
#define ORDER "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"
#define ZERO  "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES  "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"

/* The generator, which is the public key of the scalar 1: SP 800-186, 3.2.1.3. */
#define GENERATOR                                                      \
    "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296" \
    "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"

struct signed_message {
    const char *message;
    const char *r;
    const char *s;
};

static const struct signed_message rfc6979[] = {
    {"sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
     "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
    {"test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
     "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"},
};

enum { RFC6979_COUNT = sizeof(rfc6979) / sizeof(rfc6979[0]) };

static void from_hex(const char *hex, uint8_t *bytes, size_t size)
{
    assert_int_equal(strlen(hex), 2 * size);
    for (size_t i = 0; i < size; i++) {
        unsigned value = 0;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
}

static void sha256(const void *data, size_t size, uint8_t digest[OTTER_SHA256_SIZE])
{
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, data, size);
    crypto->sha256_final(crypto->context, &sha, digest);
}

static enum otter_result verify_hex(const char *key_hex, const char *message,
                                    const char *r_hex, const char *s_hex)
{
    uint8_t key[OTTER_P256_KEY_SIZE];
    uint8_t digest[OTTER_SHA256_SIZE];
    uint8_t signature[OTTER_P256_SIGNATURE_SIZE];

    from_hex(key_hex, key, sizeof(key));
    from_hex(r_hex, signature, 32);
    from_hex(s_hex, signature + 32, 32);
    sha256(message, strlen(message), digest);
    return crypto->verify_p256(crypto->context, key, digest, signature);
}

static void sha256_matches_the_published_digests(void **state)
{
    static const struct {
        const char *message;
        const char *digest;
    } cases[] = {
        {"", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"},
        {"abc", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248D6A61D20638B8E5C026930C3E6039A33CE45964FF2167F6ECEDD419DB06C1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
         "klmnopqrlmnopqrsmnopqrstnopqrstu",
         "CF5B16A778AF8380036CE59E7B0492370B249B11E8F07A51AFAC45037AFEE9D1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t expected[OTTER_SHA256_SIZE];
        uint8_t digest[OTTER_SHA256_SIZE];

        from_hex(cases[i].digest, expected, sizeof(expected));
        sha256(cases[i].message, strlen(cases[i].message), digest);
        assert_memory_equal(digest, expected, sizeof(digest));
    }
}

/* FIPS 180-4 example: one million times the letter a. */
static void sha256_takes_a_million_bytes_in_pieces_of_any_size(void **state)
{
    static const size_t pieces[] = {1, 63, 64, 65, 1000};
    uint8_t letters[1000];
    uint8_t expected[OTTER_SHA256_SIZE];

    (void)state;
    memset(letters, 'a', sizeof(letters));
    from_hex("CDC76E5C9914FB9281A1C7E284D73E67F1809A48A497200E046D39CCC7112CD0",
             expected, sizeof(expected));
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        uint8_t digest[OTTER_SHA256_SIZE];
        struct otter_sha256 sha;

        crypto->sha256_init(crypto->context, &sha);
        for (size_t done = 0; done < 1000000;) {
            size_t left = 1000000 - done;
            size_t len = left < pieces[i] ? left : pieces[i];

            crypto->sha256_update(crypto->context, &sha, letters, len);
            done += len;
        }
        crypto->sha256_final(crypto->context, &sha, digest);
        assert_memory_equal(digest, expected, sizeof(digest));
    }
}

static void two_hashes_run_at_once_without_touching_each_other(void **state)
{
    struct otter_sha256 first;
    struct otter_sha256 second;
    uint8_t expected[OTTER_SHA256_SIZE];
    uint8_t digest[OTTER_SHA256_SIZE];

    (void)state;
    crypto->sha256_init(crypto->context, &first);
    crypto->sha256_update(crypto->context, &first, "a", 1);
    crypto->sha256_init(crypto->context, &second);
    crypto->sha256_update(crypto->context, &second, "zzz", 3);
    crypto->sha256_update(crypto->context, &first, "bc", 2);
    crypto->sha256_final(crypto->context, &second, digest);
    crypto->sha256_final(crypto->context, &first, digest);
    from_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
             expected, sizeof(expected));
    assert_memory_equal(digest, expected, sizeof(digest));
}

static void the_published_signatures_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < RFC6979_COUNT; i++) {
        assert_int_equal(
            verify_hex(KEY, rfc6979[i].message, rfc6979[i].r, rfc6979[i].s), OTTER_OK);
    }
}

static void a_signature_does_not_verify_for_another_message(void **state)
{
    (void)state;
    assert_int_equal(verify_hex(KEY, "sampla", rfc6979[0].r, rfc6979[0].s),
                     OTTER_E_SIGNATURE_BAD);
    assert_int_equal(verify_hex(KEY, "test", rfc6979[0].r, rfc6979[0].s),
                     OTTER_E_SIGNATURE_BAD);
}

/* Every bit of signature, digest and key takes part. */
static void a_flip_of_any_bit_is_noticed(void **state)
{
    enum { KEY_AT = 0, DIGEST_AT = 64, SIGNATURE_AT = 96, ALL = 160 };
    uint8_t bytes[ALL];

    (void)state;
    from_hex(KEY, bytes + KEY_AT, 64);
    sha256("sample", 6, bytes + DIGEST_AT);
    from_hex(rfc6979[0].r, bytes + SIGNATURE_AT, 32);
    from_hex(rfc6979[0].s, bytes + SIGNATURE_AT + 32, 32);
    for (size_t bit = 0; bit < 8 * (size_t)ALL; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(crypto->verify_p256(crypto->context, bytes + KEY_AT,
                                             bytes + DIGEST_AT, bytes + SIGNATURE_AT),
                         OTTER_E_SIGNATURE_BAD);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(crypto->verify_p256(crypto->context, bytes + KEY_AT,
                                         bytes + DIGEST_AT, bytes + SIGNATURE_AT),
                     OTTER_OK);
}

static void numbers_out_of_range_never_verify(void **state)
{
    static const struct {
        const char *r;
        const char *s;
    } cases[] = {
        {ZERO, "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
        {"EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716", ZERO},
        {ZERO, ZERO},
        {ORDER, "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
        {"EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716", ORDER},
        {ORDER, ORDER},
        {ONES, ONES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(verify_hex(KEY, "sample", cases[i].r, cases[i].s),
                         OTTER_E_SIGNATURE_BAD);
        assert_int_equal(verify_hex(ZERO ZERO, "sample", cases[i].r, cases[i].s),
                         OTTER_E_SIGNATURE_BAD);
    }
}

static void a_key_that_is_no_point_of_the_curve_never_verifies(void **state)
{
    static const char *const keys[] = {
        ZERO ZERO,
        ONES ONES,
        /* Uy + 1 */
        "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
        "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D446229A",
        /* X and Y swapped */
        "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
        "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_int_equal(verify_hex(keys[i], "sample", rfc6979[0].r, rfc6979[0].s),
                         OTTER_E_SIGNATURE_BAD);
    }
}

static void the_signer_makes_the_published_key_and_signatures(void **state)
{
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE];
    uint8_t expected[64];
    uint8_t made[64];

    (void)state;
    from_hex(SCALAR, scalar, sizeof(scalar));
    from_hex(KEY, expected, sizeof(expected));
    assert_int_equal(host_sign_public(scalar, made), OTTER_OK);
    assert_memory_equal(made, expected, sizeof(made));
    for (size_t i = 0; i < RFC6979_COUNT; i++) {
        uint8_t digest[OTTER_SHA256_SIZE];

        sha256(rfc6979[i].message, strlen(rfc6979[i].message), digest);
        from_hex(rfc6979[i].r, expected, 32);
        from_hex(rfc6979[i].s, expected + 32, 32);
        assert_int_equal(host_sign_p256(scalar, digest, made), OTTER_OK);
        assert_memory_equal(made, expected, sizeof(made));
    }
}

static void the_scalar_one_gives_the_generator(void **state)
{
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE] = {[31] = 1};
    uint8_t expected[OTTER_P256_KEY_SIZE];
    uint8_t key[OTTER_P256_KEY_SIZE];

    (void)state;
    from_hex(GENERATOR, expected, sizeof(expected));
    assert_int_equal(host_sign_public(scalar, key), OTTER_OK);
    assert_memory_equal(key, expected, sizeof(key));
}

static void the_signer_refuses_scalars_out_of_range(void **state)
{
    static const char *const scalars[] = {ZERO, ORDER, ONES};

    (void)state;
    for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
        uint8_t scalar[HOST_SIGN_SCALAR_SIZE];
        uint8_t digest[OTTER_SHA256_SIZE] = {1};
        uint8_t made[64] = {0x5A};

        from_hex(scalars[i], scalar, sizeof(scalar));
        assert_int_equal(host_sign_public(scalar, made), OTTER_E_SIGNATURE_FORM);
        assert_int_equal(host_sign_p256(scalar, digest, made), OTTER_E_SIGNATURE_FORM);
        assert_int_equal(made[0], 0x5A);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_matches_the_published_digests),
        cmocka_unit_test(sha256_takes_a_million_bytes_in_pieces_of_any_size),
        cmocka_unit_test(two_hashes_run_at_once_without_touching_each_other),
        cmocka_unit_test(the_published_signatures_verify),
        cmocka_unit_test(a_signature_does_not_verify_for_another_message),
        cmocka_unit_test(a_flip_of_any_bit_is_noticed),
        cmocka_unit_test(numbers_out_of_range_never_verify),
        cmocka_unit_test(a_key_that_is_no_point_of_the_curve_never_verifies),
        cmocka_unit_test(the_signer_makes_the_published_key_and_signatures),
        cmocka_unit_test(the_scalar_one_gives_the_generator),
        cmocka_unit_test(the_signer_refuses_scalars_out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
