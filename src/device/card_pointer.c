/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pointers to the package on the card, and other small files of the same form.
 * Nothing on the card is believed: a pointer only says where to look, the receipt says
 * what must lie there.
 */
#include "otter/card.h"

#include "card_inner.h"
#include "otter/container.h"
#include "otter/path.h"

#include <string.h>

const char *const card_pointer_paths[OTTER_POINTER_COUNT] = {
    OTTER_CARD_FOLDER "/pointer.0", OTTER_CARD_FOLDER "/pointer.1"};

static enum otter_result read_bytes(const struct otter_files *files, const char *path,
                                    uint8_t bytes[OTTER_POINTER_SIZE])
{
    int file = 0;
    uint32_t size = 0;
    enum otter_result result =
        files->open(files->context, path, OTTER_FILE_READ, &file);

    if (result != OTTER_OK) {
        return result;
    }
    result = files->size(files->context, file, &size);
    if (result == OTTER_OK) {
        result = size != OTTER_POINTER_SIZE
                     ? OTTER_E_CARD_POINTER
                     : files->read(files->context, file, 0, bytes, OTTER_POINTER_SIZE);
    }
    enum otter_result closed = files->close(files->context, file);

    return result == OTTER_OK ? closed : result;
}

enum otter_result card_read_pointer(const struct otter_device *device, const char *path,
                                    struct otter_pointer *pointer)
{
    uint8_t bytes[OTTER_POINTER_SIZE];

    const struct otter_files *files = otter_card_files(device);

    if (files == NULL) {
        return OTTER_E_CARD_NONE;
    }
    enum otter_result result = read_bytes(files, path, bytes);

    if (result == OTTER_E_CARD_NOT_FOUND) {
        return OTTER_E_CARD_POINTER;
    }
    if (result == OTTER_OK && !otter_pointer_decode(bytes, pointer)) {
        return OTTER_E_CARD_POINTER;
    }
    return result;
}

enum otter_result card_write_bytes(const struct otter_files *files, const char *path,
                                   const uint8_t bytes[OTTER_POINTER_SIZE])
{
    int file = 0;
    enum otter_result result = files->open(files->context, path, OTTER_FILE_NEW, &file);

    if (result != OTTER_OK) {
        return result;
    }
    result = files->write(files->context, file, 0, bytes, OTTER_POINTER_SIZE);
    if (result == OTTER_OK) {
        result = files->sync(files->context, file);
    }
    enum otter_result closed = files->close(files->context, file);

    return result == OTTER_OK ? closed : result;
}

/* Above every sequence that can be read; once there is none above, the pointers start
 * over: both are removed. */
static uint32_t next_sequence(struct otter_device *device)
{
    uint32_t highest = 0;
    struct otter_pointer pointer;

    for (uint8_t i = 0; i < (uint8_t)OTTER_POINTER_COUNT; i++) {
        if (card_read_pointer(device, card_pointer_paths[i], &pointer) == OTTER_OK &&
            pointer.sequence > highest) {
            highest = pointer.sequence;
        }
    }
    for (uint8_t i = 0; highest == UINT32_MAX && i < (uint8_t)OTTER_POINTER_COUNT;
         i++) {
        (void)!otter_card_files(device)->remove(otter_card_files(device)->context,
                                                card_pointer_paths[i]);
    }
    return highest == UINT32_MAX ? 1 : highest + 1;
}

enum otter_result otter_card_write_pointer(struct otter_device *device, uint8_t index,
                                           const struct otter_pointer *pointer)
{
    struct otter_pointer next = *pointer;
    uint8_t bytes[OTTER_POINTER_SIZE];
    uint8_t back[OTTER_POINTER_SIZE];
    enum otter_result result = otter_card_make_folder(device);

    if (result != OTTER_OK) {
        return result;
    }
    next.sequence = next_sequence(device);
    otter_pointer_encode(&next, bytes);
    result =
        card_write_bytes(otter_card_files(device), card_pointer_paths[index], bytes);
    if (result == OTTER_OK) {
        result = read_bytes(otter_card_files(device), card_pointer_paths[index], back);
    }
    if (result == OTTER_OK && memcmp(bytes, back, sizeof(bytes)) != 0) {
        result = OTTER_E_CARD_WRITE;
    }
    return result;
}

static bool is_of(const struct otter_pointer *pointer,
                  const struct otter_system *system)
{
    return pointer->file_length == system->control.file_length &&
           memcmp(pointer->package_id, system->control.package_id,
                  sizeof(pointer->package_id)) == 0 &&
           system->receipt.has_hash &&
           memcmp(pointer->hash, system->receipt.hash, sizeof(pointer->hash)) == 0;
}

/* The newest pointer to the package of `system`. */
static enum otter_result find_pointer(struct otter_device *device,
                                      const struct otter_system *system,
                                      struct otter_pointer *found)
{
    enum otter_result result = OTTER_E_CARD_POINTER;
    bool has_one = false;

    for (uint8_t i = 0; i < (uint8_t)OTTER_POINTER_COUNT; i++) {
        struct otter_pointer pointer;
        enum otter_result one =
            card_read_pointer(device, card_pointer_paths[i], &pointer);

        if (one != OTTER_OK) {
            result = one == OTTER_E_CARD_POINTER ? result : one;
        } else if (!is_of(&pointer, system)) {
            result = result == OTTER_E_CARD_POINTER ? OTTER_E_CARD_OTHER : result;
        } else if (!has_one || pointer.sequence > found->sequence) {
            *found = pointer;
            has_one = true;
        }
    }
    return has_one ? OTTER_OK : result;
}

enum otter_result otter_card_open_of(struct otter_device *device,
                                     const struct otter_system *system)
{
    struct otter_pointer pointer;
    enum otter_result result = find_pointer(device, system, &pointer);

    if (result == OTTER_OK) {
        result = otter_card_open_package(device, pointer.path);
    }
    if (result == OTTER_OK &&
        device->card->sources[OTTER_CARD_PACKAGE].size != system->control.file_length) {
        otter_card_close(device);
        return OTTER_E_CARD_OTHER;
    }
    return result;
}

/* ---- the same package elsewhere ---- */

bool otter_card_update_path(const struct otter_file_entry *entry,
                            char path[OTTER_PATH_SIZE])
{
    static const char folder[] = OTTER_CARD_UPDATE "/";
    size_t before = sizeof(folder) - 1;
    size_t len = otter_path_length(entry->name);

    if (entry->is_folder || len > OTTER_PATH_MAX - before ||
        !otter_path_has_ending(entry->name, ".otter")) {
        return false;
    }
    memcpy(path, folder, before);
    memcpy(path + before, entry->name, len);
    path[before + len] = '\0';
    return true;
}

/* Opens the file if it ends as the system's package does. */
static bool open_if_of(struct otter_device *device, const char *path,
                       const struct otter_system *system)
{
    uint8_t trailer[OTTER_TRAILER_SIZE];
    uint8_t hash[OTTER_SHA256_SIZE];
    uint32_t length = system->control.file_length;
    bool is_right = otter_card_open_package(device, path) == OTTER_OK &&
                    length >= sizeof(trailer) &&
                    device->card->sources[OTTER_CARD_PACKAGE].size == length &&
                    otter_io_read(&device->io, OTTER_REGION_PACKAGE_FILE,
                                  length - (uint32_t)sizeof(trailer), trailer,
                                  sizeof(trailer)) == OTTER_OK &&
                    otter_trailer_parse(trailer, hash) == OTTER_OK &&
                    system->receipt.has_hash &&
                    memcmp(hash, system->receipt.hash, sizeof(hash)) == 0;

    if (!is_right) {
        otter_card_close(device);
    }
    return is_right;
}

enum otter_result otter_card_find_update(struct otter_device *device,
                                         const struct otter_system *system,
                                         char path[OTTER_PATH_SIZE])
{
    const struct otter_files *files = otter_card_files(device);
    struct otter_file_entry entry;

    if (files == NULL) {
        return OTTER_E_CARD_NONE;
    }
    for (uint32_t i = 0;
         i < (uint32_t)OTTER_CARD_UPDATE_ENTRIES &&
         files->list(files->context, OTTER_CARD_UPDATE, i, &entry) == OTTER_OK;
         i++) {
        if (otter_card_update_path(&entry, path) && open_if_of(device, path, system)) {
            return OTTER_OK;
        }
    }
    return OTTER_E_CARD_NOT_FOUND;
}

enum otter_result otter_card_find_package(struct otter_device *device)
{
    const struct otter_state *state = &device->journal.state;
    uint8_t slot = (uint8_t)(1 - state->current);
    struct otter_system system;
    char path[OTTER_PATH_SIZE];
    enum otter_result result = otter_system_open(device, slot, &system);

    if (result == OTTER_OK) {
        result = otter_card_open_of(device, &system);
        if (otter_card_is_other(result) && state->part == OTTER_PART_WRITE &&
            otter_card_find_update(device, &system, path) == OTTER_OK) {
            return OTTER_OK;
        }
    }
    return result;
}
