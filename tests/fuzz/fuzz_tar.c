/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the archive of a tree. The first byte of the input says whether the
 * checksum of each header is made right first, the second how the rest comes in parts,
 * the third how long the root's name is. What is taken whole has names that stay in
 * their root, in order, each behind its folder's, and contents inside the archive
 * (K20).
 */
#include "otter/tar.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCKS_MAX = 16, HEAD = 3 };

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

/* Checksums of every block that has the format's magic. */
static void seal(uint8_t *archive, size_t size)
{
    for (size_t off = 0; off + OTTER_TAR_BLOCK <= size; off += OTTER_TAR_BLOCK) {
        uint8_t *block = archive + off;
        unsigned sum = 0;

        if (memcmp(block + 257, "ustar", 6) != 0) {
            continue;
        }
        memset(block + 148, ' ', 8);
        for (size_t i = 0; i < OTTER_TAR_BLOCK; i++) {
            sum += block[i];
        }
        for (size_t i = 0; i < 6; i++) {
            block[148 + i] = (uint8_t)('0' + (sum >> (15 - 3 * i) & 7U));
        }
        block[154] = '\0';
    }
}

static enum otter_result check(const uint8_t *archive, size_t size, size_t part,
                               uint8_t root_len)
{
    struct otter_tar_check checked;
    enum otter_result result = OTTER_OK;

    otter_tar_check_open(&checked, (uint32_t)size, root_len);
    for (size_t off = 0; off < size && result == OTTER_OK; off += part) {
        size_t len = size - off < part ? size - off : part;

        result = otter_tar_check_take(&checked, archive + off, len);
    }
    return result == OTTER_OK ? otter_tar_check_end(&checked) : result;
}

/* Every entry of an archive that was taken. */
static void walk(const uint8_t *archive, size_t size, uint8_t root_len)
{
    char last[OTTER_PATH_SIZE] = "";
    struct otter_tar tar;

    otter_tar_open(&tar, (uint32_t)size, root_len);
    for (;;) {
        require(size - tar.next >= OTTER_TAR_BLOCK);
        require(otter_tar_take(&tar, archive + tar.next) == OTTER_OK);
        if (otter_tar_is_at_end(&tar)) {
            return;
        }
        require(otter_path_is_good(tar.entry.name));
        require(strlen(tar.entry.name) + root_len + 1 <= (size_t)OTTER_PATH_MAX);
        require(otter_tar_compare(last, tar.entry.name) < 0);
        require(tar.content <= size && tar.entry.size <= size - tar.content);
        require(tar.next >= tar.content + tar.entry.size && tar.next <= size);
        memcpy(last, tar.entry.name, sizeof(last));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD || size > HEAD + (size_t)BLOCKS_MAX * OTTER_TAR_BLOCK) {
        return 0;
    }
    size_t len = size - HEAD;
    size_t part = (size_t)data[1] * 3 + 1;
    uint8_t root_len = data[2] % 127 + 1;
    uint8_t *archive = malloc(len + 1); /* just so many, so that a checker sees */

    require(archive != NULL);
    memcpy(archive, data + HEAD, len);
    if ((data[0] & 1) != 0) {
        seal(archive, len);
    }
    enum otter_result result = check(archive, len, part, root_len);

    require(result == check(archive, len, len + 1, root_len));
    if (result == OTTER_OK) {
        walk(archive, len, root_len);
    }
    free(archive);
    return 0;
}
