/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files as archives (docs/SPEC.md, "Trees of files"): from a folder, the same
 * bytes each time, and back to a list. Functions that return an int print what went
 * wrong to stderr and return the tool's exit status.
 */
#ifndef OTTER_TOOL_ARCHIVE_H
#define OTTER_TOOL_ARCHIVE_H

#include "files.h"
#include "otter/tar.h"

/* Makes the archive of what is in `folder`, for a root whose name has `root_len` bytes.
 * Names are in order, owners are 0, modes 0644 and 0755, and times are what the
 * environment's SOURCE_DATE_EPOCH says, or 0. Refuses links and whatever else is
 * neither file nor folder, names that differ in their letters' size alone, and what
 * otter_tar_header() refuses. */
int archive_make(const char *folder, uint8_t root_len, struct bytes *archive);

/* Checks a whole archive. `entry` (may be NULL) is the last one that was read. */
OTTER_MUST_CHECK enum otter_result archive_check(const struct bytes *archive,
                                                 uint8_t root_len,
                                                 struct otter_tar_entry *entry);

/* Goes to the next entry of an archive that was checked; `tar` as otter_tar_open() left
 * it, at first. False at its end. */
bool archive_next(const struct bytes *archive, struct otter_tar *tar);

#endif
