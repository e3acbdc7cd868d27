/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serial NOR by commands. In user mode the controller sends what is written to the
 * chip's window and answers reads with what the chip sends; otherwise it turns reads
 * of the window into read commands. Every wait ends: a chip that stays busy is a
 * failed operation, and the watchdog is not fed meanwhile.
 *
 * Under QEMU an operation is over when the file behind the chip holds it: qemu.h.
 *
 * Facts: "AST1030 A1 datasheet", FMC; "W25Q80BL datasheet", instructions, AC times
 * (page program 3 ms, sector erase 400 ms at most).
 */
#include "spi_nor.h"

#include "mpu.h"
#include "otter/memory_map.h"
#include "port.h"
#include "qemu.h"
#include "registers.h"

/* The controllers' registers. */
enum { SMC_CONFIG = 0x00, SMC_CS0_CONTROL = 0x10, SMC_CS0_WRITABLE = 1 << 16 };

const struct spi_nor spi_nor_flash = {FMC_BASE, FMC_CS0_WINDOW, "flash.bin"};
const struct spi_nor spi_nor_card = {SPI1_BASE, SPI1_CS0_WINDOW, "card.bin"};

enum {
    NOR_WRITE_ENABLE = 0x06,
    NOR_READ_STATUS = 0x05,
    NOR_PROGRAM = 0x02,
    NOR_ERASE_4K = 0x20,
    STATUS_BUSY = 0x01,
    STATUS_WRITE_ENABLED = 0x02,
    MODE_READ = 0x0,
    MODE_USER = 0x3,
    CS_HIGH = 0x4,
    PROGRAM_MAX_MS = 20,
    ERASE_MAX_MS = 500,
};

static void set_mode(const struct spi_nor *chip, uint32_t mode)
{
    REG32(chip->registers + SMC_CS0_CONTROL) = mode;
}

void spi_nor_init(void)
{
    static const struct spi_nor *const chips[] = {&spi_nor_flash, &spi_nor_card};

    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
        REG32(chips[i]->registers + SMC_CONFIG) |= (uint32_t)SMC_CS0_WRITABLE;
        set_mode(chips[i], MODE_READ);
    }
}

static void select_chip(const struct spi_nor *chip)
{
    mpu_open_flash(true);
    set_mode(chip, CS_HIGH | MODE_USER);
    set_mode(chip, MODE_USER);
}

static void release_chip(const struct spi_nor *chip)
{
    set_mode(chip, CS_HIGH | MODE_USER);
    set_mode(chip, MODE_READ);
    mpu_open_flash(false);
}

static void put(const struct spi_nor *chip, uint8_t byte)
{
    REG8(chip->window) = byte;
}

static void put_command(const struct spi_nor *chip, uint8_t command, uint32_t off)
{
    put(chip, command);
    put(chip, (uint8_t)(off >> 16));
    put(chip, (uint8_t)(off >> 8));
    put(chip, (uint8_t)off);
}

static uint8_t read_status(const struct spi_nor *chip)
{
    select_chip(chip);
    put(chip, NOR_READ_STATUS);
    uint8_t status = REG8(chip->window);

    release_chip(chip);
    return status;
}

static bool enable_write(const struct spi_nor *chip)
{
    select_chip(chip);
    put(chip, NOR_WRITE_ENABLE);
    release_chip(chip);
    return (read_status(chip) & STATUS_WRITE_ENABLED) != 0;
}

static bool wait_ready(const struct spi_nor *chip, uint32_t limit_ms)
{
    uint32_t start_ms = port_time_ms();

    while ((read_status(chip) & STATUS_BUSY) != 0 || qemu_is_busy()) {
        if (port_time_ms() - start_ms > limit_ms) {
            return false;
        }
    }
    return true;
}

/* Aligned words where there are any: each access of the window is a command on the
 * bus. */
void spi_nor_read(const struct spi_nor *chip, uint32_t off, void *data, size_t size)
{
    uint8_t *to = data;
    uint32_t at = chip->window + off;
    uint32_t end = at + (uint32_t)size;

    while (at < end) {
        if (at % 4 != 0 || end - at < 4) {
            *to++ = REG8(at);
            at++;
            continue;
        }
        uint32_t word = REG32(at);

        for (unsigned i = 0; i < 4; i++) {
            *to++ = (uint8_t)(word >> (8 * i));
        }
        at += 4;
    }
}

enum otter_result spi_nor_program(const struct spi_nor *chip, uint32_t off,
                                  const uint8_t *data, size_t size)
{
    size_t torn = qemu_before(size);

    if (!enable_write(chip)) {
        return OTTER_E_FLASH_PROGRAM;
    }
    select_chip(chip);
    put_command(chip, NOR_PROGRAM, off);
    for (size_t i = 0; i < torn; i++) {
        put(chip, data[i]);
    }
    release_chip(chip);
    bool is_ready = wait_ready(chip, PROGRAM_MAX_MS);

    return qemu_after(chip, off, size) && is_ready ? OTTER_OK : OTTER_E_FLASH_PROGRAM;
}

enum otter_result spi_nor_erase(const struct spi_nor *chip, uint32_t off)
{
    (void)qemu_before(OTTER_SECTOR_SIZE);
    if (!enable_write(chip)) {
        return OTTER_E_FLASH_ERASE;
    }
    select_chip(chip);
    put_command(chip, NOR_ERASE_4K, off);
    release_chip(chip);
    bool is_ready = wait_ready(chip, ERASE_MAX_MS);

    return qemu_after(chip, off, OTTER_SECTOR_SIZE) && is_ready ? OTTER_OK
                                                                : OTTER_E_FLASH_ERASE;
}
