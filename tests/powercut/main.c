/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powercut: the proof that power can go anywhere.
 *
 *   --memo      twins of the profiles, every flash operation, cut before, after and
 * torn in eleven ways, then sequences of two to six cuts, sampled; signature checks are
 * remembered (K27)
 *   --real      three of the twins, every operation, cut before, after and torn in one
 *               way that changes from operation to operation, with the real crypto, and
 *               a proof that remembered and real checks lead to the same flash
 *   --closure [KIND]  no end of faults, one after another, until no new state appears
 *   --quick     as --memo, every seventh operation, for slow builds
 *   --first     as --memo, up to the first violation
 *   --long      the real maps, every operation; then the closures on all twins
 *   --replay ID one run, with a trace
 *
 * Without an option: --memo, --real and --closure.
 */
#include "closures.h"
#include "cuts.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_open_closure;

static void sweep_small(const struct cuts_effort *effort)
{
    struct host_profile profile;

    for (size_t i = 0; report_twin(i, &profile); i++) {
        cuts_sweep(&profile, i % 2 == 1, effort);
    }
}

static void sweep_memo(const char *kind)
{
    (void)kind;
    sweep_small(&(struct cuts_effort){
        .has_memo = true, .stride = 1, .torn_stride = 1, .many_runs = 300});
}

static void sweep_quick(const char *kind)
{
    (void)kind;
    sweep_small(&(struct cuts_effort){
        .has_memo = true, .stride = 7, .torn_stride = 3, .many_runs = 20});
}

/* For variants of the device code that are known to be bad. */
static void sweep_first(const char *kind)
{
    report_only_first();
    sweep_memo(kind);
}

/* Three twins stand for all: one slot, two slots with ECC, and words of 32 bytes. */
static void sweep_real(const char *kind)
{
    static const size_t twins[] = {0, 1, 4};
    const struct cuts_effort effort = {.stride = 1, .torn_stride = CUTS_TORN_WAYS};
    struct host_profile profile;

    (void)kind;
    cuts_compare_memo();
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
        (void)report_twin(twins[i], &profile);
        cuts_sweep(&profile, twins[i] % 2 == 1, &effort);
    }
}

static void sweep_closures(const char *kind)
{
    has_open_closure = !closures_run(kind, false) || has_open_closure;
}

static void sweep_all(const char *kind)
{
    sweep_memo(kind);
    sweep_real(kind);
    sweep_closures(kind);
}

static void sweep_long(const char *kind)
{
    const struct cuts_effort effort = {
        .has_memo = true, .stride = 1, .torn_stride = 1, .many_runs = 3000};

    for (size_t i = 0; host_profile_at(i) != NULL; i++) {
        cuts_sweep(host_profile_at(i), false, &effort);
        cuts_sweep(host_profile_at(i), true, &effort);
    }
    has_open_closure = !closures_run(kind, true) || has_open_closure;
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
    world.device.flash.hooks.on_op = sweep_trace_op;
    world.has_trace = true;
    world.device.hooks.on_event = trace_event;
    bool is_good = sweep_run(&world, cuts, count);

    (void)printf("%s\n", is_good ? "no violation" : world.violation);
    sweep_close(&world);
    return is_good ? 0 : 1;
}

static const struct mode {
    const char *option;
    void (*sweep)(const char *kind);
} modes[] = {
    {"--memo", sweep_memo},   {"--real", sweep_real},   {"--closure", sweep_closures},
    {"--quick", sweep_quick}, {"--first", sweep_first}, {"--long", sweep_long},
};

static const struct mode all = {"", sweep_all};

static const struct mode *find_mode(int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(argv[1], modes[i].option) == 0 &&
            (argc == 2 || (argc == 3 && modes[i].sweep == sweep_closures))) {
            return &modes[i];
        }
    }
    return argc == 1 ? &all : NULL;
}

int main(int argc, char **argv)
{
    double begin = report_seconds();
    const struct mode *mode = find_mode(argc, argv);

    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        return replay(argv[2]);
    }
    if (mode == NULL) {
        (void)fprintf(stderr,
                      "usage: powercut [--memo | --real | --closure [KIND] | --quick | "
                      "--first | --long | --replay ID]\n");
        return 2;
    }
    mode->sweep(argc == 3 ? argv[2] : NULL);
    bool is_good = report_count() == 0 && !has_open_closure;

    (void)printf("%s in %.0f s\n", is_good ? "0 violations" : "VIOLATIONS",
                 report_seconds() - begin);
    return is_good ? 0 : 1;
}
