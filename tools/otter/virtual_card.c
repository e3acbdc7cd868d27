/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages on the card of a virtual device: the folder "update" of DIR/card.
 *
 * A package is written as NAME.not-whole and then gets its name. What has that name
 * already may be the only package that mends the device: it is NAME.set-aside until the
 * device has taken the new one. Neither name ends in ".otter", so that the device takes
 * neither for a package. At each moment both files are there whole, under their name or
 * set aside, whatever ends the process.
 */
#include "virtual.h"

#include "files.h"
#include "package_read.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char set_aside[] = ".set-aside";
static const char not_whole[] = ".not-whole";

enum { RANDOM_LEN = sizeof(".XXXXXX") - 1 }; /* that file_write() adds */

/* A file in the folder "update". */
struct place {
    char name[PATH_MAX];
    char aside[PATH_MAX];
    char part[PATH_MAX];
};

static bool find_folder(const struct virtual_device *device, char folder[PATH_MAX])
{
    int len = snprintf(folder, PATH_MAX, "%s/update", device->folder.path);

    return len > 0 && len < PATH_MAX;
}

/* The paths of a file by its name in the folder; false if they are too long. */
static bool find_place(const struct virtual_device *device, const char *name,
                       size_t name_len, struct place *place)
{
    char folder[PATH_MAX];

    if (!find_folder(device, folder) ||
        name_len > sizeof(folder) - strlen(folder) - sizeof("/") - sizeof(set_aside)) {
        return false;
    }
    int len = snprintf(place->name, PATH_MAX, "%s/%.*s", folder, (int)name_len, name);
    int aside_len = snprintf(place->aside, PATH_MAX, "%s/%.*s%s", folder, (int)name_len,
                             name, set_aside);
    int part_len = snprintf(place->part, PATH_MAX, "%s/%.*s%s", folder, (int)name_len,
                            name, not_whole);

    return len > 0 && aside_len > 0 && part_len > 0;
}

/* --- the copy --- */

/* A name that the device takes: the last part of `name`, or one for what has none. */
static void name_on_card(const char *name, char path[OTTER_PATH_SIZE])
{
    const char *slash = strrchr(name, '/');
    const char *last = slash == NULL ? name : slash + 1;
    const char *ending = otter_path_has_ending(last, ".otter") ? "" : ".otter";
    int len = snprintf(path, OTTER_PATH_SIZE, "update/%s%s", last, ending);

    if (len >= OTTER_PATH_SIZE || !otter_path_is_good(path) || strcmp(name, "-") == 0) {
        (void)snprintf(path, OTTER_PATH_SIZE, "update/package.otter");
    }
}

/* Gives the file its second name. A link to a file would become one to the new file:
 * what is not a regular file is moved, and so is all on a file system without links. */
static bool put_aside(const struct place *place)
{
    struct stat info;

    if (lstat(place->name, &info) != 0) {
        return errno == ENOENT;
    }
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return false;
    }
    return (S_ISREG(info.st_mode) && link(place->name, place->aside) == 0) ||
           rename(place->name, place->aside) == 0;
}

static void come_back(const struct place *place)
{
    /* Of two names of one file rename() removes none. */
    if (rename(place->aside, place->name) == 0) {
        (void)unlink(place->aside);
    }
}

static int copy(const struct place *place, const uint8_t *package, size_t size)
{
    int status = file_write(place->part, package, size);

    if (status != TOOL_DONE) {
        return status;
    }
    if (!put_aside(place) || rename(place->part, place->name) != 0) {
        status = complain("%s cannot be written: %s", place->name, strerror(errno));
        (void)unlink(place->part);
        come_back(place);
    }
    return status;
}

int virtual_put_on_card(struct virtual_device *device, const char *name,
                        const uint8_t *package, size_t size, char path[OTTER_PATH_SIZE])
{
    char folder[PATH_MAX];
    struct place place;
    struct stat info;

    if (!virtual_is_directory(device->folder.path)) {
        return virtual_refused(OTTER_E_CARD_NONE);
    }
    name_on_card(name, path);
    const char *last = strchr(path, '/') + 1;

    if (!find_folder(device, folder) ||
        !find_place(device, last, strlen(last), &place)) {
        return complain("%s: the path is too long", device->path);
    }
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return complain("%s: %s", folder, strerror(errno));
    }
    if (lstat(place.aside, &info) == 0) {
        return complain("%s: the device has not done with this package; let it go on: "
                        "otter device run %s",
                        place.name, device->path);
    }
    return copy(&place, package, size);
}

void virtual_take_from_card(struct virtual_device *device, const char *path)
{
    const char *last = strchr(path, '/') + 1;
    char folder[PATH_MAX];
    struct place place;
    struct stat info;

    if (!find_folder(device, folder) ||
        !find_place(device, last, strlen(last), &place)) {
        return;
    }
    if (lstat(place.aside, &info) == 0) {
        come_back(&place);
    } else {
        (void)unlink(place.name);
        (void)rmdir(folder); /* unless something else is in it */
    }
}

/* --- what is set aside --- */

/* The length of `name` without the ending, 0 if it is not that of a package's name and
 * the ending. */
static size_t base_of(const char *name, const char *ending)
{
    char base[OTTER_PATH_SIZE];
    const size_t len = strlen(name);
    const size_t end_len = strlen(ending);
    const size_t base_len = len > end_len ? len - end_len : 0;

    if (base_len == 0 || base_len >= sizeof(base) ||
        strcmp(name + base_len, ending) != 0) {
        return 0;
    }
    memcpy(base, name, base_len);
    base[base_len] = '\0';
    return otter_path_has_ending(base, ".otter") ? base_len : 0;
}

/* NAME.not-whole, and what file_write() makes on the way there. */
static bool is_part(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char base[NAME_MAX + 1];
    const size_t len = strlen(name);

    if (base_of(name, not_whole) > 0) {
        return true;
    }
    if (len <= RANDOM_LEN || len >= sizeof(base) || name[len - RANDOM_LEN] != '.' ||
        strspn(name + len - RANDOM_LEN + 1, letters) != RANDOM_LEN - 1) {
        return false;
    }
    memcpy(base, name, len - RANDOM_LEN);
    base[len - RANDOM_LEN] = '\0';
    return base_of(base, not_whole) > 0;
}

/* Is the file the package of the system that runs? One that is damaged or forged may
 * have its id, but not its hash. */
static bool is_taken(const struct otter_system *current, const char *name)
{
    struct package_file package;

    if (!current->receipt.has_hash || access(name, R_OK) != 0 ||
        package_file_read(name, &package) != TOOL_DONE) {
        return false;
    }
    const bool is_same =
        package.result == OTTER_OK &&
        memcmp(package.hash, current->receipt.hash, sizeof(package.hash)) == 0;

    package_file_free(&package);
    return is_same;
}

static void settle(const struct virtual_device *device, const char *name,
                   const struct otter_system *current)
{
    const size_t len = base_of(name, set_aside);
    struct place place;

    if (len == 0 || !find_place(device, name, len, &place)) {
        return;
    }
    if (is_taken(current, place.name)) {
        (void)unlink(place.aside);
    } else {
        come_back(&place);
    }
}

/* What the device works on stays, and of a device whose journal cannot be read nobody
 * knows. */
static bool is_idle(struct virtual_device *device, struct otter_system *current)
{
    struct otter_device view;

    *current = (struct otter_system){0};
    if (vdevice_inspect(&device->device, &view) != OTTER_OK ||
        otter_phase_locks_store(view.journal.state.phase)) {
        return false;
    }
    if (otter_system_open(&view, view.journal.state.current, current) != OTTER_OK) {
        current->receipt.has_hash = false;
    }
    return true;
}

void virtual_settle_card(struct virtual_device *device)
{
    struct otter_system current;
    struct dirent **entries = NULL;
    char folder[PATH_MAX];
    char part[PATH_MAX];

    if (!virtual_is_on_card(&device->device) || !find_folder(device, folder)) {
        return;
    }
    const int count = scandir(folder, &entries, NULL, NULL);
    const bool is_decided = count > 0 && is_idle(device, &current);

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        const int len = snprintf(part, sizeof(part), "%s/%s", folder, name);

        if (is_part(name) && len > 0 && len < PATH_MAX) {
            (void)unlink(part);
        }
        if (is_decided) {
            settle(device, name, &current);
        }
        free(entries[i]);
    }
    free((void *)entries);
}
