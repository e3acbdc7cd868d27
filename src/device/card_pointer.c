/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pointers to the package on the card, and other small files of the same form.
 * Nothing on the card is believed: a pointer only says where to look, the receipt says
 * what must lie there.
 */
#include "otter/card.h"

#include "card_inner.h"

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

enum otter_result otter_card_find_package(struct otter_device *device)
{
    uint8_t slot = (uint8_t)(1 - device->journal.state.current);
    struct otter_system system;
    enum otter_result result = otter_system_open(device, slot, &system);

    return result == OTTER_OK ? otter_card_open_of(device, &system) : result;
}
