/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU writes a chip's file in the background: a page of which the chip said "done" is
 * lost when QEMU is killed a moment later. A device may rely on that word, so an
 * operation ends here only when the file, flash.bin or card.bin in QEMU's folder, reads
 * as the chip does.
 *
 * Facts: "Semihosting for AArch32 and AArch64" (calls and their blocks); QEMU's
 * hw/block/m25p80.c (flash_sync_page() does not wait).
 */
#include "qemu.h"

#include "otter/memory_map.h"
#include "port.h"
#include "registers.h"
#include "semihosting.h"

#include <string.h>

enum {
    EXIT_APPLICATION = 0x20026,
    STEP = 256,
    LIMIT_MS = 5000,
};

enum cut { CUT_NONE = 0, CUT_BEFORE, CUT_AFTER, CUT_TORN };

/* Since QEMU began: RAM is zero then, and no reset clears it. */
static struct {
    uint32_t is_known; /* known: the command line was read */
    uint32_t operations;
    uint32_t cut_at;
    uint32_t cut;     /* enum cut */
    uint32_t busy_at; /* UINT32_MAX: never */
    uint32_t lose;    /* 0: none */
    uint32_t received;
    uint32_t button;
} power __attribute__((section(".retained.qemu")));

static const uint32_t known = 0x6B6E6F77;

/* Of the chip that was written last. */
static struct {
    const struct spi_nor *chip;
    uint32_t handle;
} file;

/* ---- cuts ---- */

/* The number after `name`, if that stands in the text; where it ends, or NULL. */
static const char *find_number(const char *text, const char *name, uint32_t *number)
{
    const char *at = strstr(text, name);

    if (at == NULL) {
        return NULL;
    }
    *number = 0;
    for (at += strlen(name); *at >= '0' && *at <= '9'; at++) {
        *number = *number * 10 + (uint32_t)(*at - '0');
    }
    return at;
}

static uint32_t cut_of(const char *text)
{
    static const char *const ends[] = {
        [CUT_BEFORE] = ":before", [CUT_AFTER] = ":after", [CUT_TORN] = ":torn"};

    for (uint32_t i = CUT_BEFORE; i <= CUT_TORN; i++) {
        if (strncmp(text, ends[i], strlen(ends[i])) == 0) {
            return i;
        }
    }
    return CUT_BEFORE;
}

static void read_command_line(void)
{
    char text[80] = "";
    const uint32_t block[] = {word_of(text), sizeof(text)};

    memset(&power, 0, sizeof(power));
    power.is_known = known;
    power.busy_at = UINT32_MAX;
    if (semihosting_call(SYS_GET_CMDLINE, block) != 0) {
        return;
    }
    text[sizeof(text) - 1] = '\0';
    const char *end = find_number(text, "cut=", &power.cut_at);

    power.cut = end != NULL ? cut_of(end) : (uint32_t)CUT_NONE;
    (void)find_number(text, "busy=", &power.busy_at);
    (void)find_number(text, "lose=", &power.lose);
    (void)find_number(text, "button=", &power.button);
}

static void learn(void)
{
    if (power.is_known != known) {
        read_command_line();
    }
}

static bool is_now(enum cut kind)
{
    return power.cut == (uint32_t)kind && power.operations == power.cut_at;
}

static void power_off(void)
{
    (void)semihosting_call(SYS_EXIT,
                           (const void *)(uintptr_t)EXIT_APPLICATION); /* no return */
}

/* ---- the file ---- */

static bool open_file(const struct spi_nor *chip)
{
    const uint32_t block[] = {word_of(chip->file), MODE_READ_BINARY,
                              (uint32_t)strlen(chip->file)};

    if (file.chip == chip) {
        return true;
    }
    if (file.chip != NULL) {
        (void)semihosting_call(SYS_CLOSE, &file.handle);
        file.chip = NULL;
    }
    file.handle = semihosting_call(SYS_OPEN, block);
    if (file.handle != UINT32_MAX) {
        file.chip = chip;
    }
    return file.chip != NULL;
}

static bool is_same(uint32_t off, size_t size)
{
    uint8_t bytes[STEP];
    const uint32_t seek[] = {file.handle, off};
    const uint32_t read[] = {file.handle, word_of(bytes), (uint32_t)size};

    if (semihosting_call(SYS_SEEK, seek) != 0 ||
        semihosting_call(SYS_READ, read) != 0) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != REG8(file.chip->window + off + i)) {
            return false;
        }
    }
    return true;
}

static bool wait_for_file(const struct spi_nor *chip, uint32_t off, size_t size)
{
    uint32_t start_ms = port_time_ms();

    if (!open_file(chip)) {
        return false;
    }
    for (size_t done = 0; done < size;) {
        size_t part = size - done < STEP ? size - done : STEP;

        if (is_same(off + (uint32_t)done, part)) {
            done += part;
        } else if (port_time_ms() - start_ms > LIMIT_MS) {
            return false;
        }
    }
    return true;
}

size_t qemu_before(size_t size)
{
    learn();
    if (is_now(CUT_BEFORE)) {
        power_off();
    }
    return is_now(CUT_TORN) && size <= AST1030_FLASH_PAGE ? size / 2 : size;
}

bool qemu_after(const struct spi_nor *chip, uint32_t off, size_t size)
{
    bool is_done = wait_for_file(chip, off, size);

    if (is_now(CUT_AFTER) || is_now(CUT_TORN)) {
        power_off();
    }
    power.operations++;
    return is_done;
}

bool qemu_has_button(void)
{
    learn();
    return power.button != 0;
}

bool qemu_is_busy(void)
{
    learn();
    return power.operations >= power.busy_at;
}

bool qemu_loses_byte(void)
{
    learn();
    power.received++;
    return power.lose != 0 && power.received % power.lose == 0;
}
