/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files port on a virtual card: numbers of errno.h become codes. A file's number
 * also says which file it is, so that one that was closed when the card was pulled out
 * is not taken for the next one that is opened.
 */
#include "vcard_files.h"

#include <errno.h>
#include <string.h>

enum { INDEX_BITS = 4 };

static enum otter_result result_of(int answer, enum otter_result other)
{
    if (answer >= 0) {
        return OTTER_OK;
    }
    switch (-answer) {
    case ENODEV:
    case EBADF:
        return OTTER_E_CARD_NONE;
    case ENOENT:
    case EISDIR:
        return OTTER_E_CARD_NOT_FOUND;
    case ENOSPC:
        return OTTER_E_CARD_FULL;
    default:
        return other;
    }
}

/* The card's own number of an open file; one that is never open if it is not any more.
 */
static int inner(const struct vcard *card, int file)
{
    int index = file & ((1 << INDEX_BITS) - 1);
    bool is_same = index < VCARD_FILES_MAX && card->files[index].id != 0 &&
                   card->files[index].id == (uint32_t)file >> INDEX_BITS;

    return is_same ? index : VCARD_FILES_MAX;
}

static enum otter_result files_open(void *context, const char *path,
                                    enum otter_file_mode mode, int *file)
{
    struct vcard *card = context;
    bool is_new = mode == OTTER_FILE_NEW;
    int index = vcard_open(card, path, is_new ? VCARD_MODE_NEW : VCARD_MODE_READ);

    if (index >= 0) {
        *file = (int)(card->files[index].id << INDEX_BITS | (uint32_t)index);
    }
    return result_of(index, is_new ? OTTER_E_CARD_WRITE : OTTER_E_CARD_READ);
}

static enum otter_result files_size(void *context, int file, uint32_t *size)
{
    struct vcard *card = context;
    struct vcard_entry entry = {.size = 0};
    int index = inner(card, file);
    char path[VCARD_PATH_MAX] = "";

    for (size_t i = 0; index < VCARD_FILES_MAX && i < VCARD_NODES_MAX; i++) {
        if (card->live.nodes[i].id == card->files[index].id) {
            memcpy(path, card->live.nodes[i].path, sizeof(path));
        }
    }
    int answer = vcard_stat(card, path, &entry);

    *size = entry.size;
    return index == VCARD_FILES_MAX ? OTTER_E_CARD_NONE
                                    : result_of(answer, OTTER_E_CARD_READ);
}

static enum otter_result files_read(void *context, int file, uint32_t off, void *data,
                                    size_t len)
{
    struct vcard *card = context;
    int answer = vcard_read(card, inner(card, file), off, data, (uint32_t)len);

    return answer >= 0 && (size_t)answer < len ? OTTER_E_CARD_READ
                                               : result_of(answer, OTTER_E_CARD_READ);
}

static enum otter_result files_write(void *context, int file, uint32_t off,
                                     const void *data, size_t len)
{
    struct vcard *card = context;
    int answer = vcard_write(card, inner(card, file), off, data, (uint32_t)len);

    return answer >= 0 && (size_t)answer < len ? OTTER_E_CARD_FULL
                                               : result_of(answer, OTTER_E_CARD_WRITE);
}

static enum otter_result files_sync(void *context, int file)
{
    struct vcard *card = context;

    return result_of(vcard_sync(card, inner(card, file)), OTTER_E_CARD_WRITE);
}

static enum otter_result files_close(void *context, int file)
{
    struct vcard *card = context;

    return result_of(vcard_close(card, inner(card, file)), OTTER_E_CARD_WRITE);
}

static enum otter_result files_remove(void *context, const char *path)
{
    return result_of(vcard_remove(context, path), OTTER_E_CARD_WRITE);
}

static enum otter_result files_rename(void *context, const char *from, const char *to)
{
    return result_of(vcard_rename(context, from, to), OTTER_E_CARD_WRITE);
}

static enum otter_result files_make_folder(void *context, const char *path)
{
    int answer = vcard_mkdir(context, path);

    return answer == -EEXIST ? OTTER_OK : result_of(answer, OTTER_E_CARD_WRITE);
}

static enum otter_result files_list(void *context, const char *path, uint32_t index,
                                    struct otter_file_entry *entry)
{
    struct vcard_entry found = {.path = ""};
    int answer = vcard_list(context, path, index, &found);

    if (answer <= 0) {
        return answer == 0 ? OTTER_E_CARD_NOT_FOUND
                           : result_of(answer, OTTER_E_CARD_READ);
    }
    const char *slash = strrchr(found.path, '/');
    const char *name = slash == NULL ? found.path : slash + 1;

    memset(entry, 0, sizeof(*entry));
    memcpy(entry->name, name, strlen(name));
    entry->is_folder = found.is_directory;
    entry->size = found.size;
    return OTTER_OK;
}

static enum otter_result files_free_bytes(void *context, uint32_t *bytes)
{
    struct vcard *card = context;
    struct vcard_entry entry;
    /* Counted as an operation, and refused, as every other one. */
    int answer = vcard_list(card, "", 0, &entry);

    *bytes = vcard_free_bytes(card);
    return result_of(answer, OTTER_E_CARD_READ);
}

void vcard_files(struct vcard *card, struct otter_files *files)
{
    *files = (struct otter_files){
        .context = card,
        .open = files_open,
        .size = files_size,
        .read = files_read,
        .write = files_write,
        .sync = files_sync,
        .close = files_close,
        .remove = files_remove,
        .rename = files_rename,
        .make_folder = files_make_folder,
        .list = files_list,
        .free_bytes = files_free_bytes,
    };
}
