/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making new devices: what `otter factory` and `otter device new` share. Functions
 * print what went wrong to stderr and return the tool's exit status.
 */
#ifndef OTTER_TOOL_NEW_DEVICE_H
#define OTTER_TOOL_NEW_DEVICE_H

#include "factory.h"
#include "files.h"
#include "host_keys.h"
#include "options.h"
#include "package_text.h"
#include "profiles.h"
#include "sign_with.h"

#include <stdbool.h>
#include <stddef.h>

enum { NEW_DEVICE_IMAGE_NONE = 64 }; /* bytes of a placeholder image */

/* What the command line says about a new device. Strings stay where they are. */
struct new_device {
    const struct host_profile *profile;
    const char *key_paths[OTTER_KEYS_MAX];
    size_t key_count;
    const char *sign_path;
    struct external_signer signer; /* instead of sign_path, with a command */
    const char *package_path;      /* a finished first package instead of all below */
    const char *boot;
    const char *manager;
    const char *firmware;
    const char *resources; /* NULL: the first system has none; */
    const char *font;      /* the same */
    uint32_t target;
    uint16_t hardware;
    uint32_t counter;
    struct otter_version version;
    struct otter_policy policy;
    bool has_policy;       /* some of it was given */
    struct host_keys keys; /* of its own: --device-key, and a storage key with them */
    bool has_saved_copies; /* the policy for them was given */
    struct package texts;  /* its extensions are those of the first system */
    const char *recipient_paths[HOST_WRAPS_MAX]; /* that it is encrypted for */
    size_t recipient_count;

    /* Made by new_device_make(). */
    uint8_t *boot_data;
    size_t boot_size;
    uint8_t *package;
    size_t package_size;
    bool is_encrypted;
    uint8_t content_key[OTTER_AES_KEY_SIZE]; /* of the package, if it is encrypted */
};

/* Starts with the defaults of *otter device new*. */
void new_device_init(struct new_device *device);
void new_device_free(struct new_device *device);

/* The options that both verbs know, for getopt_long; names are 1000 and up. */
enum new_device_option {
    NEW_DEVICE_PROFILE = 1000,
    NEW_DEVICE_KEY,
    NEW_DEVICE_SIGN,
    NEW_DEVICE_SIGN_WITH,
    NEW_DEVICE_PUBLIC,
    NEW_DEVICE_SIGN_TIMEOUT,
    NEW_DEVICE_TARGET,
    NEW_DEVICE_HARDWARE,
    NEW_DEVICE_VERSION,
    NEW_DEVICE_COUNTER,
    NEW_DEVICE_BOOT,
    NEW_DEVICE_MANAGER,
    NEW_DEVICE_FIRMWARE,
    NEW_DEVICE_RESOURCES,
    NEW_DEVICE_FONT,
    NEW_DEVICE_POLICY,
    NEW_DEVICE_DEADLINE,
    NEW_DEVICE_DEVICE_KEY,
    NEW_DEVICE_ENCRYPT_TO,
    NEW_DEVICE_BATTERY,
    NEW_DEVICE_TEXT, /* + enum otter_extension */
};
#define NEW_DEVICE_OPTIONS                                                             \
    {"profile", required_argument, NULL, NEW_DEVICE_PROFILE},                          \
        {"key", required_argument, NULL, NEW_DEVICE_KEY | OPTION_REPEATED},            \
        {"sign", required_argument, NULL, NEW_DEVICE_SIGN},                            \
        {"sign-with", required_argument, NULL, NEW_DEVICE_SIGN_WITH},                  \
        {"public", required_argument, NULL, NEW_DEVICE_PUBLIC},                        \
        {"sign-timeout", required_argument, NULL, NEW_DEVICE_SIGN_TIMEOUT},            \
        {"target", required_argument, NULL, NEW_DEVICE_TARGET},                        \
        {"hardware", required_argument, NULL, NEW_DEVICE_HARDWARE},                    \
        {"version", required_argument, NULL, NEW_DEVICE_VERSION},                      \
        {"counter", required_argument, NULL, NEW_DEVICE_COUNTER},                      \
        {"boot", required_argument, NULL, NEW_DEVICE_BOOT},                            \
        {"manager", required_argument, NULL, NEW_DEVICE_MANAGER},                      \
        {"firmware", required_argument, NULL, NEW_DEVICE_FIRMWARE},                    \
        {"resources", required_argument, NULL, NEW_DEVICE_RESOURCES},                  \
        {"font", required_argument, NULL, NEW_DEVICE_FONT},                            \
        {"policy", required_argument, NULL, NEW_DEVICE_POLICY | OPTION_REPEATED},      \
        {"device-key", required_argument, NULL,                                        \
         NEW_DEVICE_DEVICE_KEY | OPTION_REPEATED},                                     \
        {"encrypt-to", required_argument, NULL,                                        \
         NEW_DEVICE_ENCRYPT_TO | OPTION_REPEATED},                                     \
        {"battery", required_argument, NULL, NEW_DEVICE_BATTERY},                      \
        {"vendor", required_argument, NULL, NEW_DEVICE_TEXT + OTTER_EXTENSION_VENDOR}, \
        {"product", required_argument, NULL,                                           \
         NEW_DEVICE_TEXT + OTTER_EXTENSION_PRODUCT},                                   \
        {"version-text", required_argument, NULL,                                      \
         NEW_DEVICE_TEXT + OTTER_EXTENSION_VERSION},                                   \
        {"build", required_argument, NULL, NEW_DEVICE_TEXT + OTTER_EXTENSION_BUILD},   \
        {"notes", required_argument, NULL, NEW_DEVICE_TEXT + OTTER_EXTENSION_NOTES},   \
    {                                                                                  \
        "trial-deadline", required_argument, NULL, NEW_DEVICE_DEADLINE                 \
    }

/* Takes one of them. Status 2 with a message if its value is wrong. */
int new_device_take(struct new_device *device, int name, const char *value);

/* A number from 0 to `max`, the value of the option. Status 2 with a message if it is
 * none. */
int new_device_number(const char *option, const char *text, uint64_t max,
                      uint64_t *value);

/* The bytes for a region from FILE[,only=RANGE][,rebase=ADDRESS], which must begin
 * where its programs run and fit; NULL: a placeholder. Free them with bytes_free(). */
int new_device_image(const struct new_device *device, const char *spec,
                     uint8_t region_id, struct bytes *bytes);

/* Reads keys and images and makes the first system's package. */
int new_device_make(struct new_device *device);

/* Writes all of it to a flash. */
int new_device_write(const struct new_device *device, const struct otter_flash *flash);

#endif
