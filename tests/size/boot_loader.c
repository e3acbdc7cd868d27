/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Size of a boot that takes loaders from a card (K15): what its integrator adds to
 * tests/size/boot.c. The files port is 0 here, as all ports are.
 */
#define OTTER_SIZE_IS_BOOT
#include "otter/boot.h"
#include "ports.h"

int entry(void);

static struct otter_boot boot;
static const struct otter_files files;
static const struct otter_loader loader = {
    .memory = (uint8_t *)0x20010000,
    .load = otter_boot_load,
};

int entry(void)
{
    struct otter_ports ports = size_ports;

    size_init();
    ports.files = &files;
    ports.loader = &loader;
    struct otter_boot_result result = otter_boot_run(&boot, &ports);

    return (int)(result.addr + result.code);
}
