/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "sd": overrides of otter/memory_map.h. A microcontroller with 1 MiB of flash
 * at 0x08000000: the application first, for 816 KiB, then otter's small regions; the
 * radio's part, from 0x080D7000 on, belongs to no region. Boot and manager lie in a
 * bank of their own, where such a chip has its system memory. Packages and the copy of
 * the old system are files on a card; a package may bring its own installer, which boot
 * runs from RAM.
 */
#ifndef PROFILE_SD_MEMORY_MAP_H
#define PROFILE_SD_MEMORY_MAP_H

#define OTTER_APPLICATION_ADDR  0x08000000u
#define OTTER_APPLICATION_SIZE  0xCC000u
#define OTTER_APPLICATION_FLAGS OTTER_REGION_CARD

#define OTTER_TABLE_ADDR    0x080CC000u
#define OTTER_TABLE_SIZE    0x2000u
#define OTTER_RECEIPTS_ADDR 0x080CE000u
#define OTTER_RECEIPTS_SIZE 0x4000u
#define OTTER_JOURNAL_ADDR  0x080D2000u
#define OTTER_JOURNAL_SIZE  0x5000u

#define OTTER_BOOT_ADDR    0x1FF00000u
#define OTTER_BOOT_SIZE    0x10000u
#define OTTER_MANAGER_ADDR 0x1FF10000u
#define OTTER_MANAGER_SIZE 0x30000u

#define OTTER_STAGING_ADDR 0
#define OTTER_STAGING_SIZE 0

#define OTTER_RAM_SIZE 0x30000u

#define OTTER_LOADER_ADDR 0x20010000u
#define OTTER_LOADER_SIZE 0x20000u

#endif
