/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "link": one application in NOR flash of 4 MiB (sectors of 4 KiB, pages of
 * 256 bytes, any byte can be programmed), a store large enough for a package and the
 * copy of the old system.
 */
#define OTTER_CUSTOM_MEMORY_MAP "profile_link_memory_map.h"
#include "otter/memory_map.h"
#include "otter/stream.h"
#include "profiles.h"
#include "profiles_policy.h"

const struct host_profile host_profile_link = {
    .name = "link",
    .areas =
        {
            {
                .addr = 0x10000000,
                .sector_size = 0x1000,
                .sector_count = 1024,
                .word_size = 1,
                .page_size = 256,
                .erased = 0xFF,
            },
        },
    .area_count = 1,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
    .map = OTTER_MEMORY_MAP,
    .policy = HOST_PROFILE_POLICY(OTTER_RAM_ADDR, OTTER_RAM_SIZE),
    .codings = OTTER_CODINGS,
    .coding_memory = OTTER_CODING_MEMORY,
};
