/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "microbit": the board of ports/microbit, so that the tool writes its first
 * flash content.
 */
#define OTTER_CUSTOM_MEMORY_MAP "../microbit/microbit_memory_map.h"
#include "otter/memory_map.h"
#include "profiles.h"
#include "profiles_policy.h"

const struct host_profile host_profile_microbit = {
    .name = "microbit",
    .areas =
        {
            {
                .addr = MICROBIT_FLASH_ADDR,
                .sector_size = OTTER_SECTOR_SIZE,
                .sector_count = MICROBIT_FLASH_SECTORS,
                .word_size = MICROBIT_FLASH_WORD,
                .page_size = MICROBIT_FLASH_PAGE,
                .erased = 0xFF,
            },
        },
    .area_count = 1,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
    .map = OTTER_MEMORY_MAP,
    .policy = HOST_PROFILE_POLICY(OTTER_RAM_ADDR, OTTER_RAM_SIZE),
    .codings = 1U << OTTER_CODING_HEATSHRINK,
    .coding_memory = 1024, /* microbit_config.h */
};
