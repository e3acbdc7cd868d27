/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a code is about. Facts: docs/SPEC.md, "Trees of files", what is made in which
 * place; the folder of a virtual device's card.
 */
#include "blame.h"

#include "names.h"
#include "say.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- members --- */

enum otter_result blame_kept(struct otter_device *view,
                             const struct otter_source *source,
                             const struct otter_control *control, uint8_t *index)
{
    struct otter_member member;
    enum otter_result result = OTTER_OK;

    for (uint8_t i = 0; i < control->member_count && result == OTTER_OK; i++) {
        result = otter_control_member(source, control, i, &member);
        if (result == OTTER_OK && (member.flags & OTTER_MEMBER_KEPT) != 0) {
            result = virtual_compare(view, &member);
        }
        *index = i;
    }
    otter_card_close(view);
    return result;
}

/* Does the current system have that member? What is kept is compared with its receipt
 * first (docs/SPEC.md, "Control packet"). */
static bool is_installed(const struct otter_system *system,
                         const struct otter_member *kept)
{
    const struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);

    for (uint8_t i = 0; i < system->control.member_count; i++) {
        struct otter_member member;

        if (otter_control_member(&source, &system->control, i, &member) == OTTER_OK &&
            member.role == kept->role &&
            member.installed_size == kept->installed_size &&
            ((member.flags ^ kept->flags) & OTTER_MEMBER_ENCRYPTED) == 0 &&
            memcmp(member.installed_sha, kept->installed_sha, OTTER_SHA256_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

bool blame_member(struct otter_device *view, const struct otter_source *source,
                  const struct otter_control *control, uint8_t *index)
{
    struct otter_system system;
    bool has_current =
        otter_system_open(view, view->journal.state.current, &system) == OTTER_OK;

    for (uint8_t i = 0; i < control->member_count; i++) {
        struct otter_member member;

        if (otter_control_member(source, control, i, &member) == OTTER_OK &&
            (member.flags & OTTER_MEMBER_KEPT) != 0 &&
            !(has_current && is_installed(&system, &member))) {
            *index = i;
            return true;
        }
    }
    enum otter_result result = blame_kept(view, source, control, index);

    return result == OTTER_E_KEPT || result == OTTER_E_CARD_TREE;
}

static void find_member(struct virtual_device *device,
                        const struct package_file *package, struct blame *blame)
{
    const struct otter_source source = package_file_inner(package);
    struct otter_device *view = calloc(1, sizeof(*view));
    struct otter_card card;

    if (view != NULL && vdevice_inspect(&device->device, view) == OTTER_OK) {
        otter_card_attach(view, &card);
        blame->has_member =
            blame_member(view, &source, &package->control, &blame->member);
    }
    free(view);
}

/* --- files --- */

/* True if something else is at that path of the card; a device itself removes an empty
 * folder that has a file's name. */
static bool is_taken(const struct virtual_device *device, const char *path,
                     bool is_folder)
{
    char name[PATH_MAX];
    struct stat found;
    int len = snprintf(name, sizeof(name), "%s/%s", device->folder.path, path);

    if (len < 0 || (size_t)len >= sizeof(name) || stat(name, &found) != 0) {
        return false;
    }
    if (S_ISDIR(found.st_mode)) {
        return !is_folder && !virtual_is_empty(name);
    }
    return is_folder || !S_ISREG(found.st_mode);
}

/* The folder of the tree, and what lies above it. */
static bool find_above(const struct virtual_device *device, const char *root,
                       char path[OTTER_PATH_SIZE])
{
    for (size_t i = 1; i <= strlen(root); i++) {
        if (root[i] == '/' || root[i] == '\0') {
            (void)snprintf(path, OTTER_PATH_SIZE, "%.*s", (int)i, root);
            if (is_taken(device, path, true)) {
                return true;
            }
        }
    }
    return false;
}

/* Of an encrypted tree there is no list here. */
static void find_entry(const struct virtual_device *device,
                       const struct package_file *package, struct blame *blame)
{
    const struct otter_source source = package_file_inner(package);
    char path[OTTER_PATH_SIZE];
    char root[OTTER_PATH_SIZE];
    struct otter_tar tar;
    bool is_found = false;

    if (package->tree.data == NULL ||
        otter_control_root(&source, &package->control, root) != OTTER_OK) {
        return;
    }
    is_found = find_above(device, root, path);
    otter_tar_open(&tar, (uint32_t)package->tree.size, (uint8_t)strlen(root));
    while (!is_found && tree_archive_next(&package->tree, &tar)) {
        int len = snprintf(path, sizeof(path), "%s/%s", root, tar.entry.name);

        is_found = len > 0 && (size_t)len < sizeof(path) &&
                   is_taken(device, path, tar.entry.is_folder);
    }
    if (is_found) {
        memcpy(blame->entry, path, sizeof(path));
    }
}

/* --- both --- */

void blame_find(struct virtual_device *device, const struct package_file *package,
                uint16_t code, struct blame *blame)
{
    *blame = (struct blame){.has_member = false};
    if (package->result != OTTER_OK) {
        return;
    }
    if (code == otter_code(OTTER_E_KEPT) || code == otter_code(OTTER_E_CARD_TREE)) {
        find_member(device, package, blame);
    } else if (code >> 8 == otter_code(OTTER_E_UNPACK) >> 8 &&
               virtual_is_on_card(&device->device)) {
        find_entry(device, package, blame);
    }
}

const char *blame_member_text(const struct otter_source *source,
                              const struct otter_control *control, uint8_t index,
                              char text[BLAME_MEMBER_SIZE])
{
    struct otter_member member;
    const char *name = "?";

    if (otter_control_member(source, control, index, &member) == OTTER_OK) {
        name = member.region == OTTER_REGION_TREE ? "files" : name_of_role(member.role);
    }
    (void)snprintf(text, BLAME_MEMBER_SIZE, "member %u (%s)", index, name);
    return text;
}

void blame_print(const struct package_file *package, const struct blame *blame)
{
    const struct otter_source source = package_file_inner(package);
    char text[BLAME_MEMBER_SIZE];

    if (blame->has_member) {
        (void)fprintf(
            stderr, "       It is %s\n",
            blame_member_text(&source, &package->control, blame->member, text));
    }
    if (blame->entry[0] != '\0') {
        (void)fputs("       In the way on the card: ", stderr);
        print_text(stderr, (const uint8_t *)blame->entry, strlen(blame->entry), " ");
        (void)fputc('\n', stderr);
    }
}

void blame_describe(const struct blame *blame, json_t *described)
{
    if (blame->has_member) {
        (void)json_object_set_new(described, "member", json_integer(blame->member));
    }
    if (blame->entry[0] != '\0') {
        (void)json_object_set_new(described, "entry", json_string(blame->entry));
    }
}
