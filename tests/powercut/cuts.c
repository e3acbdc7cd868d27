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

/* On a card a cut also settles what is not synced: seeds of vcard.h for each of its
 * outcomes, before and after an operation. */
static const uint32_t card_seeds[] = {1, 2, 3, 4, 7, 12, 17, 22, 27, 9};

enum { CARD_KINDS = 2 * sizeof(card_seeds) / sizeof(card_seeds[0]) };

/* The kinds of cuts_at(), then these. */
static struct sweep_cut card_cut_at(uint32_t op, uint32_t index)
{
    if (index < (uint32_t)CUTS_KINDS) {
        return cuts_at(op, index, op);
    }
    index -= CUTS_KINDS;
    return (struct sweep_cut){.op = op,
                              .kind = index % 2 == 0 ? SWEEP_BEFORE : SWEEP_AFTER,
                              .seed = card_seeds[index / 2]};
}

/* A cut of this kind can leave what none before it has left. */
static bool is_worth_it(const struct sweep_world *world, uint32_t op, uint32_t kind)
{
    bool is_of_card = kind >= (uint32_t)CUTS_KINDS || sweep_is_of_card(world, op);

    return kind < 2 || !is_of_card || sweep_is_unsynced(world, op);
}

/* Each cut in a run of its own: a moment would have to hold the card, too. */
static void sweep_one_cut_on_card(struct sweep_world *world,
                                  const struct cuts_effort *effort,
                                  struct totals *totals)
{
    totals->ops = sweep_count_ops(world);
    for (uint32_t op = 0; op < totals->ops; op += effort->stride) {
        for (uint32_t kind = 0; kind < (uint32_t)(CUTS_KINDS + CARD_KINDS); kind++) {
            struct sweep_cut cut = card_cut_at(op, kind);

            if (kind >= 2 && (kind + op) % effort->torn_stride != 0) {
                continue;
            }
            totals->cuts++;
            if (!is_worth_it(world, op, kind)) {
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

            cuts[i] = cuts_at(next_random(&seed) % range,
                              next_random(&seed) % CUTS_KINDS, next_random(&seed));
            if (world->is_on_card && cuts[i].kind != SWEEP_TORN) {
                cuts[i].seed = next_random(&seed);
            }
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
    report_rows(1);
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

        if (sweep_scenarios[i].is_like_crash &&
            (!effort->has_memo || otter_map_is_on_card(&profile->map))) {
            continue; /* the same operations as after a crash */
        }
        if (!sweep_is_asked_for(&sweep_scenarios[i]) ||
            !sweep_fits(&sweep_scenarios[i], profile) ||
            (effort->takes != NULL && !effort->takes(&sweep_scenarios[i], profile))) {
            continue;
        }
        sweep_open(world, profile, &sweep_scenarios[i], is_ecc, effort->has_memo);
        if (sweep_may_lack_room(&sweep_scenarios[i]) && !sweep_has_room(world)) {
            report_no_room(world);
            sweep_close(world);
            continue;
        }
        if (world->is_on_card) {
            sweep_one_cut_on_card(world, effort, &one);
        } else {
            sweep_one_cut(world, effort, &one);
        }
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
                           const struct sweep_scenario *scenario,
                           const struct sweep_cut *cut, bool has_memo)
{
    struct sweep_world *world = malloc(sizeof(*world));

    if (world == NULL) {
        abort();
    }
    sweep_open(world, profile, scenario, false, has_memo);
    if (!sweep_run(world, cut, 1)) {
        report_violation(world);
    }
    uint64_t hash = vflash_hash(&world->device.flash);

    sweep_close(world);
    free(world);
    return hash;
}

static void compare_memo(const struct host_profile *profile, const char *name)
{
    const struct sweep_scenario *scenario = sweep_find_scenario(name);

    for (uint32_t op = 3; op < 80; op += 19) {
        struct sweep_cut cut = cuts_at(op, op % CUTS_KINDS, op);

        if (final_hash(profile, scenario, &cut, false) !=
            final_hash(profile, scenario, &cut, true)) {
            (void)printf("VIOLATION K27: memo and real crypto differ: %s, op %" PRIu32
                         "\n",
                         name, op);
            report_failure();
        }
    }
}

void cuts_compare_memo(void)
{
    struct host_profile profile;

    for (size_t i = 0; report_twin(i, &profile); i++) {
        compare_memo(&profile, "confirm");
    }
    for (size_t i = 0; i < 2; i++) {
        (void)report_twin(i, &profile);
        compare_memo(&profile, "forged");
        compare_memo(&profile, "rotate"); /* signed by a key that is new */
    }
}
