/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter device new: a virtual device in a folder, with keys of its own if none is
 * named.
 */
#include "device_new.h"

#include "files.h"
#include "keys.h"
#include "new_device.h"
#include "say.h"
#include "verbs.h"
#include "virtual.h"

#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct new_options {
    const char *directory;
    uint64_t seed;
    const char *beside; /* an option that means nothing beside --package */
};

const struct option device_new_options[] = {
    NEW_DEVICE_OPTIONS,
    {"package", required_argument, NULL, 'p'},
    {"seed", required_argument, NULL, 's'},
    {NULL, 0, NULL, 0},
};

/* A finished package has the keys, the policy and all of the first system already. */
static bool is_beside_package(int name)
{
    return name == NEW_DEVICE_PROFILE || name == NEW_DEVICE_BOOT ||
           name == NEW_DEVICE_DEVICE_KEY;
}

static int check_new(const struct new_device *device, const struct new_options *options)
{
    return device->package_path == NULL || options->beside == NULL
               ? TOOL_DONE
               : complain_usage("--%s has no effect beside --package, which has a "
                                "whole first system; leave it out",
                                options->beside);
}

static int parse_new(int argc, char **argv, struct new_device *device,
                     struct new_options *options)
{
    struct option_walk walk = {
        .verb = "device", .letters = "", .options = device_new_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        int status = TOOL_DONE;

        if (name == OPTION_BAD) {
            status = TOOL_USAGE;
        } else if (name == 'p') {
            device->package_path = optarg;
        } else if (name == 's') {
            status = new_device_number("seed", optarg, UINT32_MAX, &options->seed);
        } else {
            status = new_device_take(device, name, optarg);
            if (!is_beside_package(name) && options->beside == NULL) {
                options->beside = walk.row->name;
            }
        }
        if (status != TOOL_DONE) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return complain_usage(
            "device new takes one directory; see otter device --help");
    }
    options->directory = argv[optind];
    return check_new(device, options);
}

/* A device for which no key was named gets one of its own; its public half is for
 * whoever packs. */
static int make_device_key(struct new_device *device, struct bytes *public_pem)
{
    struct otter_device_key own = {.kind = OTTER_DEVICE_KEY_P256};
    struct bytes private_pem = {0};
    struct signing_key pair;

    if (device->keys.store.count > 0) {
        return TOOL_DONE;
    }
    int status = key_generate(&private_pem, public_pem, &pair);

    if (status == TOOL_DONE) {
        memcpy(own.id, pair.key.id, sizeof(own.id));
        memcpy(own.secret, pair.scalar, sizeof(own.secret));
        (void)host_keys_add(&device->keys, &own);
        OPENSSL_cleanse(private_pem.data, private_pem.size);
    }
    bytes_free(&private_pem);
    key_wipe(&pair);
    OPENSSL_cleanse(&own, sizeof(own));
    return status;
}

static int write_public(const char *directory, const struct bytes *pem)
{
    char name[PATH_MAX];

    if (pem->size == 0) {
        return TOOL_DONE;
    }
    int len = snprintf(name, sizeof(name), "%s/device.pub", directory);

    return len > 0 && (size_t)len < sizeof(name)
               ? file_write(name, pem->data, pem->size)
               : complain("%s: the path is too long", directory);
}

int device_new(int argc, char **argv)
{
    struct new_options options = {.seed = 1};
    struct new_device made;
    struct virtual_device device;

    new_device_init(&made);
    struct bytes public_pem = {0};
    int status = parse_new(argc, argv, &made, &options);

    if (status == TOOL_DONE) {
        status = make_device_key(&made, &public_pem);
    }
    if (status == TOOL_DONE) {
        status = new_device_make(&made);
    }
    if (status == TOOL_DONE) {
        status = virtual_create(&device, options.directory, made.profile,
                                (uint32_t)options.seed, &made.keys.store);
        if (status == TOOL_DONE) {
            vflash_power_on(&device.device.flash,
                            (struct vflash_fault){.kind = VFLASH_NONE});
            status = new_device_write(&made, &device.device.port);
            virtual_close(&device);
        }
        if (status == TOOL_DONE) {
            status = write_public(options.directory, &public_pem);
        }
    }
    bytes_free(&public_pem);
    new_device_free(&made);
    return status;
}
