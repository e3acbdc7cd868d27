/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link over a console, framed as otter/serial_frame.h has it: a serial line, or a
 * stream socket that leads to one, as an emulator offers it.
 *
 *     serial:///dev/ttyACM0?baud=115200
 *     unix:///run/board.sock
 *     tcp://host:port
 *
 * A line that breaks is opened again when something is to be sent: a board may lose
 * its power, an emulator its process.
 */
#ifndef OTTER_HOST_SERIAL_LINK_H
#define OTTER_HOST_SERIAL_LINK_H

#include "otter/port/link.h"
#include "otter/serial_frame.h"
#include "smp_client.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { HOST_SERIAL_PATH_MAX = 108, HOST_SERIAL_BAUD = 115200 };

enum host_serial_kind { HOST_SERIAL_LINE, HOST_SERIAL_UNIX, HOST_SERIAL_TCP };

/* An address in parts. */
struct host_serial_address {
    enum host_serial_kind kind;
    char path[HOST_SERIAL_PATH_MAX]; /* of a file, or host:port */
    uint32_t baud;
};

struct host_serial {
    struct host_serial_address address;
    int fd; /* -1: broken */
    struct otter_serial_decoder decoder;
    uint8_t message[SMP_CLIENT_MESSAGE_MAX];
    uint8_t waiting[512]; /* bytes read and not decoded yet */
    size_t waiting_off, waiting_size;
    struct otter_link link; /* never waits: the side of a device */
};

/* Takes an address apart; false if it is none. */
bool host_serial_parse(const char *text, struct host_serial_address *address);

/* Opens the line; false with a message on stderr. `serial` must not move afterwards. */
bool host_serial_open(struct host_serial *serial, const char *text);

/* The same on a stream that is open already; it is closed with the link. A broken one
 * stays broken. */
void host_serial_attach(struct host_serial *serial, int fd);
void host_serial_close(struct host_serial *serial);

/* The client's side: waits as long as it is told. */
struct smp_transport host_serial_transport(struct host_serial *serial);

#ifdef __cplusplus
}
#endif

#endif
