/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The install engine: takes a requested package from the store to a system on trial,
 * by the ordered table of stages in src/install/stages.c. Run by the manager. Every
 * step is bounded and idempotent (P3): after a cut the engine starts again at the
 * stage that the journal names.
 */
#ifndef OTTER_INSTALL_H
#define OTTER_INSTALL_H

#include "otter/copying.h"
#include "otter/device.h"
#include "otter/plan.h"
#include "otter/repair.h"
#include "otter/saving.h"
#include "otter/stream.h"
#include "otter/tree.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a step answers. */
enum otter_step {
    OTTER_STEP_MORE = 0, /* call again */
    OTTER_STEP_DONE,     /* the stage, or the whole installation, is finished */
    OTTER_STEP_RESET,    /* boot goes on: the caller resets */
    OTTER_STEP_FAILED,   /* it ended; see `result` */
    OTTER_STEP_CARD,     /* the card cannot be read: open again when it can */
};

struct otter_install {
    struct otter_device *device;
    enum otter_result result; /* why it failed */
    uint8_t stage;            /* index in the table of stages */
    uint8_t percent;          /* of the stage; it only rises */

    /* Private. */
    uint8_t substep; /* of the stage; 0 when it begins */
    uint8_t member;
    uint8_t repeats;        /* of stages 10 and 11 after a mismatch, */
    uint8_t region_repeats; /* and of stage 15 */
    uint64_t work;          /* bytes of the stage, of those that count them, */
    uint64_t worked;        /* and of it before what is under way */
    bool has_old;           /* `old` is open */
    bool has_old_archive;   /* that of the old tree is whole */
    bool is_ending;         /* the record that ends the installation is being written */
    enum otter_step end;    /* what to answer when it stands */
    struct otter_system incoming;
    union {
        struct otter_tar_check tar; /* of stage 9 */
        struct otter_system old;    /* of the stages after it */
    };
    struct otter_member current;
    struct otter_plan plan;
    uint8_t content_key[OTTER_AES_KEY_SIZE]; /* of the package, unwrapped in stage 1 */
    struct otter_cipher store_cipher;        /* of the stored member under way */
    struct otter_cipher save_cipher;         /* of what is saved, or left for boot */
    struct otter_hashing hashing;
    enum otter_result content_fault; /* of what is decoded: a program that cannot run,
                                        or no tree of files */
    uint32_t filled; /* decoded bytes in device->page that are not hashed yet */
    struct otter_copying copying;
    struct otter_rewriting rewriting; /* of a copy of the flash table */
    struct otter_ciphered stored;     /* the stored member under way, */
    struct otter_stream stream;       /* its installed bytes, */
    struct otter_decoding decoding;   /* and what it takes to make them */
    union {
        uint64_t arena[OTTER_CODING_MEMORY / 8 + (OTTER_CODING_MEMORY == 0)];
        struct otter_tree tree; /* of stage 15, where nothing is decoded any more */
    };
    struct otter_saving saving; /* in place of copying, onto a card */
};

/* Starts or resumes the installation that the journal names: phase requested or
 * installing; anything else gives 27-13. If the device's store is a card the package is
 * open (otter_card_find_package()). */
OTTER_MUST_CHECK enum otter_result otter_install_open(struct otter_install *install,
                                                      struct otter_device *device);

/* At most one flash operation, STEP_BYTES of hashing or of decoding, or one signature
 * check. DONE: the system is on trial; the caller resets. FAILED: the journal says so
 * already: the old system runs again, or is about to be rolled back; the caller resets.
 * CARD: nothing is lost; the installation goes on once it is opened again, as after a
 * power cut. */
enum otter_step otter_install_step(struct otter_install *install);

/* Ends an installation that cannot go on: one lasting record. Nothing of the old system
 * was changed yet, then it runs again; else the roll back begins. The caller resets. */
OTTER_MUST_CHECK enum otter_result otter_install_abort(struct otter_device *device,
                                                       enum otter_result why);

/* Public number and name of the stage under way, for people. */
uint8_t otter_install_stage(const struct otter_install *install, const char **name);

#ifdef __cplusplus
}
#endif

#endif
