/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files port: the card, as a file system below it shows it. A device whose store is not
 * a card needs none.
 *
 * Names are relative to the card's root, parts joined by '/', at most OTTER_PATH_MAX
 * bytes and a zero; otter asks for no name with an empty part, "." or "..".
 *
 * What counts as written. After a sync or close of a file has answered OTTER_OK, its
 * bytes and size, and every name that was made, renamed or removed before, survive a
 * loss of power. Before that each of these may or may not, by itself, in any order, or
 * torn; nothing is assumed of a rename (K20). A card that is pulled out and put back is
 * as after a loss of power, and every open file is gone.
 *
 * Results, besides OTTER_OK: OTTER_E_CARD_NONE without a card, also on every call for a
 * file that was open when it was pulled out; OTTER_E_CARD_NOT_FOUND; OTTER_E_CARD_FULL;
 * OTTER_E_CARD_READ and OTTER_E_CARD_WRITE for every other failure. A call may be
 * repeated after a failure. No call takes longer than the board's watchdog.
 */
#ifndef OTTER_PORT_FILES_H
#define OTTER_PORT_FILES_H

#include "otter/error.h"
#include "otter/path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum otter_file_mode {
    OTTER_FILE_READ, /* the file must be there */
    OTTER_FILE_NEW,  /* for writing and reading; made, or emptied if it is there */
};

/* An entry of a folder. */
struct otter_file_entry {
    char name[OTTER_PATH_SIZE]; /* without the folder's */
    bool is_folder;
    uint32_t size; /* of a file, in bytes */
};

struct otter_files {
    void *context;

    /* Opens a file and gives a number for the calls below. otter has at most three
     * files open at a time, one of them for writing. */
    enum otter_result (*open)(void *context, const char *path,
                              enum otter_file_mode mode, int *file);

    /* Bytes of an open file. */
    enum otter_result (*size)(void *context, int file, uint32_t *size);

    /* Reads exactly `len` bytes at `off`; the caller keeps off + len <= size. */
    enum otter_result (*read)(void *context, int file, uint32_t off, void *data,
                              size_t len);

    /* Writes `len` bytes at the file's end, which is at `off`. OTTER_E_CARD_FULL if not
     * all of them fit; the file's end is then anywhere between. */
    enum otter_result (*write)(void *context, int file, uint32_t off, const void *data,
                               size_t len);

    /* Makes sure of what was written (see above). A failure makes sure of nothing. */
    enum otter_result (*sync)(void *context, int file);

    /* Syncs a file that was written, and closes it: also if it answers a failure. */
    enum otter_result (*close)(void *context, int file);

    /* Removes a file, or an empty folder. */
    enum otter_result (*remove)(void *context, const char *path);

    /* Gives a file or folder another name, where nothing has that name yet. */
    enum otter_result (*rename)(void *context, const char *from, const char *to);

    /* Makes a folder inside one that is there. OTTER_OK also if it is there already. */
    enum otter_result (*make_folder)(void *context, const char *path);

    /* Entry `index` of a folder ("": the root), in any order that stays the same until
     * the folder changes. OTTER_E_CARD_NOT_FOUND past the last one. */
    enum otter_result (*list)(void *context, const char *path, uint32_t index,
                              struct otter_file_entry *entry);

    /* Bytes that are free; UINT32_MAX stands for more. */
    enum otter_result (*free_bytes)(void *context, uint32_t *bytes);
};

#endif
