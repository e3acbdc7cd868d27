/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card as the store of a device: the package stays a file that is read in place,
 * and the copy of the old system is a file, too. Both are read like regions of flash,
 * OTTER_REGION_PACKAGE_FILE and _SAVED_FILE, while they are open. Where the package
 * lies stands in two pointer files, each with a sequence and a CRC, because no rename
 * is taken for atomic (K20). Bytes and names: docs/SPEC.md, "Card".
 */
#ifndef OTTER_CARD_H
#define OTTER_CARD_H

#include "otter/control.h"
#include "otter/error.h"
#include "otter/io.h"
#include "otter/port/files.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where people put packages for the device to find, and how many entries of it are
 * looked at. */
#define OTTER_CARD_UPDATE "update"
enum { OTTER_CARD_UPDATE_ENTRIES = 64 };

struct otter_device;
struct otter_system;

enum { OTTER_POINTER_SIZE = 196, OTTER_POINTER_COUNT = 2 };

/* What a pointer file says. */
struct otter_pointer {
    uint32_t sequence;
    uint32_t file_length;
    uint8_t package_id[OTTER_PACKAGE_ID_SIZE];
    uint8_t hash[OTTER_SHA256_SIZE]; /* the package hash */
    char path[OTTER_PATH_SIZE];
};

/* Encodes and decodes a pointer file; pure. Decode answers false for anything but a
 * valid version 1 pointer. */
void otter_pointer_encode(const struct otter_pointer *pointer,
                          uint8_t bytes[OTTER_POINTER_SIZE]);
bool otter_pointer_decode(const uint8_t bytes[OTTER_POINTER_SIZE],
                          struct otter_pointer *pointer);

/* A file that is read as a region. */
struct otter_card_file {
    const struct otter_files *files;
    int number;
    bool is_open;
    enum otter_result *fault;
};

/* Boot has one for as long as it takes a loader from the card. */
struct otter_card {
    const struct otter_files *files; /* NULL: the device has no card */
    enum otter_result fault; /* why the card could not be read as a store, 36-10 or
                                36-13; OTTER_OK: it could, since it was opened */
    struct otter_card_file package;
    struct otter_card_file saved;
    struct otter_card_file tree;
    struct otter_source sources[OTTER_CARD_FILE_COUNT]; /* that the device's io reads */
};

/* Gives an open device its card, before any other function here; `card` stays in use.
 */
void otter_card_attach(struct otter_device *device, struct otter_card *card);

/* The card's port; NULL without a card. */
const struct otter_files *otter_card_files(const struct otter_device *device);

/* `fault` of the device's card; OTTER_OK without one. */
enum otter_result otter_card_fault(const struct otter_device *device);

/* Asks the port whether there is a card. OTTER_OK, 36-10, 36-13. */
OTTER_MUST_CHECK enum otter_result otter_card_ask(const struct otter_device *device);

/* True for what another try may mend, or a person with the card: it is gone, full, or
 * cannot be read or written, or a copy on it is not the right one (36-10, 36-12 to
 * 36-14, 36-19). */
bool otter_card_may_mend(enum otter_result result);

/* True for what another card than the one with which the update began answers: no
 * package of that name, no pointer to it, or to another one (36-11, 36-16, 36-17). */
bool otter_card_is_other(enum otter_result result);

/* Opens the file `path` as the region PACKAGE_FILE, in place of what was open. 36-15,
 * or what the port answers. */
OTTER_MUST_CHECK enum otter_result otter_card_open_package(struct otter_device *device,
                                                           const char *path);

/* Puts the path of an entry of the folder OTTER_CARD_UPDATE to `path`. False for what
 * is no package by its name: none that ends in ".otter", or too long. */
bool otter_card_update_path(const struct otter_file_entry *entry,
                            char path[OTTER_PATH_SIZE]);

/* Opens the first file of the folder OTTER_CARD_UPDATE that has length and package hash
 * of the system's package, as the region PACKAGE_FILE: its end says so, its content is
 * not looked at. `path` is its path. 36-11 if there is none; 36-10. At most
 * OTTER_CARD_UPDATE_ENTRIES files are opened. */
OTTER_MUST_CHECK enum otter_result otter_card_find_update(
    struct otter_device *device, const struct otter_system *system,
    char path[OTTER_PATH_SIZE]);

/* Opens the package that the pointers name, if it is the one of the incoming receipt:
 * package id, package hash and length. 36-16 without a valid pointer, 36-17 for another
 * package, or what the port answers. Its content is not looked at. Once writing has
 * begun the same package will do wherever it stands in the folder OTTER_CARD_UPDATE, on
 * another card. */
OTTER_MUST_CHECK enum otter_result otter_card_find_package(struct otter_device *device);

/* The same for a system whose receipt was opened before. */
OTTER_MUST_CHECK enum otter_result otter_card_open_of(
    struct otter_device *device, const struct otter_system *system);

/* Opens the copy that was saved of what the old system has in `region`, `size` bytes,
 * as the region SAVED_FILE. 36-19 if it is not there or has another size. */
OTTER_MUST_CHECK enum otter_result otter_card_open_saved(struct otter_device *device,
                                                         uint8_t region, uint32_t size);

/* Opens the archive of the tree of files whose hash is `sha`, `size` bytes, as the
 * region SAVED_FILE or TREE_FILE. 36-20 if it is not there or has another size. Its
 * content is not looked at. */
OTTER_MUST_CHECK enum otter_result otter_card_open_archive(
    struct otter_device *device, uint8_t region, const uint8_t sha[OTTER_SHA256_SIZE],
    uint32_t size);

/* Closes what is open as SAVED_FILE, so that it can be written. */
void otter_card_close_saved(struct otter_device *device);

/* Closes whatever is open. */
void otter_card_close(struct otter_device *device);

/* Writes pointer file `index` so that it is the newest one, and reads it back. One
 * bounded piece of work: a file of 196 bytes. */
OTTER_MUST_CHECK enum otter_result otter_card_write_pointer(
    struct otter_device *device, uint8_t index, const struct otter_pointer *pointer);

/* The file of the copy of what the old system has in `region`. */
void otter_card_saved_path(uint8_t region, char path[OTTER_PATH_SIZE]);

/* The file of the archive of a tree whose hash is `sha`. */
void otter_card_archive_path(const uint8_t sha[OTTER_SHA256_SIZE],
                             char path[OTTER_PATH_SIZE]);

/* Removes one file of those that an update leaves: pointers, then saved copies, then
 * every archive but that of the current system's tree. `index` is 0 at first and is
 * kept by the caller. A few file operations. False if nothing is left. */
bool otter_card_tidy(struct otter_device *device, uint8_t *index);

/* Makes sure of every name that was made or removed before, by making a file and
 * closing it. */
OTTER_MUST_CHECK enum otter_result otter_card_settle(struct otter_device *device);

/* The folder of pointers and saved copies. */
OTTER_MUST_CHECK enum otter_result otter_card_make_folder(struct otter_device *device);

#ifdef __cplusplus
}
#endif

#endif
