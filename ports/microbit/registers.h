/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of the nRF51822 and of its Cortex-M0, as far as the port uses them.
 * QEMU 7.2 has NVMC, UART and TIMER; POWER and WDT are not there: reads give 0, writes
 * are lost. Facts: "nRF51 Series Reference Manual"; "ARMv6-M Architecture Reference
 * Manual", B3.
 */
#ifndef MICROBIT_REGISTERS_H
#define MICROBIT_REGISTERS_H

#include <stdint.h>

/* A register, or a word of flash, at a fixed address. */
#define REG32(addr) (*(volatile uint32_t *)(uintptr_t)(addr))

/* --- the core --- */
#define SCB_AIRCR   0xE000ED0Cu
#define AIRCR_RESET 0x05FA0004u /* key, SYSRESETREQ */

/* --- the chip --- */
#define POWER_RESET_REASON 0x40000400u
#define REASON_WATCHDOG    0x2u
#define REASON_LOCKUP      0x8u

#define UART_BASE  0x40002000u
#define TIMER_BASE 0x40008000u
#define WDT_BASE   0x40010000u

#define NVMC_READY  0x4001E400u
#define NVMC_CONFIG 0x4001E504u
#define NVMC_ERASE  0x4001E508u

#endif
