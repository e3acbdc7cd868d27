/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving: the work on flash, one bounded step at a time. Order is what a cut
 * demands: the control packet stands in both copies of the incoming receipt, verified
 * and sealed, before the first sector of the store is erased (K1, K11); a sector of
 * the store is erased, sealed as erased, filled, and noted as standing (K4, K5); the
 * package hash stands before the record "complete".
 */
#include "receive_steps.h"

#include "otter/bytes.h"
#include "otter/crc32.h"

#include <string.h>

enum { CONTROL_HEAD_BYTES = 8, HASH_PART = 128 };

static enum otter_result put(struct otter_receive *receive, enum otter_part part,
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

static struct otter_source control_source(const struct otter_receive *receive)
{
    return otter_span_source(&receive->span, receive->control_length);
}

/* Moves up to `wanted` bytes of the chunk to `to`; answers how many. */
static size_t take(struct otter_receive *receive, uint8_t *to, size_t wanted)
{
    size_t len = receive->left < wanted ? receive->left : wanted;

    memcpy(to, receive->data, len);
    receive->data += len;
    receive->left -= len;
    return len;
}

/* ---- the incoming receipt ---- */

/* From here on the other system has no receipt: the record is sealed first (K3). */
static enum otter_result do_begin(struct otter_receive *receive)
{
    enum otter_result result = otter_receipt_place(&receive->device->io, receive->slot,
                                                   0, &receive->off, &receive->size);

    if (result != OTTER_OK) {
        return result;
    }
    receive->step = RECEIVE_ERASE_RECEIPT;
    return put(receive, OTTER_PART_RECEIPT, false, OTTER_SEALED);
}

/* Erases the first copy's sectors, one a step, then seals that they are erased. */
static enum otter_result do_erase_receipt(struct otter_receive *receive)
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
    return put(receive, OTTER_PART_RECEIPT, true, OTTER_SEALED);
}

static enum otter_result do_header(struct otter_receive *receive)
{
    struct otter_image_header header;
    size_t len = take(receive, receive->head + receive->head_size,
                      (size_t)OTTER_IMAGE_HEADER_SIZE - receive->head_size);

    receive->head_size = (uint8_t)(receive->head_size + len);
    if (receive->head_size < OTTER_IMAGE_HEADER_SIZE) {
        return OTTER_OK;
    }
    receive->step = RECEIVE_CONTROL;
    return otter_image_header_parse(receive->head, &header);
}

/* Fills the page with the control packet. Its length is known after eight bytes. */
static enum otter_result do_control(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    size_t room = sizeof(device->page) - receive->filled;
    size_t wanted = receive->control_length == 0
                        ? CONTROL_HEAD_BYTES - receive->filled
                        : receive->control_length - receive->cursor - receive->filled;
    size_t len =
        take(receive, device->page + receive->filled, wanted < room ? wanted : room);

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

/* Programs the next part of the waiting page at `off`; pads its last word. True in
 * `is_done` when the whole page stands. */
static enum otter_result flush(struct otter_receive *receive, uint8_t region,
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

static enum otter_result do_flush_control(struct otter_receive *receive)
{
    bool is_done = false;
    enum otter_result result =
        flush(receive, OTTER_REGION_RECEIPTS,
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

uint32_t otter_receive_trailer_off(const struct otter_receive *receive)
{
    return receive->control.file_length - OTTER_TRAILER_SIZE;
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

/* Form, signature, lengths and plan of the control packet at `receive->span`. */
static enum otter_result check_control(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    struct otter_source source = control_source(receive);
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
    return result;
}

static enum otter_result do_check(struct otter_receive *receive)
{
    receive->span = (struct otter_span){.io = &receive->device->io,
                                        .region = OTTER_REGION_RECEIPTS,
                                        .off = receive->off + OTTER_RECEIPT_HEAD_SIZE};
    enum otter_result result = check_control(receive);

    if (result != OTTER_OK) {
        return result;
    }
    if (memcmp(receive->head, receive->control.image_header, OTTER_IMAGE_HEADER_SIZE) !=
        0) {
        return OTTER_E_CONTROL_HEADER;
    }
    receive->length = receive->control.file_length;
    if (receive->next > receive->length) {
        return OTTER_E_RECEIVE_OVERRUN;
    }
    receive->step = RECEIVE_HEAD;
    return OTTER_OK;
}

static enum otter_result do_head(struct otter_receive *receive)
{
    bool is_done = false;

    if (receive->filled == 0) {
        otter_receipt_head(receive->control_length, receive->crc,
                           receive->device->page);
        receive->filled = OTTER_RECEIPT_HEAD_SIZE;
        receive->flushed = 0;
    }
    enum otter_result result =
        flush(receive, OTTER_REGION_RECEIPTS, receive->off, &is_done);

    if (result == OTTER_OK && is_done) {
        receive->filled = 0;
        receive->step = RECEIVE_BEGIN_COPY;
    }
    return result;
}

static enum otter_result do_begin_copy(struct otter_receive *receive)
{
    enum otter_result result = otter_rewriting_receipt(
        &receive->rewriting, receive->device, receive->slot, 1, false);

    if (result != OTTER_OK) {
        return result;
    }
    receive->step = RECEIVE_COPY;
    return put(receive, OTTER_PART_RECEIPT_COPY, false, OTTER_NOTED);
}

static enum otter_result do_copy(struct otter_receive *receive)
{
    bool is_done = false;
    enum otter_result result = otter_rewriting_step(&receive->rewriting, &is_done);

    if (result != OTTER_OK || !is_done) {
        return result;
    }
    receive->member = 0;
    receive->cursor = 0;
    receive->step = RECEIVE_MEMBER;
    return put(receive, OTTER_PART_MEMBERS, false, OTTER_SEALED);
}

/* ---- the members ---- */

static enum otter_result do_member(struct otter_receive *receive)
{
    struct otter_source source = control_source(receive);

    while (receive->member < receive->control.member_count) {
        enum otter_result result = otter_control_member(
            &source, &receive->control, receive->member, &receive->current);

        if (result != OTTER_OK) {
            return result;
        }
        if (receive->current.stored_size > receive->cursor) {
            receive->step = RECEIVE_ERASE_SECTOR;
            return OTTER_OK;
        }
        receive->member++;
        receive->cursor = 0;
    }
    receive->step = RECEIVE_TRAILER;
    return OTTER_OK;
}

static enum otter_result do_erase_sector(struct otter_receive *receive)
{
    const struct otter_placement *placement = &receive->plan.members[receive->member];
    struct otter_io *io = &receive->device->io;
    uint32_t off = placement->store_off + receive->cursor;
    enum otter_result result =
        otter_io_sector(io, placement->store_region, off, &receive->sector);

    if (result == OTTER_OK) {
        result = otter_io_erase(io, placement->store_region, off);
    }
    if (result != OTTER_OK) {
        return result;
    }
    receive->filled = 0;
    receive->step = RECEIVE_FILL;
    return put(receive, OTTER_PART_MEMBERS, true, OTTER_SEALED);
}

/* Bytes of the member that still belong into the sector under way. */
static uint32_t sector_room(const struct otter_receive *receive)
{
    const struct otter_placement *placement = &receive->plan.members[receive->member];
    uint32_t done = placement->store_off + receive->cursor - receive->sector.off;
    uint32_t room = receive->sector.size - done;
    uint32_t left = receive->current.stored_size - receive->cursor;

    return left < room ? left : room;
}

static enum otter_result do_fill(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    uint32_t limit = sector_room(receive);

    limit = limit < sizeof(device->page) ? limit : (uint32_t)sizeof(device->page);
    receive->filled += (uint32_t)take(receive, device->page + receive->filled,
                                      limit - receive->filled);
    if (receive->filled == limit) {
        receive->flushed = 0;
        receive->step = RECEIVE_FLUSH;
    }
    return OTTER_OK;
}

static enum otter_result do_flush(struct otter_receive *receive)
{
    const struct otter_placement *placement = &receive->plan.members[receive->member];
    bool is_sector_done = receive->filled == sector_room(receive);
    bool is_done = false;
    enum otter_result result = flush(receive, placement->store_region,
                                     placement->store_off + receive->cursor, &is_done);

    if (result != OTTER_OK || !is_done) {
        return result;
    }
    receive->cursor += receive->filled;
    receive->filled = 0;
    if (!is_sector_done) {
        receive->step = RECEIVE_FILL;
        return OTTER_OK;
    }
    receive->step = RECEIVE_MEMBER;
    return put(receive, OTTER_PART_MEMBERS, false, OTTER_NOTED);
}

static enum otter_result do_trailer(struct otter_receive *receive)
{
    size_t len = take(receive, receive->trailer + receive->trailer_size,
                      (size_t)OTTER_TRAILER_SIZE - receive->trailer_size);

    receive->trailer_size = (uint8_t)(receive->trailer_size + len);
    if (receive->trailer_size < OTTER_TRAILER_SIZE) {
        return OTTER_OK;
    }
    receive->cursor = 0;
    receive->step = RECEIVE_VERIFY_HEAD;
    return otter_trailer_parse(receive->trailer, receive->hash);
}

/* ---- everything is there ---- */

static enum otter_result do_verify_head(struct otter_receive *receive)
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
    crypto->sha256_final(crypto->context, &receive->member_sha, digest);
    if (memcmp(digest, receive->current.stored_sha, sizeof(digest)) != 0) {
        return OTTER_E_MEMBER_HASH;
    }
    if (receive->current.role != OTTER_ROLE_FIRMWARE &&
        receive->current.role != OTTER_ROLE_MANAGER) {
        return OTTER_OK;
    }
    return otter_vectors_check(
        device, placement->store_region, placement->store_off,
        otter_map_find(&device->table.map, placement->target_region),
        receive->current.installed_size);
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
    crypto->sha256_update(crypto->context, &receive->member_sha, part, len);
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
    receive->step = receive->is_spoiled ? RECEIVE_MEND : RECEIVE_BEGIN_HASH;
    return OTTER_OK;
}

static enum otter_result do_verify_member(struct otter_receive *receive)
{
    const struct otter_crypto *crypto = receive->device->ports.crypto;
    struct otter_source source = control_source(receive);

    if (receive->member == receive->control.member_count) {
        return finish_package(receive);
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
        crypto->sha256_init(crypto->context, &receive->member_sha);
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

    state.part = OTTER_PART_HASH;
    state.member = copy;
    state.cursor = 0;
    state.erased = 0;
    return otter_journal_put(&receive->device->journal, &state, OTTER_SEALED);
}

/* A unit that a cut has touched is never programmed again: its copy is rewritten, from
 * the one that was not under way. */
static enum otter_result do_mend(struct otter_receive *receive)
{
    enum otter_result result = otter_rewriting_receipt(
        &receive->rewriting, receive->device, receive->slot, receive->copy, false);

    if (result != OTTER_OK) {
        return result;
    }
    receive->step = RECEIVE_MENDING;
    return put_hash_part(receive, receive->copy);
}

static enum otter_result do_mending(struct otter_receive *receive)
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

static enum otter_result do_begin_hash(struct otter_receive *receive)
{
    receive->copy = 0;
    receive->filled = 0;
    receive->step = RECEIVE_HASH_UNITS;
    return put_hash_part(receive, 2);
}

static enum otter_result do_hash_units(struct otter_receive *receive)
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
        result = flush(receive, OTTER_REGION_RECEIPTS, off + OTTER_RECEIPT_HASH_OFF,
                       &is_done);
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

static enum otter_result do_finish(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    struct otter_state state = device->journal.state;

    state.phase = OTTER_PHASE_COMPLETE;
    state.part = OTTER_PART_NONE;
    state.member = 0;
    state.cursor = 0;
    state.erased = 0;
    receive->step = RECEIVE_COMPLETE;
    otter_device_event(device, OTTER_EVENT_PHASE, OTTER_PHASE_COMPLETE, 0, 0);
    return otter_journal_put(&device->journal, &state, OTTER_SEALED);
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
        if (check_control(receive) == OTTER_OK) {
            return true;
        }
    }
    return false;
}

/* Goes to where the journal stands in the file. */
static enum otter_result find_position(struct otter_receive *receive,
                                       const struct otter_state *state)
{
    struct otter_source source = control_source(receive);
    uint32_t off = 0;

    if (state->part == OTTER_PART_HASH) {
        receive->is_spoiled = true;
        receive->copy = state->member == 0 ? 0 : 1;
        receive->member = receive->control.member_count;
    } else {
        receive->member = state->member;
        receive->cursor = state->cursor;
    }
    if (receive->member > receive->control.member_count) {
        return OTTER_E_RECEIVE_OFFSET;
    }
    enum otter_result result =
        otter_control_member_off(&source, &receive->control, receive->member, &off);

    receive->next = off + receive->cursor;
    receive->step = RECEIVE_MEMBER;
    /* Only looks the member up: nothing is written before a chunk comes. */
    return result != OTTER_OK ? result : do_member(receive);
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

typedef enum otter_result receive_fn(struct otter_receive *receive);

static receive_fn *const steps[RECEIVE_STEP_COUNT] = {
    [RECEIVE_BEGIN] = do_begin,
    [RECEIVE_ERASE_RECEIPT] = do_erase_receipt,
    [RECEIVE_HEADER] = do_header,
    [RECEIVE_CONTROL] = do_control,
    [RECEIVE_FLUSH_CONTROL] = do_flush_control,
    [RECEIVE_CHECK] = do_check,
    [RECEIVE_HEAD] = do_head,
    [RECEIVE_BEGIN_COPY] = do_begin_copy,
    [RECEIVE_COPY] = do_copy,
    [RECEIVE_MEMBER] = do_member,
    [RECEIVE_ERASE_SECTOR] = do_erase_sector,
    [RECEIVE_FILL] = do_fill,
    [RECEIVE_FLUSH] = do_flush,
    [RECEIVE_TRAILER] = do_trailer,
    [RECEIVE_VERIFY_HEAD] = do_verify_head,
    [RECEIVE_VERIFY_MEMBER] = do_verify_member,
    [RECEIVE_MEND] = do_mend,
    [RECEIVE_MENDING] = do_mending,
    [RECEIVE_BEGIN_HASH] = do_begin_hash,
    [RECEIVE_HASH_UNITS] = do_hash_units,
    [RECEIVE_FINISH] = do_finish,
};

enum otter_result otter_receive_do(struct otter_receive *receive)
{
    return steps[receive->step] == NULL ? OTTER_OK : steps[receive->step](receive);
}
