/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual card in use: operations and the faults that strike them.
 */
#include "vcard_inner.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void vcard_power_off(struct vcard *card, uint32_t seed)
{
    if (card->is_on) {
        vcard_settle(card, seed, 0);
        card->is_on = false;
    }
}

void vcard_reset(struct vcard *card, uint32_t seed)
{
    if (card->is_on) {
        vcard_settle(card, seed, 0);
    }
}

static _Noreturn void cut(struct vcard *card, size_t own)
{
    vcard_settle(card, card->fault.seed, own);
    card->is_on = false;
    if (card->hooks.cut != NULL) {
        card->hooks.cut(card->hooks.context);
    }
    vcard_stop("power fails, and nobody takes it");
}

void vcard_pull(struct vcard *card, uint32_t seed)
{
    vcard_settle(card, seed, 0);
    card->is_out = true;
}

void vcard_put_back(struct vcard *card)
{
    card->is_out = false;
}

void vcard_power_on(struct vcard *card, struct vcard_fault fault)
{
    if (card->is_on) {
        vcard_stop("power is on");
    }
    card->is_on = true;
    card->is_full = false;
    card->op = 0;
    card->fault = fault;
    vcard_close_files(card);
}

/* --- an operation's begin and end --- */

/* Whether the fault strikes the operation under way. */
static bool strikes(const struct vcard *card, enum vcard_fault_kind kind)
{
    return card->fault.kind == kind && card->op - 1 == card->fault.at_op;
}

static int start_op(struct vcard *card, struct vcard_op op)
{
    op.index = card->op;
    if (!card->is_on) {
        vcard_stop("an operation without power");
    }
    if (card->hooks.on_op != NULL) {
        card->hooks.on_op(card->hooks.context, &op);
    }
    card->op++;
    card->own_changes = 0;
    if (strikes(card, VCARD_CUT_BEFORE)) {
        cut(card, 0);
    }
    if (strikes(card, VCARD_PULL)) {
        vcard_pull(card, card->fault.seed);
    }
    card->is_full = card->is_full || strikes(card, VCARD_FULL);
    return card->is_out ? -ENODEV : 0;
}

static int start(struct vcard *card, enum vcard_op_kind kind, const char *path)
{
    return start_op(card, (struct vcard_op){.kind = kind, .path = path});
}

/* A failing operation is done all the same if its seed is odd. */
static bool is_done(const struct vcard *card)
{
    return !strikes(card, VCARD_FAIL) || card->fault.seed % 2 == 1;
}

static int finish(struct vcard *card, int result)
{
    if (strikes(card, VCARD_TORN)) {
        cut(card, card->own_changes);
    }
    if (strikes(card, VCARD_CUT_AFTER)) {
        cut(card, 0);
    }
    return strikes(card, VCARD_FAIL) && !card->is_out ? -EIO : result;
}

bool vcard_is_path(const char *path)
{
    size_t len = strlen(path);

    return len > 0 && len < VCARD_PATH_MAX && path[0] != '/' && path[len - 1] != '/' &&
           strstr(path, "//") == NULL;
}

static bool is_open(const struct vcard *card, uint32_t id, bool is_for_writing)
{
    for (size_t i = 0; i < VCARD_FILES_MAX; i++) {
        if (card->files[i].id == id &&
            (card->files[i].is_writable || !is_for_writing)) {
            return true;
        }
    }
    return false;
}

/* The node of an open file, or NULL. */
static struct vcard_node *node_of_file(struct vcard *card, int file)
{
    if (file < 0 || file >= VCARD_FILES_MAX || card->files[file].id == 0) {
        return NULL;
    }
    return vcard_node_of(&card->live, card->files[file].id);
}

static const char *path_of_file(struct vcard *card, int file)
{
    const struct vcard_node *node = node_of_file(card, file);

    return node == NULL ? NULL : node->path;
}

/* --- space --- */

static uint32_t clusters(uint32_t size)
{
    return (size + VCARD_CLUSTER - 1) / VCARD_CLUSTER * VCARD_CLUSTER;
}

uint32_t vcard_free_bytes(const struct vcard *card)
{
    uint32_t used = 0;

    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        used += clusters(vcard_node_size(&card->live.nodes[i]));
    }
    return card->is_full || used > card->capacity ? 0 : card->capacity - used;
}

/* --- entries --- */

/* A new entry, file or directory; its id, or what is wrong. */
static int make_entry(struct vcard *card, const char *path, bool is_directory)
{
    if (!vcard_has_parent(&card->live, path)) {
        return -ENOENT;
    }
    if (card->is_full ||
        vcard_node_add(&card->live, card->next_id, path, is_directory) == NULL) {
        return -ENOSPC;
    }
    vcard_push(card, is_directory ? VCARD_CHANGE_MKDIR : VCARD_CHANGE_CREATE,
               card->next_id, path);
    return (int)card->next_id++;
}

static int open_node(struct vcard *card, uint32_t id, enum vcard_mode mode)
{
    for (int i = 0; i < VCARD_FILES_MAX; i++) {
        if (card->files[i].id == 0) {
            card->files[i].id = id;
            card->files[i].is_writable = mode != VCARD_MODE_READ;
            return i;
        }
    }
    return -EMFILE;
}

static int do_open(struct vcard *card, const char *path, enum vcard_mode mode)
{
    struct vcard_node *node =
        vcard_is_path(path) ? vcard_node_at(&card->live, path) : NULL;
    uint64_t random = 0;

    if (!vcard_is_path(path)) {
        return -EINVAL;
    }
    if (node == NULL) {
        int id = mode == VCARD_MODE_READ ? -ENOENT : make_entry(card, path, false);

        return id < 0 ? id : open_node(card, (uint32_t)id, mode);
    }
    if (node->is_directory) {
        return -EISDIR;
    }
    if (is_open(card, node->id, mode == VCARD_MODE_READ)) {
        return -EBUSY;
    }
    int file = open_node(card, node->id, mode);

    if (file >= 0 && mode == VCARD_MODE_NEW && vcard_node_size(node) > 0) {
        vcard_push(card, VCARD_CHANGE_TRUNCATE, node->id, "");
        vcard_node_resize(node, 0, &random);
        vcard_spoil_twins(card, node);
    }
    return file;
}

int vcard_open(struct vcard *card, const char *path, enum vcard_mode mode)
{
    int result = start_op(
        card, (struct vcard_op){.kind = VCARD_OPEN, .path = path, .mode = mode});

    if (result == 0 && is_done(card)) {
        result = do_open(card, path, mode);
    }
    if (strikes(card, VCARD_FAIL) && result >= 0) {
        card->files[result].id = 0; /* nobody knows its number */
    }
    return finish(card, result);
}

static int do_rename(struct vcard *card, const char *from, const char *to)
{
    struct vcard_node *node =
        vcard_is_path(from) ? vcard_node_at(&card->live, from) : NULL;
    struct vcard_node *other =
        vcard_is_path(to) ? vcard_node_at(&card->live, to) : NULL;

    if (!vcard_is_path(from) || !vcard_is_path(to)) {
        return -EINVAL;
    }
    if (node == NULL || !vcard_has_parent(&card->live, to)) {
        return -ENOENT;
    }
    if (other != NULL && other != node) {
        return -EEXIST;
    }
    if (node->is_directory && vcard_is_inside(to, from) && other != node) {
        return -EINVAL;
    }
    if (is_open(card, node->id, false)) {
        return -EBUSY;
    }
    if (!vcard_node_rename(&card->live, node, to)) {
        return -EINVAL;
    }
    vcard_push(card, VCARD_CHANGE_RENAME, node->id, to);
    return 0;
}

int vcard_rename(struct vcard *card, const char *from, const char *to)
{
    int result = start(card, VCARD_RENAME, from);

    if (result == 0 && is_done(card)) {
        result = do_rename(card, from, to);
    }
    return finish(card, result);
}

static bool has_entries(const struct vcard *card, const struct vcard_node *directory)
{
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *node = &card->live.nodes[i];

        if (node->id != 0 && node != directory &&
            vcard_is_inside(node->path, directory->path)) {
            return true;
        }
    }
    return false;
}

static int do_remove(struct vcard *card, const char *path)
{
    struct vcard_node *node =
        vcard_is_path(path) ? vcard_node_at(&card->live, path) : NULL;

    if (node == NULL) {
        return -ENOENT;
    }
    if (node->is_directory && has_entries(card, node)) {
        return -ENOTEMPTY;
    }
    if (is_open(card, node->id, false)) {
        return -EBUSY;
    }
    vcard_push(card, VCARD_CHANGE_REMOVE, node->id, "");
    vcard_spoil_twins(card, node);
    vcard_node_remove(&card->live, node);
    return 0;
}

int vcard_remove(struct vcard *card, const char *path)
{
    int result = start(card, VCARD_REMOVE, path);

    if (result == 0 && is_done(card)) {
        result = do_remove(card, path);
    }
    return finish(card, result);
}

static int do_mkdir(struct vcard *card, const char *path)
{
    if (!vcard_is_path(path)) {
        return -EINVAL;
    }
    if (vcard_node_at(&card->live, path) != NULL) {
        return -EEXIST;
    }
    int id = make_entry(card, path, true);

    return id < 0 ? id : 0;
}

int vcard_mkdir(struct vcard *card, const char *path)
{
    int result = start(card, VCARD_MKDIR, path);

    if (result == 0 && is_done(card)) {
        result = do_mkdir(card, path);
    }
    return finish(card, result);
}

static void tell(const struct vcard_node *node, struct vcard_entry *entry)
{
    *entry = (struct vcard_entry){.is_directory = node->is_directory,
                                  .size = vcard_node_size(node)};
    memcpy(entry->path, node->path, sizeof(entry->path));
}

/* True if `path` lies in `directory` itself. */
static bool is_child(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    size_t begin = len == 0 ? 0 : len + 1;

    return vcard_is_inside(path, directory) && strlen(path) > begin &&
           strchr(path + begin, '/') == NULL;
}

static int do_list(struct vcard *card, const char *path, uint32_t index,
                   struct vcard_entry *entry)
{
    const struct vcard_node *directory = vcard_node_at(&card->live, path);

    if (path[0] != '\0' && (directory == NULL || !directory->is_directory)) {
        return -ENOENT;
    }
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *node = &card->live.nodes[i];

        if (node->id != 0 && is_child(node->path, path) && index-- == 0) {
            tell(node, entry);
            return 1;
        }
    }
    return 0;
}

int vcard_list(struct vcard *card, const char *path, uint32_t index,
               struct vcard_entry *entry)
{
    int result = start(card, VCARD_LIST, path);

    return finish(card, result == 0 ? do_list(card, path, index, entry) : result);
}

int vcard_stat(struct vcard *card, const char *path, struct vcard_entry *entry)
{
    int result = start(card, VCARD_STAT, path);

    if (result == 0) {
        const struct vcard_node *node = vcard_node_at(&card->live, path);

        if (node == NULL) {
            return finish(card, -ENOENT);
        }
        tell(node, entry);
    }
    return finish(card, result);
}

/* --- contents --- */

static int do_read(struct vcard *card, int file, uint32_t off, void *data,
                   uint32_t size)
{
    const struct vcard_node *node = node_of_file(card, file);

    if (node == NULL) {
        return -EBADF;
    }
    if (node->is_bad || strikes(card, VCARD_FAIL)) {
        uint64_t random = card->fault.seed;
        struct vcard_blob *garbage = vcard_blob_garbage(size, &random);

        memcpy(data, garbage->bytes, size);
        vcard_blob_drop(garbage);
        return -EIO;
    }
    uint32_t end = vcard_node_size(node);
    uint32_t len = off >= end ? 0 : size < end - off ? size : end - off;

    if (len > 0) {
        memcpy(data, node->content->bytes + off, len);
    }
    return (int)len;
}

int vcard_read(struct vcard *card, int file, uint32_t off, void *data, uint32_t size)
{
    int result = start(card, VCARD_READ, path_of_file(card, file));

    return finish(card, result == 0 ? do_read(card, file, off, data, size) : result);
}

/* How many of `size` bytes at `off` there is room for. */
static uint32_t room_for(const struct vcard *card, const struct vcard_node *node,
                         uint32_t off, uint32_t size)
{
    uint32_t end = clusters(vcard_node_size(node)) + vcard_free_bytes(card);

    return size < end - off ? size : end - off;
}

static int do_write(struct vcard *card, int file, uint32_t off, const void *data,
                    uint32_t size)
{
    struct vcard_node *node = node_of_file(card, file);
    uint64_t random = 0;

    if (node == NULL || !card->files[file].is_writable) {
        return -EBADF;
    }
    if (off > vcard_node_size(node) || size > INT_MAX) {
        return -EINVAL;
    }
    if (node->is_bad) {
        return -EIO;
    }
    uint32_t len = room_for(card, node, off, size);

    if (strikes(card, VCARD_FAIL)) {
        uint32_t part = card->fault.seed % (size + 1);

        len = part < len ? part : len;
    }
    if (len > 0) {
        vcard_node_write(node, off, data, len, &random);
        vcard_push_write(card, node->id, off, vcard_blob_new(data, len));
        vcard_spoil_twins(card, node);
    }
    card->written_bytes += len;
    return len == 0 && size > 0 ? -ENOSPC : (int)len;
}

int vcard_write(struct vcard *card, int file, uint32_t off, const void *data,
                uint32_t size)
{
    int result = start(card, VCARD_WRITE, path_of_file(card, file));

    return finish(card, result == 0 ? do_write(card, file, off, data, size) : result);
}

static int do_sync(struct vcard *card, int file)
{
    const struct vcard_node *node = node_of_file(card, file);

    if (node == NULL && file != VCARD_ALL) {
        return -EBADF;
    }
    if (!strikes(card, VCARD_TORN) && is_done(card)) {
        vcard_sync_changes(card, node == NULL ? 0 : node->id);
    }
    return 0;
}

int vcard_sync(struct vcard *card, int file)
{
    int result = start(card, VCARD_SYNC, path_of_file(card, file));

    return finish(card, result == 0 ? do_sync(card, file) : result);
}

int vcard_close(struct vcard *card, int file)
{
    int result = start(card, VCARD_CLOSE, path_of_file(card, file));

    if (result == 0 && node_of_file(card, file) == NULL) {
        result = -EBADF;
    }
    if (result == 0) {
        result = card->files[file].is_writable ? do_sync(card, file) : 0;
        card->files[file].id = 0;
    }
    return finish(card, result);
}
