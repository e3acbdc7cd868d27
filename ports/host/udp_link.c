/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link over UDP, for virtual devices: a non-blocking socket behind struct
 * otter_link. Replies go to the sender of the last message.
 */
#include "udp_link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t udp_receive(void *context, uint8_t *data, size_t capacity)
{
    struct host_udp *udp = (struct host_udp *)context;
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof(peer);
    ssize_t len = recvfrom(udp->socket, data, capacity, MSG_DONTWAIT | MSG_TRUNC,
                           (struct sockaddr *)&peer, &peer_size);

    if (len <= 0) {
        return 0;
    }
    udp->peer = peer;
    udp->peer_size = peer_size;
    return (size_t)len > capacity ? capacity + 1 : (size_t)len;
}

static void udp_send(void *context, const uint8_t *data, size_t size)
{
    struct host_udp *udp = (struct host_udp *)context;

    if (udp->peer_size != 0) {
        /* What cannot be sent is lost, as on any link. */
        (void)!sendto(udp->socket, data, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (const struct sockaddr *)&udp->peer, udp->peer_size);
    }
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage addr;
    socklen_t size = sizeof(addr);
    char service[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&addr, &size) != 0 ||
        getnameinfo((struct sockaddr *)&addr, size, NULL, 0, service, sizeof(service),
                    NI_NUMERICSERV | NI_DGRAM) != 0) {
        return 0;
    }
    return (uint16_t)strtoul(service, NULL, 10);
}

static int bind_first(const struct addrinfo *found)
{
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);

        if (fd < 0) {
            continue;
        }
        if (bind(fd, at->ai_addr, at->ai_addrlen) == 0) {
            return fd;
        }
        int reason = errno;

        close(fd);
        errno = reason;
    }
    return -1;
}

bool host_udp_listen(struct host_udp *udp, const char *address)
{
    char host[HOST_UDP_HOST_MAX];
    uint16_t port = 0;
    struct addrinfo wanted = {
        .ai_socktype = SOCK_DGRAM, .ai_family = AF_UNSPEC, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];

    memset(udp, 0, sizeof(*udp));
    udp->socket = -1;
    if (!host_udp_parse(address, host, &port)) {
        fprintf(stderr, "otter: %s: not an address like host:port\n", address);
        return false;
    }
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    int status = getaddrinfo(host, service, &wanted, &found);

    if (status != 0) {
        fprintf(stderr, "otter: %s: %s\n", host, gai_strerror(status));
        return false;
    }
    udp->socket = bind_first(found);
    freeaddrinfo(found);
    if (udp->socket < 0) {
        fprintf(stderr, "otter: udp port %u: %s\n", (unsigned)port, strerror(errno));
        return false;
    }
    udp->port = bound_port(udp->socket);
    udp->link =
        (struct otter_link){.context = udp, .receive = udp_receive, .send = udp_send};
    return true;
}

void host_udp_close(struct host_udp *udp)
{
    if (udp->socket >= 0) {
        close(udp->socket);
        udp->socket = -1;
    }
}

bool host_udp_wait(struct host_udp *udp, int timeout_ms)
{
    struct pollfd waiting = {.fd = udp->socket, .events = POLLIN};

    return poll(&waiting, 1, timeout_ms) > 0;
}

static bool parse_port(const char *text, uint16_t *port)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

bool host_udp_parse(const char *address, char host[HOST_UDP_HOST_MAX], uint16_t *port)
{
    static const char scheme[] = "udp://";

    if (strncmp(address, scheme, sizeof(scheme) - 1) == 0) {
        address += sizeof(scheme) - 1;
    } else if (strstr(address, "://") != NULL) {
        return false;
    }
    const char *start = address;
    const char *end = address + strcspn(address, ":/");

    if (*address == '[') {
        start = address + 1;
        end = strchr(address, ']');
        if (end == NULL) {
            return false;
        }
    }
    size_t len = (size_t)(end - start);
    const char *rest = *end == ']' ? end + 1 : end;

    if (len == 0 || len >= HOST_UDP_HOST_MAX) {
        return false;
    }
    memcpy(host, start, len);
    host[len] = '\0';
    *port = HOST_UDP_PORT;
    if (*rest == ':') {
        return parse_port(rest + 1, port);
    }
    return *rest == '\0' || strcmp(rest, "/") == 0;
}
