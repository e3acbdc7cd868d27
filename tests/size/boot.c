/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Size of boot: the smallest program around otter_boot_run().
 */
#define OTTER_SIZE_IS_BOOT
#include "otter/boot.h"
#include "ports.h"

int entry(void);

static struct otter_boot boot;

int entry(void)
{
    size_init();
    struct otter_boot_result result = otter_boot_run(&boot, &size_ports);

    return (int)(result.addr + result.code);
}
