/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card's part of a state, for the closure: its canonical form (K27), and what a cut
 * may leave of changes that are not synced.
 *
 * - A valid pointer file counts by what it names and by its rank among them; its
 *   sequence number and CRC go.
 * - A sector of a file that holds what no undisturbed update puts on the card is
 *   garbage, whatever it holds.
 * - A file in otter's folder that every power-on from here removes before it looks into
 *   it is none, and one that it empties is a name without content. As with sectors
 *   (canon.h), the caller watches a run.
 * - Everything else stays as it is: names, sizes, contents, names that share data.
 *
 * A cut leaves of n changes: none, all, all without their data, the first k with the
 * next one torn in each way, and two samples of any that arrive, arrive not, or are
 * torn, in any order. Of many changes, four k are taken.
 */
#ifndef OTTER_CLOSURE_CARD_H
#define OTTER_CLOSURE_CARD_H

#include "canon.h"
#include "vcard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOSURE_CARD_SEEDS_MAX = 64, CLOSURE_CARD_PATHS_MAX = 32 };

/* Files, by the hashes of their names. */
struct closure_card_paths {
    uint64_t hashes[CLOSURE_CARD_PATHS_MAX];
    size_t count;
};

struct closure_card_dead {
    struct closure_card_paths removed;
    struct closure_card_paths emptied;
};

struct closure_card {
    struct vcard *card;        /* stays in use */
    struct canon_table *known; /* hashes of sectors that an update writes */
    struct vcard_image moment; /* the card in the middle of a run */
    struct vcard_file files[VCARD_FILES_MAX];
    size_t own_changes;
    struct closure_card_paths looked_into; /* while a run is watched, */
    struct closure_card_dead dropped;      /* each file by what came first */
    struct closure_card_dead *dead;        /* of each answer */
    struct canon_table *answers;           /* question -> index in dead */
    size_t dead_count;
};

/* Aborts without memory. */
void closure_card_open(struct closure_card *form, struct vcard *card);
void closure_card_close(struct closure_card *form);

/* What is on the card now is what an update puts there. Before the first hash. */
void closure_card_learn(struct closure_card *form);

/* Hash of the form in which every content counts, of the card as it is seen and as it
 * is certain. */
uint64_t closure_card_hash(const struct closure_card *form);

/* Watches a run: its begin, each operation, and the answer to `question`, whatever that
 * is the hash of. */
void closure_card_watch(struct closure_card *form);
void closure_card_see(struct closure_card *form, const struct vcard_op *op);
void closure_card_answer(struct closure_card *form, uint64_t question);

/* Hash of the canonical form, with the answer to `question` if there is one. */
uint64_t closure_card_form(const struct closure_card *form, uint64_t question);

/* Brings a card on which everything is synced into canonical form: other garbage, also
 * in dead files, and sequence numbers from `offset` on. */
void closure_card_make(struct closure_card *form, uint64_t question, uint32_t offset);

/* Seeds of the outcomes of a cut now (vcard.h); how many. One if nothing is unsynced.
 */
size_t closure_card_seeds(const struct closure_card *form,
                          uint32_t seeds[CLOSURE_CARD_SEEDS_MAX]);

/* The card at rest, power being off, as a value; aborts if something is not synced. */
struct closure_card_rest;
struct closure_card_rest *closure_card_save(const struct closure_card *form);
void closure_card_restore(struct closure_card *form,
                          const struct closure_card_rest *rest);

/* Frees `*rest`, which may be NULL, and makes it NULL. */
void closure_card_drop(struct closure_card_rest **rest);

/* Holds the card as it is in the middle of a run; lets a cut happen with `seed`; and
 * brings the held card back, its open files with it. */
void closure_card_hold(struct closure_card *form);
void closure_card_cut(struct closure_card *form, uint32_t seed);
void closure_card_go_on(struct closure_card *form);

#endif
