/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files on a card. The order: names that are stale go, the deepest ones first,
 * so that folders are empty when their turn comes, and there is room; folders and files
 * are made in the archive's order, each file synced and closed before the journal's
 * cursor passes it; a last sync makes sure of the names; then every file is compared
 * with the archive. What comes before the cursor is not done again after a cut, all
 * else is (P3, K5).
 *
 * Long, because it is one machine: every step works on the two archives and the one
 * path of the struct, and hands on to the next.
 */
#include "otter/tree.h"

#include "otter/left.h"
#include "otter/plan.h"

#include <string.h>

#if OTTER_TREES

enum tree_step {
    TREE_DEPTH = 0, /* of the names that may be stale */
    TREE_STALE,
    TREE_FOLDERS, /* above the tree: the root's own parts */
    TREE_SKIP,    /* over what stands */
    TREE_ENTRY,
    TREE_CONTENT,
    TREE_SETTLE,
    TREE_COMPARE_ENTRY,
    TREE_COMPARE,
    TREE_END,
};

enum {
    RECORD_BYTES = 2048, /* of the archive between two records, at least; */
    RECORD_PARTS = 64,   /* and at most so many records */
};

/* ---- reading the archives ---- */

enum otter_result otter_tree_open_side(struct otter_device *device,
                                       const struct otter_system *system,
                                       uint8_t region, struct otter_tree_side *side,
                                       struct otter_member *member)
{
    enum otter_result result = otter_system_tree(device, system, member, side->root);

    side->is_there = false;
    if (result == OTTER_E_CONTROL_MISSING) {
        return OTTER_OK;
    }
    if (result == OTTER_OK) {
        result = otter_plan_tree_cipher(device, member, &side->cipher);
    }
    if (result == OTTER_OK) {
        result = otter_card_open_archive(device, region, member->installed_sha,
                                         member->installed_size);
        side->size = member->installed_size;
    }
    side->region = region;
    side->is_there = result == OTTER_OK;
    return result;
}

static void rewind_side(struct otter_tree_side *side)
{
    otter_tar_open(&side->tar, side->size, (uint8_t)otter_path_length(side->root));
}

static enum otter_result read_side(const struct otter_tree *tree,
                                   const struct otter_tree_side *side, uint32_t off,
                                   uint8_t *data, uint32_t len)
{
    enum otter_result result =
        otter_io_read(&tree->device->io, side->region, off, data, len);

    if (result == OTTER_OK) {
        otter_cipher_apply(&side->cipher, off, data, len);
    }
    return result;
}

/* The next entry of an archive; at its end, or without one, nothing happens. */
static enum otter_result advance(struct otter_tree *tree, struct otter_tree_side *side)
{
    if (!side->is_there || otter_tar_is_at_end(&side->tar)) {
        return OTTER_OK;
    }
    if (side->tar.next > side->size ||
        side->size - side->tar.next < sizeof(tree->block)) {
        return OTTER_E_TAR_END;
    }
    enum otter_result result = read_side(tree, side, side->tar.next, tree->block,
                                         (uint32_t)sizeof(tree->block));

    return result == OTTER_OK ? otter_tar_take(&side->tar, tree->block) : result;
}

static bool has_entry(const struct otter_tree_side *side)
{
    return side->is_there && !otter_tar_is_at_end(&side->tar);
}

/* Entries that were read, or are to be read first, side by side. */
static enum otter_result rewind_both(struct otter_tree *tree)
{
    rewind_side(&tree->target);
    rewind_side(&tree->other);
    enum otter_result result = advance(tree, &tree->target);

    return result == OTTER_OK ? advance(tree, &tree->other) : result;
}

/* The path of an entry on the card; archives hold none that would not fit. */
static void make_path(struct otter_tree *tree, const struct otter_tree_side *side)
{
    size_t root = otter_path_length(side->root);

    memcpy(tree->path, side->root, root);
    tree->path[root] = '/';
    memcpy(tree->path + root + 1, side->tar.entry.name,
           otter_path_length(side->tar.entry.name) + 1);
}

/* ---- what is stale ---- */

static uint8_t depth_of(const char *name)
{
    uint8_t depth = 1;

    for (size_t i = 0; name[i] != '\0'; i++) {
        depth = (uint8_t)(depth + (name[i] == '/'));
    }
    return depth;
}

/* True if the other tree, which is there, has the folder of the target. */
static bool has_same_root(const struct otter_tree *tree)
{
    size_t len = otter_path_length(tree->target.root);

    return tree->target.is_there &&
           memcmp(tree->target.root, tree->other.root, len + 1) == 0;
}

/* True if an archive cannot be walked through, though it can be read. */
static bool is_of_archive(enum otter_result result)
{
    return otter_code(result) >> 8 == otter_code(OTTER_E_TAR_FORMAT) >> 8;
}

static enum otter_result find_depth(struct otter_tree *tree)
{
    uint8_t depth = has_entry(&tree->other) && tree->other.tar.has_entry
                        ? depth_of(tree->other.tar.entry.name)
                        : 0;

    tree->depth = depth > tree->depth ? depth : tree->depth;
    enum otter_result result = advance(tree, &tree->other);

    if (is_of_archive(result)) {
        tree->other.is_there = false; /* it stays untidy, and no more than that */
        result = OTTER_OK;
    }

    if (result == OTTER_OK && !has_entry(&tree->other)) {
        tree->step = TREE_STALE;
        result = rewind_both(tree);
    }
    return result;
}

/* A file where the archive has a folder is somebody else's. */
static bool is_file(const struct otter_files *files, const char *path)
{
    int file = 0;

    if (files->open(files->context, path, OTTER_FILE_READ, &file) != OTTER_OK) {
        return false;
    }
    (void)!files->close(files->context, file); /* nothing was written */
    return true;
}

/* Removes a file, or a folder if nothing of somebody else is in it. */
static enum otter_result remove_path(const struct otter_tree *tree, const char *path,
                                     bool is_folder)
{
    const struct otter_files *files = otter_card_files(tree->device);
    struct otter_file_entry entry;

    if (is_folder && is_file(files, path)) {
        return OTTER_OK;
    }
    enum otter_result result = files->remove(files->context, path);

    if (result == OTTER_E_CARD_WRITE) {
        /* A folder with something in it stays, also under the name of a file. */
        enum otter_result listed = files->list(files->context, path, 0, &entry);

        return listed == OTTER_OK ? OTTER_OK : result;
    }
    return result == OTTER_E_CARD_NOT_FOUND ? OTTER_OK : result;
}

static enum otter_result remove_other(struct otter_tree *tree)
{
    make_path(tree, &tree->other);
    return remove_path(tree, tree->path, tree->other.tar.entry.is_folder);
}

/* A level is done: the one above it is next, then the root that is not used any more.
 */
static enum otter_result next_level(struct otter_tree *tree)
{
    enum otter_result result = OTTER_OK;

    if (tree->depth > 1) {
        tree->depth--;
        return rewind_both(tree);
    }
    if (tree->other.is_there && !has_same_root(tree)) {
        result = remove_path(tree, tree->other.root, true);
    }
    rewind_side(&tree->target);
    tree->path[0] = '\0';
    tree->step = tree->target.is_there ? TREE_FOLDERS : TREE_SETTLE;
    return result;
}

/* Both archives are in the same order, so one pass finds what only one of them has. */
static enum otter_result remove_stale(struct otter_tree *tree)
{
    struct otter_tree_side *target = &tree->target;
    struct otter_tree_side *other = &tree->other;

    if (!has_entry(other)) {
        return next_level(tree);
    }
    bool is_alone = !has_same_root(tree) || !has_entry(target);
    int order =
        is_alone ? 1 : otter_tar_compare(target->tar.entry.name, other->tar.entry.name);
    enum otter_result result = OTTER_OK;

    if (order < 0) {
        return advance(tree, target);
    }
    bool is_stale =
        order > 0 || target->tar.entry.is_folder != other->tar.entry.is_folder;

    if (is_stale && depth_of(other->tar.entry.name) == tree->depth) {
        result = remove_other(tree);
    }
    return result == OTTER_OK ? advance(tree, other) : result;
}

/* ---- writing ---- */

/* One part of the root's name after the other. */
static enum otter_result make_folders(struct otter_tree *tree)
{
    const struct otter_files *files = otter_card_files(tree->device);
    const char *root = tree->target.root;
    size_t len = otter_path_length(tree->path);

    do {
        tree->path[len] = root[len];
        len++;
    } while (root[len] != '\0' && root[len] != '/');
    tree->path[len] = '\0';
    if (root[len] == '\0') {
        tree->step = TREE_SKIP;
    }
    return files->make_folder(files->context, tree->path);
}

static enum otter_result skip(struct otter_tree *tree)
{
    if (tree->target.tar.next >= tree->cursor) {
        tree->step = TREE_ENTRY;
        return OTTER_OK;
    }
    return advance(tree, &tree->target);
}

/* Order matters: what the cursor passes is closed, and so certain on the card. A record
 * that is lost costs work, and nothing else. */
static enum otter_result note_cursor(struct otter_tree *tree)
{
    struct otter_state state = tree->device->journal.state;
    uint32_t part = tree->target.size / RECORD_PARTS;

    tree->cursor = tree->target.tar.next;
    if (tree->cursor - tree->recorded < (part > RECORD_BYTES ? part : RECORD_BYTES)) {
        return OTTER_OK;
    }
    tree->recorded = tree->cursor;
    state.cursor = tree->cursor;
    return otter_journal_put(&tree->device->journal, &state, OTTER_NOTED);
}

static enum otter_result close_file(struct otter_tree *tree)
{
    const struct otter_files *files = otter_card_files(tree->device);

    tree->is_file_open = false;
    return files->close(files->context, tree->file);
}

static enum otter_result open_file(struct otter_tree *tree, enum otter_file_mode mode)
{
    const struct otter_files *files = otter_card_files(tree->device);
    enum otter_result result =
        files->open(files->context, tree->path, mode, &tree->file);

    tree->is_file_open = result == OTTER_OK;
    tree->written = 0;
    return result;
}

/* An empty folder with the file's name goes: without the old archive nobody else would
 * remove one that the old tree has brought. */
static enum otter_result make_file(struct otter_tree *tree)
{
    const struct otter_files *files = otter_card_files(tree->device);
    enum otter_result result = open_file(tree, OTTER_FILE_NEW);

    if (result == OTTER_E_CARD_NOT_FOUND &&
        files->remove(files->context, tree->path) == OTTER_OK) {
        result = open_file(tree, OTTER_FILE_NEW);
    }
    return result;
}

static enum otter_result make_entry(struct otter_tree *tree)
{
    const struct otter_files *files = otter_card_files(tree->device);
    enum otter_result result = advance(tree, &tree->target);

    if (result != OTTER_OK) {
        return result;
    }
    if (!has_entry(&tree->target)) {
        tree->step = TREE_SETTLE;
        return OTTER_OK;
    }
    make_path(tree, &tree->target);
    if (tree->target.tar.entry.is_folder) {
        return files->make_folder(files->context, tree->path);
    }
    tree->step = TREE_CONTENT;
    return make_file(tree);
}

static uint32_t next_part(const struct otter_tree *tree, uint32_t most)
{
    uint32_t left = tree->target.tar.entry.size - tree->written;

    return left < most ? left : most;
}

static enum otter_result write_content(struct otter_tree *tree)
{
    const struct otter_files *files = otter_card_files(tree->device);
    uint8_t *page = tree->device->page;
    uint32_t len = next_part(tree, (uint32_t)sizeof(tree->device->page));
    enum otter_result result = OTTER_OK;

    if (len == 0) {
        tree->step = TREE_ENTRY;
        result = close_file(tree);
        return result == OTTER_OK ? note_cursor(tree) : result;
    }
    result = read_side(tree, &tree->target, tree->target.tar.content + tree->written,
                       page, len);
    if (result == OTTER_OK) {
        result = files->write(files->context, tree->file, tree->written, page, len);
    }
    tree->written += len;
    return result;
}

/* What was removed, and folders that were made, are certain once a file is closed. */
static enum otter_result settle(struct otter_tree *tree)
{
    enum otter_result result = otter_card_settle(tree->device);

    rewind_side(&tree->target);
    tree->step = tree->target.is_there ? TREE_COMPARE_ENTRY : TREE_END;
    return result;
}

/* ---- reading back ---- */

static enum otter_result compare_entry(struct otter_tree *tree)
{
    const struct otter_files *files = otter_card_files(tree->device);
    enum otter_result result = advance(tree, &tree->target);
    uint32_t size = 0;

    if (result != OTTER_OK) {
        return result;
    }
    if (!has_entry(&tree->target)) {
        tree->step = TREE_END;
        return OTTER_OK;
    }
    if (tree->target.tar.entry.is_folder) {
        return OTTER_OK;
    }
    make_path(tree, &tree->target);
    result = open_file(tree, OTTER_FILE_READ);
    if (result == OTTER_OK) {
        result = files->size(files->context, tree->file, &size);
    }
    tree->step = TREE_COMPARE;
    return result == OTTER_E_CARD_NOT_FOUND ||
                   (result == OTTER_OK && size != tree->target.tar.entry.size)
               ? OTTER_E_UNPACK
               : result;
}

static enum otter_result compare(struct otter_tree *tree)
{
    const struct otter_files *files = otter_card_files(tree->device);
    uint8_t *page = tree->device->page;
    uint32_t len = next_part(tree, (uint32_t)sizeof(tree->device->page) / 2);

    if (len == 0) {
        tree->step = TREE_COMPARE_ENTRY;
        return close_file(tree);
    }
    enum otter_result result = read_side(
        tree, &tree->target, tree->target.tar.content + tree->written, page, len);

    if (result == OTTER_OK) {
        result =
            files->read(files->context, tree->file, tree->written, page + len, len);
    }
    tree->written += len;
    return result == OTTER_OK && memcmp(page, page + len, len) != 0 ? OTTER_E_UNPACK
                                                                    : result;
}

/* ---- the whole ---- */

void otter_tree_open(struct otter_tree *tree, struct otter_device *device,
                     uint32_t cursor)
{
    tree->device = device;
    tree->cursor = cursor;
    tree->recorded = cursor;
    tree->depth = 1;
    tree->is_file_open = false;
    tree->path[0] = '\0';
    rewind_side(&tree->target);
    rewind_side(&tree->other);
    /* Once the cursor has moved, nothing stale is left; to remove that again could
     * remove what a card takes for the same name. */
    tree->step = cursor == 0             ? TREE_DEPTH
                 : tree->target.is_there ? TREE_FOLDERS
                                         : TREE_SETTLE;
}

static enum otter_result do_step(struct otter_tree *tree)
{
    switch ((enum tree_step)tree->step) {
    case TREE_DEPTH:
        return find_depth(tree);
    case TREE_STALE:
        return remove_stale(tree);
    case TREE_FOLDERS:
        return make_folders(tree);
    case TREE_SKIP:
        return skip(tree);
    case TREE_ENTRY:
        return make_entry(tree);
    case TREE_CONTENT:
        return write_content(tree);
    case TREE_SETTLE:
        return settle(tree);
    case TREE_COMPARE_ENTRY:
        return compare_entry(tree);
    case TREE_COMPARE:
        return compare(tree);
    case TREE_END:
        break;
    }
    return OTTER_OK;
}

enum otter_result otter_tree_step(struct otter_tree *tree, bool *is_done)
{
    enum otter_result result = do_step(tree);

    if (result == OTTER_E_CARD_NOT_FOUND) {
        result = OTTER_E_UNPACK; /* something else has the name, or the one above it */
    }
    *is_done = result == OTTER_OK && tree->step == TREE_END;
    if (result != OTTER_OK && tree->is_file_open) {
        (void)!close_file(tree); /* the failure counts */
    }
    if (result == OTTER_E_CARD_NONE || result == OTTER_E_CARD_READ) {
        tree->device->card->fault = result;
    }
    if (*is_done || (result != OTTER_OK && result != OTTER_E_UNPACK)) {
        otter_cipher_close(&tree->target.cipher);
        otter_cipher_close(&tree->other.cipher);
    }
    return result;
}

/* Of the archive as far as it was walked through. */
static uint64_t done_of(const struct otter_tree *tree)
{
    bool is_inside = tree->step == TREE_CONTENT || tree->step == TREE_COMPARE;
    uint32_t done =
        is_inside ? tree->target.tar.content + tree->written : tree->target.tar.next;

    return done < tree->target.size ? done : tree->target.size;
}

uint64_t otter_tree_done(const struct otter_tree *tree)
{
    uint64_t size = tree->target.size;

    switch ((enum tree_step)tree->step) {
    case TREE_DEPTH:
    case TREE_STALE:
    case TREE_FOLDERS:
        return 0;
    case TREE_SKIP:
    case TREE_ENTRY:
    case TREE_CONTENT:
        return done_of(tree);
    case TREE_SETTLE:
        return size;
    case TREE_COMPARE_ENTRY:
    case TREE_COMPARE:
        return size + done_of(tree);
    case TREE_END:
        break;
    }
    return 2 * size;
}

#else

enum otter_result otter_tree_open_side(struct otter_device *device,
                                       const struct otter_system *system,
                                       uint8_t region, struct otter_tree_side *side,
                                       struct otter_member *member)
{
    (void)device;
    (void)system;
    (void)region;
    (void)member;
    side->is_there = false;
    return OTTER_OK;
}

void otter_tree_open(struct otter_tree *tree, struct otter_device *device,
                     uint32_t cursor)
{
    tree->device = device;
    tree->cursor = cursor;
}

enum otter_result otter_tree_step(struct otter_tree *tree, bool *is_done)
{
    (void)tree;
    *is_done = true;
    return OTTER_OK;
}

uint64_t otter_tree_done(const struct otter_tree *tree)
{
    (void)tree;
    return 0;
}

#endif
