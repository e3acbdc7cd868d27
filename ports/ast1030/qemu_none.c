/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real board: an operation is over when the chip says so.
 */
#include "qemu.h"

size_t qemu_before(size_t size)
{
    return size;
}

bool qemu_after(const struct spi_nor *chip, uint32_t off, size_t size)
{
    (void)chip;
    (void)off;
    (void)size;
    return true;
}

bool qemu_is_busy(void)
{
    return false;
}

bool qemu_loses_byte(void)
{
    return false;
}

bool qemu_has_button(void)
{
    return false;
}
