/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serial NOR by commands. In user mode the controller sends what is written to the
 * chip's window and answers reads with what the chip sends; otherwise it turns reads
 * of the window into read commands. Every wait ends: a chip that stays busy is a
 * failed operation, and the watchdog is not fed meanwhile.
 *
 * Facts: "AST1030 A1 datasheet", FMC; "W25Q80BL datasheet", instructions, AC times
 * (page program 3 ms, sector erase 400 ms at most).
 */
#include "spi_nor.h"

#include "mpu.h"
#include "port.h"
#include "qemu.h"
#include "registers.h"

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

void spi_nor_init(void)
{
    REG32(FMC_CONFIG) |= 1u << 16;
    REG32(FMC_CS0_CONTROL) = MODE_READ;
}

static void select_chip(void)
{
    mpu_open_flash(true);
    REG32(FMC_CS0_CONTROL) = CS_HIGH | MODE_USER;
    REG32(FMC_CS0_CONTROL) = MODE_USER;
}

static void release_chip(void)
{
    REG32(FMC_CS0_CONTROL) = CS_HIGH | MODE_USER;
    REG32(FMC_CS0_CONTROL) = MODE_READ;
    mpu_open_flash(false);
}

static void put(uint8_t byte)
{
    REG8(FMC_CS0_WINDOW) = byte;
}

static void put_command(uint8_t command, uint32_t off)
{
    put(command);
    put((uint8_t)(off >> 16));
    put((uint8_t)(off >> 8));
    put((uint8_t)off);
}

static uint8_t read_status(void)
{
    select_chip();
    put(NOR_READ_STATUS);
    uint8_t status = REG8(FMC_CS0_WINDOW);

    release_chip();
    return status;
}

static bool enable_write(void)
{
    select_chip();
    put(NOR_WRITE_ENABLE);
    release_chip();
    return (read_status() & STATUS_WRITE_ENABLED) != 0;
}

static bool wait_ready(uint32_t limit_ms)
{
    uint32_t start_ms = port_time_ms();

    while ((read_status() & STATUS_BUSY) != 0 || qemu_is_busy()) {
        if (port_time_ms() - start_ms > limit_ms) {
            return false;
        }
    }
    return true;
}

enum otter_result spi_nor_program(uint32_t off, const uint8_t *data, size_t size)
{
    if (!enable_write()) {
        return OTTER_E_FLASH_PROGRAM;
    }
    select_chip();
    put_command(NOR_PROGRAM, off);
    for (size_t i = 0; i < size; i++) {
        put(data[i]);
    }
    release_chip();
    return wait_ready(PROGRAM_MAX_MS) ? OTTER_OK : OTTER_E_FLASH_PROGRAM;
}

enum otter_result spi_nor_erase(uint32_t off)
{
    if (!enable_write()) {
        return OTTER_E_FLASH_ERASE;
    }
    select_chip();
    put_command(NOR_ERASE_4K, off);
    release_chip();
    return wait_ready(ERASE_MAX_MS) ? OTTER_OK : OTTER_E_FLASH_ERASE;
}
