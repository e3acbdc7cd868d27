/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving members that are written in place (K13): the last ones of a package, over
 * their regions, by the manager. Before the first of them every stored member is
 * verified, and the key of encrypted ones is there; then "the application is closed"
 * is sealed in two sectors. What is encrypted is decrypted on its way to the region,
 * and encrypted again to be compared with the stored hash.
 */
#include "receive_inner.h"

#include <string.h>

static bool is_in_place(const struct otter_receive *receive)
{
    return receive->member < receive->plan.count &&
           receive->plan.members[receive->member].strategy == OTTER_STRATEGY_IN_PLACE;
}

/* ---- what is encrypted ---- */

bool receive_needs_key(struct otter_receive *receive, enum otter_receive_step after)
{
    /* Before the application is closed it counts whether the key is right for any. */
    bool is_encrypted = receive_has_to_close(receive)
                            ? receive->control.wrap_count > 0
                            : (receive->current.flags & OTTER_MEMBER_ENCRYPTED) != 0;

    if (!is_in_place(receive) || !is_encrypted ||
        (receive->in_place != NULL && receive->in_place->has_key)) {
        return false;
    }
    receive->step_after = (uint8_t)after;
    receive->step = RECEIVE_UNWRAP;
    return true;
}

/* As long as a signature check (K22). */
enum otter_result receive_do_unwrap(struct otter_receive *receive)
{
    const struct otter_crypto *crypto = receive->device->ports.crypto;
    struct otter_source source = receive_control_source(receive);
    struct otter_wrap wrap;

    if (receive->in_place == NULL) {
        return OTTER_E_CANNOT_DECRYPT;
    }
    enum otter_result result =
        otter_control_find_wrap(&source, &receive->control, crypto, &wrap);

    if (result == OTTER_OK) {
        result = crypto->unwrap(crypto->context, &wrap, receive->in_place->content_key);
    }
    receive->in_place->has_key = result == OTTER_OK;
    receive->step = receive->step_after;
    return result;
}

const struct otter_cipher *receive_cipher(const struct otter_receive *receive)
{
    return is_in_place(receive) && receive->in_place != NULL
               ? &receive->in_place->cipher
               : NULL;
}

void receive_open_cipher(struct otter_receive *receive)
{
    struct otter_in_place *in_place = receive->in_place;
    uint8_t nonce[OTTER_AES_NONCE_SIZE];

    if (in_place == NULL || !is_in_place(receive)) {
        return;
    }
    otter_cipher_close(&in_place->cipher);
    if (in_place->has_key && (receive->current.flags & OTTER_MEMBER_ENCRYPTED) != 0) {
        otter_control_nonce(receive->member, nonce);
        otter_cipher_open(&in_place->cipher, receive->device->ports.crypto,
                          in_place->content_key, nonce);
    }
}

void receive_drop_key(struct otter_receive *receive)
{
    if (receive->in_place != NULL) {
        otter_wipe(receive->in_place, sizeof(*receive->in_place));
    }
}

/* ---- closing and opening the application ---- */

bool receive_has_to_close(const struct otter_receive *receive)
{
    return !receive->is_closed && is_in_place(receive);
}

/* Order matters: every stored member is there and verified, and this stands in two
 * sectors of the journal, before the first erase of a region in place. */
enum otter_result receive_do_close(struct otter_receive *receive)
{
    struct otter_state state = receive->device->journal.state;

    otter_state_begin(&state, OTTER_PART_MEMBERS);
    state.phase = OTTER_PHASE_RECEIVING;
    state.member = receive->member;
    state.flags |= OTTER_FLAG_CLOSED;
    for (uint8_t i = 0; i < receive->plan.count; i++) {
        const struct otter_placement *placement = &receive->plan.members[i];

        if (placement->strategy == OTTER_STRATEGY_IN_PLACE) {
            state.flags |= otter_region_flag(placement->target_region);
        }
    }
    receive->is_closed = true;
    receive->cursor = 0;
    receive->step = RECEIVE_MEMBER;
    return otter_journal_put(&receive->device->journal, &state, OTTER_LASTING);
}

/* A member in place that is whole, and with which the old system runs, too, is no
 * other system's any more; without another one the application is open again. */
enum otter_result receive_reopen(const struct otter_receive *receive,
                                 struct otter_state *state)
{
    struct otter_source source = receive_control_source(receive);
    struct otter_member member;
    unsigned flags = state->flags;

    for (uint8_t i = 0; i < receive->plan.count; i++) {
        enum otter_result result =
            otter_control_member(&source, &receive->control, i, &member);

        if (result != OTTER_OK) {
            return result;
        }
        if ((member.flags & OTTER_MEMBER_COMPATIBLE) != 0) {
            flags &=
                ~(unsigned)otter_region_flag(receive->plan.members[i].target_region);
        }
    }
    if ((flags & OTTER_FLAG_NEW_REGIONS) == 0) {
        flags &= ~(unsigned)OTTER_FLAG_CLOSED;
    }
    state->flags = (uint8_t)flags;
    return OTTER_OK;
}
