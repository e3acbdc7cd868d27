/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_promises DIR BEFORE OLD NEW MANAGER COUNTERS ENDS: opens the virtual device of
 * the folder DIR, powers it on, and holds it against the promises: the same functions
 * that the power-cut sweep calls.
 *
 * BEFORE is a copy of the folder's flash.bin from before the update; OLD, NEW and
 * MANAGER are the programs as they lie in flash; COUNTERS is "old,new"; ENDS is
 * confirmed, rolled-back or refused.
 */
#include "files.h"
#include "promises.h"
#include "virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 8, DATA_ARGUMENTS = 4 };

static void must_read(const char *path, struct bytes *bytes)
{
    if (file_read(path, FILE_ANY_SIZE, bytes) != 0) {
        exit(2);
    }
}

/* What a system has besides programs; empty: it has none. */
struct data {
    struct bytes resources;
    struct bytes font;
};

static struct promise_system system_of(const struct bytes *firmware,
                                       const struct bytes *manager, const char *counter,
                                       const struct data *data)
{
    return (struct promise_system){
        .resources = data->resources.data,
        .resources_size = (uint32_t)data->resources.size,
        .font = data->font.data,
        .font_size = (uint32_t)data->font.size,
        .firmware = firmware->data,
        .firmware_size = (uint32_t)firmware->size,
        .manager = manager->data,
        .manager_size = (uint32_t)manager->size,
        .counter = (uint32_t)strtoul(counter, NULL, 10),
    };
}

static enum otter_outcome_kind end_of(const char *name)
{
    return strcmp(name, "confirmed") == 0     ? OTTER_OUTCOME_CONFIRMED
           : strcmp(name, "rolled-back") == 0 ? OTTER_OUTCOME_ROLLED_BACK
                                              : OTTER_OUTCOME_REFUSED;
}

/* The flash of the same profile as it was before. */
static void load_before(const struct vdevice *device, const char *path,
                        struct vflash_image *image)
{
    struct vflash_config config = {.areas = device->profile->areas,
                                   .area_count = device->profile->area_count,
                                   .path = path};
    struct vflash flash;

    if (vflash_create(&flash, &config) != OTTER_OK) {
        (void)fprintf(stderr, "check_promises: cannot open %s\n", path);
        exit(2);
    }
    vflash_save(&flash, image);
    vflash_destroy(&flash);
}

static const char *first_broken(const struct promise_case *it, enum vdevice_end end)
{
    /* A refusal before the transfer has begun leaves no outcome. */
    bool has_outcome = it->ends != OTTER_OUTCOME_REFUSED;
    const char *found[] = {
        promise_p1(it, end), promise_p2(it), has_outcome ? promise_p3(it) : NULL,
        promise_p4(it),      promise_p7(it), promise_p8(it),
    };

    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        if (found[i] != NULL) {
            return found[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct virtual_device folder;
    struct vflash_image before = {0};
    struct bytes old = {0};
    struct bytes new = {0};
    struct bytes manager = {0};
    struct data old_data = {0};
    struct data new_data = {0};
    const struct vflash_fault none = {.kind = VFLASH_NONE};

    if (argc != ARGUMENTS && argc != ARGUMENTS + DATA_ARGUMENTS) {
        (void)fprintf(stderr, "usage: check_promises DIR BEFORE OLD NEW MANAGER "
                              "OLD_COUNTER,NEW_COUNTER ENDS [OLD_RESOURCES OLD_FONT "
                              "NEW_RESOURCES NEW_FONT]\n");
        return 2;
    }
    const char *comma = strchr(argv[6], ',');
    int status = virtual_open(&folder, argv[1]);

    if (status != 0 || comma == NULL) {
        return status == 0 ? 2 : status;
    }
    load_before(&folder.device, argv[2], &before);
    must_read(argv[3], &old);
    must_read(argv[4], &new);
    must_read(argv[5], &manager);
    if (argc > ARGUMENTS) {
        must_read(argv[8], &old_data.resources);
        must_read(argv[9], &old_data.font);
        must_read(argv[10], &new_data.resources);
        must_read(argv[11], &new_data.font);
    }
    struct promise_case it = {
        .device = &folder.device,
        .map = &folder.device.profile->map,
        .before = &before,
        .old = system_of(&old, &manager, argv[6], &old_data),
        .new = system_of(&new, &manager, comma + 1, &new_data),
        .ends = end_of(argv[7]),
        .power_limit = UINT32_MAX,
    };
    const char *broken = first_broken(&it, vdevice_power_on(&folder.device, none));

    (void)puts(broken == NULL ? "every promise holds" : broken);
    bytes_free(&old);
    bytes_free(&new);
    bytes_free(&manager);
    bytes_free(&old_data.resources);
    bytes_free(&old_data.font);
    bytes_free(&new_data.resources);
    bytes_free(&new_data.font);
    vflash_image_free(&before);
    virtual_close(&folder);
    return broken == NULL ? 0 : 1;
}
