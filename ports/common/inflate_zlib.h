/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inflate port by zlib.
 */
#ifndef OTTER_INFLATE_ZLIB_H
#define OTTER_INFLATE_ZLIB_H

#include "otter/port/inflate.h"

extern const struct otter_inflate otter_inflate_zlib;

#endif
