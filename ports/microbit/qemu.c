/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semihosting, the first content of the flash, and the resets. What is known between
 * them stands in RAM that no reset clears, beyond the 12 KiB of the programs.
 *
 * Facts: "Semihosting for AArch32 and AArch64" (calls and their blocks); QEMU's
 * hw/nvram/nrf51_nvm.c, hw/core/loader.c, hw/timer/nrf51_timer.c and
 * hw/char/nrf51_uart.c.
 */
#include "qemu.h"

#include "console.h"
#include "nvmc.h"
#include "otter/memory_map.h"
#include "port.h"
#include "registers.h"
#include "semihosting.h"

#include <stdbool.h>
#include <string.h>

enum {
    WAKING_TIMER = 0x40009000, /* the chip's second one, which nobody needs */
    TIMER_START = 0x000,
    TIMER_CLEAR = 0x00C,
    TIMER_EVENT = 0x140,
    TIMER_PRESCALER = 0x510,
    TIMER_COMPARE = 0x540,
    MICROSECONDS = 4, /* 16 MHz by 2 to the power of it */
    SOON_US = 100,
    STEP = 256,
    PROGRAMS = 3, /* boot, manager, application: PORT_NUMBER is 0, 1, 2 */
    PLACE = 32,   /* bytes that have one mark */
    WORD_BITS = 32,
    PLACES = OTTER_SECTOR_SIZE * MICROBIT_FLASH_SECTORS / PLACE,
};

#ifndef PORT_NUMBER
#define PORT_NUMBER 0
#endif

enum way { WAY_BEFORE = 0, WAY_TORN, WAY_AFTER, WAYS };

/* Since QEMU began: RAM is zero then, and no reset clears it. */
static struct {
    uint32_t is_known; /* known: the command line was read, the flash filled */
    uint32_t wants_resets;
    uint32_t way;        /* enum way, of the next reset */
    uint32_t operations; /* begun */
    uint32_t places;     /* those that came for the first time */
    uint32_t resets;
    uint32_t resets_now; /* 1: after the operation under way */
    /* Marks of what came already. */
    uint32_t programs[PROGRAMS][PLACES / WORD_BITS];
    uint32_t erases[PROGRAMS][MICROBIT_FLASH_SECTORS / WORD_BITS];
} power __attribute__((section(".retained.qemu")));

static const uint32_t known = 0x6B6E6F77;

/* ---- power on ---- */

static void read_command_line(void)
{
    static const char wanted[] = "otter resets=";
    char text[sizeof(wanted) + 8] = "";
    const uint32_t block[] = {word_of(text), sizeof(text)};

    memset(&power, 0, sizeof(power));
    power.is_known = known;
    if (semihosting_call(SYS_GET_CMDLINE, block) != 0) {
        return;
    }
    if (memcmp(text, wanted, sizeof(wanted) - 1) == 0) {
        power.wants_resets = 1;
        power.way = (uint32_t)(text[sizeof(wanted) - 1] - '0') % WAYS;
    }
}

/* QEMU's flash begins as zeros. */
static void fill_page(uint32_t handle, uint32_t addr)
{
    nvmc_erase(addr);
    for (uint32_t end = addr + OTTER_SECTOR_SIZE; addr < end; addr += STEP) {
        uint8_t bytes[STEP];
        const uint32_t read[] = {handle, word_of(bytes), sizeof(bytes)};

        memset(bytes, 0xFF, sizeof(bytes)); /* what the file does not have */
        (void)semihosting_call(SYS_READ, read);
        nvmc_program(addr, bytes, sizeof(bytes));
    }
}

/* From behind boot on: that one runs. */
static void fill_from(uint32_t handle)
{
    uint32_t addr = OTTER_BOOT_ADDR + OTTER_BOOT_SIZE;
    const uint32_t seek[] = {handle, addr};

    if (semihosting_call(SYS_SEEK, seek) != 0) {
        return;
    }
    for (; addr < OTTER_SECTOR_SIZE * MICROBIT_FLASH_SECTORS;
         addr += OTTER_SECTOR_SIZE) {
        fill_page(handle, addr);
    }
}

static void fill(void)
{
    static const char name[] = "factory.bin";
    const uint32_t open[] = {word_of(name), MODE_READ_BINARY, sizeof(name) - 1};
    const uint32_t handle[] = {semihosting_call(SYS_OPEN, open)};

    if (handle[0] == UINT32_MAX) {
        console_text("boot: no factory.bin\n");
        return;
    }
    fill_from(handle[0]);
    (void)semihosting_call(SYS_CLOSE, handle);
}

void qemu_start(void)
{
    if (power.is_known != known) {
        read_command_line();
        fill();
    }
}

/* Rings once, soon; QEMU's main loop turns when it does. */
void qemu_wake(void)
{
    REG32(WAKING_TIMER + TIMER_EVENT) = 0;
    REG32(WAKING_TIMER + TIMER_PRESCALER) = MICROSECONDS;
    REG32(WAKING_TIMER + TIMER_CLEAR) = 1;
    REG32(WAKING_TIMER + TIMER_COMPARE) = SOON_US;
    REG32(WAKING_TIMER + TIMER_START) = 1;
}

/* ---- resets ---- */

/* Marks the operation. True if it comes for the first time. */
static bool mark(enum qemu_operation kind, uint32_t addr)
{
    bool is_erase = kind == QEMU_ERASE;
    uint32_t index = addr / (is_erase ? OTTER_SECTOR_SIZE : (uint32_t)PLACE);
    uint32_t *marks =
        is_erase ? power.erases[PORT_NUMBER] : power.programs[PORT_NUMBER];
    uint32_t *word = &marks[index / WORD_BITS];
    uint32_t bit = 1U << index % WORD_BITS;
    bool is_first = (*word & bit) == 0;

    *word |= bit;
    power.operations++;
    power.places += is_first;
    return is_first;
}

/* A page whose erase did not end reads as anything. */
static void tear_erase(uint32_t addr)
{
    static const uint8_t zeros[PLACE];

    for (uint32_t off = 0; off < OTTER_SECTOR_SIZE / 2; off += sizeof(zeros)) {
        nvmc_program(addr + off, zeros, sizeof(zeros));
    }
}

size_t qemu_before(enum qemu_operation kind, uint32_t addr, size_t size)
{
    if (!mark(kind, addr) || power.wants_resets == 0) {
        return size;
    }
    uint32_t way = power.way;

    power.way = (way + 1) % WAYS;
    power.resets++;
    if (way == WAY_BEFORE) {
        port_reset_unsaid();
    }
    power.resets_now = 1;
    if (way == WAY_AFTER) {
        return size;
    }
    if (kind == QEMU_ERASE) {
        tear_erase(addr);
        return 0;
    }
    return size / 2 / MICROBIT_FLASH_WORD * MICROBIT_FLASH_WORD;
}

void qemu_after(void)
{
    if (power.resets_now != 0) {
        power.resets_now = 0;
        port_reset_unsaid();
    }
}

void qemu_report(void)
{
    console_text("flash: ");
    console_number(power.operations);
    console_text(" operations, ");
    console_number(power.places);
    console_text(" of them for the first time, ");
    console_number(power.resets);
    console_text(" resets\n");
}
