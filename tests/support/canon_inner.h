/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the canonical form share; not for their callers.
 */
#ifndef OTTER_TEST_CANON_INNER_H
#define OTTER_TEST_CANON_INNER_H

#include "canon.h"
#include "canon_hash.h"
#include "vflash_inner.h"

enum { CANON_GARBAGE = 0xA6 }; /* no record, no image, not erased, not all zero */

/* A sector's form: contents, second readings, flags of words. */
struct canon_form {
    uint8_t *content;
    uint8_t *later;
    uint8_t *words;
};

/* Flags of the words that some bytes are made of. */
struct canon_flags {
    unsigned all;      /* that some word has */
    unsigned unstable; /* of an unstable word, 0 if there is none */
};

/* The work buffer as a form. */
struct canon_form canon_form_of(const struct canon *canon);

/* What the next reading of some bytes, and the one after it, would give. */
struct canon_flags canon_look(const struct vflash *flash,
                              const struct vflash_place *place, size_t from,
                              size_t size, uint8_t *now, uint8_t *then);

/* What cannot be read holds nothing; what reads the same each time is stable. */
void canon_settle(uint8_t *now, uint8_t *then, size_t size, struct canon_flags *raw);

/* Flags of a torn thing in canonical form. One that reads its second value next is one
 * whose first value is that: an alternating one is turned round. */
unsigned canon_torn_flags(struct canon_flags raw);

/* A sector that was written once and holds nothing. */
void canon_form_nothing(const struct otter_flash_area *area,
                        const struct canon_form *form);

/* Of its first `size` bytes. */
uint64_t canon_hash_form(const struct canon_form *form,
                         const struct vflash_place *place, size_t size);

void canon_write_form(struct canon *canon, const struct vflash_place *place,
                      const struct canon_form *form);

/* The log's part in all this (canon_log.c). */
struct canon_log canon_log_now(struct canon *canon);
void canon_log_open(struct canon *canon); /* the places being known */
void canon_log_make(struct canon *canon);

#endif
