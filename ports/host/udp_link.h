/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link over UDP: one message a datagram, as SMP has it (port 1337). The device's
 * side is a struct otter_link that never waits; host_udp_wait() waits for it. The
 * client's side is in smp_client.h.
 */
#ifndef OTTER_HOST_UDP_LINK_H
#define OTTER_HOST_UDP_LINK_H

#include "otter/port/link.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { HOST_UDP_PORT = 1337, HOST_UDP_HOST_MAX = 256 };

struct host_udp {
    int socket;    /* -1: closed */
    uint16_t port; /* that it is bound to */
    struct sockaddr_storage peer;
    socklen_t peer_size; /* 0: nobody was heard yet */
    struct otter_link link;
};

/* Opens a socket bound to `address`, host_udp_parse(); port 0: any free one, see
 * `port`. False with a message on stderr if that fails. `udp` must not move afterwards.
 */
bool host_udp_listen(struct host_udp *udp, const char *address);
void host_udp_close(struct host_udp *udp);

/* Waits until a message is there, at most `timeout_ms`. True if one is. */
bool host_udp_wait(struct host_udp *udp, int timeout_ms);

/* Takes "host:port", "host", "[v6]:port" or "udp://" and one of them apart; the port
 * is 1337 if none is given. False if it is none of these. */
bool host_udp_parse(const char *address, char host[HOST_UDP_HOST_MAX], uint16_t *port);

#ifdef __cplusplus
}
#endif

#endif
