/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: a log of whole-state records in four sectors or more (K2-K4).
 *
 * A sector counts once it holds two valid records; the newest such sector holds the
 * truth in its last valid record. Every power-on that writes does so in a sector that
 * it erased itself, and starts it with two copies of the state that it found: so
 * nothing new ever rests on a sector that a cut may have touched. The two newest
 * certain sectors are never erased; what must never go back is written into both.
 * Certain is one whose third record was begun: it has three, or two and remains. All
 * others, which may come and go, are erased before a new one is begun, but the newest:
 * so none comes back as the newest. After a cut, and while some sectors have not been
 * used yet, a program's first write takes that many erases more.
 *
 * Writing is stepwise: otter_journal_put() names the state, otter_journal_step() does
 * at most one flash operation each until it answers "done". Bytes: docs/SPEC.md.
 */
#ifndef OTTER_JOURNAL_H
#define OTTER_JOURNAL_H

#include "otter/io.h"
#include "otter/state.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    OTTER_RECORD_SIZE = 128,
    OTTER_JOURNAL_SECTORS_MIN = 4,
    OTTER_JOURNAL_SECTORS_MAX = 32, /* further ones are not looked at */

    /* A sector in which so many were begun counts at every reading. */
    OTTER_JOURNAL_CERTAIN_RECORDS = 3,
};

/* How firmly a record must stand before the caller goes on. */
enum otter_firmness {
    OTTER_NOTED,   /* one record: may be lost by a cut */
    OTTER_SEALED,  /* a second record says the same: cannot be lost or come back (K3) */
    OTTER_LASTING, /* stands in two sectors, sealed in the newer one (K2) */
};

struct otter_journal {
    struct otter_io *io;
    uint8_t program; /* enum otter_program: who writes */

    struct otter_state state; /* the truth, as last put or replayed */
    bool is_sealed;           /* as replayed: no reading of the log can say another
                                 state. If not, boot seals it before it acts (K3) */
    bool is_lost;             /* replay found no sector that counts */

    /* Private: the log's position. */
    uint8_t sector_count;
    int8_t newest;             /* sector of the newest record, -1: none */
    int8_t kept[2];            /* newest sectors that count at every reading: never
                                  erased; -1: none */
    bool is_ours;              /* newest was erased in this power-on */
    uint32_t sequence;         /* of newest */
    uint32_t highest;          /* highest sequence seen in a valid record */
    uint32_t failed_sectors;   /* bit i: sector i failed in this power-on */
    uint32_t doubtful_sectors; /* bit i: sector i was not found certain, and may come
                                  back with a sequence that was not seen */
    uint32_t cleared_sectors;  /* bit i: sector i is erased, and nothing written to it,
                                  in this power-on */
    uint16_t next_slot;        /* next free record slot of newest */
    uint8_t failed_slots;      /* the last ones in a row that took no record */
    bool is_tried;             /* newest has taken a record after its opening */

    /* Private: the write under way. */
    uint8_t work;             /* enum journal_work in journal.c */
    uint8_t records_left;     /* to write before the put is done */
    uint8_t opening_left;     /* of which copies of the old state come first */
    uint8_t sectors_left;     /* sectors still to begin for OTTER_LASTING */
    int8_t candidate;         /* sector being begun */
    uint16_t programmed;      /* bytes of the record under way */
    struct otter_state found; /* what a new sector starts with */
    uint8_t record[OTTER_RECORD_SIZE];
};

/* Replays the log: fills `state` or sets is_lost. Never fails and never writes; what
 * cannot be read counts as not there. Reads every record once. */
void otter_journal_open(struct otter_journal *journal, struct otter_io *io,
                        uint8_t program);

/* Starts a record of `state`. 27-13 if the program may not make that change; 25-18 if
 * another write is under way; 27-12 when sequence numbers are used up. On success the
 * new state is the journal's at once, and stands on flash when step answers OTTER_OK.
 */
OTTER_MUST_CHECK enum otter_result otter_journal_put(struct otter_journal *journal,
                                                     const struct otter_state *state,
                                                     enum otter_firmness firmness);

/* True while a write is under way. */
bool otter_journal_is_busy(const struct otter_journal *journal);

/* Goes on by at most one flash operation. OTTER_OK: it went on (done once is_busy is
 * false). 27-11 when no sector takes a record: the write is given up, and the state on
 * flash is an older one; or, of a lasting write, the new one in one sector, not sealed.
 * Until then each sector was tried once, with one erase and six programs at the most;
 * sectors that failed are not tried again in this power-on, so that further writes fail
 * at once. */
OTTER_MUST_CHECK enum otter_result otter_journal_step(struct otter_journal *journal);

/* Writes a whole record at once: put, then every step. For boot and the factory. */
OTTER_MUST_CHECK enum otter_result otter_journal_write(struct otter_journal *journal,
                                                       const struct otter_state *state,
                                                       enum otter_firmness firmness);

/* Encodes and decodes one record; pure. Decode answers false for anything but a valid
 * version 1 record. */
void otter_record_encode(const struct otter_state *state,
                         const uint32_t erases[OTTER_ERASE_COUNTS], uint32_t sequence,
                         uint8_t program, uint8_t record[OTTER_RECORD_SIZE]);
bool otter_record_decode(const uint8_t record[OTTER_RECORD_SIZE],
                         struct otter_state *state, uint32_t erases[OTTER_ERASE_COUNTS],
                         uint32_t *sequence);

#ifdef __cplusplus
}
#endif

#endif
