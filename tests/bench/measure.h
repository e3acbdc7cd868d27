/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One update of a real profile, measured: what is written and erased in each of its
 * parts, what is sent again after a drop or a cut, what a roll back costs.
 */
#ifndef OTTER_BENCH_MEASURE_H
#define OTTER_BENCH_MEASURE_H

#include "product.h"

#include <stdint.h>

/* The parts of an update. */
enum bench_part {
    BENCH_RECEIVE, /* from the first byte to "complete" */
    BENCH_INSTALL, /* from the request to the trial */
    BENCH_AFTER,   /* trial, then confirm or roll back */
    BENCH_PARTS,
};

/* What a part did to flash. State: journal and receipts; payload: all else. */
struct bench_tally {
    uint64_t payload_bytes;
    uint64_t payload_erases;
    uint64_t state_bytes;
    uint64_t state_erases;
    uint64_t ns; /* simulated time of all its programs and erases */
};

struct bench_figures {
    uint32_t image_size;
    uint32_t package_size;
    uint32_t sector_size; /* of the store */
    struct bench_tally parts[BENCH_PARTS];
    struct bench_tally all;
    struct bench_tally roll_back; /* AFTER of a system that crashes */
    uint32_t erases_max;          /* of one payload sector */
    uint32_t state_erases_max;    /* of one sector of journal or receipts */
    uint32_t cut_erases_max; /* of one payload sector, with one cut in the install */
    uint32_t roll_back_erases_max;
    uint64_t bare_ns;     /* erasing and programming the image's sectors once */
    uint64_t must_ns;     /* the same of all that the plan writes after reception */
    uint32_t drop_resent; /* most bytes sent again after a link drop */
    uint32_t cut_resent;  /* most acknowledged bytes sent again after a power cut */
    uint32_t cuts;        /* power cuts tried, in transfer and in install */
    uint64_t region_erases[OTTER_REGION_ID_COUNT]; /* of the update, by region id */
    uint32_t memory; /* most RAM that a member's coding needs */
};

enum { BENCH_CHUNK = 512 };

/* Measures one update without a cut, a drop or a roll back. The only one for a device
 * that installs from its card, whose own time is not counted. */
void bench_measure_once(const struct bench_product *product,
                        struct bench_figures *figures);

/* Measures; ends the process if an update does not end as it must. */
void bench_measure(const struct bench_product *product, struct bench_figures *figures);

#endif
