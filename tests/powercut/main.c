/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powercut: the proof that power can go anywhere.
 *
 *   --memo      twins of the profiles, every flash operation, cut before, after and
 *               torn in eleven ways, then sequences of two to six cuts, sampled;
 *               signature checks are remembered (K27)
 *   --real      each scenario on one of three twins, every operation, cut before, after
 *               and torn in one way that changes from operation to operation, with the
 *               real crypto, and a proof that remembered and real checks lead to the
 *               same flash
 *   --card      as --memo, on the twins whose store is a card: every operation of flash
 *               and card together, with what the card had not synced lost in each way
 *   --closure [KIND]  no end of faults, one after another, until no new state appears
 *   --quick     as --memo, every seventh operation, for slow builds
 *   --first     as --memo, up to the first violation
 *   --maps      the real maps, and those with the sectors of real chips: every
 *               operation
 *   --closure-long [KIND]  all closures on all twins, but for what closures.c says
 *   --long      --maps, --closure-long, and --real with each scenario on all three
 *   --replay ID one run, with a trace
 *
 * Without an option: --memo, --real, --card and --closure. --small N: on twin, or with
 * --maps on profile, N alone; with --closure KIND --first: up to the first violation.
 * --scenario NAME: this update alone.
 */
#include "canon.h"
#include "closures.h"
#include "cuts.h"
#include "report.h"

#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_open_closure;
static size_t only_twin = SIZE_MAX;

static bool is_wanted(size_t twin)
{
    return only_twin == SIZE_MAX || only_twin == twin;
}

static void sweep_small(const struct cuts_effort *effort)
{
    struct host_profile profile;

    for (size_t i = 0; report_twin(i, &profile); i++) {
        if (is_wanted(i)) {
            cuts_sweep(&profile, i % 2 == 1, effort);
        }
    }
}

static void sweep_on_card(const struct cuts_effort *effort)
{
    struct host_profile profile;

    for (size_t i = 0; only_twin == SIZE_MAX && report_on_card(i, &profile); i++) {
        cuts_sweep(&profile, i % 2 == 0, effort);
    }
}

static void sweep_card(const char *kind)
{
    (void)kind;
    if (report_is_only_first()) { /* next to no cuts first */
        sweep_on_card(&(struct cuts_effort){
            .has_memo = true, .stride = 29, .torn_stride = CUTS_TORN_WAYS});
    }
    sweep_on_card(&(struct cuts_effort){
        .has_memo = true, .stride = 1, .torn_stride = 1, .many_runs = 300});
}

static void sweep_memo(const char *kind)
{
    (void)kind;
    sweep_small(&(struct cuts_effort){
        .has_memo = true, .stride = 1, .torn_stride = 1, .many_runs = 300});
}

static void sweep_quick(const char *kind)
{
    const struct cuts_effort effort = {
        .has_memo = true, .stride = 7, .torn_stride = 3, .many_runs = 20};

    (void)kind;
    sweep_small(&effort);
    sweep_on_card(&effort);
}

/* For variants of the device code that are known to be bad: every scenario with next to
 * no cuts first, for mistakes that need none. */
static void sweep_first(const char *kind)
{
    sweep_small(&(struct cuts_effort){
        .has_memo = true, .stride = UINT32_MAX, .torn_stride = CUTS_TORN_WAYS});
    sweep_memo(kind);
}

/* Three twins stand for all: one slot, two slots with ECC, and words of 32 bytes. */
static const size_t real_twins[] = {0, 1, 4};

enum { REAL_TWINS = sizeof(real_twins) / sizeof(real_twins[0]), REAL_CARD_STRIDE = 7 };

/* The one that a scenario has its turn on. False if it fits on none. */
static bool find_real_twin(const struct sweep_scenario *scenario,
                           struct host_profile *profile)
{
    size_t turn = (size_t)(scenario - sweep_scenarios);

    for (size_t i = 0; i < REAL_TWINS; i++) {
        (void)report_twin(real_twins[(turn + i) % REAL_TWINS], profile);
        if (sweep_fits(scenario, profile)) {
            return true;
        }
    }
    return false;
}

static bool is_its_turn(const struct sweep_scenario *scenario,
                        const struct host_profile *profile)
{
    struct host_profile twin;

    return find_real_twin(scenario, &twin) && strcmp(twin.name, profile->name) == 0;
}

static bool needs_card(const struct sweep_scenario *scenario,
                       const struct host_profile *profile)
{
    struct host_profile twin;

    (void)profile;
    return !find_real_twin(scenario, &twin);
}

/* The scenarios are shared out among the twins, or `all` run on each. What needs a card
 * is cut at fewer operations. */
static void sweep_without_memo(bool all)
{
    struct host_profile profile;

    cuts_compare_memo();
    for (size_t i = 0; i < REAL_TWINS; i++) {
        (void)report_twin(real_twins[i], &profile);
        cuts_sweep(&profile, real_twins[i] % 2 == 1,
                   &(struct cuts_effort){.stride = 1,
                                         .torn_stride = CUTS_TORN_WAYS,
                                         .takes = all ? NULL : is_its_turn});
    }
    (void)report_on_card(0, &profile);
    cuts_sweep(&profile, true,
               &(struct cuts_effort){.stride = REAL_CARD_STRIDE,
                                     .torn_stride = CUTS_TORN_WAYS,
                                     .takes = needs_card});
}

static void sweep_real(const char *kind)
{
    (void)kind;
    sweep_without_memo(false);
}

static void sweep_closures(const char *kind)
{
    has_open_closure = !closures_run(kind, false, only_twin) || has_open_closure;
}

static void sweep_all(const char *kind)
{
    sweep_memo(kind);
    sweep_real(kind);
    sweep_card(kind);
    sweep_closures(kind);
}

static void sweep_real_maps(const char *kind)
{
    const struct cuts_effort effort = {
        .has_memo = true, .stride = 1, .torn_stride = 1, .many_runs = 1000};
    const struct cuts_effort sampled = {
        .has_memo = true, .stride = 1, .torn_stride = 5, .many_runs = 100};
    struct host_profile profile;

    (void)kind;
    for (size_t i = 0; host_profile_at(i) != NULL; i++) {
        if (is_wanted(i)) {
            cuts_sweep(host_profile_at(i), false, &effort);
            cuts_sweep(host_profile_at(i), true, &effort);
        }
    }
    for (size_t i = 0; only_twin == SIZE_MAX && report_large(i, &profile); i++) {
        cuts_sweep(&profile, i % 2 == 1, &sampled);
    }
}

static void sweep_all_closures(const char *kind)
{
    has_open_closure = !closures_run(kind, true, only_twin) || has_open_closure;
}

/* The closures, which are many processes, beside the maps, which are one. */
static void sweep_long(const char *kind)
{
    int status = 1;
    pid_t closures = fork();

    if (closures < 0) {
        abort();
    }
    if (closures == 0) {
        sweep_all_closures(kind);
        exit(has_open_closure ? 1 : 0);
    }
    sweep_real_maps(kind);
    sweep_without_memo(true);
    has_open_closure =
        waitpid(closures, &status, 0) < 0 || status != 0 || has_open_closure;
}

/* --- replay --- */

static void trace_event(void *context, enum otter_program program,
                        const struct otter_event *event)
{
    (void)context;
    (void)printf("  event: program %d kind %u stage %u %u%% [%02u-%02u]\n",
                 (int)program, event->kind, event->stage, event->percent,
                 (unsigned)event->code >> 8, event->code & 0xFFU);
}

/* The journal as replay finds it, between two steps of a run. */
static void print_step(struct sweep_world *world)
{
    struct canon canon;

    canon_open(&canon, &world->device.flash, &world->sample.profile.map);
    (void)fputs("  journal:", stdout);
    canon_print_log(&canon, stdout);
    canon_close(&canon);
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
    const struct sweep_scenario *scenario =
        scenario_name == NULL ? NULL : sweep_find_scenario(scenario_name);

    if (ecc != NULL) {
        *ecc = '\0';
    }
    if (scenario == NULL || !report_profile(name, &profile)) {
        (void)fprintf(stderr, "powercut: no such profile or scenario\n");
        return 2;
    }
    for (char *cut = strtok(NULL, ":"); cut != NULL; cut = strtok(NULL, ":")) {
        if (count == SWEEP_CUTS_MAX || !sweep_parse_cut(cut, &cuts[count++])) {
            (void)fprintf(stderr, "powercut: a cut is op/kind/seed\n");
            return 2;
        }
    }
    sweep_open(&world, &profile, scenario, ecc != NULL, false);
    if (!world.is_on_card) {
        world.device.flash.hooks.on_op = sweep_trace_op;
    }
    world.has_trace = true;
    world.on_step = print_step;
    world.device.hooks.on_event = trace_event;
    bool is_good = sweep_run(&world, cuts, count);

    (void)printf("%s\n", is_good ? "no violation" : world.violation);
    sweep_close(&world);
    return is_good ? 0 : 1;
}

static const struct mode {
    const char *option;
    void (*sweep)(const char *kind);
    bool takes_kind;
} modes[] = {
    {"--memo", sweep_memo, false},
    {"--real", sweep_real, false},
    {"--quick", sweep_quick, false},
    {"--closure", sweep_closures, true},
    {"--closure-long", sweep_all_closures, true},
    {"--card", sweep_card, false},
    {"--maps", sweep_real_maps, false},
    {"--long", sweep_long, false},
};

/* What the command line asks for. */
struct wish {
    void (*sweep)(const char *kind);
    const char *kind;
    char *replay;
    bool is_first;
};

static const struct mode *find_mode(const char *option)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(option, modes[i].option) == 0) {
            return &modes[i];
        }
    }
    return NULL;
}

static bool read_wish(int argc, char **argv, struct wish *wish)
{
    for (int i = 1; i < argc; i++) {
        const struct mode *mode = find_mode(argv[i]);
        bool has_more = i + 1 < argc;

        if (strcmp(argv[i], "--first") == 0) {
            wish->is_first = true;
        } else if (strcmp(argv[i], "--small") == 0 && has_more) {
            only_twin = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--scenario") == 0 && has_more) {
            if (!sweep_only(argv[++i])) {
                return false;
            }
        } else if (strcmp(argv[i], "--replay") == 0 && has_more) {
            wish->replay = argv[++i];
        } else if (mode != NULL) {
            wish->sweep = mode->sweep;
            wish->kind = mode->takes_kind && has_more && argv[i + 1][0] != '-'
                             ? argv[++i]
                             : NULL;
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    double begin = report_seconds();
    struct wish wish = {0};

    /* Images come and go; what they take is kept. */
    (void)mallopt(M_MMAP_THRESHOLD, INT_MAX);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    if (!read_wish(argc, argv, &wish)) {
        (void)fprintf(
            stderr,
            "usage: powercut [--memo | --real | --card | --closure [KIND] | --quick | "
            "--maps | --closure-long [KIND] | --long | --replay ID] [--first] "
            "[--small N] [--scenario NAME]\n");
        return 2;
    }
    if (wish.replay != NULL) {
        return replay(wish.replay);
    }
    if (wish.is_first) {
        report_only_first();
        wish.sweep = wish.sweep == NULL ? sweep_first : wish.sweep;
    }
    (wish.sweep == NULL ? sweep_all : wish.sweep)(wish.kind);
    if (report_row_count() == 0) {
        (void)fputs(
            "powercut: nothing to do: no such memory and scenario, or no room\n",
            stderr);
        return 2;
    }
    bool is_good = report_count() == 0 && !has_open_closure;

    (void)printf("%s in %.0f s\n", is_good ? "0 violations" : "VIOLATIONS",
                 report_seconds() - begin);
    return is_good ? 0 : 1;
}
