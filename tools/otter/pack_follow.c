/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter pack --follow: members, target and texts that a package keeps of the one that
 * it follows.
 */
#include "pack_inner.h"
#include "package_read.h"
#include "package_text.h"
#include "text.h"
#include "verbs.h"

#include <string.h>

static bool has_member(const struct package *package, const struct otter_member *member)
{
    for (uint8_t i = 0; i < package->member_count; i++) {
        const struct package_member *made = &package->members[i];

        if (made->role == member->role &&
            pack_region_of(made->role, made->region) ==
                pack_region_of(member->role, member->region)) {
            return true;
        }
    }
    return false;
}

static enum otter_result keep_members(struct package *package,
                                      const struct package_file *file)
{
    const struct otter_source source = package_file_inner(file);

    for (uint8_t i = 0; i < file->control.member_count; i++) {
        struct otter_member member;
        enum otter_result result =
            otter_control_member(&source, &file->control, i, &member);

        if (result != OTTER_OK) {
            return result;
        }
        /* A loader goes when its package is installed: there is nothing to keep. */
        if (has_member(package, &member) || member.role == OTTER_ROLE_LOADER) {
            continue;
        }
        if (package->member_count == OTTER_MEMBERS_MAX) {
            return OTTER_E_CONTROL_COUNT;
        }
        struct package_member *kept = &package->members[package->member_count++];
        uint8_t was_encrypted = member.flags & OTTER_MEMBER_ENCRYPTED;

        *kept = (struct package_member){
            .role = member.role,
            .region = member.region,
            .flags = (uint8_t)(OTTER_MEMBER_KEPT | was_encrypted),
            .link_addr = member.link_addr,
            .version = member.version,
            .size = member.installed_size};
        memcpy(kept->sha, member.installed_sha, sizeof(kept->sha));
    }
    return OTTER_OK;
}

static bool has_extension(const struct package *package, uint16_t type)
{
    for (uint8_t i = 0; i < package->extension_count; i++) {
        if (package->extensions[i].type == type) {
            return true;
        }
    }
    return false;
}

static enum otter_result keep_text(struct package *package,
                                   const struct package_file *file, uint16_t type)
{
    const struct otter_source source = package_file_inner(file);
    uint8_t text[PACKAGE_LINE_SIZE_MAX];
    size_t len = 0;

    if (has_extension(package, type)) {
        return OTTER_OK;
    }
    enum otter_result result = otter_control_extension(&source, &file->control, type,
                                                       text, sizeof(text), &len);

    return result == OTTER_OK && len > 0
               ? package_set_extension(package, type, text, len)
               : result;
}

/* Files that are kept stay in their folder. */
static enum otter_result keep_root(struct package *package,
                                   const struct package_file *file)
{
    const struct otter_source source = package_file_inner(file);
    char root[OTTER_PATH_SIZE];

    if (has_extension(package, OTTER_EXTENSION_ROOT) ||
        otter_control_root(&source, &file->control, root) != OTTER_OK) {
        return OTTER_OK;
    }
    return package_set_extension(package, OTTER_EXTENSION_ROOT, root, strlen(root));
}

static enum otter_result keep_values(struct pack *pack, const struct package_file *file)
{
    struct package *package = &pack->package;
    enum otter_result result = keep_members(package, file);

    if (!pack->has_target) {
        package->target = file->control.target;
    }
    if (!pack->has_hardware) {
        package->hardware_min = file->control.hardware_min;
        package->hardware_max = file->control.hardware_max;
    }
    if (result == OTTER_OK) {
        result = keep_root(package, file);
    }
    if (result == OTTER_OK) {
        result = keep_text(package, file, OTTER_EXTENSION_VENDOR);
    }
    return result == OTTER_OK ? keep_text(package, file, OTTER_EXTENSION_PRODUCT)
                              : result;
}

/* What the options give has been checked, so it is the other package's. */
static int check_texts(const struct package *package, const struct package_file *file)
{
    uint32_t point = 0;

    for (uint8_t i = 0; i < package->extension_count; i++) {
        const struct package_extension *text = &package->extensions[i];
        const bool is_vendor = text->type == OTTER_EXTENSION_VENDOR;

        if ((is_vendor || text->type == OTTER_EXTENSION_PRODUCT) &&
            text_find_deceiving(text->data, text->len, &point)) {
            const char *name = is_vendor ? "vendor" : "product";

            return complain("%s: U+%04X in its %s is not seen, or turns the direction "
                            "of what stands beside it; give another one with --%s",
                            file->path, (unsigned)point, name, name);
        }
    }
    return TOOL_DONE;
}

static void warn_of_counter(const struct pack *pack, const struct package_file *file)
{
    if (pack->package.counter < file->control.counter) {
        (void)complain(
            "warning: the counter %u is lower than that of %s, %u: devices that run "
            "it refuse this package",
            pack->package.counter, file->path, file->control.counter);
    }
}

int pack_follow(struct pack *pack)
{
    struct package_file file;

    if (pack->follow == NULL) {
        return TOOL_DONE;
    }
    int status = package_file_read(pack->follow, &file);
    enum otter_result result = file.result;

    if (status == TOOL_DONE && result == OTTER_OK) {
        result = keep_values(pack, &file);
    }
    if (status == TOOL_DONE && result != OTTER_OK) {
        status = complain_code(file.path, result, TOOL_FAILED);
    }
    if (status == TOOL_DONE) {
        status = check_texts(&pack->package, &file);
    }
    if (status == TOOL_DONE) {
        status = pack_revoke_follow(&pack->revokes, &file);
    }
    if (status == TOOL_DONE) {
        warn_of_counter(pack, &file);
    }
    package_file_free(&file);
    return status;
}
