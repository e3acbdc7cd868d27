/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter pack --table-keys. docs/man/otter-pack.1.scd.
 */
#include "pack_table.h"

#include "keys.h"
#include "otter/table.h"
#include "verbs.h"

#include <string.h>

static int find_key(const struct otter_key *keys, uint8_t count, const uint8_t *id)
{
    for (uint8_t i = 0; i < count; i++) {
        if (memcmp(keys[i].id, id, OTTER_KEY_ID_SIZE) == 0) {
            return i;
        }
    }
    return -1;
}

int pack_table_add_key(struct pack_table *table, const char *path)
{
    struct otter_key key;

    if (table->key_count == OTTER_KEYS_MAX) {
        return complain_usage("a flash table has at most %d keys", OTTER_KEYS_MAX);
    }
    int status = key_load_public(path, &key);

    if (status == TOOL_DONE && find_key(table->keys, table->key_count, key.id) >= 0) {
        status = complain_usage("--table-keys %s: this key is given already", path);
    }
    if (status == TOOL_DONE) {
        table->keys[table->key_count++] = key;
    }
    return status;
}

/* --- the table that devices have --- */

static int read_old(const char *path, struct otter_table *old)
{
    struct package_file file;
    int status = package_file_read(path, &file);

    if (status == TOOL_DONE && file.result != OTTER_OK) {
        status = complain_code(path, file.result, TOOL_FAILED);
    }
    enum otter_result result =
        status == TOOL_DONE ? package_file_table(&file, old) : OTTER_OK;

    if (result == OTTER_E_KEPT) {
        status = complain("%s keeps the flash table; name the package that brought it: "
                          "--table-from",
                          path);
    } else if (result != OTTER_OK) {
        status = complain_code(path, result, TOOL_FAILED);
    }
    package_file_free(&file);
    return status;
}

/* --- the new one --- */

/* The next of the new keys that the old table does not have; NULL: none is left. */
static const struct otter_key *next_new(const struct pack_table *table,
                                        const struct otter_table *old, uint8_t *next)
{
    while (*next < table->key_count) {
        const struct otter_key *key = &table->keys[(*next)++];

        if (find_key(old->keys, old->key_count, key->id) < 0) {
            return key;
        }
    }
    return NULL;
}

static int place_keys(const struct pack_table *table, const struct otter_table *old,
                      struct pack_revokes *revokes, struct otter_table *made)
{
    const struct otter_key *key = NULL;
    uint8_t next = 0;
    int status = TOOL_DONE;

    for (uint8_t i = 0; i < old->key_count && status == TOOL_DONE; i++) {
        if (find_key(table->keys, table->key_count, old->keys[i].id) >= 0) {
            continue; /* it stays */
        }
        key = next_new(table, old, &next);
        if (key != NULL) {
            made->keys[i] = *key;
        } else {
            status = pack_revoke_add_id(revokes, old->keys[i].id);
        }
    }
    while (status == TOOL_DONE && (key = next_new(table, old, &next)) != NULL) {
        if (made->key_count == OTTER_KEYS_MAX) {
            return complain_usage("a flash table has at most %d keys", OTTER_KEYS_MAX);
        }
        made->keys[made->key_count++] = *key;
    }
    return status;
}

int pack_table_make(struct pack_table *table, const char *follow,
                    struct pack_revokes *revokes, struct package *package)
{
    const char *from = table->from != NULL ? table->from : follow;
    struct otter_table old = {0};
    struct otter_table made;
    size_t size = 0;

    if (table->key_count == 0) {
        return table->from == NULL
                   ? TOOL_DONE
                   : complain_usage("--table-from belongs to --table-keys");
    }
    if (from == NULL) {
        return complain_usage("--table-keys needs --follow or --table-from: the "
                              "package that carries the devices' flash table");
    }
    int status = read_old(from, &old);

    made = old;
    if (status == TOOL_DONE) {
        status = place_keys(table, &old, revokes, &made);
    }
    if (status != TOOL_DONE) {
        return status;
    }
    if (package->member_count == OTTER_MEMBERS_MAX ||
        otter_table_encode(&made, table->bytes, sizeof(table->bytes), &size) !=
            OTTER_OK) {
        return complain("the new flash table does not fit");
    }
    /* What is written in place stays last. */
    uint8_t at = package->member_count++;

    while (at > 0 && (package->members[at - 1].flags & OTTER_MEMBER_IN_PLACE) != 0) {
        package->members[at] = package->members[at - 1];
        at--;
    }
    package->members[at] = (struct package_member){
        .role = OTTER_ROLE_TABLE,
        .data = table->bytes + OTTER_TABLE_CONTENT_OFF,
        .size = (uint32_t)size - OTTER_TABLE_CONTENT_OFF,
    };
    return TOOL_DONE;
}
