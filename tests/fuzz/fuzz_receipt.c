/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the receipts' region. The first byte says whether the CRC of the head
 * and of the hash unit of the first copy are made right first. What opens lies inside
 * its copy.
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/receipt.h"

#include "vflash.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BASE = 0x10000000, SECTOR = 2560, REGION = 4 * SECTOR };

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static void seal(uint8_t *bytes)
{
    uint16_t length = otter_load_le16(bytes + 6);

    if (length <= OTTER_CONTROL_MAX) {
        otter_store_le32(bytes + 8, otter_crc32(0, bytes + 32, length));
    }
    otter_store_le32(bytes + 28, otter_crc32(0, bytes, 28));
    otter_store_le32(bytes + 2140, otter_crc32(0, bytes + 2080, 60));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct otter_flash_area area = {BASE, SECTOR, 4, 8, 128, 0xFF};
    static const struct otter_map map = {
        .count = 1,
        .regions = {{.id = OTTER_REGION_RECEIPTS, .addr = BASE, .size = REGION}}};
    struct vflash_config config = {.areas = &area, .area_count = 1};
    struct vflash flash;
    struct otter_flash port;
    struct otter_io io;
    struct otter_receipt receipt;
    uint8_t bytes[REGION];

    if (size < 1) {
        return 0;
    }
    memset(bytes, 0xFF, sizeof(bytes));
    memcpy(bytes, data + 1, size - 1 < sizeof(bytes) ? size - 1 : sizeof(bytes));
    if ((data[0] & 1) != 0) {
        seal(bytes);
    }
    require(vflash_create(&flash, &config) == OTTER_OK);
    vflash_provision(&flash, BASE, bytes, sizeof(bytes));
    vflash_port(&flash, &port);
    otter_io_init(&io, &port, &map);
    for (uint8_t k = 0; k < 4; k++) {
        if (otter_receipt_open(&io, k / 2, k % 2, &receipt) == OTTER_OK) {
            require(receipt.length <= OTTER_CONTROL_MAX);
            require(receipt.span.off == k * (uint32_t)SECTOR + 32);
        }
    }
    require(flash.op == 0);
    vflash_destroy(&flash);
    return 0;
}
