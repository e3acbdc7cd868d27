/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sizes that a product chooses. Each has a unit, limits and a default. To change
 * some, define them in a header of your own and compile everything with
 * -DOTTER_CONFIG='"your_config.h"'; what it does not define keeps its default.
 * Library, port and application must be compiled with the same values.
 */
#ifndef OTTER_CONFIG_H
#define OTTER_CONFIG_H

#ifdef OTTER_CONFIG
#include OTTER_CONFIG
#endif

/* Largest control packet in bytes, signatures included. 2048 is the format's own
 * limit (K11); a device that takes less refuses packages that others take. */
#ifndef OTTER_CONTROL_MAX
#define OTTER_CONTROL_MAX 2048
#endif

/* Most members of one package, 1 to 32. */
#ifndef OTTER_MEMBERS_MAX
#define OTTER_MEMBERS_MAX 8
#endif

/* Most regions of a device's map, 1 to 16. */
#ifndef OTTER_REGIONS_MAX
#define OTTER_REGIONS_MAX 12
#endif

/* Most keys that a flash table may trust, 1 to 32. */
#ifndef OTTER_KEYS_MAX
#define OTTER_KEYS_MAX 4
#endif

/* Bytes of the largest page buffer: the most that one program call writes. A power of
 * two, 32 to 4096. Flash with larger pages is programmed in pieces of this size. */
#ifndef OTTER_PAGE_MAX
#define OTTER_PAGE_MAX 256
#endif

/* Bytes that one step hashes or copies at most (K22). A multiple of OTTER_PAGE_MAX. */
#ifndef OTTER_STEP_BYTES
#define OTTER_STEP_BYTES 512
#endif

/* 1: encrypted packages are decrypted, if the crypto port can (K26); 0: their code is
 * left out, and they are refused [24-15]. */
#ifndef OTTER_ENCRYPTION
#define OTTER_ENCRYPTION 1
#endif

/* Events that the ring remembers, 2 to 4096. A power of two. */
#ifndef OTTER_EVENTS
#define OTTER_EVENTS 16
#endif

/* Trees of files on a card, unpacked by the manager. 0: a package with one is refused
 * before its transfer [23-22]. Default 1. */
#ifndef OTTER_TREES
#define OTTER_TREES 1
#endif

/* A manager that takes a package from the card by itself when no application is whole.
 * 0: it says so and waits; for devices that have no card. Default 1. */
#ifndef OTTER_CARD_SEARCH
#define OTTER_CARD_SEARCH 1
#endif

/* Codings of members that the manager decodes, besides raw: 1 or 0 each. zlib needs the
 * port of otter/port/inflate.h, too. */
#ifndef OTTER_ZLIB
#define OTTER_ZLIB 0
#endif
#ifndef OTTER_HEATSHRINK
#define OTTER_HEATSHRINK 1
#endif

/* Bytes of the manager's static RAM in which it decodes; packages that need more are
 * refused before their transfer (K24). heatshrink needs its window, zlib 7,680 and its
 * window. A multiple of 8, up to 65536; 0 if raw is all. */
#ifndef OTTER_CODING_MEMORY
#define OTTER_CODING_MEMORY (OTTER_ZLIB ? 7680 + 4096 : OTTER_HEATSHRINK ? 2048 : 0)
#endif

/* C and C++ have two words for it. */
#ifdef __cplusplus
#define OTTER_STATIC_ASSERT static_assert
#else
#define OTTER_STATIC_ASSERT _Static_assert
#endif

OTTER_STATIC_ASSERT(OTTER_CONTROL_MAX >= 256 && OTTER_CONTROL_MAX <= 2048,
                    "OTTER_CONTROL_MAX is 256 to 2048 bytes");
OTTER_STATIC_ASSERT(OTTER_MEMBERS_MAX >= 1 && OTTER_MEMBERS_MAX <= 32,
                    "OTTER_MEMBERS_MAX is 1 to 32");
OTTER_STATIC_ASSERT(OTTER_REGIONS_MAX >= 1 && OTTER_REGIONS_MAX <= 16,
                    "OTTER_REGIONS_MAX is 1 to 16");
OTTER_STATIC_ASSERT(OTTER_KEYS_MAX >= 1 && OTTER_KEYS_MAX <= 32,
                    "OTTER_KEYS_MAX is 1 to 32");
OTTER_STATIC_ASSERT(OTTER_PAGE_MAX >= 32 && OTTER_PAGE_MAX <= 4096 &&
                        (OTTER_PAGE_MAX & (OTTER_PAGE_MAX - 1)) == 0,
                    "OTTER_PAGE_MAX is a power of two, 32 to 4096");
OTTER_STATIC_ASSERT(OTTER_STEP_BYTES >= OTTER_PAGE_MAX &&
                        OTTER_STEP_BYTES % OTTER_PAGE_MAX == 0,
                    "OTTER_STEP_BYTES is a multiple of OTTER_PAGE_MAX");
OTTER_STATIC_ASSERT(OTTER_ENCRYPTION == 0 || OTTER_ENCRYPTION == 1,
                    "OTTER_ENCRYPTION is 0 or 1");
OTTER_STATIC_ASSERT(OTTER_EVENTS >= 2 && OTTER_EVENTS <= 4096 &&
                        (OTTER_EVENTS & (OTTER_EVENTS - 1)) == 0,
                    "OTTER_EVENTS is a power of two, 2 to 4096");
OTTER_STATIC_ASSERT(OTTER_ZLIB == 0 || OTTER_ZLIB == 1, "OTTER_ZLIB is 0 or 1");
OTTER_STATIC_ASSERT(OTTER_TREES == 0 || OTTER_TREES == 1, "OTTER_TREES is 0 or 1");
OTTER_STATIC_ASSERT(OTTER_HEATSHRINK == 0 || OTTER_HEATSHRINK == 1,
                    "OTTER_HEATSHRINK is 0 or 1");
OTTER_STATIC_ASSERT(OTTER_CODING_MEMORY % 8 == 0 && OTTER_CODING_MEMORY <= 65536,
                    "OTTER_CODING_MEMORY is a multiple of 8, up to 65536");

#endif
