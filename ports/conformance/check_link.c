/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check of the link port (otter/port/link.h): one message comes and is sent back. The
 * peer knows what it sent, and compares.
 */
#include "check_inner.h"

#include <stddef.h>

static enum check_verdict check_echo(struct port_check *check)
{
    const struct otter_link *link = check->link;

    if (link == NULL || check->link_wait_ms == 0 || !check->has_clock) {
        return CHECK_SKIPPED;
    }
    uint32_t start_ms = port_check_ms(check);

    while (port_check_ms(check) - start_ms < check->link_wait_ms) {
        size_t size = link->receive(link->context, check->data, sizeof(check->data));

        port_check_feed(check);
        if (size != 0 && size <= sizeof(check->data)) {
            link->send(link->context, check->data, size);
            check->detail = (uint32_t)size;
            check->unit = "bytes: the peer compares them";
            return CHECK_PASSED;
        }
    }
    return port_check_fail_number(check, check->link_wait_ms, "ms without a message");
}

const struct check_row port_check_link[] = {
    {"a message comes, and is sent back", check_echo, false},
    {NULL, NULL, false},
};
