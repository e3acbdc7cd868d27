/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key wraps of a control packet: the content key of its encrypted members, once for
 * each recipient; docs/SPEC.md, "Key wraps". Their form only: the crypto port unwraps.
 */
#include "control_inner.h"

#include "otter/bytes.h"

#include <stdbool.h>
#include <string.h>

enum {
    WRAP_KEY_ID = 0,
    WRAP_KIND = 8,
    WRAP_RESERVED = 9,
    WRAP_LENGTH = 10,
    WRAP_HEAD_SIZE = 12,
    WRAPS_MAX = 8,
};

/* Bytes of a wrap, by its kind. */
static const uint8_t wrap_sizes[] = {
    [OTTER_WRAP_ECIES_P256] = 88,
    [OTTER_WRAP_AES256] = 24,
};

/* Reads the wrap at `off`, which lies before `end`. */
static enum otter_result read_wrap(const struct otter_source *source, uint32_t off,
                                   uint32_t end, struct otter_wrap *wrap)
{
    uint8_t head[WRAP_HEAD_SIZE];

    if (end - off < sizeof(head)) {
        return OTTER_E_WRAP_FORM;
    }
    enum otter_result result = source->read(source->context, off, head, sizeof(head));

    if (result != OTTER_OK) {
        return result;
    }
    uint8_t kind = head[WRAP_KIND];
    uint16_t len = otter_load_le16(head + WRAP_LENGTH);

    if (kind == 0 || kind >= sizeof(wrap_sizes) || len != wrap_sizes[kind] ||
        head[WRAP_RESERVED] != 0 || len > end - off - sizeof(head)) {
        return OTTER_E_WRAP_FORM;
    }
    memcpy(wrap->key_id, head + WRAP_KEY_ID, sizeof(wrap->key_id));
    wrap->kind = kind;
    wrap->size = (uint8_t)len;
    return source->read(source->context, off + (uint32_t)sizeof(head), wrap->bytes,
                        len);
}

static uint32_t size_of(const struct otter_wrap *wrap)
{
    return (uint32_t)WRAP_HEAD_SIZE + wrap->size;
}

/* No recipient twice. */
static enum otter_result check_new(const struct otter_source *source,
                                   const struct otter_control *control, uint8_t count,
                                   const struct otter_wrap *wrap)
{
    struct otter_wrap before;

    for (uint8_t i = 0; i < count; i++) {
        enum otter_result result = otter_control_wrap(source, control, i, &before);

        if (result != OTTER_OK) {
            return result;
        }
        if (before.kind == wrap->kind &&
            memcmp(before.key_id, wrap->key_id, sizeof(wrap->key_id)) == 0) {
            return OTTER_E_WRAP_FORM;
        }
    }
    return OTTER_OK;
}

enum otter_result otter_control_take_wraps(const struct otter_source *source,
                                           struct otter_control *control, uint32_t off,
                                           uint16_t len)
{
    uint32_t end = off + len;
    struct otter_wrap wrap;

    control->wraps_off = (uint16_t)off;
    while (off < end) {
        enum otter_result result = read_wrap(source, off, end, &wrap);

        if (result == OTTER_OK) {
            result = control->wrap_count == WRAPS_MAX
                         ? OTTER_E_WRAP_FORM
                         : check_new(source, control, control->wrap_count, &wrap);
        }
        if (result != OTTER_OK) {
            return result;
        }
        control->wrap_count++;
        off += size_of(&wrap);
    }
    return control->wrap_count == 0 ? OTTER_E_WRAP_FORM : OTTER_OK;
}

enum otter_result otter_control_check_wraps(const struct otter_source *source,
                                            const struct otter_control *control)
{
    bool is_encrypted = false;
    struct otter_member member;

    for (uint8_t i = 0; i < control->member_count; i++) {
        enum otter_result result = otter_control_member(source, control, i, &member);

        if (result != OTTER_OK) {
            return result;
        }
        is_encrypted = is_encrypted ||
                       (member.flags & (OTTER_MEMBER_KEPT | OTTER_MEMBER_ENCRYPTED)) ==
                           OTTER_MEMBER_ENCRYPTED;
    }
    return is_encrypted == (control->wrap_count > 0) ? OTTER_OK : OTTER_E_WRAP_FORM;
}

enum otter_result otter_control_wrap(const struct otter_source *source,
                                     const struct otter_control *control, uint8_t index,
                                     struct otter_wrap *wrap)
{
    uint32_t end = (uint32_t)control->extensions_off + control->extensions_size;
    uint32_t off = control->wraps_off;

    if (index >= control->wrap_count) {
        return OTTER_E_WRAP_FORM;
    }
    for (uint8_t i = 0;; i++) {
        enum otter_result result = read_wrap(source, off, end, wrap);

        if (result != OTTER_OK || i == index) {
            return result;
        }
        off += size_of(wrap);
    }
}

enum otter_result otter_control_find_wrap(const struct otter_source *source,
                                          const struct otter_control *control,
                                          const struct otter_crypto *crypto,
                                          struct otter_wrap *wrap)
{
    enum otter_result reason = OTTER_E_KEY_MISSING;

    if (OTTER_ENCRYPTION == 0 || crypto->unwrap == NULL) {
        return OTTER_E_CANNOT_DECRYPT;
    }
    for (uint8_t i = 0; i < control->wrap_count; i++) {
        enum otter_result result = otter_control_wrap(source, control, i, wrap);

        if (result != OTTER_OK) {
            return result;
        }
        result = crypto->find_key(crypto->context, wrap->key_id, wrap->kind);
        if (result == OTTER_OK) {
            return OTTER_OK;
        }
        reason = result == OTTER_E_KEY_REVOKED ? result : reason;
    }
    return reason;
}

void otter_control_nonce(uint8_t index, uint8_t nonce[OTTER_AES_NONCE_SIZE])
{
    memset(nonce, 0, OTTER_AES_NONCE_SIZE);
    nonce[OTTER_AES_NONCE_SIZE - 1] = index;
}
