/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of the virtual card as values: nodes with whole paths in a table, contents
 * shared by count.
 */
#include "vcard_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

_Noreturn void vcard_stop(const char *why)
{
    (void)fprintf(stderr, "vcard: %s\n", why);
    abort();
}

/* splitmix64; any seed is good. */
uint64_t vcard_random(uint64_t *random)
{
    uint64_t z = *random += 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

/* --- blobs --- */

struct vcard_blob *vcard_blob_new(const void *bytes, uint32_t size)
{
    struct vcard_blob *blob = calloc(1, sizeof(*blob) + size);

    if (blob == NULL) {
        vcard_stop("out of memory");
    }
    blob->users = 1;
    blob->size = size;
    if (bytes != NULL && size > 0) {
        memcpy(blob->bytes, bytes, size);
    }
    return blob;
}

struct vcard_blob *vcard_blob_share(struct vcard_blob *blob)
{
    if (blob != NULL) {
        blob->users++;
    }
    return blob;
}

void vcard_blob_drop(struct vcard_blob *blob)
{
    if (blob != NULL && --blob->users == 0) {
        free(blob);
    }
}

static void fill_garbage(uint8_t *bytes, uint32_t size, uint64_t *random)
{
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)vcard_random(random);
    }
}

struct vcard_blob *vcard_blob_garbage(uint32_t size, uint64_t *random)
{
    struct vcard_blob *blob = vcard_blob_new(NULL, size);

    fill_garbage(blob->bytes, size, random);
    return blob;
}

/* --- paths --- */

bool vcard_is_inside(const char *path, const char *directory)
{
    size_t len = strlen(directory);

    return strncasecmp(path, directory, len) == 0 &&
           (path[len] == '\0' || path[len] == '/' || len == 0);
}

struct vcard_node *vcard_node_at(struct vcard_tree *tree, const char *path)
{
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        if (tree->nodes[i].id != 0 && strcasecmp(tree->nodes[i].path, path) == 0) {
            return &tree->nodes[i];
        }
    }
    return NULL;
}

struct vcard_node *vcard_node_of(struct vcard_tree *tree, uint32_t id)
{
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        if (tree->nodes[i].id == id) {
            return &tree->nodes[i];
        }
    }
    return NULL;
}

bool vcard_has_parent(struct vcard_tree *tree, const char *path)
{
    const char *slash = strrchr(path, '/');
    char parent[VCARD_PATH_MAX] = {0};

    if (slash == NULL) {
        return true;
    }
    memcpy(parent, path, (size_t)(slash - path));
    struct vcard_node *node = vcard_node_at(tree, parent);

    return node != NULL && node->is_directory;
}

/* --- nodes --- */

struct vcard_node *vcard_node_add(struct vcard_tree *tree, uint32_t id,
                                  const char *path, bool is_directory)
{
    struct vcard_node *node = vcard_node_of(tree, 0);

    if (node == NULL) {
        return NULL;
    }
    *node = (struct vcard_node){.id = id, .is_directory = is_directory};
    (void)snprintf(node->path, sizeof(node->path), "%s", path);
    node->content = is_directory ? NULL : vcard_blob_new(NULL, 0);
    return node;
}

static void clear(struct vcard_node *node)
{
    vcard_blob_drop(node->content);
    *node = (struct vcard_node){0};
}

void vcard_node_remove(struct vcard_tree *tree, struct vcard_node *node)
{
    char path[VCARD_PATH_MAX];

    memcpy(path, node->path, sizeof(path));
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        if (tree->nodes[i].id != 0 && vcard_is_inside(tree->nodes[i].path, path)) {
            clear(&tree->nodes[i]);
        }
    }
}

/* The name of `inner`, that lies in `from`, when it lies in `to`. */
static bool move_path(const char *inner, const char *from, const char *to,
                      char out[VCARD_PATH_MAX])
{
    int len = snprintf(out, VCARD_PATH_MAX, "%s%s", to, inner + strlen(from));

    return len > 0 && len < VCARD_PATH_MAX;
}

bool vcard_node_rename(struct vcard_tree *tree, struct vcard_node *node,
                       const char *path)
{
    char from[VCARD_PATH_MAX];
    char moved[VCARD_PATH_MAX];

    memcpy(from, node->path, sizeof(from));
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
            struct vcard_node *inner = &tree->nodes[i];

            if (inner->id == 0 || !vcard_is_inside(inner->path, from)) {
                continue;
            }
            if (!move_path(inner->path, from, path, moved)) {
                return false; /* in the first pass, before anything has changed */
            }
            if (pass == 1) {
                memcpy(inner->path, moved, sizeof(moved));
            }
        }
    }
    return true;
}

void vcard_node_double(struct vcard_tree *tree, struct vcard_node *node,
                       const char *path, uint32_t *next_id)
{
    struct vcard_tree before = *tree;
    char from[VCARD_PATH_MAX];

    memcpy(from, node->path, sizeof(from));
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *old = &before.nodes[i];
        char moved[VCARD_PATH_MAX];

        if (old->id == 0 || !vcard_is_inside(old->path, from) ||
            !move_path(old->path, from, path, moved)) {
            continue;
        }
        struct vcard_node *copy =
            vcard_node_add(tree, (*next_id)++, moved, old->is_directory);

        if (copy == NULL) {
            return; /* a table this full has other worries */
        }
        vcard_blob_drop(copy->content);
        copy->content = vcard_blob_share(old->content);
        copy->is_bad = old->is_bad;
        copy->link = old->link != 0 ? old->link : old->id;
        tree->nodes[i].link = copy->link;
    }
}

uint32_t vcard_node_size(const struct vcard_node *node)
{
    return node->content == NULL ? 0 : node->content->size;
}

void vcard_node_resize(struct vcard_node *node, uint32_t size, uint64_t *random)
{
    struct vcard_blob *old = node->content;
    uint32_t kept = old->size < size ? old->size : size;

    node->content = vcard_blob_new(NULL, size);
    memcpy(node->content->bytes, old->bytes, kept);
    fill_garbage(node->content->bytes + kept, size - kept, random);
    vcard_blob_drop(old);
}

void vcard_node_write(struct vcard_node *node, uint32_t off, const uint8_t *bytes,
                      uint32_t size, uint64_t *random)
{
    uint32_t old = vcard_node_size(node);

    if (size == 0) {
        return;
    }
    vcard_node_resize(node, off + size > old ? off + size : old, random);
    memcpy(node->content->bytes + off, bytes, size);
}

/* --- trees --- */

void vcard_tree_free(struct vcard_tree *tree)
{
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        clear(&tree->nodes[i]);
    }
}

void vcard_tree_copy(struct vcard_tree *to, const struct vcard_tree *from)
{
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        struct vcard_blob *old = to->nodes[i].content;

        if (from->nodes[i].id == 0 && to->nodes[i].id == 0) {
            continue; /* most of them */
        }
        (void)vcard_blob_share(from->nodes[i].content);
        to->nodes[i] = from->nodes[i];
        vcard_blob_drop(old);
    }
}

static uint64_t hash_byte(uint64_t hash, uint8_t byte)
{
    return (hash ^ byte) * 0x00000100000001B3U; /* FNV-1a */
}

/* Directory entries have no order that counts, so the nodes' hashes are added. */
uint64_t vcard_tree_hash(const struct vcard_tree *tree)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *node = &tree->nodes[i];
        uint64_t hash = 0xCBF29CE484222325U;

        if (node->id == 0) {
            continue;
        }
        for (const char *c = node->path; *c != '\0'; c++) {
            hash = hash_byte(hash, (uint8_t)*c);
        }
        hash = hash_byte(hash, 0);
        hash = hash_byte(hash, (uint8_t)(node->is_directory ? 1 : 0));
        hash = hash_byte(hash, (uint8_t)(node->is_bad ? 1 : 0));
        hash = hash_byte(hash, (uint8_t)(node->link != 0 ? 1 : 0));
        for (uint32_t k = 0; k < vcard_node_size(node); k++) {
            hash = hash_byte(hash, node->content->bytes[k]);
        }
        sum += vcard_random(&hash); /* mixes: sums of weak hashes meet too often */
    }
    return sum;
}
