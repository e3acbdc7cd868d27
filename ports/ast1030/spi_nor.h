/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial NOR chip on the first chip select of the firmware memory controller, by
 * its own commands (JEDEC JESD216: 06, 05, 02, 20). Offsets are those of the chip.
 */
#ifndef AST1030_SPI_NOR_H
#define AST1030_SPI_NOR_H

#include "otter/error.h"

#include <stddef.h>
#include <stdint.h>

void spi_nor_init(void);

/* Programs bytes of one page. OTTER_E_FLASH_PROGRAM if the chip does not take the
 * command, or stays busy far beyond its data sheet. */
OTTER_MUST_CHECK enum otter_result spi_nor_program(uint32_t off, const uint8_t *data,
                                                   size_t size);

/* Erases the sector at `off`. OTTER_E_FLASH_ERASE as above. */
OTTER_MUST_CHECK enum otter_result spi_nor_erase(uint32_t off);

#endif
