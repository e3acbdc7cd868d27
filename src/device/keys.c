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

enum otter_result otter_keys_after(const struct otter_device *device,
                                   const struct otter_source *source,
                                   const struct otter_control *control,
                                   uint32_t *key_mask)
{
    uint32_t mask = device->journal.state.key_mask;
    uint8_t id[OTTER_KEY_ID_SIZE];

    for (uint8_t i = 0; i < control->revoke_count; i++) {
        enum otter_result result = otter_control_revoked(source, control, i, id);

        if (result != OTTER_OK) {
            return result;
        }
        mask &= ~bit_of(&device->table, id);
    }
    *key_mask = mask;
    return OTTER_OK;
}

static bool has_key(const struct otter_table *table, uint32_t key_mask)
{
    bool has = false;

    for (uint8_t i = 0; i < table->key_count; i++) {
        has = has || (key_mask >> i & 1U) != 0;
    }
    return has;
}

enum otter_result otter_keys_check(const struct otter_device *device,
                                   const struct otter_source *source,
                                   const struct otter_control *control)
{
    const struct otter_table *table = &device->table;
    uint32_t key_mask = 0;

    if (control->revoke_count == 0) {
        return OTTER_OK;
    }
    enum otter_result result = otter_keys_after(device, source, control, &key_mask);

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
