/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of closures, and the processes that run it.
 */
#include "closures.h"

#include "closure.h"
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Kinds of fault. Scenarios that differ in the cause of resets alone are left out, and
 * of unstable memory all but the first two where there is no time. */
static const struct kind {
    const char *name;
    unsigned faults;
    bool is_ecc;
    size_t scenarios; /* of a short run, 0: all */
} kinds[] = {
    {.name = "torn", .faults = CLOSURE_CUT | CLOSURE_TORN},
    {.name = "ecc", .faults = CLOSURE_CUT | CLOSURE_TORN, .is_ecc = true},
    {.name = "unstable",
     .faults = CLOSURE_CUT | CLOSURE_TORN | CLOSURE_UNSTABLE,
     .scenarios = 2},
    {.name = "bad", .faults = CLOSURE_CUT | CLOSURE_BAD},
    {.name = "flip", .faults = CLOSURE_CUT | CLOSURE_FLIP},
};

enum {
    KINDS = sizeof(kinds) / sizeof(kinds[0]),
    SHORT_TWINS = 2,
    FLIP_STRIDE = 17, /* of a short run; a prime */
    CANON_STRIDE = 50,
    JOBS_MAX = 64,
};

static bool close_one(const struct host_profile *profile, const struct kind *kind,
                      const struct sweep_scenario *scenario, bool is_long)
{
    const struct closure_effort effort = {.faults = kind->faults,
                                          .unstable_max = 1,
                                          .flip_stride = is_long ? 1 : FLIP_STRIDE,
                                          .canon_stride = CANON_STRIDE};
    struct sweep_world *world = malloc(sizeof(*world));
    double begin = report_seconds();

    if (world == NULL) {
        abort();
    }
    sweep_open(world, profile, scenario, kind->is_ecc, true);
    struct closure_result result = closure_run(world, &effort);

    (void)printf("%-16s %-8s %-13s %6zu states %9" PRIu64 " transitions %7" PRIu64
                 " power-ons %4" PRIu64 " compared %6.1f s  %s\n",
                 profile->name, kind->name, scenario->name, result.states,
                 result.transitions, result.power_ons, result.compared,
                 report_seconds() - begin, result.is_closed ? "closed" : "NOT CLOSED");
    if (!result.is_good) {
        report_violation(world);
    }
    (void)fflush(stdout);
    bool is_closed = result.is_good && result.is_closed;

    sweep_close(world);
    free(world);
    return is_closed;
}

/* Runs every `jobs`-th row, from `job` on. */
static bool run_rows(const char *wanted, bool is_long, size_t job, size_t jobs)
{
    struct host_profile profile;
    bool is_good = true;
    size_t row = 0;

    for (size_t k = 0; k < KINDS; k++) {
        const struct kind *kind = &kinds[k];
        size_t limit =
            is_long || kind->scenarios == 0 ? sweep_scenario_count : kind->scenarios;

        if (wanted != NULL && strcmp(wanted, kind->name) != 0) {
            continue;
        }
        for (size_t s = 0; s < limit; s++) {
            if (sweep_scenarios[s].is_like_crash) {
                continue;
            }
            for (size_t t = 0; report_twin(t, &profile); t++) {
                if ((is_long || t < SHORT_TWINS) && row++ % jobs == job) {
                    is_good = close_one(&profile, kind, &sweep_scenarios[s], is_long) &&
                              is_good;
                }
            }
        }
    }
    return is_good && row > 0;
}

static size_t processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > JOBS_MAX ? JOBS_MAX : (size_t)count;
}

bool closures_run(const char *kind, bool is_long)
{
    size_t jobs = processors();
    pid_t workers[JOBS_MAX];
    bool is_good = true;

    (void)fflush(stdout);
    for (size_t i = 0; i < jobs; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            exit(run_rows(kind, is_long, i, jobs) ? 0 : 1);
        }
    }
    for (size_t i = 0; i < jobs; i++) {
        int status = 1;

        is_good = workers[i] > 0 && waitpid(workers[i], &status, 0) == workers[i] &&
                  status == 0 && is_good;
    }
    return is_good;
}
