/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of this board run from RAM: what otter chose is copied there, and the copy
 * is what is hashed.
 */
#include "load.h"

#include "otter/memory_map.h"
#include "port.h"

#include <string.h>

static bool is_copy_whole(uint32_t exec, const struct otter_member *member)
{
    const struct otter_crypto *crypto = port_ports.crypto;
    uint8_t digest[OTTER_SHA256_SIZE];
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, (const void *)(uintptr_t)exec,
                          member->installed_size);
    crypto->sha256_final(crypto->context, &sha, digest);
    return memcmp(digest, member->installed_sha, sizeof(digest)) == 0;
}

/* Copies the member of `role` of the system in `slot` to where it runs. True if that
 * system's receipt vouches for every byte of the copy. */
static bool load_member(struct otter_boot *boot, uint8_t slot, uint8_t role,
                        const struct otter_boot_result *chosen)
{
    struct otter_member member;
    uint8_t index = 0;

    if (otter_system_open(&boot->device, slot, &boot->system) != OTTER_OK ||
        otter_system_member(&boot->system, role, &member, &index) != OTTER_OK) {
        return false;
    }
    port_board.watchdog_feed(port_board.context);
    return member.installed_size <= OTTER_APPLICATION_SIZE &&
           port_flash.read(port_flash.context, chosen->addr,
                           (void *)(uintptr_t)chosen->exec,
                           member.installed_size) == OTTER_OK &&
           is_copy_whole(chosen->exec, &member);
}

_Static_assert(OTTER_MANAGER_SIZE == OTTER_APPLICATION_SIZE,
               "one limit serves both programs");

/* A loader stands where otter_boot_run() has put it. */
const struct otter_loader port_loader = {
    .memory = (uint8_t *)(uintptr_t)OTTER_LOADER_ADDR,
    .load = otter_boot_load,
};

/* Of the two systems the current one comes first: seldom is there more to do. */
bool load_program(struct otter_boot *boot, const struct otter_boot_result *chosen)
{
    bool is_manager = chosen->target == OTTER_BOOT_TO_MANAGER;
    uint8_t role = is_manager ? OTTER_ROLE_MANAGER : OTTER_ROLE_FIRMWARE;
    uint8_t current = boot->device.journal.state.current;

    if (chosen->target == OTTER_BOOT_TO_LOADER) {
        return chosen->exec == OTTER_LOADER_ADDR; /* it stands, and was hashed, there */
    }
    if (chosen->exec != OTTER_MANAGER_EXEC && chosen->exec != OTTER_APPLICATION_EXEC) {
        return false; /* the flash table names a place that is not meant for programs */
    }
    return load_member(boot, current, role, chosen) ||
           load_member(boot, (uint8_t)(1 - current), role, chosen);
}
