/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving, the first part: the control packet is collected in the incoming receipt,
 * checked, and copied (K1, K11).
 */
#include "receive_inner.h"

#include "otter/crc32.h"
#include "otter/kept.h"

#include <string.h>

enum { CONTROL_HEAD_BYTES = 8 };

/* The receipt that is overwritten alone vouches for the manager (flag 1): its second
 * copy must stand before the first one goes. At a cut it may have been under way (K5).
 */
static bool needs_twin(const struct otter_receive *receive)
{
    const struct otter_device *device = receive->device;
    const struct otter_state *state = &device->journal.state;
    bool is_touched = state->part == OTTER_PART_RECEIPT_COPY ||
                      (state->part == OTTER_PART_HASH && state->member == 1);
    struct otter_receipt receipt;

    return (state->flags & OTTER_FLAG_NEW_MANAGER) != 0 && !receive->has_twin &&
           (is_touched ||
            otter_receipt_open(&device->io, receive->slot, 1, &receipt) != OTTER_OK) &&
           otter_receipt_open(&device->io, receive->slot, 0, &receipt) == OTTER_OK;
}

/* `step` writes it, from the first one. */
static enum otter_result begin_second(struct otter_receive *receive, uint8_t step)
{
    enum otter_result result = otter_rewriting_receipt(
        &receive->rewriting, receive->device, receive->slot, 1, false);

    if (result != OTTER_OK) {
        return result;
    }
    receive->step = step;
    return receive_put(receive, OTTER_PART_RECEIPT_COPY, false, OTTER_NOTED);
}

enum otter_result receive_do_twin(struct otter_receive *receive)
{
    enum otter_result result =
        otter_rewriting_step(&receive->rewriting, &receive->has_twin);

    if (receive->has_twin) {
        receive->step = RECEIVE_BEGIN;
    }
    return result;
}

/* From here on the other system has no receipt: the record is sealed first (K3). */
enum otter_result receive_do_begin(struct otter_receive *receive)
{
    if (needs_twin(receive)) {
        return begin_second(receive, RECEIVE_TWIN);
    }
    enum otter_result result = otter_receipt_place(&receive->device->io, receive->slot,
                                                   0, &receive->off, &receive->size);

    if (result != OTTER_OK) {
        return result;
    }
    receive->step = RECEIVE_ERASE_RECEIPT;
    return receive_put(receive, OTTER_PART_RECEIPT, false, OTTER_SEALED);
}

/* Erases the first copy's sectors, one a step, then seals that they are erased. */
enum otter_result receive_do_erase_receipt(struct otter_receive *receive)
{
    struct otter_io *io = &receive->device->io;
    struct otter_sector sector;
    uint32_t off = receive->off + receive->cursor;
    enum otter_result result = otter_io_sector(io, OTTER_REGION_RECEIPTS, off, &sector);

    if (result == OTTER_OK) {
        result = otter_io_erase(io, OTTER_REGION_RECEIPTS, off);
    }
    if (result != OTTER_OK) {
        return result;
    }
    receive->cursor += sector.size;
    if (receive->cursor < receive->size) {
        return OTTER_OK;
    }
    receive->cursor = 0;
    receive->step = RECEIVE_HEADER;
    return receive_put(receive, OTTER_PART_RECEIPT, true, OTTER_SEALED);
}

enum otter_result receive_do_header(struct otter_receive *receive)
{
    struct otter_image_header header;
    size_t len = receive_take(receive, receive->head + receive->head_size,
                              (size_t)OTTER_IMAGE_HEADER_SIZE - receive->head_size);

    receive->head_size = (uint8_t)(receive->head_size + len);
    if (receive->head_size < OTTER_IMAGE_HEADER_SIZE) {
        return OTTER_OK;
    }
    receive->step = RECEIVE_CONTROL;
    return otter_image_header_parse(receive->head, &header);
}

/* Fills the page with the control packet. Its length is known after eight bytes. */
enum otter_result receive_do_control(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    size_t room = sizeof(device->page) - receive->filled;
    size_t wanted = receive->control_length == 0
                        ? CONTROL_HEAD_BYTES - receive->filled
                        : receive->control_length - receive->cursor - receive->filled;
    size_t len = receive_take(receive, device->page + receive->filled,
                              wanted < room ? wanted : room);

    receive->filled += (uint32_t)len;
    if (receive->control_length == 0) {
        return receive->filled < CONTROL_HEAD_BYTES
                   ? OTTER_OK
                   : otter_control_length(device->page, &receive->control_length);
    }
    if (receive->filled == sizeof(device->page) ||
        receive->cursor + receive->filled == receive->control_length) {
        receive->flushed = 0;
        receive->step = RECEIVE_FLUSH_CONTROL;
    }
    return OTTER_OK;
}

enum otter_result receive_do_flush_control(struct otter_receive *receive)
{
    bool is_done = false;
    enum otter_result result = receive_flush(
        receive, OTTER_REGION_RECEIPTS,
        receive->off + OTTER_RECEIPT_HEAD_SIZE + receive->cursor, &is_done);

    if (result != OTTER_OK || !is_done) {
        return result;
    }
    receive->crc = otter_crc32(receive->crc, receive->device->page, receive->filled);
    receive->cursor += receive->filled;
    receive->filled = 0;
    receive->step =
        receive->cursor == receive->control_length ? RECEIVE_CHECK : RECEIVE_CONTROL;
    return OTTER_OK;
}

/* The lengths of file, header and members fit together. */
static enum otter_result check_lengths(const struct otter_receive *receive,
                                       const struct otter_source *source)
{
    const struct otter_control *control = &receive->control;
    uint32_t end = 0;
    enum otter_result result =
        otter_control_member_off(source, control, control->member_count, &end);

    if (result != OTTER_OK) {
        return result;
    }
    if (control->file_length < OTTER_TRAILER_SIZE ||
        end != control->file_length - OTTER_TRAILER_SIZE ||
        (receive->total != 0 && receive->total != control->file_length)) {
        return OTTER_E_PACKAGE_LENGTH;
    }
    return OTTER_OK;
}

/* Form, signature, lengths, plan and, if something is encrypted, a key for it, of the
 * control packet at `receive->span`. */
enum otter_result receive_check_control(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    struct otter_source source = receive_control_source(receive);
    enum otter_result result = otter_control_open(&source, &receive->control);

    if (result == OTTER_OK) {
        result = otter_control_verify(
            &source, &receive->control, device->table.keys, device->table.key_count,
            device->journal.state.key_mask, device->ports.crypto);
    }
    if (result == OTTER_OK) {
        result = check_lengths(receive, &source);
    }
    if (result == OTTER_OK) {
        result = otter_plan_make(device, &source, &receive->control, &receive->plan);
    }
    if (result == OTTER_OK && receive->control.wrap_count > 0) {
        struct otter_wrap wrap;

        result = otter_control_find_wrap(&source, &receive->control,
                                         device->ports.crypto, &wrap);
    }
    return result;
}

enum otter_result receive_do_check(struct otter_receive *receive)
{
    receive->span = (struct otter_span){.io = &receive->device->io,
                                        .region = OTTER_REGION_RECEIPTS,
                                        .off = receive->off + OTTER_RECEIPT_HEAD_SIZE};
    enum otter_result result = receive_check_control(receive);

    if (result != OTTER_OK) {
        return result;
    }
    if (memcmp(receive->head, receive->control.image_header, OTTER_IMAGE_HEADER_SIZE) !=
        0) {
        return OTTER_E_CONTROL_HEADER;
    }
    if (receive->device->program == OTTER_PROGRAM_AGENT &&
        otter_plan_is_in_place(&receive->plan)) {
        return OTTER_E_NEEDS_MANAGER;
    }
    receive->length = receive->control.file_length;
    if (receive->next > receive->length) {
        return OTTER_E_RECEIVE_OVERRUN;
    }
    receive->step = RECEIVE_KEYS;
    return OTTER_OK;
}

/* A step of its own, because it may check a signature, too (K22). */
enum otter_result receive_do_keys(struct otter_receive *receive)
{
    struct otter_source source = receive_control_source(receive);

    receive->member = 0;
    receive->step = RECEIVE_KEPT;
    return otter_keys_check_early(receive->device, &source, &receive->control);
}

/* What is kept must be there before the store is erased for the rest (K8). On a card
 * the door has looked before it fed anything. */
enum otter_result receive_do_kept(struct otter_receive *receive)
{
    struct otter_source source = receive_control_source(receive);
    bool has_content = false;
    enum otter_result result = OTTER_OK;

    if (receive->member == receive->control.member_count ||
        otter_device_is_on_card(receive->device)) {
        receive->step = RECEIVE_HEAD;
        return OTTER_OK;
    }
    result = otter_control_member(&source, &receive->control, receive->member++,
                                  &receive->current);
    if (result == OTTER_OK && (receive->current.flags & OTTER_MEMBER_KEPT) != 0) {
        result = otter_kept_open(receive->device, &receive->current, &receive->hashing,
                                 &has_content);
    }
    receive->step = has_content ? RECEIVE_HASH_KEPT : RECEIVE_KEPT;
    return result;
}

enum otter_result receive_do_hash_kept(struct otter_receive *receive)
{
    bool is_done = false;
    enum otter_result result = otter_kept_step(receive->device, &receive->current,
                                               &receive->hashing, &is_done);

    receive->step = is_done ? RECEIVE_KEPT : RECEIVE_HASH_KEPT;
    return result;
}

enum otter_result receive_do_head(struct otter_receive *receive)
{
    bool is_done = false;

    if (receive->filled == 0) {
        otter_receipt_head(receive->control_length, receive->crc,
                           receive->device->page);
        receive->filled = OTTER_RECEIPT_HEAD_SIZE;
        receive->flushed = 0;
    }
    enum otter_result result =
        receive_flush(receive, OTTER_REGION_RECEIPTS, receive->off, &is_done);

    if (result == OTTER_OK && is_done) {
        receive->filled = 0;
        receive->step = RECEIVE_BEGIN_COPY;
    }
    return result;
}

enum otter_result receive_do_begin_copy(struct otter_receive *receive)
{
    return begin_second(receive, RECEIVE_COPY);
}

enum otter_result receive_do_copy(struct otter_receive *receive)
{
    bool is_done = false;
    enum otter_result result = otter_rewriting_step(&receive->rewriting, &is_done);

    if (result != OTTER_OK || !is_done) {
        return result;
    }
    receive->member = 0;
    receive->cursor = 0;
    receive->step = RECEIVE_MEMBER;
    return receive_put(receive, OTTER_PART_MEMBERS, false, OTTER_SEALED);
}
