/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of a control packet: their form, and whether a trusted key made one of
 * them; docs/SPEC.md, "Control packet".
 */
#include "control_inner.h"

#include "otter/bytes.h"

#include <string.h>

enum {
    SIGNATURE_ALGORITHM = 8,
    SIGNATURE_RESERVED = 9,
    SIGNATURE_LENGTH = 10,
    SIGNATURE_BYTES = 12,
    ALGORITHM_P256 = 1,
};

static enum otter_result read_signature(const struct otter_source *source,
                                        const struct otter_control *control,
                                        uint8_t index,
                                        uint8_t bytes[OTTER_CONTROL_SIGNATURE_SIZE])
{
    uint32_t off =
        control->signed_size + (uint32_t)index * OTTER_CONTROL_SIGNATURE_SIZE;

    return source->read(source->context, off, bytes, OTTER_CONTROL_SIGNATURE_SIZE);
}

enum otter_result otter_control_check_signatures(const struct otter_source *source,
                                                 const struct otter_control *control)
{
    uint8_t bytes[OTTER_CONTROL_SIGNATURE_SIZE];

    for (uint8_t i = 0; i < control->signature_count; i++) {
        enum otter_result result = read_signature(source, control, i, bytes);

        if (result != OTTER_OK) {
            return result;
        }
        if (bytes[SIGNATURE_ALGORITHM] != ALGORITHM_P256 ||
            bytes[SIGNATURE_RESERVED] != 0 ||
            otter_load_le16(bytes + SIGNATURE_LENGTH) != OTTER_P256_SIGNATURE_SIZE) {
            return OTTER_E_SIGNATURE_FORM;
        }
    }
    return OTTER_OK;
}

static enum otter_result hash_signed(const struct otter_source *source,
                                     const struct otter_control *control,
                                     const struct otter_crypto *crypto,
                                     uint8_t digest[OTTER_SHA256_SIZE])
{
    struct otter_sha256 sha;
    uint8_t part[64];

    crypto->sha256_init(crypto->context, &sha);
    for (uint32_t off = 0; off < control->signed_size; off += (uint32_t)sizeof(part)) {
        size_t len = control->signed_size - off < sizeof(part)
                         ? control->signed_size - off
                         : sizeof(part);
        enum otter_result result = source->read(source->context, off, part, len);

        if (result != OTTER_OK) {
            return result;
        }
        crypto->sha256_update(crypto->context, &sha, part, len);
    }
    crypto->sha256_final(crypto->context, &sha, digest);
    return OTTER_OK;
}

/* Index of the key with that id, or `count`. */
static uint8_t find_key(const struct otter_key *keys, uint8_t count, const uint8_t *id)
{
    uint8_t i = 0;

    while (i < count && memcmp(keys[i].id, id, OTTER_KEY_ID_SIZE) != 0) {
        i++;
    }
    return i;
}

/* The stronger of two reasons why no signature counts. `b` is never "not signed". */
static enum otter_result stronger(enum otter_result a, enum otter_result b)
{
    static const enum otter_result order[] = {OTTER_E_SIGNATURE_BAD,
                                              OTTER_E_SIGNATURE_REVOKED};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (a == order[i] || b == order[i]) {
            return order[i];
        }
    }
    return OTTER_E_SIGNATURE_KEY;
}

enum otter_result otter_control_verify(const struct otter_source *source,
                                       const struct otter_control *control,
                                       const struct otter_key *keys, uint8_t key_count,
                                       uint32_t key_mask,
                                       const struct otter_crypto *crypto)
{
    enum otter_result reason = OTTER_E_SIGNATURE_NONE;
    uint32_t tried =
        0; /* bit i: keys[i]; each is tried once, whatever the packet says */
    uint8_t digest[OTTER_SHA256_SIZE];
    uint8_t bytes[OTTER_CONTROL_SIGNATURE_SIZE];
    enum otter_result result = hash_signed(source, control, crypto, digest);

    for (uint8_t i = 0; result == OTTER_OK && i < control->signature_count; i++) {
        result = read_signature(source, control, i, bytes);
        if (result != OTTER_OK) {
            break;
        }
        uint8_t key = find_key(keys, key_count, bytes);

        if (key == key_count) {
            reason = stronger(reason, OTTER_E_SIGNATURE_KEY);
        } else if ((key_mask & (1UL << key)) == 0) {
            reason = stronger(reason, OTTER_E_SIGNATURE_REVOKED);
        } else if ((tried & (1UL << key)) != 0) {
            continue;
        } else if (crypto->verify_p256(crypto->context, keys[key].point, digest,
                                       bytes + SIGNATURE_BYTES) == OTTER_OK) {
            return OTTER_OK;
        } else {
            reason = stronger(reason, OTTER_E_SIGNATURE_BAD);
            tried |= 1UL << key;
        }
    }
    return result == OTTER_OK ? reason : result;
}

static enum otter_result is_revoked(const struct otter_source *source,
                                    const struct otter_control *control,
                                    const uint8_t *id, bool *is)
{
    uint8_t revoked[OTTER_KEY_ID_SIZE];
    enum otter_result result = OTTER_OK;

    *is = false;
    for (uint8_t i = 0; i < control->revoke_count && result == OTTER_OK && !*is; i++) {
        result = otter_control_revoked(source, control, i, revoked);
        *is = result == OTTER_OK && memcmp(revoked, id, sizeof(revoked)) == 0;
    }
    return result;
}

enum otter_result otter_control_outlives(const struct otter_source *source,
                                         const struct otter_control *control, bool *has)
{
    uint8_t bytes[OTTER_CONTROL_SIGNATURE_SIZE];
    enum otter_result result = OTTER_OK;

    *has = false;
    for (uint8_t i = 0; i < control->signature_count && result == OTTER_OK && !*has;
         i++) {
        bool is = true;

        result = read_signature(source, control, i, bytes);
        if (result == OTTER_OK) {
            result = is_revoked(source, control, bytes, &is);
        }
        *has = result == OTTER_OK && !is;
    }
    return result;
}
