/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edit is a byte for its kind, a byte for its region, 2 bytes for the offset and 2
 * for the length, all taken modulo what there is; then the bytes that it needs.
 */
#include "boot_edits.h"

#include "otter/crc32.h"
#include "otter/journal.h"
#include "otter/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum edit_kind {
    EDIT_BYTES = 0, /* the bytes that follow */
    EDIT_RECORD,    /* the same, into the records of the newest journal sector */
    EDIT_FILL,      /* one byte, again and again */
    EDIT_MOVE,      /* from another place of the same flash */
    EDIT_OTHER,     /* the same place of another base */
    EDIT_FOREIGN,   /* the same place of a foreign maker's flash */
    EDIT_KILL,      /* a word that cannot be read */
    EDIT_FLIP,
    EDIT_BAD, /* a sector that takes no program and no erase any more */
    EDIT_KINDS,
};

enum { EDITS_MAX = 24, REGION_BYTES_MAX = 16384, BYTES_MAX = 255 };

struct edit {
    struct boot_base *base;
    struct vflash *flash;
    uint8_t twin; /* its kind */
    const struct otter_region *region;
    uint32_t off;
    uint32_t len;
    struct boot_damage *damage;
};

/* Boot's own region is never written, by nobody. */
static const struct otter_region *pick_region(const struct edit *edit, uint8_t choice)
{
    static const uint8_t ids[] = {
        OTTER_REGION_JOURNAL,   OTTER_REGION_RECEIPTS,    OTTER_REGION_STAGING,
        OTTER_REGION_MANAGER,   OTTER_REGION_APPLICATION, OTTER_REGION_SLOT_B,
        OTTER_REGION_RECEIPTS,  OTTER_REGION_JOURNAL,     OTTER_REGION_TABLE,
        OTTER_REGION_RESOURCES, OTTER_REGION_FONT, /* of the rich twins alone */
    };
    const struct otter_map *map = &edit->base->world->sample.profile.map;
    size_t count = (edit->twin & BOOT_RICH) != 0 ? sizeof(ids) : sizeof(ids) - 2;
    const struct otter_region *region = otter_map_find(map, ids[choice % count]);

    return region != NULL ? region : otter_map_find(map, OTTER_REGION_APPLICATION);
}

unsigned boot_sector(const struct boot_base *base, uint32_t addr)
{
    const struct otter_flash_area *area = &base->world->sample.profile.areas[0];

    return (addr - area->addr) / area->sector_size;
}

/* Notes what is about to change. */
static void mark(const struct edit *edit, uint32_t len)
{
    uint32_t addr = edit->region->addr + edit->off;

    for (uint32_t i = boot_sector(edit->base, addr);
         len > 0 && i <= boot_sector(edit->base, addr + len - 1); i++) {
        edit->damage->sectors |= UINT64_C(1) << i;
    }
    edit->damage->regions |= 1U << edit->region->id;
}

static void write(const struct edit *edit, const uint8_t *bytes)
{
    mark(edit, edit->len);
    vflash_provision(edit->flash, edit->region->addr + edit->off, bytes, edit->len);
}

static uint32_t base_addr(const struct edit *edit)
{
    return edit->base->world->sample.profile.areas[0].addr;
}

static void write_from(const struct edit *edit, const uint8_t *content)
{
    write(edit, content + (edit->region->addr - base_addr(edit)) + edit->off);
    edit->damage->is_forged = true;
}

/* ---- records ---- */

static uint8_t *record_at(const struct edit *edit, const struct otter_region *journal,
                          uint32_t off, uint8_t record[OTTER_RECORD_SIZE])
{
    memcpy(record, vflash_peek(edit->flash, journal->addr + off, OTTER_RECORD_SIZE),
           OTTER_RECORD_SIZE);
    return otter_load_le16(record) == 0x4A4F ? record : NULL;
}

static uint32_t newest_sequence(const struct edit *edit,
                                const struct otter_region *journal)
{
    uint8_t record[OTTER_RECORD_SIZE];
    uint32_t newest = 0;

    for (uint32_t off = 0; off < journal->size; off += OTTER_RECORD_SIZE) {
        if (record_at(edit, journal, off, record) != NULL &&
            otter_load_le32(record + 4) > newest) {
            newest = otter_load_le32(record + 4);
        }
    }
    return newest;
}

static void write_record(const struct edit *edit, const struct otter_region *journal,
                         uint32_t off, uint8_t record[OTTER_RECORD_SIZE])
{
    otter_store_le32(record + 124, otter_crc32(0, record, 124));
    vflash_provision(edit->flash, journal->addr + off, record, OTTER_RECORD_SIZE);
}

/* Changes the newest records as if a program had written them. */
static void change_records(const struct edit *edit, const uint8_t *bytes, uint32_t len)
{
    const struct otter_region *journal =
        otter_map_find(&edit->base->world->sample.profile.map, OTTER_REGION_JOURNAL);
    uint32_t newest = newest_sequence(edit, journal);
    uint32_t at = edit->off % 124;
    uint8_t record[OTTER_RECORD_SIZE];

    len = len < 124 - at ? len : 124 - at;
    for (uint32_t off = 0; off < journal->size; off += OTTER_RECORD_SIZE) {
        if (record_at(edit, journal, off, record) != NULL &&
            otter_load_le32(record + 4) == newest) {
            memcpy(record + at, bytes, len);
            write_record(edit, journal, off, record);
        }
    }
    edit->damage->regions |= 1U << OTTER_REGION_JOURNAL;
    edit->damage->is_forged = true;
}

/* ---- the edits ---- */

static void edit_bytes(struct edit *edit, uint8_t kind, struct otter_reader *reader)
{
    size_t left = otter_reader_left(reader);
    uint32_t len = edit->len % (kind == EDIT_RECORD ? 16U : BYTES_MAX + 1U);

    len = len < left ? len : (uint32_t)left;
    const uint8_t *bytes = otter_reader_bytes(reader, len);

    if (len == 0) {
        return;
    }
    if (kind == EDIT_RECORD) {
        change_records(edit, bytes, len);
        return;
    }
    edit->len =
        len < edit->region->size - edit->off ? len : edit->region->size - edit->off;
    write(edit, bytes);
}

static void edit_fill(const struct edit *edit, uint8_t value)
{
    uint8_t bytes[REGION_BYTES_MAX];

    memset(bytes, value, edit->len);
    write(edit, bytes);
}

static void edit_move(const struct edit *edit, struct otter_reader *reader)
{
    const struct otter_region *from = pick_region(edit, otter_reader_u8(reader));
    uint32_t off = otter_reader_le16(reader) % from->size;
    uint32_t len = edit->len < from->size - off ? edit->len : from->size - off;
    struct edit moved = *edit;
    uint8_t bytes[REGION_BYTES_MAX];

    memcpy(bytes, vflash_peek(edit->flash, from->addr + off, len), len);
    moved.len = len;
    write(&moved, bytes);
    edit->damage->is_forged = true;
}

static void do_edit(struct edit *edit, uint8_t kind, struct otter_reader *reader)
{
    switch ((enum edit_kind)kind) {
    case EDIT_BYTES:
    case EDIT_RECORD:
        edit_bytes(edit, kind, reader);
        break;
    case EDIT_FILL:
        edit_fill(edit, otter_reader_u8(reader));
        break;
    case EDIT_MOVE:
        edit_move(edit, reader);
        break;
    case EDIT_OTHER:
        write_from(edit, boot_base_at(edit->twin, otter_reader_u8(reader))->content);
        break;
    case EDIT_FOREIGN:
        write_from(edit, boot_foreign(edit->twin, (otter_reader_u8(reader) & 1) != 0));
        break;
    case EDIT_BAD:
        mark(edit, 1);
        vflash_set_bad(edit->flash, edit->region->addr + edit->off, true);
        break;
    case EDIT_KILL:
        mark(edit, 1);
        vflash_kill_word(edit->flash, edit->region->addr + edit->off);
        break;
    case EDIT_FLIP:
        mark(edit, 1);
        vflash_flip(edit->flash, edit->region->addr + edit->off, edit->len & 7U);
        break;
    case EDIT_KINDS:
        break;
    }
}

/* ---- seals ---- */

static void seal_records(const struct edit *edit)
{
    const struct otter_region *journal = edit->region;
    uint8_t record[OTTER_RECORD_SIZE];

    for (uint32_t off = 0; off < journal->size; off += OTTER_RECORD_SIZE) {
        if (record_at(edit, journal, off, record) != NULL) {
            write_record(edit, journal, off, record);
        }
    }
}

static void seal_receipts(const struct edit *edit)
{
    uint8_t copy[OTTER_RECEIPT_SIZE];
    uint32_t quarter = edit->region->size / 4;

    for (uint32_t i = 0; i < 4; i++) {
        uint32_t addr = edit->region->addr + i * quarter;

        memcpy(copy, vflash_peek(edit->flash, addr, sizeof(copy)), sizeof(copy));
        uint16_t length = otter_load_le16(copy + 6);

        if (length > OTTER_CONTROL_MAX || otter_load_le32(copy) != 0x4352544F) {
            continue;
        }
        otter_store_le32(copy + 8,
                         otter_crc32(0, copy + OTTER_RECEIPT_HEAD_SIZE, length));
        otter_store_le32(copy + 28, otter_crc32(0, copy, 28));
        vflash_provision(edit->flash, addr, copy, OTTER_RECEIPT_HEAD_SIZE);
    }
}

static void seal_table(const struct edit *edit)
{
    uint8_t copy[OTTER_TABLE_MAX];
    uint32_t half = edit->region->size / 2;

    for (uint32_t i = 0; i < 2; i++) {
        uint32_t addr = edit->region->addr + i * half;

        memcpy(copy, vflash_peek(edit->flash, addr, sizeof(copy)), sizeof(copy));
        uint16_t length = otter_load_le16(copy + 6);

        if (length < 16 || length > sizeof(copy)) {
            continue;
        }
        otter_store_le32(
            copy + 12, otter_crc32(otter_crc32(0, copy, 12), copy + 16, length - 16U));
        vflash_provision(edit->flash, addr, copy, 16);
    }
}

static void seal(struct edit *edit, uint8_t seals)
{
    static const struct {
        uint8_t id;
        void (*seal)(const struct edit *edit);
    } kinds[] = {
        {OTTER_REGION_JOURNAL, seal_records},
        {OTTER_REGION_RECEIPTS, seal_receipts},
        {OTTER_REGION_TABLE, seal_table},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if ((seals >> i & 1U) != 0 &&
            (edit->damage->regions & (1U << kinds[i].id)) != 0) {
            edit->region =
                otter_map_find(&edit->base->world->sample.profile.map, kinds[i].id);
            edit->damage->is_forged = true;
            kinds[i].seal(edit);
        }
    }
}

void boot_mend(struct boot_base *base)
{
    const struct otter_flash_area *area = &base->world->sample.profile.areas[0];

    for (uint32_t i = 0; i < area->sector_count; i++) {
        vflash_set_bad(&base->world->device.flash, area->addr + i * area->sector_size,
                       false);
    }
}

struct boot_damage boot_edit(struct boot_base *base, uint8_t kind, uint8_t seals,
                             struct otter_reader *reader)
{
    struct boot_damage damage = {0};
    struct edit edit = {.base = base,
                        .flash = &base->world->device.flash,
                        .twin = kind,
                        .damage = &damage};

    for (int i = 0; i < EDITS_MAX && otter_reader_left(reader) >= 6; i++) {
        uint8_t change = otter_reader_u8(reader) % EDIT_KINDS;

        edit.region = pick_region(&edit, otter_reader_u8(reader));
        edit.off = otter_reader_le16(reader);
        edit.len = otter_reader_le16(reader);
        if (change != EDIT_RECORD) {
            uint32_t size = edit.region->size < REGION_BYTES_MAX ? edit.region->size
                                                                 : REGION_BYTES_MAX;

            edit.off %= size;
            edit.len = edit.len < size - edit.off ? edit.len : size - edit.off;
        }
        if (getenv("FUZZ_TRACE") != NULL) {
            (void)printf("edit %d of region %d at %u, %u\n", change, edit.region->id,
                         edit.off, edit.len);
        }
        do_edit(&edit, change, reader);
    }
    seal(&edit, seals);
    return damage;
}
