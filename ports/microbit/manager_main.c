/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager of this board: examples/manager, and what happens goes to the console.
 */
#include "console.h"
#include "otter/manager.h"
#include "port.h"

enum { IDLE_MS = 5 };

int main(void)
{
    static struct otter_manager manager;

    port_init();
    if (otter_manager_open(&manager, &port_ports, &port_link) != OTTER_OK) {
        port_board.report(port_board.context, otter_code(manager.result));
    }
    for (;;) {
        enum otter_poll poll = otter_manager_poll(&manager);

        console_events(&manager.device.events, "manager");
        if (poll == OTTER_POLL_IDLE) {
            port_wait(IDLE_MS);
        }
    }
}
