/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manager program: installs what is requested, receives when the application cannot,
 * and goes back to the application. Boot starts it when it is needed.
 */
#include "otter/manager.h"
#include "port.h"

enum { IDLE_MS = 1 };

int main(void)
{
    static struct otter_manager manager;

    port_init();
    if (otter_manager_open(&manager, &port_ports, &port_link) != OTTER_OK) {
        port_board.report(port_board.context, otter_code(manager.result));
    }
    for (;;) {
        switch (otter_manager_poll(&manager)) {
        case OTTER_POLL_BUSY:
        case OTTER_POLL_RESET: /* a board has reset by now */
            break;
        case OTTER_POLL_IDLE:
            port_wait(IDLE_MS); /* or sleep until a message comes */
            break;
        }
    }
}
