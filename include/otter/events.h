/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded ring of what happened, for the integrator to poll and print. Old events
 * give way to new ones; the reader learns how many it missed.
 */
#ifndef OTTER_EVENTS_H
#define OTTER_EVENTS_H

#include "otter/config.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an event is about; `code` says more where something failed. */
enum otter_event_kind {
    OTTER_EVENT_STARTED = 1, /* this program began to run; stage: enum otter_program */
    OTTER_EVENT_PHASE = 2,   /* the device's phase changed; stage: enum otter_phase */
    OTTER_EVENT_STAGE = 3,   /* an update's stage; stage: its XX; percent */
    OTTER_EVENT_RECEIVING = 4, /* percent of the package that is received */
    OTTER_EVENT_REFUSED = 5,   /* a package or message was refused; code */
    OTTER_EVENT_FAILED = 6,    /* something failed; code */
    OTTER_EVENT_REPAIRED = 7,  /* a damaged copy was rewritten; code */
};

struct otter_event {
    uint32_t time_ms;
    uint8_t kind; /* enum otter_event_kind */
    uint8_t stage;
    uint8_t percent;
    uint16_t code;
};

struct otter_events {
    struct otter_event ring[OTTER_EVENTS];
    uint32_t written; /* events ever written */
    uint32_t read;    /* events ever taken or missed */
};

void otter_events_add(struct otter_events *events, const struct otter_event *event);

/* Takes the oldest event not taken yet; false if there is none. `missed` counts those
 * that gave way since the last call. */
bool otter_events_take(struct otter_events *events, struct otter_event *event,
                       uint32_t *missed);

#ifdef __cplusplus
}
#endif

#endif
