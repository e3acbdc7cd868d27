/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "full": one application in NOR flash of 1 MiB (sectors of 4 KiB), and a
 * second NOR flash of 8 MiB (sectors of 8 KiB) with resources, a font and a store that
 * is large enough for all of them twice.
 */
#define OTTER_CUSTOM_MEMORY_MAP "profile_full_memory_map.h"
#include "otter/memory_map.h"
#include "otter/stream.h"
#include "profiles.h"
#include "profiles_policy.h"

const struct host_profile host_profile_full = {
    .name = "full",
    .areas =
        {
            {
                .addr = 0x10000000,
                .sector_size = 0x1000,
                .sector_count = 256,
                .word_size = 1,
                .page_size = 256,
                .erased = 0xFF,
            },
            {
                .addr = 0x64000000,
                .sector_size = 0x2000,
                .sector_count = 1024,
                .word_size = 1,
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
