/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "sd": a microcontroller with 1 MiB of flash (sectors of 4 KiB, words of 8
 * bytes, rows of 512 bytes, programmed in pages of 256 here), a bank of 256 KiB for
 * boot and manager, 192 KiB of RAM, and a card.
 */
#define OTTER_CUSTOM_MEMORY_MAP "profile_sd_memory_map.h"
#include "otter/memory_map.h"
#include "profiles.h"
#include "profiles_policy.h"

const struct host_profile host_profile_sd = {
    .name = "sd",
    .areas =
        {
            {
                .addr = 0x08000000,
                .sector_size = 0x1000,
                .sector_count = 256,
                .word_size = 8,
                .page_size = 256,
                .erased = 0xFF,
            },
            {
                .addr = 0x1FF00000,
                .sector_size = 0x1000,
                .sector_count = 64,
                .word_size = 8,
                .page_size = 256,
                .erased = 0xFF,
            },
        },
    .area_count = 2,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
    .map = OTTER_MEMORY_MAP,
    .policy = HOST_PROFILE_POLICY(OTTER_RAM_ADDR, OTTER_RAM_SIZE),
};
