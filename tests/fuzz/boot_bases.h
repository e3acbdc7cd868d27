/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states that an attack on boot starts from: real updates of the small twins, cut
 * where they are most vulnerable; and the same twins with a foreign maker's images,
 * which must never run. Made once, when a fuzz target starts.
 */
#ifndef OTTER_FUZZ_BOOT_BASES_H
#define OTTER_FUZZ_BOOT_BASES_H

#include "world.h"

/* A cut in the middle of an update. */
struct boot_base {
    const char *name;
    struct world *world; /* shared by the bases of one twin and one package */
    struct vflash_image image;
    uint8_t *content; /* of the whole flash */
    bool is_whole;    /* the old or the new application is whole, whatever comes */
};

enum { BOOT_BASE_COUNT = 18, BOOT_FIRMWARES = 3, BOOT_SECTORS_MAX = 64 };

/* Base `index` (modulo their number) of the single-slot or the A/B twin. */
struct boot_base *boot_base_at(bool is_ab, uint8_t index);

/* The whole flash of the twin with a foreign maker's system: newer, whole, and signed
 * by a key that the device does not know, perhaps under the name of one that it does.
 */
const uint8_t *boot_foreign(bool is_ab, bool claims_key);

/* A package newer than that of the updates; signed by the maker. */
const struct sample_package *boot_newest(bool is_ab);

#endif
