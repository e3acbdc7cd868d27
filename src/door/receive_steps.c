/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving: the table of its steps, in their order, and what they share. Order is what
 * a cut demands: the control packet stands in both copies of the incoming receipt,
 * verified and sealed, before the first sector of the store is erased (K1, K11); a
 * sector of the store is erased, sealed as erased, filled, and noted as standing (K4,
 * K5); the package hash stands before the record "complete".
 */
#include "receive_inner.h"

#include <string.h>

enum otter_result receive_put(struct otter_receive *receive, enum otter_part part,
                              bool is_erased, enum otter_firmness firmness)
{
    struct otter_state state = receive->device->journal.state;
    bool in_members = part == OTTER_PART_MEMBERS;

    state.phase = OTTER_PHASE_RECEIVING;
    state.part = (uint8_t)part;
    state.member = in_members ? receive->member : 0;
    state.cursor = in_members ? receive->cursor : 0;
    state.erased = is_erased ? 1 : 0;
    memcpy(state.session, receive->session, OTTER_SESSION_SIZE);
    return otter_journal_put(&receive->device->journal, &state, firmness);
}

struct otter_source receive_control_source(const struct otter_receive *receive)
{
    return otter_span_source(&receive->span, receive->control_length);
}

/* Moves up to `wanted` bytes of the chunk to `to`; answers how many. */
size_t receive_take(struct otter_receive *receive, uint8_t *to, size_t wanted)
{
    size_t len = receive->left < wanted ? receive->left : wanted;

    memcpy(to, receive->data, len);
    receive->data += len;
    receive->left -= len;
    return len;
}

/* Programs the next part of the waiting page at `off`; pads its last word. True in
 * `is_done` when the whole page stands. */
enum otter_result receive_flush(struct otter_receive *receive, uint8_t region,
                                uint32_t off, bool *is_done)
{
    struct otter_device *device = receive->device;
    uint32_t word = otter_io_word_size(&device->io, region);
    uint32_t padded = (receive->filled + word - 1) / word * word;
    size_t done = 0;

    memset(device->page + receive->filled, otter_io_erased(&device->io, region),
           padded - receive->filled);
    enum otter_result result = otter_io_program(
        &device->io, region, off + receive->flushed, device->page + receive->flushed,
        padded - receive->flushed, &done);

    receive->flushed += (uint32_t)done;
    *is_done = result == OTTER_OK && receive->flushed == padded;
    return result;
}

/* ---- going on after a reset ---- */

/* Opens the incoming receipt. A copy that was being written at a cut is not looked at,
 * whatever it holds (K5). */
static bool reopen_receipt(struct otter_receive *receive,
                           const struct otter_state *state)
{
    struct otter_receipt receipt;

    for (uint8_t copy = 0; copy < (uint8_t)OTTER_RECEIPT_COPIES; copy++) {
        bool is_touched = state->part == OTTER_PART_HASH && state->member == copy;

        if (is_touched || otter_receipt_open(&receive->device->io, receive->slot, copy,
                                             &receipt) != OTTER_OK) {
            continue;
        }
        receive->span = receipt.span;
        receive->control_length = receipt.length;
        if (receive_check_control(receive) == OTTER_OK) {
            return true;
        }
    }
    return false;
}

/* Of a member in place something was erased, or all came, so "application closed"
 * stands for this package. If nothing was, what is stored is verified once more. */
static bool was_closed(const struct otter_receive *receive,
                       const struct otter_state *state)
{
    uint8_t first = 0;

    while (first < receive->plan.count &&
           receive->plan.members[first].strategy != OTTER_STRATEGY_IN_PLACE) {
        first++;
    }
    if (first == receive->plan.count) {
        return false; /* it has none */
    }
    return state->part == OTTER_PART_HASH || state->member > first ||
           (state->member == first && (state->cursor > 0 || state->erased != 0));
}

/* Goes to where the journal stands in the file. */
static enum otter_result find_position(struct otter_receive *receive,
                                       const struct otter_state *state)
{
    struct otter_source source = receive_control_source(receive);
    uint32_t off = 0;

    if (state->part == OTTER_PART_HASH) {
        receive->is_spoiled = true;
        receive->copy = state->member == 0 ? 0 : 1;
        receive->member = receive->control.member_count;
    } else {
        receive->member = state->member;
        receive->cursor = state->cursor;
    }
    receive->is_closed = was_closed(receive, state);
    if (receive->member > receive->control.member_count) {
        return OTTER_E_RECEIVE_OFFSET;
    }
    enum otter_result result =
        otter_control_member_off(&source, &receive->control, receive->member, &off);

    receive->next = off + receive->cursor;
    receive->step = RECEIVE_MEMBER;
    /* Only looks the member up: nothing is written before a chunk comes. */
    return result != OTTER_OK ? result : receive_do_member(receive);
}

static bool is_for_manager(const struct otter_receive *receive)
{
    return receive->device->program == OTTER_PROGRAM_AGENT &&
           otter_plan_is_in_place(&receive->plan);
}

void otter_receive_resume(struct otter_receive *receive)
{
    const struct otter_state *state = &receive->device->journal.state;
    bool has_receipt = state->phase == OTTER_PHASE_COMPLETE ||
                       state->part == OTTER_PART_MEMBERS ||
                       state->part == OTTER_PART_HASH;

    if (!has_receipt || !reopen_receipt(receive, state)) {
        memset(receive->session, 0, sizeof(receive->session));
        return;
    }
    if (state->phase == OTTER_PHASE_RECEIVING && is_for_manager(receive)) {
        /* It is the manager's: the remote is told, and nothing is touched. */
        receive->refused = OTTER_E_NEEDS_MANAGER;
        memcpy(receive->refused_session, receive->session, OTTER_SESSION_SIZE);
        return;
    }
    receive->length = receive->control.file_length;
    if (state->phase == OTTER_PHASE_COMPLETE) {
        receive->step = RECEIVE_COMPLETE;
        receive->next = receive->length;
        return;
    }
    if (find_position(receive, state) != OTTER_OK) {
        receive->step = RECEIVE_IDLE;
        receive->next = 0;
        receive->length = 0;
    }
}

static receive_fn *const steps[RECEIVE_STEP_COUNT] = {
    [RECEIVE_BEGIN] = receive_do_begin,
    [RECEIVE_TWIN] = receive_do_twin,
    [RECEIVE_ERASE_RECEIPT] = receive_do_erase_receipt,
    [RECEIVE_HEADER] = receive_do_header,
    [RECEIVE_CONTROL] = receive_do_control,
    [RECEIVE_FLUSH_CONTROL] = receive_do_flush_control,
    [RECEIVE_CHECK] = receive_do_check,
    [RECEIVE_KEYS] = receive_do_keys,
    [RECEIVE_KEPT] = receive_do_kept,
    [RECEIVE_HASH_KEPT] = receive_do_hash_kept,
    [RECEIVE_HEAD] = receive_do_head,
    [RECEIVE_BEGIN_COPY] = receive_do_begin_copy,
    [RECEIVE_COPY] = receive_do_copy,
    [RECEIVE_MEMBER] = receive_do_member,
    [RECEIVE_ERASE_SECTOR] = receive_do_erase_sector,
    [RECEIVE_FILL] = receive_do_fill,
    [RECEIVE_FLUSH] = receive_do_flush,
    [RECEIVE_UNWRAP] = receive_do_unwrap,
    [RECEIVE_CLOSE] = receive_do_close,
    [RECEIVE_TRAILER] = receive_do_trailer,
    [RECEIVE_VERIFY_HEAD] = receive_do_verify_head,
    [RECEIVE_VERIFY_MEMBER] = receive_do_verify_member,
    [RECEIVE_TABLE] = receive_do_table,
    [RECEIVE_MEND] = receive_do_mend,
    [RECEIVE_MENDING] = receive_do_mending,
    [RECEIVE_BEGIN_HASH] = receive_do_begin_hash,
    [RECEIVE_HASH_UNITS] = receive_do_hash_units,
    [RECEIVE_FINISH] = receive_do_finish,
};

enum otter_result otter_receive_do(struct otter_receive *receive)
{
    return steps[receive->step](receive);
}
