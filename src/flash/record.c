/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One journal record as bytes: docs/SPEC.md, "Journal". This layout is version 1 for
 * ever (K6): boot, which is never replaced, reads it. Newer facts go into extensions,
 * which every program copies as they are.
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/journal.h"

#include <string.h>

enum {
    RECORD_MAGIC = 0x4A4F, /* "OJ" */
    RECORD_VERSION = 1,

    OFF_MAGIC = 0,
    OFF_VERSION = 2,
    OFF_WRITER = 3,
    OFF_SEQUENCE = 4,
    OFF_PHASE = 8,
    OFF_PART = 9,
    OFF_CURRENT = 10,
    OFF_ERASED = 11,
    OFF_MEMBER = 12,
    OFF_FAULTS = 13,
    OFF_POWERS = 14,
    OFF_ROLL_BACKS = 15,
    OFF_CURSOR = 16,
    OFF_COUNTER = 20,
    OFF_KEY_MASK = 24,
    OFF_OUTCOME_CODE = 28,
    OFF_OUTCOME_KIND = 30,
    OFF_TLV_SIZE = 31,
    OFF_OUTCOME_ID = 32,
    OFF_SESSION = 40,
    OFF_ERASES = 48,
    OFF_TLV = 80,
    OFF_FLAGS = 120,
    OFF_RESERVED = 121,
    OFF_CRC = 124,

    ERASES_COUNT = 8, /* of the regions that the record itself has room for */

    /* The extension that counts the erases of the regions after them. */
    TLV_ERASES = 1,
    TLV_HEAD_SIZE = 2,
    MORE_COUNT = OTTER_ERASE_COUNTS - ERASES_COUNT,
    MORE_SIZE = 4 * MORE_COUNT,
};

_Static_assert(OFF_CRC + 4 == OTTER_RECORD_SIZE,
               "the record's size is part of the format");
_Static_assert(OFF_TLV + OTTER_TLV_MAX == OFF_FLAGS, "so is the room for extensions");

/* Goes before the others, which stay as they are; left out if there is nothing to
 * count, or no room for it: counts may lag, what others wrote may not be lost (K6). */
static uint8_t put_more_erases(const struct otter_state *state, const uint32_t *more,
                               uint8_t tlv[OTTER_TLV_MAX])
{
    uint32_t sum = 0;

    for (size_t i = 0; i < MORE_COUNT; i++) {
        sum |= more[i];
    }
    if (sum == 0 || state->tlv_size > OTTER_TLV_MAX - TLV_HEAD_SIZE - MORE_SIZE) {
        return 0;
    }
    tlv[0] = TLV_ERASES;
    tlv[1] = MORE_SIZE;
    for (size_t i = 0; i < MORE_COUNT; i++) {
        otter_store_le32(tlv + TLV_HEAD_SIZE + 4 * i, more[i]);
    }
    return TLV_HEAD_SIZE + MORE_SIZE;
}

/* An extension that counts erases begins at `off`. */
static bool is_count(const uint8_t *tlv, uint8_t size, uint8_t off)
{
    return size - off >= TLV_HEAD_SIZE + MORE_SIZE && tlv[off] == TLV_ERASES &&
           tlv[off + 1] == MORE_SIZE;
}

/* Takes them out again; answers how many bytes of the extensions they were. Nobody
 * writes several; if there are, the first counts, and none stays to be taken for it
 * when the state is written back. */
static uint8_t take_more_erases(const uint8_t *tlv, uint8_t size, uint32_t *more)
{
    uint8_t taken = 0;

    while (is_count(tlv, size, taken)) {
        taken = (uint8_t)(taken + TLV_HEAD_SIZE + MORE_SIZE);
    }
    for (size_t i = 0; i < MORE_COUNT; i++) {
        more[i] = taken > 0 ? otter_load_le32(tlv + TLV_HEAD_SIZE + 4 * i) : 0;
    }
    return taken;
}

void otter_record_encode(const struct otter_state *state,
                         const uint32_t erases[OTTER_ERASE_COUNTS], uint32_t sequence,
                         uint8_t program, uint8_t record[OTTER_RECORD_SIZE])
{
    memset(record, 0, OTTER_RECORD_SIZE);
    otter_store_le16(record + OFF_MAGIC, RECORD_MAGIC);
    record[OFF_VERSION] = RECORD_VERSION;
    record[OFF_WRITER] = program;
    otter_store_le32(record + OFF_SEQUENCE, sequence);
    record[OFF_PHASE] = state->phase;
    record[OFF_PART] = state->part;
    record[OFF_CURRENT] = state->current;
    record[OFF_ERASED] = state->erased;
    record[OFF_MEMBER] = state->member;
    record[OFF_FAULTS] = state->faults;
    record[OFF_POWERS] = state->powers;
    record[OFF_ROLL_BACKS] = state->roll_backs;
    otter_store_le32(record + OFF_CURSOR, state->cursor);
    otter_store_le32(record + OFF_COUNTER, state->counter);
    otter_store_le32(record + OFF_KEY_MASK, state->key_mask);
    otter_store_le16(record + OFF_OUTCOME_CODE, state->outcome.code);
    record[OFF_OUTCOME_KIND] = state->outcome.kind;
    record[OFF_FLAGS] = state->flags;
    memcpy(record + OFF_OUTCOME_ID, state->outcome.id, sizeof(state->outcome.id));
    memcpy(record + OFF_SESSION, state->session, sizeof(state->session));
    for (size_t i = 0; i < ERASES_COUNT; i++) {
        otter_store_le32(record + OFF_ERASES + 4 * i, erases[i]);
    }
    uint8_t own = put_more_erases(state, erases + ERASES_COUNT, record + OFF_TLV);

    record[OFF_TLV_SIZE] = (uint8_t)(own + state->tlv_size);
    memcpy(record + OFF_TLV + own, state->tlv, state->tlv_size);
    otter_store_le32(record + OFF_CRC, otter_crc32(0, record, OFF_CRC));
}

/* Extensions are {type, length, bytes} and fill tlv_size exactly. */
static bool has_whole_extensions(const uint8_t *tlv, size_t size)
{
    size_t off = 0;

    while (size - off >= 2 && tlv[off + 1] <= size - off - 2) {
        off += 2U + tlv[off + 1];
    }
    return off == size;
}

static bool is_valid(const uint8_t record[OTTER_RECORD_SIZE])
{
    return otter_load_le16(record + OFF_MAGIC) == RECORD_MAGIC &&
           record[OFF_VERSION] == RECORD_VERSION && record[OFF_PHASE] != 0 &&
           record[OFF_PHASE] < OTTER_PHASE_COUNT && record[OFF_CURRENT] <= 1 &&
           record[OFF_TLV_SIZE] <= OTTER_TLV_MAX &&
           otter_load_le32(record + OFF_CRC) == otter_crc32(0, record, OFF_CRC) &&
           has_whole_extensions(record + OFF_TLV, record[OFF_TLV_SIZE]);
}

bool otter_record_decode(const uint8_t record[OTTER_RECORD_SIZE],
                         struct otter_state *state, uint32_t erases[OTTER_ERASE_COUNTS],
                         uint32_t *sequence)
{
    if (!is_valid(record)) {
        return false;
    }
    memset(state, 0, sizeof(*state));
    state->last_writer = record[OFF_WRITER];
    *sequence = otter_load_le32(record + OFF_SEQUENCE);
    state->phase = record[OFF_PHASE];
    state->part = record[OFF_PART];
    state->current = record[OFF_CURRENT];
    state->erased = record[OFF_ERASED];
    state->member = record[OFF_MEMBER];
    state->faults = record[OFF_FAULTS];
    state->powers = record[OFF_POWERS];
    state->roll_backs = record[OFF_ROLL_BACKS];
    state->cursor = otter_load_le32(record + OFF_CURSOR);
    state->counter = otter_load_le32(record + OFF_COUNTER);
    state->key_mask = otter_load_le32(record + OFF_KEY_MASK);
    state->outcome.code = otter_load_le16(record + OFF_OUTCOME_CODE);
    state->outcome.kind = record[OFF_OUTCOME_KIND];
    state->flags = record[OFF_FLAGS];
    memcpy(state->outcome.id, record + OFF_OUTCOME_ID, sizeof(state->outcome.id));
    memcpy(state->session, record + OFF_SESSION, sizeof(state->session));
    for (size_t i = 0; i < ERASES_COUNT; i++) {
        erases[i] = otter_load_le32(record + OFF_ERASES + 4 * i);
    }
    uint8_t own =
        take_more_erases(record + OFF_TLV, record[OFF_TLV_SIZE], erases + ERASES_COUNT);

    state->tlv_size = (uint8_t)(record[OFF_TLV_SIZE] - own);
    memcpy(state->tlv, record + OFF_TLV + own, state->tlv_size);
    return true;
}
