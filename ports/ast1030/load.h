/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From flash to where a program runs; boot only.
 */
#ifndef AST1030_LOAD_H
#define AST1030_LOAD_H

#include "otter/boot.h"

#include <stdbool.h>

/* Copies what `boot` chose to chosen->exec, where a loader stands already. True if a
 * receipt of one of its systems vouches for every byte of the copy. */
bool load_program(struct otter_boot *boot, const struct otter_boot_result *chosen);

#endif
