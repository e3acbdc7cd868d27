/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promises as checks: one function per sentence (docs/DESIGN.md, "Promises"). Each
 * answers NULL, or a text that begins with the promise that is broken. The power-cut
 * sweep, the closure over states and the end-to-end check of a device's folder call
 * the same functions.
 *
 * P9 speaks of the code itself: tests/e2e/k24_k25_p9_library.sh holds it.
 */
#ifndef OTTER_TEST_PROMISES_H
#define OTTER_TEST_PROMISES_H

#include "secrecy.h"
#include "tree.h"
#include "vdevice.h"

#include <stdbool.h>
#include <stdint.h>

/* The members of one system. Resources and font may be NULL: it has none. */
struct promise_system {
    const uint8_t *firmware;
    uint32_t firmware_size;
    const uint8_t *manager;
    uint32_t manager_size;
    const uint8_t *resources;
    uint32_t resources_size;
    const uint8_t *font;
    uint32_t font_size;
    struct tree tree; /* its files on the card, or none */
    uint32_t counter;
    uint32_t key_mask;    /* keys that are trusted once it is confirmed */
    const uint8_t *table; /* content of its flash table; NULL: it is not looked at */
    uint32_t table_size;
};

/* An update of a device, and what is known about it. All pointers stay in use. */
struct promise_case {
    struct vdevice *device;
    const struct otter_map *map;
    const struct vflash_image *before; /* the flash before the update */
    struct promise_system old;
    struct promise_system new;
    enum otter_outcome_kind ends; /* how it is to end; see is_hurt */
    uint32_t erases_max;          /* of one sector outside journal and receipts */
    uint32_t cuts;                /* of power, so far */
    uint32_t power_limit;         /* M of K16: so many cuts may end a trial */
    bool carries_manager;         /* the package has a manager of its own (K15) */
    bool is_broken;               /* the old application is damaged from the start */
    bool in_place;                /* its last member, the font, is written in place: the
                                     declared exception of P1 and P2 (K13) */
    bool is_declared;             /* and the old system is declared to run with it */
    const uint8_t *stored_firmware; /* as the package holds its first member, then */
    struct secrecy *contents;       /* of encrypted members, or NULL */
    struct secrecy *keys;           /* private and content keys, or NULL */
    bool is_hurt;                   /* a sector went bad, or a bit flipped at rest: the
                                       manager may run and say why, and the update may
                                       end in another way */
    bool is_flipped;                /* it was a bit */
};

/* P1: after a power-on without a fault the old or the new system runs, whole; or, if
 * the device is hurt, the manager, with a code. The one exception: once a font was
 * begun in place ("application closed" stands) the manager runs, with a code, until the
 * new system is on trial; a manager that is damaged then leaves nothing that runs. A
 * system that is declared to run with the new font counts as whole with either. */
const char *promise_p1(const struct promise_case *it, enum vdevice_end end);

/* P1: an application that is being started has no resources or font of another version.
 * For the moment of the jump. */
const char *promise_p1_start(const struct promise_case *it);

/* P2: nothing outside store, receipts and journal has changed before the package is
 * verified. For a device that is off; reads its flash. The one exception: the region of
 * a font in place, which changes only while "application closed" stands and the members
 * that are stored are there, whole; or, if the old system is declared to run with it,
 * when it is whole. When such a system has failed its trial there is no old one left.
 */
const char *promise_p2(const struct promise_case *it);

/* P3: the update has come to the end that it is to have: the new system, or the old. So
 * many cuts that they have used up the attempts of a trial end it as well (K16). */
const char *promise_p3(const struct promise_case *it);

/* P4: a system that was not confirmed is gone, and the old one is back, manager
 * included. */
const char *promise_p4(const struct promise_case *it);

/* P5: of `accepted` bytes that a receiver has taken, a cut has cost at most `sector`
 * bytes, and the control packet if it was not whole. */
const char *promise_p5(uint32_t accepted, uint32_t resumed, uint32_t sector,
                       uint32_t control_end);

/* P6: a package that its control packet refuses has left nothing but a record and the
 * incoming receipt. */
const char *promise_p6(const struct promise_case *it);

/* P7: the outcome record tells the truth about the system that runs, with a code that
 * has a text. */
const char *promise_p7(const struct promise_case *it);

/* P8: boot is never written, by any input, and the table by no package that keeps it.
 */
const char *promise_p8(const struct promise_case *it);

/* P10: erases of one sector outside journal and receipts: one more for each cut. */
const char *promise_p10(const struct promise_case *it);

/* K5: no word of the system that runs was touched by a cut. */
const char *promise_k5(const struct promise_case *it);

/* K1, K8: receipt and flash table of the system that runs are there twice, when the
 * update has come to its end; a receipt only if none of its region's sectors is bad. A
 * copy in which a bit has flipped is mended by the next update's manager. */
const char *promise_twice(const struct promise_case *it);

/* K17: the trusted keys are those of the system that was confirmed last; what a package
 * revokes is trusted until then. */
const char *promise_k17(const struct promise_case *it);

/* K26: nothing of an encrypted member lies in clear where programs do not run, and no
 * key lies anywhere. Reads the flash without its port, so it disturbs nothing. */
const char *promise_k26(const struct promise_case *it);

/* K2, K17: a system that was confirmed is never on trial again. */
bool promise_is_confirmed(const struct promise_case *it);
const char *promise_k2(const struct promise_case *it, bool was_confirmed);

/* True when nothing of the update is left to do. For a device that is off or idle. */
bool promise_is_over(const struct promise_case *it);

#endif
