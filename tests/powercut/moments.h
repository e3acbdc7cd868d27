/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states that one cut of an update leaves, all taken in one run of it: what the
 * flash holds before every operation, and torn in every way that is asked for. The
 * update need not run again up to every cut, and states that are the same are met once:
 * after an operation is before the next.
 */
#ifndef OTTER_MOMENTS_H
#define OTTER_MOMENTS_H

#include "cuts.h"
#include "sweep.h"

enum { MOMENTS_MAX = 512 };

struct moment {
    struct sweep_cut cut;      /* what leads here from the factory's state */
    struct vflash_image image; /* the flash then */
    uint32_t accepted;         /* bytes that the receiver had taken then */
};

struct moments {
    struct sweep_world *world;
    const struct cuts_effort *effort;
    uint32_t from; /* operations before it have been looked at */
    uint32_t next; /* where to go on; `ops` at the end */
    uint32_t ops;  /* operations of the update */
    uint64_t cuts; /* that lead to the states taken so far */
    size_t count;
    struct moment taken[MOMENTS_MAX];
    struct vflash_image now; /* inner, as is what follows */
    bool is_full;
};

/* Makes `moments` ready to take what `effort` asks for. */
void moments_open(struct moments *moments, struct sweep_world *world,
                  const struct cuts_effort *effort);

/* Runs the update once and takes the next states. False if there were none left. */
bool moments_take(struct moments *moments);

void moments_close(struct moments *moments);

#endif
