/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mailbox, in a section that the linker scripts keep out of every image.
 */
#include "mailbox.h"

#include <stddef.h>
#include <stdint.h>

static const uint32_t mailbox_magic = 0x6F747472;
static const uint32_t manager_word = 0x4D414E41;

static struct {
    uint32_t magic;
    uint32_t cause;      /* of this run: enum otter_reset_cause */
    uint32_t next_cause; /* if a reset came now */
    uint32_t wanted;     /* manager_word: somebody wants the manager */
    uint32_t check;
} mailbox __attribute__((section(".retained.board")));

static uint32_t mailbox_check(void)
{
    return ~(mailbox.magic + mailbox.cause * 3U + mailbox.next_cause * 5U +
             mailbox.wanted * 7U);
}

bool mailbox_is_whole(void)
{
    return mailbox.magic == mailbox_magic && mailbox.check == mailbox_check();
}

enum otter_reset_cause mailbox_left(void)
{
    return mailbox.next_cause <= OTTER_RESET_FAULT
               ? (enum otter_reset_cause)mailbox.next_cause
               : OTTER_RESET_UNKNOWN;
}

void mailbox_leave(enum otter_reset_cause cause)
{
    mailbox.next_cause = cause;
    mailbox.check = mailbox_check();
}

void mailbox_take(enum otter_reset_cause cause)
{
    mailbox.wanted = mailbox_is_whole() ? mailbox.wanted : 0;
    mailbox.cause = cause;
    mailbox.magic = mailbox_magic;
    mailbox_leave(OTTER_RESET_UNKNOWN);
}

enum otter_reset_cause mailbox_cause(void *context)
{
    (void)context;
    return mailbox_is_whole() && mailbox.cause <= OTTER_RESET_FAULT
               ? (enum otter_reset_cause)mailbox.cause
               : OTTER_RESET_UNKNOWN;
}

bool mailbox_wants_manager(void *context)
{
    (void)context;
    return mailbox_is_whole() && mailbox.wanted == manager_word;
}

void mailbox_request_manager(void *context, bool wanted)
{
    (void)context;
    mailbox.wanted = wanted ? manager_word : 0;
    mailbox.check = mailbox_check();
}
