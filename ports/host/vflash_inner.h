/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the virtual flash share; not for its callers.
 */
#ifndef OTTER_HOST_VFLASH_INNER_H
#define OTTER_HOST_VFLASH_INNER_H

#include "vflash.h"

#ifdef __cplusplus
extern "C" {
#endif

/* States of a word, as flags; 0 is erased. */
enum {
    VFLASH_FLAG_PROGRAMMED = 1, /* not to be programmed before the next erase */
    VFLASH_FLAG_TORN = 2,
    VFLASH_FLAG_DEAD = 4,
    VFLASH_FLAG_ALTERNATING = 8, /* content and later in turn */
    VFLASH_FLAG_FADING = 16,     /* content once, then later */
    VFLASH_FLAG_READ = 32,       /* the next reading is later */
};

/* A sector in the arrays. */
struct vflash_place {
    const struct vflash_bank *bank;
    struct vflash_sector *sector;
    size_t index;  /* of the sector */
    uint32_t addr; /* of its first byte */
    size_t off;    /* in content and later */
    size_t word;   /* in words */
    size_t word_count;
};

enum {
    VFLASH_WORD_MAX = 32, /* bytes of the largest word */
    VFLASH_FLAGS_UNSTABLE = VFLASH_FLAG_ALTERNATING | VFLASH_FLAG_FADING,
    VFLASH_FLAGS_ODD = VFLASH_FLAGS_UNSTABLE | VFLASH_FLAG_DEAD,
};

/* Everything of one word that an operation needs. */
struct vflash_word_place {
    struct vflash_sector *sector;
    uint8_t *content;
    uint8_t *flags;
    size_t off; /* of its first byte in content */
    size_t size;
    uint8_t erased;
};

/* Prints and aborts: a failure of the harness itself, never of what is tested. */
_Noreturn void vflash_stop(const char *what);

/* Zeroed memory; stops without it. */
void *vflash_alloc(size_t size);

/* The area that holds `addr`, or NULL. */
const struct vflash_bank *vflash_bank_at(const struct vflash *flash, uint32_t addr);

/* The sector that holds `addr`; false, or a stop, if there is none. */
bool vflash_find(const struct vflash *flash, uint32_t addr, struct vflash_place *place);
struct vflash_place vflash_must_find(const struct vflash *flash, uint32_t addr);

/* Word `number` of a sector. */
static inline struct vflash_word_place vflash_word_of(struct vflash *flash,
                                                      const struct vflash_place *place,
                                                      size_t number)
{
    size_t size = place->bank->area->word_size;
    size_t off = place->off + number * size;

    return (struct vflash_word_place){.sector = place->sector,
                                      .content = flash->content + off,
                                      .flags = flash->words + place->word + number,
                                      .off = off,
                                      .size = size,
                                      .erased = place->bank->area->erased};
}

/* Gives a word its flags and keeps the counts of odd words right. */
void vflash_set_flags(struct vflash *flash, const struct vflash_word_place *word,
                      unsigned flags);

bool vflash_is_erased(const uint8_t *bytes, size_t size, uint8_t erased);

/* To be called before a sector changes: parts it from its saved content. */
void vflash_touch(struct vflash *flash, struct vflash_sector *sector);

/* Hash of one sector; cached. */
uint64_t vflash_hash_place(struct vflash *flash, const struct vflash_place *place);

/* Writes a span of the content through to the backing file, if there is one. */
void vflash_file_write(const struct vflash *flash, size_t off, size_t size);

#ifdef __cplusplus
}
#endif

#endif
