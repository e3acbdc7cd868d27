/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of closures, and the processes that run it.
 */
#include "closures.h"

#include "closure.h"
#include "report.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Kinds of fault. Scenarios that differ in the cause of resets alone are left out. Of
 * unstable memory, which has some hundred thousand states, only the first twin of each
 * strategy takes all scenarios, in a long run; everywhere else one stands for them. So
 * it is with bad sectors, but that a short run takes them all there; and after a bit
 * has flipped power fails again on these two alone.
 * Those that mix what others have apart meet the first kind alone in a short run. With
 * a card, which has ten times the states, a short run closes one scenario; bad sectors
 * meet one, on the first card, in a long run. */
static const struct kind {
    const char *name;
    unsigned faults;
    bool is_ecc;
    const char *only;      /* scenario that stands for all, NULL: all of them; */
    const char *elsewhere; /* and that on other memories than the first two */
    bool has_cards;        /* also where the store is a card */
} kinds[] = {
    {.name = "torn", .faults = CLOSURE_CUT | CLOSURE_TORN, .has_cards = true},
    {.name = "ecc",
     .faults = CLOSURE_CUT | CLOSURE_TORN,
     .is_ecc = true,
     .has_cards = true},
    {.name = "unstable",
     .faults = CLOSURE_CUT | CLOSURE_TORN | CLOSURE_UNSTABLE,
     .only = "crash",
     .elsewhere = "damaged"},
    {.name = "bad",
     .faults = CLOSURE_CUT | CLOSURE_BAD,
     .elsewhere = "crash",
     .has_cards = true},
    {.name = "flip", .faults = CLOSURE_CUT | CLOSURE_FLIP},
};

enum {
    KINDS = sizeof(kinds) / sizeof(kinds[0]),
    FIRST_TWINS = 2,        /* one of each strategy; the only ones of a short run */
    FLIP_STRIDE = 37,       /* a prime */
    FLIP_STRIDE_LONG = 401, /* where ten times as many states are told apart */
    FLIP_CUT_STRIDE = 797,  /* another */
    CANON_STRIDE = 50,
    JOBS_MAX = 64,
};

/* One closure. */
struct row {
    const struct host_profile *profile;
    const struct kind *kind;
    const struct sweep_scenario *scenario;
    struct closure_effort effort;
};

static bool close_row(const struct row *row)
{
    struct sweep_world *world = malloc(sizeof(*world));
    double begin = report_seconds();

    if (world == NULL) {
        abort();
    }
    sweep_open(world, row->profile, row->scenario, row->kind->is_ecc, true);
    if (sweep_may_lack_room(row->scenario) && !sweep_has_room(world)) {
        report_no_room(world);
        sweep_close(world);
        free(world);
        return true;
    }
    struct closure_result result = closure_run(world, &row->effort);

    (void)printf("%-16s %-8s %-13s %6zu states %9" PRIu64 " transitions %7" PRIu64
                 " power-ons %4" PRIu64 " compared %6.1f s  %s\n",
                 row->profile->name, row->kind->name, row->scenario->name,
                 result.states, result.transitions, result.power_ons, result.compared,
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

static size_t twin_count(void)
{
    struct host_profile profile;
    size_t count = 0;

    while (report_twin(count, &profile)) {
        count++;
    }
    return count;
}

/* The twins, then those whose store is a card. */
static bool twin_at(size_t index, struct host_profile *profile)
{
    return index < twin_count() ? report_twin(index, profile)
                                : report_on_card(index - twin_count(), profile);
}

/* Which rows are to be run. */
struct choice {
    const char *kind; /* NULL: all */
    size_t twin;      /* SIZE_MAX: those of a short or long run */
    bool is_long;
};

static bool is_chosen(const struct choice *choice, size_t twin)
{
    return choice->twin == SIZE_MAX ? choice->is_long || twin < FIRST_TWINS
                                    : choice->twin == twin;
}

static bool is_thorough(const struct choice *choice, size_t twin)
{
    return choice->is_long && twin < FIRST_TWINS;
}

static bool is_wanted(const struct choice *choice, const struct kind *kind,
                      const struct sweep_scenario *scenario, size_t twin)
{
    const char *only = is_thorough(choice, twin) ? NULL
                       : twin < FIRST_TWINS      ? kind->only
                                                 : kind->elsewhere;

    return is_chosen(choice, twin) && !scenario->is_like_crash &&
           (choice->is_long || !scenario->is_for_long) &&
           (choice->is_long || !scenario->is_mixed || kind == &kinds[0]) &&
           (only == NULL || strcmp(only, scenario->name) == 0);
}

/* Files of a tree are independent of each other, so their states multiply: not for a
 * closure. */
static bool writes_files(const struct sweep_scenario *scenario)
{
    return scenario->adds_tree || scenario->is_followed ||
           (scenario->has_tree && !scenario->drops_tree);
}

static bool is_wanted_on_card(const struct choice *choice, const struct kind *kind,
                              const struct sweep_scenario *scenario, size_t card)
{
    bool is_first = card == 0 && kind == &kinds[0] && scenario == &sweep_scenarios[0];
    bool is_meant = kind->elsewhere == NULL ||
                    (card == 0 && strcmp(kind->elsewhere, scenario->name) == 0);

    return kind->has_cards && is_meant && !scenario->is_like_crash &&
           !writes_files(scenario) &&
           (choice->twin == SIZE_MAX ? choice->is_long || is_first
                                     : choice->twin == twin_count() + card);
}

static bool is_row(const struct choice *choice, const struct kind *kind,
                   const struct sweep_scenario *scenario, size_t twin,
                   const struct host_profile *profile)
{
    bool is_asked = twin < twin_count() ? is_wanted(choice, kind, scenario, twin)
                                        : is_wanted_on_card(choice, kind, scenario,
                                                            twin - twin_count());

    return is_asked && sweep_is_asked_for(scenario) && sweep_fits(scenario, profile);
}

static struct closure_effort effort_for(const struct choice *choice,
                                        const struct kind *kind, size_t twin)
{
    bool is_fine = is_thorough(choice, twin);

    return (struct closure_effort){
        .faults = kind->faults,
        .unstable_max = 1,
        .flip_stride = is_fine ? FLIP_STRIDE_LONG : FLIP_STRIDE,
        .is_exact_at_rest = is_fine,
        .flip_cut_stride = twin < FIRST_TWINS ? FLIP_CUT_STRIDE : 0,
        .canon_stride = report_is_only_first() ? 0 : CANON_STRIDE};
}

/* Calls `visit` for each row. */
static void visit_rows(const struct choice *choice,
                       void (*visit)(void *context, const struct row *row),
                       void *context)
{
    struct host_profile profile;

    for (size_t k = 0; k < KINDS; k++) {
        if (choice->kind != NULL && strcmp(choice->kind, kinds[k].name) != 0) {
            continue;
        }
        for (size_t s = 0; s < sweep_scenario_count; s++) {
            for (size_t t = 0; twin_at(t, &profile); t++) {
                const struct row row = {&profile, &kinds[k], &sweep_scenarios[s],
                                        effort_for(choice, &kinds[k], t)};

                if (is_row(choice, row.kind, row.scenario, t, &profile)) {
                    visit(context, &row);
                }
            }
        }
    }
}

static void count_row(void *context, const struct row *row)
{
    (void)row;
    ++*(unsigned *)context;
}

/* Takes the rows that no other worker has taken. */
struct worker {
    atomic_size_t *next; /* the one to take next, shared by all of them */
    size_t mine;         /* the one that this one takes next */
    size_t row;          /* the one that is visited next */
    bool is_good;
};

static void take_row(void *context, const struct row *row)
{
    struct worker *worker = context;

    if (worker->row++ == worker->mine) {
        worker->is_good = close_row(row) && worker->is_good;
        worker->mine = atomic_fetch_add(worker->next, 1);
    }
}

static bool run_rows(const struct choice *choice, atomic_size_t *next)
{
    struct worker worker = {
        .next = next, .mine = atomic_fetch_add(next, 1), .is_good = true};

    visit_rows(choice, take_row, &worker);
    return worker.is_good;
}

static size_t processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > JOBS_MAX ? JOBS_MAX : (size_t)count;
}

/* Waits for one worker; if the first violation is enough, it ends the others. */
static bool wait_for_one(const pid_t *workers, size_t jobs)
{
    int status = 1;
    bool is_good = wait(&status) > 0 && status == 0;

    for (size_t i = 0; !is_good && report_is_only_first() && i < jobs; i++) {
        (void)kill(workers[i], SIGTERM);
    }
    return is_good;
}

bool closures_run(const char *kind, bool is_long, size_t twin)
{
    const struct choice choice = {.kind = kind, .twin = twin, .is_long = is_long};
    size_t jobs = processors();
    unsigned rows = 0;
    pid_t workers[JOBS_MAX];
    bool is_good = true;
    atomic_size_t *next = mmap(NULL, sizeof(*next), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (next == MAP_FAILED) {
        abort();
    }
    visit_rows(&choice, count_row, &rows);
    report_rows(rows);
    (void)fflush(stdout);
    for (size_t i = 0; i < jobs; i++) {
        workers[i] = fork();
        if (workers[i] < 0) {
            abort();
        }
        if (workers[i] == 0) {
            exit(run_rows(&choice, next) ? 0 : 1);
        }
    }
    for (size_t i = 0; i < jobs; i++) {
        is_good = wait_for_one(workers, jobs) && is_good;
    }
    (void)munmap(next, sizeof(*next));
    return is_good;
}
