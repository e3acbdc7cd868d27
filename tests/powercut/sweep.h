/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power-cut sweep: one update of a virtual device, cut at every flash operation in
 * every way of the fault model, recovered, checked against the promises, and brought to
 * its end.
 */
#ifndef OTTER_SWEEP_H
#define OTTER_SWEEP_H

#include "sample.h"
#include "vdevice.h"

#include <stdbool.h>
#include <stdint.h>

/* An update and how it is to end. */
struct sweep_scenario {
    const char *name;
    enum vdevice_app app;         /* how the new system behaves */
    bool has_manager;             /* the package carries a manager (K15) */
    enum vdevice_app app_manager; /* how that manager starts */
    bool is_forged;               /* the package is refused */
    bool is_damaged;              /* its second half is */
    bool is_like_crash; /* differs from "crash" in the cause of resets alone */
    enum otter_outcome_kind ends; /* outcome when nothing is cut */
    uint32_t erases_max; /* P10: of one sector of a store or slot, undisturbed */
};

extern const struct sweep_scenario sweep_scenarios[];
extern const size_t sweep_scenario_count;

/* One cut, and the words that replay it: "profile:scenario:op/kind/seed[:...]". */
struct sweep_cut {
    uint32_t op;
    enum vflash_fault_kind kind;
    uint32_t seed;
};

enum { SWEEP_CUTS_MAX = 6 };

struct sweep_world {
    const struct sweep_scenario *scenario;
    struct sample sample;
    struct vdevice device;
    struct sample_package next;
    struct vflash_image initial;
    bool is_ecc;
    bool has_memo; /* signature checks are remembered (K27) */
    struct sweep_cut cuts[SWEEP_CUTS_MAX];
    size_t cut_count;
    const char *violation; /* the promise that was broken, or NULL */
    uint64_t power_ons;
};

/* Makes a device of `profile` and the scenario's package. Aborts on a failure. */
void sweep_open(struct sweep_world *world, const struct host_profile *profile,
                const struct sweep_scenario *scenario, bool is_ecc, bool has_memo);
void sweep_close(struct sweep_world *world);

/* Starts over from the factory's state, then powers on with each of `cuts` in turn,
 * checks the promises after each, then brings the update to its end and checks how it
 * ended. False and `violation` if a promise was broken. */
bool sweep_run(struct sweep_world *world, const struct sweep_cut *cuts, size_t count);

/* Flash operations of the update without a cut. */
uint32_t sweep_count_ops(struct sweep_world *world);

/* After sweep_run with one cut: flash operations of the recovery. */
uint32_t sweep_recovery_ops(const struct sweep_world *world);

/* Prints the replay id of the last run to `out` (at least 256 bytes). */
void sweep_replay_id(const struct sweep_world *world, char *out, size_t size);

#endif
