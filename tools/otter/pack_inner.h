/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run of otter pack holds, shared by its three parts: what is asked for
 * (pack.c), what the previous package gives (pack_follow.c), and what is made of both
 * (pack_make.c). Functions print what went wrong to stderr and return the tool's exit
 * status.
 */
#ifndef OTTER_TOOL_PACK_INNER_H
#define OTTER_TOOL_PACK_INNER_H

#include "keys.h"
#include "pack.h"
#include "pack_recipe.h"
#include "pack_revoke.h"
#include "pack_table.h"
#include "package_write.h"

/* Everything that a run holds. */
struct pack {
    const char *output;
    const char *follow;
    const char *map_path;
    const char *key_paths[PACKAGE_SIGNATURES_MAX];
    size_t key_count;
    struct external_signer signers[PACKAGE_SIGNATURES_MAX];
    size_t signer_count;
    size_t public_count;  /* of the signers, those that have a public key */
    unsigned sign_time_s; /* 0: the default */
    bool has_target, has_hardware, has_version, has_counter;
    struct pack_member firmware; /* --firmware and what belongs to it */
    struct pack_member members[OTTER_MEMBERS_MAX];
    size_t member_count;
    struct pack_map map;
    uint8_t coding; /* of members that do not say */
    bool has_coding_memory;
    uint32_t coding_memory;
    struct signing_key keys[PACKAGE_SIGNATURES_MAX];
    const char *recipient_paths[HOST_WRAPS_MAX];
    size_t recipient_count;
    const char *secret_path;
    bool is_reproducible;
    struct package_encryption encryption;
    struct pack_revokes revokes;
    struct pack_table table;
    struct package package;
    struct pack_recipe recipe; /* path NULL: none */
    const char *beside;        /* an option that cannot stand beside a recipe */
};

/* Adds what the package keeps of the one that it follows, if it follows one; what was
 * asked for goes before that. */
int pack_follow(struct pack *pack);

/* Makes the package of what was asked for, and writes it. */
int pack_make(struct pack *pack);

#endif
