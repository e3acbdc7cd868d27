/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package as the tool builds it up, and its way to a file: host_package_build() of
 * factory.h encodes, this adds memory, limits with their messages and a last check.
 * The same values and keys always give the same bytes, but for an encrypted package
 * whose keys are random.
 */
#ifndef OTTER_TOOL_PACKAGE_WRITE_H
#define OTTER_TOOL_PACKAGE_WRITE_H

#include "files.h"
#include "keys.h"
#include "otter/control.h"
#include "package_encrypt.h"
#include "sign_with.h"

#include <stdbool.h>

enum {
    PACKAGE_SIGNATURES_MAX = 4,
    PACKAGE_EXTENSIONS_MAX = 9,
    PACKAGE_EXTENSION_SIZE_MAX = 512,
};

/* A member. A kept one is given by its bytes or, with `data` NULL, by size and hash. */
struct package_member {
    uint8_t role;
    uint8_t region;
    uint8_t flags;
    uint32_t link_addr;
    uint32_t depends;
    uint16_t version; /* of the program */
    const uint8_t *data;
    uint32_t size;
    uint8_t coding;        /* enum otter_coding */
    uint32_t memory;       /* RAM that it needs */
    const uint8_t *stored; /* coded bytes; NULL: raw */
    uint32_t stored_size;
    uint8_t sha[OTTER_SHA256_SIZE]; /* used if `data` is NULL */
};

struct package_extension {
    uint16_t type;
    uint16_t len;
    uint8_t data[PACKAGE_EXTENSION_SIZE_MAX];
};

struct package {
    struct otter_version version;
    uint32_t target;
    uint16_t hardware_min, hardware_max;
    uint32_t counter;
    struct otter_version follows;
    uint16_t boot_min, manager_min;
    bool has_id; /* else the id is made from the content */
    uint8_t id[OTTER_PACKAGE_ID_SIZE];
    struct package_member members[OTTER_MEMBERS_MAX];
    uint8_t member_count;
    struct package_extension extensions[PACKAGE_EXTENSIONS_MAX];
    uint8_t extension_count;
    const struct package_encryption *encryption; /* of members with the flag, or NULL */
    const struct signing_key *keys;              /* each signs */
    uint8_t key_count;
    const struct external_signer *signers; /* each signs, behind the keys */
    uint8_t signer_count;
};

/* Sets the extension of `type`, in the order of types; 21-20 if it is too long. */
OTTER_MUST_CHECK enum otter_result package_set_extension(struct package *package,
                                                         uint16_t type,
                                                         const void *data, size_t len);

/* Builds the file; prints what is wrong and returns the tool's exit status. What it
 * makes has passed otter_container_check(). */
int package_build(const struct package *package, struct bytes *file);

#endif
