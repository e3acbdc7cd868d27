/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template of the link port (otter/port/link.h): whole SMP messages to and from one
 * peer, for instance one UDP datagram each. A product without a link passes NULL to
 * the programs instead.
 *
 * Loss, doubling and reordering are allowed; a message cut short or joined to another
 * is not. Anyone may be the peer: whether a package is taken depends on its signature,
 * and the flash table's policy says what else a remote may do.
 */
#include "port.h"

/* Called from poll, never from an interrupt: an interrupt only queues. Must not wait.
 * 0: none; capacity + 1: one was too long and is dropped. */
/* NOLINTNEXTLINE(readability-non-const-parameter): a real one writes to it */
static size_t link_receive(void *context, uint8_t *data, size_t capacity)
{
    (void)context;
    (void)data;
    (void)capacity;
    return 0;
}

/* To the peer of the last message received. `data` is not valid after the return, so
 * a driver that sends later copies it. */
static void link_send(void *context, const uint8_t *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
}

const struct otter_link port_link = {
    .context = NULL,
    .receive = link_receive,
    .send = link_send,
};
