/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files port of a board: the card's file system. Only a device whose store is a card
 * has one.
 */
#include "port.h"

/* Opens `path`, which is relative to the card's root. OTTER_FILE_NEW makes the file or
 * empties it. Must find out by itself that there is no card, or a new one. */
static enum otter_result files_open(void *context, const char *path,
                                    enum otter_file_mode mode, int *file)
{
    (void)context;
    (void)path;
    (void)mode;
    *file = 0;
    return OTTER_E_CARD_NONE;
}

static enum otter_result files_size(void *context, int file, uint32_t *size)
{
    (void)context;
    (void)file;
    *size = 0;
    return OTTER_E_CARD_NONE;
}

/* Reads exactly `len` bytes; a short read is OTTER_E_CARD_READ. */
static enum otter_result files_read(void *context, int file, uint32_t off, void *data,
                                    size_t len)
{
    (void)context;
    (void)file;
    (void)off;
    (void)data;
    (void)len;
    return OTTER_E_CARD_NONE;
}

/* Writes all of it at the file's end, or answers OTTER_E_CARD_FULL. */
static enum otter_result files_write(void *context, int file, uint32_t off,
                                     const void *data, size_t len)
{
    (void)context;
    (void)file;
    (void)off;
    (void)data;
    (void)len;
    return OTTER_E_CARD_NONE;
}

/* Returns OTTER_OK only when data, size and names are on the card itself: out of the
 * file system's cache and out of the card's, as far as it can be told. */
static enum otter_result files_sync(void *context, int file)
{
    (void)context;
    (void)file;
    return OTTER_E_CARD_NONE;
}

static enum otter_result files_close(void *context, int file)
{
    (void)context;
    (void)file;
    return OTTER_E_CARD_NONE;
}

static enum otter_result files_remove(void *context, const char *path)
{
    (void)context;
    (void)path;
    return OTTER_E_CARD_NONE;
}

static enum otter_result files_rename(void *context, const char *from, const char *to)
{
    (void)context;
    (void)from;
    (void)to;
    return OTTER_E_CARD_NONE;
}

/* OTTER_OK if the folder is there already. */
static enum otter_result files_make_folder(void *context, const char *path)
{
    (void)context;
    (void)path;
    return OTTER_E_CARD_NONE;
}

static enum otter_result files_list(void *context, const char *path, uint32_t index,
                                    struct otter_file_entry *entry)
{
    (void)context;
    (void)path;
    (void)index;
    (void)entry;
    return OTTER_E_CARD_NONE;
}

static enum otter_result files_free_bytes(void *context, uint32_t *bytes)
{
    (void)context;
    *bytes = 0;
    return OTTER_E_CARD_NONE;
}

const struct otter_files port_files = {
    .open = files_open,
    .size = files_size,
    .read = files_read,
    .write = files_write,
    .sync = files_sync,
    .close = files_close,
    .remove = files_remove,
    .rename = files_rename,
    .make_folder = files_make_folder,
    .list = files_list,
    .free_bytes = files_free_bytes,
};
