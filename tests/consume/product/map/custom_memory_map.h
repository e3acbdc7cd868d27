/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of this product: 64 KiB of flash at 0x08000000, sectors of 1 KiB.
 */
#ifndef CUSTOM_MEMORY_MAP_H
#define CUSTOM_MEMORY_MAP_H

#define OTTER_SECTOR_SIZE 0x400u

#define OTTER_BOOT_ADDR        0x08000000u
#define OTTER_BOOT_SIZE        0x2000u
#define OTTER_TABLE_ADDR       0x08002000u
#define OTTER_TABLE_SIZE       0x800u
#define OTTER_RECEIPTS_ADDR    0x08002800u
#define OTTER_RECEIPTS_SIZE    0x3000u
#define OTTER_JOURNAL_ADDR     0x08005800u
#define OTTER_JOURNAL_SIZE     0x1000u
#define OTTER_MANAGER_ADDR     0x08006800u
#define OTTER_MANAGER_SIZE     0x1800u
#define OTTER_APPLICATION_ADDR 0x08008000u
#define OTTER_APPLICATION_SIZE 0x2800u
#define OTTER_STAGING_ADDR     0x0800A800u
#define OTTER_STAGING_SIZE     0x5800u

#endif
