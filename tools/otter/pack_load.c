/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a package that is being made: from files and folders to flat bytes with a
 * link address.
 */
#include "otter/table.h"
#include "pack.h"
#include "tree_archive.h"
#include "verbs.h"

#include <string.h>
#include <sys/stat.h>

/* The region of its own that each role has, and whether a processor starts it. */
static const struct {
    uint8_t region;
    bool is_program;
} roles[] = {
    [OTTER_ROLE_FIRMWARE] = {OTTER_REGION_APPLICATION, true},
    [OTTER_ROLE_MANAGER] = {OTTER_REGION_MANAGER, true},
    [OTTER_ROLE_TABLE] = {OTTER_REGION_TABLE, false},
    [OTTER_ROLE_LOADER] = {OTTER_REGION_LOADER, true},
    [OTTER_ROLE_RADIO] = {0, false},
    [OTTER_ROLE_RESOURCES] = {OTTER_REGION_RESOURCES, false},
    [OTTER_ROLE_FONT] = {OTTER_REGION_FONT, false},
    [OTTER_ROLE_OPTION_BYTES] = {0, false},
};

enum { ROLE_COUNT = sizeof(roles) / sizeof(roles[0]) };

bool pack_is_program(uint8_t role)
{
    return role < ROLE_COUNT && roles[role].is_program;
}

uint8_t pack_region_of(uint8_t role, uint8_t region)
{
    return region != 0 || role >= ROLE_COUNT ? region : roles[role].region;
}

static bool adjust(const struct pack_member *member, struct image *image)
{
    return (!member->has_only || image_only(image, member->only)) &&
           (!member->has_rebase || image_rebase(image, member->rebase));
}

/* A whole flash table, as it stands on flash, is cut to what a member holds of it. */
static int trim_table(struct pack_member *member)
{
    struct bytes *data = &member->data;
    struct otter_table table;

    if (data->size >= OTTER_TABLE_HEAD_SIZE && memcmp(data->data, "OTFT", 4) == 0) {
        enum otter_result result = otter_table_decode(data->data, data->size, &table);

        if (result != OTTER_OK) {
            return complain_code(member->path, result, TOOL_FAILED);
        }
        data->size = (size_t)table.length - OTTER_TABLE_CONTENT_OFF;
        memmove(data->data, data->data + OTTER_TABLE_CONTENT_OFF, data->size);
    }
    if (data->size > OTTER_TABLE_MAX - OTTER_TABLE_CONTENT_OFF) {
        return complain("%s: %zu bytes are too many for a flash table (limit %d)",
                        member->path, data->size,
                        OTTER_TABLE_MAX - OTTER_TABLE_CONTENT_OFF);
    }
    return TOOL_DONE;
}

static int place(struct pack_member *member, const struct pack_map *map,
                 struct image *image)
{
    uint8_t id = pack_region_of(member->role, member->region);

    if (!pack_is_program(member->role) && !member->has_link) {
        member->link_addr = 0;
    } else if (!member->has_link) {
        member->link_addr = image_span(image).first;
    }
    /* A table lies twice in its region: place and size are its own matter. */
    if (map == NULL || id == 0 || member->role == OTTER_ROLE_TABLE) {
        return TOOL_DONE;
    }
    const struct otter_region *region = pack_map_find(map, id);

    if (region == NULL) {
        return complain("%s: the map has no region %u", member->path, id);
    }
    return pack_map_place(map, region, member, image);
}

static bool is_folder(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* The files of a folder, or an archive of them. */
static int load_tree(struct pack_member *member)
{
    uint8_t root_len = (uint8_t)strlen(member->root);

    if (member->has_only || member->has_rebase || member->has_link) {
        return complain("%s: files have no addresses: no only=, rebase= and link=",
                        member->path);
    }
    if (is_folder(member->path)) {
        return tree_archive_make(member->path, root_len, &member->data);
    }
    return tree_archive_read(member->path, root_len, &member->data);
}

int pack_member_load(struct pack_member *member, const struct pack_map *map)
{
    struct image image;

    if (member->root != NULL) {
        return load_tree(member);
    }
    if (member->role == OTTER_ROLE_RESOURCES && is_folder(member->path)) {
        return complain("%s is a folder: its files need root=NAME, the folder of the "
                        "device's card that they go to",
                        member->path);
    }
    int status = image_read(member->path, &image);

    if (status == TOOL_DONE && !adjust(member, &image)) {
        status = complain("%s: %s", member->path, image.message);
    }
    if (status == TOOL_DONE) {
        status = place(member, map, &image);
    }
    if (status == TOOL_DONE && !image_flatten(&image, &member->data)) {
        status = complain("%s: %s", member->path, image.message);
    }
    image_free(&image);
    if (status == TOOL_DONE && member->role == OTTER_ROLE_TABLE) {
        status = trim_table(member);
    }
    if (status == TOOL_DONE && map != NULL && pack_is_program(member->role)) {
        status = pack_map_check_vectors(map, member);
    }
    return status;
}
