/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory protection: programs cannot write to themselves, execute data, read through a
 * null pointer, overflow their stack unseen, or write to the flash window by accident.
 */
#ifndef AST1030_MPU_H
#define AST1030_MPU_H

#include <stdbool.h>

void mpu_start(void);
void mpu_stop(void);

/* Opens the chips' windows for commands, or closes it. */
void mpu_open_flash(bool is_open);

#endif
