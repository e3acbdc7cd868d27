/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent: otter's part inside the application. It receives packages in the
 * background, answers the remote, confirms a system on trial, watches its deadline.
 *
 *     otter_agent_open(&agent, &ports, &link);
 *     for (;;) {
 *         otter_agent_poll(&agent);       one bounded step; feeds the watchdog
 *         if (application is fine) { otter_agent_confirm(&agent); }
 *     }
 *
 * All calls come from one context (K7).
 */
#ifndef OTTER_AGENT_H
#define OTTER_AGENT_H

#include "otter/card_door.h"
#include "otter/device.h"
#include "otter/receive.h"
#include "otter/repair.h"
#include "otter/smp.h"

#ifdef __cplusplus
extern "C" {
#endif

enum otter_poll {
    OTTER_POLL_IDLE = 0, /* nothing to do now */
    OTTER_POLL_BUSY,     /* there is more to do: call again soon */
    OTTER_POLL_RESET,    /* the board was told to reset; stop */
};

struct otter_agent {
    struct otter_device device;
    struct otter_receive receive;
    struct otter_smp smp;
    struct otter_card card_files;
    struct otter_card_door card; /* `card.result`: why it refused the last package */
    uint8_t tidied; /* files of earlier updates looked for so far, to be removed */
    struct otter_rewriting rewriting; /* of a copy of the flash table */
    uint32_t started_ms;
    bool is_mending; /* it is being written */
    bool is_mended;  /* no more can be done about it in this power-on */
    bool is_ready;   /* the device could be opened */
};

/* Opens the device as the agent. `link` may be NULL: no door is open then. On failure
 * (28-xx) poll only feeds the watchdog. */
OTTER_MUST_CHECK enum otter_result otter_agent_open(struct otter_agent *agent,
                                                    const struct otter_ports *ports,
                                                    const struct otter_link *link);

/* One bounded step: a message, a flash operation or STEP_BYTES of hashing. Feeds the
 * watchdog; when a trial's deadline has passed it asks for a counted reset (K16). */
enum otter_poll otter_agent_poll(struct otter_agent *agent);

/* True while the running system is on trial. */
bool otter_agent_is_trial(const struct otter_agent *agent);

/* Confirms the system on trial: one lasting record (K17). OTTER_OK at once if there is
 * no trial. The call writes flash: at most two erases. */
OTTER_MUST_CHECK enum otter_result otter_agent_confirm(struct otter_agent *agent);

/* Resets into the manager. */
enum otter_poll otter_agent_enter_manager(struct otter_agent *agent);

/* Begins an update with the package in the file `path` on the card; polling does the
 * rest: it checks the package, says so, and resets into the installation; or
 * `card.result` tells why not, while `card` is not busy any more. Results as those of
 * otter_card_door_begin(). */
OTTER_MUST_CHECK enum otter_result otter_agent_install(struct otter_agent *agent,
                                                       const char *path);

/* How the last update ended (P7). */
void otter_agent_outcome(const struct otter_agent *agent,
                         struct otter_outcome *outcome);

#ifdef __cplusplus
}
#endif

#endif
