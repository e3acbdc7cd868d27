/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter pack, after its options: members are loaded and coded, keys are read, and the
 * package is signed, encrypted and written.
 */
#include "pack_inner.h"
#include "verbs.h"

#include <string.h>

/* Everything is encrypted that does not say otherwise; but a flash table, which is no
 * secret and is read by programs that have no keys. */
static bool is_to_encrypt(const struct pack *pack, const struct pack_member *member)
{
    return pack->recipient_count > 0 &&
           (member->has_encrypt ? member->is_encrypted
                                : member->role != OTTER_ROLE_TABLE);
}

/* Of a target that is not known at all nothing but raw is sure; one with enough memory
 * takes what it needs memory for. */
static struct pack_target find_target(const struct pack *pack,
                                      const struct pack_map *map)
{
    bool has_map = map != NULL && map->has_codings;

    return (struct pack_target){
        .is_known = has_map || pack->has_coding_memory,
        .is_ab = map != NULL && pack_map_find(map, OTTER_REGION_SLOT_B) != NULL,
        .codings = has_map ? map->codings : UINT32_MAX,
        .memory = pack->has_coding_memory ? pack->coding_memory
                  : has_map               ? map->coding_memory
                                          : 0,
    };
}

/* What a device would refuse of a member in place, or beside one. The order is checked
 * with the whole package. */
static int check_in_place(const struct pack *pack, const struct pack_member *member)
{
    bool is_data =
        member->role == OTTER_ROLE_RESOURCES || member->role == OTTER_ROLE_FONT;

    if (member->in_place == 0) {
        return TOOL_DONE;
    }
    if (!is_data) {
        return complain_code(member->path, OTTER_E_IN_PLACE_ROLE, TOOL_FAILED);
    }
    for (size_t i = 0; i < pack->member_count; i++) {
        if (pack->members[i].role == OTTER_ROLE_MANAGER) {
            return complain_code(pack->members[i].path, OTTER_E_IN_PLACE_MANAGER,
                                 TOOL_FAILED);
        }
    }
    return TOOL_DONE;
}

static int add_member(struct pack *pack, struct pack_member *member,
                      const struct pack_map *map)
{
    struct package *package = &pack->package;
    const struct pack_target target = find_target(pack, map);

    if (!member->has_coding) {
        member->coding = member->in_place != 0 ? OTTER_CODING_RAW : pack->coding;
    }
    complain_at(member->place);
    int status = check_in_place(pack, member);

    if (status == TOOL_DONE) {
        status = pack_member_load(member, map);
    }

    if (status == TOOL_DONE) {
        status = pack_member_code(member, &target);
    }
    complain_at(NULL);
    if (status == TOOL_DONE && member->root != NULL &&
        package_set_extension(package, OTTER_EXTENSION_ROOT, member->root,
                              strlen(member->root)) != OTTER_OK) {
        status = complain("too many extensions");
    }
    if (status == TOOL_DONE) {
        package->members[package->member_count++] = (struct package_member){
            .role = member->role,
            .region = member->region,
            .flags = member->in_place |
                     (is_to_encrypt(pack, member) ? OTTER_MEMBER_ENCRYPTED : 0),
            .link_addr = member->link_addr,
            .version = member->version,
            .data = member->data.data,
            .size = (uint32_t)member->data.size,
            .coding = member->made,
            .memory = member->memory,
            .stored = member->stored.data,
            .stored_size = (uint32_t)member->stored.size,
        };
    }
    return status;
}

static int add_members(struct pack *pack)
{
    const struct pack_map *map = pack->map_path != NULL ? &pack->map : NULL;
    int status = map != NULL ? pack_map_read(pack->map_path, &pack->map) : TOOL_DONE;

    if (status == TOOL_DONE && pack->firmware.path != NULL) {
        status = add_member(pack, &pack->firmware, map);
    }
    for (size_t i = 0; i < pack->member_count && status == TOOL_DONE; i++) {
        status = add_member(pack, &pack->members[i], map);
    }
    return status;
}

/* A second signature by the same key proves nothing. */
static int check_key(const struct pack *pack, size_t key_count, size_t signer_count,
                     const uint8_t *id, const char *option, const char *path)
{
    const char *first = NULL;

    for (size_t i = 0; i < key_count; i++) {
        if (memcmp(pack->keys[i].key.id, id, OTTER_KEY_ID_SIZE) == 0) {
            first = pack->key_paths[i];
        }
    }
    for (size_t i = 0; i < signer_count; i++) {
        if (memcmp(pack->signers[i].key.id, id, OTTER_KEY_ID_SIZE) == 0) {
            first = pack->signers[i].public_path;
        }
    }
    return first == NULL
               ? TOOL_DONE
               : complain_usage("%s %s: this key signs already, as %s; give it once",
                                option, path, first);
}

static int load_keys(struct pack *pack)
{
    int status = TOOL_DONE;

    for (size_t i = 0; i < pack->key_count && status == TOOL_DONE; i++) {
        status = key_load_private(pack->key_paths[i], &pack->keys[i]);
        if (status == TOOL_DONE) {
            status = check_key(pack, i, 0, pack->keys[i].key.id, "--key",
                               pack->key_paths[i]);
        }
    }
    pack->package.keys = pack->keys;
    pack->package.key_count = (uint8_t)pack->key_count;
    for (size_t i = 0; i < pack->signer_count && status == TOOL_DONE; i++) {
        pack->signers[i].timeout_s =
            pack->sign_time_s == 0 ? SIGN_WITH_TIMEOUT_S : pack->sign_time_s;
        status = external_signer_load(&pack->signers[i]);
        if (status == TOOL_DONE) {
            status = check_key(pack, pack->key_count, i, pack->signers[i].key.id,
                               "--public", pack->signers[i].public_path);
        }
    }
    pack->package.signers = pack->signers;
    pack->package.signer_count = (uint8_t)pack->signer_count;
    if (pack->key_count + pack->signer_count == 0) {
        (void)complain(
            "warning: the package is not signed, and no device takes it; give --key");
    }
    return status;
}

static int load_recipients(struct pack *pack)
{
    struct package_encryption *encryption = &pack->encryption;
    int status = recipients_load(pack->recipient_paths, pack->recipient_count,
                                 encryption->recipients);

    if (status == TOOL_DONE && pack->secret_path != NULL) {
        status = root_key_load(pack->secret_path, encryption->secret);
    }
    encryption->count = (uint8_t)pack->recipient_count;
    encryption->is_reproducible = pack->is_reproducible;
    for (uint8_t i = 0; i < pack->package.member_count; i++) {
        if ((pack->package.members[i].flags &
             (OTTER_MEMBER_ENCRYPTED | OTTER_MEMBER_KEPT)) == OTTER_MEMBER_ENCRYPTED) {
            pack->package.encryption = encryption;
        }
    }
    return status;
}

int pack_make(struct pack *pack)
{
    struct bytes file = {0};
    int status = add_members(pack);

    if (status == TOOL_DONE) {
        status =
            pack_table_make(&pack->table, pack->follow, &pack->revokes, &pack->package);
    }
    if (status == TOOL_DONE) {
        status = pack_follow(pack);
    }
    if (status == TOOL_DONE) {
        status = load_keys(pack);
    }
    if (status == TOOL_DONE) {
        status = pack_revoke_set(&pack->revokes, &pack->package);
    }
    if (status == TOOL_DONE) {
        status = load_recipients(pack);
    }
    if (status == TOOL_DONE) {
        status = package_build(&pack->package, &file);
    }
    if (status == TOOL_DONE) {
        status = file_write(pack->output, file.data, file.size);
    }
    bytes_free(&file);
    return status;
}
