/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial NOR chips, each on the first chip select of a controller, by their own
 * commands (JEDEC JESD216: 06, 05, 02, 20). Offsets are those of the chip.
 */
#ifndef AST1030_SPI_NOR_H
#define AST1030_SPI_NOR_H

#include "otter/error.h"

#include <stddef.h>
#include <stdint.h>

struct spi_nor {
    uint32_t registers; /* of the controller */
    uint32_t window;    /* where it shows the chip */
    const char *file;   /* that QEMU keeps the chip's content in */
};

extern const struct spi_nor spi_nor_flash; /* programs, state and staging */
extern const struct spi_nor spi_nor_card;  /* the external store: files.c */

void spi_nor_init(void);

/* Reads through the controller's window. */
void spi_nor_read(const struct spi_nor *chip, uint32_t off, void *data, size_t size);

/* Programs bytes of one page. OTTER_E_FLASH_PROGRAM if the chip does not take the
 * command, or stays busy far beyond its data sheet. */
OTTER_MUST_CHECK enum otter_result spi_nor_program(const struct spi_nor *chip,
                                                   uint32_t off, const uint8_t *data,
                                                   size_t size);

/* Erases the sector at `off`. OTTER_E_FLASH_ERASE as above. */
OTTER_MUST_CHECK enum otter_result spi_nor_erase(const struct spi_nor *chip,
                                                 uint32_t off);

#endif
