/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For every sector: erase it, seal that it is erased (K4), program it page by page,
 * each read back, and note that it stands. Three records for a sector; a cut repeats
 * at most the sector at the cursor. What is to lie encrypted is encrypted in the page,
 * so nothing of it lies in flash in clear by the way (K26).
 */
#include "otter/copying.h"

#include <string.h>

enum copying_step {
    STEP_ERASE = 0,
    STEP_READ,
    STEP_PROGRAM,
    STEP_NOTE,
};

void otter_copying_open(struct otter_copying *copying)
{
    copying->cursor = copying->device->journal.state.cursor;
    copying->step = STEP_ERASE;
    copying->taken = 0;
    copying->given = 0;
    if (copying->stream == NULL) {
        copying->span = (struct otter_span){.io = &copying->device->io,
                                            .region = copying->from_region,
                                            .off = copying->from_off};
        struct otter_source source = otter_span_source(&copying->span, copying->size);

        otter_stream_open_raw(&copying->raw, &source);
        copying->stream = &copying->raw;
    }
    otter_stream_seek(copying->stream, copying->cursor);
}

static enum otter_result note(struct otter_copying *copying, bool is_erased,
                              enum otter_firmness firmness)
{
    struct otter_state state = copying->device->journal.state;

    state.cursor = copying->cursor;
    state.erased = is_erased ? 1 : 0;
    return otter_journal_put(&copying->device->journal, &state, firmness);
}

static enum otter_result erase(struct otter_copying *copying)
{
    struct otter_io *io = &copying->device->io;
    uint32_t off = copying->to_off + copying->cursor;
    enum otter_result result =
        otter_io_sector(io, copying->to_region, off, &copying->sector);

    if (result == OTTER_OK) {
        result = otter_io_erase(io, copying->to_region, off);
    }
    if (result != OTTER_OK) {
        return result;
    }
    copying->step = STEP_READ;
    return note(copying, true, OTTER_SEALED);
}

/* Bytes that still belong into the sector under work. */
static uint32_t wanted(const struct otter_copying *copying)
{
    uint32_t done = copying->to_off + copying->cursor - copying->sector.off;
    uint32_t room = copying->sector.size - done;
    uint32_t left = copying->size - copying->cursor;

    return left < room ? left : room;
}

/* Fills the page, as far as one step decodes; its last word is padded with the erased
 * value. */
static enum otter_result read_page(struct otter_copying *copying)
{
    struct otter_device *device = copying->device;
    uint32_t len = wanted(copying);
    uint32_t got = 0;

    len = len < sizeof(device->page) ? len : (uint32_t)sizeof(device->page);
    enum otter_result result = otter_stream_read(
        copying->stream, device->page + copying->taken, len - copying->taken, &got);

    otter_cipher_apply(copying->from_cipher, copying->cursor + copying->taken,
                       device->page + copying->taken, got);
    copying->taken += got;
    if (result != OTTER_OK || copying->taken < len) {
        return result;
    }
    otter_cipher_apply(copying->to_cipher, copying->cursor, device->page, len);
    memset(device->page + len, otter_io_erased(&device->io, copying->to_region),
           sizeof(device->page) - len);
    copying->given = 0;
    copying->step = STEP_PROGRAM;
    return OTTER_OK;
}

static uint32_t padded(const struct otter_copying *copying)
{
    uint32_t word = otter_io_word_size(&copying->device->io, copying->to_region);

    return (copying->taken + word - 1) / word * word;
}

static enum otter_result program(struct otter_copying *copying)
{
    struct otter_device *device = copying->device;
    uint32_t off = copying->to_off + copying->cursor + copying->given;
    size_t done = 0;
    enum otter_result result = otter_io_program(
        &device->io, copying->to_region, off, device->page + copying->given,
        padded(copying) - copying->given, &done);

    copying->given += (uint32_t)done;
    if (result != OTTER_OK || copying->given < padded(copying)) {
        return result;
    }
    copying->cursor += copying->taken;
    copying->taken = 0;
    bool is_sector_full =
        copying->cursor == copying->size ||
        copying->to_off + copying->cursor == copying->sector.off + copying->sector.size;

    copying->step = is_sector_full ? STEP_NOTE : STEP_READ;
    return OTTER_OK;
}

enum otter_result otter_copying_step(struct otter_copying *copying, bool *is_done)
{
    struct otter_journal *journal = &copying->device->journal;

    *is_done = false;
    if (otter_journal_is_busy(journal)) {
        return otter_journal_step(journal);
    }
    switch ((enum copying_step)copying->step) {
    case STEP_ERASE:
        if (copying->cursor >= copying->size) {
            *is_done = true;
            return OTTER_OK;
        }
        return erase(copying);
    case STEP_READ:
        return read_page(copying);
    case STEP_PROGRAM:
        return program(copying);
    case STEP_NOTE:
        break;
    }
    copying->step = STEP_ERASE;
    return note(copying, false, OTTER_NOTED);
}
