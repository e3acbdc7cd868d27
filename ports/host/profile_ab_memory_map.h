/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "ab": overrides of otter/memory_map.h. Two slots that the hardware shows at
 * 0, whichever is active; boot in a bank of its own.
 */
#ifndef PROFILE_AB_MEMORY_MAP_H
#define PROFILE_AB_MEMORY_MAP_H

#define OTTER_BOOT_ADDR 0x1FF00000u
#define OTTER_BOOT_SIZE 0x10000u

#define OTTER_TABLE_ADDR    0x1000E000u
#define OTTER_TABLE_SIZE    0x4000u
#define OTTER_RECEIPTS_ADDR 0x10002000u
#define OTTER_RECEIPTS_SIZE 0x4000u
#define OTTER_JOURNAL_ADDR  0x10006000u
#define OTTER_JOURNAL_SIZE  0x8000u

#define OTTER_MANAGER_ADDR 0x10020000u
#define OTTER_MANAGER_SIZE 0x20000u

#define OTTER_APPLICATION_ADDR  0x10040000u
#define OTTER_APPLICATION_SIZE  0x80000u
#define OTTER_APPLICATION_EXEC  0u
#define OTTER_APPLICATION_FLAGS OTTER_REGION_WINDOW
#define OTTER_SLOT_B_ADDR       0x100C0000u
#define OTTER_SLOT_B_SIZE       0x80000u
#define OTTER_SLOT_B_EXEC       0u
#define OTTER_SLOT_B_FLAGS      OTTER_REGION_WINDOW

#define OTTER_STAGING_ADDR 0x101F0000u
#define OTTER_STAGING_SIZE 0x10000u

#endif
