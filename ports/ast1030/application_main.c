/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application of this board: examples/application in several tempers for the tests:
 * APPLICATION_TEMPER is one of the words below, APPLICATION_VERSION a text that the
 * console shows and that tells one build from another. The board's button, pressed when
 * the power comes, installs the package on the external store.
 */
#include "console.h"
#include "otter/agent.h"
#include "port.h"
#include "qemu.h"
#include "registers.h"

enum {
    TEMPER_GOOD = 0, /* works, and confirms itself */
    TEMPER_SILENT,   /* works, and never confirms */
    TEMPER_CRASH,    /* faults */
    TEMPER_HANG,     /* stops feeding the watchdog */
    TEMPER_SPOIL,    /* works, and overwrites what survives a reset */
};

#ifndef APPLICATION_TEMPER
#define APPLICATION_TEMPER TEMPER_GOOD
#endif
#ifndef APPLICATION_VERSION
#define APPLICATION_VERSION "1"
#endif

enum {
    IDLE_MS = 5,
    PROOF_MS = 100,
    BOOT_MEMORY = 0x10000,
    RETAINED_START = 0xBF000,
    RETAINED_END = 0xC0000
};

static void spoil(uint32_t start, uint32_t end)
{
    for (uint32_t addr = start; addr < end; addr += 4) {
        REG32(addr) = 0xA5A5A5A5;
    }
}

static void fail_as_told(uint32_t temper)
{
    if (temper == TEMPER_CRASH) {
        REG32(BOOT_MEMORY) = 1;
    }
    while (temper == TEMPER_HANG) {
    }
    if (temper == TEMPER_SPOIL) {
        spoil(RETAINED_START, RETAINED_END);
    }
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
    if (qemu_has_button() && !otter_agent_is_trial(&agent)) {
        result = otter_agent_install(&agent, "update.otter");
        if (result != OTTER_OK) {
            port_board.report(port_board.context, otter_code(result));
        }
    }
    const bool is_good =
        APPLICATION_TEMPER == TEMPER_GOOD || APPLICATION_TEMPER == TEMPER_SPOIL;

    fail_as_told(APPLICATION_TEMPER);
    for (;;) {
        enum otter_poll poll = otter_agent_poll(&agent);

        console_events(&agent.device.events, "application");
        if (is_good && otter_agent_is_trial(&agent) && port_time_ms() >= PROOF_MS &&
            otter_agent_confirm(&agent) == OTTER_OK) {
            console_text("application: confirmed\n");
        }
        if (poll == OTTER_POLL_IDLE) {
            port_wait(IDLE_MS);
        }
    }
}
