/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a device: the one small struct that the journal keeps, and the only
 * mutable truth. Also the table of who may change what into what (K7).
 */
#ifndef OTTER_STATE_H
#define OTTER_STATE_H

#include "otter/map.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The programs that share the journal; one runs at a time. Part of the format. */
enum otter_program {
    OTTER_PROGRAM_FACTORY = 1,
    OTTER_PROGRAM_BOOT = 2,
    OTTER_PROGRAM_MANAGER = 3,
    OTTER_PROGRAM_LOADER = 4,
    OTTER_PROGRAM_AGENT = 5,
};

/* K10. Part of the format. */
enum otter_phase {
    OTTER_PHASE_CONFIRMED = 1,    /* idle: the current system runs, confirmed */
    OTTER_PHASE_RECEIVING = 2,    /* a package is coming in */
    OTTER_PHASE_COMPLETE = 3,     /* a whole, verified package lies in the store */
    OTTER_PHASE_REQUESTED = 4,    /* somebody asked for its installation */
    OTTER_PHASE_INSTALLING = 5,   /* the engine works; the store is locked */
    OTTER_PHASE_TRIAL = 6,        /* the new system runs, not confirmed yet */
    OTTER_PHASE_ROLLING_BACK = 7, /* the old system is being brought back */
    OTTER_PHASE_ROLLED_BACK = 8,  /* idle: the old system runs again */
    OTTER_PHASE_COUNT,
};

/* Where the work of a phase stands; the meaning of `member` and `cursor`. */
enum otter_part {
    OTTER_PART_NONE = 0,
    OTTER_PART_RECEIPT = 1, /* receiving: the incoming receipt is being collected */
    OTTER_PART_RECEIPT_COPY = 2, /* receiving: its second copy is being written */
    OTTER_PART_MEMBERS = 3,      /* receiving: `cursor` bytes of `member` are stored */
    OTTER_PART_CHECK = 4,        /* installing: stages 1 and 9 */
    OTTER_PART_SAVE = 5,    /* installing: `cursor` bytes of the way back are saved */
    OTTER_PART_WRITE = 6,   /* installing: `cursor` bytes of `member` are written */
    OTTER_PART_RESTORE = 7, /* rolling back: `cursor` bytes are restored */
    OTTER_PART_HASH = 8,    /* receiving: the package hash is being written; `member` 2,
                               or the copy of the receipt being rewritten first */
    /* K15, all with the old application whole and confirmed but the last: */
    OTTER_PART_SAVE_MANAGER =
        9, /* installing: `cursor` bytes of the old one are saved */
    OTTER_PART_WRITE_MANAGER = 10,   /* installing: boot writes the new one */
    OTTER_PART_TRY_MANAGER = 11,     /* installing: it has not started yet */
    OTTER_PART_TAKE_BACK = 12,       /* installing: boot writes the old one back */
    OTTER_PART_RESTORE_MANAGER = 13, /* rolling back: boot writes the old one back */
    OTTER_PART_RAW_MANAGER =
        14, /* installing: `cursor` bytes of the new one are decoded for boot */
    OTTER_PART_RESTORED = 15, /* rolling back: the manager has written back what
                                 was saved on a card; boot decides */
    OTTER_PART_TABLE = 16, /* installing: the new flash table is being written to place
                              `member`; it stands if `cursor` is not 0 (K8) */
};

enum otter_outcome_kind {
    OTTER_OUTCOME_NONE = 0,
    OTTER_OUTCOME_CONFIRMED = 1,   /* the new system was confirmed; code 0 */
    OTTER_OUTCOME_ROLLED_BACK = 2, /* the old one came back; code says why */
    OTTER_OUTCOME_REFUSED = 3, /* the package was refused before it changed anything */
    OTTER_OUTCOME_FAILED = 4,  /* the installation failed; the old system runs */
    OTTER_OUTCOME_DAMAGED = 5, /* boot chose another system than the journal's */
    OTTER_OUTCOME_REBUILT = 6, /* the journal was lost and rebuilt */
};

/* How the last update ended (P7). */
struct otter_outcome {
    uint8_t kind;  /* enum otter_outcome_kind */
    uint16_t code; /* public code, 0 if none */
    uint8_t id[8]; /* first bytes of the package id */
};

enum {
    /* These regions are not the current system's any more, or may not be. */
    OTTER_FLAG_NEW_MANAGER = 1, /* K15; once an update is over: the old manager could
                                   not come back, and the one that the other receipt
                                   names may stand */
    OTTER_FLAG_NEW_RESOURCES = 2,
    OTTER_FLAG_NEW_FONT = 4,
    OTTER_FLAG_NEW_TABLE = 8, /* beside the current system's there is another (K8) */
    OTTER_FLAG_CLOSED = 16, /* a member was written in place, or a package is to replace
                               an application that is damaged: the current system is
                               not run, and there is no way back to it (K13) */
    OTTER_FLAG_NEW_TREE = 32, /* the files on the card (K20) */
    OTTER_FLAG_NEW_REGIONS = OTTER_FLAG_NEW_RESOURCES | OTTER_FLAG_NEW_FONT,
    /* What an update that is over leaves behind. */
    OTTER_FLAG_NEW_SYSTEM = OTTER_FLAG_NEW_MANAGER | OTTER_FLAG_NEW_REGIONS |
                            OTTER_FLAG_NEW_TREE | OTTER_FLAG_CLOSED,
    /* The same, but for what boot has to look at. */
    OTTER_FLAGS_OVER = OTTER_FLAG_NEW_SYSTEM ^ OTTER_FLAG_NEW_MANAGER,
};

/* A roll back that has been done so often and does not verify is given up. */
enum { OTTER_ROLL_BACK_LIMIT = 3 };

enum { OTTER_TLV_MAX = 40, OTTER_SESSION_SIZE = 8 };

struct otter_state {
    uint8_t phase;      /* enum otter_phase */
    uint8_t part;       /* enum otter_part */
    uint8_t current;    /* receipt slot of the confirmed system: 0 or 1; the other
                           one holds the incoming, trial or former system. On an
                           A/B device slot A belongs to 0, slot B to 1 */
    uint8_t erased;     /* 1: the sector at `cursor` is erased (K4) */
    uint8_t member;     /* index in the incoming control packet */
    uint8_t faults;     /* attempts of the trial after a counted reset */
    uint8_t powers;     /* attempts of the trial after lost power */
    uint8_t roll_backs; /* attempts to roll back */
    uint32_t cursor;    /* bytes, a multiple of sectors */
    uint32_t counter;   /* least security counter that may run */
    uint32_t key_mask;  /* keys of the table that are trusted: bit i = key i */
    struct otter_outcome outcome;
    uint8_t session[OTTER_SESSION_SIZE]; /* names the transfer: first bytes of the
                                            remote's `sha`; zero if it gave none */
    uint8_t last_writer;                 /* enum otter_program of the newest record */
    uint8_t flags;                       /* OTTER_FLAG_ */
    uint8_t tlv_size;                    /* extensions, kept verbatim (K6) */
    uint8_t tlv[OTTER_TLV_MAX];
};

/* True if the phase locks the store (K12): requested to rolling back. */
bool otter_phase_locks_store(uint8_t phase);

/* True if a record may lead from `before` to `after` when `program` writes it: K7's
 * table, docs/SPEC.md "Who writes what". Staying in a phase counts as a change too. */
bool otter_state_may_change(const struct otter_state *before,
                            const struct otter_state *after, uint8_t program);

/* True if the extensions hold a critical one (bit 7 of its type) not known here. */
bool otter_state_has_unknown(const struct otter_state *state);

/* Makes `part` the work that stands at its beginning: no member, no cursor. */
void otter_state_begin(struct otter_state *state, enum otter_part part);

/* True if `session`, of OTTER_SESSION_SIZE bytes, names a transfer: zeros name none. */
bool otter_is_session(const uint8_t *session);

/* True if the state names a transfer: one under way, or that of the system that was
 * confirmed last. */
bool otter_state_has_session(const struct otter_state *state);

/* True if the other system was the current one until the one that is was confirmed, and
 * nothing has come since. What was only received never ran; what failed must not again.
 */
bool otter_state_has_former(const struct otter_state *state);

/* True if a roll back could not be done and the manager gave up: no system is run but
 * one that a new package brings (K16). */
bool otter_state_is_given_up(const struct otter_state *state);

/* True if every field and bit of both is the same, but last_writer. */
bool otter_state_equal(const struct otter_state *a, const struct otter_state *b);

#ifdef __cplusplus
}
#endif

#endif
