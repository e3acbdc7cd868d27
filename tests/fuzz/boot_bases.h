/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states that an attack on boot starts from: real updates of the small twins, cut
 * where they are most vulnerable; and the same twins with a foreign maker's images,
 * which must never run. Made once, when a fuzz target starts.
 */
#ifndef OTTER_FUZZ_BOOT_BASES_H
#define OTTER_FUZZ_BOOT_BASES_H

#include "world.h"

/* A twin is one of these, or both. */
enum {
    BOOT_AB = 1,   /* two slots */
    BOOT_RICH = 2, /* encrypted, with resources, a font and a change of the key */
    BOOT_TWINS = 4,
};

/* A cut in the middle of an update. */
struct boot_base {
    const char *name;
    struct world *world; /* shared by the bases of one twin and one package */
    struct vflash_image image;
    uint8_t *content; /* of the whole flash */
    bool is_whole;    /* the old or the new application is whole, whatever comes */
};

enum { BOOT_SECTORS_MAX = 64 };

/* Base `index` (modulo their number) of a twin. */
struct boot_base *boot_base_at(uint8_t kind, uint8_t index);

/* The device of a twin's updates without, or with, a manager of their own. */
const struct world *boot_world(uint8_t kind, bool has_manager);

/* The whole flash of the twin with a foreign maker's system: newer, whole, and signed
 * by a key that the device does not know, perhaps under the name of one that it does.
 */
const uint8_t *boot_foreign(uint8_t kind, bool claims_key);

/* Feeds a package to the program that runs, or to the manager if it asks for that. */
enum vdevice_end boot_send(struct vdevice *device, const struct sample_package *package,
                           enum otter_result *result);

/* A package newer than that of the updates; signed by the maker. */
const struct sample_package *boot_newest(uint8_t kind);

#endif
