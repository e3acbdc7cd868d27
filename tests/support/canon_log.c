/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form of the journal: what replay makes of its sectors, and no more.
 */
#include "canon_inner.h"

#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/journal.h"

#include <stdlib.h>

enum {
    KEPT_RECORDS = 3,  /* a sector with so many is kept from erasing */
    COUNT_RECORDS = 2, /* one with so many counts */
    WRITER_OFF = 3,    /* docs/SPEC.md, "Journal" */
    SEQUENCE_OFF = 4,
    ERASES_OFF = 48,
    ERASES_SIZE = 32,
    TLV_SIZE_OFF = 31,
    TLV_OFF = 80,
    TLV_ROOM = 40,
    MORE_ERASES_TYPE =
        1, /* the extension that counts erases, the first if it is there */
    MORE_ERASES_SIZE = 8,
    CRC_OFF = 124,
};

/* What replay makes of a sector. */
enum log_part {
    LOG_NOTHING, /* tells nothing, and is erased before anything is written */
    LOG_SPARE,   /* is certain, but a newer one counts at every reading: never read
                    without damage at rest */
    LOG_SHAKY,   /* the same, but certain at one reading and not at the next */
    LOG_LIVE,    /* may tell the state */
};

/* What replay finds in one sector, and what it may find at another reading. */
struct log_sector {
    struct vflash_place place;
    uint64_t raw; /* hash */
    uint32_t sequence;
    uint32_t rank;
    uint8_t valid_count;   /* at the next reading, three at most; */
    uint8_t certain_count; /* at every reading; */
    uint8_t most_count;    /* if all that may be a record reads as one */
    bool is_certain;       /* three records, or two and remains, at the next reading; */
    bool will_be_certain;  /* at the one after it */
    bool may_count;        /* some unstable slot reads as a record once */
    bool is_fading;        /* and some of these only once */
    uint8_t part;          /* enum log_part */
    bool keeps_places;     /* the form leaves its records where they are */
};

struct log {
    struct log_sector sectors[OTTER_JOURNAL_SECTORS_MAX];
    size_t count;
    size_t first;  /* sector that comes first in canonical form */
    bool may_flip; /* any bit may: no sector is passed over for sure */
};

static bool is_record(const uint8_t *bytes, uint32_t *sequence)
{
    struct otter_state state;
    uint32_t erases[OTTER_ERASE_COUNTS];

    return otter_record_decode(bytes, &state, erases, sequence);
}

/* The same, remembered: it is asked a hundred thousand times a second. */
static bool is_known_record(const struct canon *canon, const uint8_t *bytes,
                            uint32_t *sequence)
{
    uint64_t key = canon_mix_bytes(OTTER_RECORD_SIZE, bytes, OTTER_RECORD_SIZE);
    const uint64_t *known = canon_table_find(canon->records, key);

    if (known == NULL) {
        bool is_one = is_record(bytes, sequence);

        canon_table_put(canon->records, key, (uint64_t)is_one << 32 | *sequence);
        return is_one;
    }
    *sequence = (uint32_t)*known;
    return (*known >> 32) != 0;
}

static size_t slots_in(const struct vflash_place *place)
{
    return place->bank->area->sector_size / OTTER_RECORD_SIZE;
}

/* Slots up to the last one of which any word is not erased. */
static size_t used_slots(const struct canon *canon, const struct vflash_place *place)
{
    const uint8_t *words = canon->flash->words + place->word;
    size_t count = OTTER_RECORD_SIZE / place->bank->area->word_size;
    size_t used = slots_in(place);

    while (used > 0 && vflash_is_erased(words + (used - 1) * count, count, 0)) {
        used--;
    }
    return used;
}

/* --- what is there --- */

/* What one reading of a sector finds. */
struct log_reading {
    uint32_t sequence; /* of the first record */
    uint8_t count;     /* records, three at most */
    bool has_remains;  /* something that is none follows the last one */
};

/* Records of another sequence than the first do not belong here. */
static bool count_record(struct log_reading *reading, uint32_t sequence)
{
    if (reading->count == 0) {
        reading->sequence = sequence;
    }
    if (reading->sequence != sequence) {
        return false;
    }
    if (reading->count < KEPT_RECORDS) {
        reading->count++;
    }
    reading->has_remains = false;
    return true;
}

/* True if the bytes are a record that belongs here. */
static bool read_slot(const struct canon *canon, const struct log_sector *sector,
                      const uint8_t *bytes, struct log_reading *reading)
{
    uint8_t erased = sector->place.bank->area->erased;
    uint32_t sequence = 0;

    if (is_known_record(canon, bytes, &sequence)) {
        return count_record(reading, sequence);
    }
    reading->has_remains =
        reading->has_remains || !vflash_is_erased(bytes, OTTER_RECORD_SIZE, erased);
    return false;
}

static void find_record(const struct canon *canon, struct log_sector *sector,
                        size_t slot, struct log_reading readings[2])
{
    uint8_t now[OTTER_RECORD_SIZE];
    uint8_t then[OTTER_RECORD_SIZE];
    struct canon_flags raw =
        canon_look(canon->flash, &sector->place, slot * OTTER_RECORD_SIZE,
                   OTTER_RECORD_SIZE, now, then);

    if ((raw.all & VFLASH_FLAG_DEAD) != 0) {
        readings[0].has_remains = true;
        readings[1].has_remains = true;
        return;
    }
    if ((raw.all & VFLASH_FLAG_PROGRAMMED) == 0) {
        return;
    }
    bool is_stable = memcmp(now, then, sizeof(now)) == 0;
    bool is_now = read_slot(canon, sector, now, &readings[0]);
    bool is_then = read_slot(canon, sector, then, &readings[1]);

    if (is_now && is_stable && sector->certain_count < KEPT_RECORDS) {
        sector->certain_count++;
    }
    if ((is_now || is_then) && sector->most_count < KEPT_RECORDS) {
        sector->most_count++;
    }
    sector->may_count = sector->may_count || (is_then && !is_stable);
    if (!is_stable && (raw.unstable & VFLASH_FLAG_FADING) != 0) {
        sector->is_fading = true;
    }
}

static bool is_certain(const struct log_reading *reading)
{
    return reading->count >= KEPT_RECORDS ||
           (reading->count == COUNT_RECORDS && reading->has_remains);
}

static void find_records(const struct canon *canon, struct log_sector *sector)
{
    struct log_reading readings[2] = {{0}};
    size_t used = used_slots(canon, &sector->place);

    for (size_t i = 0; i < used; i++) {
        find_record(canon, sector, i, readings);
    }
    sector->valid_count = readings[0].count;
    sector->sequence =
        readings[0].count > 0 ? readings[0].sequence : readings[1].sequence;
    sector->is_certain = is_certain(&readings[0]);
    sector->will_be_certain = is_certain(&readings[1]);
}

/* The facts of a sector fit into one value of the table. */
static uint64_t pack_facts(const struct log_sector *sector)
{
    return (uint64_t)sector->sequence | (uint64_t)sector->valid_count << 32 |
           (uint64_t)sector->is_certain << 36 |
           (uint64_t)sector->will_be_certain << 37 |
           (uint64_t)sector->certain_count << 40 | (uint64_t)sector->may_count << 44 |
           (uint64_t)sector->is_fading << 45 | (uint64_t)sector->most_count << 46;
}

static void unpack_facts(struct log_sector *sector, uint64_t facts)
{
    sector->sequence = (uint32_t)facts;
    sector->valid_count = (uint8_t)(facts >> 32 & 15);
    sector->is_certain = (facts >> 36 & 1) != 0;
    sector->will_be_certain = (facts >> 37 & 1) != 0;
    sector->certain_count = (uint8_t)(facts >> 40 & 15);
    sector->may_count = (facts >> 44 & 1) != 0;
    sector->is_fading = (facts >> 45 & 1) != 0;
    sector->most_count = (uint8_t)(facts >> 46 & 3);
}

static void load_sector(struct canon *canon, struct log_sector *sector)
{
    uint64_t key = canon_mix(sector->raw, OTTER_RECORD_SIZE);
    const uint64_t *facts = canon_table_find(canon->sectors, key);

    if (facts != NULL) {
        unpack_facts(sector, *facts);
        return;
    }
    find_records(canon, sector);
    canon_table_put(canon->sectors, key, pack_facts(sector));
}

/* --- what it means --- */

/* Sequence of the newest sector that counts at every reading; 0 if none does. */
static uint32_t newest_certain(const struct log *log)
{
    uint32_t newest = 0;

    for (size_t i = 0; i < log->count; i++) {
        if (log->sectors[i].certain_count >= COUNT_RECORDS &&
            log->sectors[i].sequence > newest) {
            newest = log->sectors[i].sequence;
        }
    }
    return newest;
}

/* Newer sectors that are certain at every reading. */
static size_t newer_spares(const struct log *log, const struct log_sector *sector)
{
    size_t count = 0;

    for (size_t i = 0; i < log->count; i++) {
        const struct log_sector *other = &log->sectors[i];

        count += other->certain_count >= COUNT_RECORDS && other->is_certain &&
                 other->will_be_certain && other->sequence > sector->sequence;
    }
    return count;
}

/* A sector that cannot hold two records at any reading tells nothing, nor do those that
 * are older than the newest one that counts at every reading. Whether one holds three
 * counts: if not, it is erased before anything is written. */
static uint8_t part_of(const struct log *log, const struct log_sector *sector)
{
    uint32_t certain = newest_certain(log);

    if (sector->most_count < COUNT_RECORDS) {
        return LOG_NOTHING;
    }
    if (certain == 0 || log->may_flip ||
        (sector->may_count && sector->sequence >= certain) ||
        (sector->valid_count >= COUNT_RECORDS && sector->sequence >= certain)) {
        return LOG_LIVE;
    }
    if (!sector->is_certain && !sector->will_be_certain) {
        return LOG_NOTHING;
    }
    return sector->is_certain && sector->will_be_certain ? LOG_SPARE : LOG_SHAKY;
}

/* Of sectors older than two that are certain at every reading, no number counts. */
static bool is_old(const struct log *log, const struct log_sector *sector)
{
    return sector->part != LOG_LIVE && newer_spares(log, sector) >= 2;
}

/* A number counts by its order alone: new ones are above all that may come back. */
static uint32_t rank_of(const struct log *log, const struct log_sector *sector)
{
    enum { OLD = 1 };
    uint32_t rank = OLD + 1;

    if (is_old(log, sector)) {
        return OLD;
    }
    for (size_t i = 0; i < log->count; i++) {
        const struct log_sector *other = &log->sectors[i];

        rank += other->part != LOG_NOTHING && !is_old(log, other) &&
                other->sequence < sector->sequence;
    }
    return rank;
}

/* True if every reading finds the same sectors that count, and that are certain. */
static bool is_steady(const struct log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct log_sector *sector = &log->sectors[i];

        bool counts_or_not = sector->certain_count >= COUNT_RECORDS ||
                             sector->most_count < COUNT_RECORDS;

        if (sector->part == LOG_SHAKY ||
            (sector->part == LOG_LIVE &&
             (!counts_or_not || sector->is_certain != sector->will_be_certain))) {
            return false;
        }
    }
    return true;
}

/* The sector that is begun next is erased first in any case, if it is known which that
 * is. */
static void drop_next(struct log *log)
{
    uint32_t certain = newest_certain(log);
    size_t newest = 0;

    if (certain == 0 || !is_steady(log)) {
        return;
    }
    while (log->sectors[newest].sequence != certain ||
           log->sectors[newest].part != LOG_LIVE) {
        newest++;
    }
    for (size_t i = 1; i < log->count; i++) {
        struct log_sector *sector = &log->sectors[(newest + i) % log->count];

        if (sector->part == LOG_NOTHING || newer_spares(log, sector) >= 2) {
            sector->part = LOG_NOTHING;
            return;
        }
    }
}

static size_t first_of(const struct log *log)
{
    uint32_t certain = newest_certain(log);
    size_t first = 0;

    for (size_t i = 0; i < log->count; i++) {
        const struct log_sector *sector = &log->sectors[i];

        if (sector->place.bank != log->sectors[0].place.bank) {
            return 0;
        }
        if (certain != 0 && sector->sequence == certain &&
            sector->certain_count >= COUNT_RECORDS) {
            first = i;
        }
    }
    return first;
}

static void find_sectors(const struct canon *canon, struct log *log)
{
    log->count = canon->log_sectors;
    log->first = 0;
    log->may_flip = canon->bad == CANON_MAY_FLIP;
    for (size_t i = 0; i < log->count; i++) {
        const struct vflash_place *place = &canon->places[canon->log_at + i];

        log->sectors[i] = (struct log_sector){
            .place = *place,
            .raw = vflash_hash_place(canon->flash, place),
            .keeps_places = place->addr == canon->bad && canon->is_bad_in_part};
    }
}

static void load_log(struct canon *canon, struct log *log)
{
    find_sectors(canon, log);
    for (size_t i = 0; i < log->count; i++) {
        load_sector(canon, &log->sectors[i]);
    }
    for (size_t i = 0; i < log->count; i++) {
        log->sectors[i].part = part_of(log, &log->sectors[i]);
    }
    if (canon->bad == CANON_NOT_BAD) {
        drop_next(log);
    }
    for (size_t i = 0; i < log->count; i++) {
        log->sectors[i].rank = rank_of(log, &log->sectors[i]);
    }
    log->first = first_of(log);
}

/* --- its form --- */

static void drop_more_erases(uint8_t *bytes)
{
    enum { DROPPED = 2 + MORE_ERASES_SIZE };
    uint8_t *tlv = bytes + TLV_OFF;

    if (bytes[TLV_SIZE_OFF] >= DROPPED && tlv[0] == MORE_ERASES_TYPE &&
        tlv[1] == MORE_ERASES_SIZE) {
        bytes[TLV_SIZE_OFF] = (uint8_t)(bytes[TLV_SIZE_OFF] - DROPPED);
        memmove(tlv, tlv + DROPPED, TLV_ROOM - DROPPED);
        memset(tlv + TLV_ROOM - DROPPED, 0, DROPPED);
    }
}

/* A record with its sequence number replaced by `rank`; anything else but erased bytes
 * becomes garbage. */
static void form_record(const struct canon *canon, uint8_t *bytes, uint8_t erased,
                        uint32_t rank)
{
    uint32_t sequence = 0;

    if (is_known_record(canon, bytes, &sequence)) {
        otter_store_le32(bytes + SEQUENCE_OFF, rank);
        memset(bytes + ERASES_OFF, 0, ERASES_SIZE);
        drop_more_erases(bytes);
        bytes[WRITER_OFF] = OTTER_PROGRAM_FACTORY;
        otter_store_le32(bytes + CRC_OFF, otter_crc32(0, bytes, CRC_OFF));
    } else if (!vflash_is_erased(bytes, OTTER_RECORD_SIZE, erased)) {
        memset(bytes, CANON_GARBAGE, OTTER_RECORD_SIZE);
    }
}

static void form_slot(const struct canon *canon, const struct log_sector *sector,
                      size_t off, const struct canon_form *form)
{
    const struct otter_flash_area *area = sector->place.bank->area;
    uint8_t *now = form->content + off;
    uint8_t *then = form->later + off;
    struct canon_flags raw =
        canon_look(canon->flash, &sector->place, off, OTTER_RECORD_SIZE, now, then);

    form_record(canon, now, area->erased, sector->rank);
    if (raw.unstable == 0) {
        memcpy(then, now, OTTER_RECORD_SIZE);
    } else {
        form_record(canon, then, area->erased, sector->rank);
    }
    canon_settle(now, then, OTTER_RECORD_SIZE, &raw);
    /* As if torn, always: nothing is ever added to a sector that is found. */
    memset(form->words + off / area->word_size, (int)canon_torn_flags(raw),
           OTTER_RECORD_SIZE / area->word_size);
}

/* What stands in the slots of a sector. */
struct log_content {
    size_t end; /* slots up to the last one that is not blank */
    int last;   /* slot of the last stable record, or -1 */
    int before; /* and of the one before it */
    int count;  /* of them, up to three */
    bool has_remains;
    bool is_stable; /* every slot */
};

static struct log_content content_of(const struct canon_form *form,
                                     const struct otter_flash_area *area, size_t slots)
{
    struct log_content found = {.last = -1, .before = -1, .is_stable = true};

    for (size_t i = 0; i < slots; i++) {
        const uint8_t *bytes = form->content + i * OTTER_RECORD_SIZE;
        unsigned flags = form->words[i * OTTER_RECORD_SIZE / area->word_size];

        if ((flags & VFLASH_FLAGS_UNSTABLE) != 0) {
            found.is_stable = false;
        } else if (bytes[0] == CANON_GARBAGE) {
            found.has_remains = true;
        } else if (bytes[0] != area->erased) {
            found.before = found.last;
            found.last = (int)i;
            found.count += found.count < KEPT_RECORDS;
            found.has_remains = false;
        } else {
            continue;
        }
        found.end = i + 1;
    }
    return found;
}

/* `size` bytes that are erased, and torn: nothing is ever added to a sector that is
 * found. */
static void form_erased(const struct canon_form *form,
                        const struct otter_flash_area *area, size_t off, size_t size)
{
    memset(form->content + off, area->erased, size);
    memset(form->later + off, area->erased, size);
    memset(form->words + off / area->word_size,
           VFLASH_FLAG_PROGRAMMED | VFLASH_FLAG_TORN, size / area->word_size);
}

/* Of the records of a stable sector the last two matter, that there is a third, and
 * whether something that is none follows: they move to its begin, in that order. The
 * bytes that they take. */
static size_t form_stable(const struct canon_form *form,
                          const struct otter_flash_area *area,
                          const struct log_content *content)
{
    uint8_t records[2][OTTER_RECORD_SIZE];
    size_t count = (size_t)content->count + content->has_remains;
    size_t off = 0;

    memcpy(records[1], form->content + (size_t)content->last * OTTER_RECORD_SIZE,
           OTTER_RECORD_SIZE);
    memcpy(records[0], form->content + (size_t)content->before * OTTER_RECORD_SIZE,
           OTTER_RECORD_SIZE);
    form_erased(form, area, 0, count * OTTER_RECORD_SIZE);
    for (int i = content->count; i > 0; i--, off += OTTER_RECORD_SIZE) {
        memcpy(form->content + off, records[i == 1], OTTER_RECORD_SIZE);
    }
    if (content->has_remains) {
        memset(form->content + off, CANON_GARBAGE, OTTER_RECORD_SIZE);
    }
    return count * OTTER_RECORD_SIZE;
}

/* A record of some state, where that it is there is all that counts. */
static void put_spare(const struct log_sector *sector, uint8_t *bytes)
{
    static const struct otter_state state = {.phase = OTTER_PHASE_CONFIRMED};
    static const uint32_t erases[OTTER_ERASE_COUNTS];

    otter_record_encode(&state, erases, sector->rank, OTTER_PROGRAM_FACTORY, bytes);
}

/* Three records of some state: that they are there is all that counts. The last two of
 * a shaky sector are there at one reading and not at the next. */
static void form_spare(const struct canon_form *form, const struct log_sector *sector)
{
    const struct otter_flash_area *area = sector->place.bank->area;
    size_t off = OTTER_RECORD_SIZE; /* of the second record */
    size_t size = (KEPT_RECORDS - 1) * OTTER_RECORD_SIZE;
    unsigned mode = sector->is_fading ? VFLASH_FLAG_FADING : VFLASH_FLAG_ALTERNATING;

    canon_form_nothing(area, form);
    for (size_t i = 0; i < KEPT_RECORDS; i++) {
        put_spare(sector, form->content + i * OTTER_RECORD_SIZE);
    }
    if (sector->part != LOG_SHAKY) {
        return;
    }
    if (!sector->is_certain) {
        memcpy(form->later + off, form->content + off, size);
        memset(form->content + off, CANON_GARBAGE, size);
    }
    memset(form->words + off / area->word_size,
           (int)(VFLASH_FLAG_PROGRAMMED | VFLASH_FLAG_TORN | mode),
           size / area->word_size);
}

static size_t form_live(const struct canon *canon, const struct log_sector *sector,
                        const struct canon_form *form)
{
    const struct otter_flash_area *area = sector->place.bank->area;
    size_t used = used_slots(canon, &sector->place);

    for (size_t i = 0; i < used; i++) {
        form_slot(canon, sector, i * OTTER_RECORD_SIZE, form);
    }
    struct log_content content = content_of(form, area, used);

    return content.is_stable && content.count >= COUNT_RECORDS && !sector->keeps_places
               ? form_stable(form, area, &content)
               : content.end * OTTER_RECORD_SIZE;
}

static void form_slot_of_spare(const struct log_sector *sector, uint8_t *bytes)
{
    uint32_t sequence;

    if (is_record(bytes, &sequence)) {
        put_spare(sector, bytes);
    }
}

/* The same, its records where they are. */
static size_t form_spare_in_place(const struct canon *canon,
                                  const struct log_sector *sector,
                                  const struct canon_form *form)
{
    size_t size = form_live(canon, sector, form);

    for (size_t off = 0; off < size; off += OTTER_RECORD_SIZE) {
        form_slot_of_spare(sector, form->content + off);
        form_slot_of_spare(sector, form->later + off);
    }
    return size;
}

/* Forms the begin of a sector; the rest is erased. The size of the begin. */
static size_t form_begin(const struct canon *canon, const struct log_sector *sector,
                         const struct canon_form *form)
{
    switch ((enum log_part)sector->part) {
    case LOG_NOTHING:
        canon_form_nothing(sector->place.bank->area, form);
        break;
    case LOG_SPARE:
    case LOG_SHAKY:
        if (sector->keeps_places) {
            return form_spare_in_place(canon, sector, form);
        }
        form_spare(form, sector);
        break;
    case LOG_LIVE:
        return form_live(canon, sector, form);
    }
    return sector->place.bank->area->sector_size;
}

static void form_sector(const struct canon *canon, const struct log_sector *sector,
                        const struct canon_form *form)
{
    const struct otter_flash_area *area = sector->place.bank->area;
    size_t size = form_begin(canon, sector, form);

    form_erased(form, area, size, area->sector_size - size);
}

/* --- its hash --- */

size_t canon_unstable(struct canon *canon)
{
    const struct canon_set *dead = canon_dead(canon);
    const struct vflash *flash = canon->flash;
    size_t first = canon->log_at;
    size_t count = 0;
    struct log log;

    if (flash->odd_count == 0) {
        return 0;
    }
    load_log(canon, &log);
    for (size_t i = 0; i < flash->sector_count; i++) {
        bool is_log = i >= first && i - first < log.count;
        bool is_gone = is_log ? log.sectors[i - first].part == LOG_NOTHING
                              : dead != NULL && canon_set_has(dead, i);

        count += flash->sectors[i].odd_count > 0 && !is_gone;
    }
    return count;
}

/* Everything that a sector's form depends on. */
static uint64_t form_key(const struct log_sector *sector)
{
    uint64_t key = canon_mix(sector->part, sector->place.bank->area->sector_size);

    key = canon_mix(key, sector->keeps_places ? sector->raw : 0);
    switch ((enum log_part)sector->part) {
    case LOG_NOTHING:
        return key;
    case LOG_SPARE:
        break;
    case LOG_SHAKY:
        key = canon_mix(canon_mix(key, sector->is_certain), sector->is_fading);
        break;
    case LOG_LIVE:
        key = canon_mix(key, sector->raw);
        break;
    }
    return canon_mix(key, sector->rank);
}

static uint64_t hash_sector(struct canon *canon, const struct log_sector *sector)
{
    struct canon_form form = canon_form_of(canon);
    uint64_t key = form_key(sector);
    const uint64_t *known = canon_table_find(canon->sectors, key);

    if (known != NULL) {
        return *known;
    }
    size_t size = form_begin(canon, sector, &form);
    uint64_t hash = canon_hash_form(&form, &sector->place, size);

    canon_table_put(canon->sectors, key, hash);
    return hash;
}

static struct canon_log hash_log(struct canon *canon)
{
    struct canon_log result = {.hash = 1};
    struct log log;

    load_log(canon, &log);
    for (size_t i = 0; i < log.count; i++) {
        result.hash = canon_mix(
            result.hash, hash_sector(canon, &log.sectors[(log.first + i) % log.count]));
    }
    result.first = log.sectors[log.first].place.addr;
    return result;
}

/* Hash of the log as it is, on this device. */
static uint64_t hash_raw(const struct canon *canon)
{
    uint64_t raw = canon_mix(2, canon->bad);

    for (size_t i = 0; i < canon->log_sectors; i++) {
        raw = canon_mix(
            raw, vflash_hash_place(canon->flash, &canon->places[canon->log_at + i]));
    }
    return raw;
}

static const struct canon_log *find_log(struct canon *canon, uint64_t raw)
{
    const uint64_t *index = canon_table_find(canon->raws, raw);

    if (index != NULL) {
        return &canon->logs[*index];
    }
    canon->logs = canon_room(canon->logs, canon->log_count, sizeof(*canon->logs));
    canon_table_put(canon->raws, raw, canon->log_count);
    canon->logs[canon->log_count] = hash_log(canon);
    return &canon->logs[canon->log_count++];
}

struct canon_log canon_log_now(struct canon *canon)
{
    if (canon->log_version != canon->flash->version || canon->log_bad != canon->bad) {
        uint64_t raw = hash_raw(canon);

        if (canon->log_raw != raw) { /* most operations are not the log's */
            canon->log = *find_log(canon, raw);
            canon->log_raw = raw;
        }
        canon->log_version = canon->flash->version;
        canon->log_bad = canon->bad;
    }
    return canon->log;
}

uint32_t canon_first(struct canon *canon)
{
    return canon_log_now(canon).first;
}

void canon_log_open(struct canon *canon)
{
    const struct otter_region *region = canon->journal;

    canon->log_at = vflash_sector_index(canon->flash, region->addr);
    canon->log_version = UINT64_MAX;
    for (uint32_t off = 0;
         off < region->size && canon->log_sectors < OTTER_JOURNAL_SECTORS_MAX;) {
        const struct vflash_place *place =
            &canon->places[canon->log_at + canon->log_sectors++];

        off += place->bank->area->sector_size;
    }
}

/* --- making it --- */

/* Every form is made before any sector is overwritten: they change places. */
void canon_log_make(struct canon *canon)
{
    struct canon_form form = canon_form_of(canon);
    size_t size = 3 * canon->sector_max;
    struct log log;

    load_log(canon, &log);
    uint8_t *all = vflash_alloc(log.count * size);

    for (size_t i = 0; i < log.count; i++) {
        form_sector(canon, &log.sectors[(log.first + i) % log.count], &form);
        memcpy(all + i * size, canon->work, size);
    }
    for (size_t i = 0; i < log.count; i++) {
        memcpy(canon->work, all + i * size, size);
        canon_write_form(canon, &log.sectors[i].place, &form);
    }
    free(all);
}

static void shift_record(uint8_t *bytes, uint32_t offset)
{
    uint32_t sequence = 0;

    if (is_record(bytes, &sequence)) {
        otter_store_le32(bytes + SEQUENCE_OFF, sequence + offset);
        otter_store_le32(bytes + CRC_OFF, otter_crc32(0, bytes, CRC_OFF));
    }
}

void canon_shift_sequences(struct canon *canon, uint32_t offset)
{
    struct vflash *flash = canon->flash;
    struct log log;

    canon_make(canon); /* all words of a slot are of one kind now */
    find_sectors(canon, &log);
    for (size_t i = 0; i < log.count; i++) {
        const struct vflash_place *place = &log.sectors[i].place;

        vflash_touch(flash, place->sector);
        for (size_t slot = 0; slot < slots_in(place); slot++) {
            size_t off = place->off + slot * OTTER_RECORD_SIZE;

            shift_record(flash->content + off, offset);
            shift_record(flash->later + off, offset);
        }
    }
}

/* --- for people --- */

static void print_reading(FILE *out, const uint8_t *bytes, uint8_t erased)
{
    struct otter_state state;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;

    if (otter_record_decode(bytes, &state, erases, &sequence)) {
        (void)fprintf(out, "%u.%u@%u", state.phase, state.part, state.cursor);
    } else {
        (void)fputs(vflash_is_erased(bytes, OTTER_RECORD_SIZE, erased) ? "_" : "#",
                    out);
    }
}

static void print_slots(FILE *out, const struct canon_form *form,
                        const struct log_sector *sector)
{
    const struct otter_flash_area *area = sector->place.bank->area;

    for (size_t i = 0; i < slots_in(&sector->place); i++) {
        size_t off = i * OTTER_RECORD_SIZE;
        unsigned flags = form->words[off / area->word_size];

        (void)fputc(' ', out);
        print_reading(out, form->content + off, area->erased);
        if ((flags & VFLASH_FLAGS_UNSTABLE) != 0) {
            (void)fputs((flags & VFLASH_FLAG_FADING) != 0 ? ">" : "~", out);
            print_reading(out, form->later + off, area->erased);
        }
    }
}

void canon_print_log(struct canon *canon, FILE *out)
{
    static const char *const names[] = {[LOG_NOTHING] = "-",
                                        [LOG_SPARE] = "spare",
                                        [LOG_SHAKY] = "shaky",
                                        [LOG_LIVE] = "live"};
    struct canon_form form = canon_form_of(canon);
    struct log log;

    load_log(canon, &log);
    for (size_t i = 0; i < log.count; i++) {
        const struct log_sector *sector = &log.sectors[i];

        (void)fprintf(out, " [%s", names[sector->part]);
        if (sector->part != LOG_NOTHING) {
            (void)fprintf(out, " %u", sector->rank);
        }
        if (sector->part == LOG_LIVE) {
            form_sector(canon, sector, &form);
            print_slots(out, &form, sector);
        }
        (void)fputs("]", out);
    }
    (void)fputs("\n", out);
}
