/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys over time (K17): which keys are trusted once a package is confirmed, and whether
 * one of those signed it. What a package says about keys changes nothing before.
 */
#include "otter/device.h"

#include <string.h>

/* The bit of the key with that id; 0 if the device has none. */
static uint32_t bit_of(const struct otter_table *table, const uint8_t *id)
{
    for (uint8_t i = 0; i < table->key_count; i++) {
        if (memcmp(table->keys[i].id, id, OTTER_KEY_ID_SIZE) == 0) {
            return 1U << i;
        }
    }
    return 0;
}

static bool was_revoked(const struct otter_device *device, const uint8_t *id)
{
    uint32_t bit = bit_of(&device->table, id);

    return bit != 0 && (device->journal.state.key_mask & bit) == 0;
}

enum otter_result otter_keys_after(const struct otter_device *device,
                                   const struct otter_source *source,
                                   const struct otter_control *control,
                                   const struct otter_table *table, uint32_t *key_mask)
{
    uint32_t mask = UINT32_MAX;
    uint8_t id[OTTER_KEY_ID_SIZE];

    for (uint8_t i = 0; i < table->key_count; i++) {
        mask = was_revoked(device, table->keys[i].id) ? mask & ~(1U << i) : mask;
    }
    for (uint8_t i = 0; i < control->revoke_count; i++) {
        enum otter_result result = otter_control_revoked(source, control, i, id);

        if (result != OTTER_OK) {
            return result;
        }
        mask &= ~bit_of(table, id);
    }
    *key_mask = mask;
    return OTTER_OK;
}

enum otter_result otter_keys_of(const struct otter_device *device,
                                const struct otter_system *system, uint32_t *key_mask)
{
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);
    const struct otter_table *table;
    struct otter_table room;
    enum otter_result result = otter_table_of(device, system, &room, &table);

    return result == OTTER_OK
               ? otter_keys_after(device, &source, &system->control, table, key_mask)
               : result;
}

static bool has_key(const struct otter_table *table, uint32_t key_mask)
{
    bool has = false;

    for (uint8_t i = 0; i < table->key_count; i++) {
        has = has || (key_mask >> i & 1U) != 0;
    }
    return has;
}

/* An id is made of its key, and stands once: else it would name two keys. */
static bool is_form(const struct otter_device *device, const struct otter_table *table,
                    uint8_t index)
{
    static const uint8_t uncompressed = 4;
    const struct otter_crypto *crypto = device->ports.crypto;
    const struct otter_key *key = &table->keys[index];
    struct otter_sha256 sha;
    uint8_t digest[OTTER_SHA256_SIZE];

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, &uncompressed, 1);
    crypto->sha256_update(crypto->context, &sha, key->point, sizeof(key->point));
    crypto->sha256_final(crypto->context, &sha, digest);
    return memcmp(digest, key->id, sizeof(key->id)) == 0 &&
           bit_of(table, key->id) == 1U << index;
}

enum otter_result otter_keys_check(const struct otter_device *device,
                                   const struct otter_source *source,
                                   const struct otter_control *control,
                                   const struct otter_table *table)
{
    uint32_t key_mask = 0;

    for (uint8_t i = 0; i < table->key_count; i++) {
        if (!is_form(device, table, i)) {
            return OTTER_E_TABLE_FORM;
        }
    }
    enum otter_result result =
        otter_keys_after(device, source, control, table, &key_mask);

    if (result != OTTER_OK) {
        return result;
    }
    if (!has_key(table, key_mask)) {
        return OTTER_E_KEY_LAST;
    }
    result = otter_control_verify(source, control, table->keys, table->key_count,
                                  key_mask, device->ports.crypto);
    return result == OTTER_E_SIGNATURE_KEY || result == OTTER_E_SIGNATURE_REVOKED
               ? OTTER_E_SIGNATURE_OWN
               : result;
}

enum otter_result otter_keys_check_early(const struct otter_device *device,
                                         const struct otter_source *source,
                                         const struct otter_control *control)
{
    struct otter_member table;
    bool outlives = false;
    uint8_t index;
    enum otter_result result =
        otter_control_find(source, control, OTTER_ROLE_TABLE, &table, &index);

    if (result != OTTER_OK || control->revoke_count == 0) {
        return result;
    }
    if ((table.flags & OTTER_MEMBER_KEPT) != 0) {
        return otter_keys_check(device, source, control, &device->table);
    }
    result = otter_control_outlives(source, control, &outlives);
    return result == OTTER_OK && !outlives ? OTTER_E_SIGNATURE_OWN : result;
}
