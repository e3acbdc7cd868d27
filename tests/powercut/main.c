/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powercut [--memo | --real | --quick | --long | --replay ID]: sweeps every scenario.
 *
 * --memo: the small twins of the profiles, every flash operation, cut before, after
 * and torn in eleven ways, then sequences of two to six cuts, sampled; signature checks
 * are remembered (K27). --real: three of the twins, every operation, cut before, after
 * and torn in one way that changes from operation to operation, with the real crypto,
 * and a proof that remembered and real checks lead to the same flash. --quick: as
 * --memo, every seventh operation, for slow builds. --long: the real maps, every
 * operation.
 * --replay: one run, with a trace. Without an option: --memo and --real.
 */
#include "sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned failures;

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void report(const struct sweep_world *world)
{
    char id[256];

    sweep_replay_id(world, id, sizeof(id));
    (void)printf("VIOLATION %s\n  replay: powercut --replay %s\n", world->violation,
                 id);
    failures++;
}

struct totals {
    uint64_t runs;
    uint64_t power_ons;
    uint32_t ops;
};

/* Seeds of torn operations: a program's outcome for prefixes at its begin, middle and
 * end, and every kind of torn erase (vflash.h explains the numbers). */
static const uint32_t torn_seeds[] = {0, 1, 2, 5, 9, 38, 71, 104, 133, 166, 199};

enum { TORN_SEEDS = sizeof(torn_seeds) / sizeof(torn_seeds[0]) };

/* Cut `index` of the kinds: before, after, then torn with each seed. */
static struct sweep_cut cut_at(uint32_t op, uint32_t index, uint32_t salt)
{
    struct sweep_cut cut = {.op = op, .kind = VFLASH_TORN};

    if (index == 0) {
        cut.kind = VFLASH_CUT_BEFORE;
    } else if (index == 1) {
        cut.kind = VFLASH_CUT_AFTER;
    } else {
        cut.seed = torn_seeds[index - 2] + (salt % 7) * 1000003U;
    }
    return cut;
}

enum { KINDS = 2 + TORN_SEEDS };

/* How much is tried. */
struct effort {
    bool has_memo;
    uint32_t stride;      /* cut every n-th operation */
    uint32_t torn_stride; /* of the ways of tearing, every n-th */
    uint32_t many_runs;   /* sequences of cuts; need the memo */
};

static void sweep_one_cut(struct sweep_world *world, const struct effort *effort,
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
                report(world);
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
    struct sweep_cut cuts[SWEEP_CUTS_MAX];

    for (uint32_t run = 0; run < runs; run++) {
        size_t count = 2 + next_random(&seed) % (SWEEP_CUTS_MAX - 1);

        for (size_t i = 0; i < count; i++) {
            uint32_t range = i == 0 ? ops : ops / (next_random(&seed) % 8 + 1) + 1;

            cuts[i] = cut_at(next_random(&seed) % range, next_random(&seed) % KINDS,
                             next_random(&seed));
        }
        totals->runs++;
        if (!sweep_run(world, cuts, count)) {
            report(world);
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
                 totals->power_ons, now() - begin);
    (void)fflush(stdout);
}

static void sweep_profile(const struct host_profile *profile, bool is_ecc,
                          const struct effort *effort)
{
    struct sweep_world *world = malloc(sizeof(*world));

    if (world == NULL) {
        abort();
    }
    for (size_t i = 0; i < sweep_scenario_count; i++) {
        struct totals one = {0};
        struct totals many = {0};
        double begin = now();

        if (sweep_scenarios[i].is_like_crash && !effort->has_memo) {
            continue; /* the same flash operations as after a crash */
        }
        sweep_open(world, profile, &sweep_scenarios[i], is_ecc, effort->has_memo);
        sweep_one_cut(world, effort, &one);
        print_row(world, effort->has_memo ? "one" : "one, real", &one, begin);
        if (effort->many_runs > 0) {
            begin = now();
            world->power_ons = 0;
            sweep_many_cuts(world, effort->many_runs, (uint32_t)i + 1, &many);
            many.ops = one.ops;
            print_row(world, "two to six", &many, begin);
        }
        sweep_close(world);
    }
    free(world);
}

static void sweep_small(const struct effort *effort)
{
    struct host_profile profile;

    for (size_t i = 0; host_small_at(i) != NULL; i++) {
        host_profile_small(host_small_at(i), &profile);
        sweep_profile(&profile, i % 2 == 1, effort);
    }
}

static void sweep_memo(void)
{
    sweep_small(&(struct effort){
        .has_memo = true, .stride = 1, .torn_stride = 1, .many_runs = 300});
}

static void sweep_quick(void)
{
    sweep_small(&(struct effort){
        .has_memo = true, .stride = 7, .torn_stride = 3, .many_runs = 20});
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
        report(world);
    }
    uint64_t hash = vflash_hash(&world->device.flash);

    sweep_close(world);
    free(world);
    return hash;
}

/* K27: remembered and real signature checks agree. */
static void compare_memo_with_real(void)
{
    struct host_profile profile;

    for (size_t i = 0; host_small_at(i) != NULL; i++) {
        host_profile_small(host_small_at(i), &profile);
        for (uint32_t op = 3; op < 80; op += 19) {
            struct sweep_cut cut = cut_at(op, op % KINDS, op);

            if (final_hash(&profile, &cut, false) != final_hash(&profile, &cut, true)) {
                (void)printf("VIOLATION K27: memo and real crypto differ at op %" PRIu32
                             "\n",
                             op);
                failures++;
            }
        }
    }
}

/* Three twins stand for all: one slot, two slots with ECC, and words of 32 bytes. */
static void sweep_with_real_crypto(void)
{
    static const size_t twins[] = {0, 1, 4};
    const struct effort effort = {.stride = 1, .torn_stride = TORN_SEEDS};
    struct host_profile profile;

    compare_memo_with_real();
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
        host_profile_small(host_small_at(twins[i]), &profile);
        sweep_profile(&profile, twins[i] % 2 == 1, &effort);
    }
}

static void sweep_both(void)
{
    sweep_memo();
    sweep_with_real_crypto();
}

static void sweep_long(void)
{
    const struct effort effort = {
        .has_memo = true, .stride = 1, .torn_stride = 1, .many_runs = 3000};

    for (size_t i = 0; host_profile_at(i) != NULL; i++) {
        sweep_profile(host_profile_at(i), false, &effort);
        sweep_profile(host_profile_at(i), true, &effort);
    }
}

/* --- replay --- */

static const struct {
    const char *name;
    enum vflash_fault_kind kind;
} kind_names[] = {
    {"before", VFLASH_CUT_BEFORE},
    {"after", VFLASH_CUT_AFTER},
    {"torn", VFLASH_TORN},
    {"fail", VFLASH_FAIL},
};

static bool find_profile(const char *name, struct host_profile *profile)
{
    for (size_t i = 0; host_small_at(i) != NULL; i++) {
        host_profile_small(host_small_at(i), profile);
        if (strcmp(profile->name, name) == 0) {
            return true;
        }
    }
    if (host_profile_find(name) == NULL) {
        return false;
    }
    *profile = *host_profile_find(name);
    return true;
}

static void trace_op(void *context, const struct vflash_op *op)
{
    (void)context;
    (void)printf("  %5" PRIu32 " %-7s 0x%08" PRIX32 " %5" PRIu32 "\n", op->index,
                 op->is_erase ? "erase" : "program", op->addr, op->size);
}

static void trace_event(void *context, enum otter_program program,
                        const struct otter_event *event)
{
    (void)context;
    (void)printf("  event: program %d kind %u stage %u %u%% [%02u-%02u]\n",
                 (int)program, event->kind, event->stage, event->percent,
                 (unsigned)event->code >> 8, event->code & 0xFFU);
}

static bool parse_cut(char *text, struct sweep_cut *cut)
{
    char *kind = strchr(text, '/');
    char *seed = kind == NULL ? NULL : strchr(kind + 1, '/');

    if (seed == NULL) {
        return false;
    }
    *kind++ = '\0';
    *seed++ = '\0';
    cut->op = (uint32_t)strtoul(text, NULL, 10);
    cut->seed = (uint32_t)strtoul(seed, NULL, 10);
    for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
        if (strcmp(kind_names[i].name, kind) == 0) {
            cut->kind = kind_names[i].kind;
            return true;
        }
    }
    return false;
}

static int replay(char *id)
{
    static struct sweep_world world;
    struct host_profile profile;
    struct sweep_cut cuts[SWEEP_CUTS_MAX];
    size_t count = 0;
    char *name = strtok(id, ":");
    char *scenario_name = strtok(NULL, ":");
    char *ecc = name == NULL ? NULL : strstr(name, "+ecc");
    const struct sweep_scenario *scenario = NULL;

    if (ecc != NULL) {
        *ecc = '\0';
    }
    for (size_t i = 0; scenario_name != NULL && i < sweep_scenario_count; i++) {
        if (strcmp(sweep_scenarios[i].name, scenario_name) == 0) {
            scenario = &sweep_scenarios[i];
        }
    }
    if (scenario == NULL || !find_profile(name, &profile)) {
        (void)fprintf(stderr, "powercut: no such profile or scenario\n");
        return 2;
    }
    for (char *cut = strtok(NULL, ":"); cut != NULL; cut = strtok(NULL, ":")) {
        if (count == SWEEP_CUTS_MAX || !parse_cut(cut, &cuts[count++])) {
            (void)fprintf(stderr, "powercut: a cut is op/kind/seed\n");
            return 2;
        }
    }
    sweep_open(&world, &profile, scenario, ecc != NULL, false);
    world.device.flash.hooks.on_op = trace_op;
    world.device.hooks.on_event = trace_event;
    bool is_good = sweep_run(&world, cuts, count);

    (void)printf("%s\n", is_good ? "no violation" : world.violation);
    sweep_close(&world);
    return is_good ? 0 : 1;
}

static const struct {
    const char *option;
    void (*sweep)(void);
} modes[] = {
    {"--memo", sweep_memo},
    {"--real", sweep_with_real_crypto},
    {"--quick", sweep_quick},
    {"--long", sweep_long},
};

static void (*find_mode(int argc, char **argv))(void)
{
    for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(argv[1], modes[i].option) == 0) {
            return modes[i].sweep;
        }
    }
    return argc == 1 ? sweep_both : NULL;
}

int main(int argc, char **argv)
{
    double begin = now();
    void (*sweep)(void) = find_mode(argc, argv);

    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        return replay(argv[2]);
    }
    if (sweep == NULL) {
        (void)fprintf(
            stderr,
            "usage: powercut [--memo | --real | --quick | --long | --replay ID]\n");
        return 2;
    }
    sweep();
    (void)printf("%u violations in %.0f s\n", failures, now() - begin);
    return failures == 0 ? 0 : 1;
}
