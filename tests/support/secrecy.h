/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A search for secrets: strings of bytes of which no run of 16 may be found where they
 * do not belong (K26). A run counts if it has at least 8 distinct values: zeros and
 * padding are nobody's secret.
 */
#ifndef OTTER_TEST_SECRECY_H
#define OTTER_TEST_SECRECY_H

#include "vflash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SECRECY_RUN = 16,
    SECRECY_DISTINCT = 8,
    SECRECY_PLACES = 1 << 15, /* runs that can be kept: less than half of it */
    SECRECY_CLEAN = 1 << 14,  /* sectors that are remembered as searched */
};

/* A table of runs. Start with zeros. */
struct secrecy {
    size_t count;
    bool pairs[1 << 16];   /* the first two bytes of some run */
    uint64_t filter[1024]; /* bit: some run's hash begins so */
    uint64_t places[SECRECY_PLACES];
    uint64_t clean[SECRECY_CLEAN]; /* hashes of sectors that hold none of the runs */
};

/* Every run of `bytes` is a secret from now on. Aborts if there are too many. */
void secrecy_add(struct secrecy *secrecy, const uint8_t *bytes, size_t size);

/* True if `bytes` hold a secret run; `at` is where the first begins. */
bool secrecy_finds(const struct secrecy *secrecy, const uint8_t *bytes, size_t size,
                   size_t *at);

/* True if a span of whole sectors of `flash`, inside areas that touch, holds a secret
 * run. A sector that was searched once is known again by its hash. */
bool secrecy_finds_in_flash(struct secrecy *secrecy, struct vflash *flash,
                            uint32_t addr, uint32_t size);

#endif
