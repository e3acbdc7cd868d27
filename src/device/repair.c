/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rewriting a copy from its twin, or a table from its content: seal the state, erase
 * the copy's sectors, seal that they are erased, program span by span. The head of a
 * receipt comes after the control packet, so that a torn copy never looks whole; a
 * table's CRC covers all of it.
 */
#include "otter/repair.h"

#include "otter/bytes.h"

#include <string.h>

enum rewriting_step {
    STEP_SEAL = 0,
    STEP_ERASE,
    STEP_READ,
    STEP_PROGRAM,
};

enum otter_result otter_rewriting_receipt(struct otter_rewriting *rewriting,
                                          struct otter_device *device, uint8_t slot,
                                          uint8_t copy, bool with_hash)
{
    struct otter_receipt twin;
    uint32_t ignored;
    enum otter_result result =
        otter_receipt_open(&device->io, slot, (uint8_t)(1 - copy), &twin);

    if (result != OTTER_OK) {
        return result;
    }
    memset(rewriting, 0, sizeof(*rewriting));
    rewriting->device = device;
    rewriting->region = OTTER_REGION_RECEIPTS;
    rewriting->from_region = OTTER_REGION_RECEIPTS;
    rewriting->spans[0].off = OTTER_RECEIPT_HEAD_SIZE;
    rewriting->spans[0].size = twin.length;
    rewriting->spans[1].size = OTTER_RECEIPT_HEAD_SIZE;
    rewriting->spans[2].off = OTTER_RECEIPT_HASH_OFF;
    rewriting->spans[2].size = with_hash && twin.has_hash ? OTTER_RECEIPT_HASH_SIZE : 0;
    result = otter_receipt_place(&device->io, slot, (uint8_t)(1 - copy),
                                 &rewriting->from_off, &ignored);
    if (result != OTTER_OK) {
        return result;
    }
    return otter_receipt_place(&device->io, slot, copy, &rewriting->to_off,
                               &rewriting->to_size);
}

/* A function of its own, so that its kilobyte of stack is gone before anything is
 * written. */
static enum otter_result make_head(struct otter_rewriting *rewriting,
                                   const struct otter_span *content, uint32_t size,
                                   uint32_t sequence)
{
    uint8_t bytes[OTTER_TABLE_MAX];
    enum otter_result result = otter_io_read(content->io, content->region, content->off,
                                             bytes + OTTER_TABLE_CONTENT_OFF, size);

    if (result == OTTER_OK) {
        otter_table_wrap(bytes, size, sequence);
        memcpy(rewriting->head, bytes, sizeof(rewriting->head));
    }
    return result;
}

enum otter_result otter_rewriting_table(struct otter_rewriting *rewriting,
                                        struct otter_device *device, uint8_t place,
                                        const struct otter_span *content, uint32_t size,
                                        uint32_t sequence)
{
    const struct otter_ports *ports = &device->ports;
    uint32_t room =
        otter_table_place_size(ports->flash, ports->table_addr, ports->table_size);
    uint32_t max = room < OTTER_TABLE_MAX ? room : OTTER_TABLE_MAX;

    if (size > max - OTTER_TABLE_CONTENT_OFF) {
        return OTTER_E_TABLE_FORM;
    }
    memset(rewriting, 0, sizeof(*rewriting));
    rewriting->device = device;
    rewriting->region = OTTER_REGION_TABLE;
    rewriting->from_region = content->region;
    rewriting->from_off = content->off;
    rewriting->to_off = otter_table_place_off(ports->table_size, place);
    rewriting->to_size = room;
    rewriting->spans[0].size = OTTER_TABLE_CONTENT_OFF + size;
    return make_head(rewriting, content, size, sequence);
}

enum otter_result otter_rewriting_own(struct otter_rewriting *rewriting,
                                      struct otter_device *device, uint8_t place)
{
    uint32_t size = (uint32_t)device->table.length - OTTER_TABLE_CONTENT_OFF;
    struct otter_table table;
    struct otter_span content;
    enum otter_result result = otter_table_find_twin(device, place, &table, &content);

    return result != OTTER_OK
               ? result
               : otter_rewriting_table(rewriting, device, place, &content, size,
                                       device->table.sequence);
}

bool otter_rewriting_finds_other(const struct otter_rewriting *rewriting,
                                 enum otter_result result)
{
    struct otter_device *device = rewriting->device;
    bool is_flash = result == OTTER_E_FLASH_ERASE || result == OTTER_E_FLASH_PROGRAM ||
                    result == OTTER_E_FLASH_VERIFY;
    uint8_t place = 0;

    if (!is_flash || rewriting->region != OTTER_REGION_TABLE) {
        return false;
    }
    place = otter_table_place_at(device->ports.table_size, rewriting->to_off);
    device->table_failed = (uint8_t)(device->table_failed | 1U << place);
    return otter_table_spare(device, &place);
}

/* Of the second copy of a new table the place is noted, too: a cut makes it begin there
 * again, even if it reads right (K5). */
static enum otter_result seal(struct otter_rewriting *rewriting, bool is_erased)
{
    struct otter_device *device = rewriting->device;
    struct otter_state state = device->journal.state;

    state.erased = is_erased ? 1 : 0;
    if (rewriting->region == OTTER_REGION_TABLE && otter_table_is_split(device)) {
        state.member = (uint8_t)(1 + otter_table_place_at(device->ports.table_size,
                                                          rewriting->to_off));
    }
    return otter_journal_put(&device->journal, &state, OTTER_SEALED);
}

static enum otter_result erase(struct otter_rewriting *rewriting)
{
    struct otter_io *io = &rewriting->device->io;
    uint32_t off = rewriting->to_off + rewriting->cursor;
    struct otter_sector sector;
    enum otter_result result = otter_io_sector(io, rewriting->region, off, &sector);

    if (result == OTTER_OK) {
        result = otter_io_erase(io, rewriting->region, off);
    }
    if (result != OTTER_OK) {
        return result;
    }
    rewriting->cursor += sector.size;
    if (rewriting->cursor < rewriting->to_size) {
        return OTTER_OK;
    }
    rewriting->cursor = 0;
    rewriting->step = STEP_READ;
    return seal(rewriting, true);
}

/* Skips spans that are done; answers whether there is another one. */
static bool find_span(struct otter_rewriting *rewriting)
{
    while (rewriting->part < 3 &&
           rewriting->cursor == rewriting->spans[rewriting->part].size) {
        rewriting->part++;
        rewriting->cursor = 0;
    }
    return rewriting->part < 3;
}

/* Takes the next bytes into the page. Those of a table are its head, then its content.
 */
static enum otter_result read(struct otter_rewriting *rewriting)
{
    struct otter_device *device = rewriting->device;
    uint32_t off = rewriting->spans[rewriting->part].off + rewriting->cursor;
    uint32_t head = 0;
    uint32_t left = rewriting->spans[rewriting->part].size - rewriting->cursor;

    rewriting->taken =
        left < sizeof(device->page) ? left : (uint32_t)sizeof(device->page);
    rewriting->given = 0;
    rewriting->step = STEP_PROGRAM;
    memset(device->page, otter_io_erased(&device->io, rewriting->region),
           sizeof(device->page));
    if (rewriting->region == OTTER_REGION_TABLE) {
        head = off == 0 ? (uint32_t)sizeof(rewriting->head) : 0;
        off = off == 0 ? 0 : off - (uint32_t)sizeof(rewriting->head);
        memcpy(device->page, rewriting->head, head);
    }
    return otter_io_read(&device->io, rewriting->from_region, rewriting->from_off + off,
                         device->page + head, rewriting->taken - head);
}

static enum otter_result program(struct otter_rewriting *rewriting)
{
    struct otter_device *device = rewriting->device;
    uint32_t word = otter_io_word_size(&device->io, rewriting->region);
    uint32_t padded = (rewriting->taken + word - 1) / word * word;
    uint32_t off = rewriting->to_off + rewriting->spans[rewriting->part].off +
                   rewriting->cursor + rewriting->given;
    size_t done = 0;
    enum otter_result result = otter_io_program(&device->io, rewriting->region, off,
                                                device->page + rewriting->given,
                                                padded - rewriting->given, &done);

    rewriting->given += (uint32_t)done;
    if (result == OTTER_OK && rewriting->given == padded) {
        rewriting->cursor += rewriting->taken;
        rewriting->step = STEP_READ;
    }
    return result;
}

enum otter_result otter_rewriting_step(struct otter_rewriting *rewriting, bool *is_done)
{
    struct otter_journal *journal = &rewriting->device->journal;

    *is_done = false;
    if (otter_journal_is_busy(journal)) {
        return otter_journal_step(journal);
    }
    switch ((enum rewriting_step)rewriting->step) {
    case STEP_SEAL:
        rewriting->step = STEP_ERASE;
        return seal(rewriting, false);
    case STEP_ERASE:
        return erase(rewriting);
    case STEP_READ:
        if (!find_span(rewriting)) {
            *is_done = true;
            return OTTER_OK;
        }
        return read(rewriting);
    case STEP_PROGRAM:
        return program(rewriting);
    }
    return OTTER_OK;
}
