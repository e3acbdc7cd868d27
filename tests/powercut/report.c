/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sweeps share.
 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TWIN_POWERS = 3, TWIN_FAULTS = 2 };

static unsigned failures;
static bool stops_at_first;

bool report_twin(size_t index, struct host_profile *profile)
{
    if (host_small_at(index) == NULL) {
        return false;
    }
    host_profile_small(host_small_at(index), profile);
    profile->policy.trial_powers = TWIN_POWERS;
    profile->policy.trial_faults = TWIN_FAULTS;
    return true;
}

bool report_profile(const char *name, struct host_profile *profile)
{
    for (size_t i = 0; report_twin(i, profile); i++) {
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

void report_failure(void)
{
    (void)fflush(stdout);
    failures++;
    if (stops_at_first) {
        exit(1);
    }
}

void report_violation(const struct sweep_world *world)
{
    char id[SWEEP_ID_MAX];

    sweep_replay_id(world, id, sizeof(id));
    (void)printf("VIOLATION %s\n  replay: make powercut REPLAY=%s\n", world->violation,
                 id);
    report_failure();
}

void report_only_first(void)
{
    stops_at_first = true;
}

unsigned report_count(void)
{
    return failures;
}

double report_seconds(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
