/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application of this board: examples/application, which confirms itself, and says
 * what it needed. APPLICATION_VERSION is a text that tells one build from another.
 */
#include "console.h"
#include "otter/agent.h"
#include "port.h"
#include "qemu.h"

#ifndef APPLICATION_VERSION
#define APPLICATION_VERSION "1"
#endif

enum { IDLE_MS = 5, PROOF_MS = 100 };

static void tell_confirmed(void)
{
    console_text("application: confirmed, stack ");
    console_number(port_stack_peak());
    console_text("\n");
    qemu_report();
}

int main(void)
{
    static struct otter_agent agent;

    port_init();
    console_text("application: version " APPLICATION_VERSION "\n");
    enum otter_result result = otter_agent_open(&agent, &port_ports, &port_link);

    if (result != OTTER_OK) {
        port_board.report(port_board.context, otter_code(result));
    }
    qemu_report(); /* a reset may have come between the confirm and its report */
    for (;;) {
        enum otter_poll poll = otter_agent_poll(&agent);

        console_events(&agent.device.events, "application");
        if (otter_agent_is_trial(&agent) && port_time_ms() >= PROOF_MS &&
            otter_agent_confirm(&agent) == OTTER_OK) {
            tell_confirmed();
        }
        if (poll == OTTER_POLL_IDLE) {
            port_wait(IDLE_MS);
        }
    }
}
