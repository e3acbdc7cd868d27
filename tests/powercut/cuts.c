/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sweeps of single cuts and of sequences of cuts.
 */
#include "cuts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    uint64_t runs;
    uint64_t power_ons;
    uint32_t ops;
};

/* Seeds of torn operations: a program's outcome for prefixes at its begin, middle and
 * end, and every kind of torn erase (vflash.h explains the numbers). */
static const uint32_t torn_seeds[] = {0, 1, 2, 5, 9, 38, 71, 104, 133, 166, 199};

_Static_assert(sizeof(torn_seeds) / sizeof(torn_seeds[0]) == CUTS_TORN_WAYS,
               "a row of the sweep has one run for each");

/* Cut `index` of the kinds: before, after, then torn with each seed. */
static struct sweep_cut cut_at(uint32_t op, uint32_t index, uint32_t salt)
{
    struct sweep_cut cut = {.op = op, .kind = SWEEP_TORN};

    if (index == 0) {
        cut.kind = SWEEP_BEFORE;
    } else if (index == 1) {
        cut.kind = SWEEP_AFTER;
    } else {
        cut.seed = torn_seeds[index - 2] + (salt % 7) * 1000003U;
    }
    return cut;
}

enum { KINDS = 2 + CUTS_TORN_WAYS, MANY_CUTS_MAX = 6 };

static void sweep_one_cut(struct sweep_world *world, const struct cuts_effort *effort,
                          struct totals *totals)
{
    totals->ops = sweep_count_ops(world);
    for (uint32_t op = 0; op < totals->ops; op += effort->stride) {
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            struct sweep_cut cut = cut_at(op, kind, op);

            if (kind >= 2 && (kind + op) % effort->torn_stride != 0) {
                continue;
            }

            totals->runs++;
            if (!sweep_run(world, &cut, 1)) {
                report_violation(world);
            }
        }
    }
    totals->power_ons += world->power_ons;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

/* Two to six cuts, one after another, each somewhere in what was left to do. */
static void sweep_many_cuts(struct sweep_world *world, uint32_t runs, uint32_t seed,
                            struct totals *totals)
{
    uint32_t ops = sweep_count_ops(world);
    struct sweep_cut cuts[MANY_CUTS_MAX];

    for (uint32_t run = 0; run < runs; run++) {
        size_t count = 2 + next_random(&seed) % (MANY_CUTS_MAX - 1);

        for (size_t i = 0; i < count; i++) {
            uint32_t range = i == 0 ? ops : ops / (next_random(&seed) % 8 + 1) + 1;

            cuts[i] = cut_at(next_random(&seed) % range, next_random(&seed) % KINDS,
                             next_random(&seed));
        }
        totals->runs++;
        if (!sweep_run(world, cuts, count)) {
            report_violation(world);
        }
    }
    totals->power_ons += world->power_ons;
}

static void print_row(const struct sweep_world *world, const char *what,
                      const struct totals *totals, double begin)
{
    (void)printf("%-20s%s %-8s %-9s %5" PRIu32 " ops %7" PRIu64 " runs %8" PRIu64
                 " power-ons %6.1f s\n",
                 world->sample.profile.name, world->is_ecc ? "+ecc" : "    ",
                 world->scenario->name, what, totals->ops, totals->runs,
                 totals->power_ons, report_seconds() - begin);
    (void)fflush(stdout);
}

void cuts_sweep(const struct host_profile *profile, bool is_ecc,
                const struct cuts_effort *effort)
{
    struct sweep_world *world = malloc(sizeof(*world));

    if (world == NULL) {
        abort();
    }
    for (size_t i = 0; i < sweep_scenario_count; i++) {
        struct totals one = {0};
        struct totals many = {0};
        double begin = report_seconds();

        if (sweep_scenarios[i].is_like_crash && !effort->has_memo) {
            continue; /* the same flash operations as after a crash */
        }
        if (!sweep_fits(&sweep_scenarios[i], profile)) {
            continue;
        }
        sweep_open(world, profile, &sweep_scenarios[i], is_ecc, effort->has_memo);
        if (sweep_scenarios[i].may_not_fit && !sweep_has_room(world)) {
            report_no_room(world);
            sweep_close(world);
            continue;
        }
        sweep_one_cut(world, effort, &one);
        print_row(world, effort->has_memo ? "one" : "one, real", &one, begin);
        if (effort->many_runs > 0) {
            begin = report_seconds();
            report_power_ons(world->power_ons);
            world->power_ons = 0;
            sweep_many_cuts(world, effort->many_runs, (uint32_t)i + 1, &many);
            many.ops = one.ops;
            print_row(world, "two to six", &many, begin);
        }
        report_power_ons(world->power_ons);
        sweep_close(world);
    }
    free(world);
}

static uint64_t final_hash(const struct host_profile *profile,
                           const struct sweep_cut *cut, bool has_memo)
{
    struct sweep_world *world = malloc(sizeof(*world));

    if (world == NULL) {
        abort();
    }
    sweep_open(world, profile, &sweep_scenarios[0], false, has_memo);
    if (!sweep_run(world, cut, 1)) {
        report_violation(world);
    }
    uint64_t hash = vflash_hash(&world->device.flash);

    sweep_close(world);
    free(world);
    return hash;
}

/* K27: remembered and real signature checks agree. */
void cuts_compare_memo(void)
{
    struct host_profile profile;

    for (size_t i = 0; host_small_at(i) != NULL; i++) {
        report_twin(i, &profile);
        for (uint32_t op = 3; op < 80; op += 19) {
            struct sweep_cut cut = cut_at(op, op % KINDS, op);

            if (final_hash(&profile, &cut, false) != final_hash(&profile, &cut, true)) {
                (void)printf("VIOLATION K27: memo and real crypto differ at op %" PRIu32
                             "\n",
                             op);
                report_failure();
            }
        }
    }
}
