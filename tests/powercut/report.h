/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sweeps share: the twins they run on, and how violations are told.
 */
#ifndef OTTER_REPORT_H
#define OTTER_REPORT_H

#include "sweep.h"

#include <stdbool.h>
#include <stddef.h>

/* Twin `index` (host_small_at), with trials that end sooner: fewer states say the same.
 * False above the last one. */
bool report_twin(size_t index, struct host_profile *profile);

/* The same for those whose store is a card (host_on_card_at). */
bool report_on_card(size_t index, struct host_profile *profile);

/* The same for memories with the sectors of real chips (host_large_at). */
bool report_large(size_t index, struct host_profile *profile);

/* Finds a twin, a large one or a profile by name. */
bool report_profile(const char *name, struct host_profile *profile);

/* Prints a violation and its replay id, and counts it. */
void report_violation(const struct sweep_world *world);
void report_failure(void);

/* Prints that the memory has no room for the world's scenario. */
void report_no_room(const struct sweep_world *world);

/* Counts the power-ons of a sweep that has ended: a violation is told with their sum.
 */
void report_power_ons(uint64_t count);

/* Counts rows of what was swept or closed; how many there were. */
void report_rows(unsigned count);
unsigned report_row_count(void);

/* From now on the first violation ends the program, status 1. */
void report_only_first(void);
bool report_is_only_first(void);

unsigned report_count(void);

/* Seconds of a clock that only goes forward. */
double report_seconds(void);

#endif
