/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link port: whole messages to and from one peer. A byte pipe puts its own framing
 * below this port.
 */
#ifndef OTTER_PORT_LINK_H
#define OTTER_PORT_LINK_H

#include "otter/error.h"

#include <stddef.h>
#include <stdint.h>

struct otter_link {
    void *context;

    /* Moves the oldest waiting message into `data` and returns its length, or 0 when
     * none waits. A message longer than `capacity` is dropped and returns
     * capacity + 1. Never waits. */
    size_t (*receive)(void *context, uint8_t *data, size_t capacity);

    /* Sends a message to the peer that sent the last one received. Never waits; a
     * message that cannot be sent is lost, as on any link. */
    void (*send)(void *context, const uint8_t *data, size_t size);
};

#endif
