/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of the AST1030 and of its Cortex-M4 core, as far as the port uses them.
 * Facts: "AST1030 A1 datasheet"; "ARMv7-M Architecture Reference Manual", B3.
 */
#ifndef AST1030_REGISTERS_H
#define AST1030_REGISTERS_H

#include <stdint.h>

/* A register, or bytes of the flash window, at a fixed address. */
#define REG32(addr) (*(volatile uint32_t *)(uintptr_t)(addr))
#define REG8(addr)  (*(volatile uint8_t *)(uintptr_t)(addr))

/* --- the core --- */
#define SYSTICK_CONTROL 0xE000E010u
#define SYSTICK_RELOAD  0xE000E014u
#define SYSTICK_VALUE   0xE000E018u
#define NVIC_ENABLE     0xE000E100u
#define NVIC_DISABLE    0xE000E180u
#define NVIC_UNPEND     0xE000E280u
#define SCB_ICSR        0xE000ED04u
#define SCB_VTOR        0xE000ED08u
#define SCB_AIRCR       0xE000ED0Cu
#define SCB_CFSR        0xE000ED28u
#define SCB_MMFAR       0xE000ED34u
#define MPU_CONTROL     0xE000ED94u
#define MPU_NUMBER      0xE000ED98u
#define MPU_ADDR        0xE000ED9Cu
#define MPU_ATTRIBUTES  0xE000EDA0u

#define AIRCR_RESET         0x05FA0004u /* key, SYSRESETREQ */
#define ICSR_UNPEND_SYSTICK 0x02000000u

/* --- the chip --- */
#define CORE_HZ 200000000u

/* The controllers of serial memory: registers, and where chip select 0 is shown. */
#define FMC_BASE        0x7E620000u
#define FMC_CS0_WINDOW  0x80000000u
#define SPI1_BASE       0x7E630000u
#define SPI1_CS0_WINDOW 0x90000000u

#define UART5_BASE 0x7E784000u
#define UART5_IRQ  8u

#define WDT_BASE 0x7E785000u

#endif
