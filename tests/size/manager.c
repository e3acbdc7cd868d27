/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Size of the manager with its SMP door: the smallest program around
 * otter_manager_poll(). A program of its own, so a device holds this and boot.
 */
#include "otter/manager.h"
#include "ports.h"

int entry(void);

static struct otter_manager manager;

int entry(void)
{
    size_init();
    if (otter_manager_open(&manager, &size_ports, &size_link) != OTTER_OK) {
        return 1;
    }
    while (otter_manager_poll(&manager) != OTTER_POLL_RESET) {
    }
    return 0;
}
