/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32 at the speed of a big machine.
 */
#include "fast_crc.h"

#include "otter/crc32.h"

#include <libdeflate.h>

static bool uses_libdeflate;

void fast_crc_use(bool is_fast)
{
    uses_libdeflate = is_fast;
}

/* Names that the linker's --wrap makes. */
uint32_t __real_otter_crc32(uint32_t crc, const void *data, size_t size);
uint32_t __wrap_otter_crc32(uint32_t crc, const void *data, size_t size);

uint32_t __wrap_otter_crc32(uint32_t crc, const void *data, size_t size)
{
    return uses_libdeflate ? libdeflate_crc32(crc, data, size)
                           : __real_otter_crc32(crc, data, size);
}
