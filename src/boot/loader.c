/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader of a package: this library's manager, linked for RAM. Boot takes it from
 * the store, where the plan says that it lies, and judges the copy, not the store: what
 * is hashed is what runs, whatever a card answers the next time (K15, K21). Nothing is
 * written, so a cut leaves what was there.
 */
#include "boot_inner.h"
#include "otter/plan.h"

#include <string.h>

/* The card is open for just as long. */
static enum otter_result copy_to_ram(struct otter_boot *boot,
                                     const struct otter_placement *placement,
                                     uint32_t size)
{
    uint8_t *memory = boot->device.ports.loader->memory;

    for (uint32_t done = 0; done < size;) {
        uint32_t left = size - done;
        uint32_t len = left < (uint32_t)OTTER_STEP_BYTES ? left : OTTER_STEP_BYTES;
        enum otter_result result =
            otter_io_read(&boot->device.io, placement->store_region,
                          placement->store_off + done, memory + done, len);

        if (result != OTTER_OK) {
            return result;
        }
        done += len;
        boot_feed(boot);
    }
    return OTTER_OK;
}

static enum otter_result copy_from_card(struct otter_boot *boot,
                                        const struct otter_placement *placement,
                                        uint32_t size)
{
    struct otter_device *device = &boot->device;
    struct otter_card card;

    otter_card_attach(device, &card);
    enum otter_result result = otter_card_open_of(device, &boot->system);

    if (result == OTTER_OK) {
        result = copy_to_ram(boot, placement, size);
    }
    otter_card_close(device);
    device->card = NULL;
    device->io.card_files = NULL;
    return result;
}

static enum otter_result check_copy(const struct otter_boot *boot,
                                    const struct otter_member *member)
{
    const struct otter_device *device = &boot->device;
    const struct otter_crypto *crypto = device->ports.crypto;
    const uint8_t *memory = device->ports.loader->memory;
    uint8_t digest[OTTER_SHA256_SIZE];
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    for (uint32_t done = 0; done < member->installed_size;) {
        uint32_t left = member->installed_size - done;
        uint32_t len = left < (uint32_t)OTTER_STEP_BYTES ? left : OTTER_STEP_BYTES;

        crypto->sha256_update(crypto->context, &sha, memory + done, len);
        done += len;
        boot_feed(boot);
    }
    crypto->sha256_final(crypto->context, &sha, digest);
    if (memcmp(digest, member->installed_sha, sizeof(digest)) != 0) {
        return OTTER_E_MEMBER_HASH;
    }
    return otter_vectors_judge(device, memory,
                               otter_map_find(&device->table.map, OTTER_REGION_LOADER),
                               member->installed_size);
}

/* Most packages bring none: then no signature is checked for it. */
static bool has_none(struct otter_boot *boot)
{
    uint8_t slot = (uint8_t)(1 - boot->device.journal.state.current);
    struct otter_member member;
    uint8_t index;

    return otter_system_peek(&boot->device, slot, &boot->system) == OTTER_OK &&
           otter_system_member(&boot->system, OTTER_ROLE_LOADER, &member, &index) ==
               OTTER_E_CONTROL_MISSING;
}

/* Where it lies in the store. The region that it is copied to has room for it, and the
 * plan has compared that. */
static enum otter_result look_up(struct otter_boot *boot, struct otter_member *member,
                                 struct otter_placement *placement)
{
    struct otter_device *device = &boot->device;
    uint8_t slot = (uint8_t)(1 - device->journal.state.current);
    struct otter_plan plan;
    uint8_t index = 0;
    enum otter_result result = otter_system_open(device, slot, &boot->system);

    if (result == OTTER_OK) {
        result = otter_system_member(&boot->system, OTTER_ROLE_LOADER, member, &index);
    }
    if (result != OTTER_OK) {
        return result;
    }
    struct otter_source source =
        otter_span_source(&boot->system.receipt.span, boot->system.receipt.length);

    result = otter_plan_make(device, &source, &boot->system.control, &plan);
    if (result == OTTER_OK) {
        *placement = plan.members[index];
    }
    return result;
}

enum otter_result otter_boot_load(struct otter_boot *boot)
{
    struct otter_member member;
    struct otter_placement placement;

    if (has_none(boot)) {
        return OTTER_E_CONTROL_MISSING;
    }
    enum otter_result result = look_up(boot, &member, &placement);

    if (otter_system_is_stale(&boot->device, &boot->system)) {
        result = look_up(boot, &member, &placement);
    }
    if (result != OTTER_OK) {
        return result;
    }
    result = otter_device_is_on_card(&boot->device)
                 ? copy_from_card(boot, &placement, member.installed_size)
                 : copy_to_ram(boot, &placement, member.installed_size);
    return result == OTTER_OK ? check_copy(boot, &member) : result;
}
