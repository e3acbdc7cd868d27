/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Size of the agent with its SMP door: what an application grows by.
 */
#include "otter/agent.h"
#include "ports.h"

int entry(void);

static struct otter_agent agent;

int entry(void)
{
    struct otter_outcome outcome;

    size_init();
    if (otter_agent_open(&agent, &size_ports, &size_link) != OTTER_OK) {
        return 1;
    }
    while (otter_agent_poll(&agent) != OTTER_POLL_RESET) {
        if (otter_agent_is_trial(&agent) && otter_agent_confirm(&agent) != OTTER_OK) {
            return (int)otter_agent_enter_manager(&agent);
        }
    }
    otter_agent_outcome(&agent, &outcome);
    return outcome.code;
}
