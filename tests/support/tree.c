/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files for tests. Offsets of the header: IEEE Std 1003.1, pax, "ustar
 * Interchange Format".
 */
#include "tree.h"

#include "digest.h"
#include "otter/card.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, END_BLOCKS = 2 };

void tree_seal(uint8_t block[512])
{
    unsigned sum = 0;
    char digits[8];

    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++) {
        sum += block[i];
    }
    (void)snprintf(digits, sizeof(digits), "%06o", sum);
    memcpy(block + 148, digits, 7);
}

void tree_header(const char *name, char type, uint32_t size, uint8_t block[512])
{
    char digits[12];
    size_t len = strlen(name);

    memset(block, 0, BLOCK);
    memcpy(block, name, len < 100 ? len : 100);
    memcpy(block + 100, type == '5' ? "0000755" : "0000644", 7);
    memcpy(block + 108, "0000000", 7);
    memcpy(block + 116, "0000000", 7);
    (void)snprintf(digits, sizeof(digits), "%011o", size);
    memcpy(block + 124, digits, 11);
    memcpy(block + 136, "00000000000", 11);
    block[156] = (uint8_t)type;
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    tree_seal(block);
}

static uint32_t filled(uint32_t size)
{
    return (size + BLOCK - 1) / BLOCK * BLOCK;
}

uint32_t tree_archive(const struct tree *tree, uint8_t *out, size_t capacity)
{
    size_t off = 0;

    memset(out, 0, capacity);
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_file *file = &tree->files[i];

        if (capacity - off < BLOCK + (size_t)filled(file->size)) {
            return 0;
        }
        tree_header(file->path, file->bytes == NULL ? '5' : '0', file->size, out + off);
        if (file->size > 0) {
            memcpy(out + off + BLOCK, file->bytes, file->size);
        }
        off += BLOCK + filled(file->size);
    }
    return capacity - off < (size_t)END_BLOCKS * BLOCK
               ? 0
               : (uint32_t)off + END_BLOCKS * BLOCK;
}

static void path_of(const struct tree_file *file, char path[VCARD_PATH_MAX])
{
    (void)snprintf(path, VCARD_PATH_MAX, "%s/%s", TREE_ROOT, file->path);
}

void tree_archive_path(const uint8_t *archive, uint32_t size,
                       char path[OTTER_PATH_SIZE])
{
    uint8_t digest[OTTER_SHA256_SIZE];

    digest_of(archive, size, digest);
    otter_card_archive_path(digest, path);
}

uint32_t tree_count_archives(const struct vcard *card)
{
    uint32_t count = 0;

    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *node = &card->live.nodes[i];

        count += node->id != 0 && strstr(node->path, ".tar") != NULL;
    }
    return count;
}

void tree_provision(const struct tree *tree, const uint8_t *archive, uint32_t size,
                    struct vcard *card)
{
    char path[OTTER_PATH_SIZE];

    tree_archive_path(archive, size, path);
    vcard_provision(card, path, archive, size);
    for (size_t i = 0; i < tree->count; i++) {
        path_of(&tree->files[i], path);
        vcard_provision(card, path, tree->files[i].bytes, tree->files[i].size);
    }
}

static bool is_in(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (strcmp(tree->files[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

bool tree_is_on(const struct vcard *card, const struct tree *tree,
                const struct tree *other)
{
    char path[VCARD_PATH_MAX];

    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_file *file = &tree->files[i];
        uint32_t size = 0;

        path_of(file, path);
        const uint8_t *bytes = vcard_peek(card, path, &size);

        if (!vcard_has(card, path) || (bytes == NULL) != (file->bytes == NULL) ||
            (bytes != NULL &&
             (size != file->size || memcmp(bytes, file->bytes, size) != 0))) {
            return false;
        }
    }
    for (size_t i = 0; i < other->count; i++) {
        path_of(&other->files[i], path);
        if (!is_in(tree, other->files[i].path) && vcard_has(card, path)) {
            return false;
        }
    }
    return true;
}
