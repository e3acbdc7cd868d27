/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closures that are run: twins x kinds of fault x scenarios.
 */
#ifndef OTTER_CLOSURES_H
#define OTTER_CLOSURES_H

#include <stdbool.h>
#include <stddef.h>

/* Runs them in as many processes as there are processors, a row printed each. `kind`:
 * of fault, NULL for all. All twins, and all scenarios, if `is_long`; else the first
 * twin of each strategy, or twin `twin` alone unless it is SIZE_MAX. False if a promise
 * was broken or a closure was given up; says so and exits with 2 if there is none. */
bool closures_run(const char *kind, bool is_long, size_t twin);

#endif
