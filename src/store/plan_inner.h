/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the plan share. plan_place_...() say where one member goes, or why
 * the device does not take it.
 */
#ifndef OTTER_PLAN_INNER_H
#define OTTER_PLAN_INNER_H

#include "otter/plan.h"

struct planning {
    struct otter_device *device;
    const struct otter_source *source; /* the package's control packet */
    const struct otter_control *control;
    uint8_t index; /* of the member under way */
    bool has_current;
    struct otter_system current;
    struct otter_member manager; /* that stands, as the receipt names it that vouches */
    bool has_manager;
    struct otter_plan plan;
    uint32_t staged;     /* bytes of staging taken from its start */
    uint32_t saved_from; /* and from here to its end, by saved copies */
    uint16_t taken;      /* bit id: a shared region that some member is for */
    uint32_t data;       /* bit i: member i is installed after all programs */
    uint32_t late;       /* bit i: member i is installed after what is in place */
    bool is_in_place;    /* some member is written in place, */
    bool is_one_way;     /* and the old system does not run with it */
};

/* ---- plan_room.c ---- */

/* Two members cannot lie in one region: 21-16. */
OTTER_MUST_CHECK enum otter_result plan_take_region(struct planning *planning,
                                                    uint8_t region);

/* The member of the current system that lies in `region`, or has that role. */
OTTER_MUST_CHECK enum otter_result plan_find_installed(
    const struct planning *planning, const struct otter_member *member, uint8_t region,
    struct otter_member *installed);

/* What the program itself must be able to do with it. */
OTTER_MUST_CHECK enum otter_result plan_check_form(const struct otter_device *device,
                                                   const struct otter_member *member);

/* That the program can deal with the member, and that it is for `target`. */
OTTER_MUST_CHECK enum otter_result plan_check_carried(
    const struct otter_device *device, const struct otter_member *member,
    const struct otter_region *target);

/* Takes `size` bytes of staging, from a sector on. 23-20. */
OTTER_MUST_CHECK enum otter_result plan_take_staging(struct planning *planning,
                                                     uint32_t size, uint32_t *off);

/* On a card the member lies where the package's file has it. */
OTTER_MUST_CHECK enum otter_result plan_place_in_file(
    const struct planning *planning, struct otter_placement *placement);

/* Where the stored member lies until it is installed. */
OTTER_MUST_CHECK enum otter_result plan_place_store(struct planning *planning,
                                                    const struct otter_member *member,
                                                    struct otter_placement *placement);

/* The same, and where the copy of what it replaces goes. */
OTTER_MUST_CHECK enum otter_result plan_place_staged(struct planning *planning,
                                                     const struct otter_member *member,
                                                     struct otter_placement *placement);

/* ---- plan_programs.c ---- */

/* The current system, and which manager stands. */
void plan_find_systems(struct planning *planning);

/* Its version (K6). */
uint16_t plan_manager_version(const struct planning *planning);

/* 34-15 if the receipt that the package overwrites alone vouches for the manager, and
 * the package does not name the same one. */
OTTER_MUST_CHECK enum otter_result plan_check_manager(const struct planning *planning);

OTTER_MUST_CHECK enum otter_result plan_place_manager(
    struct planning *planning, const struct otter_member *member,
    struct otter_placement *placement);

OTTER_MUST_CHECK enum otter_result plan_place_firmware(
    struct planning *planning, const struct otter_member *member,
    struct otter_placement *placement);

OTTER_MUST_CHECK enum otter_result plan_place_table(const struct planning *planning,
                                                    const struct otter_member *member,
                                                    struct otter_placement *placement);

OTTER_MUST_CHECK enum otter_result plan_place_loader(struct planning *planning,
                                                     const struct otter_member *member,
                                                     struct otter_placement *placement);

/* Takes the begin of the store for the package's flash table. Before any member. */
OTTER_MUST_CHECK enum otter_result plan_reserve_table(
    struct planning *planning, const struct otter_source *source,
    const struct otter_control *control);

/* ---- plan_data.c ---- */

OTTER_MUST_CHECK enum otter_result plan_place_kept(struct planning *planning,
                                                   const struct otter_member *member,
                                                   struct otter_placement *placement);

OTTER_MUST_CHECK enum otter_result plan_place_data(struct planning *planning,
                                                   const struct otter_member *member,
                                                   struct otter_placement *placement);

OTTER_MUST_CHECK enum otter_result plan_place_tree(struct planning *planning,
                                                   const struct otter_member *member,
                                                   struct otter_placement *placement);

/* Finds out which members are written in place. Before any member. */
OTTER_MUST_CHECK enum otter_result plan_survey_in_place(
    struct planning *planning, const struct otter_source *source,
    const struct otter_control *control);

/* ---- plan_saved.c ---- */

/* Does what is saved of the system lie under the storage key? 24-16 if nothing may be
 * saved of it, or the device has no such key. */
OTTER_MUST_CHECK enum otter_result plan_check_saved_cipher(
    const struct otter_device *device, const struct otter_system *old, bool *is_stored);

#endif
