/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the copies of the old system lie, and whether they are encrypted. Places in
 * staging depend on that system alone: so boot finds them without the new system's
 * receipt.
 */
#include "plan_inner.h"

/* The sector from which `size` bytes reach to `end` of staging. */
static enum otter_result place_before(const struct otter_device *device, uint32_t end,
                                      uint32_t size, uint32_t *off)
{
    struct otter_sector sector;

    if (size == 0 || size > end ||
        otter_io_sector(&device->io, OTTER_REGION_STAGING, end - size, &sector) !=
            OTTER_OK) {
        return OTTER_E_NO_SPACE;
    }
    *off = sector.off;
    return OTTER_OK;
}

/* From the end of staging down. A region that a system does not use takes no room. */
static const uint8_t saved_regions[] = {
    OTTER_REGION_APPLICATION,
    OTTER_REGION_MANAGER,
    OTTER_REGION_RESOURCES,
    OTTER_REGION_FONT,
};

enum { SAVED_COUNT = sizeof(saved_regions) / sizeof(saved_regions[0]) };

enum otter_result otter_plan_saved(const struct otter_device *device,
                                   const struct otter_system *old, uint8_t region,
                                   uint32_t *off, struct otter_member *member)
{
    const struct otter_region *staging =
        otter_map_find(&device->table.map, OTTER_REGION_STAGING);
    size_t first = otter_device_is_ab(device) ? 1 : 0;

    if (otter_device_is_on_card(device)) {
        *off = 0;
        return otter_system_in_region(device, old, region, member);
    }
    *off = staging == NULL ? 0 : staging->size;
    for (size_t i = first; i < SAVED_COUNT; i++) {
        bool is_wanted = saved_regions[i] == region;
        enum otter_result result =
            otter_system_in_region(device, old, saved_regions[i], member);

        if (result == OTTER_OK) {
            result = place_before(device, *off, member->installed_size, off);
        } else if (result == OTTER_E_CONTROL_MISSING && !is_wanted) {
            continue;
        }
        if (is_wanted || result != OTTER_OK) {
            return result;
        }
    }
    return OTTER_E_CONTROL_MISSING;
}

/* Does what is saved of the system lie under the storage key? 24-16 if nothing may be
 * saved of it, or the device has no such key. */
enum otter_result plan_check_saved_cipher(const struct otter_device *device,
                                          const struct otter_system *old,
                                          bool *is_stored)
{
    uint8_t policy = device->table.policy.saved_copies;
    enum otter_result result = otter_system_is_encrypted(old, is_stored);

    if (result != OTTER_OK || !*is_stored) {
        return result;
    }
    *is_stored = policy == OTTER_SAVED_ENCRYPTED;
    if (policy == OTTER_SAVED_CLEAR) {
        return OTTER_OK;
    }
    return *is_stored ? otter_cipher_check_stored(device->ports.crypto)
                      : OTTER_E_STORAGE_KEY;
}

enum otter_result otter_plan_saved_cipher(const struct otter_device *device,
                                          const struct otter_system *old,
                                          const struct otter_member *member,
                                          struct otter_cipher *cipher)
{
    bool is_stored = false;
    enum otter_result result = plan_check_saved_cipher(device, old, &is_stored);

    otter_cipher_close(cipher);
    return result == OTTER_OK && is_stored
               ? otter_cipher_open_stored(cipher, device->ports.crypto,
                                          member->installed_sha)
               : result;
}

#if OTTER_TREES

/* An archive that came in clear is no secret, whatever else its system holds. */
enum otter_result otter_plan_tree_cipher(const struct otter_device *device,
                                         const struct otter_member *member,
                                         struct otter_cipher *cipher)
{
    uint8_t policy = device->table.policy.saved_copies;

    otter_cipher_close(cipher);
    if ((member->flags & OTTER_MEMBER_ENCRYPTED) == 0 || policy == OTTER_SAVED_CLEAR) {
        return OTTER_OK;
    }
    return policy == OTTER_SAVED_ENCRYPTED
               ? otter_cipher_open_stored(cipher, device->ports.crypto,
                                          member->installed_sha)
               : OTTER_E_STORAGE_KEY;
}

#endif
