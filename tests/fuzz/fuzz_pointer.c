/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a pointer file of a card. The first byte of the input says whether
 * magic, version and CRC are made right first. What decodes has a name that stays on
 * the card and encodes to the same bytes (K20). The bytes are tried as a name by
 * themselves, too.
 */
#include "otter/bytes.h"
#include "otter/card.h"
#include "otter/crc32.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OFF_CRC = OTTER_POINTER_SIZE - 4 };

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static void seal(uint8_t bytes[OTTER_POINTER_SIZE])
{
    memcpy(bytes, "OTTP\1\0", 6);
    otter_store_le32(bytes + OFF_CRC, otter_crc32(0, bytes, OFF_CRC));
}

/* Nothing of such a name leads out of the folder that it is put behind. */
static void check_name(const char *path)
{
    size_t len = strlen(path);

    require(len >= 1 && len <= (size_t)OTTER_PATH_MAX);
    require(path[0] != '/' && path[len - 1] != '/');
    require(strstr(path, "//") == NULL && strpbrk(path, "\\:\n\r\t") == NULL);
    require(strcmp(path, ".") != 0 && strcmp(path, "..") != 0);
    require(strncmp(path, "../", 3) != 0 && strstr(path, "/../") == NULL);
    require(len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static void try_name(const uint8_t *data, size_t size)
{
    char *path = malloc(size + 1); /* just so many, so that a checker sees */

    require(path != NULL);
    memcpy(path, data, size);
    path[size] = '\0';
    if (otter_path_is_good(path)) {
        check_name(path);
    }
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[OTTER_POINTER_SIZE] = {0};
    uint8_t again[OTTER_POINTER_SIZE];
    struct otter_pointer pointer;

    if (size == 0) {
        return 0;
    }
    memcpy(bytes, data + 1, size - 1 < sizeof(bytes) ? size - 1 : sizeof(bytes));
    if ((data[0] & 1) != 0) {
        seal(bytes);
    }
    if (otter_pointer_decode(bytes, &pointer)) {
        check_name(pointer.path);
        otter_pointer_encode(&pointer, again);
        require(memcmp(bytes, again, sizeof(again)) == 0);
    }
    try_name(data + 1, size - 1);
    return 0;
}
