/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A serial line of the device's side on a pseudo-terminal: whoever opens its name, as
 * one opens /dev/ttyACM0, talks to the device.
 */
#ifndef OTTER_HOST_PTY_H
#define OTTER_HOST_PTY_H

#include "serial_link.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct host_pty {
    struct host_serial serial; /* its `link` is the device's, its `fd` may be polled */
    int line;                  /* the other end, held open: clients come and go */
    const char *path;          /* of the link to it, or NULL: not open */
};

/* Makes a pseudo-terminal and a symbolic link to it at `path`, which stays in use; a
 * symbolic link that is there already is replaced, anything else is not. False with a
 * message on stderr. `pty` must not move afterwards. */
bool host_pty_open(struct host_pty *pty, const char *path);

/* Closes it and removes the link. */
void host_pty_close(struct host_pty *pty);

#ifdef __cplusplus
}
#endif

#endif
