/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roll back of a device whose saved copies are files on a card: boot cannot read
 * these, so it runs the manager, which copies them back and hands over to boot again.
 * All copies are found whole before the first is written. Files come back from the
 * archive of the old tree, last of all.
 */
#ifndef OTTER_RESTORE_H
#define OTTER_RESTORE_H

#include "otter/copying.h"
#include "otter/install.h"
#include "otter/tree.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct otter_restore {
    struct otter_device *device;
    enum otter_result result; /* why it failed */
    bool leaves_files; /* set after opening: a card that cannot be written is not waited
                          for any more; its files stay as they are */

    /* Private. */
    uint8_t step;
    uint8_t index;   /* of the region under way */
    uint8_t first;   /* where the journal stood, */
    uint32_t cursor; /* and how far in that region */
    struct otter_system old;
    struct otter_member current;
    struct otter_cipher cipher; /* of its copy */
    struct otter_hashing hashing;
    enum otter_result files; /* why the old ones do not come back; OTTER_OK: they do */
    uint8_t repeats;         /* of the files, after a mismatch */
    struct otter_copying copying;
    struct otter_tree tree;
};

/* True for 36-12 and 36-14: the card is there, and cannot be written. */
bool otter_restore_is_unwritable(enum otter_result result);

/* Starts, or goes on where the journal stands; changes only RAM. */
void otter_restore_open(struct otter_restore *restore, struct otter_device *device);

/* Files of which the card has no whole archive any more, or which something stands in
 * the way of, or that cannot be written though `leaves_files` is set, are left as they
 * are, and their code becomes that of the outcome.
 *
 * At most one flash or file operation, STEP_BYTES of hashing or one signature check.
 * DONE: the journal says that all is written back; the caller resets. CARD: the card or
 * what was saved on it is not there, or damaged: open again later. FAILED: flash or
 * journal do not take it. */
enum otter_step otter_restore_step(struct otter_restore *restore);

#ifdef __cplusplus
}
#endif

#endif
