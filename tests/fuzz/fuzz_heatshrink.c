/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One heatshrink stream, head included, of any bytes: bounded steps, and the same bytes
 * from anywhere.
 */
#include "fuzz_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(OTTER_CODING_HEATSHRINK, data, size);
    return 0;
}
