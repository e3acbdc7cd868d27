/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual devices that are directories: DIR/flash.bin, DIR/device.json (profile and
 * seed), DIR/keys (its own keys, if it has any) and DIR/lock, which one process holds
 * as long as it uses the device. The card of a profile that has one is the folder
 * DIR/card: without it there is no card.
 *
 * Functions print what went wrong to stderr and return the tool's exit status
 * (verbs.h).
 */
#ifndef OTTER_TOOL_VIRTUAL_H
#define OTTER_TOOL_VIRTUAL_H

#include "host_keys.h"
#include "vdevice.h"
#include "verbs.h"

#include <jansson.h>
#include <stdbool.h>

struct virtual_device {
    const char *path; /* the directory */
    int lock;         /* open and locked file, -1: none */
    uint32_t seed;
    struct host_keys keys; /* that its crypto port has; must not move */
    struct vdevice device;
    struct folder_files folder; /* the card, and */
    struct otter_files files;   /* the port on it */
};

/* True if `path` is a directory: a virtual device rather than an address. */
bool virtual_is_directory(const char *path);

/* True if nothing is in that directory. */
bool virtual_is_empty(const char *path);

/* Makes the directory, its empty flash and its key store. Refuses one that exists
 * already, unless it is empty. Leaves the device open. */
int virtual_create(struct virtual_device *device, const char *path,
                   const struct host_profile *profile, uint32_t seed,
                   const struct otter_key_store *keys);

/* Opens a powered-off device and locks it. Status 1 if it is in use. */
int virtual_open(struct virtual_device *device, const char *path);
void virtual_close(struct virtual_device *device);

/* Pulls the plug of whoever runs the device, and waits until it is off. */
int virtual_kill(const char *path);

/* --cut N[:before|after|torn]: reads the text; status 2 with a message. */
int virtual_parse_cut(const char *text, uint32_t seed, struct vflash_fault *fault);

/* --app confirm|silent|crash|hang. */
int virtual_parse_app(const char *text, enum vdevice_app *app);

/* Hooks that print each event as one line to stdout, or to stderr. */
void virtual_print_events(struct vdevice *device, bool to_stderr);

/* What is on a powered-off device: "profile", "phase", "system", "outcome" and so on.
 * With `is_full` the map, the policy and the wear too. New reference. */
json_t *virtual_describe(struct vdevice *device, bool is_full);

/* True if packages for the device lie on its card. */
bool virtual_is_on_card(const struct vdevice *device);

/* Copies a package to the card, under the last part of `name` in the folder "update";
 * `path` is what the device calls it. It ends in ".otter": the manager looks for no
 * other one. A file of that name is set aside first, so that it can come back. */
int virtual_put_on_card(struct virtual_device *device, const char *name,
                        const uint8_t *package, size_t size,
                        char path[OTTER_PATH_SIZE]);

/* Removes it again; a file of that name that was there before comes back. */
void virtual_take_from_card(struct virtual_device *device, const char *path);

/* Decides about what is set aside on the card of a device that is off or idle, also by
 * a process that was killed: if the package in its place is confirmed, it goes; while
 * the device works on one, it stays; else it comes back. Of copies that are not whole
 * nothing is left. */
void virtual_settle_card(struct virtual_device *device);

/* Prints a description for people. */
void virtual_print(const json_t *description);

/* Prints a refusal of the device with its code, text and remedy; gives status 4. */
int virtual_refused(enum otter_result result);

/* otter status DIR and otter confirm DIR. */
int status_directory(const char *path, bool is_json);
int confirm_directory(const char *path, bool is_json);

/* Compares what an installed or kept member says with what the device has: 23-18, 36-20
 * or what the card answers; OTTER_OK also for programs, which are not looked at. */
enum otter_result virtual_compare(struct otter_device *view,
                                  const struct otter_member *member);

#endif
