/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cut leaves on the virtual card. The tree as operations see it and the tree
 * that is certain differ by a list of changes, in the order in which they were made; a
 * sync applies some of them to the certain tree, and a cut applies what its seed says
 * and makes that the truth. vcard.h tells why each outcome is one that FAT has.
 */
#include "vcard_inner.h"

#include <stdio.h>
#include <string.h>

/* --- what becomes of a change --- */

enum arrival {
    ARRIVES_NOT,
    ARRIVES,
    ARRIVES_EMPTY, /* entry and size, but no data */
    ARRIVES_TORN,
};

struct fate {
    enum arrival arrival;
    unsigned way; /* in which it is torn */
    uint64_t *random;
};

/* An entry that the change needs out of its way was to be removed or renamed, and that
 * has not arrived: FAT would keep both under one name, and the new one is found. */
static bool make_room(struct vcard *card, const struct vcard_change *change)
{
    struct vcard_node *other = vcard_node_at(&card->synced, change->path);

    if (!vcard_has_parent(&card->synced, change->path)) {
        return false; /* the directory has not arrived, and with it the entry */
    }
    if (other != NULL && other->id != change->id) {
        vcard_node_remove(&card->synced, other);
    }
    return true;
}

static void apply_create(struct vcard *card, const struct vcard_change *change,
                         const struct fate *fate)
{
    bool is_directory = change->kind == VCARD_CHANGE_MKDIR;

    if (fate->arrival == ARRIVES_TORN && fate->way % 2 == 0) {
        return;
    }
    if (make_room(card, change) &&
        vcard_node_add(&card->synced, change->id, change->path, is_directory) == NULL) {
        vcard_stop("too many files");
    }
}

/* Bytes of whole first sectors that made it; any number of sectors. */
static uint32_t torn_prefix(uint32_t size, uint64_t *random)
{
    uint32_t sectors = (size + VCARD_SECTOR - 1) / VCARD_SECTOR;
    uint32_t prefix = (uint32_t)(vcard_random(random) % (sectors + 1)) * VCARD_SECTOR;

    return prefix < size ? prefix : size;
}

static void tear_write(struct vcard_node *node, const struct vcard_change *change,
                       const struct fate *fate)
{
    uint32_t size = change->data->size;
    uint32_t old = vcard_node_size(node);
    uint32_t inside = change->off >= old         ? 0
                      : size < old - change->off ? size
                                                 : old - change->off;
    uint32_t prefix = fate->way == 2   ? 0
                      : fate->way == 3 ? inside
                                       : torn_prefix(size, fate->random);

    if (fate->way == 0 || fate->way == 3) {
        vcard_node_write(node, change->off, change->data->bytes,
                         prefix < inside ? prefix : inside, fate->random);
        return;
    }
    struct vcard_blob *garbage = vcard_blob_garbage(size, fate->random);

    memcpy(garbage->bytes, change->data->bytes, prefix);
    vcard_node_write(node, change->off, garbage->bytes, size, fate->random);
    vcard_blob_drop(garbage);
}

static void apply_write(struct vcard *card, const struct vcard_change *change,
                        const struct fate *fate)
{
    struct vcard_node *node = vcard_node_of(&card->synced, change->id);

    if (node == NULL) {
        return; /* the file has not arrived */
    }
    if (fate->arrival == ARRIVES) {
        vcard_node_write(node, change->off, change->data->bytes, change->data->size,
                         fate->random);
        return;
    }
    struct fate torn = *fate;

    torn.way = fate->arrival == ARRIVES_EMPTY ? 2 : fate->way;
    tear_write(node, change, &torn);
}

static void make_garbage(struct vcard_node *node, uint64_t *random)
{
    if (!node->is_directory) {
        uint32_t size = vcard_node_size(node);

        vcard_blob_drop(node->content);
        node->content = vcard_blob_garbage(size, random);
    }
}

static void apply_truncate(struct vcard *card, const struct vcard_change *change,
                           const struct fate *fate)
{
    struct vcard_node *node = vcard_node_of(&card->synced, change->id);
    unsigned way = fate->arrival == ARRIVES_TORN ? fate->way : 1;

    if (node == NULL || way == 0) {
        return;
    }
    if (way == 1) {
        vcard_node_resize(node, 0, fate->random);
    } else if (way == 2) {
        make_garbage(node, fate->random);
    } else {
        vcard_node_remove(&card->synced, node);
    }
}

static void apply_rename(struct vcard *card, const struct vcard_change *change,
                         const struct fate *fate)
{
    struct vcard_node *node = vcard_node_of(&card->synced, change->id);
    unsigned way = fate->arrival == ARRIVES_TORN ? fate->way : 1;

    if (node == NULL || way == 0) {
        return;
    }
    if (way == 3) {
        vcard_node_remove(&card->synced, node);
        return;
    }
    const struct vcard_node *other = vcard_node_at(&card->synced, change->path);

    if (other != NULL && other != node && vcard_is_inside(node->path, other->path)) {
        return; /* out of a directory into its place, which has not become free */
    }
    if (!make_room(card, change)) {
        return;
    }
    if (way == 2) {
        vcard_node_double(&card->synced, node, change->path, &card->next_id);
    } else {
        (void)vcard_node_rename(&card->synced, node, change->path);
    }
}

static void apply_remove(struct vcard *card, const struct vcard_change *change,
                         const struct fate *fate)
{
    struct vcard_node *node = vcard_node_of(&card->synced, change->id);
    unsigned way = fate->arrival == ARRIVES_TORN ? fate->way : 1;

    if (node == NULL || way == 0) {
        return;
    }
    if (way == 2) {
        make_garbage(node, fate->random);
    } else {
        vcard_node_remove(&card->synced, node);
    }
}

static void apply(struct vcard *card, const struct vcard_change *change,
                  const struct fate *fate)
{
    static void (*const appliers[])(struct vcard *, const struct vcard_change *,
                                    const struct fate *) = {
        [VCARD_CHANGE_CREATE] = apply_create,     [VCARD_CHANGE_MKDIR] = apply_create,
        [VCARD_CHANGE_WRITE] = apply_write,       [VCARD_CHANGE_RENAME] = apply_rename,
        [VCARD_CHANGE_TRUNCATE] = apply_truncate, [VCARD_CHANGE_REMOVE] = apply_remove,
    };

    if (fate->arrival != ARRIVES_NOT) {
        appliers[change->kind](card, change, fate);
    }
}

static void apply_whole(struct vcard *card, const struct vcard_change *change)
{
    uint64_t random = change->id;
    const struct fate fate = {.arrival = ARRIVES, .random = &random};

    apply(card, change, &fate);
}

/* --- the list of changes --- */

static void drop_change(struct vcard *card, size_t index)
{
    vcard_blob_drop(card->changes[index].data);
    card->change_count--;
    memmove(&card->changes[index], &card->changes[index + 1],
            (card->change_count - index) * sizeof(card->changes[0]));
}

void vcard_push(struct vcard *card, enum vcard_change_kind kind, uint32_t id,
                const char *path)
{
    if (card->change_count == VCARD_CHANGES_MAX) {
        apply_whole(card, &card->changes[0]); /* no cache is endless */
        drop_change(card, 0);
    }
    struct vcard_change *change = &card->changes[card->change_count++];

    *change = (struct vcard_change){.kind = kind, .id = id};
    (void)snprintf(change->path, sizeof(change->path), "%s", path);
    card->own_changes++;
}

void vcard_push_write(struct vcard *card, uint32_t id, uint32_t off,
                      struct vcard_blob *data)
{
    vcard_push(card, VCARD_CHANGE_WRITE, id, "");
    card->changes[card->change_count - 1].off = off;
    card->changes[card->change_count - 1].data = data;
}

void vcard_spoil_twins(struct vcard *card, const struct vcard_node *node)
{
    uint64_t random = node->id;

    for (size_t i = 0; node->link != 0 && i < VCARD_NODES_MAX; i++) {
        struct vcard_node *twin = &card->live.nodes[i];

        if (twin->id != 0 && twin != node && twin->link == node->link &&
            !twin->is_directory) {
            make_garbage(twin, &random);
            vcard_push_write(card, twin->id, 0, vcard_blob_share(twin->content));
        }
    }
}

void vcard_sync_changes(struct vcard *card, uint32_t id)
{
    for (size_t i = 0; i < card->change_count;) {
        const struct vcard_change *change = &card->changes[i];
        bool is_content =
            change->kind == VCARD_CHANGE_WRITE || change->kind == VCARD_CHANGE_TRUNCATE;

        if (id != 0 && is_content && change->id != id) {
            i++;
            continue;
        }
        apply_whole(card, change);
        drop_change(card, i);
    }
}

/* --- cuts --- */

static struct fate fate_of(size_t index, size_t count, uint32_t seed, uint32_t rest,
                           uint64_t *random)
{
    struct fate fate = {.random = random};
    size_t prefix = rest % (count + 1);

    switch (seed % VCARD_CUT_OUTCOMES) {
    case 0:
        fate.arrival = ARRIVES_NOT;
        break;
    case 1:
        fate.arrival = ARRIVES;
        break;
    case 2:
        fate.arrival = index < prefix    ? ARRIVES
                       : index == prefix ? ARRIVES_TORN
                                         : ARRIVES_NOT;
        fate.way = (unsigned)(rest / (count + 1)) % VCARD_TORN_WAYS;
        break;
    case 3:
        fate.arrival = ARRIVES_EMPTY;
        break;
    default:
        fate.arrival = (enum arrival[]){ARRIVES_NOT, ARRIVES,
                                        ARRIVES_TORN}[vcard_random(random) % 3];
        fate.way = (unsigned)(vcard_random(random) % VCARD_TORN_WAYS);
        break;
    }
    return fate;
}

void vcard_settle(struct vcard *card, uint32_t seed, size_t own)
{
    uint64_t random = seed;
    uint32_t rest = seed / VCARD_CUT_OUTCOMES;
    size_t count = card->change_count - own;
    const struct fate torn = {
        .arrival = ARRIVES_TORN, .way = rest % VCARD_TORN_WAYS, .random = &random};

    rest = own > 0 ? rest / VCARD_TORN_WAYS : rest;
    for (size_t i = 0; i < card->change_count; i++) {
        struct fate fate = i < count ? fate_of(i, count, seed, rest, &random) : torn;

        apply(card, &card->changes[i], &fate);
    }
    while (card->change_count > 0) {
        drop_change(card, card->change_count - 1);
    }
    vcard_tree_copy(&card->live, &card->synced);
    card->own_changes = 0;
    vcard_close_files(card);
}
