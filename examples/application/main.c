/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application with otter's agent: it works as ever, gives the agent a step now and
 * then, and confirms itself once it knows that it works.
 */
#include "otter/agent.h"
#include "port.h"

enum { PROOF_MS = 10000 };

/* The product's own work: one turn of its main loop. False if something is wrong. */
static bool work(void)
{
    return true;
}

/* What a new version must show before the old one is given up: here ten good seconds.
 * Better: a sensor answered, the server was reached, a message came through. */
static bool has_proved_itself(bool works, uint32_t started_ms)
{
    return works && port_board.time_ms(port_board.context) - started_ms >= PROOF_MS;
}

int main(void)
{
    static struct otter_agent agent;

    port_init();
    uint32_t started_ms = port_board.time_ms(port_board.context);
    enum otter_result result = otter_agent_open(&agent, &port_ports, &port_link);

    if (result != OTTER_OK) { /* the application runs all the same, without updates */
        port_board.report(port_board.context, otter_code(result));
    }
    for (;;) {
        bool works = work();

        (void)otter_agent_poll(&agent); /* one bounded step; feeds the watchdog */
        if (otter_agent_is_trial(&agent) && has_proved_itself(works, started_ms) &&
            otter_agent_confirm(&agent) != OTTER_OK) {
            port_wait(1); /* a flash operation failed: it is tried again */
        }
    }
}
