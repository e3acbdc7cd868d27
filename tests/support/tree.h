/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files for tests: a table of files, the archive that a package carries of
 * them, and what a card holds of them. The archive is written from the standard's
 * layout, not with the code that reads it.
 */
#ifndef OTTER_TEST_TREE_H
#define OTTER_TEST_TREE_H

#include "otter/path.h"
#include "otter/port/crypto.h"
#include "vcard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_ROOT "res"

struct tree_file {
    const char *path;     /* from the root */
    const uint8_t *bytes; /* NULL: a folder */
    uint32_t size;
};

struct tree {
    const struct tree_file *files; /* in the archive's order */
    size_t count;
};

/* Writes the archive; its size, or 0 if there is no room. */
uint32_t tree_archive(const struct tree *tree, uint8_t *out, size_t capacity);

/* One header of an archive, as tar writes it; type '0', '5', or any other. */
void tree_header(const char *name, char type, uint32_t size, uint8_t block[512]);

/* Writes a header's checksum anew. */
void tree_seal(uint8_t block[512]);

/* Where the agent expects the archive. */
void tree_archive_path(const uint8_t *archive, uint32_t size,
                       char path[OTTER_PATH_SIZE]);

/* Archives that the card holds, whosever they are. */
uint32_t tree_count_archives(const struct vcard *card);

/* Puts the files into TREE_ROOT, and their archive to where the agent expects it. */
void tree_provision(const struct tree *tree, const uint8_t *archive, uint32_t size,
                    struct vcard *card);

/* True if the card holds these files, as they are, and none that only `other` has. */
bool tree_is_on(const struct vcard *card, const struct tree *tree,
                const struct tree *other);

#endif
