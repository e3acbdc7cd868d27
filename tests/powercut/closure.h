/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure over states: every state that a device can be left in by any number of
 * faults, one after another, is found once, and every power-on from it is cut at every
 * flash operation in every way, until no new state appears.
 *
 * States are told apart by their canonical form (tests/support/canon.h). A run from a
 * state is made once, without a cut; what a cut would leave at each of its operations
 * is made from flash and card as they stand at that moment, which is the same: nothing
 * else survives. An operation that was met before on the same flash is not torn
 * again, and a run that resets where another one did, in the same state, ends there:
 * it goes on as that one has.
 */
#ifndef OTTER_CLOSURE_H
#define OTTER_CLOSURE_H

#include "sweep.h"

/* What may happen, any number of times; a sector goes bad, or a bit flips, once. */
enum closure_fault {
    CLOSURE_CUT = 1,      /* power is cut before and after each operation */
    CLOSURE_TORN = 2,     /* and in its middle, in every stable way of vflash.h */
    CLOSURE_UNSTABLE = 4, /* and so that what it leaves reads differently each time */
    CLOSURE_BAD = 8,      /* the sector of any operation goes bad at it */
    CLOSURE_FLIP = 16,    /* a bit of any sector that is not erased flips at rest */
};

struct closure_effort {
    unsigned faults;        /* enum closure_fault */
    size_t unstable_max;    /* sectors that are unstable at the same time */
    size_t states_max;      /* give up above; 0: never */
    size_t flip_stride;     /* flip at every n-th place, not 0; over all states the
                               places differ, if n and their number share no factor */
    bool is_exact_at_rest;  /* what a device reads once a bit has flipped tells states
                               apart as well; else what it reads if it is whole */
    size_t flip_cut_stride; /* after every n-th flip power fails again, at every
                               operation; after the others never; 0: after none */
    size_t canon_stride;    /* K27: every n-th state is also run in canonical form, and
                               to its end; 0: none is */
};

struct closure_result {
    size_t states;
    uint64_t transitions; /* cuts and faults, each at one operation of one state */
    uint64_t power_ons;   /* runs of the device code */
    uint64_t compared;    /* of them, to compare with the canonical form */
    bool is_closed;
    bool is_good; /* no promise was broken; else see the world's violation */
};

/* Closes the world's scenario under the faults. The world must be open, with a memo. */
struct closure_result closure_run(struct sweep_world *world,
                                  const struct closure_effort *effort);

#endif
