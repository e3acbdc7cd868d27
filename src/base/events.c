/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring of events. `written` and `read` only grow; their difference, held to the
 * ring's size, is what waits.
 */
#include "otter/events.h"

void otter_events_add(struct otter_events *events, const struct otter_event *event)
{
    events->ring[events->written % OTTER_EVENTS] = *event;
    events->written++;
}

bool otter_events_take(struct otter_events *events, struct otter_event *event,
                       uint32_t *missed)
{
    uint32_t waiting = events->written - events->read;

    *missed = 0;
    if (waiting > OTTER_EVENTS) {
        *missed = waiting - OTTER_EVENTS;
        events->read += *missed;
        waiting = OTTER_EVENTS;
    }
    if (waiting == 0) {
        return false;
    }
    *event = events->ring[events->read % OTTER_EVENTS];
    events->read++;
    return true;
}
