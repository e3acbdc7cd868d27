/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A foreign project's own test on otter's virtual device: one that no factory has
 * written finds nothing to run, and says so.
 */
#include "vdevice.h"

#include <stdio.h>

int main(void)
{
    static struct vdevice device;
    const struct vdevice_config config = {.profile = host_profile_find("link")};

    if (config.profile == NULL || vdevice_create(&device, &config) != OTTER_OK) {
        printf("no virtual device\n");
        return 1;
    }
    enum vdevice_end end =
        vdevice_power_on(&device, (struct vflash_fault){.kind = VFLASH_NONE});

    printf("%s %02u-%02u\n", end == VDEVICE_NOTHING ? "nothing runs" : "something runs",
           device.code >> 8, device.code & 0xFFU);
    vdevice_destroy(&device);
    return 0;
}
