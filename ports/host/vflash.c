/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual flash in use: rules, operations, faults, readings. What stands in no
 * connection with an operation is in vflash_setup.c, snapshots in vflash_image.c.
 */
#include "vflash_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64: one number after another from a seed; any seed is good. */
static uint64_t next_random(uint64_t *random)
{
    uint64_t z = *random += 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

/* --- words --- */

/* Programming moves bits away from the erased value only. */
static uint8_t programmed_byte(uint8_t old, uint8_t data, uint8_t erased)
{
    return erased == 0xFF ? (uint8_t)(old & data) : (uint8_t)(old | data);
}

static void program_bytes(uint8_t *content, const uint8_t *data, size_t size,
                          uint8_t erased)
{
    uint64_t old;
    uint64_t part;

    for (; size >= sizeof(old);
         size -= sizeof(old), content += sizeof(old), data += sizeof(old)) {
        memcpy(&old, content, sizeof(old));
        memcpy(&part, data, sizeof(part));
        part = erased == 0xFF ? old & part : old | part;
        memcpy(content, &part, sizeof(part));
    }
    for (size_t i = 0; i < size; i++) {
        content[i] = programmed_byte(content[i], data[i], erased);
    }
}

static void put_word(struct vflash *flash, const struct vflash_word_place *word,
                     const uint8_t *data)
{
    program_bytes(word->content, data, word->size, word->erased);
    vflash_set_flags(flash, word, *word->flags | VFLASH_FLAG_PROGRAMMED);
}

static void mix(uint8_t *out, const uint8_t *one, const uint8_t *two, size_t size,
                uint64_t *random)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t mask = (uint8_t)next_random(random);

        out[i] = (uint8_t)(one[i] ^ ((one[i] ^ two[i]) & mask));
    }
}

/* What the next reading of a word would give: all that an operation can go on from. */
static const uint8_t *reads_now(const struct vflash *flash,
                                const struct vflash_word_place *word)
{
    bool is_later = (*word->flags & VFLASH_FLAGS_UNSTABLE) != 0 &&
                    (*word->flags & VFLASH_FLAG_READ) != 0;

    return is_later ? flash->later + word->off : word->content;
}

/* How a half done word reads. */
enum reading { READS_FIRST, READS_SECOND, READS_MIXED, READS_IN_TURN, READS_ONCE };

/* Of a word that is half done. */
static unsigned torn_flags(const struct vflash *flash, enum reading reading)
{
    static const unsigned flags[] = {
        [READS_IN_TURN] = VFLASH_FLAG_ALTERNATING,
        [READS_ONCE] = VFLASH_FLAG_FADING,
    };

    return VFLASH_FLAG_PROGRAMMED | VFLASH_FLAG_TORN |
           (flash->config.is_ecc ? VFLASH_FLAG_DEAD : flags[reading]);
}

/* Leaves a word half done. `readings` are the two that the outcome is made of; on
 * READS_ONCE the first fades into a mixture. */
static void tear_word(struct vflash *flash, const struct vflash_word_place *word,
                      uint8_t readings[2][VFLASH_WORD_MAX], enum reading reading,
                      uint64_t *random)
{
    uint8_t mixture[VFLASH_WORD_MAX];
    const uint8_t *later = reading == READS_ONCE ? mixture : readings[1];

    if (reading == READS_MIXED || reading == READS_ONCE) {
        mix(mixture, readings[0], readings[1], word->size, random);
    }
    memcpy(word->content,
           reading == READS_SECOND  ? readings[1]
           : reading == READS_MIXED ? mixture
                                    : readings[0],
           word->size);
    if (reading >= READS_IN_TURN && !flash->config.is_ecc) {
        memcpy(flash->later + word->off, later, word->size);
    }
    vflash_set_flags(flash, word, torn_flags(flash, reading));
}

/* The second readings take as much room as the flash, so they wait for a need. */
static void need_later(struct vflash *flash)
{
    if (flash->later == NULL) {
        flash->later = vflash_alloc(flash->size);
    }
}

/* --- half done operations --- */

static void tear_program(struct vflash *flash, const struct vflash_place *place,
                         size_t first, const uint8_t *data, size_t count, uint32_t seed)
{
    uint64_t random = seed;
    size_t prefix = seed % (count + 1);
    unsigned outcome = (unsigned)(seed / (count + 1) % VFLASH_TORN_PROGRAM_OUTCOMES);
    uint8_t readings[2][VFLASH_WORD_MAX];
    enum reading reading = (enum reading)outcome;

    need_later(flash);
    for (size_t i = 0; i < prefix; i++) {
        struct vflash_word_place word = vflash_word_of(flash, place, first + i);

        put_word(flash, &word, data + i * word.size);
    }
    if (prefix == count) {
        return;
    }
    struct vflash_word_place word = vflash_word_of(flash, place, first + prefix);
    uint8_t *old = readings[reading == READS_ONCE ? 1 : 0];
    uint8_t *new = readings[reading == READS_ONCE ? 0 : 1];

    memcpy(old, reads_now(flash, &word), word.size);
    for (size_t i = 0; i < word.size; i++) {
        new[i] = programmed_byte(old[i], data[prefix * word.size + i], word.erased);
    }
    if (reading == READS_FIRST) { /* cut between two words: no ECC error either */
        vflash_set_flags(flash, &word,
                         *word.flags | VFLASH_FLAG_PROGRAMMED | VFLASH_FLAG_TORN);
        return;
    }
    tear_word(flash, &word, readings, reading, &random);
}

enum {
    ERASE_OLD,
    ERASE_ALL,
    ERASE_HALF,
    ERASE_OTHER_HALF,
    ERASE_MIXED,
    ERASE_ZEROED,
    ERASE_IN_TURN,
    ERASE_ONCE
};

/* What a torn erase leaves of the words of each half of a sector. */
static const enum reading torn_halves[VFLASH_TORN_ERASE_OUTCOMES][2] = {
    [ERASE_OLD] = {READS_FIRST, READS_FIRST},
    [ERASE_ALL] = {READS_SECOND, READS_SECOND},
    [ERASE_HALF] = {READS_SECOND, READS_FIRST},
    [ERASE_OTHER_HALF] = {READS_FIRST, READS_SECOND},
    [ERASE_ZEROED] = {READS_SECOND, READS_SECOND},
    [ERASE_IN_TURN] = {READS_IN_TURN, READS_IN_TURN},
    [ERASE_ONCE] = {READS_ONCE, READS_ONCE},
};

/* Leaves one half of a sector half done, all words in one way; none of them is odd.
 * `value`: what the second reading of each byte is. */
static void tear_half(struct vflash *flash, const struct vflash_place *place,
                      bool is_second, enum reading reading, uint8_t value,
                      uint64_t *random)
{
    size_t word_size = place->bank->area->word_size;
    size_t half = place->word_count / 2;
    size_t first = is_second ? half : 0;
    size_t count = is_second ? place->word_count - half : half;
    size_t off = place->off + first * word_size;
    size_t size = count * word_size;
    unsigned flags = torn_flags(flash, reading);

    if (reading == READS_SECOND) {
        memset(flash->content + off, value, size);
    } else if (reading == READS_IN_TURN) {
        memset(flash->later + off, value, size);
    }
    for (size_t i = 0; reading == READS_ONCE && i < size; i++) {
        mix(flash->later + off + i, flash->content + off + i, &value, 1, random);
    }
    memset(flash->words + place->word + first, (int)flags, count);
    if ((flags & VFLASH_FLAGS_ODD) != 0) {
        place->sector->odd_count += (uint32_t)count;
        flash->odd_count += count;
    }
}

/* The same, of a sector of which some words are odd. */
static void tear_odd_words(struct vflash *flash, const struct vflash_place *place,
                           unsigned outcome, uint8_t value, uint64_t *random)
{
    for (size_t i = 0; i < place->word_count; i++) {
        struct vflash_word_place word = vflash_word_of(flash, place, i);
        enum reading reading = outcome == ERASE_MIXED
                                   ? (enum reading)(next_random(random) % 3)
                                   : torn_halves[outcome][i >= place->word_count / 2];
        uint8_t readings[2][VFLASH_WORD_MAX];

        memcpy(readings[0], reads_now(flash, &word), word.size);
        memset(readings[1], value, word.size);
        tear_word(flash, &word, readings, reading, random);
    }
}

static void tear_erase(struct vflash *flash, const struct vflash_place *place,
                       uint32_t seed)
{
    uint64_t random = seed;
    unsigned outcome = seed % VFLASH_TORN_ERASE_OUTCOMES;
    uint8_t erased = place->bank->area->erased;
    /* Many chips program all bits before they erase. */
    uint8_t value = outcome == ERASE_ZEROED ? (uint8_t)~erased : erased;

    need_later(flash);
    if (outcome == ERASE_MIXED || place->sector->odd_count != 0) {
        tear_odd_words(flash, place, outcome, value, &random);
        return;
    }
    tear_half(flash, place, false, torn_halves[outcome][0], value, &random);
    tear_half(flash, place, true, torn_halves[outcome][1], value, &random);
}

bool vflash_bad_takes_part(const struct vflash *flash)
{
    unsigned outcome = flash->bad_seed % VFLASH_TORN_ERASE_OUTCOMES;

    return outcome == ERASE_HALF || outcome == ERASE_OTHER_HALF ||
           outcome == ERASE_MIXED;
}

static void erase_whole(struct vflash *flash, const struct vflash_place *place)
{
    flash->odd_count -= place->sector->odd_count;
    place->sector->odd_count = 0;
    memset(flash->content + place->off, place->bank->area->erased,
           place->bank->area->sector_size);
    memset(flash->words + place->word, 0, place->word_count);
}

/* --- rules --- */

static bool breach(struct vflash *flash, enum vflash_breach_kind kind, uint32_t addr,
                   size_t size)
{
    static const char *const texts[VFLASH_BREACH_COUNT] = {
        [VFLASH_BREACH_BOUNDS] = "access outside the flash",
        [VFLASH_BREACH_ALIGNMENT] = "access not aligned",
        [VFLASH_BREACH_PAGE] = "program across the end of a page",
        [VFLASH_BREACH_PROGRAMMED] = "word programmed twice between two erases",
        [VFLASH_BREACH_TORN] = "word programmed after a half done operation",
        [VFLASH_BREACH_BITS] = "bit moved back to the erased value",
    };
    struct vflash_breach found = {
        .kind = kind, .addr = addr, .size = size, .op = flash->op};

    if (flash->hooks.on_breach == NULL) {
        fprintf(stderr,
                "vflash: breach: %s: address 0x%08" PRIX32
                ", %zu bytes, operation %" PRIu32 "\n",
                texts[kind], addr, size, flash->op);
        abort();
    }
    flash->hooks.on_breach(flash->hooks.context, &found);
    return false;
}

/* True if nothing was done to these words, one at least, since they were erased. */
static bool are_untouched(const struct vflash *flash, const struct vflash_place *place,
                          size_t first, size_t count)
{
    const uint8_t *words = flash->words + place->word + first;

    return words[0] == 0 && memcmp(words, words + 1, count - 1) == 0;
}

static bool may_program_word(struct vflash *flash, const struct vflash_place *place,
                             const struct vflash_word_place *word, const uint8_t *data)
{
    uint32_t addr = place->addr + (uint32_t)(word->off - place->off);

    if ((*word->flags & VFLASH_FLAG_PROGRAMMED) == 0) {
        return true;
    }
    if ((*word->flags & VFLASH_FLAG_TORN) != 0) {
        return breach(flash, VFLASH_BREACH_TORN, addr, word->size);
    }
    if (!flash->config.is_overprogram_allowed) {
        return breach(flash, VFLASH_BREACH_PROGRAMMED, addr, word->size);
    }
    for (size_t i = 0; i < word->size; i++) {
        if (programmed_byte(word->content[i], data[i], word->erased) != data[i]) {
            return breach(flash, VFLASH_BREACH_BITS, addr, word->size);
        }
    }
    return true;
}

static bool may_program(struct vflash *flash, uint32_t addr, const uint8_t *data,
                        size_t size, struct vflash_place *place)
{
    if (!vflash_find(flash, addr, place) || size == 0) {
        return breach(flash, VFLASH_BREACH_BOUNDS, addr, size);
    }
    const struct vflash_bank *bank = place->bank;
    uint32_t off = addr - bank->area->addr;
    size_t word_size = bank->area->word_size;

    if (size > bank->size - off) {
        return breach(flash, VFLASH_BREACH_BOUNDS, addr, size);
    }
    if (off % word_size != 0 || size % word_size != 0) {
        return breach(flash, VFLASH_BREACH_ALIGNMENT, addr, size);
    }
    if (size > bank->area->page_size - addr % bank->area->page_size) {
        return breach(flash, VFLASH_BREACH_PAGE, addr, size);
    }
    size_t first = (addr - place->addr) / word_size;
    bool is_untouched = are_untouched(flash, place, first, size / word_size);

    for (size_t i = 0; !is_untouched && i < size / word_size; i++) {
        struct vflash_word_place word = vflash_word_of(flash, place, first + i);

        if (!may_program_word(flash, place, &word, data + i * word_size)) {
            return false;
        }
    }
    return true;
}

/* --- operations --- */

static void cut(struct vflash *flash)
{
    if (flash->hooks.cut != NULL) {
        flash->hooks.cut(flash->hooks.context);
        vflash_stop("the cut hook returned");
    }
    vflash_stop("power cut without a cut hook");
}

/* Counts the operation and returns the fault that strikes it. */
static enum vflash_fault_kind begin_op(struct vflash *flash,
                                       const struct vflash_place *place,
                                       const void *data, uint32_t addr, uint32_t size)
{
    struct vflash_op op = {.index = flash->op,
                           .is_erase = data == NULL,
                           .addr = addr,
                           .size = size,
                           .word_count = size / place->bank->area->word_size,
                           .data = data};
    enum vflash_fault_kind kind =
        flash->op == flash->fault.at_op ? flash->fault.kind : VFLASH_NONE;

    if (flash->hooks.on_op != NULL) {
        flash->hooks.on_op(flash->hooks.context, &op);
    }
    flash->op++;
    if (kind == VFLASH_CUT_BEFORE) {
        cut(flash);
    }
    vflash_touch(flash, place->sector);
    return kind;
}

static void end_op(struct vflash *flash, enum vflash_fault_kind kind, size_t off,
                   size_t size)
{
    vflash_file_write(flash, off, size);
    if (kind == VFLASH_TORN || kind == VFLASH_CUT_AFTER) {
        cut(flash);
    }
}

/* What a bad sector holds after an operation differs each time, unless told. */
static uint32_t seed_of(const struct vflash *flash, enum vflash_fault_kind kind)
{
    uint64_t random = flash->op + flash->counts.erase_ops + flash->counts.program_ops;

    if (kind == VFLASH_TORN || kind == VFLASH_FAIL) {
        return flash->fault.seed;
    }
    if (flash->bad_seed != 0) {
        return flash->bad_seed;
    }
    return (uint32_t)next_random(&random);
}

/* Programs whole words, none of which is odd: they are erased, or they may be
 * programmed over. */
static void put_words(struct vflash *flash, const struct vflash_place *place,
                      size_t first, const uint8_t *data, size_t size)
{
    size_t word_size = place->bank->area->word_size;
    uint8_t *content = flash->content + place->off + first * word_size;
    uint8_t *words = flash->words + place->word + first;

    program_bytes(content, data, size, place->bank->area->erased);
    for (size_t i = 0; i < size / word_size; i++) {
        words[i] |= VFLASH_FLAG_PROGRAMMED;
    }
}

static enum otter_result port_program(void *context, uint32_t addr, const void *data,
                                      size_t size)
{
    struct vflash *flash = context;
    struct vflash_place place;

    if (!may_program(flash, addr, data, size, &place)) {
        return OTTER_E_FLASH_PROGRAM;
    }
    enum vflash_fault_kind kind = begin_op(flash, &place, data, addr, (uint32_t)size);
    bool is_failing = kind == VFLASH_FAIL || place.sector->is_bad;
    size_t word_size = place.bank->area->word_size;
    size_t first = (addr - place.addr) / word_size;
    size_t count = size / word_size;

    flash->counts.program_ops++;
    flash->counts.programmed_bytes += size;
    flash->counts.time_ns +=
        flash->config.timing.program_ns + size * flash->config.timing.byte_ns;
    if (kind == VFLASH_TORN || is_failing) {
        tear_program(flash, &place, first, data, count, seed_of(flash, kind));
    } else {
        put_words(flash, &place, first, data, size);
    }
    end_op(flash, kind, place.off + (addr - place.addr), size);
    return is_failing ? OTTER_E_FLASH_PROGRAM : OTTER_OK;
}

static enum otter_result port_erase(void *context, uint32_t addr)
{
    struct vflash *flash = context;
    struct vflash_place place;

    if (!vflash_find(flash, addr, &place)) {
        (void)breach(flash, VFLASH_BREACH_BOUNDS, addr, 0);
        return OTTER_E_FLASH_ERASE;
    }
    uint32_t size = place.bank->area->sector_size;

    if (addr != place.addr) {
        (void)breach(flash, VFLASH_BREACH_ALIGNMENT, addr, size);
        return OTTER_E_FLASH_ERASE;
    }
    enum vflash_fault_kind kind = begin_op(flash, &place, NULL, addr, size);
    bool is_failing = kind == VFLASH_FAIL || place.sector->is_bad;

    flash->counts.erase_ops++;
    flash->counts.time_ns += flash->config.timing.erase_ns;
    place.sector->erases++;
    if (kind == VFLASH_TORN || is_failing) {
        tear_erase(flash, &place, seed_of(flash, kind));
    } else {
        erase_whole(flash, &place);
    }
    end_op(flash, kind, place.off, size);
    return is_failing ? OTTER_E_FLASH_ERASE : OTTER_OK;
}

void vflash_tear(struct vflash *flash, const struct vflash_op *op, uint32_t seed)
{
    struct vflash_place place = vflash_must_find(flash, op->addr);
    size_t first = (op->addr - place.addr) / place.bank->area->word_size;

    vflash_touch(flash, place.sector);
    if (op->is_erase) {
        tear_erase(flash, &place, seed);
    } else {
        tear_program(flash, &place, first, op->data, op->word_count, seed);
    }
}

/* --- reading --- */

/* Reads of one word what lies in [from, to), offsets in content. */
static bool read_word(struct vflash *flash, const struct vflash_word_place *word,
                      size_t from, size_t to, uint8_t *data)
{
    unsigned flags = *word->flags;
    bool is_later =
        (flags & VFLASH_FLAGS_UNSTABLE) != 0 && (flags & VFLASH_FLAG_READ) != 0;

    if ((flags & VFLASH_FLAG_DEAD) != 0) {
        return false;
    }
    memcpy(data, (is_later ? flash->later : flash->content) + from, to - from);
    if ((flags & VFLASH_FLAG_ALTERNATING) != 0) {
        vflash_touch(flash, word->sector);
        *word->flags = (uint8_t)(flags ^ VFLASH_FLAG_READ);
    } else if ((flags & VFLASH_FLAG_FADING) != 0 && !is_later) {
        vflash_touch(flash, word->sector);
        *word->flags = (uint8_t)(flags | VFLASH_FLAG_READ);
    }
    return true;
}

/* How many words follow, of `count`, that read what they hold. */
static size_t plain_words(const uint8_t *words, size_t count)
{
    size_t found = 0;

    while (found < count && (words[found] & VFLASH_FLAGS_ODD) == 0) {
        found++;
    }
    return found;
}

/* Reads [from, to) of one sector, offsets in content. */
static bool read_sector(struct vflash *flash, const struct vflash_place *place,
                        size_t from, size_t to, uint8_t *data)
{
    size_t word_size = place->bank->area->word_size;

    if (place->sector->odd_count == 0) {
        memcpy(data, flash->content + from, to - from);
        return true;
    }
    const uint8_t *words = flash->words + place->word;
    size_t last = (to - place->off + word_size - 1) / word_size;
    bool is_good = true;

    for (size_t off = from; off < to;) {
        size_t first = (off - place->off) / word_size;
        size_t plain = plain_words(words + first, last - first);
        size_t end = place->off + (first + (plain > 0 ? plain : 1)) * word_size;

        end = end < to ? end : to;
        if (plain > 0) {
            memcpy(data + (off - from), flash->content + off, end - off);
        } else {
            struct vflash_word_place word = vflash_word_of(flash, place, first);

            is_good = read_word(flash, &word, off, end, data + (off - from)) && is_good;
        }
        off = end;
    }
    return is_good;
}

static enum otter_result read_odd(struct vflash *flash, uint32_t addr, uint8_t *data,
                                  size_t size)
{
    enum otter_result result = OTTER_OK;

    while (size > 0) {
        struct vflash_place place = vflash_must_find(flash, addr);
        uint32_t skip = addr - place.addr;
        size_t left = place.bank->area->sector_size - skip;
        size_t len = size < left ? size : left;

        if (!read_sector(flash, &place, place.off + skip, place.off + skip + len,
                         data)) {
            result = OTTER_E_FLASH_READ;
        }
        addr += (uint32_t)len;
        data += len;
        size -= len;
    }
    return result;
}

static bool may_read(struct vflash *flash, uint32_t addr, size_t size)
{
    uint32_t at = addr;

    for (size_t left = size; left > 0;) {
        const struct vflash_bank *bank = vflash_bank_at(flash, at);

        if (bank == NULL) {
            return breach(flash, VFLASH_BREACH_BOUNDS, addr, size);
        }
        size_t room = bank->size - (at - bank->area->addr);
        size_t len = left < room ? left : room;

        at += (uint32_t)len;
        left -= len;
    }
    return true;
}

static enum otter_result port_read(void *context, uint32_t addr, void *data,
                                   size_t size)
{
    struct vflash *flash = context;
    const struct vflash_bank *bank = vflash_bank_at(flash, addr);

    flash->counts.read_bytes += size;
    if (flash->hooks.on_read != NULL) {
        flash->hooks.on_read(flash->hooks.context, addr, size);
    }
    if (flash->odd_count == 0 && bank != NULL &&
        size <= bank->size - (addr - bank->area->addr)) {
        memcpy(data, flash->content + bank->base + (addr - bank->area->addr), size);
        return OTTER_OK;
    }
    if (!may_read(flash, addr, size)) {
        return OTTER_E_FLASH_READ;
    }
    return read_odd(flash, addr, data, size);
}

void vflash_port(struct vflash *flash, struct otter_flash *out)
{
    *out = (struct otter_flash){.context = flash,
                                .areas = flash->config.areas,
                                .area_count = flash->config.area_count,
                                .read = port_read,
                                .program = port_program,
                                .erase = port_erase};
}

void vflash_power_on(struct vflash *flash, struct vflash_fault fault)
{
    flash->op = 0;
    flash->fault = fault;
}
