/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory map of the port to the micro:bit: overrides of otter/memory_map.h. 256 KiB of
 * flash in pages of 1 KiB, 16 KiB of RAM; programs run where they lie.
 *
 *     flash 0x00000 boot       0x0B000 table       0x0B800 receipts
 *           0x0E800 journal    0x10800 manager     0x1E800 application
 *           0x29800 store      0x3F800 free
 *     RAM   0x20000000 a program's stack and data, 12 KiB
 *           0x20003000 what survives a reset
 *
 * Facts: "nRF51 Series Reference Manual", memory; QEMU's hw/arm/nrf51_soc.c.
 */
#ifndef MICROBIT_MEMORY_MAP_H
#define MICROBIT_MEMORY_MAP_H

#define OTTER_SECTOR_SIZE 0x400u

#define OTTER_BOOT_ADDR        0u
#define OTTER_BOOT_SIZE        0xB000u
#define OTTER_TABLE_ADDR       0xB000u
#define OTTER_TABLE_SIZE       0x800u
#define OTTER_RECEIPTS_ADDR    0xB800u
#define OTTER_RECEIPTS_SIZE    0x3000u
#define OTTER_JOURNAL_ADDR     0xE800u
#define OTTER_JOURNAL_SIZE     0x2000u
#define OTTER_MANAGER_ADDR     0x10800u
#define OTTER_MANAGER_SIZE     0xE000u
#define OTTER_APPLICATION_ADDR 0x1E800u
#define OTTER_APPLICATION_SIZE 0xB000u
#define OTTER_STAGING_ADDR     0x29800u
#define OTTER_STAGING_SIZE     0x16000u

#define OTTER_RAM_ADDR 0x20000000u
#define OTTER_RAM_SIZE 0x4000u

/* The flash. */
#define MICROBIT_FLASH_ADDR    0u
#define MICROBIT_FLASH_SECTORS 256u
#define MICROBIT_FLASH_PAGE    256u /* most bytes of one program call: otter's choice */
#define MICROBIT_FLASH_WORD    4u

#endif
