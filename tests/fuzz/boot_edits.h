/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attacker with a programmer, or age, does to a flash: a list of edits of its
 * regions, decoded from the fuzzer's bytes.
 */
#ifndef OTTER_FUZZ_BOOT_EDITS_H
#define OTTER_FUZZ_BOOT_EDITS_H

#include "boot_bases.h"

#include "otter/bytes.h"

/* What was done, for the checks that depend on it. */
struct boot_damage {
    uint32_t regions; /* bit id: bytes of it were changed */
    uint64_t sectors; /* bit: number of the sector in the flash */
    bool is_forged;   /* CRCs were made right, or bytes of another time put in */
};

/* The number of the sector at `addr`. */
unsigned boot_sector(const struct boot_base *base, uint32_t addr);

/* Which CRCs are made right after all edits. */
enum {
    BOOT_SEAL_JOURNAL = 1,
    BOOT_SEAL_RECEIPTS = 2,
    BOOT_SEAL_TABLE = 4,
};

/* Makes all sectors of the base's device good again. */
void boot_mend(struct boot_base *base);

/* Reads edits until the bytes end, and does them to the base's device. */
struct boot_damage boot_edit(struct boot_base *base, uint8_t kind, uint8_t seals,
                             struct otter_reader *reader);

#endif
