/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving, the last part: everything is hashed again from flash, the package hash
 * goes into the receipt, the package is complete.
 */
#include "receive_inner.h"

#include <string.h>

enum { HASH_PART = 128 };

enum otter_result receive_do_verify_head(struct otter_receive *receive)
{
    const struct otter_crypto *crypto = receive->device->ports.crypto;
    uint8_t part[HASH_PART];

    if (receive->cursor == 0) {
        crypto->sha256_init(crypto->context, &receive->package_sha);
        crypto->sha256_update(crypto->context, &receive->package_sha,
                              receive->control.image_header, OTTER_IMAGE_HEADER_SIZE);
    }
    uint32_t left = receive->control_length - receive->cursor;
    uint32_t len = left < sizeof(part) ? left : (uint32_t)sizeof(part);
    enum otter_result result =
        otter_io_read(&receive->device->io, receive->span.region,
                      receive->span.off + receive->cursor, part, len);

    if (result != OTTER_OK) {
        return result;
    }
    crypto->sha256_update(crypto->context, &receive->package_sha, part, len);
    receive->cursor += len;
    if (receive->cursor == receive->control_length) {
        receive->cursor = 0;
        receive->member = 0;
        receive->step = RECEIVE_VERIFY_MEMBER;
    }
    return OTTER_OK;
}

/* A member's bytes are all hashed: are they the ones, and can they run? */
static enum otter_result finish_member(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    const struct otter_placement *placement = &receive->plan.members[receive->member];
    const struct otter_crypto *crypto = device->ports.crypto;
    uint8_t digest[OTTER_SHA256_SIZE];

    receive->cursor = 0;
    receive->member++;
    crypto->sha256_final(crypto->context, &receive->hashing.sha, digest);
    if (memcmp(digest, receive->current.stored_sha, sizeof(digest)) != 0) {
        return OTTER_E_MEMBER_HASH;
    }
    return otter_plan_check_vectors(device, &receive->current, placement);
}

static enum otter_result hash_part(struct otter_receive *receive)
{
    const struct otter_placement *placement = &receive->plan.members[receive->member];
    const struct otter_crypto *crypto = receive->device->ports.crypto;
    uint8_t part[HASH_PART];
    uint32_t left = receive->current.stored_size - receive->cursor;
    uint32_t len = left < sizeof(part) ? left : (uint32_t)sizeof(part);
    enum otter_result result =
        otter_io_read(&receive->device->io, placement->store_region,
                      placement->store_off + receive->cursor, part, len);

    if (result != OTTER_OK) {
        return result;
    }
    otter_cipher_apply(receive_cipher(receive), receive->cursor, part, len);
    crypto->sha256_update(crypto->context, &receive->hashing.sha, part, len);
    crypto->sha256_update(crypto->context, &receive->package_sha, part, len);
    receive->cursor += len;
    return OTTER_OK;
}

static enum otter_result finish_package(struct otter_receive *receive)
{
    const struct otter_crypto *crypto = receive->device->ports.crypto;
    uint8_t digest[OTTER_SHA256_SIZE];

    crypto->sha256_final(crypto->context, &receive->package_sha, digest);
    if (memcmp(digest, receive->hash, sizeof(digest)) != 0) {
        return OTTER_E_PACKAGE_HASH;
    }
    receive->step = RECEIVE_TABLE;
    return OTTER_OK;
}

static enum otter_result check_table(struct otter_receive *receive, uint8_t index)
{
    const struct otter_placement *placement = &receive->plan.members[index];
    const struct otter_device *device = receive->device;
    struct otter_source source = receive_control_source(receive);
    const struct otter_span content = {.io = &device->io,
                                       .region = placement->store_region,
                                       .off = placement->store_off};
    struct otter_table table;
    enum otter_result result =
        otter_control_member(&source, &receive->control, index, &receive->current);

    if (result == OTTER_OK) {
        result = otter_table_check_new(device, &content, &receive->current, &table);
    }
    return result == OTTER_OK
               ? otter_keys_check(device, &source, &receive->control, &table)
               : result;
}

/* A new table, and the key set that it makes, are known now. */
enum otter_result receive_do_table(struct otter_receive *receive)
{
    enum otter_result result = OTTER_OK;

    for (uint8_t i = 0; i < receive->plan.count && result == OTTER_OK; i++) {
        if (receive->plan.members[i].strategy == OTTER_STRATEGY_TABLE) {
            result = check_table(receive, i);
        }
    }
    receive->step = receive_has_to_close(receive) ? RECEIVE_CLOSE
                    : receive->is_spoiled         ? RECEIVE_MEND
                                                  : RECEIVE_BEGIN_HASH;
    return result;
}

enum otter_result receive_do_verify_member(struct otter_receive *receive)
{
    const struct otter_crypto *crypto = receive->device->ports.crypto;
    struct otter_source source = receive_control_source(receive);

    if (receive->member == receive->control.member_count) {
        return finish_package(receive);
    }
    if (receive_has_to_close(receive)) {
        receive->step = RECEIVE_TABLE; /* all that is stored is verified */
        return OTTER_OK;
    }
    if (receive->cursor == 0) {
        enum otter_result result = otter_control_member(
            &source, &receive->control, receive->member, &receive->current);

        if (result != OTTER_OK) {
            return result;
        }
        if (receive->current.stored_size == 0) {
            receive->member++;
            return OTTER_OK;
        }
        if (receive_needs_key(receive, RECEIVE_VERIFY_MEMBER)) {
            return OTTER_OK;
        }
        receive_open_cipher(receive);
        crypto->sha256_init(crypto->context, &receive->hashing.sha);
    }
    for (uint32_t done = 0; done < OTTER_STEP_BYTES; done += HASH_PART) {
        enum otter_result result = hash_part(receive);

        if (result != OTTER_OK) {
            return result;
        }
        if (receive->cursor == receive->current.stored_size) {
            return finish_member(receive);
        }
    }
    return OTTER_OK;
}

/* The record says which copy of the receipt is being written: 0 or 1, or 2 for the
 * package hash of both. A cut there spoils it. */
static enum otter_result put_hash_part(struct otter_receive *receive, uint8_t copy)
{
    struct otter_state state = receive->device->journal.state;

    otter_state_begin(&state, OTTER_PART_HASH);
    state.member = copy;
    return otter_journal_put(&receive->device->journal, &state, OTTER_SEALED);
}

/* A unit that a cut has touched is never programmed again: its copy is rewritten, from
 * the one that was not under way. */
enum otter_result receive_do_mend(struct otter_receive *receive)
{
    enum otter_result result = otter_rewriting_receipt(
        &receive->rewriting, receive->device, receive->slot, receive->copy, false);

    if (result != OTTER_OK) {
        return result;
    }
    receive->step = RECEIVE_MENDING;
    return put_hash_part(receive, receive->copy);
}

enum otter_result receive_do_mending(struct otter_receive *receive)
{
    bool is_done = false;
    enum otter_result result = otter_rewriting_step(&receive->rewriting, &is_done);

    if (result != OTTER_OK || !is_done) {
        return result;
    }
    receive->step = receive->copy == 0 ? RECEIVE_BEGIN_HASH : RECEIVE_MEND;
    receive->copy = 0;
    return OTTER_OK;
}

enum otter_result receive_do_begin_hash(struct otter_receive *receive)
{
    receive->copy = 0;
    receive->filled = 0;
    receive->step = RECEIVE_HASH_UNITS;
    return put_hash_part(receive, 2);
}

enum otter_result receive_do_hash_units(struct otter_receive *receive)
{
    uint32_t off;
    uint32_t size;
    bool is_done = false;
    enum otter_result result = otter_receipt_place(&receive->device->io, receive->slot,
                                                   receive->copy, &off, &size);

    if (receive->filled == 0) {
        otter_receipt_hash_unit(receive->hash, receive->device->page);
        receive->filled = OTTER_RECEIPT_HASH_SIZE;
        receive->flushed = 0;
    }
    if (result == OTTER_OK) {
        result = receive_flush(receive, OTTER_REGION_RECEIPTS,
                               off + OTTER_RECEIPT_HASH_OFF, &is_done);
    }
    if (result != OTTER_OK || !is_done) {
        return result;
    }
    receive->filled = 0;
    receive->copy++;
    if (receive->copy == OTTER_RECEIPT_COPIES) {
        receive->step = RECEIVE_FINISH;
    }
    return OTTER_OK;
}

enum otter_result receive_do_finish(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    struct otter_state state = device->journal.state;
    enum otter_result result = OTTER_OK;

    if (receive->is_closed) {
        result = receive_reopen(receive, &state);
    }
    receive_drop_key(receive);
    if (result != OTTER_OK) {
        return result;
    }
    state.phase = OTTER_PHASE_COMPLETE;
    otter_state_begin(&state, OTTER_PART_NONE);
    receive->step = RECEIVE_COMPLETE;
    otter_device_event(device, OTTER_EVENT_PHASE, OTTER_PHASE_COMPLETE, 0, 0);
    return otter_journal_put(&device->journal, &state, OTTER_SEALED);
}
