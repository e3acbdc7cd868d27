/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMP server: takes one message, finds its command, checks policy and fields, lets
 * the command decide, and answers. While the receiver works no message is taken: they
 * wait in the link. A reply may be owed until the receiver is done, so that the last
 * chunk of a package gets the package's verdict.
 */
#include "smp_inner.h"

#include <string.h>

static const struct smp_commands *const groups[] = {
    &smp_os_commands,
    &smp_image_commands,
    &smp_otter_commands,
};

const struct otter_smp_command *smp_find(uint16_t group, uint8_t id, uint8_t op)
{
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        for (size_t k = 0; k < groups[i]->count; k++) {
            const struct otter_smp_command *command = &groups[i]->commands[k];

            if (command->group == group && command->id == id && command->op == op) {
                return command;
            }
        }
    }
    return NULL;
}

void otter_smp_init(struct otter_smp *smp, struct otter_device *device,
                    struct otter_receive *receive, const struct otter_link *link)
{
    memset(smp, 0, sizeof(*smp));
    smp->device = device;
    smp->receive = receive;
    smp->link = link;
}

enum otter_wish otter_smp_take_wish(struct otter_smp *smp)
{
    enum otter_wish wish = (enum otter_wish)smp->wish;

    smp->wish = OTTER_WISH_NONE;
    return wish;
}

static enum otter_result act(struct otter_smp *smp)
{
    const struct otter_smp_command *command = smp->command;
    uint8_t *body = smp->request + OTTER_SMP_HEADER_SIZE;

    if (command == NULL) {
        return OTTER_E_SMP_COMMAND;
    }
    if (command->needs != SMP_NEEDS_NOTHING &&
        !otter_device_permits(smp->device, (enum otter_command)command->needs)) {
        return OTTER_E_POLICY;
    }
    enum otter_result result = otter_cbor_message(
        body, smp->header.len, command->fields, command->field_count, smp->items);

    if (result != OTTER_OK) {
        otter_device_event(smp->device, OTTER_EVENT_REFUSED, 0, 0, otter_code(result));
        return result;
    }
    return command->act == NULL ? OTTER_OK : command->act(smp);
}

/* The receiver is not busy (any more): what was waiting for that. */
static void settle(struct otter_smp *smp)
{
    enum otter_result result = OTTER_OK;

    if (smp->rest.size != 0) {
        struct otter_chunk rest = smp->rest;

        smp->rest.size = 0;
        result = smp->receive->refusal;
        if (result == OTTER_OK) {
            result = otter_receive_offer(smp->receive, &rest);
        }
    } else if (smp->wants_request && otter_receive_is_complete(smp->receive)) {
        smp->wants_request = false;
        result = otter_receive_request(smp->receive);
    }
    if (result == OTTER_OK && otter_receive_is_busy(smp->receive)) {
        return;
    }
    if (smp->is_owed) {
        smp_reply(smp, result != OTTER_OK ? result : smp->receive->refusal);
    }
}

/* Messages that cannot be answered are dropped; an event says so. */
static void take(struct otter_smp *smp, size_t size)
{
    const struct otter_board *board = smp->device->ports.board;
    enum otter_result result = size > sizeof(smp->request)
                                   ? OTTER_E_SMP_SPACE
                                   : otter_smp_parse(smp->request, size, &smp->header);

    if (result == OTTER_OK && smp->header.op != OTTER_SMP_READ &&
        smp->header.op != OTTER_SMP_WRITE) {
        result = OTTER_E_SMP_OPERATION;
    }
    if (result != OTTER_OK) {
        otter_device_event(smp->device, OTTER_EVENT_REFUSED, 0, 0, otter_code(result));
        return;
    }
    smp->last_ms = board->time_ms(board->context);
    smp->has_heard = true;
    smp->command = smp_find(smp->header.group, smp->header.id, smp->header.op);
    result = act(smp);
    if (result != OTTER_OK || !smp->is_owed) {
        smp_reply(smp, result);
    } else if (!otter_receive_is_busy(smp->receive)) {
        settle(smp);
    }
}

bool otter_smp_poll(struct otter_smp *smp)
{
    if (otter_receive_is_busy(smp->receive)) {
        /* Its refusal is remembered by the receiver and told when something asks. */
        (void)!otter_receive_step(smp->receive);
        if (!otter_receive_is_busy(smp->receive)) {
            settle(smp);
        }
        return true;
    }
    if (smp->link == NULL) {
        return false;
    }
    size_t size =
        smp->link->receive(smp->link->context, smp->request, sizeof(smp->request));

    if (size == 0) {
        return false;
    }
    take(smp, size);
    return true;
}

/* ---- shared by the groups ---- */

bool smp_has(const struct otter_smp *smp, size_t field)
{
    return smp->items[field].kind != 0;
}

bool smp_number(const struct otter_smp *smp, size_t field, uint32_t *number)
{
    if (smp->items[field].value > UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)smp->items[field].value;
    return true;
}

void smp_session(const struct otter_smp *smp, size_t field,
                 uint8_t session[OTTER_SESSION_SIZE])
{
    const struct otter_cbor_item *item = &smp->items[field];

    memset(session, 0, OTTER_SESSION_SIZE);
    if (item->kind == OTTER_CBOR_BYTES) {
        memcpy(session, item->bytes,
               item->len < OTTER_SESSION_SIZE ? item->len : OTTER_SESSION_SIZE);
    }
}

enum otter_result smp_request(struct otter_smp *smp)
{
    enum otter_result result = otter_receive_request(smp->receive);

    smp->is_owed = result == OTTER_OK;
    return result;
}
