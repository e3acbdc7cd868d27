/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card's part of a state.
 */
#include "closure_card.h"

#include "canon_hash.h"
#include "otter/card.h"
#include "otter/path.h"
#include "vcard_inner.h"

#include <stdlib.h>
#include <string.h>

enum { GARBAGE = 0xA5, SAMPLES = 2 };

void closure_card_open(struct closure_card *form, struct vcard *card)
{
    memset(form, 0, sizeof(*form));
    form->card = card;
    form->known = canon_table_make();
    form->answers = canon_table_make();
}

void closure_card_close(struct closure_card *form)
{
    vcard_image_free(&form->moment);
    canon_table_free(form->known);
    canon_table_free(form->answers);
    free(form->dead);
}

/* --- contents --- */

static uint32_t sector_size(uint32_t size, uint32_t off)
{
    return size - off < (uint32_t)VCARD_SECTOR ? size - off : (uint32_t)VCARD_SECTOR;
}

static uint64_t sector_hash(const struct vcard_node *node, uint32_t off)
{
    uint32_t size = sector_size(vcard_node_size(node), off);

    return canon_mix_bytes(size, node->content->bytes + off, size);
}

static bool is_known(const struct closure_card *form, uint64_t sector)
{
    return canon_table_find(form->known, sector) != NULL;
}

void closure_card_learn(struct closure_card *form)
{
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *node = &form->card->live.nodes[i];

        for (uint32_t off = 0; node->id != 0 && off < vcard_node_size(node);
             off += VCARD_SECTOR) {
            uint64_t sector = sector_hash(node, off);

            if (!is_known(form, sector)) {
                canon_table_put(form->known, sector, 1);
            }
        }
    }
}

/* --- pointers --- */

static bool is_pointer(const struct vcard_node *node, struct otter_pointer *pointer)
{
    static const char name[] = OTTER_CARD_FOLDER "/pointer."; /* and a digit */

    return node->id != 0 && !node->is_directory &&
           strncmp(node->path, name, sizeof(name) - 1) == 0 &&
           vcard_node_size(node) == OTTER_POINTER_SIZE &&
           otter_pointer_decode(node->content->bytes, pointer);
}

/* How many valid pointers have a smaller number. */
static uint32_t rank_of(const struct vcard_tree *tree,
                        const struct otter_pointer *pointer)
{
    uint32_t rank = 0;

    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        struct otter_pointer other;

        rank +=
            is_pointer(&tree->nodes[i], &other) && other.sequence < pointer->sequence;
    }
    return rank;
}

/* The pointer with `sequence` for its number, as it stands in a file. */
static void renumber(struct otter_pointer pointer, uint32_t sequence,
                     uint8_t bytes[OTTER_POINTER_SIZE])
{
    pointer.sequence = sequence;
    otter_pointer_encode(&pointer, bytes);
}

/* --- dead files --- */

static uint64_t path_hash(const char *path)
{
    return canon_mix_bytes(0, path, strlen(path));
}

static bool has_path(const struct closure_card_paths *paths, uint64_t hash)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (paths->hashes[i] == hash) {
            return true;
        }
    }
    return false;
}

static void add_path(struct closure_card_paths *paths, uint64_t hash)
{
    if (!has_path(paths, hash)) {
        if (paths->count == CLOSURE_CARD_PATHS_MAX) {
            abort();
        }
        paths->hashes[paths->count++] = hash;
    }
}

void closure_card_watch(struct closure_card *form)
{
    form->looked_into.count = 0;
    form->dropped.removed.count = 0;
    form->dropped.emptied.count = 0;
}

void closure_card_see(struct closure_card *form, const struct vcard_op *op)
{
    struct closure_card_paths *paths = &form->looked_into;
    uint64_t hash = op->path == NULL ? 0 : path_hash(op->path);

    if (op->path == NULL || !otter_path_is_inside(op->path, OTTER_CARD_FOLDER)) {
        return;
    }
    if (op->kind == VCARD_REMOVE) {
        paths = &form->dropped.removed;
    } else if (op->kind == VCARD_OPEN && op->mode == VCARD_MODE_NEW) {
        paths = &form->dropped.emptied;
    }
    if (!has_path(&form->looked_into, hash) &&
        !has_path(&form->dropped.removed, hash) &&
        !has_path(&form->dropped.emptied, hash)) {
        add_path(paths, hash);
    }
}

void closure_card_answer(struct closure_card *form, uint64_t question)
{
    form->dead = canon_room(form->dead, form->dead_count, sizeof(*form->dead));
    form->dead[form->dead_count] = form->dropped;
    canon_table_put(form->answers, question, form->dead_count++);
}

static const struct closure_card_dead *dead_of(const struct closure_card *form,
                                               uint64_t question)
{
    const uint64_t *index = canon_table_find(form->answers, question);

    return index == NULL ? NULL : &form->dead[*index];
}

static bool is_removed(const struct closure_card_dead *dead, uint64_t hash)
{
    return dead != NULL && has_path(&dead->removed, hash);
}

static bool is_emptied(const struct closure_card_dead *dead, uint64_t hash)
{
    return dead != NULL && has_path(&dead->emptied, hash);
}

/* --- the form --- */

/* Names that share their data, told apart from those of other data. */
static uint64_t twins_of(const struct vcard_tree *tree, const struct vcard_node *node)
{
    uint64_t sum = 0;

    for (size_t i = 0; node->link != 0 && i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *twin = &tree->nodes[i];

        if (twin->id != 0 && twin->link == node->link) {
            sum += canon_mix_bytes(3, twin->path, strlen(twin->path));
        }
    }
    return sum;
}

/* Once everything is learned, this of a content stays the same: it is marked with it.
 */
static uint64_t sectors_of(const struct closure_card *form,
                           const struct vcard_node *node)
{
    uint64_t hash = canon_mix(1, vcard_node_size(node));

    if (node->content->mark != 0) {
        return node->content->mark;
    }
    for (uint32_t off = 0; off < vcard_node_size(node); off += VCARD_SECTOR) {
        uint64_t sector = sector_hash(node, off);

        hash = canon_mix(hash, is_known(form, sector) ? sector : 2);
    }
    node->content->mark = hash;
    return hash;
}

static uint64_t content_of(const struct closure_card *form,
                           const struct vcard_tree *tree, const struct vcard_node *node)
{
    struct otter_pointer pointer;

    if (is_pointer(node, &pointer)) {
        uint8_t bytes[OTTER_POINTER_SIZE];

        renumber(pointer, rank_of(tree, &pointer), bytes);
        return canon_mix_bytes(2, bytes, sizeof(bytes));
    }
    return sectors_of(form, node);
}

static uint64_t tree_form(const struct closure_card *form,
                          const struct vcard_tree *tree,
                          const struct closure_card_dead *dead)
{
    enum { DEAD = 5, FOLDER = 6 };
    uint64_t sum = 0;

    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *node = &tree->nodes[i];

        if (node->id == 0) {
            continue;
        }
        uint64_t name = path_hash(node->path);

        if (is_removed(dead, name)) {
            continue;
        }
        uint64_t content = node->is_directory       ? FOLDER
                           : is_emptied(dead, name) ? DEAD
                                                    : content_of(form, tree, node);

        sum += canon_mix(canon_mix(name, twins_of(tree, node)), content);
    }
    return sum;
}

static uint64_t card_form(const struct closure_card *form,
                          const struct closure_card_dead *dead)
{
    const struct vcard *card = form->card;
    uint64_t seen = canon_mix(1, tree_form(form, &card->live, dead));

    return card->change_count == 0
               ? seen
               : canon_mix(seen, tree_form(form, &card->synced, dead));
}

uint64_t closure_card_hash(const struct closure_card *form)
{
    return card_form(form, NULL);
}

uint64_t closure_card_form(const struct closure_card *form, uint64_t question)
{
    return card_form(form, dead_of(form, question));
}

static void make_file(const struct closure_card *form, const struct vcard_tree *tree,
                      const struct closure_card_dead *dead, struct vcard_node *node,
                      uint32_t offset)
{
    uint8_t garbage[VCARD_SECTOR];
    bool is_dead = is_emptied(dead, path_hash(node->path));
    struct otter_pointer pointer;
    uint64_t random = 1;

    if (!is_dead && is_pointer(node, &pointer)) {
        uint8_t bytes[OTTER_POINTER_SIZE];

        renumber(pointer, rank_of(tree, &pointer) + offset, bytes);
        vcard_node_write(node, 0, bytes, sizeof(bytes), &random);
        return;
    }
    memset(garbage, GARBAGE, sizeof(garbage));
    for (uint32_t off = 0; off < vcard_node_size(node); off += VCARD_SECTOR) {
        if (is_dead || !is_known(form, sector_hash(node, off))) {
            vcard_node_write(node, off, garbage,
                             sector_size(vcard_node_size(node), off), &random);
        }
    }
}

void closure_card_make(struct closure_card *form, uint64_t question, uint32_t offset)
{
    const struct closure_card_dead *dead = dead_of(form, question);
    struct vcard *card = form->card;

    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        struct vcard_node *node = &card->live.nodes[i];

        if (node->id != 0 && is_removed(dead, path_hash(node->path))) {
            vcard_node_remove(&card->live, node);
        } else if (node->id != 0 && !node->is_directory) {
            make_file(form, &card->synced, dead, node, offset);
        }
    }
    vcard_tree_copy(&card->synced, &card->live);
}

/* --- at rest --- */

/* Few of a card's nodes are in use, and at rest what is seen is what is certain. */
struct closure_card_rest {
    uint32_t next_id;
    size_t count;
    struct {
        size_t index;
        struct vcard_node node;
    } used[];
};

struct closure_card_rest *closure_card_save(const struct closure_card *form)
{
    const struct vcard *card = form->card;
    struct closure_card_rest *rest;
    size_t count = 0;

    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        count += card->live.nodes[i].id != 0;
    }
    rest = malloc(sizeof(*rest) + count * sizeof(rest->used[0]));
    if (rest == NULL || card->change_count != 0) {
        abort();
    }
    rest->next_id = card->next_id;
    rest->count = 0;
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        if (card->live.nodes[i].id != 0) {
            rest->used[rest->count].index = i;
            rest->used[rest->count].node = card->live.nodes[i];
            (void)vcard_blob_share(card->live.nodes[i].content);
            rest->count++;
        }
    }
    return rest;
}

void closure_card_restore(struct closure_card *form,
                          const struct closure_card_rest *rest)
{
    struct vcard *card = form->card;

    vcard_settle(card, 0, 0); /* drops what is not synced */
    vcard_tree_free(&card->live);
    for (size_t i = 0; i < rest->count; i++) {
        card->live.nodes[rest->used[i].index] = rest->used[i].node;
        (void)vcard_blob_share(rest->used[i].node.content);
    }
    vcard_tree_copy(&card->synced, &card->live);
    card->next_id = rest->next_id;
}

void closure_card_drop(struct closure_card_rest **rest)
{
    if (*rest == NULL) {
        return;
    }
    for (size_t i = 0; i < (*rest)->count; i++) {
        vcard_blob_drop((*rest)->used[i].node.content);
    }
    free(*rest);
    *rest = NULL;
}

/* --- cuts --- */

static size_t add_prefix(uint32_t prefix, uint32_t count, uint32_t *seeds)
{
    for (uint32_t way = 0; way < (uint32_t)VCARD_TORN_WAYS; way++) {
        seeds[way] = 2 + VCARD_CUT_OUTCOMES * (prefix + way * (count + 1));
    }
    return VCARD_TORN_WAYS;
}

size_t closure_card_seeds(const struct closure_card *form,
                          uint32_t seeds[CLOSURE_CARD_SEEDS_MAX])
{
    enum { FEW = 8 };
    uint32_t count = (uint32_t)form->card->change_count;
    size_t found = 0;

    seeds[found++] = 0;
    if (count == 0) {
        return found;
    }
    seeds[found++] = 1;
    seeds[found++] = 3;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        seeds[found++] = 4 + VCARD_CUT_OUTCOMES * (count + FEW * i);
    }
    for (uint32_t prefix = 0; prefix < count; prefix++) {
        bool is_taken = count <= FEW || prefix == 0 || prefix == 1 ||
                        prefix == count / 2 || prefix == count - 1;

        found += is_taken ? add_prefix(prefix, count, &seeds[found]) : 0;
    }
    return found;
}

void closure_card_hold(struct closure_card *form)
{
    vcard_save(form->card, &form->moment);
    memcpy(form->files, form->card->files, sizeof(form->files));
    form->own_changes = form->card->own_changes;
}

void closure_card_cut(struct closure_card *form, uint32_t seed)
{
    vcard_settle(form->card, seed, 0);
}

void closure_card_go_on(struct closure_card *form)
{
    vcard_restore(form->card, &form->moment);
    memcpy(form->card->files, form->files, sizeof(form->files));
    form->card->own_changes = form->own_changes;
}
