/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files port on a folder of the host: the card of a virtual device that is a
 * directory. Without the folder there is no card; what is written is synced.
 */
#ifndef OTTER_HOST_FOLDER_FILES_H
#define OTTER_HOST_FOLDER_FILES_H

#include "otter/port/files.h"

enum { FOLDER_FILES_MAX = 4, FOLDER_FILES_PATH_MAX = 4096 };

struct folder_files {
    char path[FOLDER_FILES_PATH_MAX];
    int files[FOLDER_FILES_MAX]; /* of the host, -1: closed */
};

/* Makes `files` show the folder `path`, which need not be there. False if the name is
 * too long. Both structs stay in use. */
bool folder_files_open(struct folder_files *folder, const char *path,
                       struct otter_files *files);

/* Closes every file, as a reset of the processor does. */
void folder_files_close(struct folder_files *folder);

#endif
