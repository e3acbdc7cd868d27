/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the crypto port (otter/port/crypto.h) against published vectors: SHA-256
 * from FIPS 180-4 (NIST's example values), P-256 from RFC 6979 appendix A.2.5, the
 * group's order from SP 800-186, section 3.2.1.3. The digest of the long message is
 * Python's hashlib's.
 */
#include "check_inner.h"

#include <stddef.h>
#include <string.h>

/* --- SHA-256 --- */

struct hash_case {
    const char *message;
    uint8_t size;
    uint8_t digest[OTTER_SHA256_SIZE];
};

static const struct hash_case hashes[] = {
    {"", 0, {0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14, 0x9A, 0xFB, 0xF4,
             0xC8, 0x99, 0x6F, 0xB9, 0x24, 0x27, 0xAE, 0x41, 0xE4, 0x64, 0x9B,
             0x93, 0x4C, 0xA4, 0x95, 0x99, 0x1B, 0x78, 0x52, 0xB8, 0x55}},
    {"abc", 3, {0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA, 0x41, 0x41, 0x40,
                0xDE, 0x5D, 0xAE, 0x22, 0x23, 0xB0, 0x03, 0x61, 0xA3, 0x96, 0x17,
                0x7A, 0x9C, 0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD}},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     56,
     {0x24, 0x8D, 0x6A, 0x61, 0xD2, 0x06, 0x38, 0xB8, 0xE5, 0xC0, 0x26,
      0x93, 0x0C, 0x3E, 0x60, 0x39, 0xA3, 0x3C, 0xE4, 0x59, 0x64, 0xFF,
      0x21, 0x67, 0xF6, 0xEC, 0xED, 0xD4, 0x19, 0xDB, 0x06, 0xC1}},
};

enum { HASHES = sizeof(hashes) / sizeof(hashes[0]), LONG_SIZE = 1000 };

/* Of the bytes (7 i + i / 256) mod 256, i from 0 to 999. */
static const uint8_t long_digest[OTTER_SHA256_SIZE] = {
    0xC8, 0x5A, 0x43, 0x1E, 0x0F, 0xE5, 0x75, 0xB2, 0x60, 0x92, 0x89,
    0xD3, 0xA4, 0x04, 0x24, 0x14, 0x71, 0x5F, 0x40, 0x06, 0x12, 0x57,
    0x5A, 0x12, 0x5D, 0x2C, 0xE5, 0x57, 0x3D, 0x60, 0x87, 0x32};

static enum check_verdict check_hash(struct port_check *check)
{
    const struct otter_crypto *crypto = check->ports->crypto;

    for (size_t i = 0; i < HASHES; i++) {
        uint8_t digest[OTTER_SHA256_SIZE];
        struct otter_sha256 sha;

        memset(&sha, 0xA5, sizeof(sha)); /* whatever the room held before */
        crypto->sha256_init(crypto->context, &sha);
        crypto->sha256_update(crypto->context, &sha, hashes[i].message, hashes[i].size);
        crypto->sha256_final(crypto->context, &sha, digest);
        if (memcmp(digest, hashes[i].digest, sizeof(digest)) != 0) {
            return port_check_fail_number(check, (uint32_t)i, "is the vector");
        }
    }
    return CHECK_PASSED;
}

/* Pieces of 0, 1, 2 ... bytes, at odd addresses too. */
static enum check_verdict check_pieces(struct port_check *check)
{
    const struct otter_crypto *crypto = check->ports->crypto;
    uint8_t digest[OTTER_SHA256_SIZE];
    uint8_t piece[LONG_SIZE / 8];
    struct otter_sha256 sha;
    uint32_t at = 0;

    crypto->sha256_init(crypto->context, &sha);
    for (uint32_t len = 0; at < LONG_SIZE; len++) {
        uint32_t shift = len % 4;
        uint32_t part = LONG_SIZE - at < len ? LONG_SIZE - at : len;

        for (uint32_t i = 0; i < part; i++, at++) {
            piece[shift + i] = (uint8_t)(7 * at + at / 256);
        }
        crypto->sha256_update(crypto->context, &sha, piece + shift, part);
    }
    crypto->sha256_final(crypto->context, &sha, digest);
    return port_check_verdict(memcmp(digest, long_digest, sizeof(digest)) == 0);
}

/* Two at once, fed in turn; "abc" both. */
static enum check_verdict check_two_hashes(struct port_check *check)
{
    const struct otter_crypto *crypto = check->ports->crypto;
    uint8_t digests[2][OTTER_SHA256_SIZE];
    struct otter_sha256 sha[2];

    crypto->sha256_init(crypto->context, &sha[0]);
    crypto->sha256_update(crypto->context, &sha[0], "a", 1);
    crypto->sha256_init(crypto->context, &sha[1]);
    crypto->sha256_update(crypto->context, &sha[1], "ab", 2);
    crypto->sha256_update(crypto->context, &sha[0], "bc", 2);
    crypto->sha256_update(crypto->context, &sha[1], "c", 1);
    crypto->sha256_final(crypto->context, &sha[0], digests[0]);
    crypto->sha256_final(crypto->context, &sha[1], digests[1]);
    return port_check_verdict(
        memcmp(digests[0], hashes[1].digest, OTTER_SHA256_SIZE) == 0 &&
        memcmp(digests[1], hashes[1].digest, OTTER_SHA256_SIZE) == 0);
}

/* --- ECDSA P-256 --- */

/* What a signature check takes. */
struct signed_digest {
    uint8_t key[OTTER_P256_KEY_SIZE];
    uint8_t digest[OTTER_SHA256_SIZE];
    uint8_t signature[OTTER_P256_SIGNATURE_SIZE];
};

/* RFC 6979 A.2.5: SHA-256, message "sample". */
static const struct signed_digest sample = {
    .key = {0x60, 0xFE, 0xD4, 0xBA, 0x25, 0x5A, 0x9D, 0x31, 0xC9, 0x61, 0xEB,
            0x74, 0xC6, 0x35, 0x6D, 0x68, 0xC0, 0x49, 0xB8, 0x92, 0x3B, 0x61,
            0xFA, 0x6C, 0xE6, 0x69, 0x62, 0x2E, 0x60, 0xF2, 0x9F, 0xB6, 0x79,
            0x03, 0xFE, 0x10, 0x08, 0xB8, 0xBC, 0x99, 0xA4, 0x1A, 0xE9, 0xE9,
            0x56, 0x28, 0xBC, 0x64, 0xF2, 0xF1, 0xB2, 0x0C, 0x2D, 0x7E, 0x9F,
            0x51, 0x77, 0xA3, 0xC2, 0x94, 0xD4, 0x46, 0x22, 0x99},
    .digest = {0xAF, 0x2B, 0xDB, 0xE1, 0xAA, 0x9B, 0x6E, 0xC1, 0xE2, 0xAD, 0xE1,
               0xD6, 0x94, 0xF4, 0x1F, 0xC7, 0x1A, 0x83, 0x1D, 0x02, 0x68, 0xE9,
               0x89, 0x15, 0x62, 0x11, 0x3D, 0x8A, 0x62, 0xAD, 0xD1, 0xBF},
    .signature = {0xEF, 0xD4, 0x8B, 0x2A, 0xAC, 0xB6, 0xA8, 0xFD, 0x11, 0x40, 0xDD,
                  0x9C, 0xD4, 0x5E, 0x81, 0xD6, 0x9D, 0x2C, 0x87, 0x7B, 0x56, 0xAA,
                  0xF9, 0x91, 0xC3, 0x4D, 0x0E, 0xA8, 0x4E, 0xAF, 0x37, 0x16, 0xF7,
                  0xCB, 0x1C, 0x94, 0x2D, 0x65, 0x7C, 0x41, 0xD4, 0x36, 0xC7, 0xA1,
                  0xB6, 0xE2, 0x9F, 0x65, 0xF3, 0xE9, 0x00, 0xDB, 0xB9, 0xAF, 0xF4,
                  0x06, 0x4D, 0xC4, 0xAB, 0x2F, 0x84, 0x3A, 0xCD, 0xA8},
};

enum { HALF = OTTER_P256_SIGNATURE_SIZE / 2 };

static const uint8_t order[HALF] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00,
                                    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84,
                                    0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

static bool verifies(const struct port_check *check, const struct signed_digest *what)
{
    const struct otter_crypto *crypto = check->ports->crypto;

    port_check_feed(check);
    return crypto->verify_p256(crypto->context, what->key, what->digest,
                               what->signature) == OTTER_OK;
}

static enum check_verdict check_good(struct port_check *check)
{
    uint32_t start_ms = port_check_ms(check);
    bool is_good = verifies(check, &sample);
    uint32_t ms = port_check_ms(check) - start_ms;

    if (is_good && check->verify_ms_max != 0 && check->has_clock) {
        check->detail = ms;
        check->unit = "ms";
        is_good = ms <= check->verify_ms_max;
    }
    return port_check_verdict(is_good);
}

/* A bit at the begin and at the end of each part. */
static enum check_verdict check_flips(struct port_check *check)
{
    struct signed_digest what = sample;
    uint8_t *const bytes[] = {
        &what.key[0],          &what.key[OTTER_P256_KEY_SIZE - 1],
        &what.digest[0],       &what.digest[OTTER_SHA256_SIZE - 1],
        &what.signature[0],    &what.signature[HALF - 1],
        &what.signature[HALF], &what.signature[OTTER_P256_SIGNATURE_SIZE - 1],
    };

    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        *bytes[i] ^= 1;
        if (verifies(check, &what)) {
            return port_check_fail_number(check, (uint32_t)i, "is the changed byte");
        }
        *bytes[i] ^= 1;
    }
    return port_check_verdict(verifies(check, &what));
}

/* r, s or both 0, then the order: with a careless reckoning any digest may verify. */
static enum check_verdict check_limits(struct port_check *check)
{
    static const uint8_t zero[HALF];

    for (unsigned i = 0; i < 6; i++) {
        struct signed_digest what = sample;
        const uint8_t *value = i < 3 ? zero : order;
        unsigned halves = 1 + i % 3; /* bit 0: r; bit 1: s */

        for (unsigned half = 0; half < 2; half++) {
            if ((halves & (1U << half)) != 0) {
                memcpy(&what.signature[half == 0 ? 0 : HALF], value, HALF);
            }
        }
        if (verifies(check, &what)) {
            return port_check_fail_number(check, i, "is the pair");
        }
    }
    return CHECK_PASSED;
}

static enum check_verdict check_keys(struct port_check *check)
{
    static const uint8_t fills[] = {0x00, 0x01, 0xFF};

    for (size_t i = 0; i < sizeof(fills); i++) {
        struct signed_digest what = sample;

        memset(what.key, fills[i], sizeof(what.key));
        if (verifies(check, &what)) {
            return port_check_fail_number(check, fills[i], "is every byte of the key");
        }
    }
    return CHECK_PASSED;
}

const struct check_row port_check_crypto[] = {
    {"SHA-256 gives the published digests", check_hash, false},
    {"a message may come in pieces of any size", check_pieces, false},
    {"two hashes run at once", check_two_hashes, false},
    {"a published signature verifies, in the stated time", check_good, false},
    {"a flipped bit of key, digest or signature is noticed", check_flips, false},
    {"r and s of 0 or of the order never verify", check_limits, false},
    {"a key that is no point of the curve never verifies", check_keys, false},
    {NULL, NULL, false},
};
