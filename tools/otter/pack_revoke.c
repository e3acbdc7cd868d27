/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter pack --revoke. docs/man/otter-pack.1.scd.
 */
#include "pack_revoke.h"

#include "keys.h"
#include "verbs.h"

#include <string.h>

static bool is_revoked(const struct pack_revokes *revokes, const uint8_t *id)
{
    for (uint8_t i = 0; i < revokes->count; i++) {
        if (memcmp(revokes->ids + (size_t)i * OTTER_KEY_ID_SIZE, id,
                   OTTER_KEY_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

int pack_revoke_add_id(struct pack_revokes *revokes, const uint8_t *id)
{
    if (is_revoked(revokes, id)) {
        return TOOL_DONE;
    }
    if (revokes->count == OTTER_REVOKES_MAX) {
        return complain_usage("a package revokes at most %d keys", OTTER_REVOKES_MAX);
    }
    memcpy(revokes->ids + (size_t)revokes->count * OTTER_KEY_ID_SIZE, id,
           OTTER_KEY_ID_SIZE);
    revokes->count++;
    return TOOL_DONE;
}

static int digit_of(char letter)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = letter == '\0' ? NULL : strchr(digits, letter);

    return found == NULL ? -1 : (int)((found - digits) % 16);
}

/* False if the text is no id. */
static bool parse_id(const char *text, uint8_t id[OTTER_KEY_ID_SIZE])
{
    if (strlen(text) != (size_t)2 * OTTER_KEY_ID_SIZE) {
        return false;
    }
    for (size_t i = 0; i < OTTER_KEY_ID_SIZE; i++) {
        int high = digit_of(text[2 * i]);
        int low = digit_of(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        id[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

bool pack_revoke_is_id(const char *text)
{
    uint8_t id[OTTER_KEY_ID_SIZE];

    return parse_id(text, id);
}

int pack_revoke_add(struct pack_revokes *revokes, const char *text)
{
    struct otter_key key;
    int status = TOOL_DONE;

    if (!parse_id(text, key.id)) {
        status = key_load_public(text, &key);
    }
    return status == TOOL_DONE ? pack_revoke_add_id(revokes, key.id) : status;
}

int pack_revoke_follow(struct pack_revokes *revokes, const struct package_file *file)
{
    const struct otter_source source = package_file_inner(file);
    int status = TOOL_DONE;

    for (uint8_t i = 0; i < file->control.revoke_count && status == TOOL_DONE; i++) {
        uint8_t id[OTTER_KEY_ID_SIZE];
        enum otter_result result =
            otter_control_revoked(&source, &file->control, i, id);

        status = result == OTTER_OK ? pack_revoke_add_id(revokes, id)
                                    : complain_code(file->path, result, TOOL_FAILED);
    }
    return status;
}

/* A package that is not signed may be signed by nobody; who signs must not all go. */
static bool leaves_signer(const struct pack_revokes *revokes,
                          const struct package *package)
{
    bool leaves = package->key_count + package->signer_count == 0;

    for (uint8_t i = 0; i < package->key_count; i++) {
        leaves = leaves || !is_revoked(revokes, package->keys[i].key.id);
    }
    for (uint8_t i = 0; i < package->signer_count; i++) {
        leaves = leaves || !is_revoked(revokes, package->signers[i].key.id);
    }
    return leaves;
}

int pack_revoke_set(const struct pack_revokes *revokes, struct package *package)
{
    if (revokes->count == 0) {
        return TOOL_DONE;
    }
    if (!leaves_signer(revokes, package)) {
        return complain_code("the package", OTTER_E_SIGNATURE_OWN, TOOL_FAILED);
    }
    return package_set_extension(
               package, OTTER_EXTENSION_REVOKES | OTTER_EXTENSION_CRITICAL,
               revokes->ids, (size_t)revokes->count * OTTER_KEY_ID_SIZE) == OTTER_OK
               ? TOOL_DONE
               : complain("too many extensions");
}
