/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a device, as `otter factory --json` prints it, and the checks of images
 * against it: what a device would refuse is refused when the package is made.
 *
 * Facts: the first two words of a Cortex-M vector table are the initial stack pointer
 * and the reset vector, whose lowest bit is set (Armv7-M and Armv6-M manuals, "The
 * vector table").
 */
#include "otter/bytes.h"
#include "pack.h"
#include "verbs.h"

#include <jansson.h>
#include <string.h>

enum { MAP_LIMIT = 1024 * 1024, VECTORS = 8 };

/* --- reading --- */

static bool take_u32(const json_t *object, const char *name, uint32_t *number)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > (json_int_t)UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)json_integer_value(value);
    return true;
}

static bool is_span(uint32_t addr, uint32_t size)
{
    return size > 0 && size - 1 <= UINT32_MAX - addr;
}

static bool take_region(const json_t *object, struct otter_region *region)
{
    uint32_t id = 0;

    *region = (struct otter_region){0};
    if (!take_u32(object, "id", &id) || id == 0 || id > UINT8_MAX ||
        !take_u32(object, "addr", &region->addr) ||
        !take_u32(object, "size", &region->size) ||
        !take_u32(object, "exec", &region->exec)) {
        return false;
    }
    region->id = (uint8_t)id;
    return is_span(region->addr, region->size) && is_span(region->exec, region->size);
}

/* What the manager decodes; maps without it are of devices of which it is not known. */
static bool take_codings(const json_t *root, struct pack_map *map)
{
    const json_t *names = json_object_get(root, "codings");
    uint8_t coding = 0;

    map->has_codings = names != NULL;
    if (!map->has_codings) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));

        if (name == NULL) {
            return false;
        }
        /* A name that this tool does not know is of no use to it. */
        if (pack_coding_parse(name, &coding) && coding != PACK_CODING_AUTO) {
            map->codings |= 1U << coding;
        }
    }
    return json_is_array(names) && take_u32(root, "coding_memory", &map->coding_memory);
}

static int take_map(const char *path, const json_t *root, struct pack_map *map)
{
    const json_t *regions = json_object_get(root, "regions");
    const json_t *ram = json_object_get(root, "ram");

    if (!json_is_array(regions) || json_array_size(regions) > OTTER_REGIONS_MAX) {
        return complain("%s: has no list of at most %d regions; use what otter factory "
                        "--json prints",
                        path, OTTER_REGIONS_MAX);
    }
    for (size_t i = 0; i < json_array_size(regions); i++) {
        if (!take_region(json_array_get(regions, i), &map->regions[map->count++])) {
            return complain(
                "%s: region %zu of the list needs id, addr, size and exec that "
                "fit 32 bits",
                path, i + 1);
        }
    }
    if (!take_u32(ram, "addr", &map->ram_addr) ||
        !take_u32(ram, "size", &map->ram_size) ||
        !is_span(map->ram_addr, map->ram_size)) {
        return complain("%s: ram needs addr and size that fit 32 bits", path);
    }
    if (!take_codings(root, map)) {
        return complain("%s: codings is a list of names, and coding_memory a number "
                        "beside it",
                        path);
    }
    return TOOL_DONE;
}

int pack_map_read(const char *path, struct pack_map *map)
{
    struct bytes file = {0};
    json_error_t error;
    int status = file_read(path, MAP_LIMIT, &file);

    *map = (struct pack_map){0};
    if (status != TOOL_DONE) {
        return status;
    }
    json_t *root =
        json_loadb((const char *)file.data, file.size, JSON_REJECT_DUPLICATES, &error);

    status = root != NULL
                 ? take_map(path, root, map)
                 : complain("%s: line %d is not JSON; use what otter factory --json "
                            "prints",
                            path, error.line);
    json_decref(root);
    bytes_free(&file);
    return status;
}

const struct otter_region *pack_map_find(const struct pack_map *map, uint8_t id)
{
    for (uint8_t i = 0; i < map->count; i++) {
        if (map->regions[i].id == id) {
            return &map->regions[i];
        }
    }
    return NULL;
}

/* --- checking --- */

static struct image_range range_of(uint32_t addr, uint32_t size)
{
    return (struct image_range){addr, addr + (size - 1)};
}

static bool is_inside(const struct image *image, struct image_range range)
{
    struct image_range hit;

    return !image_outside(image, range, &hit);
}

/* Where the image lies: at the execution address, or at the region's own. */
static struct image_range find_room(const struct otter_region *region, uint8_t role,
                                    const struct image *image)
{
    struct image_range runs = range_of(region->exec, region->size);
    struct image_range stands = range_of(region->addr, region->size);

    if (!pack_is_program(role)) {
        return stands;
    }
    return !is_inside(image, runs) && is_inside(image, stands) ? stands : runs;
}

int pack_map_place(const struct pack_map *map, const struct otter_region *region,
                   struct pack_member *member, struct image *image)
{
    bool is_program = pack_is_program(member->role);
    const struct otter_region *slot_b = pack_map_find(map, OTTER_REGION_SLOT_B);
    struct image_range hit;

    if (!image->has_addr &&
        !image_rebase(image, is_program ? region->exec : region->addr)) {
        return complain("%s: %s", member->path, image->message);
    }
    struct image_range room = find_room(region, member->role, image);

    if (member->role == OTTER_ROLE_FIRMWARE && member->region == 0 && slot_b != NULL &&
        !is_inside(image, room) &&
        is_inside(image, find_room(slot_b, member->role, image))) {
        region = slot_b;
        room = find_room(slot_b, member->role, image);
    }
    if (image_outside(image, room, &hit)) {
        return complain(
            "%s: 0x%08X-0x%08X lies outside the region 0x%08X-0x%08X; take a part "
            "with only= or move it with rebase=",
            member->path, hit.first, hit.last, room.first, room.last);
    }
    if (image_span(image).first != room.first) {
        return complain(
            "%s: begins at 0x%08X, not where the region 0x%08X-0x%08X does; move "
            "it with rebase=",
            member->path, image_span(image).first, room.first, room.last);
    }
    if (is_program && member->has_link && member->link_addr != region->exec) {
        return complain(
            "%s: the link address 0x%08X is not where the region's programs run, "
            "0x%08X",
            member->path, member->link_addr, region->exec);
    }
    member->link_addr = is_program ? region->exec : member->link_addr;
    return TOOL_DONE;
}

int pack_map_check_vectors(const struct pack_map *map, const struct pack_member *member)
{
    if (member->data.size < VECTORS) {
        return complain("%s: too short for a vector table", member->path);
    }
    uint32_t stack = otter_load_le32(member->data.data);
    uint32_t reset = otter_load_le32(member->data.data + 4);

    /* A full stack begins one past the RAM's end. */
    if (stack <= map->ram_addr || stack - map->ram_addr > map->ram_size) {
        return complain("%s: the initial stack pointer 0x%08X lies outside the RAM "
                        "0x%08X-0x%08X; link the program for this device",
                        member->path, stack, map->ram_addr,
                        map->ram_addr + (map->ram_size - 1));
    }
    if ((reset & 1U) == 0) {
        return complain("%s: the reset vector 0x%08X has no Thumb bit", member->path,
                        reset);
    }
    if (reset < member->link_addr || reset - member->link_addr >= member->data.size) {
        return complain("%s: the reset vector 0x%08X lies outside the program "
                        "0x%08X-0x%08zX; link it for this address",
                        member->path, reset, member->link_addr,
                        member->link_addr + (member->data.size - 1));
    }
    return TOOL_DONE;
}
