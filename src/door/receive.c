/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving: what a door asks. The decisions are here and change only RAM; the work
 * on flash is in receive_steps.c.
 */
#include "otter/receive.h"

#include "receive_inner.h"

#include <string.h>

static bool is_same_session(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, OTTER_SESSION_SIZE) == 0 && otter_is_session(a);
}

void otter_receive_open(struct otter_receive *receive, struct otter_device *device)
{
    const struct otter_state *state = &device->journal.state;

    memset(receive, 0, sizeof(*receive));
    receive->device = device;
    receive->slot = (uint8_t)(1 - state->current);
    memcpy(receive->session, state->session, OTTER_SESSION_SIZE);
    if (state->phase == OTTER_PHASE_RECEIVING || state->phase == OTTER_PHASE_COMPLETE) {
        otter_receive_resume(receive);
    }
}

/* Steps at which nothing can be done without the next chunk. */
static bool waits_for_data(const struct otter_receive *receive)
{
    switch (receive->step) {
    case RECEIVE_HEADER:
    case RECEIVE_CONTROL:
    case RECEIVE_ERASE_SECTOR:
    case RECEIVE_FILL:
    case RECEIVE_TRAILER:
        return receive->left == 0;
    default:
        return receive->step == RECEIVE_IDLE || receive->step == RECEIVE_COMPLETE;
    }
}

bool otter_receive_is_busy(const struct otter_receive *receive)
{
    return otter_journal_is_busy(&receive->device->journal) || !waits_for_data(receive);
}

bool otter_receive_is_complete(const struct otter_receive *receive)
{
    return receive->step == RECEIVE_COMPLETE && !otter_receive_is_busy(receive);
}

static bool is_allowed_now(const struct otter_device *device)
{
    const struct otter_board *board = device->ports.board;

    return board->allows_update(board->context);
}

/* As opened, but for the refusal that is remembered. */
static void forget_transfer(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    struct otter_in_place *in_place = receive->in_place;
    enum otter_result refused = receive->refused;
    uint8_t session[OTTER_SESSION_SIZE];

    memcpy(session, receive->refused_session, sizeof(session));
    receive_drop_key(receive);
    memset(receive, 0, sizeof(*receive));
    receive->device = device;
    receive->in_place = in_place;
    receive->slot = (uint8_t)(1 - device->journal.state.current);
    receive->refused = refused;
    memcpy(receive->refused_session, session, sizeof(session));
}

/* A chunk at offset 0 that begins a transfer: the header is judged before anything is
 * written. */
static enum otter_result offer_first(struct otter_receive *receive,
                                     const struct otter_chunk *chunk)
{
    struct otter_image_header header;
    struct otter_system current;

    if (otter_device_is_on_card(receive->device) && !chunk->is_on_card) {
        return OTTER_E_CARD_ONLY;
    }
    if (!is_allowed_now(receive->device)) {
        return OTTER_E_POSTPONED;
    }
    if (chunk->size >= OTTER_IMAGE_HEADER_SIZE) {
        enum otter_result result = otter_image_header_parse(chunk->data, &header);

        if (result != OTTER_OK) {
            return result;
        }
    }
    if (otter_system_peek(receive->device, receive->device->journal.state.current,
                          &current) != OTTER_OK) {
        /* The other receipt, which would be erased, may be the last that vouches for
         * anything. */
        return OTTER_E_RECEIPT_LOST;
    }
    forget_transfer(receive);
    memcpy(receive->session, chunk->session, OTTER_SESSION_SIZE);
    receive->total = chunk->total;
    receive->has_twin = false;
    receive->step = RECEIVE_BEGIN;
    return OTTER_OK;
}

/* What an earlier refusal says to this chunk (K11). */
static enum otter_result remembered(const struct otter_receive *receive,
                                    const struct otter_chunk *chunk)
{
    if (chunk->off != 0) {
        return receive->refusal;
    }
    return is_same_session(chunk->session, receive->refused_session) ? receive->refused
                                                                     : OTTER_OK;
}

static bool begins(const struct otter_receive *receive, const struct otter_chunk *chunk)
{
    if (chunk->off != 0) {
        return false;
    }
    return receive->next == 0 || chunk->wants_restart ||
           !is_same_session(chunk->session, receive->session);
}

/* The receipt slot of the package whose transfer has ended and that was requested
 * since, or runs now. In the manager the system that runs may be damaged, so there its
 * package is taken once more. -1: there is none. */
static int8_t finished_slot(const struct otter_device *device)
{
    const struct otter_state *state = &device->journal.state;

    if (state->phase >= OTTER_PHASE_REQUESTED && state->phase <= OTTER_PHASE_TRIAL) {
        return (int8_t)(1 - state->current);
    }
    return state->phase == OTTER_PHASE_CONFIRMED &&
                   state->outcome.kind == OTTER_OUTCOME_CONFIRMED &&
                   device->program == OTTER_PROGRAM_AGENT
               ? (int8_t)state->current
               : -1;
}

/* A first part that comes again when its transfer has long ended: a second copy of a
 * message, or a remote that asks where to go on. It begins nothing. */
static bool is_finished(struct otter_receive *receive, const struct otter_chunk *chunk)
{
    const struct otter_device *device = receive->device;
    int8_t slot = finished_slot(device);
    struct otter_system system;

    if (chunk->off != 0 || chunk->wants_restart || slot < 0 ||
        !is_same_session(chunk->session, device->journal.state.session) ||
        otter_system_peek(device, (uint8_t)slot, &system) != OTTER_OK) {
        return false;
    }
    receive->length = system.control.file_length;
    receive->next = receive->length;
    return true;
}

enum otter_result otter_receive_offer(struct otter_receive *receive,
                                      const struct otter_chunk *chunk)
{
    if (otter_receive_is_busy(receive)) {
        return OTTER_E_BUSY;
    }
    enum otter_result result = otter_device_store_is_free(receive->device);

    if (result != OTTER_E_JOURNAL_CRITICAL && is_finished(receive, chunk)) {
        return OTTER_E_RECEIVE_OFFSET;
    }
    if (result == OTTER_OK) {
        result = remembered(receive, chunk);
    }
    if (result != OTTER_OK) {
        return result;
    }
    if (begins(receive, chunk)) {
        if (chunk->size == 0) {
            return OTTER_E_RECEIVE_OFFSET;
        }
        result = offer_first(receive, chunk);
    } else if (chunk->off != receive->next) {
        result = OTTER_E_RECEIVE_OFFSET;
    } else if (receive->length != 0 && chunk->size > receive->length - receive->next) {
        result = OTTER_E_RECEIVE_OVERRUN;
    }
    if (result != OTTER_OK) {
        return result;
    }
    receive->data = chunk->data;
    receive->left = chunk->size;
    receive->next += (uint32_t)chunk->size;
    return OTTER_OK;
}

/* A control packet that is refused stays refused (K11). What came after it may have
 * been damaged on the way, and flash that failed may work the next time. */
static bool is_final(enum otter_result reason)
{
    bool is_content = reason == OTTER_E_PACKAGE_TRAILER ||
                      reason == OTTER_E_PACKAGE_HASH || reason == OTTER_E_MEMBER_HASH;
    bool is_flash =
        (reason <= OTTER_E_FLASH_READ && reason >= OTTER_E_JOURNAL_CRITICAL) ||
        reason == OTTER_E_RECEIPT_COPY;

    return !is_content && !is_flash;
}

/* No transfer is under way any more. While the other receipt vouches for the manager
 * (flag 1) it stays known which copy of it was being written (K5). */
static void end_transfer(struct otter_state *state)
{
    bool is_touched = state->part == OTTER_PART_RECEIPT ||
                      state->part == OTTER_PART_RECEIPT_COPY ||
                      state->part == OTTER_PART_HASH;

    if (!is_touched || (state->flags & OTTER_FLAG_NEW_MANAGER) == 0) {
        otter_state_begin(state, OTTER_PART_NONE);
    }
    state->phase = OTTER_PHASE_CONFIRMED;
    memset(state->session, 0, sizeof(state->session));
}

/* The package is out: remember why, tell the journal, wait for another one. */
static enum otter_result refuse(struct otter_receive *receive, enum otter_result reason)
{
    struct otter_device *device = receive->device;
    struct otter_state state = device->journal.state;

    receive_drop_key(receive);
    receive->refusal = reason;
    if (is_final(reason)) {
        receive->refused = reason;
        memcpy(receive->refused_session, receive->session, OTTER_SESSION_SIZE);
    }
    receive->step = RECEIVE_IDLE;
    receive->left = 0;
    receive->next = 0;
    receive->length = 0;
    otter_device_event(device, OTTER_EVENT_REFUSED, 0, 0, otter_code(reason));
    /* A journal that takes no record would fail the same way again, for ever. */
    if (state.phase != OTTER_PHASE_RECEIVING || reason == OTTER_E_JOURNAL_SECTORS ||
        reason == OTTER_E_JOURNAL_EXHAUSTED) {
        return reason;
    }
    end_transfer(&state);
    state.outcome.kind = OTTER_OUTCOME_REFUSED;
    state.outcome.code = otter_code(reason);
    memcpy(state.outcome.id, receive->control.package_id, sizeof(state.outcome.id));
    /* If even this cannot be written, the refusal still stands in RAM; the next
     * power-on finds an unfinished transfer, which is as harmless. */
    (void)!otter_journal_put(&device->journal, &state, OTTER_SEALED);
    return reason;
}

static void tell_percent(struct otter_receive *receive)
{
    if (receive->length == 0) {
        return;
    }
    uint32_t done = receive->next - (uint32_t)receive->left;
    uint8_t percent = (uint8_t)((uint64_t)done * 100 / receive->length);

    if (percent != receive->percent) {
        receive->percent = percent;
        otter_device_event(receive->device, OTTER_EVENT_RECEIVING, 0, percent, 0);
    }
}

enum otter_result otter_receive_step(struct otter_receive *receive)
{
    struct otter_journal *journal = &receive->device->journal;
    enum otter_result result;

    if (otter_journal_is_busy(journal)) {
        result = otter_journal_step(journal);
    } else if (waits_for_data(receive)) {
        return OTTER_OK;
    } else {
        result = otter_receive_do(receive);
    }
    if (result != OTTER_OK) {
        return refuse(receive, result);
    }
    tell_percent(receive);
    return OTTER_OK;
}

enum otter_result otter_receive_forget(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    struct otter_state state = device->journal.state;

    if (otter_receive_is_busy(receive)) {
        return OTTER_E_BUSY;
    }
    enum otter_result result = otter_device_store_is_free(device);

    if (result != OTTER_OK) {
        return result;
    }
    forget_transfer(receive);
    receive->refused = OTTER_OK;
    memset(receive->refused_session, 0, sizeof(receive->refused_session));
    /* Even of the system that runs: its package may be sent once more, then. */
    bool is_known =
        state.phase == OTTER_PHASE_RECEIVING || state.phase == OTTER_PHASE_COMPLETE ||
        (state.phase == OTTER_PHASE_CONFIRMED && otter_state_has_session(&state));

    if (!is_known) {
        return OTTER_OK;
    }
    end_transfer(&state);
    return otter_journal_put(&device->journal, &state, OTTER_SEALED);
}

/* `flags` go into the record, too. */
static enum otter_result request(struct otter_receive *receive, uint8_t flags)
{
    struct otter_device *device = receive->device;
    struct otter_state state = device->journal.state;

    enum otter_result result = otter_device_store_is_free(device);

    if (state.phase == OTTER_PHASE_REQUESTED && result == OTTER_E_LOCKED) {
        return OTTER_OK;
    }
    if (result != OTTER_OK) {
        return result;
    }
    if (!otter_receive_is_complete(receive)) {
        return OTTER_E_NOT_COMPLETE;
    }
    if (!is_allowed_now(device)) {
        return OTTER_E_POSTPONED;
    }
    state.phase = OTTER_PHASE_REQUESTED;
    state.flags |= flags;
    otter_device_event(device, OTTER_EVENT_PHASE, OTTER_PHASE_REQUESTED, 0, 0);
    return otter_journal_put(&device->journal, &state, OTTER_SEALED);
}

enum otter_result otter_receive_request(struct otter_receive *receive)
{
    return request(receive, 0);
}

enum otter_result otter_receive_request_closed(struct otter_receive *receive)
{
    return request(receive, OTTER_FLAG_CLOSED);
}
