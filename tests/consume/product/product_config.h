/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this product wants smaller than otter/config.h has it.
 */
#ifndef PRODUCT_CONFIG_H
#define PRODUCT_CONFIG_H

#define OTTER_MEMBERS_MAX   4 /* the table and two programs, and one to spare */
#define OTTER_EVENTS        4
#define OTTER_HEATSHRINK    0
#define OTTER_CODING_MEMORY 0

#endif
