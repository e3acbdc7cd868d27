/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "full": overrides of otter/memory_map.h. Programs and state in the first
 * flash; resources, font and the upgrade bin, at its end, in a second one.
 */
#ifndef PROFILE_FULL_MEMORY_MAP_H
#define PROFILE_FULL_MEMORY_MAP_H

#define OTTER_SECTOR_SIZE 0x2000u /* of the second flash */

#define OTTER_TABLE_SIZE 0x8000u

#define OTTER_APPLICATION_EXEC  0u
#define OTTER_APPLICATION_FLAGS OTTER_REGION_WINDOW

#define OTTER_RECEIPTS_ADDR 0x100E0000u
#define OTTER_RECEIPTS_SIZE 0x8000u
#define OTTER_JOURNAL_ADDR  0x100E8000u
#define OTTER_JOURNAL_SIZE  0x8000u

#define OTTER_RESOURCES_ADDR 0x64000000u
#define OTTER_RESOURCES_SIZE 0x80000u
#define OTTER_FONT_ADDR      0x64080000u
#define OTTER_FONT_SIZE      0x180000u
#define OTTER_STAGING_ADDR   0x64300000u
#define OTTER_STAGING_SIZE   0x500000u

#endif
