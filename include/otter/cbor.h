/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of CBOR (RFC 8949) that SMP messages are made of. Reading: one item after
 * another, or a whole map into a table of known keys; lengths may be definite or not;
 * nothing recurses and every length is compared with what is left. Writing: maps of
 * at most 23 entries, definite lengths, shortest heads.
 */
#ifndef OTTER_CBOR_H
#define OTTER_CBOR_H

#include "otter/bytes.h"
#include "otter/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OTTER_CBOR_DEPTH = 8, OTTER_CBOR_FIELDS_MAX = 16 };

enum otter_cbor_kind {
    OTTER_CBOR_UINT = 1,
    OTTER_CBOR_NEGATIVE, /* value: -1 - n is the number */
    OTTER_CBOR_BYTES,
    OTTER_CBOR_TEXT,
    OTTER_CBOR_ARRAY,
    OTTER_CBOR_MAP,
    OTTER_CBOR_BOOL,  /* value: 0 or 1 */
    OTTER_CBOR_NULL,  /* also undefined */
    OTTER_CBOR_OTHER, /* floats and other simple values */
    OTTER_CBOR_BREAK, /* end of an indefinite array or map */
};

struct otter_cbor_item {
    uint8_t kind; /* enum otter_cbor_kind; 0 in a table: the key was not there */
    bool is_indefinite;
    uint64_t value;       /* number; count of an array's items or a map's pairs */
    const uint8_t *bytes; /* BYTES, TEXT: inside the reader's data */
    size_t len;
};

/* A key to look for, and the kinds that its value may have: bits 1 << kind. */
struct otter_cbor_field {
    const char *key;
    uint16_t kinds;
    bool is_required;
};

/* Reads the next item: a whole number, text or byte string, or the head of an array
 * or map. Tags are passed over. A string of indefinite length is joined in place, so
 * `data`, the reader's own bytes, is changed and must not be read twice; with NULL it
 * is only measured. 33-12; `item` is then undefined. */
OTTER_MUST_CHECK enum otter_result otter_cbor_read(struct otter_reader *reader,
                                                   uint8_t *data,
                                                   struct otter_cbor_item *item);

/* Passes over the content of `item`, the last one read: of an array or map, down to
 * OTTER_CBOR_DEPTH levels. 33-12. */
OTTER_MUST_CHECK enum otter_result otter_cbor_skip(struct otter_reader *reader,
                                                   const struct otter_cbor_item *item);

/* Reads the pairs of `map`, the item that was read last, into a table: items[i]
 * belongs to fields[i]. Unknown keys are passed over. Of an array or map inside, the
 * item's `bytes` and `len` are its encoded content, for a reader of its own. 33-12 for
 * what is no CBOR, keys that are no text, and known keys that come twice; 33-13 for a
 * value of another kind or a required key that is missing. */
OTTER_MUST_CHECK enum otter_result otter_cbor_fields(
    struct otter_reader *reader, uint8_t *data, const struct otter_cbor_item *map,
    const struct otter_cbor_field *fields, size_t count, struct otter_cbor_item *items);

/* The same for a message that is one map and nothing after it. No bytes at all count
 * as an empty map. `data` is changed. */
OTTER_MUST_CHECK enum otter_result otter_cbor_message(
    uint8_t *data, size_t size, const struct otter_cbor_field *fields, size_t count,
    struct otter_cbor_item *items);

/* --- writing; a writer that is full fails, see bytes.h --- */

void otter_cbor_put_uint(struct otter_writer *writer, uint64_t value);
void otter_cbor_put_bool(struct otter_writer *writer, bool value);
void otter_cbor_put_null(struct otter_writer *writer);
void otter_cbor_put_bytes(struct otter_writer *writer, const void *bytes, size_t len);
void otter_cbor_put_text(struct otter_writer *writer, const char *text);
void otter_cbor_put_text_of(struct otter_writer *writer, const void *text, size_t len);
void otter_cbor_put_array(struct otter_writer *writer, uint8_t count);

/* A map whose head is corrected when it is closed. */
struct otter_cbor_map {
    struct otter_writer *writer;
    size_t off; /* of the head */
    uint8_t count;
};

struct otter_cbor_map otter_cbor_map_open(struct otter_writer *writer);
void otter_cbor_map_close(struct otter_cbor_map *map);

/* Puts a key; its value must follow. */
void otter_cbor_key(struct otter_cbor_map *map, const char *key);

/* Puts a key and its value. */
void otter_cbor_add_uint(struct otter_cbor_map *map, const char *key, uint64_t value);
void otter_cbor_add_bool(struct otter_cbor_map *map, const char *key, bool value);
void otter_cbor_add_text(struct otter_cbor_map *map, const char *key, const char *text);
void otter_cbor_add_bytes(struct otter_cbor_map *map, const char *key,
                          const void *bytes, size_t len);

#ifdef __cplusplus
}
#endif

#endif
