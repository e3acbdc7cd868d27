/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of an update: does the package fit the device, where does each member lie
 * while it is stored, how is it installed, and what is its way back (K13, K14). Pure:
 * reads the receipts, decides, writes nothing. Made before the transfer and, by the
 * engine, again before the first write; both times the same.
 */
#ifndef OTTER_PLAN_H
#define OTTER_PLAN_H

#include "otter/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a member is installed. */
enum otter_strategy {
    OTTER_STRATEGY_KEPT = 0, /* it is there already */
    OTTER_STRATEGY_OTHER_SLOT =
        1, /* stored in the free slot; the way back is the other */
    OTTER_STRATEGY_SAVED_COPY =
        2, /* staged; the old image is saved first, then replaced */
    OTTER_STRATEGY_BY_BOOT = 3, /* the manager: staged, saved, replaced by boot */
    OTTER_STRATEGY_REGION = 4, /* resources and fonts: as the saved copy, also on an A/B
                                  device, whose systems share their regions */
    OTTER_STRATEGY_INTO_SLOT =
        5, /* staged, then written into the free slot; the way back is the other */
    OTTER_STRATEGY_TABLE = 6,  /* the flash table: staged, then written over one copy;
                                  the way back is the other one */
    OTTER_STRATEGY_LOADER = 7, /* stored, and run from RAM by boot while the package is
                                  installed: there is nothing to write */
    OTTER_STRATEGY_IN_PLACE = 8, /* received into its region by the manager; there is no
                                    way back (K13) */
    OTTER_STRATEGY_TREE = 9,     /* files on a card: the way back is the archive of the
                                    old ones, which lies there */
};

struct otter_placement {
    uint8_t strategy;      /* enum otter_strategy */
    uint8_t store_region;  /* where the stored bytes lie */
    uint8_t target_region; /* where the installed bytes lie */
    uint32_t store_off;
    uint32_t raw_off;    /* BY_BOOT: where boot finds the image, in staging: store_off,
                            or where the manager puts what it decodes first */
    uint8_t save_region; /* where what it replaces is saved: staging or a file */
    uint32_t save_off;
    uint32_t save_size; /* bytes of that; 0: there is nothing to save */
};

struct otter_plan {
    struct otter_placement members[OTTER_MEMBERS_MAX];
    uint8_t count;
    uint32_t staging_used; /* bytes of staging, saved copies included */
};

/* Checks a program that is stored as it runs, where the plan has placed it: 23-17. Of
 * what is no program, or coded, or encrypted, nothing can be seen here: OTTER_OK, and
 * stage 9 looks into it. A read error of a card passes through. */
OTTER_MUST_CHECK enum otter_result otter_plan_check_vectors(
    const struct otter_device *device, const struct otter_member *member,
    const struct otter_placement *placement);

/* True if some member is written in place: only the manager receives the package. */
bool otter_plan_is_in_place(const struct otter_plan *plan);

/* Checks the package in `source` against the device and its current system and plans
 * it. Codes 21-21, 21-22, 23-xx, 34-11, 34-14, 34-15, 35-10, 35-17. `plan` is written
 * only on success. */
OTTER_MUST_CHECK enum otter_result otter_plan_make(struct otter_device *device,
                                                   const struct otter_source *source,
                                                   const struct otter_control *control,
                                                   struct otter_plan *plan);

/* Where in staging (or, at 0, in a file on the card) the saved copy of what a system
 * has in `region` lies, and what that is: the application's at the end (not on an A/B
 * device), below it the manager's, the resources', the font's. Depends on that system
 * alone. 23-20 if it does not fit, 21-17 if the system has nothing there. */
OTTER_MUST_CHECK enum otter_result otter_plan_saved(const struct otter_device *device,
                                                    const struct otter_system *old,
                                                    uint8_t region, uint32_t *off,
                                                    struct otter_member *member);

/* Opens the cipher under which what is saved of the system's `member` lies: closed if
 * the system is no encrypted one, or its copies are clear by policy. 24-16 if none may
 * be made, or the device has no storage key. */
OTTER_MUST_CHECK enum otter_result otter_plan_saved_cipher(
    const struct otter_device *device, const struct otter_system *old,
    const struct otter_member *member, struct otter_cipher *cipher);

/* Opens the cipher under which the archive of a tree lies on the card: closed if
 * `member` did not come encrypted, or copies are clear by policy. 24-16 as above. With
 * OTTER_TREES. */
OTTER_MUST_CHECK enum otter_result otter_plan_tree_cipher(
    const struct otter_device *device, const struct otter_member *member,
    struct otter_cipher *cipher);

#ifdef __cplusplus
}
#endif

#endif
