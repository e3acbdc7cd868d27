/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power-cut sweep: one update of a virtual device, cut at every flash operation in
 * every way of the fault model, recovered, checked against the promises, and brought to
 * its end.
 */
#ifndef OTTER_SWEEP_H
#define OTTER_SWEEP_H

#include "promises.h"
#include "sample.h"
#include "vcard_files.h"
#include "vdevice.h"

#include <stdbool.h>
#include <stdint.h>

/* An update and how it is to end. */
struct sweep_scenario {
    const char *name;
    enum vdevice_app app;         /* how the new system behaves */
    bool has_manager;             /* the package carries a manager (K15) */
    enum vdevice_app app_manager; /* how that manager starts */
    bool has_loader;              /* the package carries a loader (K15) */
    enum vdevice_app app_loader;  /* how that starts */
    bool has_regions;             /* both systems have resources and a font */
    bool adds_regions;            /* only the new one has */
    bool has_tree;                /* both have files on a card (K20) */
    bool adds_tree;               /* only the new one has */
    bool drops_tree;              /* the new one has none, after all */
    bool finds_tree;              /* the old one has found its files on the card */
    bool is_followed;             /* by one that has files again, and crashes */
    enum otter_coding coding;     /* of what the package carries */
    bool is_miscoded;             /* and decodes to other content */
    bool is_forged;               /* the package is refused */
    bool is_damaged;              /* its second half is */
    bool is_encrypted;            /* and so are both systems (K26) */
    bool revokes;                 /* the package revokes the old system's key (K17) */
    bool rotates;                 /* and brings a flash table with another (K8) */
    bool in_place;                /* the font is written in place (K13) */
    bool is_declared;             /* and the old system runs with it, too */
    bool is_broken; /* a bit of the old application has flipped (one-way, on a card) */
    bool is_mixed;  /* of others; memories without the room for it are left out */
    bool is_for_long;   /* closed in a long run alone */
    bool is_like_crash; /* differs from "crash" in the cause of resets alone */
    enum otter_outcome_kind ends; /* outcome when nothing is cut */
    uint32_t erases_max; /* P10: of one sector of a store or slot, undisturbed */
};

/* True if a device of `profile` can have the scenario's members. */
bool sweep_fits(const struct sweep_scenario *scenario,
                const struct host_profile *profile);

extern const struct sweep_scenario sweep_scenarios[];
extern const size_t sweep_scenario_count;

/* The one of that name, or NULL. */
const struct sweep_scenario *sweep_find_scenario(const char *name);

/* Of all scenarios this one alone, from now on. False if there is none of that name. */
bool sweep_only(const char *name);

/* False for the others. */
bool sweep_is_asked_for(const struct sweep_scenario *scenario);

/* What happens to a device, one after another. */
enum sweep_kind {
    SWEEP_NONE,   /* a power-on without a fault */
    SWEEP_BEFORE, /* a power-on that is cut before operation `op` */
    SWEEP_AFTER,  /* or after it */
    SWEEP_TORN,   /* or in its middle: `seed` as in vflash.h */
    SWEEP_BAD,    /* a power-on; the sector of operation `op` is bad from then on;
                     cut before it at once, if `seed` is not 0 */
    SWEEP_FLIP,   /* while it is off, bit `seed` of the byte at address `op` flips */
};

/* With a card `op` counts the operations of flash and card together, as they come, and
 * `seed` is that of vcard.h, too: what is not synced fares by it. SWEEP_BAD and
 * SWEEP_FLIP are about flash alone. */

/* One of them; a run of them replays from "profile:scenario:op/kind/seed[:...]". */
struct sweep_cut {
    uint32_t op;
    enum sweep_kind kind;
    uint32_t seed;
};

enum { SWEEP_CUTS_MAX = 64, SWEEP_ID_MAX = 2048, SWEEP_OPS_MAX = 4096 };

struct sweep_world {
    const struct sweep_scenario *scenario;
    struct sample sample;
    struct vdevice device;
    struct sample_package next;
    struct sample_package later; /* of a scenario that is followed */
    struct vflash_image initial;
    struct vflash_image middle;  /* when that comes */
    struct vflash_image flipped; /* when a bit has flipped */
    struct promise_case promise;
    struct secrecy *contents; /* of an encrypted scenario */
    struct secrecy *keys;
    bool is_ecc;
    bool has_memo;  /* signature checks are remembered (K27) */
    bool has_trace; /* print operations */
    void (*on_step)(struct sweep_world *world); /* after each step, or NULL */
    struct sweep_cut cuts[SWEEP_CUTS_MAX];
    size_t cut_count;
    const char *violation; /* the promise that was broken, or NULL */
    uint64_t power_ons;
    bool is_on_card; /* the store is a card, on which the package lies */
    struct vcard card;
    struct otter_files files;
    struct vcard_image initial_card;

    /* Inner. */
    uint32_t op;                /* operations of flash and card since power on */
    bool is_counting;           /* what happens is noted, too: */
    uint8_t ops[SWEEP_OPS_MAX]; /* of each operation, see sweep_is_of_card() */
    struct sweep_cut strike;    /* what strikes one of them */
    bool has_sent;              /* the package, in this power-on */
    uint32_t accepted;          /* bytes of the package that the receiver has taken */
    uint32_t spoil_op;          /* of SWEEP_BAD */
    uint32_t spoil_addr;        /* the sector that went bad */
    void *user;                 /* of whoever drives the world */
    const char *resume_violation;
};

/* Makes a device of `profile` and the scenario's package. Aborts on a failure. */
void sweep_open(struct sweep_world *world, const struct host_profile *profile,
                const struct sweep_scenario *scenario, bool is_ecc, bool has_memo);
void sweep_close(struct sweep_world *world);

/* Scenarios that memories without the room for them leave out. */
bool sweep_may_lack_room(const struct sweep_scenario *scenario);

/* False if the device's memory has no room for the scenario's package (23-20). */
bool sweep_has_room(struct sweep_world *world);

/* Starts over from the factory's state, then lets each of `cuts` happen in turn, checks
 * the promises after each, then brings the update to its end and checks how it ended.
 * False and `violation` if a promise was broken. */
bool sweep_run(struct sweep_world *world, const struct sweep_cut *cuts, size_t count);

/* As sweep_run() with the one `cut`, from the flash that it has left: `image`.
 * `accepted`: bytes of the package that the receiver had taken then. */
bool sweep_resume(struct sweep_world *world, const struct sweep_cut *cut,
                  const struct vflash_image *image, uint32_t accepted);

/* The parts of a run, for the closure: nothing has happened yet, flash and card stay;
 * the same, with flash and card as the factory left them; one power-on, in which the
 * update goes on as far as it can; the checks after one, and at the end. */
void sweep_forget(struct sweep_world *world);
void sweep_start_over(struct sweep_world *world);
enum vdevice_end sweep_power_on(struct sweep_world *world, const struct sweep_cut *cut);
bool sweep_check_running(struct sweep_world *world, enum vdevice_end end);
bool sweep_check_end(struct sweep_world *world);

/* Notes a violation; true if there is one. */
bool sweep_broke(struct sweep_world *world, const char *violation);

/* Flash (and card) operations of the update without a cut. */
uint32_t sweep_count_ops(struct sweep_world *world);

/* Of operation `op` of that update: whether it is the card's, and whether something on
 * the card is not synced before or after it. If it is the card's and nothing is, a cut
 * inside it leaves what a cut before it leaves. */
bool sweep_is_of_card(const struct sweep_world *world, uint32_t op);
bool sweep_is_unsynced(const struct sweep_world *world, uint32_t op);

/* Prints the replay id of the last run to `out`, up to SWEEP_ID_MAX bytes. */
void sweep_replay_id(const struct sweep_world *world, char *out, size_t size);

/* True for a bad sector at which power fails as well. */
bool sweep_is_cut_at_once(const struct sweep_cut *cut);

/* Reads "op/kind/seed"; changes the text. */
bool sweep_parse_cut(char *text, struct sweep_cut *cut);

/* A vflash hook that prints each operation. */
void sweep_trace_op(void *context, const struct vflash_op *op);

#endif
