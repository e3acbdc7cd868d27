/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the closure share; not for its callers.
 */
#ifndef OTTER_CLOSURE_INNER_H
#define OTTER_CLOSURE_INNER_H

#include "canon.h"
#include "closure.h"
#include "closure_card.h"
#include "closure_watch.h"

enum { CLOSURE_NO_STATE = -1 };

/* What of a device is damaged. */
struct closure_damage {
    bool is_hurt; /* a sector is bad, or a bit has flipped */
    bool is_bad;  /* a sector is: */
    uint32_t bad_addr;
    size_t flip;        /* if not: index of the flash as it was after the flip, */
    bool was_confirmed; /* and whether that update was done, and is to last */
    bool is_uncut;      /* power fails no more */
};

/* A state, and how it was reached first. */
struct closure_node {
    struct vflash_image image;      /* dropped when it has been run */
    struct closure_card_rest *card; /* and this; NULL: the device has none */
    int64_t parent;
    struct sweep_cut cut; /* what led here from the parent */
    int64_t next;         /* state in which a power-on without a fault ends */
    uint32_t cuts;        /* on the way here */
    struct closure_damage damage;
    bool is_over;   /* and `next` is where the update has come to its end */
    bool is_rested; /* a power-on without a fault ends here */
    bool is_run;
};

/* A state of which it is not known yet what in it is dead. */
struct closure_pending {
    struct vflash_image image;
    struct closure_card_rest *card;
    struct closure_damage damage;
    int64_t parent;
    struct sweep_cut cut;
};

struct closure {
    struct sweep_world *world;
    const struct closure_effort *effort;
    struct closure_result result;
    struct canon canon;
    struct closure_card *card; /* NULL: the device has none */
    struct canon_table *seen;  /* canonical hash -> index of node */
    struct canon_table *torn;  /* operations that have been torn */
    struct watch_memory watched;
    struct canon_table *resets; /* devices about to start again -> index of node */
    struct closure_node *nodes;
    size_t current;               /* node that is being run */
    int64_t joined;               /* node whose run this one has met at a reset */
    struct vflash_image moment;   /* the flash before the operation at hand */
    struct closure_damage damage; /* of the device, now */
    uint32_t op;                  /* which that is, of flash and card since power on */
    bool was_reading;             /* the one before it changed nothing */
    size_t places;                /* where a bit might flip, so far */
    size_t flips;                 /* where one did */
    struct vflash_image *flipped; /* after each flip that led to a new state */
    size_t flipped_count;
    struct closure_pending *pending;
    size_t pending_count;
};

/* ---- closure_state.c ---- */

struct vflash *closure_flash(const struct closure *closure);

/* Brings the card to rest as it was; nothing if the device has none. */
void closure_put_card(const struct closure *closure,
                      const struct closure_card_rest *rest);

/* Where `addr` lies if the log, which goes round, begins with the sector at `first`. */
uint32_t closure_seen_from(const struct otter_region *journal, uint32_t first,
                           uint32_t addr);

/* Where the sector that is bad lies, the log as it is now. */
uint32_t closure_bad_place(struct closure *closure);

/* To be called before the canonical form is asked anything: what of the flash is dead
 * depends on the card, and on what is damaged, too. */
void closure_look_around(struct closure *closure);

/* True if it is not known what is dead in the flash as it is now. Looks around. */
bool closure_asks(struct closure *closure);

/* Finds it out, if so: watches a power-on from here. */
void closure_find_dead(struct closure *closure);

/* Sets what is called at each operation; NULL: nothing. */
void closure_hook(struct closure *closure,
                  void (*on_op)(void *context, const struct vflash_op *op),
                  void (*on_card_op)(void *context, const struct vcard_op *op));

/* The key of the state of the device now, looked around. Devices with and without
 * damage are apart. */
uint64_t closure_key(struct closure *closure);

/* All that what a device does after a reset depends on. */
uint64_t closure_reset_key(struct closure *closure);

/* The node of the state of the device now, new or known. In the middle of a run a state
 * may have to wait for closure_settle(), which adds it. */
int64_t closure_add(struct closure *closure, int64_t parent, struct sweep_cut cut);
void closure_settle(struct closure *closure);

/* The device, off, in the state of a node. */
void closure_bring_back(struct closure *closure, const struct closure_node *node);

/* ---- closure_cuts.c ---- */

/* Hooks: take every state that a cut at the operation would leave. */
void closure_on_op(void *context, const struct vflash_op *op);
void closure_on_card_op(void *context, const struct vcard_op *op);

/* The same before the operation at hand; if there is none, after the last one. */
void closure_cut_before(struct closure *closure);

/* True if this operation on this flash has been met before; `facts`: what else tells
 * operations apart. */
bool closure_is_met(struct closure *closure, const struct vflash_op *op,
                    uint64_t facts);

bool closure_is_reading(const struct vcard_op *op);

/* ---- closure_damage.c ---- */

/* A sector goes bad at each operation of the state's run. False if a promise was
 * broken. */
bool closure_spoil_all(struct closure *closure, size_t index);

/* A bit flips in each sector. */
void closure_flip_all(struct closure *closure, size_t index);

/* ---- closure_compare.c ---- */

/* False if the device acts otherwise on the state's canonical form, or on the same with
 * other sequence numbers. */
bool closure_compare(struct closure *closure, size_t index);

/* ---- closure.c ---- */

/* Every so often a state is run to its end, and in canonical form, too. */
bool closure_is_compared(const struct closure *closure, size_t index);

/* Takes the path to a node, and `last` after it, over as the world's run, for the
 * replay id. */
void closure_take_path(struct closure *closure, size_t index,
                       const struct sweep_cut *last);

#endif
