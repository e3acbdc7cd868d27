/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sweeps of single cuts and of sequences of cuts.
 */
#include "cuts.h"

#include "moments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    uint32_t ops;
    uint64_t cuts;
    uint64_t runs; /* fewer than cuts: some lead to the same state */
    uint64_t power_ons;
};

enum { MANY_CUTS_MAX = 6, COMPARE_STRIDE = 211 };

/* A state that was taken leads where the cut leads that it stands for. */
static void compare_with_run(struct sweep_world *world, const struct sweep_cut *cut)
{
    uint64_t hash = vflash_hash(&world->device.flash);

    if (!sweep_run(world, cut, 1)) {
        report_violation(world);
    } else if (vflash_hash(&world->device.flash) != hash) {
        (void)sweep_broke(world, "K27: a state that was taken is not the cut's");
        report_violation(world);
    }
}

static void sweep_one_cut(struct sweep_world *world, const struct cuts_effort *effort,
                          struct totals *totals)
{
    struct moments *moments = malloc(sizeof(*moments));

    if (moments == NULL) {
        abort();
    }
    moments_open(moments, world, effort);
    while (moments_take(moments)) {
        for (size_t i = 0; i < moments->count; i++) {
            const struct moment *moment = &moments->taken[i];

            if (!sweep_resume(world, &moment->cut, &moment->image, moment->accepted)) {
                report_violation(world);
            } else if (totals->runs % COMPARE_STRIDE == 0) {
                compare_with_run(world, &moment->cut);
            }
            totals->runs++;
        }
    }
    totals->ops = moments->ops;
    totals->cuts = moments->cuts;
    totals->power_ons += world->power_ons;
    moments_close(moments);
    free(moments);
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

            cuts[i] = cuts_at(next_random(&seed) % range,
                              next_random(&seed) % CUTS_KINDS, next_random(&seed));
        }
        totals->runs++;
        totals->cuts += count;
        if (!sweep_run(world, cuts, count)) {
            report_violation(world);
        }
    }
    totals->power_ons += world->power_ons;
}

static void print_row(const struct sweep_world *world, const char *what,
                      const struct totals *totals, double begin)
{
    (void)printf("%-20s%s %-8s %-9s %5" PRIu32 " ops %7" PRIu64 " cuts %7" PRIu64
                 " runs %8" PRIu64 " power-ons %6.1f s\n",
                 world->sample.profile.name, world->is_ecc ? "+ecc" : "    ",
                 world->scenario->name, what, totals->ops, totals->cuts, totals->runs,
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

        if (effort->every != 0 && i % effort->every != effort->first) {
            continue;
        }
        if (sweep_scenarios[i].is_like_crash && !effort->has_memo) {
            continue; /* the same flash operations as after a crash */
        }
        if (!sweep_fits(&sweep_scenarios[i], profile)) {
            continue;
        }
        sweep_open(world, profile, &sweep_scenarios[i], is_ecc, effort->has_memo);
        if (sweep_scenarios[i].is_mixed && !sweep_has_room(world)) {
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
            struct sweep_cut cut = cuts_at(op, op % CUTS_KINDS, op);

            if (final_hash(&profile, &cut, false) != final_hash(&profile, &cut, true)) {
                (void)printf("VIOLATION K27: memo and real crypto differ at op %" PRIu32
                             "\n",
                             op);
                report_failure();
            }
        }
    }
}
