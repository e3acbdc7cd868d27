/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "ab": two slots in the flash of a microcontroller (sectors of 4 KiB, words
 * of 8 bytes, rows of 256 bytes), a small store for other members, and boot in a bank
 * of its own.
 */
#define OTTER_CUSTOM_MEMORY_MAP "profile_ab_memory_map.h"
#include "otter/memory_map.h"
#include "otter/stream.h"
#include "profiles.h"
#include "profiles_policy.h"

const struct host_profile host_profile_ab = {
    .name = "ab",
    .areas =
        {
            {
                .addr = 0x10000000,
                .sector_size = 0x1000,
                .sector_count = 512,
                .word_size = 8,
                .page_size = 256,
                .erased = 0xFF,
            },
            {
                .addr = 0x1FF00000,
                .sector_size = 0x1000,
                .sector_count = 16,
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
    .codings = OTTER_CODINGS,
    .coding_memory = OTTER_CODING_MEMORY,
};
