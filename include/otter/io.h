/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way to flash. Every access names a region and an offset inside it; a
 * write needs the region to be open for the running program, so a defect elsewhere
 * cannot reach boot, a running slot or the manager (K23). Counts erases per region.
 */
#ifndef OTTER_IO_H
#define OTTER_IO_H

#include "otter/map.h"
#include "otter/source.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OTTER_ERASE_COUNTS = OTTER_REGION_ID_COUNT - 1 }; /* one for each id from 1 on */

/* Files that are read as regions; without `read` it is not open. */
enum otter_card_files {
    OTTER_CARD_PACKAGE, /* OTTER_REGION_PACKAGE_FILE */
    OTTER_CARD_SAVED,   /* OTTER_REGION_SAVED_FILE */
    OTTER_CARD_TREE,    /* OTTER_REGION_TREE_FILE */
    OTTER_CARD_FILE_COUNT,
};

struct otter_io {
    const struct otter_flash *flash;
    const struct otter_map *map;
    uint16_t open_regions;                  /* bit id: may be written */
    uint32_t erases[OTTER_REGION_ID_COUNT]; /* since factory; kept by the journal */
    const struct otter_source *card_files;  /* by enum otter_card_files; NULL: none */
};

/* Starts with no region open and all counts 0. Both pointers stay in use. */
void otter_io_init(struct otter_io *io, const struct otter_flash *flash,
                   const struct otter_map *map);

/* Opens or closes region `id` for writing. Which program opens what: docs/SPEC.md,
 * "Who writes what". */
void otter_io_open(struct otter_io *io, uint8_t id);
void otter_io_close(struct otter_io *io, uint8_t id);

/* Reads `size` bytes. 26-14 outside the region, 26-10 where flash cannot be read; from
 * a file also 36-10 (not open, or the card is gone) and 36-13. */
OTTER_MUST_CHECK enum otter_result otter_io_read(const struct otter_io *io, uint8_t id,
                                                 uint32_t off, void *data, size_t size);

/* Erases the sector that holds `off`. One flash operation. 26-15 if closed. */
OTTER_MUST_CHECK enum otter_result otter_io_erase(struct otter_io *io, uint8_t id,
                                                  uint32_t off);

/* Programs up to one page: as much of `data` as fits before the page's end, `done`
 * bytes of it, then reads them back (26-13 on a mismatch). `off` and `size` are
 * multiples of the word size. One flash operation. After a failure nothing is known
 * of the words. */
OTTER_MUST_CHECK enum otter_result otter_io_program(struct otter_io *io, uint8_t id,
                                                    uint32_t off, const void *data,
                                                    size_t size, size_t *done);

/* The sector that holds `off`. */
OTTER_MUST_CHECK enum otter_result otter_io_sector(const struct otter_io *io,
                                                   uint8_t id, uint32_t off,
                                                   struct otter_sector *sector);

/* Program unit and erased value of a region; 1 and 0xFF for one that does not exist. */
uint32_t otter_io_word_size(const struct otter_io *io, uint8_t id);
uint8_t otter_io_erased(const struct otter_io *io, uint8_t id);

/* A span of a region as a source. The struct stays in use as long as the source. */
struct otter_span {
    const struct otter_io *io;
    uint8_t region;
    uint32_t off;
};
struct otter_source otter_span_source(const struct otter_span *span, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
