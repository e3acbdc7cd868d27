/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: the control packets of the current and of the other system on flash, two
 * slots of two copies each, every copy in sectors of its own (K1). Bytes:
 * docs/SPEC.md, "Receipts".
 */
#ifndef OTTER_RECEIPT_H
#define OTTER_RECEIPT_H

#include "otter/control.h"
#include "otter/io.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    OTTER_RECEIPT_HEAD_SIZE = 32,
    OTTER_RECEIPT_HASH_OFF = 32 + OTTER_CONTROL_MAX,
    OTTER_RECEIPT_HASH_SIZE = 64,
    OTTER_RECEIPT_SIZE = 32 + OTTER_CONTROL_MAX + 64,
    OTTER_RECEIPT_COPIES = 2,
};

/* Where a copy lies in the receipts' region: each takes a quarter of it, rounded down
 * to sectors. 28-16 if one does not fit. */
OTTER_MUST_CHECK enum otter_result otter_receipt_place(const struct otter_io *io,
                                                       uint8_t slot, uint8_t copy,
                                                       uint32_t *off, uint32_t *size);

/* Encodes the head of a copy, and the unit that holds the package hash. */
void otter_receipt_head(uint16_t control_length, uint32_t control_crc,
                        uint8_t head[OTTER_RECEIPT_HEAD_SIZE]);
void otter_receipt_hash_unit(const uint8_t hash[OTTER_SHA256_SIZE],
                             uint8_t unit[OTTER_RECEIPT_HASH_SIZE]);

/* A copy that reads whole: its place and what it holds. */
struct otter_receipt {
    struct otter_span span; /* the control packet's bytes */
    uint16_t length;        /* of the control packet */
    bool has_hash;          /* the package hash stands */
    uint8_t hash[OTTER_SHA256_SIZE];
};

/* Opens one copy: head and CRC right. 29-11 if not. The signature is not checked here.
 */
OTTER_MUST_CHECK enum otter_result otter_receipt_open(const struct otter_io *io,
                                                      uint8_t slot, uint8_t copy,
                                                      struct otter_receipt *receipt);

#ifdef __cplusplus
}
#endif

#endif
