/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32 at the speed of a big machine. The device's otter_crc32() trades speed for
 * size, and sweeps spend most of their time in it; where results are remembered (K27)
 * libdeflate answers in its place. The linker leads every call here (--wrap).
 */
#ifndef OTTER_FAST_CRC_H
#define OTTER_FAST_CRC_H

#include <stdbool.h>

/* True: libdeflate answers. False, as it begins: the device's own code. */
void fast_crc_use(bool is_fast);

#endif
