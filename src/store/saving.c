/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is made or emptied, filled page by page, synced and closed. Only then is it
 * read: what a card gives back before may be its cache.
 */
#include "otter/saving.h"

enum saving_step {
    SAVING_FOLDER = 0,
    SAVING_CREATE,
    SAVING_WRITE,
    SAVING_SYNC,
    SAVING_CLOSE,
    SAVING_REOPEN,
};

void otter_saving_open(struct otter_saving *saving, struct otter_device *device,
                       uint8_t region, uint32_t size, const struct otter_cipher *cipher)
{
    *saving = (struct otter_saving){
        .device = device, .region = region, .size = size, .cipher = cipher};
}

void otter_saving_open_archive(struct otter_saving *saving, struct otter_device *device,
                               struct otter_stream *stream,
                               const uint8_t sha[OTTER_SHA256_SIZE],
                               const struct otter_cipher *cipher)
{
    *saving = (struct otter_saving){.device = device,
                                    .stream = stream,
                                    .sha = sha,
                                    .size = stream->size,
                                    .cipher = cipher};
}

static enum otter_result create(struct otter_saving *saving)
{
    const struct otter_files *files = otter_card_files(saving->device);
    char path[OTTER_PATH_SIZE];

    otter_card_close_saved(saving->device);
    if (saving->stream != NULL) {
        otter_card_archive_path(saving->sha, path);
    } else {
        otter_card_saved_path(saving->region, path);
    }
    return files->open(files->context, path, OTTER_FILE_NEW, &saving->file);
}

static enum otter_result write_page(struct otter_saving *saving)
{
    struct otter_device *device = saving->device;
    const struct otter_files *files = otter_card_files(device);
    uint32_t left = saving->size - saving->cursor;
    uint32_t len = left < sizeof(device->page) ? left : (uint32_t)sizeof(device->page);
    enum otter_result result =
        saving->stream != NULL
            ? otter_stream_read(saving->stream, device->page, len, &len)
            : otter_io_read(&device->io, saving->region, saving->cursor, device->page,
                            len);

    if (result == OTTER_OK && len > 0) {
        otter_cipher_apply(saving->cipher, saving->cursor, device->page, len);
        result = files->write(files->context, saving->file, saving->cursor,
                              device->page, len);
    }
    saving->cursor += len;
    return result;
}

static enum otter_result do_step(struct otter_saving *saving)
{
    const struct otter_files *files = otter_card_files(saving->device);

    switch ((enum saving_step)saving->step) {
    case SAVING_FOLDER:
        return otter_card_make_folder(saving->device);
    case SAVING_CREATE:
        return create(saving);
    case SAVING_WRITE:
        return write_page(saving);
    case SAVING_SYNC:
        return files->sync(files->context, saving->file);
    case SAVING_CLOSE:
        return files->close(files->context, saving->file);
    case SAVING_REOPEN:
        break;
    }
    return saving->stream != NULL
               ? otter_card_open_archive(saving->device, OTTER_REGION_SAVED_FILE,
                                         saving->sha, saving->size)
               : otter_card_open_saved(saving->device, saving->region, saving->size);
}

enum otter_result otter_saving_step(struct otter_saving *saving, bool *is_done)
{
    const struct otter_files *files = otter_card_files(saving->device);
    bool is_open = saving->step == SAVING_WRITE || saving->step == SAVING_SYNC;
    enum otter_result result = do_step(saving);

    *is_done = result == OTTER_OK && saving->step == SAVING_REOPEN;
    if (result != OTTER_OK && is_open) {
        (void)!files->close(files->context, saving->file); /* the failure counts */
    }
    if (result == OTTER_E_CARD_NONE) {
        saving->device->card->fault = result;
    }
    if (saving->step != SAVING_WRITE || saving->cursor == saving->size) {
        saving->step++;
    }
    return result;
}
