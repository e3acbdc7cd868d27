/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of files as one string of bytes: a ustar archive (IEEE Std 1003.1, pax,
 * "ustar Interchange Format") of files and folders, in the one order and form that
 * docs/SPEC.md, "Trees of files", gives. Read block by block; pure functions.
 */
#ifndef OTTER_TAR_H
#define OTTER_TAR_H

#include "otter/config.h"
#include "otter/error.h"
#include "otter/path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OTTER_TAR_BLOCK = 512 };

struct otter_tar_entry {
    char name[OTTER_PATH_SIZE]; /* from the tree's root, without a '/' at its end */
    bool is_folder;
    uint32_t size; /* of a file, in bytes */
};

/* An archive that is read from its start, entry by entry. */
struct otter_tar {
    uint32_t size;     /* of the archive */
    uint32_t next;     /* where the next block that is wanted lies, at most at `size`:
                          a header's, or one of the archive's end */
    uint32_t content;  /* where the content of `entry` lies */
    uint8_t root_len;  /* bytes of the name of the tree's folder */
    uint8_t end_count; /* blocks of zeros so far, at most 2 */
    bool has_entry;
    struct otter_tar_entry entry; /* the newest one */
};

/* Reads a header. 38-10 for another format, 38-11 for a wrong checksum, 38-12 for a
 * malformed number, 38-13 for a name that leads out of the tree or that no card takes,
 * 38-14 for one that is too long behind `root_len` bytes and a '/', 38-15 for what is
 * neither file nor folder, 38-18 for a size that no archive has. `entry` is written
 * only on success. */
OTTER_MUST_CHECK enum otter_result otter_tar_header(
    const uint8_t block[OTTER_TAR_BLOCK], uint8_t root_len,
    struct otter_tar_entry *entry);

/* Below 0, 0 or above 0 as `a` stands before `b` in an archive, is it, or stands behind
 * it: byte by byte, where a '/' counts less than every other byte. */
int otter_tar_compare(const char *a, const char *b);

/* Starts an archive of `size` bytes for a folder whose name has `root_len` bytes. */
void otter_tar_open(struct otter_tar *tar, uint32_t size, uint8_t root_len);

/* True if its last entry was taken. */
bool otter_tar_is_at_end(const struct otter_tar *tar);

/* Takes the block at `next`: a header, whose entry is then `entry`, or zeros, which end
 * the archive. 38-10 to 38-15; 38-16 if the name does not stand in its order, 38-17 if
 * its folder does not stand before it, 38-18 if the content does not fit the archive,
 * 38-19 if something follows the end. After a failure it is not to be used. */
OTTER_MUST_CHECK enum otter_result otter_tar_take(struct otter_tar *tar,
                                                  const uint8_t block[OTTER_TAR_BLOCK]);

/* A whole archive that comes in parts of any size. Without OTTER_TREES each is refused:
 * 23-22. */
struct otter_tar_check {
    uint32_t off; /* bytes so far */
#if OTTER_TREES
    struct otter_tar tar;
    uint32_t filled;
    uint8_t block[OTTER_TAR_BLOCK];
#endif
};

void otter_tar_check_open(struct otter_tar_check *check, uint32_t size,
                          uint8_t root_len);

/* Takes the next `len` bytes; together at most `size`. The codes of otter_tar_take().
 */
OTTER_MUST_CHECK enum otter_result otter_tar_check_take(struct otter_tar_check *check,
                                                        const uint8_t *data,
                                                        size_t len);

/* After the last byte: 38-19 if the archive has not come to its end. */
OTTER_MUST_CHECK enum otter_result otter_tar_check_end(
    const struct otter_tar_check *check);

#ifdef __cplusplus
}
#endif

#endif
