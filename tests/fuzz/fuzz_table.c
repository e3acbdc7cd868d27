/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a flash table. The first byte says whether its CRC is made right first,
 * so that what lies behind the CRC is reached too. What decodes is within its bounds
 * and, without extensions, encodes to the same bytes.
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/table.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static void seal(uint8_t *bytes, size_t size)
{
    uint16_t length = size < 16 ? 0 : otter_load_le16(bytes + 6);

    if (length >= 16 && length <= size) {
        otter_store_le32(bytes + 12, otter_crc32(otter_crc32(0, bytes, 12), bytes + 16,
                                                 length - 16U));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otter_table table;
    uint8_t encoded[OTTER_TABLE_MAX];
    size_t length = 0;

    if (size < 2) {
        return 0;
    }
    uint8_t *bytes = malloc(size - 1); /* just so many, so that a checker sees */

    require(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & 1) != 0) {
        seal(bytes, size - 1);
    }
    if (otter_table_decode(bytes, size - 1, &table) == OTTER_OK) {
        require(table.map.count <= OTTER_REGIONS_MAX);
        require(table.key_count <= OTTER_KEYS_MAX);
        require(table.length <= size - 1);
        require(otter_table_encode(&table, encoded, sizeof(encoded), &length) ==
                OTTER_OK);
        require(length == table.length || otter_load_le16(bytes + 60) != 0);
        require(length != table.length || memcmp(encoded, bytes, length) == 0);
    }
    free(bytes);
    return 0;
}
