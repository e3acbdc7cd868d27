/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files port on a folder of the host.
 */
#include "folder_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool has_card(const struct folder_files *folder)
{
    struct stat info;

    return stat(folder->path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* What the last call's errno means. */
static enum otter_result failure(const struct folder_files *folder,
                                 enum otter_result other)
{
    int error = errno;

    if (!has_card(folder)) {
        return OTTER_E_CARD_NONE;
    }
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENXIO: /* a socket */
        return OTTER_E_CARD_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return OTTER_E_CARD_FULL;
    default:
        return other;
    }
}

static bool join(const struct folder_files *folder, const char *path,
                 char name[FOLDER_FILES_PATH_MAX])
{
    int len = snprintf(name, FOLDER_FILES_PATH_MAX, "%s/%s", folder->path, path);

    return len > 0 && len < FOLDER_FILES_PATH_MAX;
}

/* Makes sure of the names in the folder that holds `name`. */
static void sync_parent(char name[FOLDER_FILES_PATH_MAX])
{
    char *slash = strrchr(name, '/');

    if (slash != NULL) {
        *slash = '\0';
    }
    int file = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (file >= 0) {
        (void)fsync(file);
        (void)close(file);
    }
}

static int host_file(const struct folder_files *folder, int file)
{
    return file >= 0 && file < FOLDER_FILES_MAX ? folder->files[file] : -1;
}

static enum otter_result files_open(void *context, const char *path,
                                    enum otter_file_mode mode, int *file)
{
    struct folder_files *folder = context;
    bool is_new = mode == OTTER_FILE_NEW;
    enum otter_result other = is_new ? OTTER_E_CARD_WRITE : OTTER_E_CARD_READ;
    char name[FOLDER_FILES_PATH_MAX];
    struct stat info;
    int index = 0;

    while (index < FOLDER_FILES_MAX && folder->files[index] >= 0) {
        index++;
    }
    if (index == FOLDER_FILES_MAX || !join(folder, path, name)) {
        return other;
    }
    /* A pipe of that name must not stop the device until somebody writes into it. */
    int opened = open(name,
                      (is_new ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY) | O_NONBLOCK |
                          O_NOCTTY | O_CLOEXEC,
                      0666);

    if (opened < 0) {
        return failure(folder, other);
    }
    if (fstat(opened, &info) != 0 || !S_ISREG(info.st_mode)) {
        (void)close(opened);
        return OTTER_E_CARD_NOT_FOUND;
    }
    if (is_new) {
        sync_parent(name);
    }
    folder->files[index] = opened;
    *file = index;
    return OTTER_OK;
}

static enum otter_result files_size(void *context, int file, uint32_t *size)
{
    const struct folder_files *folder = context;
    struct stat info;

    if (!has_card(folder) || fstat(host_file(folder, file), &info) != 0) {
        return OTTER_E_CARD_NONE;
    }
    *size = (uint32_t)info.st_size;
    return info.st_size <= (off_t)UINT32_MAX ? OTTER_OK : OTTER_E_CARD_READ;
}

static enum otter_result files_read(void *context, int file, uint32_t off, void *data,
                                    size_t len)
{
    const struct folder_files *folder = context;

    if (!has_card(folder) || host_file(folder, file) < 0) {
        return OTTER_E_CARD_NONE;
    }
    return pread(host_file(folder, file), data, len, off) == (ssize_t)len
               ? OTTER_OK
               : OTTER_E_CARD_READ;
}

static enum otter_result files_write(void *context, int file, uint32_t off,
                                     const void *data, size_t len)
{
    const struct folder_files *folder = context;

    if (!has_card(folder) || host_file(folder, file) < 0) {
        return OTTER_E_CARD_NONE;
    }
    ssize_t written = pwrite(host_file(folder, file), data, len, off);

    return written == (ssize_t)len ? OTTER_OK
           : written >= 0          ? OTTER_E_CARD_FULL
                                   : failure(folder, OTTER_E_CARD_WRITE);
}

static enum otter_result files_sync(void *context, int file)
{
    const struct folder_files *folder = context;

    if (!has_card(folder) || host_file(folder, file) < 0) {
        return OTTER_E_CARD_NONE;
    }
    return fsync(host_file(folder, file)) == 0 ? OTTER_OK
                                               : failure(folder, OTTER_E_CARD_WRITE);
}

static enum otter_result files_close(void *context, int file)
{
    struct folder_files *folder = context;
    int opened = host_file(folder, file);

    if (opened < 0) {
        return OTTER_E_CARD_NONE;
    }
    folder->files[file] = -1;
    return close(opened) == 0 ? OTTER_OK : failure(folder, OTTER_E_CARD_WRITE);
}

static enum otter_result files_remove(void *context, const char *path)
{
    const struct folder_files *folder = context;
    char name[FOLDER_FILES_PATH_MAX];

    if (!join(folder, path, name)) {
        return OTTER_E_CARD_WRITE;
    }
    if (remove(name) != 0) {
        return failure(folder, OTTER_E_CARD_WRITE);
    }
    sync_parent(name);
    return OTTER_OK;
}

static enum otter_result files_rename(void *context, const char *from, const char *to)
{
    const struct folder_files *folder = context;
    char name[FOLDER_FILES_PATH_MAX];
    char next[FOLDER_FILES_PATH_MAX];

    if (!join(folder, from, name) || !join(folder, to, next) ||
        access(next, F_OK) == 0) {
        return OTTER_E_CARD_WRITE;
    }
    if (rename(name, next) != 0) {
        return failure(folder, OTTER_E_CARD_WRITE);
    }
    sync_parent(name);
    sync_parent(next);
    return OTTER_OK;
}

static enum otter_result files_make_folder(void *context, const char *path)
{
    const struct folder_files *folder = context;
    char name[FOLDER_FILES_PATH_MAX];

    if (!join(folder, path, name)) {
        return OTTER_E_CARD_WRITE;
    }
    if (mkdir(name, 0777) != 0) {
        return errno == EEXIST ? OTTER_OK : failure(folder, OTTER_E_CARD_WRITE);
    }
    sync_parent(name);
    return OTTER_OK;
}

static void tell(const char *folder, const char *name, struct otter_file_entry *entry)
{
    char path[FOLDER_FILES_PATH_MAX];
    struct stat info = {.st_size = 0};
    size_t len = strlen(name);

    memset(entry, 0, sizeof(*entry));
    memcpy(entry->name, name,
           len < sizeof(entry->name) ? len : sizeof(entry->name) - 1);
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) < FOLDER_FILES_PATH_MAX &&
        stat(path, &info) == 0) {
        entry->is_folder = S_ISDIR(info.st_mode);
        entry->size = (uint32_t)info.st_size;
    }
}

/* By name, so that the order stays. */
static enum otter_result files_list(void *context, const char *path, uint32_t index,
                                    struct otter_file_entry *entry)
{
    const struct folder_files *folder = context;
    struct dirent **entries = NULL;
    char name[FOLDER_FILES_PATH_MAX];
    enum otter_result result = OTTER_E_CARD_NOT_FOUND;

    if (!join(folder, path, name)) {
        return OTTER_E_CARD_READ;
    }
    int count = scandir(name, &entries, NULL, alphasort);

    if (count < 0) {
        return failure(folder, OTTER_E_CARD_READ);
    }
    for (int i = 0; i < count; i++) {
        bool is_dots = strcmp(entries[i]->d_name, ".") == 0 ||
                       strcmp(entries[i]->d_name, "..") == 0;

        if (!is_dots && result != OTTER_OK && index-- == 0) {
            tell(name, entries[i]->d_name, entry);
            result = OTTER_OK;
        }
        free(entries[i]);
    }
    free((void *)entries);
    return result;
}

static enum otter_result files_free_bytes(void *context, uint32_t *bytes)
{
    const struct folder_files *folder = context;
    struct statvfs info;

    if (!has_card(folder) || statvfs(folder->path, &info) != 0) {
        return OTTER_E_CARD_NONE;
    }
    uint64_t room = (uint64_t)info.f_bavail * info.f_frsize;

    *bytes = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;
    return OTTER_OK;
}

static const struct otter_files functions = {
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

bool folder_files_open(struct folder_files *folder, const char *path,
                       struct otter_files *files)
{
    int len = snprintf(folder->path, sizeof(folder->path), "%s", path);

    for (size_t i = 0; i < FOLDER_FILES_MAX; i++) {
        folder->files[i] = -1;
    }
    *files = functions;
    files->context = folder;
    return len > 0 && (size_t)len < sizeof(folder->path);
}

void folder_files_close(struct folder_files *folder)
{
    for (int i = 0; i < FOLDER_FILES_MAX; i++) {
        if (folder->files[i] >= 0) {
            (void)close(folder->files[i]);
            folder->files[i] = -1;
        }
    }
}
