/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form of a device's flash, all but the journal. A sector's form is made
 * in a work buffer; hashing and making are what is done with that buffer. Forms are
 * remembered by the hash of what they are made from.
 */
#include "canon_inner.h"

#include "otter/receipt.h"

#include <stdlib.h>

/* --- reading without reading --- */

struct canon_flags canon_look(const struct vflash *flash,
                              const struct vflash_place *place, size_t from,
                              size_t size, uint8_t *now, uint8_t *then)
{
    size_t word_size = place->bank->area->word_size;
    const uint8_t *words = flash->words + place->word + from / word_size;
    struct canon_flags found = {0};

    memcpy(now, flash->content + place->off + from, size);
    memcpy(then, now, size);
    for (size_t i = 0; i < size / word_size; i++) {
        unsigned flags = words[i];
        const uint8_t *later;

        found.all |= flags & ~(unsigned)(VFLASH_FLAGS_UNSTABLE | VFLASH_FLAG_READ);
        if ((flags & VFLASH_FLAGS_UNSTABLE) == 0) {
            continue;
        }
        later = flash->later + place->off + from + i * word_size;
        if ((flags & VFLASH_FLAG_READ) == 0) {
            memcpy(then + i * word_size, later, word_size);
            found.unstable = flags & VFLASH_FLAGS_UNSTABLE;
        } else if ((flags & VFLASH_FLAG_ALTERNATING) != 0) {
            memcpy(now + i * word_size, later, word_size);
            found.unstable = flags & VFLASH_FLAGS_UNSTABLE;
        } else { /* has faded: stable from now on */
            memcpy(now + i * word_size, later, word_size);
            memcpy(then + i * word_size, later, word_size);
        }
    }
    found.all |= found.unstable;
    return found;
}

/* --- forms --- */

struct canon_form canon_form_of(const struct canon *canon)
{
    return (struct canon_form){.content = canon->work,
                               .later = canon->work + canon->sector_max,
                               .words = canon->work + 2 * canon->sector_max};
}

unsigned canon_torn_flags(struct canon_flags raw)
{
    unsigned flags = VFLASH_FLAG_PROGRAMMED | VFLASH_FLAG_TORN;

    return (raw.all & VFLASH_FLAG_DEAD) != 0 ? flags | VFLASH_FLAG_DEAD
                                             : flags | raw.unstable;
}

void canon_settle(uint8_t *now, uint8_t *then, size_t size, struct canon_flags *raw)
{
    if ((raw->all & VFLASH_FLAG_DEAD) != 0) {
        memset(now, CANON_GARBAGE, size);
        memset(then, CANON_GARBAGE, size);
    }
    if (memcmp(now, then, size) == 0) {
        raw->all &= ~raw->unstable;
        raw->unstable = 0;
    }
}

void canon_form_nothing(const struct otter_flash_area *area,
                        const struct canon_form *form)
{
    memset(form->content, CANON_GARBAGE, area->sector_size);
    memset(form->later, CANON_GARBAGE, area->sector_size);
    memset(form->words, VFLASH_FLAG_PROGRAMMED | VFLASH_FLAG_TORN,
           area->sector_size / area->word_size);
}

uint64_t canon_hash_form(const struct canon_form *form,
                         const struct vflash_place *place, size_t size)
{
    size_t word_size = place->bank->area->word_size;
    size_t count = size / word_size;
    uint64_t hash = canon_mix_bytes(canon_mix(1, size), form->content, size);

    hash = canon_mix_bytes(hash, form->words, count);
    for (size_t i = 0; i < count; i++) {
        if ((form->words[i] & VFLASH_FLAGS_UNSTABLE) != 0) {
            hash = canon_mix_bytes(hash, form->later + i * word_size, word_size);
        }
    }
    return hash;
}

void canon_write_form(struct canon *canon, const struct vflash_place *place,
                      const struct canon_form *form)
{
    struct vflash *flash = canon->flash;
    const struct otter_flash_area *area = place->bank->area;

    if (flash->later == NULL) {
        flash->later = vflash_alloc(flash->size);
    }
    vflash_touch(flash, place->sector);
    memcpy(flash->content + place->off, form->content, area->sector_size);
    memcpy(flash->later + place->off, form->later, area->sector_size);
    for (size_t i = 0; i < place->word_count; i++) {
        struct vflash_word_place word = vflash_word_of(flash, place, i);

        vflash_set_flags(flash, &word, form->words[i]);
    }
}

/* --- contents --- */

static uint64_t content_key(uint32_t addr, const uint8_t *bytes, size_t size)
{
    return canon_mix_bytes(canon_mix(addr, size), bytes, size);
}

static bool lies_in(const struct otter_region *region, uint32_t addr)
{
    return addr >= region->addr && addr - region->addr < region->size;
}

/* Address of the receipt copy that holds `addr`. */
static uint32_t copy_of(const struct canon *canon, uint32_t addr)
{
    size_t i = sizeof(canon->copies) / sizeof(canon->copies[0]) - 1;

    while (i > 0 && addr < canon->copies[i]) {
        i--;
    }
    return canon->copies[i];
}

/* Bytes from `off` that are formed together. A receipt's package hash stands for
 * itself. Of an image nothing is ever asked but the hash over all of it, and a sector
 * that a cut has touched is erased before it is used. */
static size_t unit_size(const struct canon *canon, const struct vflash_place *place,
                        size_t off)
{
    size_t left = place->bank->area->sector_size - off;
    uint32_t addr = place->addr + (uint32_t)off;

    if (!lies_in(canon->receipts, place->addr)) {
        return left;
    }
    size_t in_copy = addr - copy_of(canon, addr);

    return in_copy < OTTER_RECEIPT_HASH_OFF && left > OTTER_RECEIPT_HASH_OFF - in_copy
               ? OTTER_RECEIPT_HASH_OFF - in_copy
               : left;
}

void canon_learn(struct canon *canon, uint32_t addr)
{
    struct vflash_place place = vflash_must_find(canon->flash, addr);
    struct canon_form form = canon_form_of(canon);
    size_t size;

    for (size_t off = 0; off < place.bank->area->sector_size; off += size) {
        size = unit_size(canon, &place, off);
        struct canon_flags raw =
            canon_look(canon->flash, &place, off, size, form.content, form.later);

        if ((raw.all & VFLASH_FLAG_TORN) == 0) {
            canon_table_put(canon->known,
                            content_key(place.addr + (uint32_t)off, form.content, size),
                            1);
        }
    }
}

static void form_reading(const struct canon *canon, uint32_t addr, uint8_t *bytes,
                         size_t size, uint8_t erased)
{
    if (!vflash_is_erased(bytes, size, erased) &&
        canon_table_find(canon->known, content_key(addr, bytes, size)) == NULL) {
        memset(bytes, CANON_GARBAGE, size);
    }
}

/* As it is: of words that do not read the same each time a device may read some more
 * often than others, so that pieces of two readings come together. */
static void keep_unit(const struct canon *canon, const struct vflash_place *place,
                      size_t off, size_t size, const struct canon_form *form)
{
    size_t word = off / place->bank->area->word_size;

    memcpy(form->content + off, canon->flash->content + place->off + off, size);
    memcpy(form->later + off, canon->flash->later + place->off + off, size);
    memcpy(form->words + word, canon->flash->words + place->word + word,
           size / place->bank->area->word_size);
}

static void form_units(const struct canon *canon, const struct vflash_place *place,
                       const struct canon_form *form)
{
    const struct otter_flash_area *area = place->bank->area;
    size_t size;

    for (size_t off = 0; off < area->sector_size; off += size) {
        size = unit_size(canon, place, off);
        uint32_t addr = place->addr + (uint32_t)off;
        uint8_t *now = form->content + off;
        uint8_t *then = form->later + off;
        uint8_t *words = form->words + off / area->word_size;
        size_t count = size / area->word_size;
        struct canon_flags raw = canon_look(canon->flash, place, off, size, now, then);

        if ((raw.all & VFLASH_FLAG_TORN) == 0) {
            memcpy(words, canon->flash->words + place->word + off / area->word_size,
                   count);
            continue;
        }
        if (memcmp(now, then, size) != 0) {
            keep_unit(canon, place, off, size, form);
            continue;
        }
        form_reading(canon, addr, now, size, area->erased);
        memcpy(then, now, size);
        canon_settle(now, then, size, &raw);
        memset(words, (int)canon_torn_flags(raw), count);
    }
}

static uint64_t hash_units(struct canon *canon, const struct vflash_place *place,
                           uint64_t raw)
{
    struct canon_form form = canon_form_of(canon);
    uint64_t key = canon_mix(canon_mix(raw, 4), place->addr);
    const uint64_t *known = canon_table_find(canon->sectors, key);

    if (known != NULL) {
        return *known;
    }
    form_units(canon, place, &form);
    uint64_t hash = canon_hash_form(&form, place, place->bank->area->sector_size);

    canon_table_put(canon->sectors, key, hash);
    return hash;
}

/* What a bad sector holds may outlive every erase: it stays as it is. */
static uint64_t hash_sector(struct canon *canon, size_t index)
{
    struct canon_last *last = &canon->lasts[index];
    uint64_t raw = vflash_hash_place(canon->flash, &canon->places[index]);

    if (canon->places[index].addr == canon->bad) {
        return raw;
    }
    if (!last->is_set || last->raw != raw) {
        *last = (struct canon_last){.raw = raw, .is_set = true};
        last->form = hash_units(canon, &canon->places[index], raw);
    }
    return last->form;
}

/* --- dead sectors --- */

bool canon_set_has(const struct canon_set *set, size_t index)
{
    return (set->bits[index / 64] >> index % 64 & 1) != 0;
}

void canon_set_add(struct canon_set *set, size_t index)
{
    set->bits[index / 64] |= 1ULL << index % 64;
}

uint64_t canon_question(struct canon *canon)
{
    return canon_log_now(canon).hash ^ canon->around;
}

/* The answer to the question as it is now: index in dead; SIZE_MAX: none yet. */
static size_t find_answer(struct canon *canon)
{
    uint64_t question = canon_question(canon);

    if (canon->asked != question) {
        const uint64_t *index = canon_table_find(canon->answers, question);

        canon->asked = question;
        canon->answer = index == NULL ? SIZE_MAX : *index;
    }
    return canon->answer;
}

bool canon_asks(struct canon *canon)
{
    return find_answer(canon) == SIZE_MAX;
}

void canon_answer(struct canon *canon, const struct canon_set *dead)
{
    canon->dead = canon_room(canon->dead, canon->dead_count, sizeof(*canon->dead));
    canon->dead[canon->dead_count] = *dead;
    canon->asked = canon_question(canon);
    canon->answer = canon->dead_count++;
    canon_table_put(canon->answers, canon->asked, canon->answer);
}

const struct canon_set *canon_dead(struct canon *canon)
{
    size_t answer = find_answer(canon);

    return answer == SIZE_MAX ? NULL : &canon->dead[answer];
}

/* --- the whole --- */

uint32_t canon_sector(const struct canon *canon, uint32_t addr)
{
    return canon->places[vflash_sector_index(canon->flash, addr)].addr;
}

static uint64_t hash_all(struct canon *canon, const struct canon_set *dead)
{
    enum { DEAD = 5 };
    uint64_t hash = 0xCBF29CE484222325U;

    for (size_t i = 0; i < canon->flash->sector_count; i++) {
        if (dead != NULL && canon_set_has(dead, i)) {
            hash = canon_mix(hash, DEAD);
        } else if (!lies_in(canon->journal, canon->places[i].addr)) {
            hash = canon_mix(hash, hash_sector(canon, i));
        }
    }
    return canon_mix(hash, canon_log_now(canon).hash);
}

uint64_t canon_hash(struct canon *canon)
{
    size_t answer = find_answer(canon);

    if (canon->whole_version != canon->flash->version ||
        canon->whole_answer != answer || canon->whole_bad != canon->bad) {
        canon->whole = hash_all(canon, canon_dead(canon));
        canon->whole_version = canon->flash->version;
        canon->whole_answer = answer;
        canon->whole_bad = canon->bad;
    }
    return canon->whole;
}

void canon_make(struct canon *canon)
{
    const struct canon_set *dead = canon_dead(canon);
    struct canon_form form = canon_form_of(canon);

    for (size_t i = 0; i < canon->flash->sector_count; i++) {
        const struct vflash_place *place = &canon->places[i];

        if (lies_in(canon->journal, place->addr) || place->addr == canon->bad) {
            continue;
        }
        if (dead != NULL && canon_set_has(dead, i)) {
            canon_form_nothing(place->bank->area, &form);
        } else {
            form_units(canon, place, &form);
        }
        canon_write_form(canon, place, &form);
    }
    canon_log_make(canon);
}

/* --- life --- */

static void find_copies(struct canon *canon, const struct otter_map *map)
{
    struct otter_flash port;
    struct otter_io io;
    uint32_t off;
    uint32_t size;

    vflash_port(canon->flash, &port);
    otter_io_init(&io, &port, map);
    for (uint8_t i = 0; i < sizeof(canon->copies) / sizeof(canon->copies[0]); i++) {
        if (otter_receipt_place(&io, i / OTTER_RECEIPT_COPIES, i % OTTER_RECEIPT_COPIES,
                                &off, &size) != OTTER_OK) {
            vflash_stop("a receipt has no room");
        }
        canon->copies[i] = canon->receipts->addr + off;
    }
}

static void find_places(struct canon *canon)
{
    struct vflash *flash = canon->flash;
    size_t index = 0;

    if (flash->sector_count > CANON_SECTORS_MAX) {
        vflash_stop("more sectors than the canonical form takes");
    }
    canon->places = vflash_alloc(flash->sector_count * sizeof(*canon->places));
    canon->lasts = vflash_alloc(flash->sector_count * sizeof(*canon->lasts));
    for (size_t i = 0; i < flash->config.area_count; i++) {
        const struct otter_flash_area *area = flash->banks[i].area;

        for (uint32_t j = 0; j < area->sector_count; j++, index++) {
            canon->places[index] =
                vflash_must_find(flash, area->addr + j * area->sector_size);
        }
        if (area->sector_size > canon->sector_max) {
            canon->sector_max = area->sector_size;
        }
    }
}

void canon_open(struct canon *canon, struct vflash *flash, const struct otter_map *map)
{
    memset(canon, 0, sizeof(*canon));
    canon->flash = flash;
    canon->bad = CANON_NOT_BAD;
    canon->journal = otter_map_find(map, OTTER_REGION_JOURNAL);
    canon->receipts = otter_map_find(map, OTTER_REGION_RECEIPTS);
    find_copies(canon, map);
    canon->known = canon_table_make();
    canon->sectors = canon_table_make();
    canon->records = canon_table_make();
    canon->raws = canon_table_make();
    canon->answers = canon_table_make();
    canon->whole_version = UINT64_MAX;
    canon->answer = SIZE_MAX;
    find_places(canon);
    canon_log_open(canon);
    canon->work = vflash_alloc(3 * canon->sector_max);
}

void canon_close(struct canon *canon)
{
    canon_table_free(canon->known);
    canon_table_free(canon->sectors);
    canon_table_free(canon->records);
    canon_table_free(canon->raws);
    canon_table_free(canon->answers);
    free(canon->places);
    free(canon->lasts);
    free(canon->logs);
    free(canon->dead);
    free(canon->work);
    memset(canon, 0, sizeof(*canon));
}
