/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a package file. Layout: docs/SPEC.md, "Package file" and "Control packet".
 */
#include "package_read.h"

#include "crypto_bearssl.h"
#include "host_coding.h"
#include "keys.h"
#include "names.h"
#include "otter/stream.h"
#include "tree_archive.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_BYTES = 12 }; /* offset of r and s in an entry */

static const struct otter_crypto *const crypto = &otter_crypto_bearssl;

int key_ring_add(struct key_ring *ring, const char *path)
{
    if (ring->count == READ_KEYS_MAX) {
        return complain_usage("at most %d keys can be given", (int)READ_KEYS_MAX);
    }
    const int status = key_load_public(path, &ring->keys[ring->count]);

    if (status == TOOL_DONE) {
        ring->count++;
    }
    return status;
}

struct otter_source package_file_inner(const struct package_file *package)
{
    return bytes_source(&package->inner);
}

static void take_hash(struct package_file *package)
{
    const struct bytes *file = &package->file;

    package->has_hash =
        file->size >= OTTER_TRAILER_SIZE &&
        otter_trailer_parse(file->data + file->size - OTTER_TRAILER_SIZE,
                            package->hash) == OTTER_OK;
}

enum otter_result package_take_tree(struct package_file *package,
                                    const struct otter_source *stored,
                                    const struct otter_member *member)
{
    const struct otter_source inner = package_file_inner(package);
    struct bytes tree = {.data = malloc(member->installed_size),
                         .size = member->installed_size};
    char root[OTTER_PATH_SIZE];
    enum otter_result result = OTTER_E_TAR_SIZE;

    if (tree.data != NULL && tree.size <= (size_t)FILE_ANY_SIZE) {
        result = host_decode(stored, member, tree.data);
    }
    if (result == OTTER_OK) {
        result = otter_control_root(&inner, &package->control, root);
    }
    if (result != OTTER_OK) {
        bytes_free(&tree);
        return result;
    }
    bytes_free(&package->tree);
    package->tree = tree;
    return tree_archive_check(&tree, (uint8_t)strlen(root), &package->fault);
}

/* A device takes no coding that it does not know, and this tool knows all of them. */
static enum otter_result check_content(struct package_file *package,
                                       const struct otter_member *member, uint32_t off)
{
    const struct host_image stored = {package->file.data + off, member->stored_size};
    const struct otter_source source = host_image_source(&stored);
    bool is_known = member->coding < 32 && (OTTER_CODINGS >> member->coding & 1U) != 0;

    if (member->stored_size == 0) {
        return OTTER_OK;
    }
    if (!is_known) {
        return OTTER_E_CONTROL_CODING;
    }
    if ((member->flags & OTTER_MEMBER_ENCRYPTED) != 0) {
        return OTTER_OK;
    }
    if (member->region == OTTER_REGION_TREE) {
        return package_take_tree(package, &source, member);
    }
    return member->coding == OTTER_CODING_RAW ? OTTER_OK
                                              : host_decode(&source, member, NULL);
}

/* Decodes every coded member; `index` names the one that fails. What is encrypted is
 * decoded when it is decrypted. */
static enum otter_result check_codings(struct package_file *package, uint8_t *index)
{
    const struct otter_source inner = package_file_inner(package);
    struct otter_member member;

    for (uint8_t i = 0; i < package->control.member_count; i++) {
        uint32_t off = 0;
        enum otter_result result =
            otter_control_member(&inner, &package->control, i, &member);

        if (result == OTTER_OK) {
            result = otter_control_member_off(&inner, &package->control, i, &off);
        }
        if (result == OTTER_OK) {
            result = check_content(package, &member, off);
        }
        if (result != OTTER_OK) {
            *index = i;
            return result;
        }
    }
    return OTTER_OK;
}

bool package_blames_entry(enum otter_result result)
{
    return otter_code(result) >> 8 == otter_code(OTTER_E_TAR_FORMAT) >> 8;
}

bool package_blames_member(enum otter_result result)
{
    return result == OTTER_E_MEMBER_HASH || result == OTTER_E_DECRYPTED_HASH ||
           result == OTTER_E_CONTROL_CODING || package_blames_entry(result) ||
           otter_code(result) >> 8 == otter_code(OTTER_E_CODING_HASH) >> 8;
}

void package_file_take(const char *path, struct bytes file,
                       struct package_file *package)
{
    uint8_t hash[OTTER_SHA256_SIZE];

    *package = (struct package_file){
        .path = strcmp(path, "-") == 0 ? "standard input" : path, .file = file};
    const struct otter_source source = bytes_source(&package->file);

    if (package->file.size > OTTER_IMAGE_HEADER_SIZE) {
        package->inner.data = package->file.data + OTTER_IMAGE_HEADER_SIZE;
        package->inner.size = package->file.size - OTTER_IMAGE_HEADER_SIZE;
    }
    const struct otter_source inner = package_file_inner(package);

    package->result = otter_container_check(&source, crypto, &package->control, hash,
                                            &package->member_index);
    package->has_control = otter_control_open(&inner, &package->control) == OTTER_OK;
    if (package->result == OTTER_OK) {
        package->result = check_codings(package, &package->member_index);
    }
    take_hash(package);
}

int package_file_read(const char *path, struct package_file *package)
{
    struct bytes file = {0};
    const int status = file_read(path, FILE_ANY_SIZE, &file);

    *package = (struct package_file){0};
    if (status == TOOL_DONE) {
        package_file_take(path, file, package);
    }
    return status;
}

void package_file_free(struct package_file *package)
{
    bytes_free(&package->file);
    bytes_free(&package->tree);
    package->inner = (struct bytes){0};
}

enum otter_result package_file_table(const struct package_file *package,
                                     struct otter_table *table)
{
    const struct otter_source inner = package_file_inner(package);
    uint8_t bytes[OTTER_TABLE_MAX];
    struct otter_member member;
    uint32_t off = 0;
    uint8_t index = 0;
    enum otter_result result = otter_control_find(&inner, &package->control,
                                                  OTTER_ROLE_TABLE, &member, &index);

    if (result == OTTER_OK) {
        result = otter_control_member_off(&inner, &package->control, index, &off);
    }
    if (result != OTTER_OK) {
        return result;
    }
    if ((member.flags & OTTER_MEMBER_KEPT) != 0) {
        return OTTER_E_KEPT;
    }
    if (member.stored_size > OTTER_TABLE_MAX - OTTER_TABLE_CONTENT_OFF) {
        return OTTER_E_TABLE_FORM;
    }
    memcpy(bytes + OTTER_TABLE_CONTENT_OFF, package->file.data + off,
           member.stored_size);
    otter_table_wrap(bytes, member.stored_size, 1);
    return otter_table_decode(
        bytes, (size_t)member.stored_size + OTTER_TABLE_CONTENT_OFF, table);
}

static void hash_signed(const struct package_file *package,
                        uint8_t digest[OTTER_SHA256_SIZE])
{
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, package->inner.data,
                          package->control.signed_size);
    crypto->sha256_final(crypto->context, &sha, digest);
}

struct package_signature package_file_signature(const struct package_file *package,
                                                uint8_t index,
                                                const struct key_ring *ring)
{
    /* An opened control packet lies in the file with all its signatures. */
    const uint8_t *entry = package->inner.data + package->control.signed_size +
                           (size_t)index * OTTER_CONTROL_SIGNATURE_SIZE;
    struct package_signature signature = {.is_known = false};
    uint8_t digest[OTTER_SHA256_SIZE];

    memcpy(signature.key_id, entry, OTTER_KEY_ID_SIZE);
    hash_signed(package, digest);
    for (uint8_t i = 0; i < ring->count; i++) {
        if (memcmp(ring->keys[i].id, entry, OTTER_KEY_ID_SIZE) == 0) {
            signature.is_known = true;
            signature.is_good =
                crypto->verify_p256(crypto->context, ring->keys[i].point, digest,
                                    entry + SIGNATURE_BYTES) == OTTER_OK;
        }
    }
    return signature;
}

enum otter_result package_file_verify(const struct package_file *package,
                                      const struct key_ring *ring)
{
    const struct otter_source inner = package_file_inner(package);

    return otter_control_verify(&inner, &package->control, ring->keys, ring->count,
                                UINT32_MAX, crypto);
}

void package_describe_refusal(const struct package_file *package,
                              enum otter_result result, json_t *described)
{
    const uint16_t code = otter_code(result);
    char name[NAME_CODE_SIZE];

    (void)json_object_update_new(described, json_pack("{s:s, s:s, s:s}", "code",
                                                      name_of_code(code, name), "text",
                                                      text_of_code(code), "remedy",
                                                      remedy_of_code(code)));
    if (package_blames_member(result)) {
        (void)json_object_set_new(described, "member",
                                  json_integer(package->member_index));
    }
    if (package_blames_entry(result) && package->fault.name[0] != '\0') {
        (void)json_object_set_new(described, "entry", json_string(package->fault.name));
    }
}

int package_file_refuse(const struct package_file *package, enum otter_result result)
{
    const struct otter_source inner = package_file_inner(package);
    struct otter_member member;
    char *subject = NULL;

    if (!package_blames_member(result) ||
        otter_control_member(&inner, &package->control, package->member_index,
                             &member) != OTTER_OK ||
        asprintf(&subject, "%s: member %u (%s)", package->path, package->member_index,
                 name_of_role(member.role)) < 0) {
        return complain_code(package->path, result, TOOL_UNVERIFIED);
    }
    if (package_blames_entry(result)) {
        (void)tree_complain(subject, result, &package->fault, TOOL_UNVERIFIED);
    } else {
        (void)complain_code(subject, result, TOOL_UNVERIFIED);
    }
    free(subject);
    return TOOL_UNVERIFIED;
}
