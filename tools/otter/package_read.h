/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package file as the reading verbs see it, by the device library's own parsers.
 */
#ifndef OTTER_TOOL_PACKAGE_READ_H
#define OTTER_TOOL_PACKAGE_READ_H

#include "files.h"
#include "otter/container.h"
#include "otter/table.h"
#include "tree_archive.h"

#include <jansson.h>
#include <stdbool.h>

enum { READ_KEYS_MAX = 16 };

/* Keys from PEM files; all count. */
struct key_ring {
    struct otter_key keys[READ_KEYS_MAX];
    uint8_t count;
};

/* Loads one more public key; prints what is wrong and returns the exit status. */
int key_ring_add(struct key_ring *ring, const char *path);

/* A package in memory. It must not move while its sources are in use. */
struct package_file {
    const char *path;
    struct bytes file;
    struct bytes inner;       /* from the control packet on; part of `file` */
    enum otter_result result; /* of otter_container_check(), then of decoding */
    bool has_control;         /* the control packet can be read, whatever `result` */
    struct otter_control control;
    uint8_t
        member_index;  /* the damaged member on 20-16, 21-21, 24-17, 35-xx and 38-xx */
    struct bytes tree; /* archive of its files, if they can be read here */
    struct tree_fault fault; /* of that archive, on 38-xx */
    bool has_hash;
    uint8_t hash[OTTER_SHA256_SIZE]; /* as the trailer names it */
};

/* Reads and checks a file; prints what is wrong with the file system and returns the
 * exit status. What is wrong with the package is in `result`. */
int package_file_read(const char *path, struct package_file *package);

/* The same of a file in memory, which the package then owns. `path` names it. */
void package_file_take(const char *path, struct bytes file,
                       struct package_file *package);
void package_file_free(struct package_file *package);

/* A source that begins at the control packet. */
struct otter_source package_file_inner(const struct package_file *package);

/* The flash table that a whole package carries: 23-18 if it keeps the device's, 28-xx.
 */
OTTER_MUST_CHECK enum otter_result package_file_table(
    const struct package_file *package, struct otter_table *table);

/* A signature's entry. */
struct package_signature {
    uint8_t key_id[OTTER_KEY_ID_SIZE];
    bool is_known; /* by a key of the ring */
    bool is_good;  /* and right */
};

/* Signature `index` < control.signature_count. */
struct package_signature package_file_signature(const struct package_file *package,
                                                uint8_t index,
                                                const struct key_ring *ring);

/* OTTER_OK if one signature by a key of the ring is right; 22-xx. */
OTTER_MUST_CHECK enum otter_result package_file_verify(
    const struct package_file *package, const struct key_ring *ring);

/* Decodes a tree of files from its decrypted bytes into `tree` and looks at each entry;
 * what is refused is in `fault`. 35-xx, 38-xx. */
OTTER_MUST_CHECK enum otter_result package_take_tree(struct package_file *package,
                                                     const struct otter_source *stored,
                                                     const struct otter_member *member);

/* True if such a result is about an entry of its tree of files: `fault`. */
bool package_blames_entry(enum otter_result result);

/* True if such a result is about one member: `member_index`. */
bool package_blames_member(enum otter_result result);

/* Adds "code", "text" and "remedy" to a description, "member" if the result is about
 * one, and "entry", the name in a tree, if it is about that and is text. */
void package_describe_refusal(const struct package_file *package,
                              enum otter_result result, json_t *described);

/* Prints why the package is refused, with the member if it is one; returns
 * TOOL_UNVERIFIED. */
int package_file_refuse(const struct package_file *package, enum otter_result result);

#endif
