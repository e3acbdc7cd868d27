/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of SMP: one request, its reply, and what to do when either is
 * lost. Frames and CBOR are the device library's own; the way there is a transport:
 * UDP, or a server in the same process.
 *
 *     smp_client_init(&client, &transport);
 *     struct otter_cbor_map *body = smp_client_begin(&client);
 *     otter_cbor_add_uint(body, "off", 0);
 *     result = smp_client_call(&client, OTTER_SMP_WRITE, group, id, fields, count,
 * items);
 */
#ifndef OTTER_HOST_SMP_CLIENT_H
#define OTTER_HOST_SMP_CLIENT_H

#include "otter/smp.h"
#include "udp_link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SMP_CLIENT_MESSAGE_MAX = 2048, SMP_CLIENT_FIELDS_MAX = 16 };

struct smp_transport {
    void *context;

    /* Sends one message. False if the link is closed; loss is silent. */
    bool (*send)(void *context, const uint8_t *data, size_t size);

    /* Waits for one message, at most `timeout_ms`; its length, or 0. Longer ones than
     * `capacity` are dropped. */
    size_t (*receive)(void *context, uint8_t *data, size_t capacity, int timeout_ms);
};

struct smp_client {
    struct smp_transport transport;
    uint8_t seq;      /* of the next request */
    int timeout_ms;   /* until a request is sent again; default 1000 */
    int attempts;     /* how often it is sent in all; default 4 */
    uint32_t resent;  /* requests that were sent again */
    uint32_t ignored; /* messages that were not the reply awaited */
    int rc;           /* of the last reply; 0 if it was none of an error */
    int rc_group;     /* its group, -1: plain rc */
    struct otter_writer writer;
    struct otter_cbor_map body;
    uint8_t request[SMP_CLIENT_MESSAGE_MAX];
    uint8_t reply[SMP_CLIENT_MESSAGE_MAX];
};

void smp_client_init(struct smp_client *client, const struct smp_transport *transport);

/* What a request asks for. */
struct smp_target {
    uint8_t op; /* enum otter_smp_op */
    uint16_t group;
    uint8_t id;
};

/* Starts the body of a request. */
struct otter_cbor_map *smp_client_begin(struct smp_client *client);

/* Sends the request and waits for its reply, sending it again with the same sequence
 * number. `items` gets the reply's fields, which point into the client until the next
 * call. 25-17: no reply came; 33-15: the request does not fit; 33-12, 33-13: the reply
 * cannot be understood; any other: what the device answered (see rc). */
OTTER_MUST_CHECK enum otter_result smp_client_call(
    struct smp_client *client, struct smp_target target,
    const struct otter_cbor_field *fields, size_t count, struct otter_cbor_item *items);

/* Reads a reply's body: OTTER_OK with its items, or the result that the device told.
 * Part of the call, apart for tests and fuzzing. `data` is changed. */
OTTER_MUST_CHECK enum otter_result smp_client_read(
    struct smp_client *client, uint8_t *data, size_t size,
    const struct otter_cbor_field *fields, size_t count, struct otter_cbor_item *items);

/* ---- UDP ---- */

/* Faults of a link, for tests and the demo: every nth datagram, counted over both
 * directions, 0: never. */
struct smp_faults {
    uint32_t drop;  /* every nth is lost */
    uint32_t twice; /* every nth comes twice */
    uint32_t swap;  /* every nth is held back until the next one */
    uint32_t
        cut_bytes; /* after that many sent bytes the link is dead for cut_ms, once */
    uint32_t cut_ms;
};

struct smp_udp {
    int fd;
    struct smp_faults faults;

    /* Private. */
    uint32_t datagrams;
    uint32_t sent_bytes;
    uint64_t dead_until_ms;
    bool was_cut;
    size_t held_size; /* a message that is held back */
    uint8_t held[SMP_CLIENT_MESSAGE_MAX];
    size_t copy_size; /* a reply that comes a second time */
    uint8_t copy[SMP_CLIENT_MESSAGE_MAX];
};

/* Connects a socket to the address (host_udp_parse()). False with a message. */
bool smp_udp_open(struct smp_udp *udp, const char *address);
void smp_udp_close(struct smp_udp *udp);
struct smp_transport smp_udp_transport(struct smp_udp *udp);

/* Milliseconds of a clock that only goes forward. */
uint64_t host_now_ms(void);

#ifdef __cplusplus
}
#endif

#endif
