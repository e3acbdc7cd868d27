/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of `otter pack` that takes trust from keys: those that are named, and those
 * that the previous package named. Functions print what went wrong to stderr and return
 * the tool's exit status.
 */
#ifndef OTTER_TOOL_PACK_REVOKE_H
#define OTTER_TOOL_PACK_REVOKE_H

#include "package_read.h"
#include "package_write.h"

struct pack_revokes {
    uint8_t ids[OTTER_REVOKES_MAX * OTTER_KEY_ID_SIZE];
    uint8_t count;
};

/* True for 16 hex digits: a key's id, not a file. */
bool pack_revoke_is_id(const char *text);

/* Adds the key of `text`: 16 hex digits are its id, anything else is a PEM file. */
int pack_revoke_add(struct pack_revokes *revokes, const char *text);

int pack_revoke_add_id(struct pack_revokes *revokes, const uint8_t *id);

/* Adds what the previous package revokes: a device that has lost its journal knows of
 * no other package than the one that it runs. */
int pack_revoke_follow(struct pack_revokes *revokes, const struct package_file *file);

/* Makes it part of the package; after its keys are known. A package that revokes all
 * that sign it is refused here as devices refuse it (22-15). */
int pack_revoke_set(const struct pack_revokes *revokes, struct package *package);

#endif
