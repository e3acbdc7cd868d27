/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card as a store: the files that are open on it, read like regions, saved copies,
 * archives of trees, and what of all that nobody needs any more.
 */
#include "otter/card.h"

#include "card_inner.h"
#include "otter/left.h"

#include <string.h>

static const char folder[] = OTTER_CARD_FOLDER;
static const char settle_path[] = OTTER_CARD_FOLDER "/settle";

/* Regions of which a copy may be saved, in the order of tidying. */
static const uint8_t saved_regions[] = {
    OTTER_REGION_APPLICATION,
    OTTER_REGION_RESOURCES,
    OTTER_REGION_FONT,
};

enum { SAVED_COUNT = sizeof(saved_regions) / sizeof(saved_regions[0]) };

void otter_card_attach(struct otter_device *device, struct otter_card *card)
{
    memset(card, 0, sizeof(*card));
    card->files = device->ports.files;
    device->card = card;
    device->io.card_files = card->sources;
}

const struct otter_files *otter_card_files(const struct otter_device *device)
{
    return device->card == NULL ? NULL : device->card->files;
}

enum otter_result otter_card_fault(const struct otter_device *device)
{
    return device->card == NULL ? OTTER_OK : device->card->fault;
}

enum otter_result otter_card_ask(const struct otter_device *device)
{
    const struct otter_files *files = otter_card_files(device);
    struct otter_file_entry entry;

    if (files == NULL) {
        return OTTER_E_CARD_NONE;
    }
    enum otter_result result = files->list(files->context, "", 0, &entry);

    return result == OTTER_E_CARD_NOT_FOUND ? OTTER_OK : result; /* it is empty */
}

bool otter_card_may_mend(enum otter_result result)
{
    return result == OTTER_E_CARD_NONE || result == OTTER_E_CARD_READ ||
           result == OTTER_E_CARD_SAVED || result == OTTER_E_CARD_FULL ||
           result == OTTER_E_CARD_WRITE;
}

bool otter_card_is_other(enum otter_result result)
{
    return result == OTTER_E_CARD_POINTER || result == OTTER_E_CARD_OTHER ||
           result == OTTER_E_CARD_NOT_FOUND;
}

/* ---- files that are read as regions ---- */

static void note_fault(enum otter_result *fault, enum otter_result result)
{
    if (result == OTTER_E_CARD_NONE || result == OTTER_E_CARD_READ) {
        *fault = result;
    }
}

static enum otter_result read_file(const void *context, uint32_t off, void *data,
                                   size_t len)
{
    const struct otter_card_file *file = context;
    enum otter_result result =
        file->files->read(file->files->context, file->number, off, data, len);

    note_fault(file->fault, result);
    return result;
}

static void close_file(struct otter_card_file *file, struct otter_source *source)
{
    memset(source, 0, sizeof(*source));
    if (file->is_open) {
        file->is_open = false;
        /* It was only read: nothing can be lost. */
        (void)!file->files->close(file->files->context, file->number);
    }
}

/* Opens `path` for reading in place of what was open. */
static enum otter_result open_file(struct otter_device *device,
                                   struct otter_card_file *file,
                                   struct otter_source *source, const char *path)
{
    const struct otter_files *files = otter_card_files(device);
    uint32_t size = 0;

    close_file(file, source);
    enum otter_result result =
        files->open(files->context, path, OTTER_FILE_READ, &file->number);

    if (result != OTTER_OK) {
        return result;
    }
    file->files = files;
    file->fault = &device->card->fault;
    file->is_open = true;
    result = files->size(files->context, file->number, &size);
    if (result != OTTER_OK) {
        close_file(file, source);
        return result;
    }
    *source = (struct otter_source){.context = file, .size = size, .read = read_file};
    return OTTER_OK;
}

enum otter_result otter_card_open_package(struct otter_device *device, const char *path)
{
    if (!otter_path_is_good(path)) {
        return OTTER_E_CARD_NAME;
    }
    if (otter_card_files(device) == NULL) {
        return OTTER_E_CARD_NONE;
    }
    device->card->fault = OTTER_OK;
    return open_file(device, &device->card->package,
                     &device->card->sources[OTTER_CARD_PACKAGE], path);
}

void otter_card_close_saved(struct otter_device *device)
{
    if (device->card != NULL) {
        close_file(&device->card->saved, &device->card->sources[OTTER_CARD_SAVED]);
    }
}

void otter_card_close(struct otter_device *device)
{
    if (device->card == NULL) {
        return;
    }
    close_file(&device->card->package, &device->card->sources[OTTER_CARD_PACKAGE]);
    otter_card_close_saved(device);
    close_file(&device->card->tree, &device->card->sources[OTTER_CARD_TREE]);
    device->card->fault = OTTER_OK;
}

/* ---- saved copies ---- */

void otter_card_saved_path(uint8_t region, char path[OTTER_PATH_SIZE])
{
    static const char begin[] = OTTER_CARD_FOLDER "/saved";
    static const char end[] = ".bin";
    size_t len = sizeof(begin) - 1;

    memcpy(path, begin, len);
    if (region >= 10) {
        path[len++] = (char)('0' + region / 10 % 10);
    }
    path[len++] = (char)('0' + region % 10);
    memcpy(path + len, end, sizeof(end));
}

enum otter_result otter_card_open_saved(struct otter_device *device, uint8_t region,
                                        uint32_t size)
{
    char path[OTTER_PATH_SIZE];

    if (otter_card_files(device) == NULL) {
        return OTTER_E_CARD_NONE;
    }
    otter_card_saved_path(region, path);
    device->card->fault = OTTER_OK;
    enum otter_result result = open_file(
        device, &device->card->saved, &device->card->sources[OTTER_CARD_SAVED], path);

    if (result == OTTER_E_CARD_NOT_FOUND ||
        (result == OTTER_OK && device->card->sources[OTTER_CARD_SAVED].size != size)) {
        close_file(&device->card->saved, &device->card->sources[OTTER_CARD_SAVED]);
        return OTTER_E_CARD_SAVED;
    }
    return result;
}

enum otter_result otter_card_make_folder(struct otter_device *device)
{
    const struct otter_files *files = otter_card_files(device);

    return files == NULL ? OTTER_E_CARD_NONE
                         : files->make_folder(files->context, folder);
}

/* ---- archives of trees ---- */

enum {
    ARCHIVE_DIGITS = 16,
    ARCHIVE_BEGIN = sizeof(OTTER_CARD_FOLDER), /* of the name, behind the '/' */
};

static const char archive_end[] = ".tar";

void otter_card_archive_path(const uint8_t sha[OTTER_SHA256_SIZE],
                             char path[OTTER_PATH_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t len = ARCHIVE_BEGIN;

    memcpy(path, OTTER_CARD_FOLDER "/", len);
    for (size_t i = 0; i < ARCHIVE_DIGITS / 2; i++) {
        path[len++] = digits[sha[i] >> 4];
        path[len++] = digits[sha[i] & 0x0FU];
    }
    memcpy(path + len, archive_end, sizeof(archive_end));
}

enum otter_result otter_card_open_archive(struct otter_device *device, uint8_t region,
                                          const uint8_t sha[OTTER_SHA256_SIZE],
                                          uint32_t size)
{
    bool is_saved = region == OTTER_REGION_SAVED_FILE;
    char path[OTTER_PATH_SIZE];

    if (otter_card_files(device) == NULL) {
        return OTTER_E_CARD_NONE;
    }
    struct otter_card *card = device->card;
    struct otter_card_file *file = is_saved ? &card->saved : &card->tree;
    struct otter_source *source =
        &card->sources[is_saved ? OTTER_CARD_SAVED : OTTER_CARD_TREE];

    otter_card_archive_path(sha, path);
    card->fault = OTTER_OK;
    enum otter_result result = open_file(device, file, source, path);

    note_fault(&card->fault, result); /* without it nothing goes on */
    if (result == OTTER_E_CARD_NOT_FOUND ||
        (result == OTTER_OK && source->size != size)) {
        close_file(file, source);
        return OTTER_E_CARD_TREE;
    }
    return result;
}

/* True if `name` is that of an archive, but not the one at `kept`. */
static bool is_archive_beside(const char *name, const char *kept)
{
    size_t len = 0;

    while (len < (size_t)ARCHIVE_DIGITS && name[len] != '\0') {
        len++;
    }
    return len == (size_t)ARCHIVE_DIGITS &&
           memcmp(name + len, archive_end, sizeof(archive_end)) == 0 &&
           memcmp(name, kept, len + sizeof(archive_end)) != 0;
}

/* The name of the archive that the current system needs, behind the folder's; empty if
 * there is no tree. False if its receipt cannot be read: then nothing is known. */
static bool find_kept(struct otter_device *device, char path[OTTER_PATH_SIZE])
{
    struct otter_system system;
    struct otter_member member;

    if (otter_system_peek(device, device->journal.state.current, &system) != OTTER_OK) {
        return false;
    }
    enum otter_result result = otter_system_tree(device, &system, &member, path);

    memset(path, 0, OTTER_PATH_SIZE);
    if (result == OTTER_OK) {
        otter_card_archive_path(member.installed_sha, path);
    }
    return result == OTTER_OK || result == OTTER_E_CONTROL_MISSING;
}

enum otter_result otter_card_settle(struct otter_device *device)
{
    const struct otter_files *files = otter_card_files(device);
    int file = 0;
    enum otter_result result = otter_card_make_folder(device);

    if (result == OTTER_OK) {
        result = files->open(files->context, settle_path, OTTER_FILE_NEW, &file);
    }
    return result == OTTER_OK ? files->close(files->context, file) : result;
}

/* Removes one archive that nobody needs. False if there is none, or it stays. */
static bool tidy_archive(struct otter_device *device)
{
    const struct otter_files *files = otter_card_files(device);
    struct otter_file_entry entry;
    char path[OTTER_PATH_SIZE];

    if (!find_kept(device, path)) {
        return false;
    }
    for (uint32_t i = 0; files->list(files->context, folder, i, &entry) == OTTER_OK;
         i++) {
        if (!entry.is_folder && is_archive_beside(entry.name, path + ARCHIVE_BEGIN)) {
            memcpy(path, OTTER_CARD_FOLDER "/", ARCHIVE_BEGIN);
            memcpy(path + ARCHIVE_BEGIN, entry.name,
                   ARCHIVE_DIGITS + sizeof(archive_end));
            return files->remove(files->context, path) == OTTER_OK;
        }
    }
    return false;
}

bool otter_card_tidy(struct otter_device *device, uint8_t *index)
{
    enum {
        POINTERS = OTTER_POINTER_COUNT,
        COPIES = POINTERS + SAVED_COUNT,
        NOTE = COPIES + 1,
        ARCHIVES,
    };
    const struct otter_files *files = otter_card_files(device);
    char path[OTTER_PATH_SIZE];

    if (files == NULL || *index > ARCHIVES) {
        return false;
    }
    if (*index == NOTE) {
        *index = otter_left_settle(device) ? ARCHIVES : ARCHIVES + 1;
        return true;
    }
    if (*index == ARCHIVES) {
        bool has_more = tidy_archive(device);

        *index = (uint8_t)(*index + (has_more ? 0 : 1));
        return has_more;
    }
    if (*index >= POINTERS && *index < COPIES) {
        otter_card_saved_path(saved_regions[*index - POINTERS], path);
    }
    /* What is not there, or cannot be removed, harms nobody. */
    (void)!files->remove(files->context, *index < POINTERS ? card_pointer_paths[*index]
                                         : *index < COPIES ? path
                                                           : settle_path);
    ++*index;
    return true;
}
