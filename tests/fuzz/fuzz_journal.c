/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the journal's region. The first byte chooses the sector size, the second
 * one whether records get a right magic and CRC first. Opening never fails; a write
 * then either is refused because sequence numbers are used up, or reads back as
 * written at the next power-on.
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/journal.h"

#include "vflash.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BASE = 0x10000000, SECTORS = 4, REGION_MAX = SECTORS * 1024 };

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static void seal(uint8_t *bytes, size_t size, uint8_t choice)
{
    for (size_t off = 0; off + OTTER_RECORD_SIZE <= size; off += OTTER_RECORD_SIZE) {
        if ((choice >> off / OTTER_RECORD_SIZE % 8 & 1) != 0) {
            memcpy(bytes + off, "OJ\1", 3);
            otter_store_le32(bytes + off + 124, otter_crc32(0, bytes + off, 124));
        }
    }
}

static void start(struct vflash *flash, struct otter_io *io,
                  const struct otter_flash *port, const struct otter_map *map)
{
    vflash_power_on(flash, (struct vflash_fault){.kind = VFLASH_NONE});
    otter_io_init(io, port, map);
    otter_io_open(io, OTTER_REGION_JOURNAL);
}

static void write_and_read(struct vflash *flash, const struct otter_map *map)
{
    struct otter_flash port;
    struct otter_io io;
    struct otter_journal journal;
    struct otter_state wanted;

    vflash_port(flash, &port);
    start(flash, &io, &port, map);
    otter_journal_open(&journal, &io, OTTER_PROGRAM_FACTORY);
    require(journal.is_lost || journal.state.tlv_size <= OTTER_TLV_MAX);
    wanted = journal.state;
    wanted.phase = journal.is_lost ? OTTER_PHASE_CONFIRMED : wanted.phase;
    wanted.cursor ^= 0x1000;
    enum otter_result result = otter_journal_write(
        &journal, &wanted, (enum otter_firmness)(wanted.cursor % 3));

    if (result == OTTER_E_JOURNAL_EXHAUSTED) {
        require(journal.highest >= 0xFFFFFF00U);
        return;
    }
    require(result == OTTER_OK);
    start(flash, &io, &port, map);
    otter_journal_open(&journal, &io, OTTER_PROGRAM_BOOT);
    require(!journal.is_lost && otter_state_equal(&journal.state, &wanted));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t sizes[] = {384, 512, 768, 1024};
    uint8_t bytes[REGION_MAX];

    if (size < 2) {
        return 0;
    }
    uint32_t sector_size = sizes[data[0] % 4];
    struct otter_flash_area area = {.addr = BASE,
                                    .sector_size = sector_size,
                                    .sector_count = SECTORS,
                                    .word_size = 8,
                                    .page_size = 128,
                                    .erased = (uint8_t)(data[0] & 8 ? 0x00 : 0xFF)};
    struct otter_map map = {
        .count = 1,
        .regions = {
            {.id = OTTER_REGION_JOURNAL, .addr = BASE, .size = sector_size * SECTORS}}};
    struct vflash_config config = {.areas = &area, .area_count = 1};
    struct vflash flash;
    size_t len = size - 2 < map.regions[0].size ? size - 2 : map.regions[0].size;

    memcpy(bytes, data + 2, len);
    seal(bytes, len, data[1]);
    require(vflash_create(&flash, &config) == OTTER_OK);
    vflash_provision(&flash, BASE, bytes, len);
    write_and_read(&flash, &map);
    vflash_destroy(&flash);
    return 0;
}
