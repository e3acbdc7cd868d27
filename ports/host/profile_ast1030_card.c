/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "ast1030-card": the board of ports/ast1030 without staging: packages, with
 * the loaders that they bring, and the copy of the old system are files on its second
 * chip.
 */
#define AST1030_STORE_IS_CARD
#define OTTER_CUSTOM_MEMORY_MAP "../ast1030/ast1030_memory_map.h"
#include "otter/memory_map.h"
#include "profiles.h"
#include "profiles_policy.h"

const struct host_profile host_profile_ast1030_card = {
    .name = "ast1030-card",
    .areas =
        {
            {
                .addr = AST1030_FLASH_ADDR,
                .sector_size = OTTER_SECTOR_SIZE,
                .sector_count = AST1030_FLASH_SECTORS,
                .word_size = 1,
                .page_size = AST1030_FLASH_PAGE,
                .erased = 0xFF,
            },
        },
    .area_count = 1,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
    .map = OTTER_MEMORY_MAP,
    .policy = HOST_PROFILE_POLICY(OTTER_RAM_ADDR, OTTER_RAM_SIZE),
    .codings = 1U << OTTER_CODING_HEATSHRINK,
    .coding_memory = 2048, /* the default of otter/config.h */
};
