/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rewriting one copy of a receipt, or of the flash table, from the other one: how a
 * transfer makes its second copy, and how the manager mends a damaged one (K1, K8).
 * At every instant the copy that is read is whole.
 */
#ifndef OTTER_REPAIR_H
#define OTTER_REPAIR_H

#include "otter/device.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct otter_rewriting {
    struct otter_device *device;

    /* Private. */
    uint8_t step;
    uint8_t region;    /* receipts or table */
    uint32_t from_off; /* in the region: the whole copy */
    uint32_t to_off;   /* in the region: the one to be rewritten */
    uint32_t to_size;  /* its sectors */
    uint32_t cursor;
    uint8_t part; /* index of the span under way */
    struct {
        uint32_t off; /* in the copy */
        uint32_t size;
    } spans[3]; /* what is copied, in this order; size 0: nothing */
    uint32_t taken;
    uint32_t given;
};

/* Prepares to rewrite copy `copy` of receipt slot `slot` from the other copy: control
 * packet, then head, then package hash if it has one and `with_hash`. 29-11 if the
 * other copy is not whole. Writes nothing. */
OTTER_MUST_CHECK enum otter_result otter_rewriting_receipt(
    struct otter_rewriting *rewriting, struct otter_device *device, uint8_t slot,
    uint8_t copy, bool with_hash);

/* The same for copy `copy` of the flash table; the other one is the device's. */
OTTER_MUST_CHECK enum otter_result otter_rewriting_table(
    struct otter_rewriting *rewriting, struct otter_device *device, uint8_t copy);

/* At most one flash operation. Seals the journal's state before the first erase and
 * after the last one. */
OTTER_MUST_CHECK enum otter_result otter_rewriting_step(
    struct otter_rewriting *rewriting, bool *is_done);

#ifdef __cplusplus
}
#endif

#endif
