/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inflate port by zlib.
 */
#ifndef OTTER_INFLATE_ZLIB_H
#define OTTER_INFLATE_ZLIB_H

#include "otter/port/inflate.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct otter_inflate otter_inflate_zlib;

#ifdef __cplusplus
}
#endif

#endif
