/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's transport over UDP, and the faults that it can put on the way.
 */
#include "smp_client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t host_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_nth(uint32_t count, uint32_t n)
{
    return n != 0 && count % n == 0;
}

static bool is_dead(const struct smp_udp *udp)
{
    return host_now_ms() < udp->dead_until_ms;
}

/* A refused datagram (no program listens now) counts as lost: it may come back. */
static void send_now(struct smp_udp *udp, const uint8_t *data, size_t size)
{
    (void)!send(udp->fd, data, size, MSG_NOSIGNAL);
}

static bool udp_send(void *context, const uint8_t *data, size_t size)
{
    struct smp_udp *udp = (struct smp_udp *)context;
    const struct smp_faults *faults = &udp->faults;

    if (udp->fd < 0) {
        return false;
    }
    udp->datagrams++;
    udp->sent_bytes += (uint32_t)size;
    if (faults->cut_bytes != 0 && !udp->was_cut &&
        udp->sent_bytes >= faults->cut_bytes) {
        udp->was_cut = true;
        udp->dead_until_ms = host_now_ms() + faults->cut_ms;
    }
    if (is_dead(udp) || is_nth(udp->datagrams, faults->drop)) {
        return true;
    }
    if (is_nth(udp->datagrams, faults->swap) && udp->held_size == 0) {
        memcpy(udp->held, data, size);
        udp->held_size = size;
        return true;
    }
    send_now(udp, data, size);
    if (is_nth(udp->datagrams, faults->twice)) {
        send_now(udp, data, size);
    }
    if (udp->held_size != 0) {
        send_now(udp, udp->held, udp->held_size);
        udp->held_size = 0;
    }
    return true;
}

/* The socket's next datagram; 0 when none came in time. */
static size_t receive_now(const struct smp_udp *udp, uint8_t *data, size_t capacity,
                          int timeout_ms)
{
    struct pollfd waiting = {.fd = udp->fd, .events = POLLIN};
    uint64_t end_ms = host_now_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);

    for (;;) {
        uint64_t now_ms = host_now_ms();
        int left_ms = now_ms < end_ms ? (int)(end_ms - now_ms) : 0;

        if (poll(&waiting, 1, left_ms) <= 0) {
            return 0;
        }
        ssize_t len = recv(udp->fd, data, capacity, MSG_DONTWAIT | MSG_TRUNC);

        if (len > 0 && (size_t)len <= capacity) {
            return (size_t)len;
        }
        /* Nobody listened to an earlier datagram: the error waits in the socket. */
        if (left_ms == 0) {
            return 0;
        }
    }
}

static size_t udp_receive(void *context, uint8_t *data, size_t capacity, int timeout_ms)
{
    struct smp_udp *udp = (struct smp_udp *)context;
    uint64_t end_ms = host_now_ms() + (uint64_t)timeout_ms;

    if (udp->copy_size != 0 && udp->copy_size <= capacity) {
        size_t size = udp->copy_size;

        memcpy(data, udp->copy, size);
        udp->copy_size = 0;
        return size;
    }
    for (;;) {
        uint64_t now_ms = host_now_ms();
        size_t size = receive_now(udp, data, capacity,
                                  now_ms < end_ms ? (int)(end_ms - now_ms) : 0);

        if (size == 0) {
            return 0;
        }
        udp->datagrams++;
        if (is_dead(udp) || is_nth(udp->datagrams, udp->faults.drop)) {
            continue;
        }
        if (is_nth(udp->datagrams, udp->faults.twice) && size <= sizeof(udp->copy)) {
            memcpy(udp->copy, data, size);
            udp->copy_size = size;
        }
        return size;
    }
}

bool smp_udp_open(struct smp_udp *udp, const char *address)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_DGRAM, .ai_family = AF_UNSPEC};
    struct addrinfo *found = NULL;
    char host[HOST_UDP_HOST_MAX];
    char service[8];
    uint16_t port = 0;

    memset(udp, 0, sizeof(*udp));
    udp->fd = -1;
    if (!host_udp_parse(address, host, &port)) {
        fprintf(stderr, "otter: %s: not an address like udp://host:port\n", address);
        return false;
    }
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    int status = getaddrinfo(host, service, &wanted, &found);

    if (status != 0) {
        fprintf(stderr, "otter: %s: %s\n", host, gai_strerror(status));
        return false;
    }
    for (const struct addrinfo *at = found; at != NULL && udp->fd < 0;
         at = at->ai_next) {
        udp->fd =
            socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (udp->fd >= 0 && connect(udp->fd, at->ai_addr, at->ai_addrlen) != 0) {
            close(udp->fd);
            udp->fd = -1;
        }
    }
    freeaddrinfo(found);
    if (udp->fd < 0) {
        fprintf(stderr, "otter: %s: %s\n", address, strerror(errno));
        return false;
    }
    return true;
}

void smp_udp_close(struct smp_udp *udp)
{
    if (udp->fd >= 0) {
        close(udp->fd);
        udp->fd = -1;
    }
}

struct smp_transport smp_udp_transport(struct smp_udp *udp)
{
    return (struct smp_transport){
        .context = udp, .send = udp_send, .receive = udp_receive};
}
