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
    uint8_t region; /* receipts or table */
    uint8_t from_region;
    uint32_t from_off; /* in that region: the whole copy, or a table's content */
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
    uint8_t head[OTTER_TABLE_CONTENT_OFF]; /* of a table */
};

/* Prepares to rewrite copy `copy` of receipt slot `slot` from the other copy: control
 * packet, then head, then package hash if it has one and `with_hash`. 29-11 if the
 * other copy is not whole. Writes nothing. */
OTTER_MUST_CHECK enum otter_result otter_rewriting_receipt(
    struct otter_rewriting *rewriting, struct otter_device *device, uint8_t slot,
    uint8_t copy, bool with_hash);

/* Prepares to write a flash table to place `place` of its region from its content,
 * `size` bytes at `content`, which must not lie there. 28-12 if it does not fit; codes
 * of reading. Writes nothing. */
OTTER_MUST_CHECK enum otter_result otter_rewriting_table(
    struct otter_rewriting *rewriting, struct otter_device *device, uint8_t place,
    const struct otter_span *content, uint32_t size, uint32_t sequence);

/* The same for the device's own table, from wherever else it is. 23-18 if it is
 * nowhere.
 */
OTTER_MUST_CHECK enum otter_result otter_rewriting_own(
    struct otter_rewriting *rewriting, struct otter_device *device, uint8_t place);

/* After a step of a table has failed with `result`: true if that was the flash of its
 * place, and there is another one. The place is passed over until power-on. */
bool otter_rewriting_finds_other(const struct otter_rewriting *rewriting,
                                 enum otter_result result);

/* At most one flash operation. Seals the journal's state before the first erase and
 * after the last one. */
OTTER_MUST_CHECK enum otter_result otter_rewriting_step(
    struct otter_rewriting *rewriting, bool *is_done);

#ifdef __cplusplus
}
#endif

#endif
