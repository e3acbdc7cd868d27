/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files port: the "card" is the second chip, the controller's other one. No file
 * system could be smaller: each file that an update needs has a place of its own.
 *
 *     0x00000 the bytes OTTRCARD, else there is no card
 *     each place: a sector that says how long the file is, then its bytes
 *
 * The first sector of a place holds entries of 8 bytes, one for each sync: length and
 * its complement. The last whole one counts; without one there is no file. So a cut in
 * a sync leaves the length before it, and bytes beyond a length are nobody's.
 */
#include "ast1030_memory_map.h"
#include "port.h"
#include "spi_nor.h"

#include <string.h>

enum { ENTRY_SIZE = 8, ENTRIES = AST1030_CARD_SECTOR / ENTRY_SIZE };

static const struct place {
    const char *path;
    uint32_t off;  /* of the first sector */
    uint32_t size; /* most bytes of the file */
} places[] = {
    {"update.otter", 0x01000, 0x80000},
    {"otter/pointer.0", 0x82000, 0x01000},
    {"otter/pointer.1", 0x84000, 0x01000},
    {"otter/saved6.bin", 0x86000, 0x20000},
};

enum { PLACES = sizeof(places) / sizeof(places[0]), ROOM_PLACE = 3 };

/* Of a file that is open; its number is that of its place. */
static struct {
    uint32_t length;
    bool is_open;
    bool is_dirty; /* the length is not written yet */
} opened[PLACES];

static bool has_card(void)
{
    static const char magic[8] = {'O', 'T', 'T', 'R', 'C', 'A', 'R', 'D'};
    char found[sizeof(magic)];

    spi_nor_read(&spi_nor_card, 0, found, sizeof(found));
    return memcmp(found, magic, sizeof(magic)) == 0;
}

/* The entries of a place: the number of those that are not erased, and what the last
 * whole one says. False if there is none: no file. */
static bool read_entries(const struct place *place, uint32_t *used, uint32_t *length)
{
    bool is_there = false;

    *length = 0;
    for (*used = 0; *used < (uint32_t)ENTRIES; ++*used) {
        uint32_t entry[2];

        spi_nor_read(&spi_nor_card, place->off + *used * (uint32_t)ENTRY_SIZE, entry,
                     sizeof(entry));
        if (entry[0] == UINT32_MAX && entry[1] == UINT32_MAX) {
            break;
        }
        if (entry[0] == ~entry[1] && entry[0] <= place->size) {
            *length = entry[0];
            is_there = true;
        }
    }
    return is_there;
}

static const struct place *find_place(const char *path, int *number)
{
    for (int i = 0; i < (int)PLACES; i++) {
        if (strcmp(path, places[i].path) == 0) {
            *number = i;
            return &places[i];
        }
    }
    return NULL;
}

static enum otter_result files_open(void *context, const char *path,
                                    enum otter_file_mode mode, int *file)
{
    const struct place *place = find_place(path, file);
    uint32_t used;
    uint32_t length;

    (void)context;
    if (!has_card()) {
        return OTTER_E_CARD_NONE;
    }
    if (place == NULL) {
        return mode == OTTER_FILE_NEW ? OTTER_E_CARD_FULL : OTTER_E_CARD_NOT_FOUND;
    }
    if (!read_entries(place, &used, &length) && mode == OTTER_FILE_READ) {
        return OTTER_E_CARD_NOT_FOUND;
    }
    if (mode == OTTER_FILE_NEW &&
        spi_nor_erase(&spi_nor_card, place->off) != OTTER_OK) {
        return OTTER_E_CARD_WRITE;
    }
    opened[*file].length = mode == OTTER_FILE_NEW ? 0 : length;
    opened[*file].is_open = true;
    opened[*file].is_dirty = mode == OTTER_FILE_NEW;
    return OTTER_OK;
}

static bool is_open(int file)
{
    return file >= 0 && file < (int)PLACES && opened[file].is_open && has_card();
}

static enum otter_result files_size(void *context, int file, uint32_t *size)
{
    (void)context;
    if (!is_open(file)) {
        return OTTER_E_CARD_NONE;
    }
    *size = opened[file].length;
    return OTTER_OK;
}

static enum otter_result files_read(void *context, int file, uint32_t off, void *data,
                                    size_t len)
{
    (void)context;
    if (!is_open(file)) {
        return OTTER_E_CARD_NONE;
    }
    if (off > opened[file].length || len > opened[file].length - off) {
        return OTTER_E_CARD_READ;
    }
    spi_nor_read(&spi_nor_card, places[file].off + AST1030_CARD_SECTOR + off, data,
                 len);
    return OTTER_OK;
}

/* A sector is erased when the file comes to it. */
static enum otter_result write_page(uint32_t at, const uint8_t *data, size_t len)
{
    enum otter_result result = OTTER_OK;

    if (at % AST1030_CARD_SECTOR == 0) {
        result = spi_nor_erase(&spi_nor_card, at);
    }
    return result == OTTER_OK ? spi_nor_program(&spi_nor_card, at, data, len) : result;
}

static enum otter_result files_write(void *context, int file, uint32_t off,
                                     const void *data, size_t len)
{
    const uint8_t *from = data;

    (void)context;
    if (!is_open(file)) {
        return OTTER_E_CARD_NONE;
    }
    if (off != opened[file].length || len > places[file].size - off) {
        return OTTER_E_CARD_FULL;
    }
    opened[file].is_dirty = true;
    while (len > 0) {
        uint32_t at = places[file].off + AST1030_CARD_SECTOR + opened[file].length;
        size_t room = AST1030_FLASH_PAGE - at % AST1030_FLASH_PAGE;
        size_t part = len < room ? len : room;

        if (write_page(at, from, part) != OTTER_OK) {
            return OTTER_E_CARD_WRITE;
        }
        opened[file].length += (uint32_t)part;
        from += part;
        len -= part;
    }
    return OTTER_OK;
}

static enum otter_result files_sync(void *context, int file)
{
    uint32_t used;
    uint32_t length;

    (void)context;
    if (!is_open(file)) {
        return OTTER_E_CARD_NONE;
    }
    if (!opened[file].is_dirty) {
        return OTTER_OK;
    }
    (void)read_entries(&places[file], &used, &length);
    const uint32_t entry[] = {opened[file].length, ~opened[file].length};

    if (used == (uint32_t)ENTRIES ||
        spi_nor_program(&spi_nor_card, places[file].off + used * (uint32_t)ENTRY_SIZE,
                        (const uint8_t *)entry, sizeof(entry)) != OTTER_OK) {
        return OTTER_E_CARD_WRITE;
    }
    opened[file].is_dirty = false;
    return OTTER_OK;
}

static enum otter_result files_close(void *context, int file)
{
    enum otter_result result = files_sync(context, file);

    if (file >= 0 && file < (int)PLACES) {
        opened[file].is_open = false;
    }
    return result;
}

static enum otter_result files_remove(void *context, const char *path)
{
    int number = 0;
    const struct place *place = find_place(path, &number);
    uint32_t used;
    uint32_t length;

    (void)context;
    if (!has_card()) {
        return OTTER_E_CARD_NONE;
    }
    if (place == NULL || !read_entries(place, &used, &length)) {
        return OTTER_E_CARD_NOT_FOUND;
    }
    return spi_nor_erase(&spi_nor_card, place->off) == OTTER_OK ? OTTER_OK
                                                                : OTTER_E_CARD_WRITE;
}

/* Names are fixed. */
static enum otter_result files_rename(void *context, const char *from, const char *to)
{
    (void)context;
    (void)from;
    (void)to;
    return has_card() ? OTTER_E_CARD_WRITE : OTTER_E_CARD_NONE;
}

static enum otter_result files_make_folder(void *context, const char *path)
{
    (void)context;
    if (!has_card()) {
        return OTTER_E_CARD_NONE;
    }
    return strcmp(path, "otter") == 0 ? OTTER_OK : OTTER_E_CARD_FULL;
}

/* The part of a place's path below `folder`, or NULL. */
static const char *name_in(const struct place *place, const char *folder)
{
    size_t len = strlen(folder);
    const char *name = place->path;

    if (len > 0 && (strncmp(name, folder, len) != 0 || name[len] != '/')) {
        return NULL;
    }
    name += len > 0 ? len + 1 : 0;
    return strchr(name, '/') == NULL ? name : NULL;
}

static enum otter_result files_list(void *context, const char *path, uint32_t index,
                                    struct otter_file_entry *entry)
{
    (void)context;
    if (!has_card()) {
        return OTTER_E_CARD_NONE;
    }
    memset(entry, 0, sizeof(*entry));
    for (int i = 0; i < (int)PLACES; i++) {
        const char *name = name_in(&places[i], path);
        uint32_t used;

        if (name != NULL && read_entries(&places[i], &used, &entry->size) &&
            index-- == 0) {
            memcpy(entry->name, name, strlen(name));
            return OTTER_OK;
        }
    }
    return OTTER_E_CARD_NOT_FOUND;
}

/* For the one file whose size is not its owner's affair. */
static enum otter_result files_free_bytes(void *context, uint32_t *bytes)
{
    uint32_t used;
    uint32_t length;

    (void)context;
    if (!has_card()) {
        return OTTER_E_CARD_NONE;
    }
    *bytes =
        read_entries(&places[ROOM_PLACE], &used, &length) ? 0 : places[ROOM_PLACE].size;
    return OTTER_OK;
}

const struct otter_files port_files = {
    .context = NULL,
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
