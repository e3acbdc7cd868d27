/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files as archives (docs/SPEC.md, "Trees of files"): from a folder, the same
 * bytes each time, or from a file, and back to a list. Functions that return an int
 * print what went wrong to stderr and return the tool's exit status.
 */
#ifndef OTTER_TOOL_TREE_ARCHIVE_H
#define OTTER_TOOL_TREE_ARCHIVE_H

#include "files.h"
#include "otter/tar.h"

/* Makes the archive of what is in `folder`, for a root whose name has `root_len` bytes.
 * Names are in order, owners are 0, modes 0644 and 0755, and times are what the
 * environment's SOURCE_DATE_EPOCH says, or 0. Refuses links and whatever else is
 * neither file nor folder, and what tree_archive_read() refuses. */
int tree_archive_make(const char *folder, uint8_t root_len, struct bytes *archive);

/* Reads an archive from a file. Refuses what tree_archive_check() does, names that
 * differ in their letters' size alone, and those that deceive a reader (text.h). */
int tree_archive_read(const char *path, uint8_t root_len, struct bytes *archive);

enum { TREE_NAME_SIZE = 257 }; /* what a header has room for, and a zero */

/* Where an archive is refused. */
struct tree_fault {
    uint32_t off;              /* in the archive */
    char name[TREE_NAME_SIZE]; /* of the entry, as it stands there; or empty */
};

/* Checks a whole archive as the device does. `fault` is written on failure. */
OTTER_MUST_CHECK enum otter_result tree_archive_check(const struct bytes *archive,
                                                      uint8_t root_len,
                                                      struct tree_fault *fault);

/* Prints "SUBJECT: NAME, at byte OFF: [38-13]" and so on; returns `status`. */
int tree_complain(const char *subject, enum otter_result result,
                  const struct tree_fault *fault, int status);

/* Goes to the next entry of an archive that was checked; `tar` as otter_tar_open() left
 * it, at first. False at its end. */
bool tree_archive_next(const struct bytes *archive, struct otter_tar *tar);

#endif
