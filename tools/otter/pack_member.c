/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a package that is being made: from the words of the command line to flat
 * bytes with a link address.
 */
#include "names.h"
#include "otter/bytes.h"
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

static bool take_addr(const char *text, bool *has, uint32_t *addr)
{
    uint64_t number = 0;

    *has = parse_number(text, UINT32_MAX, &number);
    *addr = (uint32_t)number;
    return *has;
}

static bool take_region(const char *text, struct pack_member *member)
{
    uint64_t number = 0;
    bool is_good = parse_number(text, UINT8_MAX, &number) && number > 0;

    member->region = (uint8_t)number;
    return is_good;
}

static bool take_version(const char *text, struct pack_member *member)
{
    uint64_t number = 0;
    bool is_good = parse_number(text, UINT16_MAX, &number);

    member->version = (uint16_t)number;
    return is_good;
}

static bool take_link(const char *text, struct pack_member *member)
{
    return take_addr(text, &member->has_link, &member->link_addr);
}

static bool take_rebase(const char *text, struct pack_member *member)
{
    return take_addr(text, &member->has_rebase, &member->rebase);
}

static bool take_only(const char *text, struct pack_member *member)
{
    member->has_only = image_parse_range(text, &member->only);
    return member->has_only;
}

static bool take_coding(const char *text, struct pack_member *member)
{
    member->has_coding = pack_coding_parse(text, &member->coding);
    return member->has_coding;
}

static bool take_encrypt(const char *text, struct pack_member *member)
{
    member->has_encrypt = true;
    member->is_encrypted = strcmp(text, "yes") == 0;
    return member->is_encrypted || strcmp(text, "no") == 0;
}

static bool take_in_place(const char *text, struct pack_member *member)
{
    static const struct {
        const char *name;
        uint8_t flags;
    } forms[] = {
        {"no", 0},
        {"yes", OTTER_MEMBER_IN_PLACE},
        {"compatible", OTTER_MEMBER_IN_PLACE | OTTER_MEMBER_COMPATIBLE},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(text, forms[i].name) == 0) {
            member->in_place = forms[i].flags;
            return true;
        }
    }
    return false;
}

/* A folder of the card for files: whether it may be one is checked with all words. */
static bool take_root(const char *text, struct pack_member *member)
{
    member->root = text;
    return true;
}

/* What may stand after the file's name. */
static const struct word {
    const char *name;
    const char *values;
    bool (*take)(const char *text, struct pack_member *member);
} words[] = {
    {"region", "ID", take_region},
    {"version", "N", take_version},
    {"link", "ADDR", take_link},
    {"only", "RANGE", take_only},
    {"rebase", "ADDR", take_rebase},
    {"coding", "auto|raw|zlib|heatshrink", take_coding},
    {"encrypt", "yes|no", take_encrypt},
    {"root", "NAME", take_root},
    {"in-place", "yes|compatible|no", take_in_place},
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

/* Which of them it is; WORD_COUNT: none. */
static size_t find_word(const char *text)
{
    size_t len = strcspn(text, "=");
    size_t i = 0;

    while (i < (size_t)WORD_COUNT &&
           (strlen(words[i].name) != len || strncmp(words[i].name, text, len) != 0)) {
        i++;
    }
    return text[len] == '=' ? i : (size_t)WORD_COUNT;
}

/* One "NAME=VALUE" after the file's name; `seen` has a bit for each that came. */
static int take_word(const char *text, struct pack_member *member, const char *role,
                     unsigned *seen)
{
    const size_t i = find_word(text);

    if (i == (size_t)WORD_COUNT) {
        return complain_usage(
            "--member %s=%s: \"%s\" is none of region=ID, version=N, link=ADDR, "
            "only=RANGE, rebase=ADDR, coding=NAME, encrypt=yes|no, root=NAME and "
            "in-place=yes|compatible|no",
            role, member->path, text);
    }
    if ((*seen >> i & 1U) != 0) {
        return complain_usage("--member %s=%s: %s= is given twice", role, member->path,
                              words[i].name);
    }
    *seen |= 1U << i;
    return words[i].take(text + strlen(words[i].name) + 1, member)
               ? TOOL_DONE
               : complain_usage("--member %s=%s: %s= takes %s, not \"%s\"", role,
                                member->path, words[i].name, words[i].values,
                                text + strlen(words[i].name) + 1);
}

/* The folder of the card into which files go. */
static int check_root(struct pack_member *member)
{
    if (member->root == NULL) {
        return member->region != OTTER_REGION_TREE
                   ? TOOL_DONE
                   : complain_usage("%s: region %d is that of files of a card: they "
                                    "need root=NAME instead",
                                    member->path, OTTER_REGION_TREE);
    }
    if (member->role != OTTER_ROLE_RESOURCES) {
        return complain_usage("%s: only resources are files of a card: no root=",
                              member->path);
    }
    if (member->region != 0) {
        return complain_usage("%s: files of a card have no region: no region= "
                              "beside root=",
                              member->path);
    }
    if (member->in_place != 0) {
        return complain_usage("%s: files of a card are not written in place: no "
                              "in-place= beside root=",
                              member->path);
    }
    if (otter_path_is_inside(member->root, OTTER_CARD_FOLDER)) {
        return complain_usage("%s: root=%s: the folder %s of a card is the device's "
                              "own; name another one",
                              member->path, member->root, OTTER_CARD_FOLDER);
    }
    if (!otter_path_is_for_files(member->root)) {
        return complain_usage(
            "%s: root=%s: no card takes that name: a folder is named from the card's "
            "root, in at most %d bytes; no part is empty or ends in a dot or a space, "
            "and none has \\ : \" * < > ? or | in it",
            member->path, member->root, OTTER_PATH_MAX);
    }
    member->region = OTTER_REGION_TREE;
    return TOOL_DONE;
}

int pack_member_parse(char *text, struct pack_member *member)
{
    char *rest = NULL;
    char *equals = strchr(text, '=');
    unsigned seen = 0;

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
        int status = take_word(word, member, text, &seen);

        if (status != TOOL_DONE) {
            return status;
        }
    }
    return check_root(member);
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
