/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of `otter pack` that makes a new flash table out of the one that devices
 * have: other keys, everything else the same. Functions print what went wrong to stderr
 * and return the tool's exit status.
 */
#ifndef OTTER_TOOL_PACK_TABLE_H
#define OTTER_TOOL_PACK_TABLE_H

#include "pack_revoke.h"

struct pack_table {
    const char *from; /* the package that carries the table; NULL: that of --follow */
    struct otter_key keys[OTTER_KEYS_MAX]; /* of the new one */
    uint8_t key_count;                     /* 0: no new table */
    uint8_t bytes[OTTER_TABLE_MAX];
};

/* Adds a key of the new table from a PEM file. */
int pack_table_add_key(struct pack_table *table, const char *path);

/* Makes the new table, which must stay in use, a member of the package. A key that
 * stays keeps its place, which devices demand; the others take the places of those that
 * go. If such a place is left, the old key stays in it and is revoked. */
int pack_table_make(struct pack_table *table, const char *follow,
                    struct pack_revokes *revokes, struct package *package);

#endif
