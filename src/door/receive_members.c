/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving, the second part: the members go into the store, sector by sector (K4, K5),
 * then comes the trailer. Members in place come last: before the first of them what is
 * stored is verified, then the application is closed (K13).
 */
#include "receive_inner.h"

#include <string.h>

enum otter_result receive_do_member(struct otter_receive *receive)
{
    struct otter_source source = receive_control_source(receive);

    if (receive->left > 0 && otter_device_is_on_card(receive->device)) {
        return OTTER_E_RECEIVE_OVERRUN; /* members on the card are not sent */
    }
    while (receive->member < receive->control.member_count) {
        enum otter_result result = otter_control_member(
            &source, &receive->control, receive->member, &receive->current);

        if (result != OTTER_OK) {
            return result;
        }
        if (receive->plan.members[receive->member].store_region ==
            OTTER_REGION_PACKAGE_FILE) {
            receive->next += receive->current.stored_size;
        } else if (receive->current.stored_size > receive->cursor) {
            receive_open_cipher(receive);
            receive->step = RECEIVE_ERASE_SECTOR;
            return OTTER_OK;
        }
        receive->member++;
        receive->cursor = 0;
    }
    receive->step = RECEIVE_TRAILER;
    return OTTER_OK;
}

enum otter_result receive_do_erase_sector(struct otter_receive *receive)
{
    if (receive_needs_key(receive, RECEIVE_MEMBER)) {
        return OTTER_OK;
    }
    if (receive_has_to_close(receive)) {
        receive->step = RECEIVE_VERIFY_HEAD;
        return OTTER_OK;
    }
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
    return receive_put(receive, OTTER_PART_MEMBERS, true, OTTER_SEALED);
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

enum otter_result receive_do_fill(struct otter_receive *receive)
{
    struct otter_device *device = receive->device;
    uint32_t limit = sector_room(receive);

    limit = limit < sizeof(device->page) ? limit : (uint32_t)sizeof(device->page);
    receive->filled += (uint32_t)receive_take(receive, device->page + receive->filled,
                                              limit - receive->filled);
    if (receive->filled == limit) {
        otter_cipher_apply(receive_cipher(receive), receive->cursor, device->page,
                           receive->filled);
        receive->flushed = 0;
        receive->step = RECEIVE_FLUSH;
    }
    return OTTER_OK;
}

enum otter_result receive_do_flush(struct otter_receive *receive)
{
    const struct otter_placement *placement = &receive->plan.members[receive->member];
    bool is_sector_done = receive->filled == sector_room(receive);
    bool is_done = false;
    enum otter_result result =
        receive_flush(receive, placement->store_region,
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
    return receive_put(receive, OTTER_PART_MEMBERS, false, OTTER_NOTED);
}

enum otter_result receive_do_trailer(struct otter_receive *receive)
{
    size_t len = receive_take(receive, receive->trailer + receive->trailer_size,
                              (size_t)OTTER_TRAILER_SIZE - receive->trailer_size);

    receive->trailer_size = (uint8_t)(receive->trailer_size + len);
    if (receive->trailer_size < OTTER_TRAILER_SIZE) {
        return OTTER_OK;
    }
    receive->cursor = 0;
    receive->step = RECEIVE_VERIFY_HEAD;
    return otter_trailer_parse(receive->trailer, receive->hash);
}
