/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card door: a table of steps, in their order. Order is what a cut demands: the
 * whole file is verified before the receipt is touched (P2, P6); the pointers stand
 * before the request does, so that a request always has a package, and before the
 * receipt, so that a card that takes no file costs no flash. A cut before the request
 * leaves the old system as it was, and the package on the card.
 */
#include "otter/card_door.h"

#include "otter/kept.h"

#include "card_judge.h"

#include <string.h>

enum card_step {
    CARD_IDLE = 0,
    CARD_OPEN,      /* open the file */
    CARD_HEAD,      /* image header, control packet, lengths, trailer */
    CARD_SIGNATURE, /* signature, plan, room for the copy, key wraps */
    CARD_KEPT,      /* go to the next member that is kept, */
    CARD_HASH_KEPT, /* and compare what the device has with it */
    CARD_HASH_HEAD, /* hash header and control packet */
    CARD_MEMBER,    /* go to the next member that is carried */
    CARD_HASH,      /* hash it */
    CARD_CONTENT,   /* programs can run, keys are left */
    CARD_POINTER,   /* write the pointer files */
    CARD_ROOM,      /* room for the copy beside them */
    CARD_FEED,      /* header, control packet and trailer to the receiver */
    CARD_REQUEST,
    CARD_END,
    CARD_STEP_COUNT,
};

typedef enum otter_result card_fn(struct otter_card_door *door);

void otter_card_door_open(struct otter_card_door *door, struct otter_device *device,
                          struct otter_receive *receive)
{
    memset(door, 0, sizeof(*door));
    door->device = device;
    door->receive = receive;
}

bool otter_card_door_is_busy(const struct otter_card_door *door)
{
    return door->step != CARD_IDLE;
}

/* Every reason that needs no look at the card. */
static enum otter_result may_begin(const struct otter_card_door *door, const char *path)
{
    const struct otter_device *device = door->device;
    const struct otter_board *board = device->ports.board;

    if (otter_card_files(device) == NULL) {
        return OTTER_E_CARD_NONE;
    }
    if (!otter_path_is_good(path)) {
        return OTTER_E_CARD_NAME;
    }
    if (otter_card_door_is_busy(door) || otter_receive_is_busy(door->receive)) {
        return OTTER_E_BUSY;
    }
    enum otter_result result = otter_device_store_is_free(device);

    if (result != OTTER_OK) {
        return result;
    }
    return board->allows_update(board->context) ? OTTER_OK : OTTER_E_POSTPONED;
}

enum otter_result otter_card_door_begin(struct otter_card_door *door, const char *path)
{
    enum otter_result result = may_begin(door, path);

    if (result != OTTER_OK) {
        return result;
    }
    bool is_last_resort = door->is_last_resort;

    otter_card_door_open(door, door->device, door->receive);
    door->is_last_resort = is_last_resort;
    for (size_t i = 0; path[i] != '\0'; i++) {
        door->path[i] = path[i];
    }
    door->step = CARD_OPEN;
    return OTTER_OK;
}

/* ---- the check ---- */

static uint32_t package_size(const struct otter_card_door *door)
{
    return door->device->card->sources[OTTER_CARD_PACKAGE].size;
}

static enum otter_result read_package(const struct otter_card_door *door, uint32_t off,
                                      void *data, size_t size)
{
    uint32_t end = package_size(door);

    if (off > end || size > end - off) {
        return OTTER_E_PACKAGE_TRUNCATED;
    }
    return otter_io_read(&door->device->io, OTTER_REGION_PACKAGE_FILE, off, data, size);
}

static enum otter_result do_open(struct otter_card_door *door)
{
    door->step = CARD_HEAD;
    return otter_card_open_package(door->device, door->path);
}

static struct otter_source control_source(const struct otter_card_door *door)
{
    return otter_span_source(&door->span, door->head_end - OTTER_IMAGE_HEADER_SIZE);
}

/* The control packet, between the header that it repeats and the members. */
static enum otter_result open_control(struct otter_card_door *door)
{
    uint8_t header[OTTER_IMAGE_HEADER_SIZE];
    struct otter_image_header parsed;
    uint8_t head[8];
    uint16_t length = 0;
    enum otter_result result = read_package(door, 0, header, sizeof(header));

    if (result == OTTER_OK) {
        result = otter_image_header_parse(header, &parsed);
    }
    if (result == OTTER_OK) {
        result = read_package(door, sizeof(header), head, sizeof(head));
    }
    if (result == OTTER_OK) {
        result = otter_control_length(head, &length);
    }
    if (result != OTTER_OK) {
        return result;
    }
    if (length > package_size(door) - OTTER_IMAGE_HEADER_SIZE) {
        return OTTER_E_PACKAGE_TRUNCATED;
    }
    door->head_end = (uint32_t)OTTER_IMAGE_HEADER_SIZE + length;
    door->span = (struct otter_span){.io = &door->device->io,
                                     .region = OTTER_REGION_PACKAGE_FILE,
                                     .off = OTTER_IMAGE_HEADER_SIZE};
    struct otter_source source = control_source(door);

    result = otter_control_open(&source, &door->control);
    if (result == OTTER_OK &&
        memcmp(header, door->control.image_header, sizeof(header)) != 0) {
        result = OTTER_E_CONTROL_HEADER;
    }
    return result;
}

static enum otter_result look(struct otter_card_door *door, const char *path)
{
    if (otter_card_door_is_busy(door)) {
        return OTTER_E_BUSY;
    }
    enum otter_result result = otter_card_open_package(door->device, path);

    return result == OTTER_OK ? open_control(door) : result;
}

enum otter_result otter_card_door_look(struct otter_card_door *door, const char *path)
{
    enum otter_result result = look(door, path);

    otter_card_close(door->device);
    return result;
}

enum otter_result otter_card_door_may_take(struct otter_card_door *door,
                                           const char *path)
{
    struct otter_plan plan;
    enum otter_result result = look(door, path);

    if (result == OTTER_OK) {
        struct otter_source source = control_source(door);

        result = otter_plan_make(door->device, &source, &door->control, &plan);
    }
    otter_card_close(door->device);
    return result;
}

/* The file is as long as the control packet says, and as its members are. */
static enum otter_result check_lengths(const struct otter_card_door *door)
{
    const struct otter_control *control = &door->control;
    struct otter_source source = control_source(door);
    uint32_t size = package_size(door);
    uint32_t end = 0;
    enum otter_result result =
        otter_control_member_off(&source, control, control->member_count, &end);

    if (result != OTTER_OK) {
        return result;
    }
    if (size < control->file_length) {
        return OTTER_E_PACKAGE_TRUNCATED;
    }
    if (control->file_length < OTTER_TRAILER_SIZE ||
        end != control->file_length - OTTER_TRAILER_SIZE ||
        size != control->file_length) {
        return OTTER_E_PACKAGE_LENGTH;
    }
    return OTTER_OK;
}

static enum otter_result do_head(struct otter_card_door *door)
{
    uint8_t trailer[OTTER_TRAILER_SIZE];
    enum otter_result result = open_control(door);

    if (result == OTTER_OK) {
        result = check_lengths(door);
    }
    if (result == OTTER_OK) {
        result =
            read_package(door, door->control.file_length - (uint32_t)OTTER_TRAILER_SIZE,
                         trailer, sizeof(trailer));
    }
    if (result == OTTER_OK) {
        result = otter_trailer_parse(trailer, door->hash);
    }
    door->step = CARD_SIGNATURE;
    return result;
}

/* What the update needs fits on the card (K13). What an earlier one has left is gone:
 * the agent has removed it. */
static enum otter_result check_room(const struct otter_card_door *door)
{
    const struct otter_files *files = otter_card_files(door->device);
    uint32_t room = 0;
    enum otter_result result = files->free_bytes(files->context, &room);

    return result == OTTER_OK && door->needs > room ? OTTER_E_CARD_FULL : result;
}

static enum otter_result do_signature(struct otter_card_door *door)
{
    struct otter_device *device = door->device;
    struct otter_source source = control_source(door);
    struct otter_plan plan;
    enum otter_result result = otter_control_verify(
        &source, &door->control, device->table.keys, device->table.key_count,
        device->journal.state.key_mask, device->ports.crypto);

    if (result == OTTER_OK) {
        result = otter_plan_make(device, &source, &door->control, &plan);
    }
    if (result == OTTER_OK) {
        result = card_judge_needs(&source, &door->control, &plan, door->path,
                                  !door->is_last_resort, &door->needs);
    }
    if (result == OTTER_OK) {
        result = check_room(door);
    }
    if (result == OTTER_OK) {
        result = card_judge_wraps(device, &source, &door->control);
    }
    door->member = 0;
    door->step = CARD_KEPT;
    return result;
}

static void begin_hash(struct otter_card_door *door)
{
    const struct otter_crypto *crypto = door->device->ports.crypto;

    crypto->sha256_init(crypto->context, &door->package_sha);
    door->cursor = 0;
    door->end = door->head_end;
    door->step = CARD_HASH_HEAD;
}

/* What the package keeps must be there, files as their archive (K8). */
static enum otter_result do_kept(struct otter_card_door *door)
{
    struct otter_source source = control_source(door);
    bool has_content = false;
    enum otter_result result = OTTER_OK;

    if (door->member == door->control.member_count) {
        begin_hash(door);
        return OTTER_OK;
    }
    result =
        otter_control_member(&source, &door->control, door->member++, &door->current);
    if (result == OTTER_OK && (door->current.flags & OTTER_MEMBER_KEPT) != 0) {
        result =
            otter_kept_open(door->device, &door->current, &door->hashing, &has_content);
    }
    door->step = has_content ? CARD_HASH_KEPT : CARD_KEPT;
    return result;
}

static enum otter_result do_hash_kept(struct otter_card_door *door)
{
    bool is_done = false;
    enum otter_result result =
        otter_kept_step(door->device, &door->current, &door->hashing, &is_done);

    door->step = is_done ? CARD_KEPT : CARD_HASH_KEPT;
    return result;
}

/* Hashes on, to `end` at most. */
static enum otter_result hash_on(struct otter_card_door *door, bool in_member)
{
    const struct otter_crypto *crypto = door->device->ports.crypto;

    for (uint32_t done = 0; done < OTTER_STEP_BYTES && door->cursor < door->end;) {
        uint32_t left = door->end - door->cursor;
        uint32_t len =
            left < sizeof(door->chunk) ? left : (uint32_t)sizeof(door->chunk);
        enum otter_result result = read_package(door, door->cursor, door->chunk, len);

        if (result != OTTER_OK) {
            return result;
        }
        crypto->sha256_update(crypto->context, &door->package_sha, door->chunk, len);
        if (in_member) {
            crypto->sha256_update(crypto->context, &door->hashing.sha, door->chunk,
                                  len);
        }
        door->cursor += len;
        done += len;
    }
    return OTTER_OK;
}

static enum otter_result do_hash_head(struct otter_card_door *door)
{
    enum otter_result result = hash_on(door, false);

    if (door->cursor == door->end) {
        door->member = 0;
        door->step = CARD_MEMBER;
    }
    return result;
}

static enum otter_result finish_check(struct otter_card_door *door)
{
    const struct otter_crypto *crypto = door->device->ports.crypto;
    uint8_t digest[OTTER_SHA256_SIZE];

    crypto->sha256_final(crypto->context, &door->package_sha, digest);
    door->step = CARD_CONTENT;
    return memcmp(digest, door->hash, sizeof(digest)) == 0 ? OTTER_OK
                                                           : OTTER_E_PACKAGE_HASH;
}

static enum otter_result do_content(struct otter_card_door *door)
{
    struct otter_source source = control_source(door);

    door->index = 0;
    door->step = CARD_POINTER;
    return card_judge_content(door->device, &source, &door->control);
}

static enum otter_result do_member(struct otter_card_door *door)
{
    const struct otter_crypto *crypto = door->device->ports.crypto;
    struct otter_source source = control_source(door);

    if (door->member == door->control.member_count) {
        return finish_check(door);
    }
    enum otter_result result =
        otter_control_member(&source, &door->control, door->member, &door->current);

    if (result == OTTER_OK && door->current.stored_size == 0) {
        door->member++;
        return OTTER_OK;
    }
    crypto->sha256_init(crypto->context, &door->hashing.sha);
    door->end = door->cursor + door->current.stored_size;
    door->step = CARD_HASH;
    return result;
}

static enum otter_result do_hash(struct otter_card_door *door)
{
    const struct otter_crypto *crypto = door->device->ports.crypto;
    uint8_t digest[OTTER_SHA256_SIZE];
    enum otter_result result = hash_on(door, true);

    door->percent = (uint8_t)((uint64_t)door->cursor * 100 / door->control.file_length);
    if (result != OTTER_OK || door->cursor < door->end) {
        return result;
    }
    crypto->sha256_final(crypto->context, &door->hashing.sha, digest);
    door->member++;
    door->step = CARD_MEMBER;
    return memcmp(digest, door->current.stored_sha, sizeof(digest)) == 0
               ? OTTER_OK
               : OTTER_E_MEMBER_HASH;
}

/* ---- what the card must take before flash is written ---- */

static enum otter_result do_pointer(struct otter_card_door *door)
{
    struct otter_pointer pointer = {.file_length = door->control.file_length};

    if (door->index == OTTER_POINTER_COUNT) {
        door->step = CARD_ROOM;
        return OTTER_OK;
    }
    memcpy(pointer.package_id, door->control.package_id, sizeof(pointer.package_id));
    memcpy(pointer.hash, door->hash, sizeof(pointer.hash));
    memcpy(pointer.path, door->path, sizeof(pointer.path));
    return otter_card_write_pointer(door->device, door->index++, &pointer);
}

/* The pointers have taken some of what was free. */
static enum otter_result do_room(struct otter_card_door *door)
{
    door->step = CARD_FEED;
    return check_room(door);
}

/* ---- to the receiver, and on ---- */

/* Offers the next bytes that the receiver wants, none of a member that stays on the
 * card: it passes over these when the control packet has been judged. */
static enum otter_result offer(struct otter_card_door *door)
{
    struct otter_receive *receive = door->receive;
    struct otter_chunk chunk = {
        .off = door->is_fed ? receive->next : 0,
        .data = door->chunk,
        .total = door->control.file_length,
        .wants_restart = !door->is_fed,
        .is_on_card = true,
    };
    uint32_t end =
        chunk.off < door->head_end ? door->head_end : door->control.file_length;
    uint32_t left = end - chunk.off;

    chunk.size = left < sizeof(door->chunk) ? left : sizeof(door->chunk);
    enum otter_result result = read_package(door, chunk.off, door->chunk, chunk.size);

    door->is_fed = true;
    return result == OTTER_OK ? otter_receive_offer(receive, &chunk) : result;
}

static enum otter_result do_feed(struct otter_card_door *door)
{
    struct otter_receive *receive = door->receive;

    if (otter_receive_is_busy(receive)) {
        return otter_receive_step(receive);
    }
    if (otter_receive_is_complete(receive) && door->is_fed) {
        door->step = CARD_REQUEST;
        return OTTER_OK;
    }
    return offer(door);
}

static enum otter_result do_request(struct otter_card_door *door)
{
    door->step = CARD_END;
    return door->is_last_resort ? otter_receive_request_closed(door->receive)
                                : otter_receive_request(door->receive);
}

static enum otter_result do_end(struct otter_card_door *door)
{
    if (otter_journal_is_busy(&door->device->journal)) {
        return otter_receive_step(door->receive);
    }
    otter_card_close(door->device);
    door->is_requested = true;
    door->step = CARD_IDLE;
    return OTTER_OK;
}

static card_fn *const steps[CARD_STEP_COUNT] = {
    [CARD_OPEN] = do_open,           [CARD_HEAD] = do_head,
    [CARD_SIGNATURE] = do_signature, [CARD_KEPT] = do_kept,
    [CARD_HASH_KEPT] = do_hash_kept, [CARD_HASH_HEAD] = do_hash_head,
    [CARD_MEMBER] = do_member,       [CARD_HASH] = do_hash,
    [CARD_CONTENT] = do_content,     [CARD_POINTER] = do_pointer,
    [CARD_ROOM] = do_room,           [CARD_FEED] = do_feed,
    [CARD_REQUEST] = do_request,     [CARD_END] = do_end,
};

enum otter_result otter_card_door_step(struct otter_card_door *door)
{
    if (!otter_card_door_is_busy(door)) {
        return OTTER_OK;
    }
    enum otter_result result = steps[door->step](door);

    if (result != OTTER_OK) {
        door->result = result;
        door->step = CARD_IDLE;
        otter_card_close(door->device);
        if (!door->is_fed || door->receive->refusal != result) { /* or it is told */
            otter_device_event(door->device, OTTER_EVENT_REFUSED, 0, door->percent,
                               otter_code(result));
        }
    }
    return result;
}
