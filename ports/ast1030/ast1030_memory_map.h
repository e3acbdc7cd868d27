/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory map of the port to the AST1030 evaluation board: overrides of
 * otter/memory_map.h. One serial NOR chip of 1 MiB on the first chip select of the
 * firmware memory controller; otter sees it at 0x10000000, the port adds where the
 * controller shows it. A second one, the external store, has files (files.c). 768 KiB
 * of RAM at 0. Programs run from RAM: the ROM copies boot to 0, boot copies the others
 * to `exec`.
 *
 *     RAM   0x00000 boot         0x10000 boot's data
 *           0x20000 manager      0x40000 application
 *           0x60000 loader
 *           0x80000 data of manager, loader or application
 *           0xBF000 what survives a reset
 *
 * Facts: "AST1030 A1 datasheet", address map; QEMU's hw/arm/aspeed_ast10x0.c.
 */
#ifndef AST1030_MEMORY_MAP_H
#define AST1030_MEMORY_MAP_H

#define OTTER_SECTOR_SIZE 0x1000u

#define OTTER_BOOT_ADDR        0x10000000u
#define OTTER_BOOT_SIZE        0x10000u
#define OTTER_BOOT_EXEC        0u
#define OTTER_TABLE_ADDR       0x10010000u
#define OTTER_TABLE_SIZE       0x2000u
#define OTTER_RECEIPTS_ADDR    0x10012000u
#define OTTER_RECEIPTS_SIZE    0x4000u
#define OTTER_JOURNAL_ADDR     0x10016000u
#define OTTER_JOURNAL_SIZE     0x8000u
#define OTTER_MANAGER_ADDR     0x10020000u
#define OTTER_MANAGER_SIZE     0x20000u
#define OTTER_MANAGER_EXEC     0x20000u
#define OTTER_APPLICATION_ADDR 0x10040000u
#define OTTER_APPLICATION_SIZE 0x20000u
#define OTTER_APPLICATION_EXEC 0x40000u
#ifndef AST1030_STORE_IS_CARD
#define OTTER_STAGING_ADDR 0x10060000u
#define OTTER_STAGING_SIZE 0xA0000u
#else
#define OTTER_STAGING_ADDR      0
#define OTTER_STAGING_SIZE      0
#define OTTER_APPLICATION_FLAGS OTTER_REGION_CARD
#endif
#define OTTER_LOADER_ADDR 0x60000u
#define OTTER_LOADER_SIZE 0x20000u

#define OTTER_RAM_ADDR 0u
#define OTTER_RAM_SIZE 0xC0000u

/* The chip. */
#define AST1030_FLASH_ADDR    0x10000000u
#define AST1030_FLASH_SECTORS 256u
#define AST1030_FLASH_PAGE    256u
#define AST1030_CARD_SECTOR   0x1000u

#endif
