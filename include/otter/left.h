/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files that outlive their system. A system that names no tree leaves the
 * files that are there as they are; when it is confirmed, the receipt that named them
 * is the next package's to overwrite. So a note is put on the card, beside the archive,
 * which says whose folder and which archive these are: the next tree can take away what
 * it does not name itself, and a roll back can bring them back. docs/SPEC.md, "Card".
 */
#ifndef OTTER_LEFT_H
#define OTTER_LEFT_H

#include "otter/device.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The tree of a system: the one that its control packet names; of the current system,
 * if it names none, the one that an earlier system has left on the card. `member` and
 * `root` are written if there is one. 21-17 if there is none; 36-10, 36-13: the card
 * does not say. */
OTTER_MUST_CHECK enum otter_result otter_system_tree(struct otter_device *device,
                                                     const struct otter_system *system,
                                                     struct otter_member *member,
                                                     char root[OTTER_PATH_SIZE]);

/* Once an update is over: writes the note if the current system names no tree, the one
 * before it did, and its archive is on the card; removes it if the current system has a
 * tree. True if it is certain which archive is needed; if not, none may be removed. A
 * few file operations. */
bool otter_left_settle(struct otter_device *device);

#ifdef __cplusplus
}
#endif

#endif
