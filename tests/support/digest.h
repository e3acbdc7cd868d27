/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of bytes that lie together.
 */
#ifndef OTTER_TEST_DIGEST_H
#define OTTER_TEST_DIGEST_H

#include "otter/port/crypto.h"

#include <stddef.h>
#include <stdint.h>

void digest_of(const void *bytes, size_t size, uint8_t digest[OTTER_SHA256_SIZE]);

#endif
