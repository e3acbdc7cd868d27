/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flash port: the virtual flash on a file, which keeps what was complete when the
 * process ends.
 */
#include "otter/port/flash.h"

#include "port.h"
#include "profiles.h"
#include "vflash.h"

#include <stdio.h>
#include <stdlib.h>

static struct vflash chip;
static struct otter_flash chip_port;

void port_open_flash(void)
{
    const struct vflash_config config = {
        .areas = host_profile_link.areas,
        .area_count = host_profile_link.area_count,
        .path = "flash.bin",
    };

    if (vflash_create(&chip, &config) != OTTER_OK) {
        fputs("board: flash.bin is no flash of profile link\n", stderr);
        exit(EXIT_FAILURE);
    }
    vflash_power_on(&chip, (struct vflash_fault){0});
    vflash_port(&chip, &chip_port);
}

static enum otter_result flash_read(void *context, uint32_t addr, void *data,
                                    size_t size)
{
    (void)context;
    return chip_port.read(chip_port.context, addr, data, size);
}

static enum otter_result flash_program(void *context, uint32_t addr, const void *data,
                                       size_t size)
{
    (void)context;
    return chip_port.program(chip_port.context, addr, data, size);
}

static enum otter_result flash_erase(void *context, uint32_t addr)
{
    (void)context;
    return chip_port.erase(chip_port.context, addr);
}

/* The one area of the profile. */
const struct otter_flash port_flash = {
    .areas = host_profile_link.areas,
    .area_count = 1,
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
};
