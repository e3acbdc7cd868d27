/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sweeps of single cuts and of sequences of cuts: every scenario on one profile.
 */
#ifndef OTTER_CUTS_H
#define OTTER_CUTS_H

#include "report.h"
#include "sweep.h"

enum { CUTS_TORN_WAYS = 11, CUTS_KINDS = 2 + CUTS_TORN_WAYS };

/* How much is tried. */
struct cuts_effort {
    bool has_memo;
    uint32_t stride;      /* cut every n-th operation */
    uint32_t torn_stride; /* of the ways of tearing, every n-th */
    uint32_t many_runs;   /* sequences of cuts; need the memo */
    /* Whether the scenario is swept on the profile; NULL: it is, if it fits. */
    bool (*takes)(const struct sweep_scenario *scenario,
                  const struct host_profile *profile);
};

/* Cut `index` of the kinds: before, after, then torn with each seed, which `salt` moves
 * to other words. */
struct sweep_cut cuts_at(uint32_t op, uint32_t index, uint32_t salt);

/* Cuts every operation of every scenario; then sequences of two to six cuts. Prints a
 * row each and reports violations. */
void cuts_sweep(const struct host_profile *profile, bool is_ecc,
                const struct cuts_effort *effort);

/* K27: remembered and real signature checks lead to the same flash, whether they
 * succeed or not. */
void cuts_compare_memo(void);

#endif
