/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a power-on does with each sector first: one that it erases before it reads it is
 * dead. What follows a reset is remembered, and not watched again.
 */
#ifndef OTTER_CLOSURE_WATCH_H
#define OTTER_CLOSURE_WATCH_H

#include "canon.h"
#include "closure_card.h"
#include "vflash.h"

/* Sectors by what is done with them first. */
struct watch_sets {
    struct canon_set read; /* or programmed */
    struct canon_set erased;
    bool is_over; /* and afterwards nothing is left to do */
};

/* What follows resets that have been seen. */
struct watch_memory {
    struct canon_table *known; /* key of a reset -> index in sets */
    struct watch_sets *sets;
    size_t count;
};

enum { WATCH_RESETS_MAX = 8 }; /* of one run; further ones are not remembered */

struct watch {
    void *owner; /* the caller's */
    struct vflash *flash;
    struct closure_card *card; /* or NULL */
    struct watch_memory *memory;
    struct watch_sets all; /* since power on */
    struct {
        uint64_t key;
        struct watch_sets sets; /* since then */
    } resets[WATCH_RESETS_MAX];
    size_t reset_count;
    bool is_joined; /* what follows was known: */
    size_t joined;  /* index of it */
};

/* Hooks of flash and card; the world's user must be the watch. */
void watch_op(void *context, const struct vflash_op *op);
void watch_read(void *context, uint32_t addr, size_t size);
void watch_card(void *context, const struct vcard_op *op);

/* The device resets. True if what follows is known: the run may end here. */
bool watch_reset(struct watch *watch, uint64_t key);

/* The run has ended; `is_over`: nothing is left to do, if it was not joined. `all` is
 * complete now. */
void watch_end(struct watch *watch, bool is_over);

void watch_memory_open(struct watch_memory *memory);
void watch_memory_free(struct watch_memory *memory);

#endif
