/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay and writing of the journal. Why it holds (K2-K4):
 *
 * - A sector counts with two valid records. The second is programmed only after the
 *   first has been read back, so a sector whose first record a cut has torn has no
 *   second one and can never come to count later.
 * - The first two records of a sector repeat the state that was already the truth. So
 *   a sector whose second record a cut has torn, and which may count in one power-on
 *   and not in the next, says nothing new either way.
 * - No power-on appends to a sector that it has not erased itself.
 * - Sequence numbers go on from the highest one in any valid record, and before a new
 *   one is used, every sector that may come back with one that was not seen is erased:
 *   all that are neither certain nor tell the state. (A cut in an erase may leave a
 *   sector that reads as nothing now, and as its old records later.) Where that fails
 *   numbers are passed over, as each one that it may hide has cost a power-on that was
 *   cut. So a sector that comes back can only come back as an old one.
 * - What is kept from erasing is certain: a sector with three valid records, or with
 *   two and remains of a third. Its first two were read back before the third was
 *   begun, so it counts for ever, and at every reading it is found certain: a third
 *   record that a cut has torn reads as a record or as remains. One with two alone may
 *   owe its second to a reading that does not come back: it may tell the state, for it
 *   says nothing new, but never takes the place of a certain one.
 */
#include "otter/journal.h"

#include <string.h>

enum journal_work {
    WORK_NONE = 0,
    WORK_ERASE,   /* erase the doubtful sectors, then the candidate */
    WORK_OPENING, /* write copies of the state found into it */
    WORK_RECORD,  /* write the new state */
};

enum {
    NO_SECTOR = -1,
    OPENING_RECORDS = 2, /* and a sector that holds so many counts */
    CERTAIN_RECORDS = OTTER_JOURNAL_CERTAIN_RECORDS,
    FAILED_SLOTS_MAX = 4, /* in a row, then the sector is left: each costs time in
                             which no message is taken */
    PASSED_NUMBERS = 6,   /* for each sector that cannot be erased */
    NUMBERS_LEFT = 0xFF,  /* above the last that begins a write */
};

_Static_assert((PASSED_NUMBERS + 1) * OTTER_JOURNAL_SECTORS_MAX + 2 <= NUMBERS_LEFT,
               "numbers do not wrap in one write");

/* No new sector is begun above it: numbers never wrap, though every sector fails. */
static const uint32_t sequence_last = UINT32_MAX - NUMBERS_LEFT;

/* What replay learns about one sector. */
struct sector_log {
    uint8_t valid_count;
    uint32_t sequence;
    struct otter_state state; /* of its last valid record; read once, because a torn
                                 record may read differently the next time */
    uint32_t erases[OTTER_ERASE_COUNTS];
    bool is_repeated; /* the last two valid records say the same */
    bool has_remains; /* something that is no record follows the last valid one */
};

static bool find_sector(const struct otter_journal *journal, uint8_t index,
                        struct otter_sector *sector)
{
    uint32_t off = 0;

    for (uint8_t i = 0;; i++) {
        if (otter_io_sector(journal->io, OTTER_REGION_JOURNAL, off, sector) !=
            OTTER_OK) {
            return false;
        }
        if (i == index) {
            return true;
        }
        off = sector->off + sector->size;
    }
}

/* The bit of a sector in the masks. */
static uint32_t bit_of(int8_t sector)
{
    return UINT32_C(1) << sector;
}

static uint16_t slot_count(const struct otter_sector *sector)
{
    return (uint16_t)(sector->size / OTTER_RECORD_SIZE);
}

/* What a slot holds. */
enum content { CONTENT_NOTHING, CONTENT_REMAINS, CONTENT_RECORD };

static bool is_erased(const struct otter_journal *journal, const uint8_t *bytes)
{
    /* The first byte is erased, and each one is as the one before it. */
    return bytes[0] == otter_io_erased(journal->io, OTTER_REGION_JOURNAL) &&
           memcmp(bytes, bytes + 1, OTTER_RECORD_SIZE - 1) == 0;
}

static enum content read_record(const struct otter_journal *journal, uint32_t off,
                                struct otter_state *state,
                                uint32_t erases[OTTER_ERASE_COUNTS], uint32_t *sequence)
{
    uint8_t record[OTTER_RECORD_SIZE];

    if (otter_io_read(journal->io, OTTER_REGION_JOURNAL, off, record, sizeof(record)) !=
        OTTER_OK) {
        return CONTENT_REMAINS;
    }
    if (otter_record_decode(record, state, erases, sequence)) {
        return CONTENT_RECORD;
    }
    return is_erased(journal, record) ? CONTENT_NOTHING : CONTENT_REMAINS;
}

/* Takes a valid record of the sector over into its log. */
static void log_record(struct sector_log *log, const struct otter_state *state,
                       const uint32_t erases[OTTER_ERASE_COUNTS])
{
    log->is_repeated = log->valid_count > 0 && otter_state_equal(&log->state, state);
    log->has_remains = false;
    log->state = *state;
    memcpy(log->erases, erases, sizeof(log->erases));
    if (log->valid_count < CERTAIN_RECORDS) {
        log->valid_count++;
    }
}

/* Looks at every slot of a sector. Records of another sequence than the first valid
 * one do not belong to it. */
static void scan_sector(struct otter_journal *journal,
                        const struct otter_sector *sector, struct sector_log *log)
{
    struct otter_state state;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;

    memset(log, 0, sizeof(*log));
    for (uint16_t slot = 0; slot < slot_count(sector); slot++) {
        uint32_t off = sector->off + (uint32_t)slot * OTTER_RECORD_SIZE;
        enum content content = read_record(journal, off, &state, erases, &sequence);

        if (content != CONTENT_RECORD) {
            log->has_remains = log->has_remains || content == CONTENT_REMAINS;
            continue;
        }
        if (sequence > journal->highest) {
            journal->highest = sequence;
        }
        if (log->valid_count == 0) {
            log->sequence = sequence;
        }
        if (log->sequence == sequence) {
            log_record(log, &state, erases);
        }
    }
}

/* True if the third record of the sector was begun. */
static bool is_certain(const struct sector_log *log)
{
    return log->valid_count >= CERTAIN_RECORDS ||
           (log->valid_count == OPENING_RECORDS && log->has_remains);
}

/* The newest sector that counts tells the state. */
static void take_state(struct otter_journal *journal, int8_t index,
                       const struct sector_log *log)
{
    if (journal->newest != NO_SECTOR && log->sequence <= journal->sequence) {
        return;
    }
    journal->newest = index;
    journal->sequence = log->sequence;
    journal->state = log->state;
    journal->is_lost = false;
    journal->is_sealed =
        log->valid_count >= CERTAIN_RECORDS && log->is_repeated && !log->has_remains;
    memcpy(&journal->io->erases[1], log->erases, sizeof(log->erases));
}

/* The two newest sectors that are certain are kept. `sequences`: theirs. */
static void keep_sector(struct otter_journal *journal, int8_t index, uint32_t sequence,
                        uint32_t sequences[2])
{
    if (journal->kept[0] == NO_SECTOR || sequence > sequences[0]) {
        journal->kept[1] = journal->kept[0];
        sequences[1] = sequences[0];
        journal->kept[0] = index;
        sequences[0] = sequence;
    } else if (journal->kept[1] == NO_SECTOR || sequence > sequences[1]) {
        journal->kept[1] = index;
        sequences[1] = sequence;
    }
}

void otter_journal_open(struct otter_journal *journal, struct otter_io *io,
                        uint8_t program)
{
    struct otter_sector sector;
    struct sector_log log;
    uint32_t kept_sequences[2] = {0, 0};

    memset(journal, 0, sizeof(*journal));
    journal->io = io;
    journal->program = program;
    journal->is_lost = true;
    journal->newest = NO_SECTOR;
    journal->kept[0] = NO_SECTOR;
    journal->kept[1] = NO_SECTOR;
    for (uint8_t i = 0;
         i < OTTER_JOURNAL_SECTORS_MAX && find_sector(journal, i, &sector); i++) {
        journal->sector_count = (uint8_t)(i + 1);
        scan_sector(journal, &sector, &log);
        if (log.valid_count >= OPENING_RECORDS) {
            take_state(journal, (int8_t)i, &log);
        }
        if (is_certain(&log)) {
            keep_sector(journal, (int8_t)i, log.sequence, kept_sequences);
        } else {
            journal->doubtful_sectors |= bit_of((int8_t)i);
        }
    }
}

bool otter_journal_is_busy(const struct otter_journal *journal)
{
    return journal->work != WORK_NONE;
}

static bool may_erase(const struct otter_journal *journal, int8_t sector)
{
    return sector != journal->kept[0] && sector != journal->kept[1] &&
           (journal->failed_sectors & bit_of(sector)) == 0;
}

static enum otter_result give_up(struct otter_journal *journal,
                                 enum otter_result result)
{
    journal->state = journal->found;
    journal->work = WORK_NONE;
    return result;
}

/* Chooses the sector to begin: the next one round that may be erased. It comes to an
 * end: what was begun before and took no record is not begun again, as each try keeps
 * the link waiting. */
static enum otter_result begin_sector(struct otter_journal *journal)
{
    int8_t base = journal->newest == NO_SECTOR ? (int8_t)(journal->sector_count - 1)
                                               : journal->newest;

    for (uint8_t i = 1; i <= journal->sector_count; i++) {
        int8_t sector = (int8_t)((base + i) % journal->sector_count);

        if (may_erase(journal, sector)) {
            journal->candidate = sector;
            journal->opening_left = OPENING_RECORDS;
            journal->work = WORK_ERASE;
            return OTTER_OK;
        }
    }
    return give_up(journal, OTTER_E_JOURNAL_SECTORS);
}

static enum otter_result drop_candidate(struct otter_journal *journal)
{
    journal->failed_sectors |= bit_of(journal->candidate);
    return begin_sector(journal);
}

/* Makes `record` what is to be programmed next. */
static void prepare(struct otter_journal *journal, const struct otter_state *state,
                    uint32_t sequence)
{
    otter_record_encode(state, &journal->io->erases[1], sequence, journal->program,
                        journal->record);
    journal->programmed = 0;
}

/* What a sector holds that cannot be erased may come back: the numbers next to come are
 * passed over, since it may have one of them. */
static bool erase_sector(struct otter_journal *journal, int8_t index)
{
    struct otter_sector sector;

    if (find_sector(journal, (uint8_t)index, &sector) &&
        slot_count(&sector) >= CERTAIN_RECORDS &&
        otter_io_erase(journal->io, OTTER_REGION_JOURNAL, sector.off) == OTTER_OK) {
        return true;
    }
    journal->highest += PASSED_NUMBERS;
    return false;
}

/* One that has been cleared needs no second erase. */
static enum otter_result erase_candidate(struct otter_journal *journal)
{
    bool is_clear = (journal->cleared_sectors & bit_of(journal->candidate)) != 0;

    journal->doubtful_sectors &= ~bit_of(journal->candidate);
    journal->cleared_sectors &= ~bit_of(journal->candidate);
    if (!is_clear && !erase_sector(journal, journal->candidate)) {
        return drop_candidate(journal);
    }
    /* From here on the candidate may come to count, as the newest, even if it is
     * dropped: nothing may be added to the one before it. */
    journal->is_ours = false;
    journal->highest++;
    journal->next_slot = 0;
    journal->failed_slots = 0;
    journal->work = WORK_OPENING;
    prepare(journal, &journal->found, journal->highest);
    return OTTER_OK;
}

/* Erases the next doubtful sector round from the candidate; after the last one, the
 * candidate. The newest's number has been seen. */
static enum otter_result clear_doubtful(struct otter_journal *journal)
{
    for (uint8_t i = 1; i < journal->sector_count; i++) {
        int8_t sector = (int8_t)((journal->candidate + i) % journal->sector_count);

        if ((journal->doubtful_sectors & bit_of(sector)) == 0 ||
            sector == journal->newest) {
            continue;
        }
        journal->doubtful_sectors &= ~bit_of(sector);
        if (erase_sector(journal, sector)) {
            journal->cleared_sectors |= bit_of(sector);
        } else {
            journal->failed_sectors |= bit_of(sector);
        }
        return OTTER_OK;
    }
    return erase_candidate(journal);
}

/* What one programming step came to. */
enum progress { PROGRESS_MORE, PROGRESS_DONE, PROGRESS_FULL };

/* Programs the next part of `record` into the next slot of `index`. A slot that does
 * not take it is left behind, never written again (K4); so is the rest of a sector in
 * which several in a row do not. */
static enum progress program_record(struct otter_journal *journal, int8_t index)
{
    struct otter_sector sector;
    size_t done = 0;

    if (!find_sector(journal, (uint8_t)index, &sector) ||
        journal->next_slot >= slot_count(&sector) ||
        journal->failed_slots >= FAILED_SLOTS_MAX) {
        return PROGRESS_FULL;
    }
    uint32_t off = sector.off + (uint32_t)journal->next_slot * OTTER_RECORD_SIZE;
    enum otter_result result =
        otter_io_program(journal->io, OTTER_REGION_JOURNAL, off + journal->programmed,
                         journal->record + journal->programmed,
                         OTTER_RECORD_SIZE - journal->programmed, &done);

    journal->programmed = (uint16_t)(journal->programmed + done);
    if (result != OTTER_OK) {
        journal->next_slot++;
        journal->failed_slots++;
        journal->programmed = 0;
        return PROGRESS_MORE;
    }
    if (journal->programmed < OTTER_RECORD_SIZE) {
        return PROGRESS_MORE;
    }
    journal->next_slot++;
    journal->failed_slots = 0;
    journal->programmed = 0;
    return PROGRESS_DONE;
}

/* The candidate counts from now on, and a record follows in it in any case. */
static void adopt_candidate(struct otter_journal *journal)
{
    journal->kept[1] = journal->kept[0];
    journal->kept[0] = journal->candidate;
    journal->newest = journal->candidate;
    journal->sequence = journal->highest;
    journal->is_ours = true;
    journal->is_tried = false;
    journal->is_lost = false;
    journal->work = WORK_RECORD;
    prepare(journal, &journal->state, journal->sequence);
}

static enum otter_result write_opening(struct otter_journal *journal)
{
    switch (program_record(journal, journal->candidate)) {
    case PROGRESS_MORE:
        return OTTER_OK;
    case PROGRESS_FULL:
        return drop_candidate(journal);
    case PROGRESS_DONE:
        break;
    }
    journal->opening_left--;
    if (journal->opening_left == 0) {
        adopt_candidate(journal);
    }
    return OTTER_OK;
}

/* The newest sector takes no record more. One that has taken none but its opening is
 * not begun a second time. */
static enum otter_result leave_newest(struct otter_journal *journal)
{
    if (!journal->is_tried) {
        journal->failed_sectors |= bit_of(journal->newest);
    }
    return begin_sector(journal);
}

static enum otter_result write_new_state(struct otter_journal *journal)
{
    switch (program_record(journal, journal->newest)) {
    case PROGRESS_MORE:
        return OTTER_OK;
    case PROGRESS_FULL:
        return leave_newest(journal);
    case PROGRESS_DONE:
        break;
    }
    journal->is_tried = true;
    journal->found = journal->state; /* stands now: a further sector starts with it */
    journal->records_left--;
    if (journal->records_left > 0) {
        return OTTER_OK;
    }
    if (journal->sectors_left > 0) {
        journal->sectors_left--;
        journal->records_left = 1; /* makes the further sector a certain one */
        return begin_sector(journal);
    }
    journal->work = WORK_NONE;
    return OTTER_OK;
}

enum otter_result otter_journal_put(struct otter_journal *journal,
                                    const struct otter_state *state,
                                    enum otter_firmness firmness)
{
    if (otter_journal_is_busy(journal)) {
        return OTTER_E_BUSY;
    }
    if (journal->highest >= sequence_last) {
        return OTTER_E_JOURNAL_EXHAUSTED;
    }
    if (!otter_state_may_change(&journal->state, state, journal->program)) {
        return OTTER_E_JOURNAL_TRANSITION;
    }
    journal->found = journal->is_lost ? *state : journal->state;
    journal->state = *state;
    journal->state.last_writer = journal->program;
    /* What is to last is not sealed before it stands in the further sector: boot, which
     * finds it in one alone, seals it, and begins another with it. */
    journal->records_left = firmness == OTTER_SEALED ? 2 : 1;
    journal->sectors_left = firmness == OTTER_LASTING ? 1 : 0;
    journal->programmed = 0;
    if (!journal->is_ours) {
        return begin_sector(journal);
    }
    journal->work = WORK_RECORD;
    prepare(journal, &journal->state, journal->sequence);
    return OTTER_OK;
}

enum otter_result otter_journal_step(struct otter_journal *journal)
{
    switch ((enum journal_work)journal->work) {
    case WORK_NONE:
        break;
    case WORK_ERASE:
        return clear_doubtful(journal);
    case WORK_OPENING:
        return write_opening(journal);
    case WORK_RECORD:
        return write_new_state(journal);
    }
    return OTTER_OK;
}

enum otter_result otter_journal_write(struct otter_journal *journal,
                                      const struct otter_state *state,
                                      enum otter_firmness firmness)
{
    enum otter_result result = otter_journal_put(journal, state, firmness);

    while (result == OTTER_OK && otter_journal_is_busy(journal)) {
        result = otter_journal_step(journal);
    }
    return result;
}
