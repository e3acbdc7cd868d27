/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sweeps share.
 */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TWIN_POWERS = 3, TWIN_FAULTS = 2 };

static unsigned failures;
static unsigned rows;
static bool stops_at_first;
static uint64_t power_ons; /* of worlds that are closed */

static bool make_twin(const struct host_small *small, struct host_profile *profile)
{
    if (small == NULL) {
        return false;
    }
    host_profile_small(small, profile);
    profile->policy.trial_powers = TWIN_POWERS;
    profile->policy.trial_faults = TWIN_FAULTS;
    return true;
}

bool report_twin(size_t index, struct host_profile *profile)
{
    return make_twin(host_small_at(index), profile);
}

bool report_on_card(size_t index, struct host_profile *profile)
{
    return make_twin(host_on_card_at(index), profile);
}

bool report_large(size_t index, struct host_profile *profile)
{
    return make_twin(host_large_at(index), profile);
}

bool report_profile(const char *name, struct host_profile *profile)
{
    for (size_t i = 0; report_twin(i, profile); i++) {
        if (strcmp(profile->name, name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; report_on_card(i, profile); i++) {
        if (strcmp(profile->name, name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; report_large(i, profile); i++) {
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
    (void)printf("  after %" PRIu64 " power-ons\n", power_ons + world->power_ons);
    report_failure();
}

void report_no_room(const struct sweep_world *world)
{
    (void)printf("%-20s%s %s: no room\n", world->sample.profile.name,
                 world->is_ecc ? "+ecc" : "    ", world->scenario->name);
}

void report_power_ons(uint64_t count)
{
    power_ons += count;
}

void report_rows(unsigned count)
{
    rows += count;
}

unsigned report_row_count(void)
{
    return rows;
}

void report_only_first(void)
{
    stops_at_first = true;
}

bool report_is_only_first(void)
{
    return stops_at_first;
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
