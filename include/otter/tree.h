/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing a tree of files onto a card, in place of another one (K20). Both trees lie
 * on the card as archives, aside, where nothing renames them: what is only in the other
 * archive is removed, then every file of the target is written anew, then all of it is
 * read back. So installing and going back are one piece of work, each part of which may
 * be done again, and no rename is needed. docs/SPEC.md, "Trees of files". Without
 * OTTER_TREES no system has one, and nothing is done.
 */
#ifndef OTTER_TREE_H
#define OTTER_TREE_H

#include "otter/device.h"
#include "otter/tar.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tree: its folder, and its archive, which is open as a region. */
struct otter_tree_side {
    bool is_there;
    uint8_t region;             /* OTTER_REGION_SAVED_FILE or _TREE_FILE */
    uint32_t size;              /* of the archive */
    struct otter_cipher cipher; /* of the archive */
#if OTTER_TREES
    char root[OTTER_PATH_SIZE];
    struct otter_tar tar; /* as far as it is read */
#endif
};

struct otter_tree {
    struct otter_device *device;
    struct otter_tree_side target; /* what is to be on the card; not there: nothing */
    struct otter_tree_side other;  /* what is to go; not there: nothing */

    /* Private. */
    uint8_t step;
    uint8_t depth;     /* stale names of so many parts are being removed */
    bool is_file_open; /* of the target: `file` */
    int file;
    uint32_t written;  /* bytes of it that are written, or read back */
    uint32_t cursor;   /* what the archive has before this stands */
    uint32_t recorded; /* and so much of that the journal knows */
#if OTTER_TREES
    char path[OTTER_PATH_SIZE];
    uint8_t block[OTTER_TAR_BLOCK];
#endif
};

/* Finds the tree of a system, and opens its archive as `region`. OTTER_OK also if it
 * has no tree; `is_there` tells. 36-20 if the card has not the archive; what the card
 * answers. `member` is written if there is a tree. */
OTTER_MUST_CHECK enum otter_result otter_tree_open_side(
    struct otter_device *device, const struct otter_system *system, uint8_t region,
    struct otter_tree_side *side, struct otter_member *member);

/* Starts with the sides that are set, and whose archives are open and whole; what the
 * target's archive has before `cursor`, as the journal says, stands. */
void otter_tree_open(struct otter_tree *tree, struct otter_device *device,
                     uint32_t cursor);

/* At most one page written or compared, or two other file operations; from time to time
 * a record with the new cursor is begun, which the caller sees through before the next
 * step. 36-10, 36-12 to 36-14: the card; 15-00: a file does not read back, so begin
 * again from 0; 38-xx: an archive is damaged. After any other failure than 15-00, and
 * at the end, the sides are to be found again. No file is open then but the archives.
 */
OTTER_MUST_CHECK enum otter_result otter_tree_step(struct otter_tree *tree,
                                                   bool *is_done);

/* Bytes of the target's archive that are done: each is written, then compared, so that
 * in the end it is twice its size. */
uint64_t otter_tree_done(const struct otter_tree *tree);

#ifdef __cplusplus
}
#endif

#endif
