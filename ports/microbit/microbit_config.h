/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes for 16 KiB of RAM: overrides of otter/config.h and otter/smp.h. Formats do not
 * depend on any of them.
 */
#ifndef MICROBIT_CONFIG_H
#define MICROBIT_CONFIG_H

#define OTTER_MEMBERS_MAX   4
#define OTTER_REGIONS_MAX   7 /* as many as the map has */
#define OTTER_KEYS_MAX      2
#define OTTER_ENCRYPTION    0
#define OTTER_EVENTS        8
#define OTTER_ZLIB          0
#define OTTER_HEATSHRINK    1
#define OTTER_TREES         0
#define OTTER_CARD_SEARCH   0
#define OTTER_CODING_MEMORY 1024 /* a window of 2 to the power of 10 */
#define OTTER_SMP_REQUEST   512
#define OTTER_SMP_REPLY     384

#endif
