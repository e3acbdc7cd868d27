/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager of this board, in flash or as a loader: examples/manager, and what
 * happens goes to the console.
 */
#include "console.h"
#include "otter/manager.h"
#include "port.h"

#ifndef PORT_NAME
#define PORT_NAME "manager"
#endif
#ifndef PORT_OPEN
#define PORT_OPEN otter_manager_open /* a loader: otter_loader_open */
#endif

enum { IDLE_MS = 5 };

int main(void)
{
    static struct otter_manager manager;

    port_init();
    if (PORT_OPEN(&manager, &port_ports, &port_link) != OTTER_OK) {
        port_board.report(port_board.context, otter_code(manager.result));
    }
    for (;;) {
        enum otter_poll poll = otter_manager_poll(&manager);

        console_events(&manager.device.events, PORT_NAME);
        if (poll == OTTER_POLL_IDLE) {
            port_wait(IDLE_MS);
        }
    }
}
