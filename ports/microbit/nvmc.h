/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller of the chip's own flash. While it works the processor stands still:
 * there is no moment at which flash cannot be read.
 */
#ifndef MICROBIT_NVMC_H
#define MICROBIT_NVMC_H

#include <stddef.h>
#include <stdint.h>

/* Programs `size` bytes, whole words, at `addr`. */
void nvmc_program(uint32_t addr, const uint8_t *data, size_t size);

/* Erases the page at `addr`. */
void nvmc_erase(uint32_t addr);

#endif
