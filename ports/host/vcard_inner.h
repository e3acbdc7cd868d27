/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the virtual card share: trees of nodes, and bytes counted by their
 * users.
 */
#ifndef OTTER_HOST_VCARD_INNER_H
#define OTTER_HOST_VCARD_INNER_H

#include "vcard.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Never changes: what is written makes a new one. */
struct vcard_blob {
    size_t users;
    uint64_t mark; /* of whoever looks at contents; 0: none yet */
    uint32_t size;
    uint8_t bytes[];
};

/* Prints and aborts: the test is wrong, or memory is short. */
_Noreturn void vcard_stop(const char *why);

/* One number after another from a seed. */
uint64_t vcard_random(uint64_t *random);

/* A new blob; `bytes` may be NULL: zeros. */
struct vcard_blob *vcard_blob_new(const void *bytes, uint32_t size);
struct vcard_blob *vcard_blob_share(struct vcard_blob *blob); /* NULL stays NULL */
void vcard_blob_drop(struct vcard_blob *blob);
struct vcard_blob *vcard_blob_garbage(uint32_t size, uint64_t *random);

struct vcard_node *vcard_node_at(struct vcard_tree *tree, const char *path);
struct vcard_node *vcard_node_of(struct vcard_tree *tree, uint32_t id);

/* True if `path` is `directory` or below it. */
bool vcard_is_inside(const char *path, const char *directory);

/* True if the directory that `path` lies in is there. */
bool vcard_has_parent(struct vcard_tree *tree, const char *path);

/* A new node; NULL if the tree is full. */
struct vcard_node *vcard_node_add(struct vcard_tree *tree, uint32_t id,
                                  const char *path, bool is_directory);

/* Removes a node and all below it. */
void vcard_node_remove(struct vcard_tree *tree, struct vcard_node *node);

/* Gives a node and all below it a new name; false if one would be too long. */
bool vcard_node_rename(struct vcard_tree *tree, struct vcard_node *node,
                       const char *path);

/* Makes a second node, and all below it, that share data with the first. */
void vcard_node_double(struct vcard_tree *tree, struct vcard_node *node,
                       const char *path, uint32_t *next_id);

/* Sets the size of a file; new bytes come from `random`. */
void vcard_node_resize(struct vcard_node *node, uint32_t size, uint64_t *random);

/* Writes inside a file's size, or grows it; a gap before `off` is garbage. */
void vcard_node_write(struct vcard_node *node, uint32_t off, const uint8_t *bytes,
                      uint32_t size, uint64_t *random);

uint32_t vcard_node_size(const struct vcard_node *node);

/* `to` becomes what `from` is; drops what it was. */
void vcard_tree_copy(struct vcard_tree *to, const struct vcard_tree *from);
void vcard_tree_free(struct vcard_tree *tree);
uint64_t vcard_tree_hash(const struct vcard_tree *tree);

/* ---- vcard_cut.c ---- */

/* Notes a change that is not synced; with the list full, the oldest reaches the card.
 */
void vcard_push(struct vcard *card, enum vcard_change_kind kind, uint32_t id,
                const char *path);
void vcard_push_write(struct vcard *card, uint32_t id, uint32_t off,
                      struct vcard_blob *data); /* takes `data` over */

/* Makes garbage of what shares data with a file that changes. */
void vcard_spoil_twins(struct vcard *card, const struct vcard_node *node);

/* Makes sure of all entries and of one file's content; 0: of every file's. */
void vcard_sync_changes(struct vcard *card, uint32_t id);

/* What is on the card becomes what is there. The last `own` changes are torn. */
void vcard_settle(struct vcard *card, uint32_t seed, size_t own);

void vcard_close_files(struct vcard *card);
bool vcard_is_path(const char *path);

#ifdef __cplusplus
}
#endif

#endif
