/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images of a new device: from files of any form to the bytes of a region.
 */
#include "new_device.h"

#include "image.h"
#include "otter/bytes.h"
#include "say.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPEC_MAX = 4096 };

/* One ",NAME=VALUE" of an image's spec. */
static int adjust(struct image *image, const char *path, char *option)
{
    struct image_range range;
    uint64_t addr = 0;

    if (strncmp(option, "only=", 5) == 0 && image_parse_range(option + 5, &range)) {
        return image_only(image, range) ? TOOL_DONE
                                        : complain("%s: %s", path, image->message);
    }
    if (strncmp(option, "rebase=", 7) == 0 &&
        parse_number(option + 7, UINT32_MAX, &addr)) {
        return image_rebase(image, (uint32_t)addr)
                   ? TOOL_DONE
                   : complain("%s: %s", path, image->message);
    }
    return complain_usage("%s: \"%s\" is neither only=RANGE nor rebase=ADDRESS", path,
                          option);
}

/* The image must begin where programs of the region run, and fit it. */
static int check_place(struct image *image, const char *path,
                       const struct otter_region *region)
{
    struct image_range room = {region->exec, region->exec + (region->size - 1)};
    struct image_range hit = {0, 0};

    if (!image->has_addr && !image_rebase(image, region->exec)) {
        return complain("%s: %s", path, image->message);
    }
    if (image_outside(image, room, &hit)) {
        return complain(
            "%s: 0x%08X-0x%08X lies outside the region (0x%08X-0x%08X); see only= "
            "and rebase=",
            path, hit.first, hit.last, room.first, room.last);
    }
    if (image_span(image).first != room.first) {
        return complain("%s: begins at 0x%08X, not at the region's 0x%08X; see rebase=",
                        path, image_span(image).first, room.first);
    }
    return TOOL_DONE;
}

/* What stands for a program that is not given: a vector table, then zeros. */
static int make_placeholder(const struct new_device *device,
                            const struct otter_region *region, struct bytes *bytes)
{
    bytes->data = calloc(1, NEW_DEVICE_IMAGE_NONE);
    if (bytes->data == NULL) {
        return complain("out of memory");
    }
    bytes->size = NEW_DEVICE_IMAGE_NONE;
    otter_store_le32(bytes->data, device->policy.ram_addr + device->policy.ram_size);
    otter_store_le32(bytes->data + 4, region->exec + 0x21);
    return TOOL_DONE;
}

/* Reads FILE[,only=RANGE][,rebase=ADDRESS] for a region. */
int new_device_image(const struct new_device *device, const char *spec,
                     uint8_t region_id, struct bytes *bytes)
{
    const struct otter_region *region =
        otter_map_find(&device->profile->map, region_id);
    char text[SPEC_MAX];
    struct image image = {0};
    char *rest = NULL;

    if (spec == NULL) {
        return make_placeholder(device, region, bytes);
    }
    if (strlen(spec) >= sizeof(text)) {
        return complain_usage("%s: the name is too long", spec);
    }
    (void)snprintf(text, sizeof(text), "%s", spec);
    char *path = strtok_r(text, ",", &rest);
    int status = path != NULL ? image_read(path, &image)
                              : complain_usage("an image has no name");

    if (status != TOOL_DONE) {
        return status;
    }
    for (char *option;
         status == TOOL_DONE && (option = strtok_r(NULL, ",", &rest)) != NULL;) {
        status = adjust(&image, path, option);
    }
    if (status == TOOL_DONE) {
        status = check_place(&image, path, region);
    }
    if (status == TOOL_DONE && !image_flatten(&image, bytes)) {
        status = complain("%s: %s", path, image.message);
    }
    image_free(&image);
    return status;
}
