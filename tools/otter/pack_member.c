/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a package that is being made: from the words of the command line to flat
 * bytes with a link address.
 */
#include "archive.h"
#include "names.h"
#include "otter/bytes.h"
#include "otter/table.h"
#include "pack.h"
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

/* --- words --- */

/* Role by its name; spaces in names are written as "-". 0 if there is none. */
static uint8_t find_role(const char *name)
{
    for (uint8_t role = 1; role < (uint8_t)ROLE_COUNT; role++) {
        const char *known = name_of_role(role);
        size_t i = 0;

        while (known[i] != '\0' && name[i] == (known[i] == ' ' ? '-' : known[i])) {
            i++;
        }
        if (known[i] == '\0' && name[i] == '\0') {
            return role;
        }
    }
    return 0;
}

static bool parse_addr(const char *text, bool *has, uint32_t *addr)
{
    uint64_t number = 0;

    *has = parse_number(text, UINT32_MAX, &number);
    *addr = (uint32_t)number;
    return *has;
}

static bool parse_region(const char *text, uint8_t *region)
{
    uint64_t number = 0;
    bool is_good = parse_number(text, UINT8_MAX, &number) && number > 0;

    *region = (uint8_t)number;
    return is_good;
}

static bool parse_in_place(const char *text, uint8_t *flags)
{
    static const struct {
        const char *name;
        uint8_t flags;
    } words[] = {
        {"no", 0},
        {"yes", OTTER_MEMBER_IN_PLACE},
        {"compatible", OTTER_MEMBER_IN_PLACE | OTTER_MEMBER_COMPATIBLE},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].name) == 0) {
            *flags = words[i].flags;
            return true;
        }
    }
    return false;
}

/* A folder of the card for files. */
static bool parse_root(const char *text, struct pack_member *member)
{
    member->root = text;
    member->region = OTTER_REGION_TREE;
    return member->role == OTTER_ROLE_RESOURCES && otter_path_is_good(text) &&
           !otter_path_is_inside(text, OTTER_CARD_FOLDER);
}

/* One "NAME=VALUE" after the file's name. */
static bool parse_word(const char *word, struct pack_member *member)
{
    const char *equals = strchr(word, '=');
    size_t len = equals == NULL ? 0 : (size_t)(equals - word);

    if (len == 6 && memcmp(word, "region", len) == 0) {
        return parse_region(equals + 1, &member->region);
    }
    if (len == 4 && memcmp(word, "root", len) == 0) {
        return parse_root(equals + 1, member);
    }
    if (len == 7 && memcmp(word, "version", len) == 0) {
        uint64_t number = 0;
        bool is_good = parse_number(equals + 1, UINT16_MAX, &number);

        member->version = (uint16_t)number;
        return is_good;
    }
    if (len == 4 && memcmp(word, "link", len) == 0) {
        return parse_addr(equals + 1, &member->has_link, &member->link_addr);
    }
    if (len == 7 && memcmp(word, "encrypt", len) == 0) {
        member->has_encrypt = true;
        member->is_encrypted = strcmp(equals + 1, "yes") == 0;
        return member->is_encrypted || strcmp(equals + 1, "no") == 0;
    }
    if (len == 8 && memcmp(word, "in-place", len) == 0) {
        return parse_in_place(equals + 1, &member->in_place);
    }
    if (len == 4 && memcmp(word, "only", len) == 0) {
        member->has_only = image_parse_range(equals + 1, &member->only);
        return member->has_only;
    }
    if (len == 6 && memcmp(word, "rebase", len) == 0) {
        return parse_addr(equals + 1, &member->has_rebase, &member->rebase);
    }
    if (len == 6 && memcmp(word, "coding", len) == 0) {
        member->has_coding = pack_coding_parse(equals + 1, &member->coding);
        return member->has_coding;
    }
    return false;
}

int pack_member_parse(char *text, struct pack_member *member)
{
    char *rest = NULL;
    char *equals = strchr(text, '=');

    *member = (struct pack_member){0};
    if (equals != NULL) {
        *equals = '\0';
        member->role = find_role(text);
    }
    if (member->role == 0) {
        return complain_usage(
            "--member takes ROLE=FILE, not \"%s\"; roles are firmware, manager, "
            "table, loader, radio, resources, font and option-bytes",
            text);
    }
    member->path = strtok_r(equals + 1, ",", &rest);
    if (member->path == NULL) {
        return complain_usage("--member %s= needs a file", text);
    }
    for (char *word; (word = strtok_r(NULL, ",", &rest)) != NULL;) {
        if (!parse_word(word, member)) {
            return complain_usage(
                "--member %s=%s: \"%s\" is none of region=ID, version=N, "
                "link=ADDR, only=RANGE, rebase=ADDR, coding=NAME, encrypt=yes|no and "
                "in-place=yes|compatible|no; root=NAME, of resources, is a folder of "
                "the card, but not otter's",
                text, member->path, word);
        }
    }
    return TOOL_DONE;
}

/* --- bytes --- */

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

/* The files of a folder, or an archive of them. */
static int load_tree(struct pack_member *member)
{
    uint8_t root_len = (uint8_t)strlen(member->root);
    struct stat about;

    if (member->has_only || member->has_rebase || member->has_link) {
        return complain("%s: files have no addresses: no only=, rebase= and link=",
                        member->path);
    }
    if (stat(member->path, &about) == 0 && S_ISDIR(about.st_mode)) {
        return archive_make(member->path, root_len, &member->data);
    }
    int status = file_read(member->path, FILE_ANY_SIZE, &member->data);

    if (status != TOOL_DONE) {
        return status;
    }
    enum otter_result result = archive_check(&member->data, root_len, NULL);

    return result == OTTER_OK ? TOOL_DONE
                              : complain_code(member->path, result, TOOL_FAILED);
}

int pack_member_load(struct pack_member *member, const struct pack_map *map)
{
    struct image image;

    if (member->root != NULL) {
        return load_tree(member);
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
