/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual card apart from its operations: what tests put on it and look at, and
 * snapshots.
 */
#include "vcard_inner.h"

#include <string.h>
#include <strings.h>

void vcard_close_files(struct vcard *card)
{
    memset(card->files, 0, sizeof(card->files));
}

void vcard_init(struct vcard *card, uint32_t capacity)
{
    memset(card, 0, sizeof(*card));
    card->capacity = capacity;
    card->next_id = 1;
}

static void drop_changes(struct vcard_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        vcard_blob_drop(changes[i].data);
    }
}

void vcard_destroy(struct vcard *card)
{
    drop_changes(card->changes, card->change_count);
    vcard_tree_free(&card->live);
    vcard_tree_free(&card->synced);
    memset(card, 0, sizeof(*card));
}

/* Puts a node into both trees, in place of one with that name. */
static void put(struct vcard *card, const char *path, const void *data, uint32_t size)
{
    struct vcard_tree *trees[] = {&card->live, &card->synced};
    uint64_t random = 0;

    for (size_t i = 0; i < 2; i++) {
        struct vcard_node *old = vcard_node_at(trees[i], path);

        if (old != NULL && old->is_directory && data == NULL) {
            continue;
        }
        if (old != NULL) {
            vcard_node_remove(trees[i], old);
        }
        struct vcard_node *node =
            vcard_node_add(trees[i], card->next_id, path, data == NULL);

        if (node == NULL) {
            vcard_stop("too many files");
        }
        if (data != NULL) {
            vcard_node_write(node, 0, data, size, &random);
        }
    }
    card->next_id++;
}

void vcard_provision(struct vcard *card, const char *path, const void *data,
                     uint32_t size)
{
    char parent[VCARD_PATH_MAX];

    if (!vcard_is_path(path)) {
        vcard_stop("a strange path");
    }
    for (size_t i = 0; path[i] != '\0'; i++) {
        if (path[i] == '/') {
            memcpy(parent, path, i);
            parent[i] = '\0';
            put(card, parent, NULL, 0);
        }
    }
    put(card, path, data, size);
}

static const struct vcard_node *find(const struct vcard *card, const char *path)
{
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        if (card->live.nodes[i].id != 0 &&
            strcasecmp(card->live.nodes[i].path, path) == 0) {
            return &card->live.nodes[i];
        }
    }
    return NULL;
}

const uint8_t *vcard_peek(const struct vcard *card, const char *path, uint32_t *size)
{
    const struct vcard_node *node = find(card, path);

    *size = node == NULL ? 0 : vcard_node_size(node);
    return node == NULL || node->is_directory ? NULL : node->content->bytes;
}

bool vcard_has(const struct vcard *card, const char *path)
{
    return find(card, path) != NULL;
}

void vcard_flip(struct vcard *card, const char *path, uint32_t off, unsigned bit)
{
    struct vcard_tree *trees[] = {&card->live, &card->synced};
    uint64_t random = 0;

    for (size_t i = 0; i < 2; i++) {
        struct vcard_node *node = vcard_node_at(trees[i], path);

        if (node != NULL && off < vcard_node_size(node)) {
            uint8_t byte = (uint8_t)(node->content->bytes[off] ^ 1U << (bit & 7));

            vcard_node_write(node, off, &byte, 1, &random);
        }
    }
}

void vcard_set_bad(struct vcard *card, const char *path, bool is_bad)
{
    struct vcard_tree *trees[] = {&card->live, &card->synced};

    for (size_t i = 0; i < 2; i++) {
        struct vcard_node *node = vcard_node_at(trees[i], path);

        if (node != NULL) {
            node->is_bad = is_bad;
        }
    }
}

static void copy_changes(struct vcard_change *to, const struct vcard_change *from,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
        (void)vcard_blob_share(to[i].data);
    }
}

void vcard_save(const struct vcard *card, struct vcard_image *image)
{
    vcard_tree_copy(&image->live, &card->live);
    vcard_tree_copy(&image->synced, &card->synced);
    drop_changes(image->changes, image->change_count);
    copy_changes(image->changes, card->changes, card->change_count);
    image->change_count = card->change_count;
    image->next_id = card->next_id;
}

void vcard_restore(struct vcard *card, const struct vcard_image *image)
{
    vcard_tree_copy(&card->live, &image->live);
    vcard_tree_copy(&card->synced, &image->synced);
    drop_changes(card->changes, card->change_count);
    copy_changes(card->changes, image->changes, image->change_count);
    card->change_count = image->change_count;
    card->next_id = image->next_id;
    card->own_changes = 0;
    vcard_close_files(card);
}

void vcard_image_free(struct vcard_image *image)
{
    vcard_tree_free(&image->live);
    vcard_tree_free(&image->synced);
    drop_changes(image->changes, image->change_count);
    image->change_count = 0;
}

uint64_t vcard_hash(const struct vcard *card)
{
    uint64_t mixed = vcard_tree_hash(&card->live);

    return vcard_random(&mixed) + vcard_tree_hash(&card->synced);
}
