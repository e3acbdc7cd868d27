/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a virtual device: making, locking, opening, pulling its plug.
 */
#include "virtual.h"

#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KILL_WAIT_MS = 5000, KILL_STEP_MS = 10 };

static int fail(const char *path, const char *what)
{
    return complain("%s: %s", path, what);
}

/* Puts DIR/name into `path`. */
static bool join(char path[PATH_MAX], const char *dir, const char *name)
{
    int len = snprintf(path, PATH_MAX, "%s/%s", dir, name);

    return len > 0 && len < PATH_MAX;
}

bool virtual_is_directory(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool virtual_is_empty(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;

    if (dir == NULL) {
        return false;
    }
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count == 2; /* . and .. */
}

/* --- the lock --- */

static long lock_owner(int file)
{
    char text[32] = "";
    ssize_t len = pread(file, text, sizeof(text) - 1, 0);

    return len > 0 ? strtol(text, NULL, 10) : 0;
}

static int open_lock(const char *path, int *file)
{
    char name[PATH_MAX];

    if (!join(name, path, "lock")) {
        return fail(path, "the path is too long");
    }
    *file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    return *file >= 0 ? TOOL_DONE : fail(name, strerror(errno));
}

static int take_lock(const char *path, int *file)
{
    int status = open_lock(path, file);

    if (status != TOOL_DONE) {
        return status;
    }
    if (flock(*file, LOCK_EX | LOCK_NB) != 0) {
        (void)complain("%s: the device is in use by process %ld", path,
                       lock_owner(*file));
        (void)close(*file);
        *file = -1;
        return TOOL_FAILED;
    }
    char text[32];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    if (ftruncate(*file, 0) != 0 || pwrite(*file, text, (size_t)len, 0) != len) {
        return fail(path, "the lock file cannot be written");
    }
    return TOOL_DONE;
}

static void drop_lock(int *file)
{
    if (*file >= 0) {
        (void)ftruncate(*file, 0);
        (void)close(*file);
        *file = -1;
    }
}

int virtual_kill(const char *path)
{
    const struct timespec step = {.tv_nsec = KILL_STEP_MS * 1000000L};
    int file = -1;

    if (!virtual_is_directory(path)) {
        return fail(path, "no such device");
    }
    int status = open_lock(path, &file);

    if (status != TOOL_DONE) {
        return status;
    }
    if (flock(file, LOCK_EX | LOCK_NB) == 0) {
        (void)close(file);
        return fail(path, "the device is off already");
    }
    long owner = lock_owner(file);

    status = owner > 1 && kill((pid_t)owner, SIGKILL) == 0
                 ? TOOL_DONE
                 : fail(path, "the process that runs the device cannot be ended");
    for (int ms = 0; status == TOOL_DONE && flock(file, LOCK_EX | LOCK_NB) != 0;
         ms += KILL_STEP_MS) {
        if (ms > KILL_WAIT_MS) {
            status = fail(path, "the device does not go off");
        }
        (void)nanosleep(&step, NULL);
    }
    (void)close(file);
    return status;
}

/* --- making and opening --- */

static int open_flash(struct virtual_device *device, const struct host_profile *profile)
{
    char name[PATH_MAX];

    if (!join(name, device->path, "flash.bin")) {
        return fail(device->path, "the path is too long");
    }
    const struct vdevice_config config = {
        .profile = profile,
        .path = name,
        .keys = device->keys.store.count > 0 ? &device->keys.store : NULL,
    };

    if (vdevice_create(&device->device, &config) != OTTER_OK) {
        return fail(name, "cannot be opened, or is not the flash of this profile");
    }
    if (virtual_is_on_card(&device->device)) {
        if (!join(name, device->path, "card") ||
            !folder_files_open(&device->folder, name, &device->files)) {
            return fail(device->path, "the path is too long");
        }
        vdevice_set_folder(&device->device, &device->folder, &device->files);
    }
    return TOOL_DONE;
}

static int write_settings(const char *path, const struct host_profile *profile,
                          uint32_t seed)
{
    char name[PATH_MAX];
    json_t *settings = json_pack("{s:i, s:s, s:I}", "format", 1, "profile",
                                 profile->name, "seed", (json_int_t)seed);
    int written = settings != NULL && join(name, path, "device.json")
                      ? json_dump_file(settings, name, JSON_INDENT(2))
                      : -1;

    json_decref(settings);
    return written == 0 ? TOOL_DONE : fail(path, "device.json cannot be written");
}

static int read_settings(const char *path, const struct host_profile **profile,
                         uint32_t *seed)
{
    char name[PATH_MAX];
    const char *profile_name = NULL;
    json_int_t number = 0;
    int format = 0;

    if (!join(name, path, "device.json")) {
        return fail(path, "the path is too long");
    }
    json_t *settings = json_load_file(name, 0, NULL);

    if (settings == NULL) {
        return fail(
            path,
            "is no virtual device (device.json is missing or malformed); make one "
            "with otter device new");
    }
    *profile = NULL;
    if (json_unpack(settings, "{s:i, s:s, s:I}", "format", &format, "profile",
                    &profile_name, "seed", &number) == 0 &&
        format == 1) {
        *profile = host_profile_find(profile_name);
    }
    *seed = (uint32_t)number;
    json_decref(settings);
    return *profile != NULL ? TOOL_DONE
                            : fail(name, "names no profile that this otter knows");
}

/* A device without the file has no keys, and cannot decrypt. */
static int read_keys(struct virtual_device *device)
{
    char name[PATH_MAX];
    struct bytes file = {0};

    if (!join(name, device->path, "keys")) {
        return fail(device->path, "the path is too long");
    }
    if (access(name, F_OK) != 0) {
        return TOOL_DONE;
    }
    int status = file_read(name, HOST_KEYS_SIZE_MAX, &file);

    if (status == TOOL_DONE && !host_keys_decode(file.data, file.size, &device->keys)) {
        status = fail(name, "is no key store, or damaged");
    }
    bytes_free(&file);
    return status;
}

static int write_keys(struct virtual_device *device, const struct otter_key_store *keys)
{
    uint8_t file[HOST_KEYS_SIZE_MAX];
    char name[PATH_MAX];
    size_t size = host_keys_encode(keys, file);

    if (!join(name, device->path, "keys")) {
        return fail(device->path, "the path is too long");
    }
    return host_keys_decode(file, size, &device->keys)
               ? file_write_secret(name, file, size)
               : fail(name, "holds more keys than a device has room for");
}

static int finish_open(struct virtual_device *device, int status)
{
    if (status != TOOL_DONE) {
        drop_lock(&device->lock);
    }
    return status;
}

int virtual_create(struct virtual_device *device, const char *path,
                   const struct host_profile *profile, uint32_t seed,
                   const struct otter_key_store *keys)
{
    *device = (struct virtual_device){.path = path, .lock = -1, .seed = seed};
    if (mkdir(path, 0777) != 0 && (errno != EEXIST || !virtual_is_empty(path))) {
        return fail(path, errno == EEXIST ? "exists already" : strerror(errno));
    }
    int status = take_lock(path, &device->lock);

    if (status == TOOL_DONE) {
        status = write_settings(path, profile, seed);
    }
    if (status == TOOL_DONE && keys->count > 0) {
        status = write_keys(device, keys);
    }
    if (status == TOOL_DONE) {
        status = open_flash(device, profile);
    }
    if (status == TOOL_DONE && virtual_is_on_card(&device->device) &&
        mkdir(device->folder.path, 0777) != 0) {
        status = fail(device->folder.path, strerror(errno));
    }
    return finish_open(device, status);
}

int virtual_open(struct virtual_device *device, const char *path)
{
    const struct host_profile *profile = NULL;

    *device = (struct virtual_device){.path = path, .lock = -1};
    if (!virtual_is_directory(path)) {
        return fail(path, "no such device");
    }
    int status = read_settings(path, &profile, &device->seed);

    if (status != TOOL_DONE) {
        return status;
    }
    status = take_lock(path, &device->lock);
    if (status == TOOL_DONE) {
        status = read_keys(device);
    }
    if (status == TOOL_DONE) {
        status = open_flash(device, profile);
    }
    return finish_open(device, status);
}

void virtual_close(struct virtual_device *device)
{
    vdevice_destroy(&device->device);
    drop_lock(&device->lock);
}

/* --- the card --- */

bool virtual_is_on_card(const struct vdevice *device)
{
    return otter_map_is_on_card(&device->profile->map);
}

/* --- options --- */

int virtual_parse_cut(const char *text, uint32_t seed, struct vflash_fault *fault)
{
    static const struct {
        const char *suffix;
        enum vflash_fault_kind kind;
    } kinds[] = {
        {"", VFLASH_CUT_BEFORE},
        {":before", VFLASH_CUT_BEFORE},
        {":after", VFLASH_CUT_AFTER},
        {":torn", VFLASH_TORN},
    };
    char *end = NULL;

    errno = 0;
    unsigned long number = strtoul(text, &end, 10);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (end != text && text[0] != '-' && errno == 0 && number <= UINT32_MAX &&
            strcmp(end, kinds[i].suffix) == 0) {
            *fault = (struct vflash_fault){
                .at_op = (uint32_t)number, .kind = kinds[i].kind, .seed = seed};
            return TOOL_DONE;
        }
    }
    return complain_usage("--cut takes N, N:before, N:after or N:torn, not \"%s\"",
                          text);
}

int virtual_parse_app(const char *text, enum vdevice_app *app)
{
    static const char *const names[] = {
        [VDEVICE_CONFIRM] = "confirm",
        [VDEVICE_SILENT] = "silent",
        [VDEVICE_CRASH] = "crash",
        [VDEVICE_HANG] = "hang",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *app = (enum vdevice_app)i;
            return TOOL_DONE;
        }
    }
    return complain_usage("--app takes confirm, silent, crash or hang, not \"%s\"",
                          text);
}
