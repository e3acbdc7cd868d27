/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a package that is being made: what the command line says of them.
 */
#include "names.h"
#include "otter/card_search.h"
#include "otter/path.h"
#include "pack.h"
#include "text.h"
#include "verbs.h"

#include <string.h>

/* Role by its name; spaces in names are written as "-". 0 if there is none. */
static uint8_t find_role(const char *name)
{
    for (uint8_t role = 1; role <= (uint8_t)OTTER_ROLE_OPTION_BYTES; role++) {
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

/* The name of the folder of the card into which files go. */
static int check_root_name(const struct pack_member *member)
{
    uint32_t point = 0;

    if (otter_path_is_inside(member->root, OTTER_CARD_FOLDER)) {
        return complain_usage("%s: root=%s: the folder %s of a card is the device's "
                              "own; name another one",
                              member->path, member->root, OTTER_CARD_FOLDER);
    }
    if (otter_path_is_inside(member->root, OTTER_CARD_UPDATE) &&
        otter_path_is_inside(OTTER_CARD_UPDATE, member->root)) {
        return complain_usage(
            "%s: root=%s: in the folder %s of a card lie the "
            "packages, which would be replaced, too; name another one",
            member->path, member->root, OTTER_CARD_UPDATE);
    }
    if (text_find_deceiving(member->root, strlen(member->root), &point)) {
        return complain_usage("%s: root=%s: U+%04X in it is not seen, or turns the "
                              "direction of what stands beside it; leave it out",
                              member->path, member->root, (unsigned)point);
    }
    if (!otter_path_is_for_files(member->root)) {
        return complain_usage(
            "%s: root=%s: no card takes that name: a folder is named from the card's "
            "root, in at most %d bytes; no part is empty or ends in a dot or a space, "
            "and none has \\ : \" * < > ? or | in it",
            member->path, member->root, OTTER_PATH_MAX);
    }
    return TOOL_DONE;
}

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
    member->region = OTTER_REGION_TREE;
    return check_root_name(member);
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
