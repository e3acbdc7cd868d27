/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link port: UDP, one message a datagram. The socket is opened when a program first
 * asks for a message; boot never does.
 */
#include "otter/port/link.h"

#include "port.h"
#include "udp_link.h"

#include <stdlib.h>

static struct host_udp udp;
static bool is_open;

static size_t link_receive(void *context, uint8_t *data, size_t capacity)
{
    (void)context;
    if (!is_open) {
        const char *address = getenv("OTTER_BOARD_UDP");

        if (!host_udp_listen(&udp, address != NULL ? address : "127.0.0.1")) {
            exit(EXIT_FAILURE);
        }
        is_open = true;
    }
    return udp.link.receive(udp.link.context, data, capacity);
}

static void link_send(void *context, const uint8_t *data, size_t size)
{
    (void)context;
    udp.link.send(udp.link.context, data, size); /* to whom was heard: it is open */
}

const struct otter_link port_link = {
    .receive = link_receive,
    .send = link_send,
};
